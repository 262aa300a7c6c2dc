// SPDX-License-Identifier: Apache-2.0
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from './principal.ts';

/** The part of a core Secret that a key is read from; values are base64. */
export interface KeySecret {
  readonly metadata: { readonly name?: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** A stored key, checked for shape. */
export interface KeyRecord {
  readonly principal: Principal;
  /** Hex SHA-256 of the whole key. */
  readonly keyHash: string;
  /** As it was written; empty when nobody wrote it. */
  readonly createdAt: string;
  /** Milliseconds since the epoch; absent = never. */
  readonly expiresAt?: number;
}

const KEY_SHAPE = /^[\x21-\x7e]{20,200}$/;
const HASH_SHAPE = /^[0-9a-f]{64}$/;

/** Keys of another shape cannot be stored ones: they are refused before anything is hashed or looked up. */
export const looksLikeKey = (key: string): boolean => KEY_SHAPE.test(key);

export const hashKey = (key: string): string => createHash('sha256').update(key, 'utf8').digest('hex');

/** Comparison whose duration tells nothing about where two hashes differ. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

export const isExpired = (record: KeyRecord, now: number): boolean =>
  record.expiresAt !== undefined && record.expiresAt <= now;

/** Reads a stored key; undefined when the Secret is not one, since a half-written record must not let anybody in. */
export function readKeySecret(secret: KeySecret): KeyRecord | undefined {
  const id = secret.metadata.name;
  const { keyHash: hash, record } = secret.data ?? {};
  const keyHash = decode(hash).trim();
  const fields = parseObject(decode(record));
  if (id === undefined || !fields) return undefined;
  const expiresAt = readExpiry(fields['expiresAt']);
  if (expiresAt === 'unreadable') return undefined;
  const principal = principalOf(fields, id, expiresAt);
  if (!HASH_SHAPE.test(keyHash) || principal.sub === '') return undefined;
  const createdAt = text(fields['createdAt']);
  return { keyHash, principal, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** The person has no groups then: those belong to a sign-in, which may be long past. */
function principalOf(
  fields: Readonly<Record<string, unknown>>,
  id: string,
  expiresAt: number | undefined,
): Principal {
  return {
    sub: text(fields['userId']),
    email: text(fields['email']),
    name: text(fields['name']),
    groups: [],
    isAdmin: fields['isAdmin'] === true,
    key: {
      id,
      ...present(fields, 'sandboxId'),
      ...present(fields, 'sandboxNamespace'),
      ...present(fields, 'sandboxUid'),
      actionGroups: texts(fields['actionGroups']),
      groups: texts(fields['groups']),
      allowedNamespaces: texts(fields['allowedNamespaces']),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  };
}

function present<K extends string>(
  fields: Readonly<Record<string, unknown>>,
  name: K,
): { readonly [P in K]?: string } {
  const value = text(fields[name]);
  return (value === '' ? {} : { [name]: value }) as { readonly [P in K]?: string };
}

function readExpiry(value: unknown): number | undefined | 'unreadable' {
  if (value === undefined || value === null || value === '') return undefined;
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? 'unreadable' : at;
}

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const decode = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('utf8');

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
