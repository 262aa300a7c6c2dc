// SPDX-License-Identifier: Apache-2.0

/**
 * How a layer's value at a path joins that of the layer below.
 * - replace: the layer's value wins whole.
 * - perKey: a map; each key is won by the last layer that has it, `{}` forgets what lies below.
 * - byKey: a list of objects; each item is won by the last layer that has its key, order as first seen, `[]` forgets
 *   what lies below.
 * - append: a list; items are added at the end, `[]` forgets what lies below.
 * A text or list that is explicitly empty unsets a replaced field, and the installation's default applies again.
 */
export type MergeStrategy = 'replace' | 'perKey' | 'byKey' | 'append';

export interface MergeRule {
  /** Path of the field below spec. */
  readonly path: string;
  readonly strategy: MergeStrategy;
  /** For byKey: the fields that make two items the same. */
  readonly keys?: readonly string[];
  /** Fields whose value from below is dropped when a layer sets this one and not them. */
  readonly clears?: readonly string[];
  /** What is not obvious about it, for the documentation. */
  readonly note?: string;
}

/**
 * The merge of templates and sandbox, field by field. This table is all there is: the code walks it and the
 * documentation prints it. A path that is absent from a layer inherits; an object that is present but empty sets
 * nothing, since its fields are absent.
 */
export const MERGE_RULES: readonly MergeRule[] = [
  { path: 'mode', strategy: 'replace' },
  {
    path: 'image.repository',
    strategy: 'replace',
    clears: ['image.tag'],
    note: 'A tag belongs to its repository: a layer that sets only the repository drops the tag below.',
  },
  { path: 'image.tag', strategy: 'replace' },
  { path: 'image.pullPolicy', strategy: 'replace' },
  {
    path: 'image.pullSecret',
    strategy: 'replace',
    note: 'Dropped, with a warning, when a later layer moves the image to another registry.',
  },
  { path: 'resources.requests', strategy: 'perKey' },
  { path: 'resources.limits', strategy: 'perKey' },
  { path: 'resources.claims', strategy: 'byKey', keys: ['name'] },
  { path: 'storage.size', strategy: 'replace' },
  { path: 'storage.storageClass', strategy: 'replace' },
  { path: 'storage.mountPath', strategy: 'replace' },
  { path: 'storage.snapshotOnStop', strategy: 'replace' },
  { path: 'storage.keepStopSnapshots', strategy: 'replace' },
  { path: 'storage.retainPolicy', strategy: 'replace' },
  { path: 'storage.shared', strategy: 'replace' },
  { path: 'storage.existingClaim', strategy: 'replace' },
  { path: 'network.allowInternet', strategy: 'replace' },
  {
    path: 'network.egressRules',
    strategy: 'replace',
    note: 'The list as a whole: a rule cannot be told by a key.',
  },
  { path: 'network.ingressRules', strategy: 'replace', note: 'The list as a whole.' },
  { path: 'network.allowedDomains', strategy: 'replace', note: 'The list as a whole.' },
  { path: 'network.allowPeerSandboxes', strategy: 'replace' },
  {
    path: 'network.peerSandboxSelector',
    strategy: 'replace',
    note: 'The selector as a whole; {} selects every peer.',
  },
  {
    path: 'env',
    strategy: 'byKey',
    keys: ['name'],
    note: 'A later layer replaces value and source of a variable.',
  },
  { path: 'backup.every', strategy: 'replace', note: '"0" asks for none; absent inherits.' },
  { path: 'backup.keep', strategy: 'replace' },
  { path: 'timeout', strategy: 'replace', note: '"0" asks for no limit; absent inherits.' },
  { path: 'idleTimeout', strategy: 'replace', note: '"0" asks for no limit; absent inherits.' },
  { path: 'runtimeClass', strategy: 'replace' },
  { path: 'serviceAccount', strategy: 'replace' },
  { path: 'identity.awsRoleArn', strategy: 'replace' },
  { path: 'identity.azureClientId', strategy: 'replace' },
  { path: 'security.privileged', strategy: 'replace' },
  { path: 'credentials', strategy: 'byKey', keys: ['secretName', 'mountAs', 'mountPath'] },
  {
    path: 'sidecars',
    strategy: 'byKey',
    keys: ['name'],
    note: 'A later layer replaces the whole container.',
  },
  {
    path: 'initContainers',
    strategy: 'byKey',
    keys: ['name'],
    note: 'A later layer replaces the whole container.',
  },
  {
    path: 'harness.command',
    strategy: 'replace',
    clears: ['harness.args'],
    note: 'command and args are one program: setting either replaces both.',
  },
  { path: 'harness.args', strategy: 'replace', clears: ['harness.command'] },
  { path: 'harness.workingDir', strategy: 'replace' },
  { path: 'harness.shell', strategy: 'replace' },
  { path: 'harness.terminal.scrollbackBytes', strategy: 'replace' },
  { path: 'harness.terminal.detachedTTL', strategy: 'replace' },
  { path: 'harness.terminal.alternateScreen', strategy: 'replace' },
  { path: 'harness.tools', strategy: 'byKey', keys: ['name'] },
  { path: 'harness.skills', strategy: 'byKey', keys: ['name'] },
  { path: 'harness.systemPrompt', strategy: 'replace' },
  { path: 'harness.hooks.onStart', strategy: 'replace' },
  { path: 'harness.hooks.onStop', strategy: 'replace' },
  { path: 'harness.hooks.onIdle', strategy: 'replace' },
  { path: 'harness.hooks.onResume', strategy: 'replace' },
  { path: 'harness.constraints.maxFileSize', strategy: 'replace' },
  { path: 'harness.constraints.maxCommandTimeout', strategy: 'replace' },
  { path: 'harness.constraints.restrictedCommands', strategy: 'append' },
  { path: 'harness.constraints.restrictedPaths', strategy: 'append' },
  { path: 'harness.constraints.allowedNetworkDests', strategy: 'append' },
  { path: 'harness.constraints.deniedNetworkDests', strategy: 'append' },
  { path: 'harness.agent.entrypoint', strategy: 'replace' },
  { path: 'harness.agent.installCommand', strategy: 'replace' },
  { path: 'harness.agent.workingDir', strategy: 'replace' },
  { path: 'harness.agent.env', strategy: 'byKey', keys: ['name'] },
  { path: 'harness.agent.maxConcurrentInvokes', strategy: 'replace' },
  { path: 'harness.agent.defaultInvokeTimeout', strategy: 'replace' },
  { path: 'harness.useHTTPExec', strategy: 'replace' },
  { path: 'files', strategy: 'byKey', keys: ['path'] },
  { path: 'initScripts', strategy: 'append', note: 'Those of the parent run first.' },
  { path: 'runInitScripts', strategy: 'replace' },
];

/** Fields of a template that are about the template itself and take no part in the merge. */
export const TEMPLATE_ONLY_FIELDS = [
  'inheritsFrom',
  'description',
  'allowedNamespaces',
  'hidden',
  'overrides',
  'warm',
] as const;

/** Fields of a sandbox that are about the sandbox itself and take no part in the merge. */
export const SANDBOX_ONLY_FIELDS = [
  'templateRef',
  'desiredState',
  'templateUpdatePolicy',
  'warmPool',
  'ports',
  'agentConfig',
  'gracePeriod',
  'autoResume',
  'createdBy',
  'sharing',
  'cloneFrom',
  'cloneFromSnapshot',
  'resolved',
] as const;
