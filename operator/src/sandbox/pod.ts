// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { sha256Hex } from '@agenttier/crds/meta/hash';
import { ANNOTATION_TOKEN_NONCE, LABEL_TEMPLATE } from '@agenttier/crds/meta/labels';
import { imageOf } from '@agenttier/crds/meta/imageReference';
import { podName, serviceAccountName, TOKEN_KEY, tokenSecretName } from '@agenttier/crds/meta/names';
import { RUNTIME_PORT } from '@agenttier/crds/sandbox/ports';
import type { Container, EnvVar, Pod, PodSpec, Probe } from '../core.ts';
import type { Enforcer } from '../egress/enforcer.ts';
import { withEnforcer } from '../egress/proxy.ts';
import {
  hasFiles,
  limitArguments,
  terminalArguments,
  outsideMounts,
  PLAN_MOUNT,
  planArguments,
  planVolumes,
  scriptsContainer,
} from '../harness/podParts.ts';
import type { Placement, Settings } from '../settings.ts';
import { environment, EPHEMERAL_REQUEST, resourcesOf } from './containerParts.ts';
import { credentialEnv, credentialMounts, credentialVolumes } from './credentials.ts';
import { mountPathOf } from './effective.ts';
import { CONTAINER_SECURITY, USER_ID } from './hardening.ts';
import { ownedMeta, partsName, withAppliedHash } from './ownership.ts';
import type { Identity } from './ownership.ts';
import { identityLabels } from './serviceAccount.ts';
import { initContainers, ownVolumes, sidecars } from './sideContainers.ts';

export const MAIN_CONTAINER = 'sandbox';
export const INIT_CONTAINER = 'agenttier-init';

const RUNTIME_DIR = '/agenttier/bin';
const RUNTIME_BINARY = `${RUNTIME_DIR}/agenttier-runtime`;
const TOKEN_DIR = '/agenttier/run';
/** Long enough for a shell to save its history; the runtime forwards TERM, so a stop seldom takes all of it. */
const GRACE_SECONDS = 10;
/** How long a stop waits for invocations that run; without any it does not wait. */
const INVOKE_GRACE_SECONDS = 20;
const TMP_SIZE = '256Mi';

export interface PodInput {
  readonly owner: Identity;
  readonly spec: EffectiveSpec;
  readonly pvcName: string;
  /** Name of the leaf template, for the label. */
  readonly template?: string | undefined;
  /** Node of the last run, if there was one. */
  readonly lastNode?: string | undefined;
  /** What the token in the Secret of the same plan was derived with. */
  readonly nonce: string;
  readonly settings: Settings;
  /** How it reaches the names that it lists. */
  readonly enforcer?: Enforcer | undefined;
  /** A slot: its runtime does nothing before a sandbox has it. */
  readonly awaitsClaim?: boolean;
}

/**
 * The hardened pod of a sandbox: clean under Pod Security "restricted", whatever the user asked for, unless a policy let
 * them relax the main container. Hardening is set here, on the last step before the API server, so no merge or policy mistake can take it away.
 */
export function buildPod(input: PodInput): Pod {
  const meta = ownedMeta(input.owner, podName(input.owner.name));
  const spec = withEnforcer(buildPodSpec(input), input.enforcer);
  return {
    metadata: {
      ...meta,
      labels: { ...meta.labels, ...templateLabel(input.template), ...identityLabels(input.spec) },
      annotations: {
        ...withAppliedHash(sha256Hex(canonicalJson(spec))),
        [ANNOTATION_TOKEN_NONCE]: input.nonce,
        ...NOT_TO_BE_MOVED,
      },
    },
    spec,
  };
}

