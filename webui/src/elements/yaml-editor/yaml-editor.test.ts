// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { barriers, dress, show, until } from '../../testing/page.ts';
import './yaml-editor.ts';
import type { AgentTierYamlEditor } from './yaml-editor.ts';

async function editorOf(change: Partial<AgentTierYamlEditor>) {
  const element = document.createElement('agenttier-yaml-editor');
  Object.assign(element, { kind: 'SandboxTemplate', label: 'Spec' }, change);
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  const content = await until('the text', () => root.querySelector<HTMLElement>('.cm-content'));
  const offered = (): string[] =>
    [...root.querySelectorAll('.cm-completionLabel')].map(({ textContent }) => textContent ?? '');
  const choose = async (label: string): Promise<void> => {
    const option = [...root.querySelectorAll('.cm-completionLabel')].find((one) => one.textContent === label);
    await userEvent.click(option as Element);
  };
  const marks = () => root.querySelectorAll('.cm-lintRange-error');
  /** At the end of the text, as if by hand. */
  const type = async (text: string): Promise<void> => {
    content.focus();
    await userEvent.keyboard(`{Control>}{End}{/Control}${text}`);
  };
  return { element, root, content, offered, choose, marks, type };
}

describe('agenttier-yaml-editor', () => {
  it('offers the fields that begin so, with what they are for, and writes what leads on', async () => {
    const { element, root, offered, choose, type } = await editorOf({ value: '' });
    await type('res');
    await until('an offer', () => offered().includes('resources'));
    const info = await until('what it is for', () => root.querySelector('.cm-completionInfo'));
    expect(info.textContent).not.toBe('');
    // It stands beside the list that it belongs to, which must not cut it off.
    expect(getComputedStyle(info.closest('.cm-tooltip-autocomplete') as Element).overflow).toBe('visible');
    await choose('resources');
    await until('the field', () => element.text === 'resources:\n  ');
    expect(await barriers(element)).toEqual([]);
  });

  it('offers the values that a field can have', async () => {
    const { element, offered, choose, type } = await editorOf({ value: 'image:\n  pullPolicy: ' });
    await type('Ne');
    await until('the values', () => offered().includes('Never'));
    await choose('Never');
    await until('the value', () => element.text === 'image:\n  pullPolicy: Never');
  });

  it('shows what a field is for under the pointer', async () => {
    const { root } = await editorOf({ value: 'resources:\n  limits:\n    cpu: "1"\n' });
    const name = await until('the name', () => root.querySelectorAll<HTMLElement>('.cm-line')[1]);
    await userEvent.hover(name, { position: { x: 30, y: 8 } });
    const about = await until('the card', () => root.querySelector('.cm-about'));
    expect(about.textContent).toContain('resources.limits');
    expect(about.querySelector('p')?.textContent).not.toBe('');
  });

  it('marks a field that there is not, beside what the server says, and each place once', async () => {
    const value = 'resorces: {}\nmode: coed\n';
    const { element, root, marks } = await editorOf({ value });
    await until('the marks', () => marks().length === 2);
    element.problems = [{ from: 0, to: 8, message: 'unknown field' }];
    await element.updateComplete;
    expect([...marks()].map(({ textContent }) => textContent)).toEqual(['resorces', 'coed']);
    expect(root.querySelectorAll('.cm-lint-marker-error')).toHaveLength(2);
    // Half a name makes it no YAML; what stands before it stays as wrong as it was.
    element.value = 'resorces: {}\nst';
    element.problems = [];
    await until('the mark', () => marks().length === 1 && marks()[0]?.textContent === 'resorces');
    element.value = 'mode: code\n';
    await until('no marks', () => marks().length === 0);
  });

  it('formats without losing comments, and not what is no YAML', async () => {
    const { element } = await editorOf({ value: 'env:\n    -   name:   A # first\n        value: b\n' });
    expect(element.format()).toBe(true);
    expect(element.text).toBe('env:\n  - name: A # first\n    value: b\n');
    element.value = 'a: [';
    await element.updateComplete;
    expect(element.format()).toBe(false);
    expect(element.text).toBe('a: [');
  });

  it('tells of changes beside another text, too, and keeps them when the other goes', async () => {
    const { element, root, offered } = await editorOf({ value: 'mode: code\n', theirs: 'mode: agent\n' });
    const told: string[] = [];
    element.addEventListener('agenttier-yaml-change', (event) =>
      told.push((event as CustomEvent<{ text: string }>).detail.text),
    );
    const mine = await until('both texts', () => root.querySelectorAll<HTMLElement>('.cm-content')[1]);
    mine.focus();
    await userEvent.keyboard('{Control>}{End}{/Control}sto');
    await until('an offer', () => offered().includes('storage'));
    expect(told.at(-1)).toBe('mode: code\nsto');
    element.theirs = undefined;
    await until('one text', () => root.querySelectorAll('.cm-content').length === 1);
    expect(element.text).toBe('mode: code\nsto');
  });

  it('changes nothing of what is only to be read', async () => {
    const { element, type } = await editorOf({ value: 'mode: code\n', readonly: true });
    await type('res');
    expect(element.text).toBe('mode: code\n');
  });

  it.each(['light', 'dark'] as const)('has no barriers in %s, with a choice open', async (theme) => {
    const { element, offered, type } = await editorOf({ value: '' });
    dress(element, theme);
    await type('s');
    await until('offers', () => offered().length > 0);
    expect(await barriers(element)).toEqual([]);
  });
});
