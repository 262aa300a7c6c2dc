// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  type Json,
  kubectl,
  ok,
  until,
  untilPhase,
  walkNamespace,
  walkTemplate,
} from './harness.ts';

const TEMPLATE = 'walk-agent';

/** An agent that says what it got, waits for a file where it is told to, and leaves a process behind. */
const ENTRYPOINT = [
  '/bin/sh',
  '-c',
  'echo "hello $WHO: $(cat)"; echo "warning" >&2; if [ "$1" = --prompt=wait ]; then sleep 600 & wait; fi; printf end',
  'agent',
];

const template = `
apiVersion: agenttier.io/v1alpha1
kind: ClusterSandboxTemplate
metadata:
  name: ${TEMPLATE}
spec:
  mode: agent
  inheritsFrom: { kind: ClusterSandboxTemplate, name: minimal-shell }
  storage: { size: 64Mi }
  resources:
    requests: { cpu: 5m, memory: 16Mi }
    limits: { cpu: 500m, memory: 96Mi }
  harness:
    agent:
      entrypoint: ${JSON.stringify(ENTRYPOINT)}
      env: [{ name: WHO, value: walker }]
      maxConcurrentInvokes: 1
      defaultInvokeTimeout: 5m
`;

const sandbox = (name: string, agentConfig?: object): string => `
apiVersion: agenttier.io/v1alpha1
kind: Sandbox
metadata:
  name: ${name}
spec:
  templateRef: { name: ${TEMPLATE} }
  ${agentConfig === undefined ? '' : `agentConfig: ${JSON.stringify(agentConfig)}`}
`;

walkTemplate(TEMPLATE, template);

const namespace = walkNamespace('walk-agent');

const read = (name: string): Promise<Json> => getJson(['sandbox', name, '-n', namespace()]);
const conditionOf = (object: Json): Json =>
  object.status?.conditions?.find((one: Json) => one.type === 'Configured');

/** The sandbox once its agent is in that state, for the generation that is stored. */
const untilConfigured = (name: string, state: string): Promise<Json> =>
  until(`${name} to be ${state}`, async () => {
    const object = await read(name);
    const { status, metadata } = object;
    const current = status?.observedGeneration === metadata.generation;
    return current && status.phase === 'Running' && status.agentConfigure?.state === state && object;
  });

const configure = (name: string, agentConfig: object): Promise<string> =>
  ok(
    kubectl([
      'patch',
      'sandbox',
      name,
      '-n',
      namespace(),
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { agentConfig } }),
    ]),
  );

const logOf = async (name: string): Promise<Json> =>
  getJson(['configmap', `${name}-install-log`, '-n', namespace()]);

/** Talks to the runtime from within the pod, as nobody but its own user can: the token is in a file there. */
const curl = (name: string, args: string): Promise<string> =>
  ok(
    inSandbox(
      name,
      namespace(),
      `curl -sS -H "Authorization: Bearer $(head -1 /agenttier/run/token)" ${args}`,
    ),
  );

