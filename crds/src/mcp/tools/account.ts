// SPDX-License-Identifier: Apache-2.0
import { inPath, inQuery, text } from '../argument.ts';
import type { Tool } from '../tool.ts';

const NAMESPACE = inQuery('namespace', text('with the templates of this namespace, too'));

/** Who asks, and what can be made. */
export const ACCOUNT_TOOLS: readonly Tool[] = [
  {
    name: 'current_user',
    description: 'Tell whom these credentials belong to, and whether that is an administrator.',
    effect: 'read',
    method: 'GET',
    path: '/user/me',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'template_list',
    description: 'List the templates that sandboxes can be made from.',
    effect: 'read',
    method: 'GET',
    path: '/templates',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'template_get',
    description: 'Show one template with its whole specification.',
    effect: 'read',
    method: 'GET',
    path: '/templates/:name',
    arguments: { name: inPath('name', text('name of the template')), namespace: NAMESPACE },
    answer: 'json',
  },
];
