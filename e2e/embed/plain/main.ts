// SPDX-License-Identifier: Apache-2.0
import '@agenttier/elements/create-sandbox';
import '@agenttier/elements/provider';
import '@agenttier/elements/sandbox-list';
import '@agenttier/elements/terminal';
import { apiBase, getToken } from '../settings.ts';

/** Elements of the page by their tag: their types come with the elements. */
function find<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, id = ''): HTMLElementTagNameMap[Tag] {
  const found = document.querySelector<HTMLElementTagNameMap[Tag]>(`${tag}${id}`);
  if (found === null) throw new Error(`the page has no ${tag}${id}`);
  return found;
}

const provider = find('agenttier-provider');
provider.apiBase = apiBase;
provider.getToken = getToken;

const terminal = find('agenttier-terminal');
const news = find('p', '#news');

provider.addEventListener('agenttier-sandbox-open', (event) => {
  const { sandbox } = event.detail;
  terminal.namespace = sandbox.namespace;
  terminal.sandboxId = sandbox.sandboxId;
});
terminal.addEventListener('agenttier-terminal-state', (event) => {
  news.textContent = `The terminal is ${event.detail.state}.`;
});

const create = find('agenttier-create-sandbox');
find('button', '#new').addEventListener('click', () => create.show());
create.addEventListener('agenttier-sandbox-created', (event) => {
  news.textContent = `${event.detail.sandbox.name} is being made.`;
});
