// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { runSchemathesis } from '../openapi/schemathesis.ts';
import { apiUrl, type Json, kubectl, ok, until, walkNamespace } from './harness.ts';

const namespace = walkNamespace('walk-openapi');
const install = 'agenttier';

/** A person of this walk alone, who reaches its namespace alone: whatever is made up here stays here. */
async function keyOfSomebody(): Promise<{ key: string; secret: string }> {
  const key = `atk_${randomBytes(32).toString('base64url')}`;
  const keyHash = createHash('sha256').update(key).digest('hex');
  const record = { keyHash, userId: namespace(), name: 'walk', allowedNamespaces: [namespace()] };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const secret = `agenttier-apikey-${keyHash.slice(0, 40)}`;
  const labels = { 'agenttier.io/secret-purpose': 'api-key', 'agenttier.io/api-key-user': namespace() };
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret, namespace: install, labels },
    data: { keyHash: base64(keyHash), record: base64(JSON.stringify(record)) },
  };
  await ok(kubectl(['apply', '-f', '-'], { stdin: JSON.stringify(object) }));
  return { key, secret };
}

async function ask(key: string, method: string, path: string, body?: object): Promise<Json> {
  const answer = await fetch(`${apiUrl}/api/v1${path}`, {
    method,
    headers: { 'X-API-Key': key, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

it('keeps every promise of its OpenAPI document, whatever it is asked', async () => {
  const { key, secret } = await keyOfSomebody();
  const at = `/sandboxes/asked?namespace=${namespace()}`;
  const body = { name: 'asked', namespace: namespace(), templateRef: { name: 'minimal-shell' } };
  // Another replica may not have heard of the key yet.
  await until('the key to count', async () => (await ask(key, 'GET', '/user/me')).status === 200);
  expect((await ask(key, 'POST', '/sandboxes', body)).status).toBe(201);
  await until('the sandbox to run', async () => (await ask(key, 'GET', at)).body.status === 'Running');
  const report = await runSchemathesis({
    url: apiUrl,
    key,
    parameters: { 'path.id': 'asked', 'query.namespace': namespace() },
    // A stream does not end by itself, and without its sandbox there is little left to ask about.
    without: ['followChanges', 'deleteSandbox'],
    examples: 3,
    seconds: 45,
  });
  await ok(kubectl(['delete', 'secret', secret, '-n', install]));
  expect(report.text).toContain('Tested:');
  expect(report.code, report.text).toBe(0);
});
