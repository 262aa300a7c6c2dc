// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fakeClock.ts';
import { inClusterAccess } from './inCluster.ts';
import { loadAccess } from './kubeconfig.ts';
import { tokenFromFile } from './tokenFile.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const config = (name: string, user = 'token: abc'): string => `
apiVersion: v1
kind: Config
current-context: ${name}
clusters:
- name: ${name}-cluster
  cluster: {server: "https://${name}.example:6443", certificate-authority-data: ${base64(`${name} ca`)}}
contexts:
- name: ${name}
  context: {cluster: ${name}-cluster, user: ${name}-user, namespace: ${name}-ns}
- name: broken
  context: {cluster: nowhere}
users:
- name: ${name}-user
  user: {${user}}
`;

describe('loadAccess', () => {
  it('reads the current context', async () => {
    const access = await loadAccess({ kubeconfig: await file('config', config('one')), env: {} });
    expect(access).toMatchObject({ server: 'https://one.example:6443', ca: 'one ca', namespace: 'one-ns' });
    expect(await access.token?.()).toBe('abc');
  });

  it('prefers the given file, then KUBECONFIG, then the home folder', async () => {
    const one = await file('one', config('one'));
    const two = await file('two', config('two'));
    await mkdir(join(folder, '.kube'));
    await file('.kube/config', config('home'));
    const env = { HOME: folder, KUBECONFIG: two };
    expect((await loadAccess({ kubeconfig: one, env })).namespace).toBe('one-ns');
    expect((await loadAccess({ env })).namespace).toBe('two-ns');
    expect((await loadAccess({ env: { HOME: folder } })).namespace).toBe('home-ns');
  });

  it('merges the files of KUBECONFIG, the first mention winning, and skips missing ones', async () => {
    const paths = [
      join(folder, 'missing'),
      await file('one', config('one')),
      await file('two', config('two')),
    ];
    const env = { KUBECONFIG: paths.join(delimiter) };
    expect((await loadAccess({ env })).namespace).toBe('one-ns');
    expect((await loadAccess({ env, context: 'two' })).server).toBe('https://two.example:6443');
  });

  it('reads referenced files relative to the kubeconfig', async () => {
    await file('client.crt', 'CERT');
    await file('client.key', 'KEY');
    const path = await file(
      'config',
      config('one', 'client-certificate: client.crt, client-key: ./client.key'),
    );
    expect(await loadAccess({ kubeconfig: path, env: {} })).toMatchObject({
      clientCert: 'CERT',
      clientKey: 'KEY',
    });
  });

  it('runs exec plugins', async () => {
    const answer = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-plugin', expirationTimestamp: '2999-01-01T00:00:00Z' },
    };
    const plugin = await file('plugin', `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`);
    await chmod(plugin, 0o755);
    const exec = `exec: {apiVersion: client.authentication.k8s.io/v1, command: ${plugin}, interactiveMode: Never}`;
    const access = await loadAccess({ kubeconfig: await file('config', config('one', exec)), env: {} });
    expect(await access.token?.()).toBe('from-plugin');
  });

  it.each([
    [
      'an unknown context',
      { context: 'other' },
      /context "other" is not in the kubeconfig \(known: one, broken\)/,
    ],
    ['a context without a cluster', { context: 'broken' }, /names cluster "nowhere"/],
  ])('names %s', async (_name, options, message) => {
    const kubeconfig = await file('config', config('one'));
    await expect(loadAccess({ kubeconfig, env: {}, ...options })).rejects.toThrow(message);
  });

  it('names a file that is missing or no kubeconfig', async () => {
    const missing = join(folder, 'missing');
    await expect(loadAccess({ kubeconfig: missing, env: {} })).rejects.toThrow(
      `kubeconfig ${missing} cannot be read`,
    );
    const text = await file('text', 'just text');
    await expect(loadAccess({ kubeconfig: text, env: {} })).rejects.toThrow('is not a YAML object');
  });

  it('says what to do when nothing is configured', async () => {
    await expect(loadAccess({ env: { HOME: folder } })).rejects.toThrow('pass --kubeconfig');
  });
});

describe('in the cluster', () => {
  it('uses the mounted ServiceAccount', async () => {
    await file('ca.crt', 'CA');
    await file('token', 'tok\n');
    await file('namespace', 'agenttier\n');
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const access = await inClusterAccess(env, folder);
    expect(access).toMatchObject({ server: 'https://[fd00::1]:443', ca: 'CA', namespace: 'agenttier' });
    expect(await access.token?.()).toBe('tok');
  });

  it('reads the token again after a minute, and keeps the last one when that fails', async () => {
    const clock = new FakeClock();
    const path = await file('token', 'first');
    const token = tokenFromFile(path, clock);
    expect(await token()).toBe('first');
    await writeFile(path, 'second');
    await clock.advance(59_000);
    expect(await token()).toBe('first');
    await clock.advance(1000);
    expect(await token()).toBe('second');
    await rm(path);
    await clock.advance(61_000);
    expect(await token()).toBe('second');
  });

  it('fails when there never was a token', async () => {
    await expect(tokenFromFile(join(folder, 'none'))()).rejects.toThrow('cannot be read');
  });
});
