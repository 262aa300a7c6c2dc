// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { EventType } from '@agenttier/crds/subscription/eventTypes';
import type { News } from '@agenttier/crds/subscription/notices';
import type { OpenSpan, Tracer } from '@agenttier/machinery/telemetry/spans';
import { actorHash } from '@agenttier/machinery/telemetry/audit';
import type { SandboxAct, SandboxAudit } from '../../../audit.ts';
import type { Call } from '../../route.ts';
import { templateName } from '../../sandboxes/view.ts';
import type { AgentMetrics, InvokeOutcome } from '../metrics.ts';
import type { Passed } from './relay.ts';

export interface RecordOptions {
  readonly metrics: AgentMetrics;
  readonly audit: SandboxAudit;
  readonly tracer: Tracer;
  /** The sandbox is being used. */
  readonly touch: (sandbox: Sandbox) => void;
  /** For those who have subscribed. */
  readonly tell: (sandbox: Sandbox, news: News) => void;
}

interface Subject {
  readonly sandbox: Sandbox;
  readonly call: Pick<Call, 'principal' | 'sourceIp' | 'signal'>;
  /** The invocation goes on when this connection ends: its end is then for somebody else to tell. */
  readonly outlives: boolean;
}

interface Saying {
  /** Empty when it never began. */
  readonly invokeId: string;
  readonly reason: string;
  readonly note: string;
}

/** Keeps what is told about one invocation: Events, metrics, audit rows and a span from its start to its end. */
export class InvocationRecord {
  readonly #options: RecordOptions;
  readonly #subject: Subject;
  readonly #span: OpenSpan;
  readonly #began = performance.now();

  constructor(options: RecordOptions, subject: Subject) {
    const { sandbox, call } = subject;
    this.#options = options;
    this.#subject = subject;
    this.#span = options.tracer.begin('agenttier.invoke', {
      attributes: {
        sandbox: `${sandbox.metadata.namespace}/${sandbox.metadata.name}`,
        template: templateName(sandbox),
        actor_hash: actorHash(call.principal.sub),
      },
    });
    options.touch(sandbox);
  }

  started(invokeId: string): void {
    this.#span.set({ invoke_id: invokeId });
    const note = `Invocation ${invokeId} was started`;
    this.#act({ action: 'AgentInvokeStarted', note });
    this.#tell('agent.invoke.started', { invokeId, reason: 'AgentInvokeStarted', note });
  }

  /** It did not begin. Clients that wait for a slot try often: that is counted, and no Event each time. */
  refused(outcome: InvokeOutcome, why: unknown): void {
    this.#span.fail(why);
    this.#finish(outcome);
  }

  ended({ invokeId = '', bytes, exit }: Passed): void {
    const { sandbox, call, outlives } = this.#subject;
    this.#options.touch(sandbox);
    this.#span.set({ bytes_stdout: bytes.stdout, bytes_stderr: bytes.stderr });
    if (exit === undefined && outlives) return this.#span.end();
    // Without an end of its own it was the client who went away, or else the sandbox.
    const outcome = exit?.reason ?? (call.signal.aborted ? 'canceled' : 'error');
    const act = endOf(invokeId, exit?.exitCode ?? -1, outcome);
    this.#act(act);
    const { action: reason, note } = act;
    const type = reason === 'AgentInvokeFailed' ? 'agent.invoke.failed' : 'agent.invoke.completed';
    this.#tell(type, { invokeId, reason, note });
    this.#finish(outcome);
  }

  #finish(outcome: InvokeOutcome): void {
    const seconds = (performance.now() - this.#began) / 1000;
    this.#options.metrics.invoked(templateName(this.#subject.sandbox), outcome, seconds);
    this.#span.set({ outcome });
    this.#span.end();
  }

  /** The key follows from the invocation: whoever sees its end, it has one. */
  #tell(type: EventType, { invokeId, reason, note: message }: Saying): void {
    if (invokeId === '') return;
    const key = `${invokeId}-${type === 'agent.invoke.started' ? 'started' : 'ended'}`;
    this.#options.tell(this.#subject.sandbox, { type, reason, message, key });
  }

  #act(act: Omit<SandboxAct, 'principal' | 'sourceIp'>): void {
    const { sandbox, call } = this.#subject;
    this.#options.audit(sandbox, { ...act, principal: call.principal, sourceIp: call.sourceIp });
  }
}

/** A cancelled invocation did what was asked of it; one with an exit code failed by its own account. */
function endOf(
  invokeId: string,
  exitCode: number,
  outcome: InvokeOutcome,
): Omit<SandboxAct, 'principal' | 'sourceIp'> {
  if (outcome === 'canceled') {
    return { action: 'AgentInvokeCompleted', note: `Invocation ${invokeId} was cancelled`, reason: outcome };
  }
  if (outcome === 'completed' && exitCode === 0) {
    return { action: 'AgentInvokeCompleted', note: `Invocation ${invokeId} ended well` };
  }
  const how = outcome === 'completed' ? `exit code ${exitCode}` : outcome;
  const note = `Invocation ${invokeId} failed: ${how}`;
  return { action: 'AgentInvokeFailed', type: 'Warning', outcome: 'failed', reason: outcome, note };
}
