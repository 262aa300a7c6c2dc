// SPDX-License-Identifier: Apache-2.0
import type { ConfigureError, ConfigureResult } from '@agenttier/crds/wire/agent';
import { actorHash } from '@agenttier/machinery/telemetry/audit';
import type { OpenSpan } from '@agenttier/machinery/telemetry/spans';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { OutEvent } from '../../../sse/eventStream.ts';
import { HttpError } from '../../errors.ts';
import type { Call } from '../../route.ts';
import { templateName } from '../../sandboxes/view.ts';
import type { RecordOptions } from '../invoke/record.ts';
import type { ConfigureOutcome } from '../metrics.ts';

/** Keeps what is told about one configuration: Events, metrics, audit rows and a span until its end. */
export class ConfigureRecord {
  readonly #options: RecordOptions;
  readonly #sandbox: Sandbox;
  readonly #call: Pick<Call, 'principal' | 'sourceIp'>;
  readonly #span: OpenSpan;
  readonly #began = performance.now();

  constructor(options: RecordOptions, sandbox: Sandbox, call: Pick<Call, 'principal' | 'sourceIp'>) {
    this.#options = options;
    this.#sandbox = sandbox;
    this.#call = call;
    this.#span = options.tracer.begin('agenttier.configure', {
      attributes: {
        sandbox: `${sandbox.metadata.namespace}/${sandbox.metadata.name}`,
        template: templateName(sandbox),
        actor_hash: actorHash(call.principal.sub),
      },
    });
    options.touch(sandbox);
  }

  started(): void {
    const { principal, sourceIp } = this.#call;
    const note = 'The agent is being configured';
    this.#options.audit(this.#sandbox, { action: 'AgentConfigureStarted', principal, sourceIp, note });
  }

  refused(error: unknown): void {
    this.#span.fail(error);
    const isDenied = error instanceof HttpError && error.body.error === 'policy_violation';
    if (isDenied) this.#denied(error);
    this.#finish(isDenied ? 'policy_denied' : outcomeOf(error));
  }

  /** The same events; with the last of them it is known how it ended. */
  async *watch(events: AsyncIterable<OutEvent>): AsyncGenerator<OutEvent> {
    let outcome: ConfigureOutcome = 'canceled';
    try {
      for await (const one of events) {
        if (one.event === 'error') outcome = FAILURES[(one.data as ConfigureError).phase];
        if (one.event === 'result') outcome = this.#result(one.data as ConfigureResult);
        yield one;
      }
    } finally {
      this.#finish(outcome);
    }
  }

  #result({ installCommandHash, installExitCode, skipped }: ConfigureResult): ConfigureOutcome {
    this.#span.set({
      install_command_hash: installCommandHash,
      install_exit_code: installExitCode,
      skipped,
    });
    return installExitCode === 0 ? 'ok' : 'install_nonzero';
  }

  #denied({ body }: HttpError): void {
    const { principal, sourceIp } = this.#call;
    const codes = (body.violations ?? []).map(({ code }) => code).join(', ');
    this.#options.audit(this.#sandbox, {
      action: 'ConfigureDenied',
      type: 'Warning',
      outcome: 'denied',
      reason: codes,
      principal,
      sourceIp,
      note: `The agent was not configured: ${body.message ?? codes}`,
    });
  }

  #finish(outcome: ConfigureOutcome): void {
    const seconds = (performance.now() - this.#began) / 1000;
    this.#options.metrics.configured(templateName(this.#sandbox), outcome, seconds);
    this.#options.touch(this.#sandbox);
    this.#span.set({ outcome });
    this.#span.end();
  }
}

const FAILURES = { files: 'files_failed', install: 'install_failed' } as const;

function outcomeOf(error: unknown): ConfigureOutcome {
  const isTheirs = error instanceof HttpError && error.status < 500;
  return isTheirs ? 'bad_request' : 'install_failed';
}
