// SPDX-License-Identifier: Apache-2.0
import { LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import type { AgentNews } from '../agent/news.ts';
import type { ContainerStatus, Pod } from '../core.ts';
import type { RuntimeAnswer } from '../runtime/client.ts';
import { conditionOf, disruptionOf, mainStatus } from './failure.ts';
import type { OnRemoval } from './feed.ts';
import { present } from './present.ts';
import type { Milestones, Observations, OwnedKind, Refusal } from './state.ts';

/** First wait before a refused write is tried again; doubled per refusal. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** A container that runs or ran has its image. */
const hasBegun = (status: ContainerStatus | undefined): boolean =>
  status?.state?.running !== undefined || status?.state?.terminated !== undefined;

type MutableMilestones = { -readonly [F in keyof Milestones]: Milestones[F] };

/**
 * What this process has seen of one sandbox beyond the API objects. Nothing here must be true for the operator to be
 * right: a new leader begins with empty notes and only takes longer to say some things.
 */
export class Notes {
  readonly uid: string;
  readonly #refusals = new Map<OwnedKind, Refusal>();
  readonly #attempts = new Map<OwnedKind, number>();
  #milestones: MutableMilestones = {};
  #answeredPod: string | undefined;
  #statusAt: number | undefined;
  #missingPullSecret: string | undefined;
  #volumeLost = false;
  #disrupted: Observations['disrupted'];
  #agent: AgentNews | undefined;
  #slotMissed = false;
  #adoptedPod: string | undefined;
  #unfitPod: string | undefined;
  readonly #deleted = new Set<string>();
  #resizeRefused: Observations['resizeRefused'];
  readonly #jobs = new Map<string, RuntimeAnswer<unknown>>();

  constructor(uid: string) {
    this.uid = uid;
  }

  observations(): Observations {
    return {
      refusals: new Map(this.#refusals),
      milestones: { ...this.#milestones },
      jobs: new Map(this.#jobs),
      ...present({
        resizeRefused: this.#resizeRefused,
        answeredPod: this.#answeredPod,
        statusAt: this.#statusAt,
        missingPullSecret: this.#missingPullSecret,
        slotMissed: this.#slotMissed || undefined,
        adoptedPod: this.#adoptedPod,
        unfitPod: this.#unfitPod,
        volumeLost: this.#volumeLost || undefined,
        disrupted: this.#disrupted,
        agent: this.#agent,
      }),
    };
  }

  /** The sandbox is wanted up, since `now` at the latest. */
  wanted(now: number): void {
    this.#milestones.requested ??= now;
  }

  /** The sandbox is not wanted up: the next start begins with a clean sheet. */
  unwanted(): void {
    for (const kind of this.#refusals.keys()) if (kind !== 'snapshot') this.accepted(kind);
    this.#milestones = {};
    this.#answeredPod = undefined;
    this.#missingPullSecret = undefined;
    this.#slotMissed = false;
    this.#adoptedPod = undefined;
    this.#unfitPod = undefined;
    this.#volumeLost = false;
    this.#disrupted = undefined;
    this.#agent = undefined;
  }

  refused(kind: OwnedKind, refusal: Pick<Refusal, 'cause' | 'message' | 'generation'>, now: number): void {
    const attempts = (this.#attempts.get(kind) ?? 0) + 1;
    this.#attempts.set(kind, attempts);
    // What waits for a removal is told of it by watch; the clock is only the second line.
    const wait =
      refusal.cause === 'waiting'
        ? FIRST_RETRY_MS
        : Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1));
    const since = this.#refusals.get(kind)?.since ?? now;
    this.#refusals.set(kind, { ...refusal, since, retryAt: now + wait });
  }

  accepted(kind: OwnedKind): void {
    this.#refusals.delete(kind);
    this.#attempts.delete(kind);
  }

  /** The object is in the cache. */
  seen(kind: OwnedKind): void {
    if (this.#refusals.get(kind)?.cause === 'waiting') this.accepted(kind);
  }

  /** An object on its way out is gone: whatever waited for that may be tried at once. */
  removalSeen(): void {
    for (const [kind, refusal] of this.#refusals) {
      if (refusal.cause === 'waiting') this.#refusals.set(kind, { ...refusal, retryAt: 0 });
    }
  }

  /**
   * An eviction marks its pod and removes it in the next moment, so that often nobody has looked at the pod in between:
   * its last state is kept until there is another pod.
   */
  podGone(pod: Pod): void {
    const loss = disruptionOf(pod);
    const { name: podName = '', labels } = pod.metadata;
    if (loss !== undefined && labels?.[LABEL_SANDBOX_UID] === this.uid) this.#disrupted = { podName, loss };
  }

  podCreated(now: number): void {
    const { requested } = this.#milestones;
    this.#milestones = { ...(requested === undefined ? {} : { requested }), podCreated: now };
  }

  /** Takes the time of each step when it is first seen: the API's own times have whole seconds. */
  podSeen(pod: Pod, now: number): void {
    this.#disrupted = undefined;
    const [init] = pod.status?.initContainerStatuses ?? [];
    const seen: Partial<Record<keyof Milestones, boolean>> = {
      scheduled: conditionOf(pod, 'PodScheduled')?.status === 'True',
      initPulled: hasBegun(init),
      initialized: conditionOf(pod, 'Initialized')?.status === 'True',
      pulled: hasBegun(mainStatus(pod)),
    };
    for (const step of Object.keys(seen) as (keyof Milestones)[]) {
      if (seen[step]) this.#milestones[step] ??= now;
    }
  }

  slotClaimed(now: number): void {
    this.#milestones.claimed ??= now;
  }

  slotAdopted(podUid: string, now: number): void {
    this.#milestones.adopted ??= now;
    this.#adoptedPod = podUid;
  }

  slotUnfit(podUid: string): void {
    this.#unfitPod = podUid;
    this.#slotMissed = true;
  }

  slotMissed(): void {
    this.#slotMissed = true;
  }

  /** A call to the runtime came to an end. Ids begin with the uid of their pod: those of an earlier one are let go. */
  jobEnded(id: string, answer: RuntimeAnswer<unknown>): void {
    const pod = id.slice(0, id.indexOf('/') + 1);
    for (const other of this.#jobs.keys()) if (!other.startsWith(pod)) this.#jobs.delete(other);
    this.#jobs.set(id, answer);
  }

  runtimeAnswered(podUid: string): void {
    this.#answeredPod = podUid;
  }

  agentHeard(news: AgentNews): void {
    this.#agent = news;
  }

  statusWritten(now: number): void {
    this.#statusAt = now;
  }

  pullSecretMissing(name: string | undefined): void {
    this.#missingPullSecret = name;
  }

  /** An own delete was acknowledged; the watch will say so a moment later. */
  deleted(uid: string): void {
    this.#deleted.add(uid);
  }

  isDeleted(uid: string | undefined): boolean {
    return uid !== undefined && this.#deleted.has(uid);
  }

  /** The pod cannot get what this generation of the spec asks for. */
  resizeRefused(refusal: NonNullable<Observations['resizeRefused']>): void {
    this.#resizeRefused = refusal;
  }

  volumeMissing(lost: boolean): void {
    this.#volumeLost = lost;
  }
}

/** Notes by sandbox key. A sandbox of the same name with another uid starts with none. */
export class Notebook {
  readonly #pages = new Map<string, Notes>();

  of(key: string, uid: string): Notes {
    const page = this.#pages.get(key);
    if (page?.uid === uid) return page;
    const fresh = new Notes(uid);
    this.#pages.set(key, fresh);
    return fresh;
  }

  peek(key: string): Notes | undefined {
    return this.#pages.get(key);
  }

  /** For the feed of the queue. */
  readonly onRemoval: OnRemoval = (key, pod) => {
    const page = this.peek(key);
    page?.removalSeen();
    if (pod !== undefined) page?.podGone(pod);
  };

  forget(key: string): void {
    this.#pages.delete(key);
  }

  clear(): void {
    this.#pages.clear();
  }
}
