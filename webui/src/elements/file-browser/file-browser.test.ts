// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FolderEntry } from '../../data/files.ts';
import { barriers, FakeServer, show, until } from '../../testing/page.ts';
import './file-browser.ts';
import { ordered, turned } from './order.ts';

const MIB = 1024 * 1024;

const entry = (name: string, more: object = {}) => ({
  name,
  type: 'file',
  size: 10,
  isDir: false,
  mode: '-rw-r--r--',
  permissions: '0644',
  modifiedAt: 1_790_000_000,
  ...more,
});
const folder = (name: string) => entry(name, { type: 'dir', isDir: true });

const pathIn = (url: URL): string => {
  const coded = url.searchParams.get('pathBase64');
  return coded === null ? '' : atob(coded.replaceAll('-', '+').replaceAll('_', '/'));
};

const server = (folders: Readonly<Record<string, readonly object[]>> = {}) =>
  new FakeServer().on('GET /sandboxes/box/files', (url) => {
    const path = pathIn(url) || '/workspace';
    const entries = folders[path];
    return entries === undefined
      ? Response.json({ error: 'not_found', message: `${path} is not there` }, { status: 404 })
      : { path, entries };
  });

const TREE = {
  '/workspace': [entry('notes 10.txt'), entry('notes 9.txt', { size: 3_400_000 }), folder('src')],
  '/workspace/src': [entry('main.py')],
  '/tmp': [],
};

async function browserOf(fake: FakeServer) {
  const element = document.createElement('agenttier-file-browser');
  Object.assign(element, { server: fake.server, sandboxId: 'box', namespace: 'team' });
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  await until('the folder', () => root.querySelector('table, .empty'));
  const names = () => [...root.querySelectorAll('button.name')].map((one) => one.textContent?.trim());
  const press = (text: string): void => {
    const found = [...root.querySelectorAll('button')].find(
      (one) => (one.getAttribute('aria-label') ?? one.textContent?.trim()) === text,
    );
    if (found === undefined) throw new Error(`there is no button ${text}`);
    found.click();
  };
  return { element, root, names, press };
}

const shown = (names: readonly (string | undefined)[]) => names.map((one) => one?.replace(/^\w+\s+/, ''));

afterEach(() => {
  vi.restoreAllMocks();
  document.body.style.background = '';
});

describe('the order of a folder', () => {
  const entries = [entry('b'), entry('A10', { size: 5 }), entry('a9', { size: 7 }), folder('z')];
  it.each([
    ['name', false, ['z', 'a9', 'A10', 'b']],
    ['name', true, ['z', 'b', 'A10', 'a9']],
    ['size', true, ['z', 'b', 'a9', 'A10']],
  ] as const)('by %s, descending %s', (by, descending, names) => {
    const found = ordered(entries as readonly FolderEntry[], { by, descending });
    expect(found.map(({ name }) => name)).toEqual(names);
  });

  it('turns with a second click, and begins with the largest and the newest', () => {
    expect(turned({ by: 'name', descending: false }, 'name')).toEqual({ by: 'name', descending: true });
    expect(turned({ by: 'name', descending: true }, 'size')).toEqual({ by: 'size', descending: true });
  });
});

