// SPDX-License-Identifier: Apache-2.0

/** What can be granted to a key of one sandbox. Deleting it never can. */
export const ACTION_GROUPS: readonly string[] = [
  'run-command',
  'terminal',
  'files:read',
  'files:write',
  'ports',
  'agent:configure',
  'agent:invoke',
  'resume',
  'stop',
];
