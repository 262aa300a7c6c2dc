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
  name: 'webhook',
  aliases: ['webhooks'],
  summary: 'Have events told to an address',
  description:
    'Subscriptions: events of sandboxes are posted, signed, to an https address. Needs the router.',
  verbs: 'create|list|delete|deliveries',
};

export function addWebhook(program: Command, app: App): void {
  const webhook = addGroup(program, GROUP);
  addVerb(webhook, app, {
    usage: 'create <url>',
    summary: 'Subscribe; the signing key is shown once',
    flags: [
      {
        flags: '--event-types <types>',
        about: 'events, separated by commas',
        fallback: 'sandbox.running,sandbox.stopped,sandbox.error',
      },
      { flags: '--sandbox <name>', about: 'of this sandbox only; administrators may leave it out' },
    ],
    output: 'value',
    examples: ['kubectl agenttier webhook create https://example.com/hook --sandbox demo'],
    load: work('createWebhook'),
  });
  addVerb(webhook, app, {
    usage: 'list',
    aliases: ['ls'],
    summary: 'List your subscriptions',
    output: 'rows',
    examples: ['kubectl agenttier webhook list'],
    load: work('listWebhooks'),
  });
  addVerb(webhook, app, {
    usage: 'delete <id>',
    aliases: ['rm'],
    summary: 'End a subscription',
    examples: ['kubectl agenttier webhook delete wh-1f0c2d3e'],
    load: work('deleteWebhook'),
  });
  addVerb(webhook, app, {
    usage: 'deliveries <id>',
    summary: 'Show the last tries to deliver',
    output: 'rows',
    examples: ['kubectl agenttier webhook deliveries wh-1f0c2d3e'],
    load: work('listDeliveries'),
  });
}
