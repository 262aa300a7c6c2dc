// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { changePreferences, getPreferences } from '../../data/preferences.ts';
import { problemOf } from '../../data/problem.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { Session } from '../../data/session.ts';
import { beginSignIn, SignInError, takeAnswer } from '../../data/signIn.ts';
import { authConfig, currentUser, nameOf } from '../../data/user.ts';
import type { AuthConfig, User } from '../../data/user.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import '../cluster-glance/cluster-glance.ts';
import '../command-palette/command-palette.ts';
import type { AgentTierCommandPalette } from '../command-palette/command-palette.ts';
import '../connection/connection.ts';
import '../create-sandbox/create-sandbox.ts';
import type { AgentTierCreateSandbox } from '../create-sandbox/create-sandbox.ts';
import '../login/login.ts';
import '../notices/notices.ts';
import type { AgentTierNotices } from '../notices/notices.ts';
import type { AgentTierProvider } from '../provider/provider.ts';
import '../provider/provider.ts';
import '../sandbox-list/sandbox-list.ts';
import { styles } from './app.styles.ts';
import { asksForPalette, commandsFor } from './commands.ts';
import { loadPage, navigationFor, opener, pageOf } from './pages.ts';
import type { Frame } from './frame.ts';
import { pageAt } from './routes.ts';
import type { Page } from './routes.ts';
import { paintPage, rememberedTheme, rememberTheme, themeIn, THEMES } from './theme.ts';
import type { Theme } from './theme.ts';
import { titleOf } from './titles.ts';

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
  @query('agenttier-create-sandbox') private creator!: AgentTierCreateSandbox | null;
  @query('agenttier-command-palette') private palette!: AgentTierCommandPalette | null;
  @query('agenttier-notices') private notices!: AgentTierNotices | null;
  @query('dialog.again') private again!: HTMLDialogElement | null;
  @state() private page: Page = { name: 'sandboxes' };
  @state() private config: AuthConfig | undefined;
  @state() private user: User | undefined;
  @state() private signInError: Problem | undefined;
  @state() private failure: Problem | undefined;
  @state() private ready = false;
  /** Whoever was signed in is not any more: the page stays, with a login over it. */
  @state() private expired = false;
  readonly #session = new Session();
  /** Has the page that holds this element chosen a theme? Then no preference of the person replaces it. */
  #themeGiven: boolean | undefined;
  #leaving = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.#leaving = new AbortController();
    const { signal } = this.#leaving;
    globalThis.addEventListener('popstate', () => this.#turnTo(), { signal });
    globalThis.addEventListener('keydown', (event) => this.#press(event), { signal });
    this.#themeGiven ??= this.hasAttribute('theme');
    if (!this.#themeGiven) this.theme = rememberedTheme();
    paintPage(this.theme);
    void this.#show();
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
    this.#turnTo();
  }

  #turnTo(): void {
    const loaded = this.#show();
    void this.#focusHeading(loaded);
  }

  /** As after a load of a page: whoever does not see it hears where they are, and Tab goes on from there. */
  async #focusHeading(loaded: Promise<unknown>): Promise<void> {
    const { page } = this;
    await loaded;
    await this.updateComplete;
    if (page !== this.page) return;
    // A terminal takes the focus as soon as it can be typed into, which may have been meanwhile.
    if (this.renderRoot.querySelector('agenttier-terminal:focus-within')) return;
    const main = this.renderRoot.querySelector('main');
    const heading = main?.querySelector('h1') ?? main;
    heading?.setAttribute('tabindex', '-1');
    heading?.focus();
  }

  #press(event: KeyboardEvent): void {
    if (!asksForPalette(event) || this.palette === null) return;
    // Browsers have it for their own field of addresses.
    event.preventDefault();
    void this.palette.show();
  }

  #do(id: string): void {
    const [verb = '', what = ''] = id.split(/:(.*)/s);
    if (verb === 'go') this.navigate(what);
    else if (verb === 'theme') this.#setTheme(what as Theme);
    else void this.#create();
  }

  async #create(): Promise<void> {
    if (this.creator === null) this.navigate('/');
    await this.updateComplete;
    this.creator?.show();
  }

  #setTheme(theme: Theme): void {
    this.#wear(theme);
    const { server } = this.provider;
    // Without the server it is kept for this browser at least.
    if (server && this.user) void changePreferences(server, { theme }).catch(() => undefined);
  }

  #wear(theme: Theme): void {
    this.theme = theme;
    rememberTheme(theme);
    paintPage(theme);
  }

  /** What was chosen here while the answer was on its way is newer than it. */
  async #wearPreferred(server: Server): Promise<void> {
    const before = this.theme;
    const preferred = themeIn(await getPreferences(server).catch(() => ({})));
    if (preferred !== undefined && this.theme === before) this.#wear(preferred);
  }

  #show(): Promise<unknown> {
    this.page = pageAt(globalThis.location.pathname.slice(this.basePath.length));
    return loadPage(this.page);
  }

  async #begin(): Promise<void> {
    // Children draw after their parent: only then does the provider have a server to give.
    await this.provider.updateComplete;
    const { server } = this.provider;
    if (server === undefined) return;
    this.failure = undefined;
    try {
      this.config = await authConfig(server);
      this.#session.prepare(this.config, this.provider.apiBase);
      if (this.page.name === 'callback') await this.#finishSignIn(this.config);
      this.#enter(await currentUser(server));
      if (!this.#themeGiven) void this.#wearPreferred(server);
    } catch (error) {
      const known = error instanceof SignInError ? { ...problemOf(error), status: 401 } : problemOf(error);
      if (known.status === 401) this.#refused(known);
      else this.failure = known;
    }
    this.ready = true;
  }

  #enter(user: User): void {
    this.user = user;
    this.signInError = undefined;
    if (this.expired) this.provider.renew();
    this.expired = false;
  }

  /** Nobody has tried yet, or what was tried is not known: the first is no error. */
  #refused(error: Problem): void {
    if (!this.expired) this.user = undefined;
    this.signInError = error.code === 'missing_authorization' ? undefined : error;
  }

  async #finishSignIn(config: AuthConfig): Promise<void> {
    const answer = new URLSearchParams(globalThis.location.search);
    history.replaceState(undefined, '', `${this.basePath}/`);
    const { code, returnTo } = takeAnswer(this.#callback, answer);
    await this.#session.begin(code, config);
    history.replaceState(undefined, '', `${this.basePath}${returnTo}`);
    void this.#show();
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

  async #signOut(): Promise<void> {
    const left = this.#session.end(`${globalThis.location.origin}${this.basePath}/`);
    this.user = undefined;
    this.expired = false;
    this.signInError = undefined;
    try {
      const place = await left;
      if (place !== undefined) globalThis.location.assign(place);
    } catch (error) {
      // Whoever believes to have left must not be wrong.
      this.failure = { ...problemOf(error), message: this.say('login.stillIn') };
    }
  }

  protected override updated(): void {
    if (this.user !== undefined) document.title = titleOf(this.page, (key, params) => this.say(key, params));
    this.renderRoot
      .querySelector('nav [aria-current=page]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (this.again?.open === this.expired) return;
    if (this.expired) this.again?.showModal();
    else this.again?.close();
  }

  protected override render() {
    return html`<agenttier-provider
      api-base=${this.apiBase || '/api/v1'}
      .getCredential=${this.#session.credential}
      @agenttier-auth-required=${() => (this.expired = this.user !== undefined)}
      @agenttier-error=${(event: CustomEvent<Problem>) => this.#tellProblem(event)}
    >
      ${this.config?.mode === 'dev' ? html`<div class="dev" role="alert">${this.say('login.dev')}</div>` : nothing}
      ${this.#header()} ${keyed(this.user?.sub, this.#main())} ${this.#overlays()}
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
        <button class="search" aria-keyshortcuts="Control+K Meta+K" @click=${() => void this.palette?.show()}>
          ${this.say('app.search')}<kbd aria-hidden="true">Ctrl K</kbd>
        </button>
        <select
          aria-label=${this.say('theme.label')}
          @change=${(event: Event) => this.#setTheme((event.target as HTMLSelectElement).value as Theme)}
        >
          ${THEMES.map(
            (theme) =>
              html`<option value=${theme} ?selected=${this.theme === theme}>${this.say(`theme.${theme}`)}</option>`,
          )}
        </select>
        <span class="muted name">${nameOf(this.user)}</span>
        ${this.config?.mode === 'dev' ? nothing : this.#wayOut(this.user)}
      </div>
    </header>`;
  }

  #wayOut(user: User) {
    return html`<button
      class="quiet out"
      title=${this.say('login.as', { name: nameOf(user) })}
      @click=${() => void this.#signOut()}
    >
      ${this.say('login.out')}
    </button>`;
  }

  #tellProblem(event: CustomEvent<Problem>): void {
    // Asking who it is is an answer of its own.
    if (event.detail.status === 401) return;
    void this.notices?.addUnlessShown(event.detail, event.composedPath()[0]);
  }

  #overlays() {
    if (this.user === undefined) return nothing;
    return html`<agenttier-notices theme=${this.theme}></agenttier-notices>
      <agenttier-connection theme=${this.theme}></agenttier-connection>
      <agenttier-command-palette
        theme=${this.theme}
        .commands=${commandsFor(this.user.isAdmin, (key) => this.say(key))}
        @agenttier-command=${(event: CustomEvent<{ id: string }>) => this.#do(event.detail.id)}
        @agenttier-sandbox-open=${opener(this)}
      ></agenttier-command-palette>
      <dialog class="again" aria-label=${this.say('login.title')} @cancel=${(event: Event) => event.preventDefault()}>
        ${this.expired ? html`<p class="note warn">${this.say('app.expired')}</p>${this.#login()}` : nothing}
      </dialog>`;
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
      return html`<main>${this.#login()}</main>`;
    }
    return pageOf(this.page, this.#frame);
  }

  #login() {
    return html`<agenttier-login
      .config=${this.config}
      .error=${this.signInError}
      theme=${this.theme}
      @agenttier-sign-in=${() => void this.#signIn()}
      @agenttier-api-key=${(event: CustomEvent<{ key: string }>) => this.#useKey(event)}
    ></agenttier-login>`;
  }

  get #frame(): Frame {
    return {
      theme: this.theme,
      isAdmin: this.user?.isAdmin ?? false,
      say: (key, params) => this.say(key, params),
      navigate: (path) => this.navigate(path),
      follow: (path) => this.#follow(path),
      href: (path) => `${this.basePath}${path}`,
      create: () => void this.#create(),
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-app': AgentTierApp;
  }
}
