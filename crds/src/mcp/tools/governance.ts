// SPDX-License-Identifier: Apache-2.0
import { inQuery, text } from '../argument.ts';
import type { Tool } from '../tool.ts';

export const GOVERNANCE_TOOLS: readonly Tool[] = [
  {
    name: 'governance_effective_policy',
    description: 'Show the limits in force in a namespace: those of cluster and namespace together.',
    effect: 'read',
    method: 'GET',
    path: '/governance/effective',
    arguments: { namespace: inQuery('namespace', text('namespace; that of the installation when left out')) },
    answer: 'json',
  },
];
