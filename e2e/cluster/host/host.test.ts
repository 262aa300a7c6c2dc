// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { account, widenPath } from './account.ts';
import { cacheFolder, cached, contentKey, filesBelow } from './cache.ts';
import { CommandError, run, tryRun } from './command.ts';
import { archiveOf, containerdIsEnough, goIsEnough, parseOsRelease } from './packages.ts';
import { Progress, describeResult, formatElapsed } from './progress.ts';
import { DeadlineError, waitFor } from './waitFor.ts';

const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, name: 'me', home: tmpdir() };
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agenttier-host-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('packages', () => {
  it.each([
    ['containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6', true],
    ['containerd containerd.io 2.1.4 abc', true],
    ['containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20', false],
    ['', false],
  ])('%s: enough %s', (version, enough) => expect(containerdIsEnough(version)).toBe(enough));

  it.each([
    ['go version go1.26.8 linux/amd64', true],
    ['go1.21~1', true],
    ['go version go1.19.8 linux/amd64', false],
    ['', false],
  ])('%s: enough %s', (version, enough) => expect(goIsEnough(version)).toBe(enough));

  it('reads os-release with and without quotes', () => {
    expect(
      parseOsRelease('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_CODENAME=bookworm\n'),
    ).toMatchObject({
      ID: 'debian',
      VERSION_CODENAME: 'bookworm',
      PRETTY_NAME: 'Debian GNU/Linux 12',
    });
  });

  const deb822 =
    'Types: deb\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\nTypes: deb\nURIs: http://mirror/security\nSuites: bookworm-security\n';
  it.each([
    ['deb822', [deb822], 'http://mirror/debian'],
    [
      'one line',
      ['# deb http://no bookworm main\ndeb http://mirror/debian bookworm main\n'],
      'http://mirror/debian',
    ],
    [
      'options',
      ['deb [arch=amd64 signed-by=/k] http://mirror/debian bookworm main\n'],
      'http://mirror/debian',
    ],
    ['another release only', ['deb http://mirror/debian trixie main\n'], undefined],
  ])('finds the archive in %s', (_, sources, archive) =>
    expect(archiveOf(sources, 'bookworm')).toBe(archive),
  );
});

describe('account', () => {
  it('adds the folders of administrators once', () => {
    expect(widenPath('/usr/bin:/usr/sbin')).toBe(
      '/usr/bin:/usr/sbin:/usr/local/sbin:/sbin:/usr/local/go/bin',
    );
  });
  it('is the one behind sudo', () => {
    expect(account({ AGENTTIER_ACCOUNT: '1000:1001:ann:/home/ann' })).toEqual({
      uid: 1000,
      gid: 1001,
      name: 'ann',
      home: '/home/ann',
    });
  });
});

describe('cache', () => {
  it('lies where AGENTTIER_CACHE says, else in the home', () => {
    expect(cacheFolder({ AGENTTIER_CACHE: '/c' }, '/h')).toBe('/c');
    expect(cacheFolder({}, '/h')).toBe('/h/.cache/agenttier');
  });

  it('has a key that changes with content, name and mode, not with place', () => {
    writeFileSync(join(folder, 'a'), '1');
    const key = contentKey(folder, filesBelow(folder));
    expect(contentKey(folder, filesBelow(folder))).toBe(key);
    expect(contentKey(folder, filesBelow(folder), 'flags')).not.toBe(key);
    writeFileSync(join(folder, 'a'), '2');
    expect(contentKey(folder, filesBelow(folder))).not.toBe(key);
  });

  it('keeps nothing of a build that fails', async () => {
    const file = join(folder, 'deep', 'thing');
    const broken = cached(file, me, async (draft) => {
      writeFileSync(draft, 'half');
      throw new Error('cut off');
    });
    await expect(broken).rejects.toThrow('cut off');
    expect(readdirSync(join(folder, 'deep'))).toEqual([]);
    expect(await cached(file, me, async (draft) => writeFileSync(draft, 'whole'))).toBe('made');
    expect(await cached(file, me, async () => expect.unreachable())).toBe('cached');
    expect(readFileSync(file, 'utf8')).toBe('whole');
    expect(existsSync(file)).toBe(true);
  });
});

describe('commands', () => {
  it('hand on input and exit code', async () => {
    expect(await run('cat', [], { input: 'hello' })).toBe('hello');
    expect(await tryRun('sh', ['-c', 'echo no >&2; exit 3'])).toEqual({
      code: 3,
      stdout: '',
      stderr: 'no\n',
    });
    expect((await tryRun('/no/such/program', [])).code).toBe(127);
    await expect(run('sh', ['-c', 'echo why >&2; exit 1'])).rejects.toThrow(CommandError);
    await expect(run('sh', ['-c', 'echo why >&2; exit 1'])).rejects.toThrow(/why/);
  });
});

describe('waiting', () => {
  it('ends when the condition holds, and says what was seen last when it never does', async () => {
    let looks = 0;
    await waitFor({ what: 'x', deadlineMs: 1_000, everyMs: 1 }, async () =>
      ++looks === 3 ? true : 'not yet',
    );
    expect(looks).toBe(3);
    const never = waitFor({ what: 'y', deadlineMs: 5, everyMs: 1 }, async () => 'still closed');
    await expect(never).rejects.toThrow(DeadlineError);
    await expect(
      waitFor({ what: 'y', deadlineMs: 5, everyMs: 1 }, async () => 'still closed'),
    ).rejects.toThrow(/still closed/);
  });
});

describe('progress', () => {
  it.each([
    [400, '0.4s'],
    [59_000, '59.0s'],
    [61_000, '1m01s'],
    [754_000, '12m34s'],
  ])('%i ms is %s', (ms, text) => expect(formatElapsed(ms)).toBe(text));

  it('prints one line per step with what came of it', async () => {
    const lines: string[] = [];
    let now = 0;
    const progress = new Progress(
      (line) => lines.push(line),
      () => (now += 100),
    );
    await progress.step('load', async () => ['a', { name: 'b' }]);
    await expect(progress.step('fail', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/✓ load .* a b$/);
    expect(lines[1]).toMatch(/✗ fail/);
    expect(describeResult({ some: 'object' })).toBe('');
  });
});
