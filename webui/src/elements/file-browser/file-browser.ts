// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { LeavingController } from '../../controllers/leaving.ts';
import { ResourceController } from '../../controllers/resource.ts';
import { childOf, encodedName, lastName, nameProblem, parentOf, shownName } from '../../data/filePaths.ts';
import type { FilePath } from '../../data/filePaths.ts';
import { isFolder, listFolder, makeFolder, movePath, removePath } from '../../data/files.ts';
import type { Folder, FolderEntry } from '../../data/files.ts';
import { problemOf } from '../../data/problem.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { downloadAddress, uploadFile } from '../../data/transfers.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { crumbs, TMP } from './crumbs.ts';
import { chosenFiles, filesIn } from './dropped.ts';
import type { Brought } from './dropped.ts';
import { styles } from './file-browser.styles.ts';
import { NameFocus } from './nameFocus.ts';
import { ordered, turned } from './order.ts';
import type { Order } from './order.ts';
import { saveAs } from './saveAs.ts';
import { namingForm, tableHead, tableRow } from './table.ts';
import type { Desk, Naming } from './table.ts';
import { transferList } from './transferList.ts';
import { TransferQueue } from './transferQueue.ts';
import type { Work } from './transferQueue.ts';

const NAME_TEXT = {
  empty: 'files.nameEmpty',
  slash: 'files.nameSlash',
  dots: 'files.nameDots',
  long: 'files.nameLong',
} as const;

/**
 * Folders of a sandbox: looked at, brought to by button or by drag, taken from, and tidied. Paths are percent-encoded
 * byte by byte, as in the address of a file of the API.
 *
 * @fires agenttier-file-open - `detail.path` was chosen; it is downloaded unless the event is cancelled
 * @fires agenttier-path-changed - `detail.path` is the folder that is shown
 * @fires agenttier-uploaded - `detail.path` has come whole
 * @csspart drop - what lies over the folder while files are dragged over it
 */
