// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { sha256Hex } from '@agenttier/crds/meta/hash';
import {
  ANNOTATION_SLOT_SHAPE,
  ANNOTATION_TOKEN_NONCE,
  COMPONENT_SANDBOX,
  LABEL_COMPAT,
  LABEL_COMPONENT,
  LABEL_MANAGED,
  LABEL_SANDBOX,
  LABEL_SANDBOX_UID,
  LABEL_SECRET_PURPOSE,
  LABEL_SLOT,
  LABEL_SLOT_NAME,
  LABEL_SLOT_STATE,
  SECRET_PURPOSES,
  SLOT_STATES,
} from '@agenttier/crds/meta/labels';
import { poolAccountName, pvcName, slotTokenSubject, TOKEN_KEY } from '@agenttier/crds/meta/names';
import { compatHash } from '@agenttier/crds/template/merge';
import type { ObjectMeta } from '@agenttier/machinery/kube/resource';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import type { NetworkPolicy, PersistentVolumeClaim, Pod, Secret, ServiceAccount } from '../core.ts';
import { buildNetworkPolicy } from '../sandbox/networkPolicy.ts';
import type { Identity } from '../sandbox/ownership.ts';
import { buildPod } from '../sandbox/pod.ts';
import { buildTokenSecret } from '../sandbox/tokenSecret.ts';
import { buildClaim } from '../volume/claim.ts';
import type { Settings } from '../settings.ts';

/** What a slot must be to take the place of a sandbox's own pod. */
export interface Fit {
  /** As in `spec.resolved.compat`. */
  readonly compat: string;
  /** Hash of everything that the builders make from the specification, here and now. */
  readonly shape: string;
}

export interface SlotInput {
  readonly namespace: string;
  readonly pool: string;
  readonly name: string;
  readonly spec: EffectiveSpec;
  readonly template?: string | undefined;
  readonly nonce: string;
  readonly fit: Fit;
  readonly settings: Settings;
}

export interface SlotObjects {
  readonly pod: Pod;
  readonly pvc: PersistentVolumeClaim;
  readonly networkPolicy: NetworkPolicy;
  readonly tokenSecret: Secret;
}

/** Label values end at 63 characters; this much of the hash keeps pools apart. */
const COMPAT_CHARACTERS = 40;

export const compatLabel = ({ compat }: Fit): string => compat.slice(0, COMPAT_CHARACTERS);

/**
 * Variables with plain values come with the sandbox, so that no value of a template stays behind in a pod whose sandbox
 * has none. Where scripts ran in the pod they had the variables, which then are part of what the sandbox must equal.
 */
function slotSpec(spec: EffectiveSpec): EffectiveSpec {
  if ((spec.initScripts ?? []).length > 0 || spec.env === undefined) return spec;
  return { ...spec, env: spec.env.filter(({ valueFrom }) => valueFrom !== undefined) };
}

const PLACEHOLDER: Identity = { namespace: '', name: 'slot', uid: 'slot' };

/**
 * What a slot for this specification would be. The compatibility hash says what the API promises; the shape is what the
 * builders really make, so that nothing that a later version puts into a pod can be missing from a claimed one.
 */
export function fitOf(spec: EffectiveSpec, settings: Settings): Fit {
  const made = slotSpec(spec);
  const common = { owner: PLACEHOLDER, spec: made, settings };
  const pod = buildPod({ ...common, pvcName: 'slot', nonce: '', awaitsClaim: true });
  const pvc = buildClaim(PLACEHOLDER, 'slot', made);
  const network = buildNetworkPolicy(PLACEHOLDER, made, settings);
  const shape = sha256Hex(canonicalJson({ pod, pvc: pvc.spec, network: network.spec }));
  return { compat: compatHash(spec), shape };
}

/** Every object of one slot, hardened by the same builders as those of a cold start. Nothing owns them but their label. */
export function buildSlot(input: SlotInput): SlotObjects {
  const { namespace, pool, name, settings, nonce, fit } = input;
  const spec = slotSpec(input.spec);
  const owner: Identity = { namespace, name, uid: '' };
  const template = input.template;
  const pod = buildPod({ owner, spec, pvcName: pvcName(name), template, nonce, settings, awaitsClaim: true });
  const pvc = buildClaim(owner, pvcName(name), spec);
  const secret = buildTokenSecret(owner, nonce, settings.tokenKey);
  const labels = slotLabels(pool, name);
  const podLabels = {
    ...pod.metadata.labels,
    ...labels,
    [LABEL_COMPAT]: compatLabel(fit),
    [LABEL_SLOT_STATE]: SLOT_STATES.open,
  };
  const annotations = {
    ...pod.metadata.annotations,
    [ANNOTATION_TOKEN_NONCE]: nonce,
    [ANNOTATION_SLOT_SHAPE]: fit.shape,
  };
  const serviceAccountName = spec.serviceAccount || poolAccountName(pool);
  return {
    pod: {
      ...pod,
      metadata: { ...bare({ name, namespace }, podLabels), annotations },
      spec: { ...pod.spec, serviceAccountName },
    },
    pvc: { ...pvc, metadata: bare(pvc.metadata, labels) },
    networkPolicy: slotPolicy(input, spec, labels),
    tokenSecret: {
      ...secret,
      metadata: {
        ...bare(secret.metadata, { ...labels, [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.runtimeToken }),
        annotations: { [ANNOTATION_TOKEN_NONCE]: nonce },
      },
      data: { [TOKEN_KEY]: Buffer.from(slotToken(settings.tokenKey, input)).toString('base64') },
    },
  };
}

/** Closed to all but the control plane: what a sandbox lets in is opened when there is a sandbox to say so. */
function slotPolicy(
  { namespace, name, settings }: SlotInput,
  spec: EffectiveSpec,
  labels: Record<string, string>,
): NetworkPolicy {
  const network = { ...spec.network, allowPeerSandboxes: false, ingressRules: [] };
  const policy = buildNetworkPolicy({ namespace, name, uid: '' }, { ...spec, network }, settings);
  return {
    ...policy,
    metadata: bare(policy.metadata, labels),
    spec: { ...policy.spec, podSelector: { matchLabels: { [LABEL_SLOT_NAME]: name } } },
  };
}

export function buildPoolAccount(namespace: string, pool: string): ServiceAccount {
  const labels = { [LABEL_MANAGED]: 'true', [LABEL_COMPONENT]: COMPONENT_SANDBOX, [LABEL_SLOT]: pool };
  return {
    metadata: { name: poolAccountName(pool), namespace, labels },
    automountServiceAccountToken: false,
  };
}

/** The token that opens a slot until it is adopted: only to hand it over, see ADR 11. */
export function slotToken(
  key: Uint8Array,
  { namespace, name, nonce }: { namespace: string; name: string; nonce: string },
): string {
  return deriveToken(key, slotTokenSubject(namespace, name, nonce));
}

function slotLabels(pool: string, name: string): Record<string, string> {
  return {
    [LABEL_MANAGED]: 'true',
    [LABEL_COMPONENT]: COMPONENT_SANDBOX,
    [LABEL_SLOT]: pool,
    [LABEL_SLOT_NAME]: name,
  };
}

/**
 * No owner on purpose. A garbage collector that follows the owner of a pool or of a pod would, in the moments in which a
 * claim is not complete, delete the volume of a sandbox that is running already.
 */
function bare({ name, namespace }: ObjectMeta, labels: Record<string, string>): ObjectMeta {
  const { [LABEL_SANDBOX]: _, [LABEL_SANDBOX_UID]: __, ...rest } = labels;
  return {
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    labels: rest,
  };
}
