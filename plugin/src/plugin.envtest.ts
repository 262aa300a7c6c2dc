// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { createKubeClient, type KubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { NAMESPACES } from '@agenttier/machinery/kube/resource';
import { adminKubeconfig } from '@agenttier/e2e/envtest/server';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeHost, fakeHost, type PluginRun, runWith } from './testing/fakeHost.ts';

const namespace = `plugin-${Date.now().toString(36)}`;
let client: KubeClient;
let host: FakeHost;

/** Runs a command line against the real API server; `input` is its standard input. */
function run(args: readonly string[], input = ''): Promise<PluginRun> {
  host = fakeHost({ variables: { KUBECONFIG: adminKubeconfig() } });
  host.streams.in.end(input);
  return runWith(host, ...args, ...(args.includes('-n') ? [] : ['-n', namespace]));
}
const out = async (...args: string[]): Promise<string> => {
  const outcome = await run(args);
  expect(outcome).toMatchObject({ code: 0, err: '' });
  return outcome.out;
};
const sandbox = (name: string, spec: string): string =>
  `apiVersion: agenttier.io/v1alpha1\nkind: Sandbox\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
/** What the operator would write. */
const setStatus = (name: string, status: NonNullable<Sandbox['status']>): Promise<Sandbox> =>
  client.patch<Sandbox>(
    SANDBOXES,
    { namespace, name },
    { type: 'merge', body: { status } },
    { subresource: 'status' },
  );

beforeAll(async () => {
  client = createKubeClient(await loadAccess({ kubeconfig: adminKubeconfig(), env: {} }));
  await client.create(NAMESPACES, undefined, { metadata: { name: namespace } });
});
afterAll(() => client.close());

describe('the plugin and a real API server', () => {
  it('creates, lists, shows and deletes', async () => {
    expect(await out('create', 'life', '-t', 'python', '--cpu', '2', '--env', 'A=1')).toBe(
      'sandbox.agenttier.io/life created\n',
    );
    expect(await out('list', '--no-headers')).toMatch(/^life +Pending +python +\ds\n$/);
    expect(
      await out(
        'get',
        'life',
        '-o',
        'jsonpath={.spec.resources.limits.cpu} {.spec.env[?(@.name=="A")].value}',
      ),
    ).toBe('2 1');
    expect(await out('get', '-o', 'name')).toBe('sandbox.agenttier.io/life\n');
    expect(await out('get', 'life', '-o', 'yaml')).toMatch(
      /^apiVersion: agenttier.io\/v1alpha1\nkind: Sandbox\nmetadata:\n/,
    );
    expect(await out('delete', 'life', '--wait')).toBe('sandbox.agenttier.io "life" deleted\n');
    expect(await run(['get', 'life'])).toEqual({
      code: 1,
      out: '',
      err: 'Error from server (NotFound): sandboxes.agenttier.io "life" not found\n',
    });
  });

  it('stores nothing in a server dry run, and says what exists already', async () => {
    expect(await out('create', 'dry', '-t', 'python', '--dry-run=server')).toBe(
      'sandbox.agenttier.io/dry created (server dry run)\n',
    );
    expect((await run(['get', 'dry'])).code).toBe(1);
    await out('create', 'twice', '-t', 'python');
    expect((await run(['create', 'twice', '-t', 'python'])).err).toBe(
      'Error from server (AlreadyExists): sandboxes.agenttier.io "twice" already exists\n',
    );
  });

  it('names every field that the schema refuses', async () => {
    const { code, err } = await run([
      'create',
      'bad',
      '-t',
      'python',
      '--timeout',
      '1d',
      '--idle-timeout',
      'soon',
    ]);
    expect(code).toBe(1);
    const [head, ...violations] = err.trimEnd().split('\n');
    expect(head).toBe('Error from server (Invalid): Sandbox.agenttier.io "bad" is invalid:');
    // The schema's pattern and its CEL rule both speak up.
    const fields = new Set(violations.map((line) => line.trim().split(': ')[0]));
    expect(fields).toEqual(new Set(['spec.timeout', 'spec.idleTimeout']));
  });

  it('waits for what the operator reports, and for an end without success', async () => {
    await out('create', 'slow', '-t', 'python');
    const waiting = run(['wait', 'slow', '--timeout', '30s']);
    await setStatus('slow', { phase: 'Creating', observedGeneration: 1 });
    await setStatus('slow', { phase: 'Running', observedGeneration: 1 });
    expect(await waiting).toMatchObject({ code: 0, out: 'sandbox.agenttier.io/slow is running\n' });

    const stopping = run(['stop', 'slow', '--wait']);
    await until(async () => {
      const { spec, metadata } = await client.get<Sandbox>(SANDBOXES, { namespace, name: 'slow' });
      return spec?.desiredState === 'Stopped' && metadata.generation === 2;
    });
    await setStatus('slow', { phase: 'Stopped', observedGeneration: 2 });
    expect((await stopping).out).toBe('sandbox.agenttier.io/slow stopped\n');

    const resuming = run(['resume', 'slow', '--wait']);
    await until(
      async () =>
        (await client.get<Sandbox>(SANDBOXES, { namespace, name: 'slow' })).metadata.generation === 3,
    );
    await setStatus('slow', {
      phase: 'Error',
      observedGeneration: 3,
      reason: 'CrashLoop',
      message: 'exit code 1',
    });
    expect(await resuming).toMatchObject({
      code: 1,
      err: 'error: sandbox "slow" cannot run: CrashLoop: exit code 1\n',
    });
  });

  it('checks new and existing objects of ours and of others', async () => {
    await out('create', 'there', '-t', 'python');
    const input = [
      sandbox('there', '{templateRef: {name: python}, timeout: 2h}'),
      sandbox('moved', '{templateRef: {name: python}}'),
      sandbox('wrong', '{templateRef: {name: python}, timeout: 1d}'),
      sandbox('typo', '{templateRef: {name: python}, tiemout: 1h}'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n',
    ].join('---\n');
    const { code, out: text } = await run(['check', '-f', '-', '-o', 'json'], input);
    expect(code).toBe(1);
    const { verdicts } = JSON.parse(text) as {
      verdicts: {
        kind: string;
        name: string;
        allowed: boolean;
        violations: { field?: string; message: string }[];
      }[];
    };
    expect(verdicts.map(({ kind, name, allowed }) => `${kind} ${name} ${allowed}`)).toEqual([
      'Sandbox there true',
      'Sandbox moved true',
      'Sandbox wrong false',
      'Sandbox typo false',
      'ConfigMap other true',
    ]);
    expect(new Set(verdicts[2]?.violations.map(({ field }) => field))).toEqual(new Set(['spec.timeout']));
    expect(verdicts[3]?.violations.map(({ field }) => field)).toEqual(['spec.tiemout']);
    expect((await run(['get', 'moved'])).code).toBe(1);
  });

  it('changes sandboxes one by one and many at once, each judged by the schema', async () => {
    const two = ['many-a', 'many-b'].map((name) => sandbox(name, '{templateRef: {name: python}}'));
    expect((await run(['bulk', 'create', '-f', '-'], two.join('---\n'))).code).toBe(0);
    await out('patch', 'many-a', '--idle-timeout', '2h', '--label', 'many=yes', '--memory', '1Gi');
    expect(
      await out('get', 'many-a', '-o', 'jsonpath={.spec.idleTimeout} {.spec.resources.limits.memory}'),
    ).toBe('2h 1Gi');
    const refused = await run(['patch', 'many-a', '--timeout', '1d']);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('spec.timeout');
    expect(await out('bulk', 'stop', '-l', 'many=yes')).toBe('sandbox.agenttier.io/many-a stopping\n');
    expect(await out('get', 'many-a', '-o', 'jsonpath={.spec.desiredState}')).toBe('Stopped');
    expect(await out('get', 'many-b', '-o', 'jsonpath={.spec.desiredState}')).toBe('');
    expect(await out('bulk', 'delete', 'many-a', 'many-b')).toContain('many-b deleted');
  });

  it('writes pools and policies', async () => {
    expect(await out('pool', 'create', 'shells', '-t', 'python', '--replicas', '2')).toBe(
      'sandboxwarmpool.agenttier.io/shells created\n',
    );
    await out('pool', 'scale', 'shells', '--replicas', '3');
    expect(await out('pool', 'list', '--no-headers')).toMatch(/^shells +python +3 +0 +0 +0 +\ds\n$/);
    await out('pool', 'delete', 'shells');
    const set = ['maxCpu=4', 'allowedTemplates=[python, go]', 'total.memory=64Gi'];
    expect(await out('policy', 'set', ...set)).toBe('governancepolicy.agenttier.io/default created\n');
    expect(await out('policy', 'set', 'maxCpu-', 'maxSandboxesPerUser=3')).toBe(
      'governancepolicy.agenttier.io/default configured\n',
    );
    expect(JSON.parse(await out('policy', 'get', '-o', 'json'))).toMatchObject({
      spec: { allowedTemplates: ['python', 'go'], maxSandboxesPerUser: 3, total: { memory: '64Gi' } },
    });
    expect((await run(['policy', 'set', 'maxGpus=1'])).err).toContain('unknown field "spec.maxGpus"');
    await out('policy', 'delete');
  });

  it('knows who is there, and what completes', async () => {
    expect(await out('whoami')).toMatch(/^Kubernetes: .+ \(groups: .*system:masters/);
    expect(await out('version')).toMatch(/\nKubernetes: v1\.\d+\.\d+/);
    const { out: found } = await run(['__complete', '-n', namespace, 'get', 'twi']);
    expect(found).toBe('twice\n:4\n');
  });
});
