// SPDX-License-Identifier: Apache-2.0

/** Requests as a browser's tab makes them: with cookies, one step at a time. */
export class IssuerTab {
  readonly #cookies = new Map<string, string>();

  async open(address: string | URL, form?: Record<string, string>): Promise<{ url: URL; text: string }> {
    let url = new URL(address);
    let body = form && new URLSearchParams(form);
    for (;;) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const init = body === undefined ? {} : { method: 'POST', body };
      const answer = await fetch(url, { ...init, headers: { cookie }, redirect: 'manual' });
      for (const line of answer.headers.getSetCookie()) this.#keep(line);
      const text = await answer.text();
      const location = answer.headers.get('location');
      if (location === null) return { url, text };
      body = undefined;
      const next = new URL(location, url);
      // Nothing listens where the answer goes.
      if (next.origin !== url.origin) return { url: next, text };
      url = next;
    }
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
