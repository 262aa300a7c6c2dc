// SPDX-License-Identifier: Apache-2.0

/** API group of all our kinds, and the prefix of our labels and annotations. */
export const GROUP = 'agenttier.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Labels on the objects that the operator makes for a sandbox. */
export const LABEL_SANDBOX = 'agenttier.io/sandbox';
export const LABEL_SANDBOX_UID = 'agenttier.io/sandbox-uid';
export const LABEL_MANAGED = 'agenttier.io/managed';
export const LABEL_TEMPLATE = 'agenttier.io/template';
export const LABEL_COMPAT = 'agenttier.io/compat';
/** On everything of a slot, a prepared pod: the pool that made it. It stays when a sandbox has taken the slot. */
export const LABEL_SLOT = 'agenttier.io/slot';
/** On the same objects: the name of the slot's pod, which ties them together. */
export const LABEL_SLOT_NAME = 'agenttier.io/slot-name';
/** On the slot's pod: one of SLOT_STATES. Whoever moves it away from `open` decides what becomes of the slot. */
export const LABEL_SLOT_STATE = 'agenttier.io/slot-state';
/** What a Secret of ours is for: one of SECRET_PURPOSES. */
export const LABEL_SECRET_PURPOSE = 'agenttier.io/secret-purpose';
/** On the Secret of an API key: whose it is, as far as a label can hold a name. */
export const LABEL_API_KEY_USER = 'agenttier.io/api-key-user';

/** What an object of ours that has no purpose of its own kind is. */
export const LABEL_KIND = 'agenttier.io/kind';
export const INSTALL_LOG = 'install-log';

/** On a ConfigMap that holds events which have not been delivered: uid of the subscription. */
export const LABEL_OUTBOX = 'agenttier.io/outbox';

/** On a Secret or a ServiceAccount, `true`: every sandbox of its namespace may use it. */
export const LABEL_CREDENTIAL = 'agenttier.io/sandbox-credential';
export const LABEL_IDENTITY = 'agenttier.io/sandbox-identity';

export const SECRET_PURPOSES = {
  runtimeToken: 'runtime-token',
  runtimeKey: 'runtime-key',
  plan: 'plan',
  scopedApiKey: 'scoped-api-key',
  apiKey: 'api-key',
  webhookSubscription: 'webhook-subscription',
} as const;

/** On a snapshot that we made: what for, and of which sandbox's volume. */
export const LABEL_SNAPSHOT_KIND = 'agenttier.io/snapshot-kind';
export const LABEL_SOURCE_SANDBOX = 'agenttier.io/source-sandbox';
export const SNAPSHOT_KINDS = {
  stop: 'on-stop',
  scheduled: 'scheduled-backup',
  requested: 'backup',
  clone: 'clone',
} as const;
export type SnapshotKind = (typeof SNAPSHOT_KINDS)[keyof typeof SNAPSHOT_KINDS];
/** On a VolumeSnapshot, `true`: every sandbox of its namespace may start from it. */
export const LABEL_OFFERED_SNAPSHOT = 'agenttier.io/sandbox-snapshot';
/** On a snapshot that we made: who owned the sandbox, `spec.createdBy.sub`. */
export const ANNOTATION_SNAPSHOT_OWNER = 'agenttier.io/owner';
/** On a snapshot that we made: the pod whose programs were made to stand still for it. */
export const ANNOTATION_QUIESCED = 'agenttier.io/quiesced';
/** On a Sandbox: each new value asks for one backup of its volume. */
export const ANNOTATION_BACKUP = 'agenttier.io/backup';
/** On the same Sandbox: VolumeSnapshotClass of the backup asked for, where the installation's is not meant. */
export const ANNOTATION_BACKUP_CLASS = 'agenttier.io/backup-class';
/** On a Sandbox that REST made as a copy: of which sandbox, or from whose backup. */
export const LABEL_CLONED_FROM = 'agenttier.io/cloned-from';
export const LABEL_RESTORED_FROM = 'agenttier.io/restored-from';
/** On a volume or snapshot that outlived its sandbox: the name of that. */
export const LABEL_RETAINED_FROM = 'agenttier.io/retained-from';

