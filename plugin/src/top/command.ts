// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addVerb } from '../context/verb.ts';

export function addTop(program: Command, app: App): void {
  addVerb(program, app, {
    usage: 'top <name...>',
    aliases: ['stats'],
    summary: 'Show what running sandboxes use',
    description:
      'Show CPU since the start, memory, processes and disk of running sandboxes, from their own kernels’ counts: no metrics server is needed. Needs the router.',
    output: 'rows',
    completes: ['sandboxes'],
    examples: ['kubectl agenttier top demo', 'kubectl agenttier top demo other -o json'],
    load: async () => (await import('./run.ts')).runTop,
  });
}
