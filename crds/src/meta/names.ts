// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from './hash.ts';

/** Longest DNS label (RFC 1123), and so the longest name that is also a label value and a host name. */
const MAX_LABEL = 63;
const HASH_LENGTH = 8;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export function podName(sandbox: string): string {
  return derivedName('', sandbox, '-pod');
}

export function pvcName(sandbox: string): string {
  return derivedName('', sandbox, '-workspace');
}

export function networkPolicyName(sandbox: string): string {
  return derivedName('', sandbox, '-netpol');
}

export function tokenSecretName(sandbox: string): string {
  return derivedName('', sandbox, '-runtime-token');
}

/** ConfigMap with the log of the last installation of an agent. */
export function installLogName(sandbox: string): string {
  return derivedName('', sandbox, '-install-log');
}

export function serviceAccountName(sandbox: string): string {
  return derivedName('sbx-', sandbox, '');
}

/** Secret with a part of what a start brings into the sandbox; `hash` is of its content. */
export function planSecretName(sandbox: string, hash: string): string {
  return derivedName('', sandbox, `-plan-${hash}`);
}

/** Key of the runtime token inside its Secret. */
export const TOKEN_KEY = 'token';

/** Secret in the install namespace with the key from which the runtime tokens of all sandboxes are derived. */
export const RUNTIME_KEY_SECRET = 'agenttier-runtime-key';

/** Whom a runtime token is for: one sandbox, from one start to the next resume. A uid holds no slash. */
export function tokenSubject(sandboxUid: string, nonce: string): string {
  return `${sandboxUid}/${nonce}`;
}

/** Whom the token of a slot is for until a sandbox has it; what comes before the slash is no uid. */
export function slotTokenSubject(namespace: string, slot: string, nonce: string): string {
  return `slot:${namespace}:${slot}/${nonce}`;
}

/** ServiceAccount of the slots of a pool, bound to nothing. */
export function poolAccountName(pool: string): string {
  return derivedName('sbx-pool-', pool, '');
}

/** Whether the text is an RFC 1123 DNS label of at most 63 characters. */
export function isDnsLabel(text: string): boolean {
  return text.length <= MAX_LABEL && LABEL.test(text);
}

/**
 * `prefix + base + suffix`, at most 63 characters. A base that does not fit is cut and followed by a hash of the
 * whole base, so two long names that begin alike stay different.
 */
export function derivedName(prefix: string, base: string, suffix: string): string {
  const full = prefix + base + suffix;
  if (full.length <= MAX_LABEL) return full;
  const room = MAX_LABEL - prefix.length - suffix.length - HASH_LENGTH - 1;
  const head = base.slice(0, room).replace(/[-.]+$/, '');
  return `${prefix}${head}-${sha256Hex(base).slice(0, HASH_LENGTH)}${suffix}`;
}
