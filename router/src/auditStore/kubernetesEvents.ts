// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { EVENTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { idFloor } from './row.ts';
import type { AuditRow } from './row.ts';
import type { AuditQuery, AuditStore } from './store.ts';

/** What is read of an events.k8s.io Event. */
interface KubernetesEvent extends KubeObject {
  readonly eventTime?: string;
  readonly deprecatedFirstTimestamp?: string;
  readonly series?: { readonly lastObservedTime?: string };
  readonly reason?: string;
  readonly note?: string;
  readonly type?: string;
  readonly regarding?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
}

/**
 * What the cluster itself remembers, for an hour by default: the Events of sandboxes, of all components. They say what
 * happened and to what; who did it they say as a hash only, since more people read them.
 */
export class KubernetesEvents implements AuditStore {
  readonly #client: Pick<KubeClient, 'list'>;

  constructor(client: Pick<KubeClient, 'list'>) {
    this.#client = client;
  }

  /** Events are made by whoever audits. */
  async append(): Promise<void> {}

  async find(query: AuditQuery): Promise<readonly AuditRow[]> {
    const { items } = await this.#client.list<KubernetesEvent>(EVENTS, {
      namespace: query.namespace,
      fieldSelector: `regarding.kind=${SANDBOXES.kind}`,
    });
    const rows = items.map(rowOf).filter((row) => matches(row, query));
    return rows.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, query.limit);
  }

  /** The API server forgets them by itself. */
  async prune(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}

const NOTHING = { name: '', namespace: '', uid: '' };

function rowOf(event: KubernetesEvent): AuditRow {
  const { metadata, regarding, reason = '', note = '' } = event;
  const at = Date.parse(timeOf(event)) || 0;
  return {
    ...NOTHING,
    ...regarding,
    id: `${idFloor(at)}-${metadata.uid ?? metadata.name ?? ''}`,
    at,
    type: reason,
    outcome: event.type === 'Warning' ? 'failed' : 'allowed',
    resource: SANDBOXES.kind,
    userSub: '',
    userEmail: '',
    sourceIp: '',
    reason: '',
    note,
  };
}

/** Of the last one of a series; older components know none of the newer fields. */
const timeOf = ({ series, eventTime, deprecatedFirstTimestamp, metadata }: KubernetesEvent): string =>
  series?.lastObservedTime ?? eventTime ?? deprecatedFirstTimestamp ?? metadata.creationTimestamp ?? '';

function matches(row: AuditRow, { reader, name, user, type, from, to, before }: AuditQuery): boolean {
  const readable = reader === undefined || reader.uids.includes(row.uid);
  const about = [
    [name, row.name],
    [type, row.type],
    [user, row.userSub],
  ].every(([wanted, is]) => wanted === undefined || wanted === is);
  const within = row.at >= (from ?? 0) && row.at < (to ?? Number.POSITIVE_INFINITY);
  return readable && about && within && (before === undefined || row.id < before);
}
