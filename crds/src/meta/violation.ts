// SPDX-License-Identifier: Apache-2.0

/**
 * Catalogue of everything that admission can object to. The status tells a policy refusal (403 Forbidden) from an
 * object that is wrong in itself (422 Invalid).
 */
export const VIOLATIONS = {
  template_not_allowed: 403,
  template_required: 403,
  template_not_found: 422,
  template_cycle: 422,
  template_depth_exceeded: 422,
  template_in_use: 403,
  image_registry_not_approved: 403,
  agent_image_not_approved: 403,
  image_digest_required: 403,
  namespace_quota_exceeded: 403,
  user_quota_exceeded: 403,
  agent_sandbox_quota_exceeded: 403,
  total_cpu_exceeded: 403,
  total_memory_exceeded: 403,
  total_storage_exceeded: 403,
  cpu_limit_exceeded: 403,
  cpu_limit_missing: 403,
  memory_limit_exceeded: 403,
  memory_limit_missing: 403,
  storage_limit_exceeded: 403,
  storage_class_not_allowed: 403,
  timeout_exceeded: 403,
  idle_timeout_exceeded: 403,
  runtime_class_required: 403,
  runtime_class_not_found: 422,
  network_not_allowed: 403,
  service_account_not_allowed: 403,
  identity_not_allowed: 403,
  sidecars_exceeded: 403,
  exposed_ports_exceeded: 403,
  secret_not_allowed: 403,
  snapshot_not_allowed: 403,
  snapshots_unavailable: 422,
  source_not_found: 422,
  security_relaxation_not_allowed: 403,
  policy_unavailable: 403,
  owner_forged: 403,
  not_owner: 403,
  pod_reserved: 403,
  status_reserved: 403,
  agent_files_exceeded: 403,
  resolved_forged: 403,
  immutable_field: 422,
  image_required: 422,
  invalid_value: 422,
  field_not_supported: 422,
  reserved_env: 422,
} as const;

export type ViolationCode = keyof typeof VIOLATIONS;

/** One failed check. `field` is a path in Kubernetes form, `limit` and `actual` are as a person would write them. */
export interface Violation {
  readonly code: ViolationCode;
  readonly field: string;
  readonly message: string;
  readonly limit?: string | number;
  readonly actual?: string | number;
  /** Which policy bound it. */
  readonly scope?: 'cluster' | 'namespace';
}

/** HTTP status of an answer that carries these violations: Invalid only when nothing is a matter of policy. */
export function statusOf(violations: readonly Violation[]): 403 | 422 {
  return violations.some((violation) => VIOLATIONS[violation.code] === 403) ? 403 : 422;
}
