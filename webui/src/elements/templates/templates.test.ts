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
  await until('the list', () => root.querySelectorAll('nav button').length === 2);
  root.querySelectorAll<HTMLButtonElement>('nav button')[1]?.click();
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
});
