// SPDX-License-Identifier: Apache-2.0

// The router reads holds, too, so what they mean lives with the API.
export { activeHold, HELD, holdOf, retryValue } from '@agenttier/crds/lifecycle/hold';
export type { Hold } from '@agenttier/crds/lifecycle/hold';
