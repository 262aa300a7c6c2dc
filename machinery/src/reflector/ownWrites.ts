// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta } from '../kube/resource.ts';

interface Expected {
  readonly uid: string | undefined;
  readonly resourceVersion: string;
}

interface Pending {
  /** Versions of own writes that the watch has yet to bring. */
  readonly versions: Set<string>;
  since: number;
}

/** How long an own write is held against the watch that should confirm it. */
const PROTECTED_MS = 60_000;
/** Versions remembered, over all keys: enough for an answer that is processed long after its watch event. */
const REMEMBERED = 8192;

/**
 * Which changes the watch has already brought and which own writes it still owes. See `Store.applyLocal` for why
 * equality of opaque versions is all it takes.
 */
export class OwnWrites {
  readonly #now: () => number;
  readonly #pending = new Map<string, Pending>();
  readonly #seen = new Set<string>();
  readonly #gone = new Set<string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Registers the answer of an own write; false when the watch already brought it, or the object's end. */
  expect(key: string, write: Expected): boolean {
    if (this.#seen.has(versionOf(key, write)) || (write.uid !== undefined && this.#gone.has(write.uid)))
      return false;
    const pending = this.#pending.get(key) ?? { versions: new Set<string>(), since: 0 };
    pending.versions.add(write.resourceVersion);
    pending.since = this.#now();
    this.#pending.set(key, pending);
    return true;
  }

  /** Notes a change brought by the watch; false when it is older than an own write and must be skipped. */
  accepts(key: string, metadata: ObjectMeta): boolean {
    this.seen(key, metadata);
    const pending = this.#pending.get(key);
    if (!pending) return true;
    pending.versions.delete(metadata.resourceVersion ?? '');
    if (pending.versions.size > 0 && this.#now() - pending.since < PROTECTED_MS) return false;
    if (pending.versions.size === 0) this.#pending.delete(key);
    return true;
  }

  isPending(key: string): boolean {
    return this.#pending.has(key);
  }

  hasOverdue(): boolean {
    const limit = this.#now() - PROTECTED_MS;
    for (const { since } of this.#pending.values()) if (since <= limit) return true;
    return false;
  }

  seen(key: string, metadata: ObjectMeta): void {
    remember(this.#seen, versionOf(key, metadata));
  }

  deleted(key: string, metadata: ObjectMeta): void {
    this.seen(key, metadata);
    this.#pending.delete(key);
    if (metadata.uid !== undefined) remember(this.#gone, metadata.uid);
  }

  forgetPending(): void {
    this.#pending.clear();
  }
}

const versionOf = (key: string, version: { readonly resourceVersion?: string }): string =>
  `${key}@${version.resourceVersion ?? ''}`;

/** Sets iterate in insertion order, so the first entry is the oldest. */
function remember(set: Set<string>, value: string): void {
  set.delete(value);
  set.add(value);
  if (set.size <= REMEMBERED) return;
  const [oldest] = set;
  if (oldest !== undefined) set.delete(oldest);
}
