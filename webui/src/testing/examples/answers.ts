// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';

/** What a server answers, by operation; what is left out is not there. */
export type Answers = { readonly [O in keyof Operations]?: Operations[O]['answer'] };

/** The moment at which all examples are looked at. */
export const NOW = Date.parse('2026-03-04T12:00:00Z');

/** So many minutes before that moment. */
export const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();
