// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { aSandbox, barriers, FakeServer, show, until } from '../../testing/page.ts';
import './sandbox-settings.ts';
import type { Section } from './sandbox-settings.ts';

const server = () =>
  new FakeServer()
    .on('GET /sandboxes/box', () => aSandbox())
    .on('GET /sandboxes/box/why', () => ({ text: 'Sandbox box is Running: it can be used.' }))
    .on('GET /sandboxes/box/files', () => ({
      path: '/workspace',
      entries: [{ name: 'notes.txt', type: 'file', size: 5, isDir: false, modifiedAt: 1_790_000_000 }],
    }))
    .on('GET /sandboxes/box/ports', () => ({ ports: [{ port: 3000, protocol: 'http' }] }))
    .on('GET /sandboxes/box/ports/listening', () => ({ ports: [] }))
    .on('GET /sandboxes/box/share', () => ({
      users: [{ identity: 'bob@example.com', level: 'viewer' }],
      groups: [],
      shareLinks: [{ id: 'abc', level: 'viewer', expiresAt: null, maxUses: 3, usedCount: 1 }],
    }))
    .on('GET /sandboxes/box/explain', () => ({
      chain: [],
      policiesKnown: true,
      fields: [
        { field: 'timeout', value: '8h', origin: 'default', bounds: [] },
        { field: 'network.allowInternet', value: true, origin: 'Sandbox', bounds: [] },
      ],
    }))
    .on('GET /audit/events', () => ({ events: [] }))
    .on('GET /sandboxes/box/backups', () => ({
      backups: [
        { name: 'snap', createdAt: '2026-01-01T00:00:00Z', kind: 'backup', readyToUse: true, quiesced: true },
      ],
    }));

async function settingsOf(section: Section, fake = server()) {
  const element = document.createElement('agenttier-sandbox-settings');
  Object.assign(element, { server: fake.server, sandboxId: 'box', namespace: 'team', section });
  await show(element);
  const panel = await until('the panel', () => element.shadowRoot?.querySelector('[role=tabpanel]'));
  return { element, panel };
}

describe('agenttier-sandbox-settings', () => {
  const rows: [section: Section, inside: string, text: string][] = [
    ['overview', 'section', 'it can be used'],
    ['files', 'agenttier-file-browser', 'notes.txt'],
    ['ports', 'agenttier-port-forwards', '3000'],
    ['limits', 'agenttier-sandbox-limits', 'Now 8h'],
    ['network', 'agenttier-sandbox-values', 'network.allowInternet'],
    ['values', 'agenttier-sandbox-values', 'timeout'],
    ['sharing', 'agenttier-sharing', 'bob@example.com'],
    ['backups', 'agenttier-backups', 'snap'],
    ['agent', 'agenttier-agent-panel', 'Prompt'],
    ['activity', 'agenttier-activity-log', 'Nothing has happened yet.'],
  ];
  it.each(rows)('shows %s, without barriers', async (section, inside, text) => {
    const { element, panel } = await settingsOf(section);
    await until(text, () => {
      const found = panel.querySelector(inside);
      return (found?.shadowRoot ?? found)?.textContent?.includes(text);
    });
    expect(await barriers(element)).toEqual([]);
  });

  it('goes from tab to tab by the arrow keys, and round', async () => {
    const { element } = await settingsOf('overview');
    const press = async (key: string): Promise<void> => {
      const tabs = element.shadowRoot?.querySelector('[role=tablist]');
      tabs?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
      await element.updateComplete;
    };
    await press('ArrowLeft');
    expect(element.section).toBe('activity');
    await press('ArrowRight');
    expect(element.section).toBe('overview');
  });

  it('asks the server to take a share away', async () => {
    const fake = server().on('DELETE /sandboxes/box/share/bob%40example.com', () => ({ status: 'revoked' }));
    const { panel } = await settingsOf('sharing', fake);
    const button = await until('the button', () =>
      panel.querySelector('agenttier-sharing')?.shadowRoot?.querySelector<HTMLButtonElement>('td.do button'),
    );
    button.click();
    await until('the request', () => fake.asked.some(({ method }) => method === 'DELETE'));
    expect(fake.asked.at(-1)?.url.search).toBe('?namespace=team');
  });

  it('wakes a sandbox for its files only when somebody asks', async () => {
    let status: 'Stopped' | 'Running' = 'Stopped';
    const fake = server()
      .on('GET /sandboxes/box', () => aSandbox({ status }))
      .on('POST /sandboxes/box/resume', () => {
        status = 'Running';
        return {};
      });
    const { panel } = await settingsOf('files', fake);
    const button = await until('the button', () => panel.querySelector('button'));
    expect(fake.asked.some(({ url }) => url.pathname.endsWith('/files'))).toBe(false);
    button.click();
    await until('the files', () => panel.querySelector('agenttier-file-browser'));
  });

  it('opens a file in the editor, and leaves it when nothing would be lost', async () => {
    const fake = server().on('GET /sandboxes/box/files/workspace/notes.txt', () => new Response('some text'));
    const { element, panel } = await settingsOf('files', fake);
    const browser = await until('the browser', () => panel.querySelector('agenttier-file-browser'));
    const name = await until('the file', () => browser.shadowRoot?.querySelector<HTMLElement>('button.name'));
    name.click();
    const editor = await until('the editor', () => panel.querySelector('agenttier-file-editor'));
    await until(
      'its text',
      () => editor.shadowRoot?.querySelector('.cm-content')?.textContent === 'some text',
    );
    expect(browser.hidden).toBe(true);
    expect(await barriers(element)).toEqual([]);
    editor.shadowRoot?.querySelector('button')?.click();
    await until('the folder', () => !browser.hidden);
  });
});