describe('agenttier-file-browser', () => {
  it.each(['light', 'dark'] as const)('shows a folder without barriers, in %s', async (theme) => {
    const { element, names } = await browserOf(server(TREE));
    element.theme = theme;
    document.body.style.background = theme === 'dark' ? '#131418' : '#f7f7f9';
    await element.updateComplete;
    expect(shown(names())).toEqual(['src', 'notes 9.txt', 'notes 10.txt']);
    expect(await barriers(element)).toEqual([]);
  });

  it('goes down, by the crumbs up, and by keys', async () => {
    const { element, root, names, press } = await browserOf(server(TREE));
    const table = () => root.querySelector('.table button.name') as HTMLElement;
    table().click();
    await until('what is in src', () => shown(names()).includes('main.py'));
    expect(element.path).toBe('/workspace/src');
    press('/workspace');
    await until('the workspace', () => shown(names()).includes('src'));
    table().click();
    await until('src again', () => shown(names()).includes('main.py'));
    table().dispatchEvent(new KeyboardEvent('keydown', { key: 'Backspace', bubbles: true }));
    await until('the workspace again', () => shown(names()).includes('src'));
    press('/tmp');
    await until('an empty folder', () => root.querySelector('.empty'));
    expect(await barriers(element)).toEqual([]);
  });

  it('stays where it is when a folder cannot be shown', async () => {
    const { element, root, names } = await browserOf(server(TREE));
    await element.go('/workspace/none');
    expect(root.querySelector('[role=alert]')?.textContent).toContain('is not there');
    expect(shown(names())).toContain('src');
    expect(element.path).toBe('/workspace');
  });

  it('renames what has no name in text by its bytes', async () => {
    const fake = server({ '/workspace': [entry('\ufffd.bin', { nameBase64: '_y5iaW4' })] });
    fake.on('POST /sandboxes/box/files', () => ({}));
    const { root, names, press } = await browserOf(fake);
    expect(shown(names())).toEqual(['\\xFF.bin']);
    press('Rename \\xFF.bin');
    const input = await until('the form', () => root.querySelector<HTMLInputElement>('.naming input'));
    const form = input.closest('form') as HTMLFormElement;
    input.value = 'a/b';
    form.requestSubmit();
    await until('the objection', () => root.querySelector('.problem'));
    input.value = 'größer.bin';
    form.requestSubmit();
    const asked = await until('the request', () => fake.asked.find(({ method }) => method === 'POST'));
    const { op, pathBase64, toBase64 } = asked.body as Record<string, string>;
    const bytes = (text = '') => atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    expect([op, bytes(pathBase64)]).toEqual(['move', '/workspace/\xff.bin']);
    expect(bytes(toBase64)).toBe('/workspace/gr\xc3\xb6\xc3\x9fer.bin');
  });

  it('deletes when that was confirmed, and only then', async () => {
    const fake = server(TREE).on(
      'DELETE /sandboxes/box/files/workspace/notes%209.txt',
      () => new Response(null, { status: 204 }),
    );
    const asked = vi.spyOn(globalThis, 'confirm').mockReturnValueOnce(false).mockReturnValueOnce(true);
    const { press } = await browserOf(fake);
    press('Delete notes 9.txt');
    expect(asked).toHaveBeenCalledWith('Delete notes 9.txt?');
    expect(fake.asked.filter(({ method }) => method === 'DELETE')).toEqual([]);
    press('Delete notes 9.txt');
    const request = await until('the request', () => fake.asked.find(({ method }) => method === 'DELETE'));
    expect(request.url.searchParams.get('namespace')).toBe('team');
  });

  it('uploads a long file in pieces, each told, and goes on where a connection broke', async () => {
    const size = 3 * MIB + 5;
    let received = 0;
    let broken = false;
    const ranges: string[] = [];
    const fake = server(TREE).on('PATCH /sandboxes/box/files/workspace/big.bin', (_url, _body, headers) => {
      const range = headers['content-range'] ?? '';
      ranges.push(range);
      if (range.startsWith('bytes 1048576-') && !broken) {
        broken = true;
        received = 2 * MIB;
        return Response.json({ error: 'transport_lost' }, { status: 502 });
      }
      const last = /-(\d+)\//.exec(range)?.[1];
      if (last !== undefined) received = Number(last) + 1;
      return Response.json({ received }, { status: received === size ? 201 : 202 });
    });
    const { element, root } = await browserOf(fake);
    const came = new Promise((resolve) => element.addEventListener('agenttier-uploaded', resolve));
    await element.upload([new File([new Uint8Array(size)], 'big.bin')]);
    await came;
    expect(ranges).toEqual([
      `bytes 0-1048575/${size}`,
      `bytes 1048576-3145728/${size}`.replace('3145728', String(3 * MIB - 1)),
      `bytes */${size}`,
      `bytes ${2 * MIB}-${size - 1}/${size}`,
    ]);
    expect(root.querySelector('.transfers .done')?.textContent).toContain('big.bin');
    expect(await barriers(element)).toEqual([]);
  });

  it('ends an upload that is cancelled, and what has come of it', async () => {
    const fake = server(TREE)
      .on('PATCH /sandboxes/box/files/workspace/big.bin', (_url, _body, headers) => {
        const isFirst = headers['content-range']?.startsWith('bytes 0-') === true;
        return isFirst
          ? Response.json({ received: MIB }, { status: 202 })
          : new Response('', { status: 503 });
      })
      .on('DELETE /sandboxes/box/files/workspace/big.bin', () => new Response(null, { status: 204 }));
    const { element, root } = await browserOf(fake);
    const ended = element.upload([new File([new Uint8Array(40 * MIB)], 'big.bin')]);
    await until('its progress', () => root.querySelector('progress')?.value === MIB);
    const cancel = await until('the button', () =>
      root.querySelector<HTMLButtonElement>('[aria-label="Cancel big.bin"]'),
    );
    const asked = vi.spyOn(globalThis, 'confirm').mockReturnValue(false);
    expect(element.mayLeave()).toBe(false);
    expect(asked).toHaveBeenCalledWith('Leave, and cancel what is being transferred?');
    cancel.click();
    await ended;
    expect(element.mayLeave()).toBe(true);
    const gone = await until('the end', () => fake.asked.find(({ method }) => method === 'DELETE'));
    expect(gone.url.searchParams.get('upload')).toMatch(/^[0-9a-f]+$/);
    expect(root.querySelector('.transfers .canceled')).not.toBeNull();
  });

  it('takes files that are dropped, and asks before one is replaced', async () => {
    const fake = server(TREE)
      .on('PUT /sandboxes/box/files/workspace/new%25.txt', () => ({}), 201)
      .on('PUT /sandboxes/box/files/workspace/notes%209.txt', () => ({}), 201);
    const asked = vi.spyOn(globalThis, 'confirm').mockReturnValue(true);
    const { root } = await browserOf(fake);
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['new'], 'new%.txt'));
    dataTransfer.items.add(new File(['other'], 'notes 9.txt'));
    const section = root.querySelector('section') as HTMLElement;
    section.dispatchEvent(new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true }));
    await until('the place', () => root.querySelector('[part=drop]'));
    section.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    await until('both', () => root.querySelectorAll('.transfers .done').length === 2);
    expect(asked).toHaveBeenCalledExactlyOnceWith('Replace notes 9.txt?');
    const conditions = fake.asked
      .filter(({ method }) => method === 'PUT')
      .map(({ headers }) => headers['if-none-match']);
    expect(conditions).toEqual(['*', undefined]);
  });

  it('has the browser download what nobody else opens, and a folder as zip', async () => {
    const clicked = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    const fake = server(TREE).on('POST /sandboxes/box/download-tickets', (_url, body) => {
      const { pathBase64, format } = body as Record<string, string>;
      return { url: `/api/v1/sandboxes/box/download?of=${pathBase64}.${format}`, expiresAt: '' };
    });
    const { element } = await browserOf(fake);
    expect(await element.download('/workspace/notes%209.txt')).toBe(true);
    expect(await element.download('/workspace/src', true)).toBe(true);
    const links = clicked.mock.contexts as HTMLAnchorElement[];
    expect(links.map(({ download }) => download)).toEqual(['notes 9.txt', 'src.zip']);
    const asked = links.map(({ href }) => new URL(href).searchParams.get('of')?.split('.') ?? []);
    expect(asked.map(([path = '', format]) => [atob(path), format])).toEqual([
      ['/workspace/notes 9.txt', 'undefined'],
      ['/workspace/src', 'zip'],
    ]);
  });

  it('says on the page why there is nothing to download', async () => {
    const fake = server(TREE).on('POST /sandboxes/box/download-tickets', () =>
      Response.json({ error: 'not_found', message: 'it is gone' }, { status: 404 }),
    );
    const { element, root } = await browserOf(fake);
    expect(await element.download('/workspace/notes%209.txt')).toBe(false);
    await element.updateComplete;
    expect(root.querySelector('[role=alert]')?.textContent).toContain('it is gone');
  });
});
