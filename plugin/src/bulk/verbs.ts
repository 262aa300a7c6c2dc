// SPDX-License-Identifier: Apache-2.0
export const BULK_ACTIONS = ['stop', 'resume', 'delete'] as const;
