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
  name: 'apikey',
  aliases: ['apikeys', 'keys'],
  summary: 'Keys that act as you, or for one sandbox',
  description: 'API keys. One of a sandbox may do named things in it and nothing else. Needs the router.',
  verbs: 'list|create|revoke',
};

export function addApiKey(program: Command, app: App): void {
  const keys = addGroup(program, GROUP);
  addVerb(keys, app, {
    usage: 'list',
    aliases: ['ls'],
    summary: 'List your keys, never the keys themselves',
    output: 'rows',
    examples: ['kubectl agenttier apikey list'],
    load: work('listKeys'),
  });
  addVerb(keys, app, {
    usage: 'create [name]',
    summary: 'Make a key; it is shown once',
    flags: [
      { flags: '--expires-in <duration>', about: 'for how long it counts, for instance 720h' },
      { flags: '--sandbox <name>', about: 'for this sandbox only' },
      {
        flags: '--action-groups <groups>',
        about: 'what it may do there, for instance run-command,files:read; all when left out',
      },
    ],
    output: 'value',
    examples: [
      'kubectl agenttier apikey create ci --expires-in 720h',
      'kubectl agenttier apikey create bot --sandbox demo --action-groups run-command,files:read',
    ],
    load: work('createKey'),
  });
  addVerb(keys, app, {
    usage: 'revoke <id...>',
    aliases: ['delete', 'rm'],
    summary: 'End keys, and the terminals that were opened with them',
    examples: ['kubectl agenttier apikey revoke agenttier-apikey-0f1e2d3c'],
    load: work('revokeKeys'),
  });
}
