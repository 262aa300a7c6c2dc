// SPDX-License-Identifier: Apache-2.0
import { inBody, inQuery, needed, ONE_SANDBOX, text, texts } from '../argument.ts';
import type { Tool } from '../tool.ts';

export const AGENT_TOOLS: readonly Tool[] = [
  {
    name: 'agent_configure',
    description:
      'Make an agent sandbox ready: write files, run an install command, set the command that each invocation runs. The same once more is skipped. The log is reported line by line.',
    effect: 'destroy',
    idempotent: true,
    open: true,
    method: 'POST',
    path: '/sandboxes/:id/configure',
    arguments: {
      ...ONE_SANDBOX,
      files: inBody('files', {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            path: { type: 'string' },
            content: { type: 'string' },
            contentBase64: { type: 'string' },
          },
          required: ['path'],
        },
        description: 'files to write: absolute path, and content or contentBase64',
      }),
      install_command: inBody('installCommand', texts('program and arguments that install the agent')),
      entrypoint: inBody('entrypoint', texts('program and arguments of each invocation')),
    },
    answer: 'events',
  },
  {
    name: 'agent_install_log',
    description: 'Show the log of the last installation, of one that failed as well.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/configure/install-log',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'agent_invoke',
    description:
      'Run the agent of a sandbox once with a prompt and return its output and exit code. Output is reported line by line. Busy (429) means: try again later.',
    effect: 'destroy',
    open: true,
    method: 'POST',
    path: '/sandboxes/:id/invoke',
    arguments: {
      ...ONE_SANDBOX,
      prompt: inQuery('prompt', text('what the agent is asked')),
      input: { schema: text('standard input; the prompt when left out'), in: 'raw', as: '' },
      timeout: inQuery('timeout', text('end it after this long, for instance "90s"')),
    },
    answer: 'events',
  },
  {
    name: 'agent_invocations',
    description: 'Show which invocations run, which ended lately, and how many may run at once.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/invoke',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'agent_invoke_cancel',
    description: 'End an invocation with everything that it has started.',
    effect: 'destroy',
    idempotent: true,
    method: 'POST',
    path: '/sandboxes/:id/invoke/cancel',
    arguments: { ...ONE_SANDBOX, invoke_id: needed(inBody('invokeId', text('id of the invocation'))) },
    answer: 'nothing',
  },
];
