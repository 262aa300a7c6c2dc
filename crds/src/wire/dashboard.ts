// SPDX-License-Identifier: Apache-2.0

/**
 * Where the dashboard keeps the API key of a tab, in sessionStorage. `kubectl agenttier dashboard` puts the key of its own
 * proxy there, which no other origin can read.
 */
export const DASHBOARD_KEY_ITEM = 'agenttier-api-key';
