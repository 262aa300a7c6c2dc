// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { problemOf } from '../../data/problem.ts';
import type { Problem } from '../../data/problem.ts';
import { Session } from '../../data/session.ts';
import { beginSignIn, finishSignIn, SignInError } from '../../data/signIn.ts';
import { authConfig, currentUser } from '../../data/user.ts';
import type { AuthConfig, User } from '../../data/user.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import '../cluster-glance/cluster-glance.ts';
import '../create-sandbox/create-sandbox.ts';
import type { AgentTierCreateSandbox } from '../create-sandbox/create-sandbox.ts';
import '../login/login.ts';
import type { AgentTierProvider } from '../provider/provider.ts';
import '../provider/provider.ts';
import '../sandbox-list/sandbox-list.ts';
import { styles } from './app.styles.ts';
import { loadPage, navigationFor, pageOf } from './pages.ts';
import type { Frame } from './pages.ts';
import { pageAt } from './routes.ts';
import type { Page } from './routes.ts';

/**
 * The dashboard: signing in, the frame around all pages, and the pages.
 *
 * @fires agenttier-navigate - `detail.path`; `preventDefault()` keeps the address as it is
 */
@customElement('agenttier-app')
export class AgentTierApp extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, styles];

  /** Where the dashboard is mounted, without a slash at the end. */
  @property({ attribute: 'base-path' }) basePath = '';
  @query('agenttier-provider') private provider!: AgentTierProvider;
  @query('agenttier-create-sandbox') private creator: AgentTierCreateSandbox | undefined;
  @state() private page: Page = { name: 'sandboxes' };
  @state() private config: AuthConfig | undefined;
  @state() private user: User | undefined;
  @state() private signInError: Problem | undefined;
  @state() private failure: Problem | undefined;
  @state() private ready = false;
  readonly #session = new Session();
  #leaving = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.#leaving = new AbortController();
    const { signal } = this.#leaving;
    globalThis.addEventListener('popstate', () => this.#show(), { signal });
    this.#show();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leaving.abort();
  }

  protected override firstUpdated(): void {
    void this.#begin();
  }

  /** Goes to a path below the dashboard's own. */
  navigate(path: string): void {
    if (!this.tell('agenttier-navigate', { path }, { cancelable: true })) return;
    history.pushState(undefined, '', `${this.basePath}${path}`);
    this.#show();
  }

  #show(): void {
    this.page = pageAt(globalThis.location.pathname.slice(this.basePath.length));
    void loadPage(this.page);
  }

  async #begin(): Promise<void> {
    // Children draw after their parent: only then does the provider have a server to give.
    await this.provider.updateComplete;
    const { server } = this.provider;
    if (server === undefined) return;
    this.failure = undefined;
    try {
      this.config = await authConfig(server);
      if (this.page.name === 'callback') await this.#finishSignIn(this.config);
      this.user = await currentUser(server);
      this.signInError = undefined;
    } catch (error) {
      const known = error instanceof SignInError ? { ...problemOf(error), status: 401 } : problemOf(error);
      if (known.status === 401) this.#refused(known);
      else this.failure = known;
    }
    this.ready = true;
  }

  /** Nobody has tried yet, or what was tried is not known: the first is no error. */
  #refused(error: Problem): void {
    this.user = undefined;
    this.signInError = error.code === 'missing_authorization' ? undefined : error;
  }

  async #finishSignIn(config: AuthConfig): Promise<void> {
    const answer = new URLSearchParams(globalThis.location.search);
    history.replaceState(undefined, '', `${this.basePath}/`);
    const { tokens, returnTo } = await finishSignIn(config, this.#callback, answer);
    this.#session.useTokens(tokens, config);
    history.replaceState(undefined, '', `${this.basePath}${returnTo}`);
    this.#show();
  }

  get #callback(): string {
    return `${globalThis.location.origin}${this.basePath}/callback`;
  }

  async #signIn(): Promise<void> {
    const { config } = this;
    if (config === undefined) return;
    const path = globalThis.location.pathname.slice(this.basePath.length) || '/';
    const error = await beginSignIn(config, this.#callback, path === '/callback' ? '/' : path).catch(
      (reason: unknown) => reason,
    );
    if (error !== undefined) this.signInError = problemOf(error);
  }

  #useKey(event: CustomEvent<{ key: string }>): void {
    this.#session.useKey(event.detail.key);
    void this.#begin();
  }

  #signOut(): void {
    this.#session.end();
    this.user = undefined;
    this.signInError = undefined;
  }

  protected override render() {
    return html`<agenttier-provider
      api-base=${this.apiBase || '/api/v1'}
      .getCredential=${this.#session.credential}
      @agenttier-auth-required=${() => (this.user = undefined)}
    >
      ${this.config?.mode === 'dev' ? html`<div class="dev" role="alert">${this.say('login.dev')}</div>` : nothing}
      ${this.#header()} ${this.#main()}
    </agenttier-provider>`;
  }

  #header() {
    if (this.user === undefined) return nothing;
    return html`<header>
      <a class="brand" href=${`${this.basePath}/`} @click=${this.#follow('/')}>AgentTier</a>
      <nav aria-label=${this.say('nav.label')}>
        ${navigationFor(this.user.isAdmin).map(
          ({ text, path, leadsTo }) => html`<a
            href=${`${this.basePath}${path}`}
            aria-current=${leadsTo(this.page) ? 'page' : 'false'}
            @click=${this.#follow(path)}
            >${this.say(text)}</a
          >`,
        )}
      </nav>
      <agenttier-cluster-glance theme=${this.theme}></agenttier-cluster-glance>
      <div class="who">
        <span class="muted">${this.user.name || this.user.email || this.user.sub}</span>
        ${
          this.config?.mode === 'dev'
            ? nothing
            : html`<button class="quiet" @click=${() => this.#signOut()}>${this.say('login.out')}</button>`
        }
      </div>
    </header>`;
  }

  /** Plain clicks stay on the page; those that ask for another tab or window do not. */
  #follow(path: string) {
    return (event: MouseEvent): void => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.navigate(path);
    };
  }

  #main() {
    if (this.failure) {
      return html`<main>
        <div class="note bad" role="alert">
          <span>${this.failure.message}</span>
          <button @click=${() => void this.#begin()}>${this.say('state.retry')}</button>
        </div>
      </main>`;
    }
    if (!this.ready)
      return html`<main><p class="muted" role="status">${this.say('state.loading')}</p></main>`;
    if (this.user === undefined) {
      return html`<main>
        <agenttier-login
          .config=${this.config}
          .error=${this.signInError}
          theme=${this.theme}
          @agenttier-sign-in=${() => void this.#signIn()}
          @agenttier-api-key=${(event: CustomEvent<{ key: string }>) => this.#useKey(event)}
        ></agenttier-login>
      </main>`;
    }
    return pageOf(this.page, this.#frame);
  }

  get #frame(): Frame {
    return {
      theme: this.theme,
      isAdmin: this.user?.isAdmin ?? false,
      say: (key) => this.say(key),
      navigate: (path) => this.navigate(path),
      follow: (path) => this.#follow(path),
      href: (path) => `${this.basePath}${path}`,
      create: () => this.creator?.show(),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-app': AgentTierApp;
  }
}
