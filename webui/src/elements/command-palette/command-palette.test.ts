// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { aSandbox, barriers, FakeServer, show, until } from '../../testing/page.ts';
import './command-palette.ts';
import { commandsOf, matching, moved } from './commands.ts';

const HINTS = { terminal: 'Terminal', settings: 'Settings' };

describe('commands', () => {
  const commands = commandsOf(
    [aSandbox({ name: 'notebook' }), aSandbox({ name: 'book', status: 'Stopped' })],
    HINTS,
  );
  it.each([
    ['', ['terminal:team/notebook', 'settings:team/notebook', 'settings:team/book']],
    ['book', ['settings:team/book', 'terminal:team/notebook', 'settings:team/notebook']],
    ['TEAM term', ['terminal:team/notebook']],
    ['nothing', []],
  ])('finds with %j', (text, ids) => {
    expect(matching(commands, text).map(({ id }) => id)).toEqual(ids);
  });

  it.each([
    ['ArrowDown', 2, 3, 0],
    ['ArrowUp', 0, 3, 2],
    ['PageDown', 0, 3, 2],
    ['PageUp', 2, 3, 0],
    ['a', 0, 3, undefined],
    ['ArrowDown', 0, 0, undefined],
  ])('%s from %i of %i', (key, at, count, next) => {
    expect(moved(key, at, count)).toBe(next);
  });
});

describe('agenttier-command-palette', () => {
  const opened = async () => {
    const server = new FakeServer().on('GET /sandboxes', () => ({ sandboxes: [aSandbox()] }));
    const palette = document.createElement('agenttier-command-palette');
    palette.server = server.server;
    palette.commands = [{ id: 'create', text: 'Create sandbox', hint: 'Action' }];
    await show(palette);
    expect(server.asked).toEqual([]);
    await palette.show();
    await until('the sandbox', () => palette.shadowRoot?.querySelectorAll('li').length === 3);
    const input = await until('the field', () => palette.shadowRoot?.querySelector('input'));
    const press = async (key: string) => {
      input.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      await palette.updateComplete;
    };
    return { palette, input, press };
  };

  it('says which entry is meant while the focus stays in the field', async () => {
    const { palette, input, press } = await opened();
    const meant = () => palette.shadowRoot?.getElementById(input.getAttribute('aria-activedescendant') ?? '');
    expect(palette.shadowRoot?.activeElement).toBe(input);
    expect(meant()?.textContent).toContain('Create sandbox');
    await press('ArrowUp');
    expect(meant()?.textContent).toContain('box');
    expect(meant()?.ariaSelected).toBe('true');
    expect(palette.shadowRoot?.activeElement).toBe(input);
    expect(await barriers(palette)).toEqual([]);
  });

  it('opens the sandbox that is meant and is gone', async () => {
    const { palette, press } = await opened();
    const told = new Promise<CustomEvent>((resolve) =>
      palette.addEventListener('agenttier-sandbox-open', (event) => resolve(event)),
    );
    await press('ArrowDown');
    await press('Enter');
    expect((await told).detail).toMatchObject({ target: 'terminal', sandbox: { name: 'box' } });
    expect(palette.shadowRoot?.querySelector('dialog')?.open).toBe(false);
  });

  it('tells which command was chosen, and says when there is none', async () => {
    const { palette, input, press } = await opened();
    input.value = 'no such thing';
    input.dispatchEvent(new Event('input'));
    await palette.updateComplete;
    expect(palette.shadowRoot?.querySelector('[role=status]')?.textContent).toContain('Nothing');
    expect(input.getAttribute('aria-expanded')).toBe('false');
    input.value = 'create';
    input.dispatchEvent(new Event('input'));
    await palette.updateComplete;
    const told = new Promise<CustomEvent>((resolve) =>
      palette.addEventListener('agenttier-command', (event) => resolve(event)),
    );
    await press('Enter');
    expect((await told).detail).toEqual({ id: 'create' });
  });
});
