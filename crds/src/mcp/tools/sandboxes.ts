// SPDX-License-Identifier: Apache-2.0
import {
  choice,
  flag,
  inBody,
  inQuery,
  needed,
  ONE_SANDBOX,
  text,
  textMap,
  texts,
  whole,
} from '../argument.ts';
import type { Tool } from '../tool.ts';

/** The life of a sandbox, and work in it. */
export const SANDBOX_TOOLS: readonly Tool[] = [
  {
    name: 'sandbox_create',
    description:
      'Create an isolated sandbox from a template. Returns at once; ask sandbox_status until status is Running. Limits of the namespace apply: a refusal names each violated field.',
    effect: 'write',
    method: 'POST',
    path: '/sandboxes',
    arguments: {
      template: needed(inBody('templateRef.name', text('name of a template, see template_list'))),
      name: needed(inBody('name', text('name of the new sandbox: lower-case letters, digits and dashes'))),
      namespace: inBody('namespace', text('namespace to put it in; that of the installation when left out')),
      timeout: inBody('timeout', text('stop it after running this long, for instance "8h"')),
      idle_timeout: inBody('idleTimeout', text('stop it after this long without use, for instance "30m"')),
      storage_size: inBody('storage.size', text('size of its volume, for instance "10Gi"')),
      auto_resume: inBody('autoResume', flag('start it again by itself when it is used after a stop')),
    },
    answer: 'json',
  },
  {
    name: 'sandbox_list',
    description: 'List the sandboxes that you may see, with their state.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes',
    arguments: {
      namespace: inQuery('namespace', text('only those of this namespace')),
      status: inQuery(
        'status',
        text('only those in this state: Creating, Running, Stopped, Error or Deleting'),
      ),
    },
    answer: 'json',
  },
  {
    name: 'sandbox_status',
    description: 'Show one sandbox: state, reason, template, times, and whether it is about to be stopped.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'sandbox_explain',
    description:
      'Explain a sandbox: every effective field with its origin, the policy that bounds it, and why the sandbox waits or failed.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/explain',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'sandbox_stop',
    description: 'Stop a sandbox. Its programs end; its files stay and sandbox_resume brings it back.',
    effect: 'write',
    idempotent: true,
    method: 'POST',
    path: '/sandboxes/:id/stop',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'sandbox_resume',
    description: 'Start a stopped or failed sandbox again with the files it had.',
    effect: 'write',
    idempotent: true,
    method: 'POST',
    path: '/sandboxes/:id/resume',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'sandbox_terminate',
    description: 'Delete a sandbox with all of its files. This cannot be undone.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/sandboxes/:id',
    arguments: ONE_SANDBOX,
    answer: 'nothing',
  },
  {
    name: 'sandbox_run_command',
    description:
      'Run a shell command in a running sandbox (/bin/sh -c) and return its output and exit code. A non-zero exit code is a result, no error.',
    effect: 'destroy',
    open: true,
    method: 'POST',
    path: '/sandboxes/:id/exec',
    arguments: {
      ...ONE_SANDBOX,
      command: needed(inBody('command', text('command line for /bin/sh'))),
      timeout: inBody('timeout', whole('seconds after which it is ended; 30 when left out', 1, 1800)),
    },
    answer: 'json',
  },
];

/** Changes of a sandbox that exists, and of many at once. */
export const UPDATE_TOOLS: readonly Tool[] = [
  {
    name: 'sandbox_update',
    description:
      'Change idle timeout, resources, labels or annotations of a sandbox. The answer says what takes effect at once and what at the next start.',
    effect: 'write',
    idempotent: true,
    method: 'PATCH',
    path: '/sandboxes/:id',
    arguments: {
      ...ONE_SANDBOX,
      idle_timeout: inBody('idleTimeout', text('stop it after this long without use, for instance "30m"')),
      resources: inBody('resources', {
        type: 'object',
        description: 'requests and limits, each with cpu and memory, as in a pod',
      }),
      labels: inBody('labels', textMap('labels to set')),
      annotations: inBody('annotations', textMap('annotations to set')),
    },
    answer: 'json',
  },
  {
    name: 'sandbox_clone',
    description:
      'Make a new sandbox like this one, with a copy of its files. Needs snapshots in the cluster.',
    effect: 'write',
    method: 'POST',
    path: '/sandboxes/:id/clone',
    arguments: {
      ...ONE_SANDBOX,
      name: inBody('name', text('name of the copy; made up when left out')),
      snapshot_class: inBody('snapshotClass', text('VolumeSnapshotClass to copy through')),
    },
    answer: 'json',
  },
  {
    name: 'sandbox_create_bulk',
    description:
      'Create many sandboxes, or none where the quota has no room for all. Each result says how it went.',
    effect: 'write',
    method: 'POST',
    path: '/sandboxes/bulk',
    arguments: {
      items: needed(
        inBody('items', {
          type: 'array',
          items: { type: 'object' },
          description: 'bodies of a create: {name, templateRef: {name}, namespace?, timeout?, ...}',
        }),
      ),
    },
    answer: 'json',
  },
  {
    name: 'sandbox_bulk_action',
    description: 'Stop, resume or delete many sandboxes. Each result says how it went.',
    effect: 'destroy',
    method: 'POST',
    path: '/sandboxes/bulk-action',
    arguments: {
      ids: needed(inBody('ids', texts('names of the sandboxes'))),
      action: needed(inBody('action', choice('what to do', 'stop', 'resume', 'delete'))),
      namespace: inQuery('namespace', text('namespace of all of them')),
    },
    answer: 'json',
  },
];
