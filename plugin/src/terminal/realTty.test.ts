// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type IPty, spawn } from '@lydell/node-pty';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter } from '../testing/fakeRouter.ts';

const MAIN = join(import.meta.dirname, '../main.ts');
const DEADLINE = 15_000;
let router: FakeRouter;
let pty: IPty;
let printed = '';

/** A shell in a real terminal that runs the real plugin and then tells its exit code and the terminal's settings. */
function open(): void {
  printed = '';
  const script =
    '"$NODE" "$MAIN" terminal demo -n team; echo "code=$?"; stty -a | tr ";" "\\n" | grep -wo -e "-\\?echo" -e "-\\?icanon" -e "-\\?isig" -e "-\\?opost"; echo over';
  pty = spawn('/bin/sh', ['-c', script], {
    cols: 90,
    rows: 33,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      NODE: process.execPath,
      MAIN,
      AGENTTIER_API_URL: router.url,
      AGENTTIER_API_KEY: 'atk_secret',
    },
  });
  pty.onData((data) => {
    printed += data;
  });
}
const sees = (text: string): Promise<void> =>
  until(() => printed.includes(text), `the screen to show ${text}, not ${JSON.stringify(printed)}`, DEADLINE);
const attached = (count: number): Promise<void> =>
  until(() => router.attachments.length >= count && router.clients > 0, 'the plugin to attach', DEADLINE);

/** Echo, line editing, signals by keys and line ends are back: what a raw terminal lacks. */
async function expectRestored(code: number): Promise<void> {
  await sees('over');
  expect(printed).toContain(`code=${code}\r\n`);
  for (const setting of ['echo', 'icanon', 'isig', 'opost'])
    expect(printed.split('code=')[1]).toMatch(new RegExp(`^${setting}\\r$`, 'm'));
}

beforeEach(async () => {
  router = await FakeRouter.start();
});
afterEach(async () => {
  pty.kill();
  await router.stopListening();
});

describe('the plugin in a real terminal', () => {
  it('is raw, follows the window, and gives exit code and terminal back', async () => {
    open();
    await attached(1);
    expect(router.attachments[0]?.query.get('cols')).toBe('90');
    // A line feed alone means "one down" to full-screen programs: the bytes must come through as they are.
    const prompt = 'one\r\ntwo\nthree\tprompt$ ';
    router.print(prompt);
    await sees('prompt$ ');
    pty.write('a\u0003\u001a'); // Ctrl-C and Ctrl-Z are the far shell's
    await until(() => router.input === 'a\u0003\u001a', 'keys to arrive', DEADLINE);
    expect(printed).toBe(prompt); // no local echo
    pty.resize(101, 37);
    await until(
      () => router.controls.some((frame) => frame['cols'] === 101 && frame['rows'] === 37),
      'the new size',
      DEADLINE,
    );
    router.exit(3);
    await expectRestored(3);
  });

  it('restores the terminal when a signal ends it', async () => {
    open();
    await attached(1);
    router.print('\u001b[?1049hediting');
    await sees('editing');
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pty.pid)]);
    process.kill(Number(stdout.trim()), 'SIGTERM');
    await expectRestored(130);
    expect(printed).toContain('\u001b[?1049l');
  });

  it('restores the terminal when the router goes for good', async () => {
    open();
    await attached(1);
    router.closeAll(4001, 'sandbox_deleted');
    await expectRestored(1);
    expect(printed).toContain('error: the sandbox was stopped or deleted');
  });
});
