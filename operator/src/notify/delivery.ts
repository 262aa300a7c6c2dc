// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { Notice } from '@agenttier/crds/subscription/notices';

/** One event on its way to one subscription, as it lies in the outbox. It needs nothing of the sandbox, which may be gone. */
export interface Delivery {
  /** The same for every try, so that a receiver can drop what it has. Also its key in the outbox. */
  readonly id: string;
  readonly event: string;
  readonly time: string;
  readonly sandbox: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly owner?: string;
  readonly template?: string;
  readonly reason?: string;
  readonly message?: string;
}

export function deliveryOf(sandbox: Sandbox, notice: Notice): Delivery {
  const { namespace = '', name = '', uid = '' } = sandbox.metadata;
  const { reason, message } = notice;
  const known = { owner: ownerOf(sandbox), template: templateOf(sandbox), reason, message };
  const { type: event, time } = notice;
  const present = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  return {
    id: `${uid}-${notice.key ?? notice.id}`,
    event,
    time,
    sandbox: { namespace, name, uid },
    ...present,
  };
}

const ownerOf = ({ spec }: Sandbox): string | undefined => spec?.createdBy?.sub;
const templateOf = ({ spec }: Sandbox): string | undefined => spec?.resolved?.chain?.at(-1)?.name;

/** What is posted. The first five members are those that receivers of earlier versions know. */
export function bodyOf(delivery: Delivery): string {
  const { id, event, time, sandbox, owner, template, reason, message = '' } = delivery;
  return JSON.stringify({
    event,
    sandboxId: sandbox.name,
    namespace: sandbox.namespace,
    timestamp: time,
    data: { message, reason, uid: sandbox.uid, owner, template },
    id,
  });
}

/** Reads what the outbox holds; undefined for anything that is no delivery of ours. */
export function readDelivery(text: string): Delivery | undefined {
  try {
    const value = JSON.parse(text) as Partial<Delivery> | null;
    const whole = [value?.id, value?.event, value?.time, value?.sandbox?.name].every(
      (part) => typeof part === 'string',
    );
    return whole ? (value as Delivery) : undefined;
  } catch {
    return undefined;
  }
}