@customElement('agenttier-file-browser')
export class AgentTierFileBrowser extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles, styles];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  /** The folder that is shown, percent-encoded; empty = the workspace. */
  @property() path: FilePath = '';
  @property({ type: Boolean }) readonly = false;
  @state() private order: Order = { by: 'name', descending: false };
  @state() private naming: Naming | undefined;
  @state() private nameIssue = '';
  @state() private problem: Problem | undefined;
  @state() private isOver = false;
  @query('input[type=file]') private chooser!: HTMLInputElement;
  #pages = 1;
  #root: FilePath = '';
  #asked: FilePath | undefined;

  readonly #focus = new NameFocus(() => this.renderRoot);
  readonly #queue = new TransferQueue(this);
  readonly #leaving = new LeavingController(this, {
    wouldLose: () => this.#queue.isBusy,
    question: () => this.say('transfer.leave'),
  });
  readonly #folder = new ResourceController<Folder>(this, {
    server: () => this.source,
    load: async (server, signal) => {
      this.#asked = this.path;
      const folder = await listFolder(server, this.#key, { path: this.path, pages: this.#pages }, signal);
      const isRoot = this.path === '';
      const whole = { path: '', pages: 1 };
      this.#root ||= isRoot ? folder.path : (await listFolder(server, this.#key, whole, signal)).path;
      return folder;
    },
    follows: [],
    onError: (error) => this.tell('agenttier-error', error),
  });

  get #key() {
    return { sandboxId: this.sandboxId, namespace: this.namespace };
  }

  /** Shows a folder. */
  async go(path: FilePath): Promise<void> {
    this.#pages = 1;
    this.naming = undefined;
    this.problem = undefined;
    this.path = this.#asked = path;
    await this.#folder.reload();
    const { value, error } = this.#folder;
    if (value === undefined || error !== undefined) {
      this.path = this.#asked = value?.path ?? path;
      return;
    }
    this.path = this.#asked = value.path;
    this.tell('agenttier-path-changed', { path: value.path });
    await this.updateComplete;
    this.#focus.at(0);
  }

  /** Nothing is being transferred, or the person says that it may end. */
  mayLeave(): boolean {
    return this.#leaving.mayLeave();
  }

  /** Asks the server for what is in the folder now. */
  refresh(): Promise<void> {
    return this.#folder.reload();
  }

  /** Brings files into the folder that is shown; resolves when the last of them has ended. */
  upload(files: Iterable<File>): Promise<void> {
    return this.#bring(chosenFiles(files));
  }

  /** Has the browser take a file, or a folder as zip; resolves with whether that has begun. */
  async download(path: FilePath, isFolder = false): Promise<boolean> {
    const name = shownName(lastName(path)) + (isFolder ? '.zip' : '');
    this.problem = await this.attempt(async (server) =>
      saveAs(await downloadAddress(server, this.#key, path, isFolder), name),
    );
    return this.problem === undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('path') && this.#asked !== undefined && this.path !== this.#asked)
      void this.go(this.path);
  }

  protected override render() {
    const { value, error } = this.#folder;
    if (value === undefined) return this.#waiting(error);
    const problem = this.problem ?? error;
    return html`<section
      @dragover=${(event: DragEvent) => this.#over(event)}
      @dragleave=${(event: DragEvent) => this.#leave(event)}
      @drop=${(event: DragEvent) => this.#drop(event)}
    >
      ${this.#bar(value)} ${problem ? html`<p class="note bad" role="alert">${problem.message}</p>` : nothing}
      ${this.naming?.kind === 'folder' ? namingForm(this.#desk, '', this.say('files.folderName')) : nothing}
      ${value.entries.length === 0 ? this.#empty() : this.#table(value)}
      ${transferList(this.#queue, this.say.bind(this), this.lang)}
      ${this.isOver ? html`<div class="drop" part="drop">${this.say('files.drop', { folder: shownName(value.path) })}</div>` : nothing}
    </section>`;
  }

  #waiting(error: Problem | undefined) {
    return html`<div class=${error ? 'note bad' : 'muted'} role="status">
      <span>${error?.message ?? this.say('state.loading')}</span>
      ${error ? html`<button @click=${() => void this.refresh()}>${this.say('state.retry')}</button>` : nothing}
    </div>`;
  }

  #bar({ path }: Folder) {
    return html`<div class="bar">
      <nav aria-label=${this.say('files.path')}>
        ${crumbs({
          path,
          workspace: this.#root,
          workspaceName: this.say('files.workspace'),
          go: (to) => void this.go(to),
        })}
      </nav>
      ${
        this.readonly
          ? nothing
          : html`<input type="file" multiple hidden aria-label=${this.say('files.chooseFiles')} @change=${() => this.#chosen()} />
            <button class="primary" @click=${() => this.chooser.click()}>${this.say('files.upload')}</button>
            <button @click=${() => this.#startNaming({ kind: 'folder' })}>${this.say('files.newFolder')}</button>`
      }
      <button @click=${() => void this.download(path, true)}>${this.say('files.zip')}</button>
      <button @click=${() => void this.refresh()}>${this.say('files.refresh')}</button>
    </div>`;
  }

  #empty() {
    return html`<div class="empty">
      <h2>${this.say('files.empty')}</h2>
      ${this.readonly ? nothing : html`<p class="muted">${this.say('files.emptyHint')}</p>`}
    </div>`;
  }

  #table({ entries, more }: Folder) {
    const desk = this.#desk;
    return html`<div
        class="table"
        role="region"
        aria-label=${this.say('files.title')}
        @keydown=${(event: KeyboardEvent) => this.#pressed(event)}
      >
        <table>
          ${tableHead(desk, this.order)}
          <tbody>
            ${repeat(
              ordered(entries, this.order),
              ({ name }) => name,
              (entry) => tableRow(desk, entry),
            )}
          </tbody>
        </table>
      </div>
      ${
        more
          ? html`<p class="note">
            <span>${this.say('files.partial', { count: entries.length })}</span>
            <button @click=${() => this.#more()}>${this.say('files.more')}</button>
          </p>`
          : nothing
      }`;
  }

  get #desk(): Desk {
    return {
      lang: this.lang,
      readonly: this.readonly,
      naming: this.naming,
      nameIssue: this.nameIssue,
      say: (key, params) => this.say(key, params),
      sort: (by) => void (this.order = turned(this.order, by)),
      open: (entry) => void this.#open(entry),
      download: ({ name, isDir }) => void this.download(this.#at(name), isDir),
      remove: (entry) => void this.#remove(entry),
      startNaming: (naming) => this.#startNaming(naming),
      named: (text) => void this.#named(text),
    };
  }

  /** Where something of the folder that is shown lies. */
  #at(name: string): FilePath {
    return childOf(this.#folder.value?.path ?? this.path, name);
  }

  async #open({ name, type, isDir }: FolderEntry): Promise<void> {
    const path = this.#at(name);
    if (isDir) return this.go(path);
    const { source } = this;
    if (type === 'symlink' && source && (await isFolder(source, this.#key, path))) return this.go(path);
    if (this.tell('agenttier-file-open', { path }, { cancelable: true })) await this.download(path);
  }

  #startNaming(naming: Naming | undefined): void {
    const before = this.naming;
    this.naming = naming;
    this.nameIssue = '';
    void this.updateComplete.then(() => {
      if (naming !== undefined) this.renderRoot.querySelector<HTMLInputElement>('.naming input')?.select();
      else if (before?.kind === 'rename') this.#focus.onName(before.name);
    });
  }

  async #named(text: string): Promise<void> {
    const { naming } = this;
    const issue = nameProblem(text);
    this.nameIssue = issue === undefined ? '' : this.say(NAME_TEXT[issue]);
    if (issue !== undefined || naming === undefined) return;
    const name = encodedName(text);
    const target = this.#at(name);
    if (naming.kind === 'rename' && text === shownName(naming.name)) return this.#startNaming(undefined);
    await this.#do((server) =>
      naming.kind === 'folder'
        ? makeFolder(server, this.#key, target)
        : movePath(server, this.#key, this.#at(naming.name), target),
    );
    if (this.problem !== undefined) return;
    this.naming = undefined;
    await this.updateComplete;
    this.#focus.onName(name);
  }

  async #remove({ name, isDir }: FolderEntry): Promise<void> {
    const question = isDir ? 'files.confirmDeleteFolder' : 'files.confirmDelete';
    if (!globalThis.confirm(this.say(question, { name: shownName(name) }))) return;
    const at = this.#focus.indexOfName(name);
    await this.#do((server) => removePath(server, this.#key, this.#at(name)));
    await this.updateComplete;
    this.#focus.at(at);
  }

  async #do(action: (server: Server) => Promise<void>): Promise<void> {
    this.problem = await this.attempt(action);
    await this.refresh();
  }

  #more(): void {
    this.#pages *= 2;
    void this.refresh();
  }

  #chosen(): void {
    const files = [...(this.chooser.files ?? [])];
    // The same file may be chosen again.
    this.chooser.value = '';
    void this.upload(files);
  }

  #over(event: DragEvent): void {
    if (this.readonly || !event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    this.isOver = true;
  }

  #leave({ relatedTarget, currentTarget }: DragEvent): void {
    if (!(currentTarget as Node).contains(relatedTarget as Node | null)) this.isOver = false;
  }

  #drop(event: DragEvent): void {
    this.isOver = false;
    if (this.readonly || event.dataTransfer === null) return;
    event.preventDefault();
    void filesIn(event.dataTransfer).then((brought) => this.#bring(brought));
  }

  async #bring(brought: readonly Brought[]): Promise<void> {
    const there = new Set(this.#folder.value?.entries.map(({ name }) => name));
    const ended = brought.map(({ folders, file }) => {
      const parts = [...folders, file.name].map(encodedName);
      const shown = [...folders, file.name].join('/');
      const isKnown = folders.length === 0 && there.has(encodedName(file.name));
      if (isKnown && !globalThis.confirm(this.say('files.confirmReplace', { name: file.name })))
        return Promise.resolve(false);
      const path = this.#at(parts.join('/'));
      return this.#transfer(shown, file.size, async (server, signal, onProgress) => {
        await uploadFile(server, this.#key, { path, file, replace: isKnown, signal, onProgress });
        this.tell('agenttier-uploaded', { path });
      });
    });
    await Promise.all(ended);
    await this.refresh();
  }

  /** What goes wrong stands at the transfer, and is told to the page. */
  #transfer(
    name: string,
    whole: number,
    work: (server: Server, ...rest: Parameters<Work>) => Promise<void>,
  ): Promise<boolean> {
    return this.#queue.add(name, whole, async (signal, onProgress) => {
      try {
        if (this.source !== undefined) await work(this.source, signal, onProgress);
      } catch (error) {
        if (!signal.aborted) this.tell('agenttier-error', problemOf(error));
        throw error;
      }
    });
  }

  /** Arrows go from name to name, F2 renames, Delete deletes, Backspace goes to the folder above. */
  #pressed(event: KeyboardEvent): void {
    const row = (event.target as Element).closest('tr');
    const at = this.#focus.indexOf(row);
    const entry = this.#folder.value?.entries.find(({ name }) => name === row?.dataset['name']);
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: () => this.#focus.at(at + 1),
      ArrowUp: () => this.#focus.at(at - 1),
      Home: () => this.#focus.at(0),
      End: () => this.#focus.last(),
      Backspace: () => this.#up(),
      ...(entry && !this.readonly
        ? {
            F2: () => this.#startNaming({ kind: 'rename', name: entry.name }),
            Delete: () => void this.#remove(entry),
          }
        : {}),
    };
    const action = actions[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  #up(): void {
    const path = this.#folder.value?.path ?? '';
    if (path !== this.#root && path !== TMP && path !== '') void this.go(parentOf(path));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-file-browser': AgentTierFileBrowser;
  }
}
