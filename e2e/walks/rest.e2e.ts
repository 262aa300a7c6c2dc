// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { apiKey, apiUrl, getJson, kubectl, ok, rest, until, walkNamespace } from './harness.ts';
import { openBrowserTerminal, untilPrinted } from './terminals.ts';

describe('REST', () => {
  const namespace = walkNamespace('walk-rest');
  const at = (verb = '') => `/sandboxes/by-rest${verb}?namespace=${namespace()}`;
  const untilStatus = (wanted: string) =>
    until(`by-rest to be ${wanted}`, async () => (await rest('GET', at())).body.status === wanted);

  it('creates a sandbox as the person of the key, and the cluster knows whose it is', async () => {
    const body = {
      name: 'by-rest',
      namespace: namespace(),
      templateRef: { name: 'minimal-shell', kind: 'ClusterSandboxTemplate' },
      env: [{ name: 'FROM', value: 'rest' }],
    };
    expect(await rest('POST', '/sandboxes', body)).toMatchObject({
      status: 201,
      body: { sandboxId: 'by-rest', status: 'Creating', templateRef: 'minimal-shell' },
    });
    expect(await rest('POST', '/sandboxes', body)).toMatchObject({ status: 409 });
    const me = await rest('GET', '/user/me');
    const object = await getJson(['sandbox', 'by-rest', '-n', namespace()]);
    expect(object.spec.createdBy.sub).toBe(me.body.sub);
    await untilStatus('Running');
  });

  it('lists and gets it', async () => {
    const list = await rest('GET', `/sandboxes?namespace=${namespace()}`);
    expect(list.body.sandboxes.map((each: { name: string }) => each.name)).toEqual(['by-rest']);
    expect((await rest('GET', at())).body).toMatchObject({
      sandboxId: 'by-rest',
      namespace: namespace(),
      status: 'Running',
      podName: 'by-rest-pod',
      templateRef: 'minimal-shell',
      mode: 'code',
    });
  });

  it('runs a command over the runtime', async () => {
    const { body } = await rest('POST', at('/exec'), { command: 'echo $FROM; echo no >&2; exit 7' });
    expect(body).toMatchObject({ stdout: 'rest\n', stderr: 'no\n', exitCode: 7 });
  });

  it('stops and resumes it', async () => {
    expect(await rest('POST', at('/stop'))).toMatchObject({ status: 200, body: { status: 'stopping' } });
    await untilStatus('Stopped');
    expect(await rest('POST', at('/exec'), { command: 'true' })).toMatchObject({ status: 409 });
    expect(await rest('POST', at('/resume'))).toMatchObject({ status: 200, body: { status: 'resuming' } });
    await untilStatus('Running');
  });

  it('goes through the API server where the runtime cannot be spoken to', async () => {
    const transport = async (): Promise<string | null> => {
      const answer = await fetch(`${apiUrl}/api/v1${at('/exec')}`, {
        method: 'POST',
        headers: { 'X-API-Key': apiKey, 'Content-Type': 'application/json' },
        body: JSON.stringify({ command: 'cat; exit 5', stdin: 'here\n' }),
      });
      expect(await answer.json()).toMatchObject({ stdout: 'here\n', exitCode: 5 });
      return answer.headers.get('X-AgentTier-Transport');
    };
    expect(await transport()).toBe('runtime');
    // Without its nonce nobody can derive the token of this pod's runtime any more. Only the operator may take it away.
    const operator = ['--as', 'system:serviceaccount:agenttier:agenttier-operator'];
    const nonce = ['by-rest-pod', 'agenttier.io/token-nonce-'];
    await ok(kubectl(['annotate', 'pod', ...nonce, '-n', namespace(), ...operator]));
    await until('the other way to be taken', async () => (await transport()) === 'exec');
    expect(await rest('GET', at('/ports/listening'))).toMatchObject({ status: 200 });
    const run = (command: string, signal: AbortSignal | null = null) =>
      fetch(`${apiUrl}/api/v1${at('/exec')}`, {
        method: 'POST',
        headers: { 'X-API-Key': apiKey },
        body: JSON.stringify({ command, timeout: 300 }),
        signal,
      });
    const outputOf = async (command: string): Promise<string> =>
      ((await (await run(command)).json()) as { stdout: string }).stdout;
    const gone = new AbortController();
    const left = run('sleep 300 & echo $! > /workspace/left; wait', gone.signal).catch(() => 'gone');
    await until('a command with a child', async () => (await outputOf('cat /workspace/left')) !== '');
    gone.abort();
    await left;
    await until(
      'the child to end with its client',
      async () => (await outputOf('kill -0 $(cat /workspace/left) && echo alive')) === '',
    );
    const terminal = await openBrowserTerminal('by-rest', namespace());
    await untilPrinted(terminal, /\$ /);
    terminal.type('exit 6\r');
    expect(await terminal.exitCode).toBe(6);
  });

  it('shows the templates', async () => {
    const { body } = await rest('GET', '/templates');
    expect(body.templates.map((each: { name: string }) => each.name)).toContain('minimal-shell');
    expect((await rest('GET', '/templates/minimal-shell')).body.spec.harness.shell).toBe('/bin/bash');
    expect(await rest('GET', '/templates/no-such')).toMatchObject({ status: 404 });
  });

  it('refuses unknown keys, unknown templates, unknown paths, each in JSON', async () => {
    const anonymous = await fetch(`${apiUrl}/api/v1/sandboxes`);
    expect(anonymous.status).toBe(401);
    expect(await anonymous.json()).toMatchObject({ error: 'missing_authorization' });
    const forged = await fetch(`${apiUrl}/api/v1/sandboxes`, {
      headers: { 'X-API-Key': `atk_${'A'.repeat(43)}` },
    });
    expect(forged.status).toBe(401);
    expect(await forged.json()).toMatchObject({ error: 'invalid_api_key' });
    const unknown = await rest('POST', '/sandboxes', {
      name: 'x',
      namespace: namespace(),
      templateRef: { name: 'no-such', kind: 'ClusterSandboxTemplate' },
    });
    expect(unknown.status).toBe(422);
    expect(unknown.body.violations[0]).toMatchObject({
      code: 'template_not_found',
      field: 'spec.templateRef.name',
    });
    expect(await rest('GET', '/no-such-path')).toMatchObject({ status: 404 });
  });

  it('is healthy and measured', async () => {
    for (const path of ['/healthz', '/readyz'])
      expect(await (await fetch(`${apiUrl}${path}`)).text()).toBe('ok');
    const metrics = await (await fetch(`${apiUrl}/metrics`)).text();
    expect(metrics).toMatch(/^agenttier_http_requests_total\{.*\} \d+$/m);
  });

  it('deletes it, and nothing of it is left', async () => {
    expect(await rest('DELETE', at())).toMatchObject({ status: 204 });
    await until('the sandbox to be gone', async () => (await rest('GET', at())).status === 404);
    await until('its volume to be gone', async () => {
      const left = await ok(kubectl(['get', 'pod,pvc,networkpolicy', '-n', namespace(), '-o', 'name']));
      return left === '';
    });
  });
});
