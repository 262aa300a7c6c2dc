// SPDX-License-Identifier: Apache-2.0
import {
  ANNOTATION_SLOT_SHAPE,
  ANNOTATION_TOKEN_NONCE,
  LABEL_COMPAT,
  LABEL_SANDBOX,
  LABEL_SANDBOX_UID,
  LABEL_SLOT,
  LABEL_SLOT_NAME,
  LABEL_SLOT_STATE,
} from '@agenttier/crds/meta/labels';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { sameJson } from '../sandbox/change.ts';
import { ALLOW } from '../review.ts';
import type { AdmissionRequest, Handler, Verdict } from '../review.ts';

interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly resources?: unknown;
}
interface PodLike extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
  };
}

const IDENTITY = [
  LABEL_SANDBOX,
  LABEL_SANDBOX_UID,
  LABEL_SLOT,
  LABEL_SLOT_NAME,
  LABEL_SLOT_STATE,
  LABEL_COMPAT,
];
/** By these the router finds its token, and a claim what the slot was built from. */
const MARKS = [ANNOTATION_TOKEN_NONCE, ANNOTATION_SLOT_SHAPE];

/** A pod of the review as far as it can be trusted to be one: its parts may be of any shape in a forged body. */
function podOf(object: unknown): PodLike | undefined {
  const pod = object as PodLike | null | undefined;
  return typeof pod?.metadata === 'object' && pod.metadata !== null ? pod : undefined;
}

/** What makes the pod that of a sandbox: its labels and its owner. */
function belonging({ metadata }: PodLike): unknown {
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  const marks = MARKS.map((name) => annotations[name] ?? null);
  return { labels: IDENTITY.map((name) => labels[name] ?? null), marks, ownerReferences };
}

function programs(containers: unknown): unknown {
  if (!Array.isArray(containers)) return [];
  return containers.map((container: Container | null) => [
    container?.name,
    container?.image,
    container?.resources,
  ]);
}

/**
 * What runs in it and how much it may take: of a running pod's spec the API server lets these be changed, and each would
 * get round a policy that the sandbox was admitted under.
 */
function content({ spec }: PodLike): unknown {
  return [spec?.containers, spec?.initContainers, spec?.ephemeralContainers].map(programs);
}

function reserved(field: string, message: string): Verdict {
  const violation: Violation = { code: 'pod_reserved', field, message };
  return { violations: [violation] };
}

function judgeUpdate(pod: PodLike, old: PodLike): Verdict {
  if (!sameJson(belonging(pod), belonging(old))) {
    const message = 'only the operator may say which sandbox a pod belongs to';
    return reserved('metadata.labels', message);
  }
  if (!sameJson(content(pod), content(old))) {
    const message = 'only the operator may change what runs in the pod of a sandbox; edit the Sandbox';
    return reserved('spec', message);
  }
  return ALLOW;
}

/**
 * `/validate/pods`: nobody but the operator puts a pod behind a sandbox, where others would trust it. The scheduler binds
 * and the kubelet reports through subresources, which are not asked about.
 */
export function validatePods(operatorUsername: string): Handler {
  return (request: AdmissionRequest): Verdict => {
    const byOperator = operatorUsername !== '' && request.userInfo.username === operatorUsername;
    if (byOperator || request.operation === 'DELETE') return ALLOW;
    const pod = podOf(request.object);
    const old = podOf(request.oldObject);
    if (pod && old) return judgeUpdate(pod, old);
    const message = `the labels ${LABEL_SANDBOX} and ${LABEL_SLOT} are for pods that the operator makes; create a Sandbox instead`;
    return reserved('metadata.labels', message);
  };
}
