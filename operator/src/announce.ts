// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { EventRecorder } from '@agenttier/machinery/events/recorder';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import type { EventNote, Tally } from './decision/actions.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { PerformContext } from './sandbox/context.ts';
import { recordStart } from './sandbox/trace.ts';

export interface AnnouncerOptions {
  readonly recorder: EventRecorder;
  readonly log: Logger;
  readonly tracer: Tracer;
  readonly metrics?: Pick<OperatorMetrics, 'count'> | undefined;
}

/** Tells everybody who watches of a transition that is stored: Events, figures, the trace, the log. */
export function createAnnouncer({
  recorder,
  log,
  tracer,
  metrics,
}: AnnouncerOptions): PerformContext['announce'] {
  return (sandbox: Sandbox, events: readonly EventNote[], tallies: readonly Tally[]): void => {
    const regarding = { ...sandbox, apiVersion: API_VERSION, kind: SANDBOXES.kind };
    for (const { type, reason, note } of events) recorder.record({ regarding, type, reason, note });
    for (const tally of tallies) {
      metrics?.count(tally);
      if (tally.metric === 'startup') recordStart(tracer, sandbox, tally);
    }
    const { namespace, name, uid } = sandbox.metadata;
    const { phase, reason } = sandbox.status ?? {};
    log.info({ namespace, sandbox: name, uid, phase, reason }, 'sandbox status changed');
  };
}
