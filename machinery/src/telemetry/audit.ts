// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { EventRecorder, Occurrence } from '../events/recorder.ts';
import type { Logger } from './log.ts';

/** Who acts. */
export interface AuditActor {
  readonly sub: string;
  readonly email?: string | undefined;
}

/** One act, as it is kept. Texts must not hold arguments, input or values of fields: any of them may be a secret. */
export interface AuditEntry {
  readonly actor: AuditActor;
  /** What was done, CamelCase: `ExecRun`. */
  readonly action: string;
  /** Kind of what it was done to. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly outcome: 'allowed' | 'denied' | 'failed';
  readonly reason?: string | undefined;
  /** Codes of what spoke against it. */
  readonly codes?: readonly string[] | undefined;
  readonly requestUid?: string | undefined;
  readonly sourceIp?: string | undefined;
}

/** The Kubernetes Event that tells of the act, where people look for it. */
export type AuditEvent = Pick<Occurrence, 'regarding' | 'type' | 'note'>;

export interface AuditOptions {
  readonly log: Logger;
  /** Without it no Events are made. */
  readonly recorder?: Pick<EventRecorder, 'record'> | undefined;
  /** Goes into the hash of who acts, so that names cannot be found by hashing lists of them. */
  readonly salt?: string | undefined;
}

/** Keeps one act. Never throws and never waits. */
export type Audit = (entry: AuditEntry, event?: AuditEvent) => void;

/** On an Event: who acted, as a hash; Events are read by more people than the audit log. */
export const ANNOTATION_ACTOR_HASH = 'agenttier.io/actor-hash';

/** First 8 hex digits of SHA-256: enough to see that two acts are of one person, too little to be a name. */
export function actorHash(sub: string, salt = ''): string {
  return createHash('sha256').update(salt).update(sub).digest('hex').slice(0, 8);
}

/** The one function that every component audits with: a log line with `audit: true`, and an Event where one is given. */
export function createAudit({ log, recorder, salt }: AuditOptions): Audit {
  return ({ actor, action, outcome, resource, reason, ...entry }, event) => {
    const hash = actorHash(actor.sub, salt);
    const { codes, requestUid, sourceIp, namespace, name, uid } = entry;
    log.info(
      {
        audit: true,
        actor: { sub: actor.sub, hash, email: actor.email },
        action,
        resource,
        namespace,
        name,
        uid,
        outcome,
        reason,
        codes,
        request_uid: requestUid,
        source_ip: sourceIp,
      },
      'audit',
    );
    if (event === undefined) return;
    recorder?.record({ ...event, reason: action, annotations: { [ANNOTATION_ACTOR_HASH]: hash } });
  };
}
