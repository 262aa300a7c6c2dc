// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { signIn, walkBrowser } from './browser.ts';
import { apply, inSandbox, minimalSandbox, ok, untilPhase, walkNamespace } from './harness.ts';
import { small } from './sandboxes.ts';

describe('files on the dashboard', () => {
  const namespace = walkNamespace('walk-pages');
  const open = walkBrowser();
  const shell = (script: string): Promise<string> => ok(inSandbox('box', namespace(), script));

  /** The files of the sandbox, of a person of its own. */
  const openFiles = async () => {
    const tab = await open();
    await signIn(tab.page, `/sandboxes/${namespace()}/box`);
    await tab.page.getByRole('tab', { name: 'Files' }).click();
    return tab;
  };

  it('show both texts when two people have edited one file, and lose none', async () => {
    await ok(apply(minimalSandbox('box', small()), namespace()));
    await untilPhase('box', namespace(), 'Running');
    await shell("printf 'first\\r\\nline\\r\\n' > /workspace/notes.txt");
    const tabs = [await openFiles(), await openFiles()] as const;
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
});