describe('an agent sandbox made with kubectl', () => {
  it('has the mode of its template, shows what it was resolved to, and is configured by that template', async () => {
    await ok(apply(sandbox('plain'), namespace()));
    const object = await untilConfigured('plain', 'Ready');
    expect(object.spec.resolved.spec).toMatchObject({
      mode: 'agent',
      harness: { agent: { entrypoint: ENTRYPOINT } },
    });
    expect(object.status.agentConfigure).toMatchObject({
      entrypoint: ENTRYPOINT,
      maxConcurrentInvokes: 1,
      defaultInvokeTimeoutSeconds: 300,
    });
    expect(conditionOf(object)).toMatchObject({ status: 'True', reason: 'Configured' });
    const columns = await ok(kubectl(['get', 'sandbox', 'plain', '-n', namespace()]));
    expect(columns).toContain('agent');
  });

  it('streams an invocation, line by line', async () => {
    const text = await curl('plain', `-X POST --data-binary 'the ☃ body' localhost:9000/invoke`);
    expect(text).toContain('"data":"hello walker: the ☃ body"');
    expect(text).toContain('data: {"data":"warning","stream":"stderr"}');
    expect(text).toMatch(/event: exit\ndata: .*"exitCode":0.*"reason":"completed"/);
  });

  it('refuses a second invocation at its cap, and ends the first with everything it started', async () => {
    const script = `
      T="Authorization: Bearer $(head -1 /agenttier/run/token)"
      curl -sS -N -X POST -H "$T" -H 'X-AgentTier-Actor: ann' 'localhost:9000/invoke?id=first&prompt=wait' > /tmp/first &
      until grep -q hello /tmp/first; do sleep 0.05; done
      curl -sS -o /tmp/second -D /tmp/headers -w '%{http_code} ' -X POST -H "$T" localhost:9000/invoke; cat /tmp/second
      grep -i retry-after /tmp/headers
      curl -sS -o /dev/null -w 'foreign %{http_code}\\n' -X DELETE -H "$T" -H 'X-AgentTier-Actor: bob' localhost:9000/invoke/first
      curl -sS -o /dev/null -w 'own %{http_code}\\n' -X DELETE -H "$T" -H 'X-AgentTier-Actor: ann' localhost:9000/invoke/first
      wait
      tail -2 /tmp/first
      for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep '^sleep 600'; done || true
      curl -sS -H "$T" localhost:9000/agent`;
    const text = await ok(inSandbox('plain', namespace(), script));
    expect(text).toMatch(/^429 .*"error":"concurrency_exceeded".*/);
    expect(text).toContain('"limit":1');
    expect(text).toMatch(/retry-after: 5/i);
    expect(text).toContain('foreign 403');
    expect(text).toContain('own 204');
    expect(text).toContain('"reason":"canceled"');
    expect(text).not.toContain('sleep 600');
    expect(text).toContain('"inflight":0');
  });
});

describe('an installation', () => {
  const installs = `echo installing >> /workspace/count; echo "step one"; echo "step ☃"`;
  const count = async (name: string): Promise<number> =>
    Number(await ok(inSandbox(name, namespace(), 'cat /workspace/count 2>/dev/null | wc -l')));

  it('runs, keeps its log and says how it ended', async () => {
    await ok(apply(sandbox('one', { installCommand: ['/bin/sh', '-c', installs] }), namespace()));
    const object = await untilConfigured('one', 'Ready');
    expect(object.status.agentConfigure).toMatchObject({
      installExitCode: 0,
      installLogConfigMapRef: { name: 'one-install-log' },
    });
    expect(object.spec.agentConfig.configuredBy).toMatch(/^[0-9a-f]{16}$/);
    const log = await logOf('one');
    expect(log.data).toMatchObject({ log: 'step one\nstep ☃\n', logTruncated: 'false' });
    expect(log.metadata.labels).toMatchObject({
      'agenttier.io/sandbox': 'one',
      'agenttier.io/kind': 'install-log',
    });
    expect(log.metadata.ownerReferences[0].uid).toBe(object.metadata.uid);
  });

  it('is skipped where it went well, on a resume and under another entrypoint, and its log stays', async () => {
    await configure('one', { entrypoint: ['/bin/sh', '-c', 'echo other'] });
    const changed = await until('the other entrypoint', async () => {
      const object = await untilConfigured('one', 'Ready');
      return object.status.agentConfigure.entrypoint?.[2] === 'echo other' && object;
    });
    expect(changed.status.agentConfigure.skipped).toBe(true);
    await ok(
      kubectl([
        'patch',
        'sandbox',
        'one',
        '-n',
        namespace(),
        '--type=merge',
        '-p',
        '{"spec":{"desiredState":"Stopped"}}',
      ]),
    );
    await untilPhase('one', namespace(), 'Stopped');
    await ok(
      kubectl([
        'patch',
        'sandbox',
        'one',
        '-n',
        namespace(),
        '--type=merge',
        '-p',
        '{"spec":{"desiredState":"Running"}}',
      ]),
    );
    const resumed = await untilConfigured('one', 'Ready');
    expect(resumed.status.agentConfigure.podUid).not.toBe(changed.status.agentConfigure.podUid);
    expect(await curl('one', '-X POST localhost:9000/invoke')).toContain('"data":"other"');
    expect(await count('one')).toBe(1);
    expect((await logOf('one')).data.log).toContain('step one');
  });

  it('that fails is recorded with its log, and is tried again when asked for', async () => {
    const failing = { installCommand: ['/bin/sh', '-c', 'echo about to fail; exit 7'] };
    await configure('one', failing);
    const object = await untilConfigured('one', 'Failed');
    expect(object.status.agentConfigure.installExitCode).toBe(7);
    expect(conditionOf(object)).toMatchObject({ status: 'False', reason: 'InstallFailed' });
    expect((await logOf('one')).data.log).toBe('about to fail\n');
    expect(await curl('one', `-o /dev/null -w '%{http_code}' -X POST localhost:9000/invoke`)).toBe('424');
    await configure('one', {
      installCommand: ['/bin/sh', '-c', `${installs}; echo repaired`],
      hash: 'second',
    });
    await untilConfigured('one', 'Ready');
    expect((await logOf('one')).data.log).toContain('repaired');
    expect(await count('one')).toBe(2);
  });

  it('is done anew on a new volume', async () => {
    const before = (await read('one')).status.agentConfigure.installCommandHash;
    await ok(kubectl(['delete', 'sandbox', 'one', '-n', namespace(), '--timeout=60s']));
    const config = { installCommand: ['/bin/sh', '-c', `${installs}; echo repaired`], hash: 'second' };
    await ok(apply(sandbox('one', config), namespace()));
    const object = await untilConfigured('one', 'Ready');
    expect(object.status.agentConfigure.installCommandHash).not.toBe(before);
    expect(await count('one')).toBe(1);
  });

  it('waits for its files and starts from them', async () => {
    const content = 'echo from a file\n';
    const sha256 = createHash('sha256').update(content).digest('hex');
    const files = [{ path: '/workspace/agent/run.sh', size: content.length, sha256 }];
    const installCommand = ['/bin/sh', '/workspace/agent/run.sh'];
    await configure('one', { installCommand, files, hash: 'files' });
    await until(
      'the missing file to be named',
      async () => conditionOf(await read('one')).reason === 'FilesMissing',
    );
    const staged = '/workspace/.agenttier/staged';
    await ok(
      inSandbox(
        'one',
        namespace(),
        `mkdir -p ${staged} && printf 'echo from a file\\n' > ${staged}/${sha256}`,
      ),
    );
    await untilConfigured('one', 'Ready');
    expect((await logOf('one')).data.log).toBe('from a file\n');
  });
});

