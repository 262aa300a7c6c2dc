// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerdConfig } from './containerd.ts';
import { describeGvisor, gvisorRuntime, runscConfig } from './gvisor.ts';
import { net, paths, STATE } from './layout.ts';
import { parseImageList } from './load.ts';
import { cniConfig } from './network.ts';
import { extensions } from './pki.ts';
import {
  Processes,
  type ProcessSpec,
  fingerprint,
  isAlive,
  parseParent,
  parseStartTime,
  readProc,
} from './processes.ts';
import { parseTables, withDescendants } from './teardown.ts';

describe('/proc/PID/stat', () => {
  const rest = `S 42 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200`;
  it.each([
    ['plain', `7 (sh) ${rest}`],
    ['a name with blanks and brackets', `7 (a) b (c) ${rest}`],
  ])('is read with %s', (_, stat) => {
    expect(parseStartTime(stat)).toBe('987654');
    expect(parseParent(stat)).toEqual({ state: 'S', parent: 42 });
  });
});

const ready = async (): Promise<true> => true;
const sleeper = (seconds: string): ProcessSpec => ({
  name: 'sleeper',
  file: 'sleep',
  args: [seconds],
  ready,
});

describe('processes', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agenttier-processes-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('start once, are kept, restart when asked for something else, and end', async () => {
    const processes = new Processes(folder);
    expect(await processes.ensure(sleeper('600'))).toBe('started');
    const first = processes.record('sleeper');
    expect(await processes.ensure(sleeper('600'))).toBe('kept');
    expect(processes.record('sleeper')).toEqual(first);
    expect(await processes.ensure(sleeper('601'))).toBe('restarted');
    expect(first !== undefined && isAlive(first)).toBe(false);
    const second = processes.record('sleeper');
    await processes.stop('sleeper');
    expect(second !== undefined && isAlive(second)).toBe(false);
    expect(processes.names()).toEqual([]);
  });

  it('start again what was killed', async () => {
    const processes = new Processes(folder);
    await processes.ensure(sleeper('600'));
    const { pid } = processes.record('sleeper') ?? expect.unreachable();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => isAlive(processes.record('sleeper') ?? expect.unreachable())).toBe(false);
    expect(await processes.ensure(sleeper('600'))).toBe('restarted');
    await processes.stop('sleeper');
  });

  it('never touch a process that took over the pid', async () => {
    const other = spawn('sleep', ['600']);
    const stat = readProc(other.pid ?? 0, 'stat') ?? '';
    expect(isAlive({ pid: other.pid ?? 0, startTime: `${Number(parseStartTime(stat)) - 1}` })).toBe(false);
    other.kill();
  });

  it('report the last words of a program that ends at its start', async () => {
    const processes = new Processes(folder);
    const spec = {
      name: 'broken',
      file: 'sh',
      args: ['-c', 'echo bad flag; exit 1'],
      ready: async () => 'not up',
    };
    await expect(processes.ensure(spec)).rejects.toThrow(/bad flag/);
  });

  it('have a fingerprint of all that they are started with', () => {
    const base = { file: 'a', args: ['b'] };
    expect(fingerprint(base)).toBe(fingerprint({ ...base }));
    for (const other of [
      { file: 'x', args: ['b'] },
      { file: 'a', args: ['c'] },
      { ...base, inputs: ['config'] },
      { ...base, env: { A: '1' } },
    ]) {
      expect(fingerprint(other)).not.toBe(fingerprint(base));
    }
  });
});

describe('teardown', () => {
  it('finds all that descends from a shim, deepest first', () => {
    const all = [
      { pid: 1, parent: 0 },
      { pid: 10, parent: 1 },
      { pid: 11, parent: 10 },
      { pid: 12, parent: 11 },
      { pid: 20, parent: 1 },
    ];
    expect(withDescendants({ pid: 10, parent: 1 }, all).map(({ pid }) => pid)).toEqual([12, 11, 10]);
  });

  it('reads the names of tables', () => {
    expect(parseTables('table ip kube-proxy\ntable inet x\n\n')).toEqual(['ip kube-proxy', 'inet x']);
  });
});

describe('configuration', () => {
  it('goes without gVisor where it cannot run, and says why in one line', () => {
    const without = { ok: false, why: 'runsc cannot run\nno such call' } as const;
    expect(gvisorRuntime(without)).toEqual({ config: '', inputs: [] });
    expect(describeGvisor(without)).toBe('left out: no such call');
    expect(runscConfig()).toContain(`root = "${paths.runscRoot}"`);
  });

  it('keeps all of containerd in our folders', () => {
    const config = containerdConfig({ snapshotter: 'overlayfs', cniBin: '/usr/lib/cni' });
    for (const path of [paths.containerdRoot, paths.containerdSocket, paths.cniConfig, paths.runcRoot])
      expect(config).toContain(path);
    expect(config).not.toMatch(/"\/(var\/lib\/containerd|run\/containerd|etc\/cni)/);
  });

  it('keeps sockets within the length that the kernel takes', () => {
    for (const socket of [
      paths.containerdSocket,
      `${paths.kubelet}/plugins_registry/csi.agenttier.dev-reg.sock`,
    ]) {
      expect(socket.length).toBeLessThan(108);
    }
    expect(STATE.length).toBeLessThan(30);
  });

  it('gives pods addresses of our own range, and the node its first', () => {
    expect(JSON.stringify(cniConfig())).toContain(net.podRange);
    expect(net.nodeAddress.startsWith('10.244.0.')).toBe(true);
  });

  it('writes leaf extensions', () => {
    expect(extensions({ usage: 'serverAuth', alternatives: ['DNS:a', 'IP:1.2.3.4'] })).toContain(
      'subjectAltName=DNS:a,IP:1.2.3.4',
    );
    expect(extensions({ usage: 'clientAuth' })).not.toContain('subjectAltName');
  });

  it('reads the table of images', () => {
    const table =
      'REF TYPE DIGEST SIZE\nlocalhost/a:1 application/x sha256:1 1 MiB\nlocalhost/a:2 application/x sha256:2 1 MiB\n';
    expect(parseImageList(table).get('localhost/a:2')).toBe('sha256:2');
  });
});
