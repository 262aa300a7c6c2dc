// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { list, ScriptedServer, silence, status } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, runWith, writeKubeconfig } from '../testing/fakeHost.ts';

const API = '/apis/agenttier.io/v1alpha1';
let server: ScriptedServer;
let variables: Record<string, string>;

/** The candidates without descriptions, and the directive. */
async function complete(...words: string[]): Promise<{ words: string[]; directive: string }> {
  const { code, out, err } = await runWith(fakeHost({ variables }), '__complete', ...words);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.trimEnd().split('\n');
  return {
    words: lines.slice(0, -1).map((line) => line.split('\t')[0] ?? ''),
    directive: lines.at(-1) ?? '',
  };
}
const named = (...names: string[]) => list(names.map((name) => ({ metadata: { name } })));

beforeEach(async () => {
  server = await ScriptedServer.start();
  variables = { KUBECONFIG: await writeKubeconfig(server.access().server) };
  server
    .on('GET', `${API}/namespaces/team/sandboxes`, named('demo', 'dev', 'other'))
    .on('GET', `${API}/namespaces/elsewhere/sandboxes`, named('far'))
    .on('GET', `${API}/namespaces/team/sandboxtemplates`, named('python'))
    .on('GET', `${API}/clustersandboxtemplates`, named('minimal-shell', 'python'))
    .on('GET', '/api/v1/namespaces', named('default', 'team'));
});
afterEach(() => server.close());

describe('__complete', () => {
  it.each([
    ['commands', ['st'], ['stop'], ':4'],
    ['nested commands', ['template', ''], ['list', 'get'], ':4'],
    ['sandboxes', ['get', 'd'], ['demo', 'dev'], ':4'],
    ['further sandboxes', ['stop', 'demo', ''], ['demo', 'dev', 'other'], ':4'],
    ['behind an alias', ['ssh', 'ot'], ['other'], ':4'],
    ['behind a flag with a value', ['get', '-o', 'yaml', 'de'], ['demo', 'dev'], ':4'],
    ['in another context', ['--context', 'other', 'get', ''], ['far'], ':4'],
    ['in another namespace', ['get', '-n', 'elsewhere', ''], ['far'], ':4'],
    ['in another namespace, with =', ['get', '--namespace=elsewhere', ''], ['far'], ':4'],
    ['templates', ['create', 'x', '--template', ''], ['minimal-shell', 'python'], ':4'],
    ['policies', ['policy', ''], ['get', 'set', 'delete', 'effective', 'usage'], ':4'],
    ['sandboxes to ask about', ['why', 'de'], ['demo', 'dev'], ':4'],
    ['templates to explain', ['explain', 'template', 'p'], ['python'], ':4'],
    ['sandboxes behind a flag', ['apikey', 'create', '--sandbox', 'd'], ['demo', 'dev'], ':4'],
    ['commands of a group behind flags', ['-n', 'team', 'webhook', 'del'], ['delete', 'deliveries'], ':4'],
    ['namespaces', ['list', '-n', 't'], ['team'], ':4'],
    ['contexts', ['list', '--context', ''], ['test', 'other'], ':4'],
    ['formats', ['get', 'demo', '-o', 'j'], ['json', 'jsonpath='], ':6'],
    ['a value behind =', ['get', 'demo', '--output=y'], ['--output=yaml'], ':4'],
    ['choices of a flag', ['exec', 'demo', '--via', 'k'], ['kubernetes'], ':4'],
    ['choices of an argument', ['completion', ''], ['bash', 'zsh', 'fish'], ':4'],
    ['flags', ['stop', '--wait'], ['--wait', '--wait-timeout'], ':4'],
    ['global flags', ['stop', '--kube'], ['--kubeconfig'], ':4'],
    ['files, by the shell', ['check', '-f', ''], [], ':0'],
    ['nothing behind --', ['exec', 'demo', '--', ''], [], ':4'],
    ['nothing for a command that is none', ['nope', ''], [], ':4'],
  ] as const)('%s', async (_name, words, found, directive) => {
    expect(await complete(...words)).toEqual({ words: [...found], directive });
  });

  it('is silent when the cluster refuses or does not answer', async () => {
    await server.close();
    expect((await complete('get', '')).words).toEqual([]);
    server = await ScriptedServer.start();
    variables = { KUBECONFIG: await writeKubeconfig(server.access().server) };
    server.on('GET', /default/, status(403)).on('GET', /./, silence);
    expect((await complete('get', '-n', 'default', '')).words).toEqual([]);
  });
});

describe('completion scripts', () => {
  it('complete in bash what the plugin answers', async () => {
    const { out } = await runWith(fakeHost(), 'completion', 'bash');
    const folder = await mkdtemp(join(tmpdir(), 'agenttier-complete-'));
    const plugin = join(folder, 'kubectl-agenttier');
    await writeFile(plugin, '#!/bin/sh\nprintf \'%s\\n\' "$*" "two words\tdescription" :4\n');
    await chmod(plugin, 0o755);
    const script = `${out}\nCOMP_WORDS=(kubectl-agenttier get de)\nCOMP_CWORD=2\n_kubectl_agenttier\nprintf '[%s]' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script], {
      env: { PATH: `${folder}:${process.env['PATH']}` },
    });
    expect(stdout).toBe('[__complete get de][two words]');
  });

  it.each(['zsh', 'fish'])('there is one for %s', async (shell) => {
    const { out } = await runWith(fakeHost(), 'completion', shell);
    expect(out).toContain('kubectl-agenttier __complete');
  });

  it('refuses other shells', async () => {
    expect((await runWith(fakeHost(), 'completion', 'csh')).err).toMatch(
      /Allowed choices are bash, zsh, fish/,
    );
  });
});
