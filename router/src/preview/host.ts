// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '@agenttier/crds/meta/hash';

/** Where previews are, as browsers see it. */
export interface PreviewSite {
  /** Below which each port of each sandbox has a host, and so an origin, of its own. */
  readonly domain: string;
  readonly scheme: 'http' | 'https';
  /** Absent = the scheme's own. */
  readonly port?: number;
}

/** The sandbox that a host is of: by name, or by a digest where the names do not fit. */
export type PreviewPlace =
  | { readonly namespace: string; readonly name: string }
  | { readonly digest: string };

/** What a Host header of the preview domain names; `place` is absent where it names nothing. */
export interface PreviewHost {
  readonly port: number;
  readonly place: PreviewPlace | undefined;
}

interface Named {
  readonly namespace?: string;
  readonly name?: string;
}

/** One label of a DNS name (RFC 1035, 2.3.4). */
const MAX_LABEL = 63;
const MAX_PORT_DIGITS = 5;
const SEPARATOR = '--';
const DIGEST_LENGTH = 24;
const LABEL = /^([1-9]\d{0,4})--([a-z0-9-]+?)(?:--([a-z0-9-]+))?$/;

/** Stands for the sandbox where its names are too long, or have the separator in them; undefined where they can be read. */
export function previewDigest({ namespace = '', name = '' }: Named): string | undefined {
  const length = MAX_PORT_DIGITS + 2 * SEPARATOR.length + name.length + namespace.length;
  const isPlain = ![namespace, name].some((part) => part.includes(SEPARATOR));
  if (isPlain && length <= MAX_LABEL) return undefined;
  return sha256Hex(`${namespace}/${name}`).slice(0, DIGEST_LENGTH);
}

/** `<port>--<sandbox>--<namespace>`, or `<port>--<digest>`. */
export function previewLabel(port: number, { namespace = '', name = '' }: Named): string {
  const digest = previewDigest({ namespace, name });
  return [port, ...(digest === undefined ? [name, namespace] : [digest])].join(SEPARATOR);
}

/** The origin of one port of one sandbox, as a browser writes it. */
export function previewOrigin(site: PreviewSite, port: number, sandbox: Named): string {
  const host = `${previewLabel(port, sandbox)}.${site.domain}`;
  return `${site.scheme}://${host}${site.port === undefined ? '' : `:${site.port}`}`;
}

/** Reads a Host header; undefined when it is of another domain. */
export function readPreviewHost(host: string | undefined, domain: string): PreviewHost | undefined {
  const name = (host ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  return `.${name}`.endsWith(`.${domain}`) ? readName(name, domain) : undefined;
}

function readName(name: string, domain: string): PreviewHost {
  const [, port = '0', first = '', namespace] = LABEL.exec(name.slice(0, -domain.length - 1)) ?? [];
  const number = Number(port);
  if (number === 0 || number > 65_535) return { port: 0, place: undefined };
  if (namespace !== undefined) return { port: number, place: { namespace, name: first } };
  return { port: number, place: { digest: first } };
}
