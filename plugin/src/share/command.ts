// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addGroup, addVerb, type Flag } from '../context/verb.ts';
import type * as Runs from './run.ts';

const LEVEL: Flag = {
  flags: '--level <level>',
  about: 'a viewer may look, a collaborator may work in it',
  fallback: 'viewer',
  choices: ['viewer', 'collaborator'],
};
type Work = typeof Runs;
const work =
  <Name extends keyof Work>(name: Name) =>
  async (): Promise<Work[Name]> =>
    (await import('./run.ts'))[name];

const GROUP = {
  name: 'share',
  aliases: ['sharing'],
  summary: 'Let others use a sandbox',
  description: 'Shares of a sandbox with persons, groups, and whoever redeems a link. Needs the router.',
  verbs: 'list|grant|revoke|link|unlink|redeem',
};

export function addShare(program: Command, app: App): void {
  const share = addGroup(program, GROUP);
  addVerb(share, app, {
    usage: 'list <name>',
    aliases: ['ls'],
    summary: 'Show with whom a sandbox is shared, and its links',
    output: 'rows',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier share list demo'],
    load: work('listShares'),
  });
  addVerb(share, app, {
    usage: 'grant <name> <identity>',
    summary: 'Let a person or a group use a sandbox',
    flags: [
      LEVEL,
      { flags: '--kind <kind>', about: 'what the identity is', fallback: 'user', choices: ['user', 'group'] },
    ],
    output: 'value',
    completes: ['sandboxes', 'none'],
    examples: [
      'kubectl agenttier share grant demo bob@example.com --level collaborator',
      'kubectl agenttier share grant demo team-red --kind group',
    ],
    load: work('grantShare'),
  });
  addVerb(share, app, {
    usage: 'revoke <name> <identity>',
    summary: 'Take a share away from a person or a group',
    output: 'value',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier share revoke demo bob@example.com'],
    load: work('revokeShare'),
  });
  addLinks(share, app);
}

function addLinks(share: Command, app: App): void {
  addVerb(share, app, {
    usage: 'link <name>',
    aliases: ['create-link'],
    summary: 'Make a link; its token is shown once',
    flags: [
      LEVEL,
      { flags: '--expires-in <duration>', about: 'for how long it can be redeemed, for instance 24h' },
      { flags: '--max-uses <count>', about: 'how many may redeem it; 0 is any number', fallback: '0' },
    ],
    output: 'value',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier share link demo --expires-in 24h --max-uses 3'],
    load: work('createLink'),
  });
  addVerb(share, app, {
    usage: 'unlink <name> <link>',
    summary: 'Close a link',
    flags: [{ flags: '--people', about: 'take the share from those who came by it, too' }],
    output: 'value',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier share unlink demo 0f1e2d3c4b5a6978 --people'],
    load: work('deleteLink'),
  });
  addVerb(share, app, {
    usage: 'redeem <token>',
    summary: 'Take what a link offers',
    output: 'value',
    examples: ['kubectl agenttier share redeem TOKEN'],
    load: work('redeemLink'),
  });
}