function buildPodSpec(input: PodInput): PodSpec {
  const { owner, spec, settings } = input;
  const secrets = [spec.image?.pullSecret, ...settings.pullSecrets].filter((name) => Boolean(name));
  const main = mainContainer(input);
  const scripts = scriptsContainer(spec, main, { runtime: RUNTIME_BINARY, mountPath: mountPathOf(spec) });
  const inits = [...firstContainer(spec, settings), ...scripts, ...initContainers(spec)];
  return {
    // A new pod, on the same volume, is the operator's decision: kubelet restarts would hide failures from it.
    restartPolicy: 'Never',
    terminationGracePeriodSeconds:
      spec.mode === 'agent' ? GRACE_SECONDS + INVOKE_GRACE_SECONDS : GRACE_SECONDS,
    serviceAccountName: spec.serviceAccount || serviceAccountName(owner.name),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(settings.userNamespaces ? { hostUsers: false } : {}),
    ...(input.lastNode ? { affinity: preferring(input.lastNode) } : {}),
    securityContext: {
      // Containers that are not relaxed say the same themselves.
      ...(isRelaxed(spec) ? {} : { runAsNonRoot: true, runAsUser: USER_ID, runAsGroup: USER_ID }),
      fsGroup: USER_ID,
      // A recursive chown of a big workspace on each start would cost minutes.
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...placementOf(settings.placement),
    ...(spec.runtimeClass ? { runtimeClassName: spec.runtimeClass } : {}),
    ...(secrets.length > 0 ? { imagePullSecrets: [...new Set(secrets)].map((name) => ({ name })) } : {}),
    ...(inits.length > 0 ? { initContainers: inits } : {}),
    containers: [main, ...sidecars(spec)],
    volumes: volumes(input),
  };
}

/** The image lies there, and the volume may be near. A wish only: a node that is full or gone must not hold a start up. */
const preferring = (node: string): object => ({
  nodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 50,
        preference: { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] },
      },
    ],
  },
});

/** A cluster autoscaler that empties a node would end what somebody works in; a drain by a person still may. */
const NOT_TO_BE_MOVED = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };

function placementOf({ nodeSelector, tolerations, priorityClass }: Placement): Partial<PodSpec> {
  return {
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
    ...(priorityClass === '' ? {} : { priorityClassName: priorityClass }),
  };
}

function mainContainer(input: PodInput): Container {
  const { spec, settings } = input;
  const mountPath = mountPathOf(spec);
  const envFrom = credentialEnv(spec);
  return {
    name: MAIN_CONTAINER,
    // The very text that policies were held against.
    image: imageOf(spec.image ?? {}),
    ...(spec.image?.pullPolicy ? { imagePullPolicy: spec.image.pullPolicy } : {}),
    command: mainCommand(input),
    workingDir: spec.harness?.workingDir || mountPath,
    env: mainEnvironment(spec, mountPath),
    ...(envFrom.length > 0 ? { envFrom } : {}),
    ports: [{ name: 'runtime', containerPort: RUNTIME_PORT, protocol: 'TCP' }],
    resources: resourcesOf(spec.resources),
    securityContext: isRelaxed(spec) ? RELAXED_SECURITY : CONTAINER_SECURITY,
    volumeMounts: [
      { name: 'workspace', mountPath },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'agenttier-bin', mountPath: RUNTIME_DIR, readOnly: true },
      { name: 'agenttier-run', mountPath: TOKEN_DIR, readOnly: true },
      ...credentialMounts(spec),
      ...outsideMounts(spec),
    ],
    startupProbe: startupProbe(settings.startDeadlineMs),
    readinessProbe: READINESS,
    stdin: false,
    tty: false,
  };
}

/** The runtime is PID 1 in any image; the image's or template's own command is its child. */
function mainCommand({ spec, awaitsClaim }: PodInput): string[] {
  const { command = [], args = [], shell } = spec.harness ?? {};
  const child = [...command, ...args];
  return [
    RUNTIME_BINARY,
    'serve',
    '--workdir',
    mountPathOf(spec),
    ...(shell ? ['--shell', shell] : []),
    ...(spec.mode === 'agent' ? ['--invoke-grace', `${INVOKE_GRACE_SECONDS}s`] : []),
    ...limitArguments(spec),
    ...terminalArguments(spec),
    ...(awaitsClaim ? ['--await-adopt'] : []),
    ...(child.length > 0 ? ['--', ...child] : []),
  ];
}