export const SLOT_STATES = {
  /** Being prepared, or ready and free. */
  open: 'open',
  /** A sandbox has it, for good. */
  claimed: 'claimed',
  /** Nobody may take it: it is about to be deleted. */
  draining: 'draining',
} as const;

/** Labels that Kubernetes recommends for every application. */
export const LABEL_APP_NAME = 'app.kubernetes.io/name';
export const LABEL_COMPONENT = 'app.kubernetes.io/component';
export const APP_NAME = 'agenttier';
export const COMPONENT_SANDBOX = 'sandbox';
export const COMPONENT_WEBHOOK = 'webhook';
export const COMPONENT_OPERATOR = 'operator';
export const COMPONENT_ROUTER = 'router';
export const COMPONENT_GATEWAY = 'gateway';

/** Keeps a Sandbox until the operator has removed what it owns. */
export const FINALIZER = 'agenttier.io/sandbox-cleanup';

/** On a Sandbox: a new value asks for another start after Error or Stopped. */
export const ANNOTATION_RETRY = 'agenttier.io/retry';
/** On a Sandbox: `stop` or `resume`, the older way to say spec.desiredState. */
export const ANNOTATION_ACTION = 'agenttier.io/action';
/** On a Sandbox: when it was admitted, in milliseconds of the epoch; creationTimestamp has whole seconds only. */
export const ANNOTATION_ADMITTED_AT = 'agenttier.io/admitted-at';
/** On a Secret with a signing key: the subscription that it is for, as `<namespace>/<name>`. */
export const ANNOTATION_SUBSCRIPTION = 'agenttier.io/subscription';
/** On a Sandbox: where its request stands in a trace (W3C Trace Context), for whoever works on it later. */
export const ANNOTATION_TRACEPARENT = 'agenttier.io/traceparent';
/** On a template: lets it be deleted although it is in use. */
export const ANNOTATION_FORCE_DELETE = 'agenttier.io/force-delete';
/** On a template: marks the one that is used where a sandbox names none. */
export const ANNOTATION_DEFAULT_TEMPLATE = 'agenttier.io/default-template';
/** On a Service: namespaces, comma-separated, or `*`, whose sandboxes may name it in their network rules; its own always may. */
export const ANNOTATION_ALLOW_SANDBOXES = 'agenttier.io/allow-sandboxes-from';
/** On owned objects: hash of what was applied last, to notice drift without comparing defaulted fields. */
export const ANNOTATION_APPLIED_HASH = 'agenttier.io/applied-hash';

/**
 * On a sandbox's pod: what its runtime token was derived with, beside the uid. Another value is another token. The token
 * Secret carries it, too; the pod's counts.
 */
export const ANNOTATION_TOKEN_NONCE = 'agenttier.io/token-nonce';

/** On a slot's pod: hash of all that it was built from, to tell whether a sandbox would get the very same pod. */
export const ANNOTATION_SLOT_SHAPE = 'agenttier.io/slot-shape';

/** Field managers of server-side apply. */
export const FIELD_MANAGER_OPERATOR = 'agenttier-operator';
export const FIELD_MANAGER_ROUTER = 'agenttier-router';
export const FIELD_MANAGER_WEBHOOK = 'agenttier-webhook';

/** How the router names people to the API server when it impersonates them. */
export const USER_PREFIX = 'agenttier:';
export const GROUP_USERS = 'agenttier:users';
export const GROUP_ADMINS = 'agenttier:admins';
export const EXTRA_EMAIL = 'agenttier.io/email';

/** Labels of an object owned by the sandbox. */
export function ownedLabels(sandbox: string, uid: string): Record<string, string> {
  return {
    [LABEL_SANDBOX]: sandbox,
    [LABEL_SANDBOX_UID]: uid,
    [LABEL_MANAGED]: 'true',
    [LABEL_COMPONENT]: COMPONENT_SANDBOX,
  };
}
