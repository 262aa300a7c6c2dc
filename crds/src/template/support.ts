// SPDX-License-Identifier: Apache-2.0

/** A field, or with everything below it a group of fields, that something acts on. */
export interface SupportedField {
  readonly path: string;
  /** The part that reads it. */
  readonly reader: string;
}

/** A field that nothing acts on yet, and that is therefore refused. */
export interface UnsupportedField {
  readonly path: string;
  /** What has to come before the field can be accepted, as the end of the sentence "not acted on yet: …". */
  readonly needs: string;
  /** Values that ask for nothing that would not happen anyway, and so are accepted. */
  readonly harmless?: readonly unknown[];
}

export interface FieldSupport {
  readonly supported: readonly SupportedField[];
  readonly unsupported: readonly UnsupportedField[];
}

export type SpecKind =
  | 'Sandbox'
  | 'SandboxTemplate'
  | 'ClusterSandboxTemplate'
  | 'GovernancePolicy'
  | 'ClusterGovernancePolicy'
  | 'SandboxWarmPool'
  | 'WebhookSubscription';

const POD = 'operator: pod';
const VOLUME = 'operator: volume';
const NETWORK = 'operator: network policy';
const AGENT = 'operator: agent';
const FILES = 'operator: harness';

const CONTAINER_FIELDS = [
  'name',
  'image',
  'imagePullPolicy',
  'command',
  'args',
  'workingDir',
  'env[].name',
  'env[].value',
  'env[].valueFrom.secretKeyRef',
  'envFrom',
  'resources.requests',
  'resources.limits',
  'volumeMounts',
];
/** What Kubernetes refuses for a container that runs to its end. */
const INIT_ONLY = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'];

function containerFields(list: 'sidecars' | 'initContainers'): SupportedField[] {
  const fields = list === 'sidecars' ? [...CONTAINER_FIELDS, ...INIT_ONLY] : CONTAINER_FIELDS;
  return fields.map((field) => ({ path: `${list}[].${field}`, reader: POD }));
}

/** Sources of variables that stay closed: ConfigMaps have no rule who may use them, and fields tell of the node. */
function otherSources(prefix: string): UnsupportedField[] {
  return ['configMapKeyRef', 'fieldRef'].map((source) => ({
    path: `${prefix}env[].valueFrom.${source}`,
    needs: 'variables come from values and Secrets only',
  }));
}

const AGENT_SUPPORTED: readonly SupportedField[] = [
  'entrypoint',
  'installCommand',
  'workingDir',
  'env[].name',
  'env[].value',
  'maxConcurrentInvokes',
  'defaultInvokeTimeout',
].map((field) => ({ path: `harness.agent.${field}`, reader: AGENT }));

const WORKLOAD_SUPPORTED: readonly SupportedField[] = [
  { path: 'mode', reader: 'merge' },
  { path: 'image', reader: POD },
  { path: 'resources.requests', reader: POD },
  { path: 'resources.limits', reader: POD },
  { path: 'storage.size', reader: VOLUME },
  { path: 'storage.storageClass', reader: VOLUME },
  { path: 'storage.mountPath', reader: POD },
  { path: 'storage.shared', reader: VOLUME },
  { path: 'storage.snapshotOnStop', reader: 'operator: stop snapshot' },
  { path: 'storage.keepStopSnapshots', reader: 'operator: pruning' },
  { path: 'backup.every', reader: 'operator: backup' },
  { path: 'backup.keep', reader: 'operator: pruning' },
  { path: 'storage.retainPolicy', reader: 'operator: removal' },
  { path: 'network.allowInternet', reader: NETWORK },
  { path: 'network.allowedDomains', reader: 'gateway' },
  { path: 'network.egressRules', reader: NETWORK },
  { path: 'network.ingressRules', reader: NETWORK },
  { path: 'network.allowPeerSandboxes', reader: NETWORK },
  { path: 'network.peerSandboxSelector', reader: NETWORK },
  { path: 'env[].name', reader: POD },
  { path: 'env[].value', reader: POD },
  { path: 'env[].valueFrom.secretKeyRef', reader: POD },
  { path: 'timeout', reader: 'operator: expiry' },
  { path: 'idleTimeout', reader: 'operator: expiry' },
  { path: 'runtimeClass', reader: POD },
  { path: 'serviceAccount', reader: POD },
  { path: 'identity.awsRoleArn', reader: 'operator: service account' },
  { path: 'identity.azureClientId', reader: 'operator: service account' },
  { path: 'credentials', reader: POD },
  ...containerFields('sidecars'),
  ...containerFields('initContainers'),
  { path: 'security.privileged', reader: POD },
  { path: 'harness.command', reader: POD },
  { path: 'harness.args', reader: POD },
  { path: 'harness.workingDir', reader: POD },
  { path: 'harness.shell', reader: POD },
  { path: 'harness.terminal.scrollbackBytes', reader: 'runtime: session' },
  { path: 'harness.terminal.detachedTTL', reader: 'runtime: session' },
  { path: 'harness.terminal.alternateScreen', reader: 'runtime: session' },
  { path: 'harness.hooks', reader: 'operator: hooks' },
  ...AGENT_SUPPORTED,
  { path: 'harness.tools', reader: 'operator: tools' },
  { path: 'harness.systemPrompt.content', reader: FILES },
  { path: 'harness.systemPrompt.configMapRef', reader: FILES },
  { path: 'harness.systemPrompt.secretRef', reader: FILES },
  { path: 'harness.skills[].name', reader: FILES },
  { path: 'harness.skills[].content.content', reader: FILES },
  { path: 'harness.skills[].content.configMapRef', reader: FILES },
  { path: 'harness.skills[].content.secretRef', reader: FILES },
  { path: 'harness.constraints.maxCommandTimeout', reader: 'runtime: exec' },
  { path: 'harness.constraints.maxFileSize', reader: 'runtime: limits' },
  { path: 'files', reader: FILES },
  { path: 'initScripts', reader: 'runtime: provision' },
  { path: 'runInitScripts', reader: 'runtime: provision' },
];