/** Puts the runtime where the main container finds it, and files into the workspace; absent where neither is to do. */
function firstContainer(spec: EffectiveSpec, settings: Settings): Container[] {
  const files = hasFiles(spec);
  if (settings.imageVolume && !files) return [];
  const mountPath = mountPathOf(spec);
  const plan = files ? planArguments(mountPath) : [];
  const install = { name: 'agenttier-bin', mountPath: RUNTIME_DIR };
  const command = settings.imageVolume ? ['files', ...plan] : ['install', ...plan, RUNTIME_DIR];
  const container = {
    name: INIT_CONTAINER,
    image: settings.runtimeImage,
    imagePullPolicy: settings.runtimePullPolicy,
    command: ['/agenttier-runtime', ...command],
    resources: {
      requests: { cpu: '10m', memory: '16Mi', 'ephemeral-storage': EPHEMERAL_REQUEST },
      limits: { cpu: '1', memory: '64Mi', 'ephemeral-storage': '128Mi' },
    },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      ...(settings.imageVolume ? [] : [install]),
      ...(files ? [{ name: 'workspace', mountPath }, PLAN_MOUNT] : []),
    ],
  };
  return [container];
}

function volumes(input: PodInput): Readonly<Record<string, unknown>>[] {
  const { owner, settings } = input;
  const runtime = settings.imageVolume
    ? { image: { reference: settings.runtimeImage, pullPolicy: settings.runtimePullPolicy } }
    : { emptyDir: { sizeLimit: '64Mi' } };
  return [
    { name: 'workspace', persistentVolumeClaim: { claimName: input.pvcName } },
    { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: TMP_SIZE } },
    { name: 'agenttier-bin', ...runtime },
    {
      name: 'agenttier-run',
      secret: {
        secretName: tokenSecretName(partsName(owner)),
        items: [{ key: TOKEN_KEY, path: TOKEN_KEY }],
        defaultMode: 0o440,
      },
    },
    ...credentialVolumes(input.spec),
    ...planVolumes(owner, input.spec),
    ...ownVolumes(input.spec),
  ];
}

/**
 * What is left where a policy allows to relax the hardening: the image's own user, a writable root and the runtime's
 * default capabilities, so that package managers and sudo work. Never a privileged container.
 */
const RELAXED_SECURITY = { privileged: false, seccompProfile: { type: 'RuntimeDefault' } };

const isRelaxed = (spec: EffectiveSpec): boolean => spec.security?.privileged === true;

const HEALTH = { path: '/healthz', port: RUNTIME_PORT };

/** The least time in which a container can lose a readiness that it had. */
export const READINESS_LOSS_MS = 15_000;

const READINESS: Probe = { httpGet: HEALTH, periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 };

/**
 * The kubelet asks once a second until the runtime answers. Its patience outlasts the operator's start deadline by a
 * minute: a startup probe that gives up kills the container, and the reason shown would be the wrong one.
 */
function startupProbe(startDeadlineMs: number): Probe {
  const seconds = startDeadlineMs > 0 ? Math.ceil(startDeadlineMs / 1000) + 60 : 86_400;
  return { httpGet: HEALTH, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: seconds };
}

/** HOME is the workspace: the image's own home lies on the read-only root. The user's value wins. */
export function mainEnvironment({ env = [] }: EffectiveSpec, mountPath: string): EnvVar[] {
  const own = environment(env);
  return own.some(({ name }) => name === 'HOME') ? own : [{ name: 'HOME', value: mountPath }, ...own];
}

/** Template names may be DNS subdomains of 253 characters, label values end at 63: such a name gets no label. */
function templateLabel(template: string | undefined): Record<string, string> {
  return template && template.length <= 63 ? { [LABEL_TEMPLATE]: template } : {};
}
