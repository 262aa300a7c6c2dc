// SPDX-License-Identifier: Apache-2.0
import type { WebhookConfig } from './config.ts';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { PublicAddresses } from '@agenttier/machinery/http/publicAddress';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import { currentTrace, formatTraceparent } from '@agenttier/machinery/telemetry/tracing';
import { UseMarks } from './connect/useMarks.ts';
import { validateConnect } from './connect/validate.ts';
import type { Lookup } from './lookup.ts';
import { validatePods } from './pod/validate.ts';
import type { QuotaAdmission } from './quota/admission.ts';
import { validatePolicies } from './policy/validate.ts';
import { createEnforcers } from './sandbox/enforcement.ts';
import { createGrants } from './sandbox/grants.ts';
import { createOrigins } from './sandbox/origins.ts';
import { createRuntimeClasses } from './sandbox/runtimeClasses.ts';
import { mutateSandboxes, validateSandboxes } from './sandbox/handler.ts';
import type { Handlers } from './server.ts';
import { validateStatus } from './status/validate.ts';
import { mutateSubscriptions } from './subscription/mutate.ts';
import { validateSubscriptions } from './subscription/validate.ts';
import { mutateTemplates } from './template/mutate.ts';
import { validateTemplates } from './template/validate.ts';
import { validateWarmPools } from './warmpool/validate.ts';

export interface HandlerParts {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly now?: () => number;
  readonly quota?: QuotaAdmission;
  readonly tracer?: Tracer | undefined;
}

function runningTraceparent(): string | undefined {
  const trace = currentTrace();
  return trace === undefined ? undefined : formatTraceparent(trace);
}

export type HandlerConfig = Pick<
  WebhookConfig,
  | 'settings'
  | 'defaultTemplate'
  | 'operatorUsername'
  | 'routerUsername'
  | 'webhookUsername'
  | 'connectMode'
  | 'notifyAllowedCidrs'
  | 'namespace'
  | 'enforcement'
>;

/** Every webhook by its path; the webhook configurations of the chart name the same ones. */
export function createHandlers(
  config: HandlerConfig,
  lookup: Pick<Lookup, 'chain' | 'policy' | 'users'>,
  { client, log, now = Date.now, quota, tracer }: HandlerParts,
): Handlers {
  const { settings, defaultTemplate, operatorUsername } = config;
  const { routerUsername: router, webhookUsername: webhook } = config;
  const accounts = { operator: operatorUsername, router, webhook };
  const grants = createGrants(client);
  const traceparent = tracer?.enabled ? runningTraceparent : undefined;
  const runtimeClasses = createRuntimeClasses(client);
  const enforcers = createEnforcers({ client, ...config });
  const origins = createOrigins(client);
  const merge = { lookup, origins, settings, defaultTemplate, operatorUsername, now };
  const sandboxes = { ...merge, grants, runtimeClasses, enforcers, quota, traceparent };
  return {
    '/mutate/sandboxes': mutateSandboxes(sandboxes),
    '/validate/sandboxes': validateSandboxes(sandboxes),
    '/mutate/templates': mutateTemplates({ lookup }),
    '/validate/templates': validateTemplates({ lookup, settings }),
    '/validate/policies': validatePolicies,
    '/validate/connect': validateConnect({
      client,
      accounts,
      mode: config.connectMode,
      used: new UseMarks({ client, log }).mark,
    }),
    '/validate/pods': validatePods(operatorUsername),
    '/validate/status': validateStatus(accounts),
    '/validate/warmpools': validateWarmPools({ lookup, settings }),
    '/mutate/subscriptions': mutateSubscriptions(operatorUsername),
    '/validate/subscriptions': validateSubscriptions({
      operatorUsername,
      addresses: new PublicAddresses(config.notifyAllowedCidrs),
    }),
  };
}
