// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from './resource.ts';

/**
 * One event of a watch. `ERROR` carries a Status (the stream ends after it). `UNREADABLE` is ours: a line that is not
 * JSON or no event at all; it is handed on, so that one bad object neither stops nor hides behind the watch.
 */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: KubeObject }
  | { readonly type: 'ERROR'; readonly object: unknown }
  | { readonly type: 'UNREADABLE'; readonly error: Error };

const OBJECT_EVENTS = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/** Annotation on the bookmark that ends the initial events of a streaming list (KEP-3157). */
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

export function parseWatchLine<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: { type?: unknown; object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    return {
      type: 'UNREADABLE',
      error: new Error(`watch line of ${line.length} characters is not JSON`, { cause: error }),
    };
  }
  if (event?.type === 'ERROR') return { type: 'ERROR', object: event.object };
  const { type, object } = event ?? {};
  if (typeof type !== 'string' || !OBJECT_EVENTS.has(type) || !hasMetadata(object)) {
    return {
      type: 'UNREADABLE',
      error: new Error(`watch event of type ${String(type)} has no object metadata`),
    };
  }
  return { type, object } as WatchEvent<T>;
}

const hasMetadata = (object: unknown): object is KubeObject =>
  typeof object === 'object' &&
  object !== null &&
  typeof (object as { metadata?: unknown }).metadata === 'object' &&
  (object as { metadata?: unknown }).metadata !== null;
