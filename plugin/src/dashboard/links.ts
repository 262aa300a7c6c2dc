// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { DASHBOARD_KEY_ITEM } from '@agenttier/crds/wire/dashboard';
import { isSame, LINK_PATH } from './gate.ts';

const random = (): string => randomBytes(32).toString('base64url');

/** The last links are remembered, so that a second use is told from a wrong one. */
const REMEMBERED = 20;

/**
 * Links that open the dashboard once, and the key that they hand out. A link can be seen by others of this machine, in the
 * list of processes while the browser is started: when one is used twice somebody else may have it, so the key that it has
 * handed out is taken back.
 */
export class Links {
  #key = random();
  #links: { readonly token: string; used: boolean }[] = [];

  get key(): string {
    return this.#key;
  }

  /** Path and query of a new one. */
  make(): string {
    const link = { token: random(), used: false };
    this.#links = [...this.#links, link].slice(-REMEMBERED);
    return `${LINK_PATH}?token=${link.token}`;
  }

  /** `again`: the link had been used, so every key is another one now. */
  use(token: string): 'first' | 'again' | 'unknown' {
    const link = this.#links.find((one) => isSame(token, one.token));
    if (link === undefined) return 'unknown';
    if (!link.used) {
      link.used = true;
      return 'first';
    }
    this.#key = random();
    this.#links = [];
    return 'again';
  }
}

/** The page behind a link: it keeps the key for its tab and leads to the dashboard, out of the browser's history. */
export function linkPage(key: string): { readonly html: string; readonly headers: Record<string, string> } {
  const script = `sessionStorage.setItem(${JSON.stringify(DASHBOARD_KEY_ITEM)}, ${JSON.stringify(key)}); location.replace('/');`;
  const hash = createHash('sha256').update(script).digest('base64');
  return {
    html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>AgentTier</title><script>${script}</script><noscript>The dashboard needs JavaScript.</noscript></html>\n`,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `default-src 'none'; script-src 'sha256-${hash}'; frame-ancestors 'none'; base-uri 'none'`,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    },
  };
}
