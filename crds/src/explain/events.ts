// SPDX-License-Identifier: Apache-2.0
import type { SandboxEvent } from './why.ts';

/** An Event of events.k8s.io/v1, and what is left in it of one that was written by the older API. */
export interface EventObject {
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string | null };
  readonly deprecatedLastTimestamp?: string | null;
}

/** Events as `whyOf` takes them; those without a time are left out. */
export function sandboxEvents(events: readonly EventObject[]): SandboxEvent[] {
  return events.flatMap(({ type = '', reason = '', note = '', ...times }) => {
    const at = Date.parse(
      times.series?.lastObservedTime ?? times.eventTime ?? times.deprecatedLastTimestamp ?? '',
    );
    return Number.isNaN(at) ? [] : [{ type, reason, note, at }];
  });
}
