// SPDX-License-Identifier: Apache-2.0
import type { WebhookConfig } from './config.ts';
import type { Lookup } from './lookup.ts';
import { validatePolicies } from './policy/validate.ts';
import { mutateSandboxes, validateSandboxes } from './sandbox/handler.ts';
import type { Handlers } from './server.ts';
import { mutateTemplates } from './template/mutate.ts';
import { validateTemplates } from './template/validate.ts';
import { validateWarmPools } from './warmpool/validate.ts';

/** Every webhook by its path; the webhook configurations of the chart name the same ones. */
export function createHandlers(
  config: Pick<WebhookConfig, 'settings' | 'defaultTemplate' | 'operatorUsername'>,
  lookup: Pick<Lookup, 'chain' | 'policy' | 'users'>,
  now: () => number = Date.now,
): Handlers {
  const { settings, defaultTemplate, operatorUsername } = config;
  const sandboxes = { lookup, settings, defaultTemplate, operatorUsername, now };
  return {
    '/mutate/sandboxes': mutateSandboxes(sandboxes),
    '/validate/sandboxes': validateSandboxes(sandboxes),
    '/mutate/templates': mutateTemplates({ lookup }),
    '/validate/templates': validateTemplates({ lookup, settings }),
    '/validate/policies': validatePolicies,
    '/validate/warmpools': validateWarmPools,
  };
}
