// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { signIn, walkBrowser } from './browser.ts';
import { DEV_SERVER } from './devServer.ts';
import { apply, inSandbox, minimalSandbox, ok, rest, until, untilPhase, walkNamespace } from './harness.ts';
import { small } from './sandboxes.ts';

const PORT = 3000;

describe('files and ports on the dashboard', () => {
  const namespace = walkNamespace('walk-pages');
  const open = walkBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'agenttier-walk-'));
  const shell = (script: string): Promise<string> => ok(inSandbox('box', namespace(), script));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A tab of the settings, of a person of its own. */
  const openTab = async (name: 'Files' | 'Ports') => {
    const tab = await open();
    await signIn(tab.page, `/sandboxes/${namespace()}/box`);
    await tab.page.getByRole('tab', { name }).click();
    return tab;
  };

  it('bring 50 MB into the sandbox unchanged, and out again', async () => {
    await ok(apply(minimalSandbox('box', small('256Mi')), namespace()));
    await untilPhase('box', namespace(), 'Running');
    const bytes = randomBytes(50 * 1024 * 1024);
    const sum = createHash('sha256').update(bytes).digest('hex');
    const name = 'größe 50%.bin';
    writeFileSync(join(folder, name), bytes);

    const { page, complaints } = await openTab('Files');
    await page.getByLabel('Files to upload').setInputFiles(join(folder, name));
    await page.locator('.transfers li.done', { hasText: name }).waitFor();
    expect((await shell(`sha256sum < '/workspace/${name}'`)).split(' ')[0]).toBe(sum);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Download ${name}` }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(name);
    const hash = createHash('sha256');
    for await (const chunk of await download.createReadStream()) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(sum);

    page.on('dialog', (dialog) => void dialog.accept());
    await page.getByRole('button', { name: `Delete ${name}` }).click();
    await page.getByRole('button', { name: `Delete ${name}` }).waitFor({ state: 'detached' });
    // Neither the file nor pieces of it.
    expect(await shell('ls -A /workspace')).not.toContain('größe');
    expect(complaints).toEqual([]);
  });

  it('show both texts when two people have edited one file, and lose none', async () => {
    await shell("printf 'first\\r\\nline\\r\\n' > /workspace/notes.txt");
    const tabs = [await openTab('Files'), await openTab('Files')] as const;
    for (const { page } of tabs) {
      await page.getByRole('button', { name: 'File notes.txt' }).click();
      await page.locator('.cm-content').click();
    }
    const [ann, bob] = tabs;
    await ann.page.keyboard.press('Control+Home');
    await ann.page.keyboard.type('of ann ');
    await ann.page.getByRole('button', { name: 'Save' }).click();
    await ann.page.getByText('Saved.').waitFor();
    await bob.page.keyboard.press('Control+End');
    await bob.page.keyboard.type('of bob');
    await bob.page.getByRole('button', { name: 'Save' }).click();
    await bob.page.getByText('Somebody else has changed this file').waitFor();
    expect(await shell('cat /workspace/notes.txt')).toBe('of ann first\r\nline\r\n');
    // Takes over the first difference, which is Ann's, and keeps his own.
    await bob.page.getByRole('button', { name: 'Take this over' }).first().click();
    await bob.page.getByRole('button', { name: 'Save' }).click();
    await bob.page.getByText('Saved.').waitFor();
    expect(await shell('cat /workspace/notes.txt')).toBe('of ann first\r\nline\r\nof bob');
    expect([...ann.complaints, ...bob.complaints]).toEqual([]);
  });

  it('open the preview of a server with a WebSocket', async () => {
    const command = ['perl', '-e', DEV_SERVER, String(PORT), '/tmp/seen'];
    const path = `/sandboxes/box/exec?namespace=${namespace()}`;
    expect((await rest('POST', path, { command, detach: true })).status).toBe(202);
    const { page, complaints } = await openTab('Ports');
    // It is found without a reload.
    await page.getByRole('button', { name: `Forward port ${PORT}` }).click();
    const [preview] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('button', { name: `Open preview of port ${PORT}` }).click(),
    ]);
    await preview.waitForURL((url) => url.hostname.startsWith(`${PORT}--box--`));
    await until('the program’s answer', async () =>
      (await preview.locator('body').innerText()).includes(`Host: localhost:${PORT}`),
    );
    expect(new URL(preview.url()).search).toBe('');
    const echo = await preview.evaluate<string>(`new Promise((resolve, reject) => {
      const socket = new WebSocket('ws://' + location.host + '/hmr');
      socket.onopen = () => socket.send('hello');
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = reject;
    })`);
    expect(echo).toBe('echo hello');
    expect(await preview.evaluate('window.opener')).toBeNull();
    await page.getByRole('button', { name: `Remove port ${PORT}` }).click();
    await page.getByText('No port is forwarded').waitFor();
    expect(complaints).toEqual([]);
  });
});
