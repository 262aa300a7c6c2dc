// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, FakeServer, show, until } from '../../testing/page.ts';
import { parseObject, pathIn, placeOf } from '../../controllers/yamlText.ts';
import './templates.ts';

const template = (version: string, spec: object) => ({
  name: 'shell',
  description: 'A shell',
  image: '',
  resourceVersion: version,
  spec,
});

async function pageOf(server: FakeServer) {
  const element = document.createElement('agenttier-templates');
  element.server = server.server;
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  await until('the list', () => root.querySelector('nav .entry'));
  root.querySelector<HTMLButtonElement>('nav .entry')?.click();
  const editor = await until('the editor', () => root.querySelector('agenttier-yaml-editor'));
  await until('its text', () => editor.shadowRoot?.querySelector('.cm-content'));
  const save = (): void => {
    [...root.querySelectorAll('button')].find((button) => button.textContent?.trim() === 'Save')?.click();
  };
  return { element, root, editor, save };
}

describe('problems of a text', () => {
  it('finds a field, or the deepest part of its path that is there', () => {
    const text = 'resources:\n  limits:\n    cpu: "64"\nenv:\n  - name: A\n';
    const parsed = parseObject(text);
    if (!parsed.ok) throw new Error('it is YAML');
    const at = (field: string): string => {
      const { from, to } = placeOf(parsed.document, field);
      return text.slice(from, to);
    };
    expect(at('spec.resources.limits.cpu')).toBe('"64"');
    expect(at('spec.env[0].name')).toBe('A');
    expect(at('spec.resources.limits.memory')).toContain('cpu: "64"');
    expect(pathIn('spec.env[0].name')).toEqual(['env', 0, 'name']);
  });

  it.each(['a: [', '- a list', 'just a word'])('takes %s for no object', (text) => {
    expect(parseObject(text).ok).toBe(false);
  });
});

