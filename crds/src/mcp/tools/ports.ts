// SPDX-License-Identifier: Apache-2.0
import { choice, inBody, inPath, needed, ONE_SANDBOX, whole } from '../argument.ts';
import type { Tool } from '../tool.ts';

const PORT = whole('the port', 1, 65_535);

export const PORT_TOOLS: readonly Tool[] = [
  {
    name: 'sandbox_list_ports',
    description: 'List the ports of a sandbox that are forwarded, with their previews.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/ports',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'sandbox_listening_ports',
    description: 'List what listens for connections in a running sandbox, forwarded or not.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/ports/listening',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'sandbox_forward_port',
    description: 'Offer a port of a sandbox to others, for http with a preview that browsers open.',
    effect: 'write',
    idempotent: true,
    method: 'POST',
    path: '/sandboxes/:id/ports',
    arguments: {
      ...ONE_SANDBOX,
      port: needed(inBody('port', PORT)),
      protocol: inBody(
        'protocol',
        choice('what is spoken there; http when left out', 'http', 'https', 'tcp'),
      ),
    },
    answer: 'json',
  },
  {
    name: 'sandbox_remove_port',
    description: 'Offer a port of a sandbox no longer.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/sandboxes/:id/ports/:port',
    arguments: { ...ONE_SANDBOX, port: inPath('port', PORT) },
    answer: 'nothing',
  },
  {
    name: 'sandbox_stats',
    description: 'Tell what a running sandbox uses of CPU, memory, disk and processes.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/stats',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
];
