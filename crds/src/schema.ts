// SPDX-License-Identifier: Apache-2.0
import {
  validateClusterGovernancePolicy,
  validateClusterSandboxTemplate,
  validateGovernancePolicy,
  validateSandbox,
  validateSandboxTemplate,
  validateSandboxWarmPool,
  validateWebhookSubscription,
  type Validator,
} from './generated/validators.js';
import { fieldPathOfPointer } from './meta/fieldPath.ts';
import type { Violation } from './meta/violation.ts';
import type { SpecKind } from './template/support.ts';

const VALIDATORS: Readonly<Record<SpecKind, Validator>> = {
  Sandbox: validateSandbox,
  SandboxTemplate: validateSandboxTemplate,
  ClusterSandboxTemplate: validateClusterSandboxTemplate,
  GovernancePolicy: validateGovernancePolicy,
  ClusterGovernancePolicy: validateClusterGovernancePolicy,
  SandboxWarmPool: validateSandboxWarmPool,
  WebhookSubscription: validateWebhookSubscription,
};

/** Whether we have a schema for the kind. */
export function isKnownKind(kind: string | undefined): kind is SpecKind {
  return kind !== undefined && Object.hasOwn(VALIDATORS, kind);
}

/** Checks an object against its CRD schema without a cluster. CEL rules are left to the API server. */
export function validateSchema(kind: SpecKind, object: unknown): Violation[] {
  const validator = VALIDATORS[kind];
  if (validator(object)) return [];
  return (validator.errors ?? []).map(({ instancePath, message = 'is invalid', params }) => {
    const path = fieldPathOfPointer(instancePath);
    const missing = params['missingProperty'];
    const field = typeof missing === 'string' ? (path === '' ? missing : `${path}.${missing}`) : path;
    const text = typeof missing === 'string' ? 'is required' : message;
    return { code: 'invalid_value', field, message: `${field} ${text}` };
  });
}
