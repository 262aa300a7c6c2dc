// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addGroup, addVerb } from '../context/verb.ts';
import type * as Runs from './run.ts';

type Work = typeof Runs;
const work =
  <Name extends keyof Work>(name: Name) =>
  async (): Promise<Work[Name]> =>
    (await import('./run.ts'))[name];

const GROUP = {
  name: 'ports',
  summary: 'Ports of a sandbox that others reach',
  description:
    'Ports that the installation offers to others, with a preview for browsers. For this machine alone there is port-forward. Needs the router.',
  verbs: 'list|forward|remove',
};

export function addPorts(program: Command, app: App): void {
  const ports = addGroup(program, GROUP);
  addVerb(ports, app, {
    usage: 'list <name>',
    aliases: ['ls'],
    summary: 'List what is forwarded',
    flags: [{ flags: '--listening', about: 'list what listens in the sandbox instead, forwarded or not' }],
    output: 'rows',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier ports list demo', 'kubectl agenttier ports list demo --listening'],
    load: work('listPorts'),
  });
  addVerb(ports, app, {
    usage: 'forward <name> <port>',
    summary: 'Offer a port to others',
    flags: [
      {
        flags: '--protocol <protocol>',
        about: 'what is spoken there',
        fallback: 'http',
        choices: ['http', 'https', 'tcp'],
      },
    ],
    output: 'value',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier ports forward demo 3000'],
    load: work('forwardPort'),
  });
  addVerb(ports, app, {
    usage: 'remove <name> <port>',
    aliases: ['rm'],
    summary: 'Offer a port no longer',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier ports remove demo 3000'],
    load: work('removePort'),
  });
}
