// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { EventRecorder } from '@agenttier/machinery/events/recorder';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { createAudit } from '@agenttier/machinery/telemetry/audit';
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

/** What the operator decides by itself, and what it carries out for those whom admission has audited. */
const OPERATOR = { sub: 'agenttier-operator' };

/** Tells everybody who watches of a transition that is stored: Events, figures, the trace, the log. */
export function createAnnouncer({
  recorder,
  log,
  tracer,
  metrics,
}: AnnouncerOptions): PerformContext['announce'] {
  const audit = createAudit({ log, recorder });
  return (sandbox: Sandbox, events: readonly EventNote[], tallies: readonly Tally[]): void => {
    const regarding = { ...sandbox, apiVersion: API_VERSION, kind: SANDBOXES.kind };
    const { namespace, name, uid } = sandbox.metadata;
    for (const { type, reason, note, audience } of events) {
      if (audience === 'subscribers') continue;
      const about = { resource: SANDBOXES.kind, namespace, name, uid };
      audit({ ...about, actor: OPERATOR, action: reason, outcome: 'allowed' }, { regarding, type, note });
    }
    for (const tally of tallies) {
      metrics?.count(tally);
      if (tally.metric === 'startup') recordStart(tracer, sandbox, tally);
    }
    const { phase, reason } = sandbox.status ?? {};
    log.info({ namespace, sandbox: name, uid, phase, reason }, 'sandbox status changed');
  };
}
