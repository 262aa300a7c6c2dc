// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addVerb } from '../context/verb.ts';
import type * as Runs from './run.ts';

type Work = typeof Runs;
const work =
  <Name extends keyof Work>(name: Name) =>
  async (): Promise<Work[Name]> =>
    (await import('./run.ts'))[name];

/** What was done, how much is used, and what that costs. */
export function addInsight(program: Command, app: App): void {
  addVerb(program, app, {
    usage: 'audit',
    summary: 'Show who did what, the newest first',
    description:
      'Show who did what, the newest first: everything for administrators, for others what concerns them. Needs the router.',
    flags: [{ flags: '--limit <count>', about: 'how many', fallback: '50' }],
    output: 'rows',
    examples: ['kubectl agenttier audit', 'kubectl agenttier audit -n team --limit 200 -o json'],
    load: work('showAudit'),
  });
  addVerb(program, app, {
    usage: 'usage',
    summary: 'Count sandboxes, and tell how long starts took',
    description:
      'Count sandboxes by state and template, and tell how long starts took. For administrators; needs the router.',
    output: 'value',
    examples: ['kubectl agenttier usage', 'kubectl agenttier usage -n team -o json'],
    load: work('showUsage'),
  });
  addVerb(program, app, {
    usage: 'costs',
    summary: 'Estimate what sandboxes cost',
    description:
      'Estimate what sandboxes cost, by the rates of the installation. For administrators; needs the router.',
    output: 'rows',
    examples: ['kubectl agenttier costs', 'kubectl agenttier costs -n team -o json'],
    load: work('showCosts'),
  });
  addVerb(program, app, {
    usage: 'preferences [file]',
    summary: 'Show your preferences, or replace them by those of a JSON file',
    description:
      'Show your preferences at the router as JSON, or replace them by those of a file; - reads standard input.',
    output: 'value',
    completes: ['files'],
    examples: ['kubectl agenttier preferences', 'kubectl agenttier preferences mine.json'],
    load: work('preferences'),
  });
}
