// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from 'vitest';
import { barriers, FakeServer, show, until } from '../../testing/page.ts';
import { lineBreakOf } from '../yaml-editor/editor.ts';
import { languageOf } from '../yaml-editor/languageOf.ts';
import './file-editor.ts';

const PATH = '/workspace/a%20b.py';

/** A server with one file. Its answers are as the runtime gives them; what is put is read from the body. */
function fileServer(first: string | Uint8Array<ArrayBuffer>) {
  const stored = { content: first as string | Uint8Array<ArrayBuffer> | undefined, version: 1 };
  const puts: Promise<string>[] = [];
  const fake = new FakeServer()
    .on(`GET /sandboxes/box/files${PATH}`, () =>
      stored.content === undefined
        ? Response.json({ error: 'not_found' }, { status: 404 })
        : new Response(stored.content, { headers: { ETag: `"${stored.version}"` } }),
    )
    .on(`PUT /sandboxes/box/files${PATH}`, (_url, _body, headers) => {
      const { content, version } = stored;
      const fits =
        content === undefined ? headers['if-none-match'] === '*' : headers['if-match'] === `"${version}"`;
      if (!fits) return Response.json({ error: 'precondition_failed' }, { status: 412 });
      stored.version++;
      return Response.json({ etag: `"${stored.version}"` }, { status: 201 });
    });
  const { server } = fake;
  const counted: typeof fetch = (input, init) => {
    if (init?.method === 'PUT' && init.body instanceof Blob) puts.push(init.body.text());
    return server.fetch(input, init);
  };
  return { fake, stored, puts, server: { ...server, fetch: counted } };
}

async function editorOf({ server }: ReturnType<typeof fileServer>) {
  const element = document.createElement('agenttier-file-editor');
  Object.assign(element, { server, sandboxId: 'box', namespace: 'team', path: PATH });
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  const contents = () => [...root.querySelectorAll<HTMLElement>('.cm-content')];
  const type = async (text: string): Promise<void> => {
    const content = await until('the text', () => contents().at(-1));
    content.focus();
    document.execCommand('insertText', false, text);
    await until('what was typed', () => content.textContent?.includes(text));
  };
  return { element, root, contents, type };
}

afterEach(() => vi.restoreAllMocks());

describe('languages and line breaks', () => {
  it.each([
    ['main.py', 'python'],
    ['Dockerfile', 'dockerfile'],
    ['.bashrc', 'shell'],
    ['a.tar.YML', 'yaml'],
    ['README', 'text'],
  ])('%s is %s', (name, language) => expect(languageOf(name)).toBe(language));

  it.each([
    ['a\nb', '\n'],
    ['a\r\nb\r\n', '\r\n'],
    ['a\r\nb\n', '\n'],
    ['a\r\n\rb', '\n'],
    ['\na\r\n', '\n'],
    ['', '\n'],
  ])('%j has %j', (text, lineBreak) => expect(lineBreakOf(text)).toBe(lineBreak));
});

describe('agenttier-file-editor', () => {
  it('saves the whole text as it was, but for what was typed, and has no barriers', async () => {
    const files = fileServer('\ufeffone\r\ntwo\r\n');
    const { element, root, type } = await editorOf(files);
    await type('zero ');
    expect(root.textContent).toContain('Not saved yet');
    expect(await barriers(element)).toEqual([]);
    await element.save();
    await until('the word', () => root.textContent?.includes('Saved.'));
    const [text = ''] = await Promise.all(files.puts);
    expect(text.replace('zero ', '')).toBe('\ufeffone\r\ntwo\r\n');
    expect(element.mayLeave()).toBe(true);
  });

  it('keeps line breaks of several kinds apart', async () => {
    const files = fileServer('one\r\ntwo\nthree\r');
    const { element, type } = await editorOf(files);
    await type('zero ');
    await element.save();
    const [text = ''] = await Promise.all(files.puts);
    expect(text.replace('zero ', '')).toBe('one\r\ntwo\nthree\r');
  });

  it('overwrites nothing unseen: what somebody else has stored is shown beside one’s own', async () => {
    const files = fileServer('first\n');
    const { element, root, contents, type } = await editorOf(files);
    await type('mine ');
    Object.assign(files.stored, { content: 'of somebody else\n', version: 7 });
    const conflict = new Promise((resolve) => element.addEventListener('agenttier-file-conflict', resolve));
    await element.save();
    await conflict;
    await until('both texts', () => contents().length === 2);
    expect(contents()[0]?.textContent).toContain('of somebody else');
    expect(contents()[1]?.textContent).toContain('mine ');
    expect(root.querySelector('[role=alert]')).not.toBeNull();
    expect(await barriers(element)).toEqual([]);
    await type('merged ');
    await element.save();
    await until('one text', () => contents().length === 1);
    expect(files.stored.version).toBe(8);
    expect((await Promise.all(files.puts)).at(-1)).toContain('merged ');
  });

  it('makes a file anew that somebody else has deleted, when it is saved once more', async () => {
    const files = fileServer('first\n');
    const { element, root, type } = await editorOf(files);
    await type('mine ');
    files.stored.content = undefined;
    await element.save();
    await until('the note', () => root.querySelector('[role=alert]')?.textContent?.includes('deleted'));
    await element.save();
    await until('the word', () => root.textContent?.includes('Saved.'));
    expect(files.fake.asked.at(-1)?.headers['if-none-match']).toBe('*');
  });

  it('shows no text of what is none', async () => {
    const { root, contents } = await editorOf(fileServer(Uint8Array.of(0xff, 0xfe, 0)));
    await until('the note', () => root.textContent?.includes('is no text in UTF-8'));
    expect(contents()).toEqual([]);
  });

  it('is left with what was typed only when the person says so', async () => {
    const asked = vi.spyOn(globalThis, 'confirm').mockReturnValueOnce(false).mockReturnValueOnce(true);
    const { element, type } = await editorOf(fileServer('first\n'));
    await type('mine ');
    const leave = () =>
      document.dispatchEvent(new Event('agenttier-navigate', { bubbles: true, cancelable: true }));
    expect(leave()).toBe(false);
    expect(leave()).toBe(true);
    expect(asked).toHaveBeenCalledWith('Leave without saving a b.py?');
    element.remove();
    expect(leave()).toBe(true);
  });
});