const WORKLOAD_UNSUPPORTED: readonly UnsupportedField[] = [
  { path: 'resources.claims', needs: 'resource claims are not handed to the pod' },
  { path: 'storage.existingClaim', needs: 'every sandbox gets a volume of its own' },
  ...otherSources(''),
  ...otherSources('sidecars[].'),
  ...otherSources('initContainers[].'),
  { path: 'sidecars[].resources.claims', needs: 'resource claims are not handed to the pod' },
  { path: 'initContainers[].resources.claims', needs: 'resource claims are not handed to the pod' },
  ...INIT_ONLY.map((field) => ({
    path: `initContainers[].${field}`,
    needs: 'init containers run to their end',
  })),
];

const HARNESS_UNSUPPORTED: readonly UnsupportedField[] = [
  ...['harness.systemPrompt.path', 'harness.skills[].content.path'].map((path) => ({
    path,
    needs: 'a file of the image is there without it; texts come from content, configMapRef and secretRef',
  })),
  ...['restrictedCommands', 'restrictedPaths'].map((list) => ({
    path: `harness.constraints.${list}`,
    needs: 'nothing can keep a program from it; say it in systemPrompt, or leave it out of the image',
  })),
  ...['allowedNetworkDests', 'deniedNetworkDests'].map((list) => ({
    path: `harness.constraints.${list}`,
    needs: 'what a sandbox can reach is set in network, where it is enforced',
  })),
  ...otherSources('harness.agent.'),
  {
    path: 'harness.agent.env[].valueFrom.secretKeyRef',
    needs: 'an invocation inherits env and credentials of the sandbox; put Secrets there',
  },
  { path: 'harness.useHTTPExec', needs: 'the runtime in the pod is always used', harmless: [true] },
];

const SANDBOX: FieldSupport = {
  supported: [
    ...WORKLOAD_SUPPORTED,
    { path: 'templateRef', reader: 'webhook: compose' },
    { path: 'templateUpdatePolicy', reader: 'webhook: resolution' },
    { path: 'desiredState', reader: 'operator: phase' },
    { path: 'warmPool', reader: 'operator: claim' },
    { path: 'gracePeriod', reader: 'operator: expiry' },
    { path: 'autoResume', reader: 'router: wake' },
    { path: 'createdBy', reader: 'router: access' },
    { path: 'cloneFrom', reader: 'operator: origin' },
    { path: 'cloneFromSnapshot', reader: 'operator: origin' },
    { path: 'resolved', reader: 'operator: gather' },
    { path: 'agentConfig', reader: AGENT },
    { path: 'ports[].port', reader: 'router: previews' },
    { path: 'ports[].protocol', reader: 'router: previews' },
    { path: 'sharing.users', reader: 'webhook: access' },
    { path: 'sharing.groups', reader: 'webhook: access' },
    { path: 'sharing.shareLinks', reader: 'router: redeem' },
  ],
  unsupported: [
    ...WORKLOAD_UNSUPPORTED,
    ...HARNESS_UNSUPPORTED,
    {
      path: 'ports[].public',
      needs: 'a preview is for whoever may enter the sandbox; share it',
      harmless: [false],
    },
  ],
};

