// SPDX-License-Identifier: Apache-2.0
import { spawn } from '@lydell/node-pty';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExactTerminal } from './exactTerminal.ts';
import {
  apply,
  childEnvironment,
  getJson,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { Screen } from './screen.ts';

const [COLS, ROWS] = [100, 30];
const ESC = '\u001b';

interface Side {
  readonly screen: Screen;
  readonly type: (text: string) => void | Promise<void>;
  readonly close: () => void;
}

/** The terminal of AgentTier: runtime, router, WebSocket. */
function ours(namespace: string, session: string, altscreen: 'keep' | 'strip'): Side {
  const screen = new Screen(COLS, ROWS, (text) => void terminal.type(text));
  const terminal: ExactTerminal = new ExactTerminal('screens', namespace, {
    session,
    altscreen,
    cols: COLS,
    rows: ROWS,
    onBytes: (bytes) => screen.feed(bytes),
  });
  return { screen, type: (text) => terminal.type(text), close: () => terminal.close() };
}

/** A PTY of this machine in which kubectl shows one that the container runtime made: nothing of AgentTier. */
function plain(namespace: string, pod: string): Side {
  const screen = new Screen(COLS, ROWS, (text) => pty.write(text));
  const args = ['exec', '-it', '-n', namespace, pod, '-c', 'sandbox', '--', '/bin/bash'];
  const pty = spawn('kubectl', args, { cols: COLS, rows: ROWS, env: childEnvironment() });
  pty.onData((text) => screen.feed(text));
  return { screen, type: (text) => pty.write(text), close: () => pty.kill() };
}

describe('a terminal shows what a plain PTY with the same programs shows', () => {
  const namespace = walkNamespace('walk-screens');
  let sides: readonly Side[] = [];

  const both = async (text: string): Promise<void> => {
    for (const side of sides) await side.type(text);
  };
  const [first, second] = [(): Side => side(0), (): Side => side(1)];
  const side = (index: number): Side => {
    const found = sides[index];
    if (!found) throw new Error('not opened');
    return found;
  };

  /** Both show the text, and in the end the same picture. */
  async function same(text: string): Promise<void> {
    const picture = async (index: number): Promise<string> => {
      await side(index).screen.settled();
      return JSON.stringify(side(index).screen.picture());
    };
    await until(
      `both to show ${text}: ${JSON.stringify(sides.map(({ screen }) => screen.rows()))}`,
      async () => {
        const [one, two] = [await picture(0), await picture(1)];
        return one === two && sides.every(({ screen }) => screen.rows().some((row) => row.includes(text)));
      },
      20_000,
    ).catch(() => expect(first().screen.picture()).toEqual(second().screen.picture()));
    expect(sides.map(({ screen }) => screen.rows().join('\n'))).toEqual([
      expect.stringContaining(text),
      expect.stringContaining(text),
    ]);
  }

  const untilBoth = (what: string, holds: (screen: Screen) => boolean | undefined): Promise<unknown> =>
    until(what, async () => sides.every(({ screen }) => holds(screen)));

  /** An empty screen with a prompt: what is typed before a shell reads is echoed by the kernel, in some other place. */
  async function prompt(): Promise<void> {
    await both('clear\r');
    await untilBoth('both to be at a prompt', (screen) => screen.isAtPrompt('@ '));
  }

  beforeAll(async () => {
    await ok(apply(minimalSandbox('screens'), namespace()));
    await untilPhase('screens', namespace(), 'Running');
    const pod = (await getJson(['sandbox', 'screens', '-n', namespace()])).status.podName as string;
    sides = [ours(namespace(), 'keep', 'keep'), plain(namespace(), pod)];
    await Promise.all(
      sides.map(({ screen }) =>
        until('a prompt', async () => screen.rows().some((row) => row.includes('$'))),
      ),
    );
    const environment = 'TERM=xterm-256color LANG=C.UTF-8 HOME=/tmp EXINIT= PATH=$PATH PS1="@ "';
    await both(`exec env -i ${environment} /bin/bash --norc --noprofile\r`);
    // A folder of its own for each, so that files and sockets can have one name.
    await both('cd "$(mktemp -d)"; export TMUX_TMPDIR=$PWD\r');
    await prompt();
  });
  afterAll(() => {
    for (const { close } of sides) close();
  });

  it('256 colours, attributes, wide and combined characters', async () => {
    await prompt();
    await both(
      "clear; for i in $(seq 0 255); do printf '\\033[48;5;%dm%3d\\033[0m' $i $i; done; " +
        "printf '\\n\\033[38;2;1;2;3;1;3;4;7;9mall\\033[0m 漢字 e\\u0301 😀\\n'; echo fi''n\r",
    );
    await same('fin');
  });

  it('bracketed paste: lines wait for the person', async () => {
    await prompt();
    await both(`${ESC}[200~echo one\necho two${ESC}[201~`);
    await same('echo two');
    expect(first().screen.picture()).toMatchObject({ modes: { bracketedPasteMode: true } });
    await both('\r');
    await same('two');
  });

  it('an editor', async () => {
    await prompt();
    await both('clear; vi -u NONE -N note\r');
    await same('~');
    await both('iThe first line\rand 漢字 in the second');
    await same('and 漢字 in the second');
    await both(`${ESC}:set number\r`);
    await same('  2 and');
    await both('yy200p');
    await same('200 more lines');
    await both(`gg/second\r${ESC}dd`);
    await same('The first line');
    await both(':q!\r');
    await same('@');
    expect(first().screen.picture()).toMatchObject({ buffer: 'normal' });
  });

  it('a pager', async () => {
    await prompt();
    await both('clear; seq 1 900 | less\r');
    await same('29');
    await both('G');
    await same('900');
    await both('?50');
    await both('\r');
    await same('850');
    await both('q');
    await same('@');
  });

  it('a full-screen program that repaints', async () => {
    await prompt();
    await both('clear; watch -t -n 3600 -c \'printf "\\033[31mred\\033[0m\\n"; seq 5\'\r');
    await same('red');
    await both('\u0003');
    await same('@');
    // The figures of top differ by the moment: what stays are its words and where they stand.
    await prompt();
    await both('clear; top -d 1000\r');
    const words = ({ screen }: Side): string =>
      (screen.rows().find((row) => row.includes('PID')) ?? '') + screen.rows()[0]?.slice(0, 3);
    await until('both to show top', async () => sides.every((each) => words(each).includes('COMMAND')));
    expect(words(first())).toBe(words(second()));
    await both('q');
    await until('both to be back', async () =>
      sides.every(({ screen }) => screen.rows().some((row) => row.startsWith('@'))),
    );
  });

  it('a multiplexer', async () => {
    await prompt();
    await both('clear; tmux -f /dev/null new \'PS1="% " bash --norc --noprofile\'\r');
    await until('both to have a status line', async () =>
      sides.every(({ screen }) => screen.rows().at(-1)?.startsWith('[0]')),
    );
    await untilBoth('both to have a prompt inside', (screen) => screen.rows()[0]?.startsWith('%'));
    await both('tmux set -g status off; clear\r');
    await untilBoth('both to be without a status line', (screen) => {
      const rows = screen.rows();
      return rows[0]?.trimEnd() === '%' && rows.at(-1)?.trimEnd() === '';
    });
    await both(`tmux split-window -h "PS1='% ' bash --norc --noprofile"\r`);
    await untilBoth('both to have a second pane with a prompt', (screen) =>
      /│% *$/.test(screen.rows()[0] ?? ''),
    );
    await both("clear; echo ri''ght\r");
    await same('right');
    await both('\u0002o');
    await both("echo le''ft\r");
    await same('left');
    await both('tmux kill-server\r');
    await until('both to have left', async () =>
      sides.every(({ screen }) => screen.rows().some((row) => row.startsWith('[server exited]'))),
    );
    await prompt();
    await same('@');
    expect(first().screen.picture()).toMatchObject({ buffer: 'normal' });
  });

  it('without the second screen what an editor showed stays in the scrollback', async () => {
    const strip = ours(namespace(), 'strip', 'strip');
    await until('a prompt', async () => strip.screen.rows().some((row) => row.includes('$')));
    await strip.type("clear; printf 'kept text\\n' > /tmp/kept; vi -u NONE -N /tmp/kept\r");
    await until(
      'the editor',
      async () => strip.screen.rows().filter((row) => row.startsWith('~')).length > 10,
    );
    expect(strip.screen.picture()).toMatchObject({ buffer: 'normal' });
    await strip.type(':q\r');
    await until('the prompt below what it showed', async () => {
      const rows = strip.screen.rows();
      return rows.some((row) => row.startsWith('kept text')) && rows.at(-1)?.includes('$');
    });
    strip.close();
  });
});
