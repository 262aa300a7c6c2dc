// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { valueOf } from './replicas.ts';

const METRICS = `# HELP sessions Terminals.
# TYPE sessions gauge
sessions{role="control"} 3
sessions{role="view"} 2
sessions_total 99
resident 1.5e+08
# TYPE never_set gauge
`;

it('sums a figure over its labels and mistakes no longer name for it', () => {
  expect(valueOf(METRICS, 'sessions')).toBe(5);
  expect(valueOf(METRICS, 'resident')).toBe(150_000_000);
});

it('tells a figure that is missing from one that never had a value', () => {
  expect(valueOf(METRICS, 'nothing')).toBeUndefined();
  expect(valueOf(METRICS, 'never_set')).toBe(0);
});