const TEMPLATE: FieldSupport = {
  supported: [
    ...WORKLOAD_SUPPORTED,
    { path: 'inheritsFrom', reader: 'webhook: compose' },
    { path: 'description', reader: 'router: templates' },
    { path: 'allowedNamespaces.names', reader: 'webhook: compose' },
    { path: 'allowedNamespaces.selector', reader: 'webhook: compose' },
  ],
  unsupported: [
    ...WORKLOAD_UNSUPPORTED,
    ...HARNESS_UNSUPPORTED,
    { path: 'hidden', needs: 'lists show every template', harmless: [false] },
    { path: 'overrides', needs: 'sandboxes may set every field' },
    { path: 'warm', needs: 'what a sandbox must share with a prepared pod is not to be chosen' },
  ],
};

const GOVERNANCE = 'governance';
const QUOTA = 'webhook: quota ledger';
const POLICY: FieldSupport = {
  supported: [
    { path: 'description', reader: 'kubectl' },
    { path: 'maxCpu', reader: GOVERNANCE },
    { path: 'maxMemory', reader: GOVERNANCE },
    { path: 'maxStorage', reader: GOVERNANCE },
    { path: 'maxTimeout', reader: GOVERNANCE },
    { path: 'maxIdleTimeout', reader: GOVERNANCE },
    { path: 'allowedTemplates', reader: GOVERNANCE },
    { path: 'checkChain', reader: GOVERNANCE },
    { path: 'requireDigest', reader: GOVERNANCE },
    { path: 'allowRelaxedSecurity', reader: GOVERNANCE },
    { path: 'approvedRegistries', reader: GOVERNANCE },
    { path: 'allowedAgentImages', reader: GOVERNANCE },
    { path: 'maxInvokeTimeout', reader: 'merge: clamp' },
    { path: 'maxConcurrentInvokesPerSandbox', reader: 'merge: clamp' },
    { path: 'allowInternet', reader: GOVERNANCE },
    { path: 'allowedDomains', reader: GOVERNANCE },
    { path: 'allowedStorageClasses', reader: GOVERNANCE },
    { path: 'requiredRuntimeClass', reader: GOVERNANCE },
    { path: 'maxSidecars', reader: GOVERNANCE },
    { path: 'maxExposedPorts', reader: GOVERNANCE },
    { path: 'allowedSecrets', reader: 'governance: grants' },
    { path: 'allowedIdentities', reader: GOVERNANCE },
    { path: 'allowedServiceAccounts', reader: 'governance: grants' },
    { path: 'maxSandboxesPerUser', reader: QUOTA },
    { path: 'maxSandboxesTotal', reader: QUOTA },
    { path: 'maxAgentSandboxes', reader: QUOTA },
    { path: 'total.cpu', reader: QUOTA },
    { path: 'total.memory', reader: QUOTA },
    { path: 'total.storage', reader: QUOTA },
  ],
  unsupported: [],
};

const WARM = 'operator: warm pools';
const POOL: FieldSupport = {
  supported: [
    { path: 'templateRef', reader: WARM },
    { path: 'replicas', reader: WARM },
    { path: 'refill.concurrency', reader: WARM },
    { path: 'maxAge', reader: WARM },
    { path: 'volume.mode', reader: WARM },
    { path: 'volume.size', reader: WARM },
    { path: 'volume.storageClass', reader: WARM },
    { path: 'autoscale', reader: WARM },
  ],
  unsupported: [{ path: 'volume.mode', needs: 'a pod cannot get its volume later', harmless: ['PreBound'] }],
};

const NOTIFY = 'operator: notify';
const SUBSCRIPTION: FieldSupport = {
  supported: [
    { path: 'url', reader: NOTIFY },
    { path: 'eventTypes', reader: NOTIFY },
    { path: 'scope', reader: NOTIFY },
    { path: 'sandbox', reader: NOTIFY },
    { path: 'selector', reader: NOTIFY },
    { path: 'secretRef', reader: NOTIFY },
    { path: 'disabled', reader: NOTIFY },
    { path: 'createdBy', reader: NOTIFY },
  ],
  unsupported: [],
};

/**
 * Which fields of each spec something acts on and which are refused until something does: a field that is accepted
 * and does nothing would be a lie. Where entries overlap the longer path decides; one path in both lists is supported
 * for the harmless values only.
 */
export const FIELD_SUPPORT: Readonly<Record<SpecKind, FieldSupport>> = {
  Sandbox: SANDBOX,
  SandboxTemplate: TEMPLATE,
  ClusterSandboxTemplate: TEMPLATE,
  GovernancePolicy: POLICY,
  ClusterGovernancePolicy: {
    ...POLICY,
    supported: [...POLICY.supported, { path: 'delegated', reader: GOVERNANCE }],
  },
  SandboxWarmPool: POOL,
  WebhookSubscription: SUBSCRIPTION,
};
