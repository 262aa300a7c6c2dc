// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { apply, inSandbox, minimalSandbox, ok, until, untilPhase, walkNamespace } from './harness.ts';
import { ownRouter } from './ownRouter.ts';
import { openBrowserTerminal, openPluginTerminal, type Terminal, untilPrinted } from './terminals.ts';

/** Types a command whose output is framed by marks that its own echo does not contain, and gives what stands between. */
async function ask(terminal: Terminal, command: string, timeoutMs = 60_000): Promise<string> {
  const from = terminal.printed().length;
  terminal.type(`echo be''gin; ${command}; echo e''nd\r`);
  const framed = await untilPrinted(terminal, /begin\r\n([^]*?)end\r\n/, from, timeoutMs);
  return framed.slice('begin\r\n'.length, -'end\r\n'.length).trim();
}

const ways: readonly [string, string, (sandbox: string, namespace: string) => Promise<Terminal>][] = [
  ['browser', 'the router, as a browser', openBrowserTerminal],
  ['plugin', 'kubectl agenttier terminal through the router', async (s, n) => openPluginTerminal(s, n)],
  ['direct', 'kubectl agenttier terminal without a router', async (s, n) => openPluginTerminal(s, n, '')],
];

describe.each(ways)('%s: a terminal through %s', (name, _, open) => {
  const namespace = walkNamespace(`walk-term-${name}`);
  let terminal: Terminal;
  const sandbox = `term-${name}`;

  beforeAll(async () => {
    await ok(apply(minimalSandbox(sandbox), namespace()));
    await untilPhase(sandbox, namespace(), 'Running');
    terminal = await open(sandbox, namespace());
    await untilPrinted(terminal, /\$ /);
  });

  it('runs vi', async () => {
    const from = terminal.printed().length;
    terminal.type('vi /workspace/note\r');
    await untilPrinted(terminal, /~[^]*~/, from);
    terminal.type('ihello from vi\u001b:wq\r');
    await until('the file to be written', async () => {
      const { stdout } = await inSandbox(sandbox, namespace(), 'cat /workspace/note');
      return stdout === 'hello from vi\n';
    });
  });

  it('follows a resize', async () => {
    terminal.resize(101, 37);
    await until('the size to arrive', async () => (await ask(terminal, 'stty size')).includes('37 101'));
  });

  it('takes a paste of 1 MiB whole', async () => {
    const line = `${'x'.repeat(63)}\n`;
    const text = line.repeat(1024 * 16);
    const from = terminal.printed().length;
    terminal.type("stty -echo; echo rea''dy; head -c 1048576 > /workspace/paste; stty echo; echo do''ne\r");
    await untilPrinted(terminal, /ready/, from);
    terminal.type(text);
    await untilPrinted(terminal, /done/, from, 120_000);
    const { stdout } = await inSandbox(sandbox, namespace(), 'sha256sum < /workspace/paste');
    expect(stdout.split(' ')[0]).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('keeps emoji whole across the borders of chunks', async () => {
    const from = terminal.printed().length;
    terminal.type("for i in $(seq 6000); do printf 'a\\360\\237\\230\\200'; done; echo fi''n\r");
    await untilPrinted(terminal, /fin\r\n/, from);
    const text = terminal.printed().slice(from);
    expect(text.match(/😀/gu)).toHaveLength(6000);
    expect(text).not.toContain('\uFFFD');
  });

  it('gives the exit code of the shell', async () => {
    terminal.type('exit 3\r');
    expect(await terminal.exitCode).toBe(3);
  });
});

describe('a router dies while a command prints', () => {
  const namespace = walkNamespace('walk-reattach');
  const router = ownRouter('reattach', { replicas: 2, namespaces: [namespace] });

  it('the plugin reattaches to the same shell and misses and repeats nothing', async () => {
    await ok(apply(minimalSandbox('survivor'), namespace()));
    await untilPhase('survivor', namespace(), 'Running');
    const terminal = openPluginTerminal('survivor', namespace(), router.url);
    await untilPrinted(terminal, /\$ /);
    const shell = await ask(terminal, 'echo pid $$');
    const from = terminal.printed().length;
    terminal.type("for i in $(seq 1 300); do echo line-$i; sleep 0.05; done; echo a''ll\r");
    await untilPrinted(terminal, /line-40\r\n/, from);
    for (const pod of await router.pods()) await router.kill(pod);
    await untilPrinted(terminal, /all\r\n/, from, 120_000);
    const numbers = [
      ...terminal
        .printed()
        .slice(from)
        .matchAll(/line-(\d+)\r\n/g),
    ].map((match) => Number(match[1]));
    expect(numbers).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(await ask(terminal, 'echo pid $$')).toBe(shell);
    terminal.type('exit\r');
    expect(await terminal.exitCode).toBe(0);
  });
});
