// SPDX-License-Identifier: Apache-2.0
import type { AllowedDomain } from '@agenttier/crds/egress/domains';
import { Store } from '@agenttier/machinery/reflector/store';
import type { LeanPod, LeanSandbox } from './lean.ts';

/** A sandbox that is at the other end of a connection. */
export interface Caller {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly pod: { readonly name: string; readonly uid: string };
}

const BY_ADDRESS = 'address';
/** The kubelet says a pod's address some time after its programs have begun. */
const PATIENCE_MS = 5_000;

/**
 * Says which sandbox speaks. Two things must agree: the source address, which nobody in a pod can choose, and the uid of
 * the pod, which the sandbox's proxy settings carry. An address passes from pod to pod, and a watch may be late; a uid
 * never does. So a late watch makes a new pod wait, and never makes it an old one.
 */
export class Callers {
  readonly pods = new Store<LeanPod>({ [BY_ADDRESS]: ({ addresses }) => [...addresses] });
  readonly sandboxes = new Store<LeanSandbox>();
  readonly #patienceMs: number;

  constructor({ patienceMs = PATIENCE_MS }: { readonly patienceMs?: number } = {}) {
    this.#patienceMs = patienceMs;
  }

  /** Waits a moment for a pod that is not known yet. `undefined`: it is none of ours, or it is another pod. */
  async identify(address: string, podUid: string, signal: AbortSignal): Promise<Caller | undefined> {
    const known = this.#find(address, podUid);
    if (known !== undefined) return known;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(this.#patienceMs)]);
    const { promise, resolve } = Promise.withResolvers<Caller | undefined>();
    const look = (): void => {
      const found = this.#find(address, podUid);
      if (found !== undefined) resolve(found);
    };
    const stops = [this.pods.subscribe(look), this.sandboxes.subscribe(look)];
    deadline.addEventListener('abort', () => resolve(undefined), { once: true });
    look();
    return promise.finally(() => {
      for (const stop of stops) stop();
    });
  }

  /** What the sandbox may reach now; nothing once it, or its pod, is gone. */
  domainsOf({ namespace, name, uid, pod }: Caller): readonly AllowedDomain[] {
    const live = this.pods.get(namespace, pod.name);
    const speaks = live?.metadata.uid === pod.uid && live.addresses.length > 0 && live.sandbox?.uid === uid;
    const sandbox = this.sandboxes.get(namespace, name);
    return speaks && sandbox?.metadata.uid === uid ? sandbox.domains : [];
  }

  #find(address: string, podUid: string): Caller | undefined {
    const pod = this.pods.byIndex(BY_ADDRESS, address).find(({ metadata }) => metadata.uid === podUid);
    if (pod?.sandbox === undefined) return undefined;
    const { namespace = '', name: podName = '' } = pod.metadata;
    const { name, uid } = pod.sandbox;
    if (this.sandboxes.get(namespace, name)?.metadata.uid !== uid) return undefined;
    return { namespace, name, uid, pod: { name: podName, uid: podUid } };
  }
}
