// SPDX-License-Identifier: Apache-2.0
import type { ViolationCode } from './violation.ts';

export interface ViolationText {
  /** When admission says so. */
  readonly cause: string;
  /** What helps. */
  readonly remedy: string;
}

/** Of the violation catalogue what people read: the reference page is printed from it. */
export const VIOLATION_TEXTS: Readonly<Record<ViolationCode, ViolationText>> = {
  template_not_allowed: {
    cause:
      'The template, or with `checkChain` one of its parents, is not on the list of a policy, or its `allowedNamespaces` leaves out the namespace of the sandbox.',
    remedy:
      'Use a template that the message lists, or ask for an entry in `allowedTemplates` or in the `allowedNamespaces` of the template.',
  },
  template_required: {
    cause: 'A policy lists the allowed templates and the sandbox names none.',
    remedy: 'Set `spec.templateRef.name` to one of the templates that the message lists.',
  },
  template_not_found: {
    cause:
      'No template of that name is in the namespace of the sandbox or in the cluster, or a parent of the template is missing.',
    remedy:
      'Correct the name (the message offers names near it), create the template, or set `kind` where both kinds have one of that name.',
  },
  template_cycle: {
    cause: 'A template inherits from itself, directly or through its parents.',
    remedy: 'Take `inheritsFrom` out of one of the templates that the message lists in order.',
  },
  template_depth_exceeded: {
    cause: 'The chain of parents has more than ten templates.',
    remedy: 'Merge some of the templates into one.',
  },
  template_in_use: {
    cause: 'A template is deleted that a sandbox was made from, or that another template inherits from.',
    remedy:
      'Delete those first. With the annotation `agenttier.io/force-delete: "true"` the template goes all the same: its sandboxes keep the copy that they were merged from, templates below it can no longer be used.',
  },
  image_registry_not_approved: {
    cause:
      'An image of the pod is not under an entry of `approvedRegistries`. Entries are compared by whole path segments.',
    remedy: 'Use an image from an approved registry, or have the registry or repository approved.',
  },
  agent_image_not_approved: {
    cause: 'The image of an agent sandbox is not on the list `allowedAgentImages`.',
    remedy: 'Use a listed image, or have this one listed.',
  },
  image_digest_required: {
    cause:
      'A policy sets `requireDigest` and an image is named by tag, by nothing, or by a digest that is not complete.',
    remedy: 'Write `name@sha256:` and all 64 digits of the digest.',
  },
  namespace_quota_exceeded: {
    cause:
      'The namespace, or the cluster, has as many sandboxes as `maxSandboxesTotal` allows. Stopped and failed ones count.',
    remedy: 'Delete a sandbox that is not needed, or have the limit raised.',
  },
  user_quota_exceeded: {
    cause: 'The owner has as many sandboxes as `maxSandboxesPerUser` allows.',
    remedy: 'Delete one of your own sandboxes, or have the limit raised.',
  },
  agent_sandbox_quota_exceeded: {
    cause: 'There are as many agent sandboxes as `maxAgentSandboxes` allows.',
    remedy: 'Delete an agent sandbox, or have the limit raised.',
  },
  total_cpu_exceeded: {
    cause: 'All running sandboxes in reach of the policy together would have more CPU than `total.cpu`.',
    remedy: 'Stop a sandbox, lower the CPU limit of this one, or have the total raised.',
  },
  total_memory_exceeded: {
    cause:
      'All running sandboxes in reach of the policy together would have more memory than `total.memory`.',
    remedy: 'Stop a sandbox, lower the memory limit of this one, or have the total raised.',
  },
  total_storage_exceeded: {
    cause:
      'All volumes in reach of the policy together would be larger than `total.storage`. Stopped sandboxes keep theirs.',
    remedy: 'Delete a sandbox, ask for a smaller volume, or have the total raised.',
  },
  cpu_limit_exceeded: {
    cause: 'The CPU limits of all containers of the sandbox add up to more than `maxCpu`.',
    remedy: 'Lower `spec.resources.limits.cpu`, or that of a sidecar.',
  },
  cpu_limit_missing: {
    cause: 'A policy sets `maxCpu` and a container has no CPU limit.',
    remedy: 'Set the limit in the field that the message names.',
  },
  memory_limit_exceeded: {
    cause: 'The memory limits of all containers of the sandbox add up to more than `maxMemory`.',
    remedy: 'Lower `spec.resources.limits.memory`, or that of a sidecar.',
  },
  memory_limit_missing: {
    cause: 'A policy sets `maxMemory` and a container has no memory limit.',
    remedy: 'Set the limit in the field that the message names.',
  },
  storage_limit_exceeded: {
    cause: 'The volume is larger than `maxStorage`.',
    remedy:
      'Ask for a smaller volume. One that exists cannot shrink: create a smaller sandbox and move the data.',
  },
  storage_class_not_allowed: {
    cause: 'The storage class is not on the list `allowedStorageClasses`, or the sandbox names none.',
    remedy: 'Set `spec.storage.storageClass` to a listed class.',
  },
  timeout_exceeded: {
    cause:
      'The sandbox or a template asks for a longer run time than `maxTimeout`. A time left open is set to the maximum instead.',
    remedy: 'Lower `spec.timeout`, or leave it out.',
  },
  idle_timeout_exceeded: {
    cause:
      'The sandbox or a template asks for a longer idle time than `maxIdleTimeout`. A time left open is set to the maximum instead.',
    remedy: 'Lower `spec.idleTimeout`, or leave it out.',
  },
  runtime_class_not_found: {
    cause: 'The cluster has no RuntimeClass of the name in `spec.runtimeClass`.',
    remedy:
      'Name one that `kubectl get runtimeclasses` lists, or have an administrator add it (chart value `gvisor.enabled`).',
  },
  runtime_class_required: {
    cause: 'A policy requires another RuntimeClass than the sandbox has.',
    remedy: 'Set `spec.runtimeClass` to the class that the message names.',
  },
  network_not_allowed: {
    cause:
      'A policy sets `allowInternet: false`, and the sandbox opens the internet, a range of public addresses or a domain; or it lists a domain that `allowedDomains` of a policy does not cover.',
    remedy:
      'Leave `spec.network.allowInternet` at false, keep egress rules to private ranges, and list only domains that the policy covers.',
  },
  identity_not_allowed: {
    cause:
      'The sandbox asks for a role at a cloud that no policy of the cluster lists, or that a namespace leaves out.',
    remedy:
      'Leave `spec.identity` out, or have the value listed in `allowedIdentities` of the policy of the cluster.',
  },
  service_account_not_allowed: {
    cause: 'The ServiceAccount is not meant for sandboxes.',
    remedy:
      'Leave `spec.serviceAccount` out: every sandbox gets an account of its own, without rights. Otherwise label the account `agenttier.io/sandbox-identity=true` or list it in `allowedServiceAccounts`.',
  },
  sidecars_exceeded: {
    cause: 'More containers would run beside the main one than a policy allows.',
    remedy: 'Take sidecars out, also those that a template brings.',
  },
  exposed_ports_exceeded: {
    cause: 'The sandbox offers more ports outside than a policy allows.',
    remedy: 'Take ports that nobody needs any more out of `spec.ports`.',
  },
  secret_not_allowed: {
    cause:
      'The Secret is not meant for sandboxes, belongs to AgentTier itself, or may not be read by who creates the sandbox.',
    remedy:
      'Label the Secret `agenttier.io/sandbox-credential=true`, list it in `allowedSecrets` of the policy, or have somebody create the sandbox who may read it.',
  },
  snapshot_not_allowed: {
    cause: 'The snapshot to start from does not exist or may not be used.',
    remedy: 'Name a snapshot of a sandbox of your own.',
  },
  snapshots_unavailable: {
    cause: 'The sandbox is to start from another volume, and the cluster cannot take snapshots.',
    remedy: 'Have the CSI snapshot controller and its kinds installed, or start empty.',
  },
  source_not_found: {
    cause: 'The sandbox to copy does not exist in the namespace, or the person may not see it.',
    remedy: 'Name a sandbox of your own, or have it shared with you as a collaborator.',
  },
  security_relaxation_not_allowed: {
    cause: 'The sandbox asks for `security.privileged` and no policy sets `allowRelaxedSecurity` here.',
    remedy: 'Leave it out, or have the policy of the cluster allow it.',
  },
  policy_unavailable: {
    cause: 'The policies cannot be read, so nobody can tell what is allowed, and nothing is.',
    remedy:
      'Try again. When it stays, look at the log of the webhook: its right to read policies, or a limit in one that is no amount.',
  },
  owner_forged: {
    cause: 'The request writes an owner other than who sends it.',
    remedy: 'Take `spec.createdBy` out of the manifest.',
  },
  not_owner: {
    cause: 'Somebody changes, shares, deletes or enters a sandbox that is not theirs.',
    remedy: 'Ask the owner to do it or to share the sandbox, or an administrator.',
  },
  pod_reserved: {
    cause:
      'Somebody but the operator makes a pod with the label of a sandbox, or changes what such a pod runs.',
    remedy: 'Create or edit the Sandbox; take labels that begin with `agenttier.io/` off pods of your own.',
  },
  status_reserved: {
    cause: 'Somebody but AgentTier writes the status of a sandbox.',
    remedy: 'Change `spec` to ask for something, for instance `spec.desiredState`.',
  },
  agent_files_exceeded: {
    cause: 'A file of `spec.agentConfig.files` is larger than 32 MiB, or all of them together than 128 MiB.',
    remedy: 'Leave large files out and fetch them in the install command.',
  },
  resolved_forged: {
    cause: '`spec.resolved` is not what templates, policy and sandbox come to. Only admission writes it.',
    remedy:
      'Take `spec.resolved` out of the manifest. When a template changed in the same moment, try again.',
  },
  immutable_field: {
    cause: 'The field is fixed when the sandbox is created, or a volume would have to shrink.',
    remedy: 'Leave the field as it is, or delete the sandbox and create it anew.',
  },
  image_required: {
    cause: 'Neither the sandbox nor one of its templates names an image.',
    remedy: 'Set `spec.image.repository`, or name a template that does.',
  },
  invalid_value: {
    cause: 'The value is wrong in itself; the message says what is expected.',
    remedy: 'Correct the field that the message names.',
  },
  field_not_supported: {
    cause:
      'Nothing acts on the field yet. It is refused, since accepting it would promise what does not happen.',
    remedy: 'Leave the field out.',
  },
  reserved_env: {
    cause: 'The name of an environment variable begins with `AGENTTIER_`, which belongs to the platform.',
    remedy: 'Give the variable another name.',
  },
};