describe('a policy', () => {
  it('refuses one agent more, and to configure on an image that it has stopped allowing', async () => {
    const policy = (spec: object): string =>
      JSON.stringify({
        apiVersion: 'agenttier.io/v1alpha1',
        kind: 'GovernancePolicy',
        metadata: { name: 'default' },
        spec,
      });
    await ok(apply(policy({ maxAgentSandboxes: 2, maxConcurrentInvokesPerSandbox: 1 }), namespace()));
    await until('the policy to be counted', async () => {
      const { status } = await getJson(['governancepolicy', 'default', '-n', namespace()]);
      return status?.used?.agentSandboxes === 2;
    });
    const third = await until('the cap to be known', async () => {
      const outcome = await kubectl(['create', '--dry-run=server', '-n', namespace(), '-f', '-'], {
        stdin: sandbox('third'),
      });
      return outcome.code !== 0 && outcome;
    });
    expect(third.stderr).toContain('agent_sandbox_quota_exceeded');
    await ok(apply(policy({ allowedAgentImages: ['registry.invalid/agents'] }), namespace()));
    const refused = await until('the tightened policy to be known', async () => {
      const patch = JSON.stringify({ spec: { agentConfig: { entrypoint: ['/bin/true'] } } });
      const outcome = await kubectl([
        'patch',
        'sandbox',
        'plain',
        '-n',
        namespace(),
        '--type=merge',
        '--dry-run=server',
        '-p',
        patch,
      ]);
      return outcome.code !== 0 && outcome;
    });
    expect(refused.stderr).toContain('agent_image_not_approved');
    const untouched = JSON.stringify({ metadata: { labels: { still: 'editable' } } });
    await ok(kubectl(['patch', 'sandbox', 'plain', '-n', namespace(), '--type=merge', '-p', untouched]));
  });
});
