// SPDX-License-Identifier: Apache-2.0

/** One entry of `allowedDomains`, read. */
export interface AllowedDomain {
  /** Lower case, without the leading `*.` and without a final dot. */
  readonly name: string;
  /** `*.name`: every name below it, however deep, and not the name itself. */
  readonly wildcard: boolean;
  /** Only this port; without one those of HTTP and HTTPS. */
  readonly port?: number;
}

export const WEB_PORTS: readonly number[] = [80, 443];

export type ParsedDomain =
  | { readonly ok: true; readonly domain: AllowedDomain }
  | { readonly ok: false; readonly problem: string };

/** Reads an entry; `problem` ends a sentence that begins with the field. */
export function parseDomain(text: string): ParsedDomain {
  if (text.includes('/')) return no('holds a / : write the name alone, without https:// and without a path');
  const [rest = '', port, ...more] = text.split(':');
  if (more.length > 0) return no('is no domain name: addresses are opened with egressRules');
  if (port !== undefined && !isPort(port)) return no('has no port from 1 to 65535 behind the colon');
  const wildcard = rest.startsWith('*.');
  const name = hostName(wildcard ? rest.slice(2) : rest);
  if (name === undefined) return no(problemOf(rest));
  if (!name.includes('.')) return no(wildcard ? TOP_LEVEL : ONE_LABEL);
  return { ok: true, domain: { name, wildcard, ...portIn(port) } };
}

const portIn = (text: string | undefined): { port?: number } =>
  text === undefined ? {} : { port: Number(text) };

const TOP_LEVEL = 'opens a whole top-level domain: name at least two labels behind the *';
const ONE_LABEL = 'has one label: write the full name, such as api.example.com';

const no = (problem: string): ParsedDomain => ({ ok: false, problem });

const isPort = (text: string): boolean => /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535;

function problemOf(text: string): string {
  if (text.includes('*')) return 'has a * elsewhere than as its whole first label';
  if (/^[0-9.]+$/.test(text)) return 'is an address: addresses are opened with egressRules';
  return 'is no domain name such as api.example.com or *.example.com (other alphabets in their xn-- form)';
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * A host as a plain domain name in lower case; undefined for everything else. What a resolver would take for an address,
 * in any of its notations (`127.1`, `0x7f.0.0.1`, `2130706433`), ends in a number (WHATWG URL, "ends in a number").
 */
export function hostName(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  const labels = name.split('.');
  const last = labels.at(-1) ?? '';
  if (name.length > 253 || !labels.every((label) => LABEL.test(label))) return undefined;
  return /^([0-9]+|0x[0-9a-f]*)$/.test(last) ? undefined : name;
}

/** The entries that can be read. One that cannot opens nothing: admission refuses it anyway. */
export function readDomains(entries: readonly string[] | undefined): AllowedDomain[] {
  return (entries ?? []).flatMap((entry) => {
    const parsed = parseDomain(entry);
    return parsed.ok ? [parsed.domain] : [];
  });
}

/** Whether an entry opens the port of a name that `hostName` gave. */
export function opensHost(entries: readonly AllowedDomain[], host: string, port: number): boolean {
  return entries.some((entry) => hasName(entry, host) && hasPort(entry, port));
}

/** Whether everything that `inner` opens is opened by one of `outer`: how a policy bounds a sandbox. */
export function coversDomain(outer: readonly AllowedDomain[], inner: AllowedDomain): boolean {
  const ports = inner.port === undefined ? WEB_PORTS : [inner.port];
  return ports.every((port) => outer.some((entry) => hasNames(entry, inner) && hasPort(entry, port)));
}

const hasName = ({ name, wildcard }: AllowedDomain, host: string): boolean =>
  wildcard ? host.endsWith(`.${name}`) : host === name;

/** `*.a.b` has every name of `*.a.b` and of `*.c.a.b`. */
function hasNames(outer: AllowedDomain, inner: AllowedDomain): boolean {
  if (!inner.wildcard) return hasName(outer, inner.name);
  return outer.wildcard && (inner.name === outer.name || inner.name.endsWith(`.${outer.name}`));
}

const hasPort = ({ port }: AllowedDomain, asked: number): boolean =>
  port === undefined ? WEB_PORTS.includes(asked) : port === asked;