describe('agenttier-templates', () => {
  it('saves what was edited from what was read, and has no barriers', async () => {
    const tags: (string | undefined)[] = [];
    const fake = new FakeServer()
      .on('GET /templates', () => ({ templates: [template('7', { resources: { limits: { cpu: '1' } } })] }))
      .on('PUT /templates/shell', (_url, body) => template('8', (body as { spec: object }).spec));
    const { element, root, save } = await pageOf(fake);
    expect(await barriers(element)).toEqual([]);
    const saved = new Promise((resolve) => element.addEventListener('agenttier-template-saved', resolve));
    save();
    await saved;
    tags.push(
      ...fake.asked.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['if-match']),
    );
    expect(tags).toEqual(['"7"']);
    await until('the word', () => root.textContent?.includes('Saved.'));
  });

  it('overwrites nothing unseen: what somebody else has stored is shown beside one’s own', async () => {
    let stored = template('7', { description: 'first' });
    const fake = new FakeServer()
      .on('GET /templates', () => ({ templates: [template('7', { description: 'first' })] }))
      .on('GET /templates/shell', () => stored)
      .on('PUT /templates/shell', (_url, body, headers) => {
        if (headers['if-match'] !== `"${stored.resourceVersion}"`) {
          return Response.json({ error: 'changed' }, { status: 412 });
        }
        stored = template('9', (body as { spec: object }).spec);
        return stored;
      });
    const { root, editor, save } = await pageOf(fake);
    stored = template('8', { description: 'of somebody else' });
    save();
    await until('both texts', () => editor.shadowRoot?.querySelectorAll('.cm-content').length === 2);
    expect(editor.shadowRoot?.textContent).toContain('of somebody else');
    save();
    await until('the word', () => root.textContent?.includes('Saved.'));
    expect(stored.resourceVersion).toBe('9');
  });

  it('shows in the margin what admission objects to', async () => {
    const violation = { code: 'x', field: 'spec.resources.limits.cpu', message: 'is 64, 2 at most' };
    const fake = new FakeServer()
      .on('GET /templates', () => ({ templates: [template('7', { resources: { limits: { cpu: '64' } } })] }))
      .on('PUT /templates/shell', () =>
        Response.json({ error: 'policy_violation', violations: [violation] }, { status: 403 }),
      );
    const { editor } = await pageOf(fake);
    editor.dispatchEvent(
      new CustomEvent('agenttier-yaml-change', { detail: { text: `${editor.text}# longer\n` } }),
    );
    await until('the mark', () => editor.shadowRoot?.querySelector('.cm-lint-marker-error'));
  });

  /** A page of which `spec` is chosen, for a person. */
  const chain = (user: object) =>
    new FakeServer()
      .on('GET /user/me', () => user)
      .on('GET /templates', ({ searchParams }) => ({
        templates: [
          template('7', { resources: { limits: { cpu: '1' } }, inheritsFrom: { name: 'base' } }),
          ...(searchParams.get('namespace') === 'team'
            ? [{ ...template('3', { inheritsFrom: { name: 'shell' } }), name: 'ours', namespace: 'team' }]
            : []),
        ],
      }))
      .on('GET /templates/base', () => ({ ...template('1', { mode: 'agent', timeout: '1h' }), name: 'base' }))
      .on('GET /templates/shell', () => template('7', { inheritsFrom: { name: 'base' }, timeout: '2h' }));
  const rows = (root: ShadowRoot): string[] =>
    [...root.querySelectorAll('.inherited tbody tr')].map((row) =>
      [...row.children].map((cell) => cell.textContent?.trim()).join(' | '),
    );

  it('shows which value comes from which ancestor, of a text that is not stored yet', async () => {
    const { element, root, editor } = await pageOf(chain({ isAdmin: true }));
    await until('the chain', () => root.querySelector('.inherited')?.textContent?.includes('base'));
    expect(rows(root)).toEqual([
      'mode | agent | base',
      'resources.limits.cpu | 1 | this template',
      'timeout | 1h | base',
    ]);
    editor.value = 'inheritsFrom:\n  name: base\ntimeout: 5m\n';
    await until('the new value', () => rows(root).includes('timeout | 5m | this template'));
    editor.value = 'inheritsFrom:\n  name: nowhere\n';
    await until('the problem', () =>
      root.querySelector('.inherited .note')?.textContent?.includes('nowhere'),
    );
    expect(await barriers(element)).toEqual([]);
  });

  it('shows what has been changed beside what is stored', async () => {
    const { root, editor } = await pageOf(chain({ isAdmin: true }));
    const button = (): HTMLButtonElement | undefined =>
      [...root.querySelectorAll('button')].find((one) => one.textContent?.trim() === 'Show changes');
    expect(button()?.disabled).toBe(true);
    editor.value = 'mode: code\n';
    await until('a change', () => button()?.disabled === false);
    button()?.click();
    await until('both texts', () => editor.shadowRoot?.querySelectorAll('.cm-content').length === 2);
    expect(editor.shadowRoot?.textContent).toContain('inheritsFrom');
    button()?.click();
    await until('one text', () => editor.shadowRoot?.querySelectorAll('.cm-content').length === 1);
    expect(editor.text).toBe('mode: code\n');
  });

  it('makes templates of a namespace, whose parents may be the cluster’s', async () => {
    const fake = chain({ isAdmin: false }).on('POST /templates', (_url, body) => ({
      ...template('1', (body as { spec: object }).spec),
      name: 'mine',
      namespace: 'team',
    }));
    const element = document.createElement('agenttier-templates');
    element.server = fake.server;
    element.namespace = 'team';
    await show(element);
    const root = element.shadowRoot as ShadowRoot;
    const add = await until('the button', () =>
      root.querySelector<HTMLButtonElement>('[aria-label="New template of team"]'),
    );
    await until('whose page it is', () => root.querySelectorAll('nav button[aria-label]').length === 1);
    add.click();
    const name = await until('the name', () => root.querySelector<HTMLInputElement>('.bar input'));
    name.value = 'mine';
    name.dispatchEvent(new Event('input'));
    const editor = await until('the editor', () => root.querySelector('agenttier-yaml-editor'));
    await until('its text', () => editor.shadowRoot?.querySelector('.cm-content'));
    editor.value = 'inheritsFrom:\n  name: shell\n';
    await until('its parents', () => rows(root).includes('timeout | 2h | shell'));
    root.querySelector<HTMLButtonElement>('.bar .primary')?.click();
    await until('the word', () => root.textContent?.includes('Saved.'));
    const stored = fake.asked.findLast(
      ({ method, url }) => method === 'POST' && !url.searchParams.has('dryRun'),
    );
    expect(stored?.url.searchParams.get('namespace')).toBe('team');
  });

  it('lets people look at what they may not change, and says so', async () => {
    const fake = chain({ isAdmin: false }).on('PUT /templates/ours', () =>
      Response.json({ error: 'forbidden', message: 'ann cannot update sandboxtemplates' }, { status: 403 }),
    );
    const element = document.createElement('agenttier-templates');
    element.server = fake.server;
    element.namespace = 'team';
    await show(element);
    const root = element.shadowRoot as ShadowRoot;
    const entry = (name: string) => () =>
      [...root.querySelectorAll<HTMLElement>('nav .entry')].find((one) =>
        one.textContent?.trim().startsWith(name),
      );
    await until('whose page it is', () => root.querySelectorAll('nav button[aria-label]').length === 1);
    (await until('the cluster’s', entry('shell'))).click();
    await until('why', () => root.textContent?.includes('for administrators to change'));
    expect(root.querySelector('agenttier-yaml-editor')?.readonly).toBe(true);
    expect(root.querySelector('.bar button')).toBeNull();
    (await until('the team’s', entry('ours'))).click();
    await until('why', () => root.textContent?.includes('ann cannot update sandboxtemplates'));
    expect(root.querySelector('.bar button')).toBeNull();
  });

  it('says what uses a template that is not deleted', async () => {
    const violation = {
      code: 'template_in_use',
      field: 'metadata.name',
      message: 'used by sandbox team/box',
    };
    const fake = chain({ isAdmin: true }).on('DELETE /templates/shell', () =>
      Response.json({ error: 'template_in_use', violations: [violation] }, { status: 409 }),
    );
    const { root } = await pageOf(fake);
    const confirm = globalThis.confirm;
    globalThis.confirm = () => true;
    root.querySelector<HTMLButtonElement>('.bar .danger')?.click();
    await until('who', () => root.querySelector('[role=alert]')?.textContent?.includes('team/box'));
    globalThis.confirm = confirm;
    expect(root.querySelector('agenttier-yaml-editor')).not.toBeNull();
  });
});
