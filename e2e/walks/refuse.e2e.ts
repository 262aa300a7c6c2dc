// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import { apply, kubectl, minimalSandbox, ok, plugin, rest, until, walkNamespace } from './harness.ts';

const policy = `
apiVersion: agenttier.io/v1alpha1
kind: GovernancePolicy
metadata:
  name: default
spec:
  maxCpu: "2"
  maxMemory: 2Gi
  maxStorage: 5Gi
  maxTimeout: 24h
`;

const greedy = minimalSandbox(
  'greedy',
  `  resources:
    limits:
      cpu: "64"
      memory: 512Gi
  storage:
    size: 2Ti
  timeout: 1000h
`,
);

const expected = [
  ['spec.resources.limits.cpu', '64', '2', 'cpu_limit_exceeded'],
  ['spec.resources.limits.memory', '512Gi', '2Gi', 'memory_limit_exceeded'],
  ['spec.storage.size', '2Ti', '5Gi', 'storage_limit_exceeded'],
  ['spec.timeout', '1000h', '24h', 'timeout_exceeded'],
] as const;

describe('a Sandbox that breaks four limits at once', () => {
  const namespace = walkNamespace('walk-refuse');

  beforeAll(async () => {
    await ok(apply(policy, namespace()));
    // Each webhook replica hears of the policy by its own watch.
    await until('the policy to be in force on every replica', async () => {
      for (let ask = 0; ask < 6; ask += 1) {
        const { code } = await kubectl(['apply', '--dry-run=server', '-n', namespace(), '-f', '-'], {
          stdin: greedy,
        });
        if (code === 0) return false;
      }
      return true;
    });
  });

  it.each([['apply'], ['apply --dry-run=server'], ['create']])(
    'is refused by kubectl %s with all four',
    async (verb) => {
      const outcome = await kubectl([...verb.split(' '), '-n', namespace(), '-f', '-'], { stdin: greedy });
      expect(outcome.code).not.toBe(0);
      for (const [field, actual, limit, code] of expected) {
        const line = outcome.stderr.split('\n').find((text) => text.includes(code));
        expect(line, code).toContain(field);
        expect(line).toContain(actual);
        expect(line).toContain(limit);
      }
    },
  );

  it('is refused by REST with the same violations', async () => {
    const { status, body } = await rest('POST', '/sandboxes', {
      name: 'greedy',
      namespace: namespace(),
      templateRef: { name: 'minimal-shell', kind: 'ClusterSandboxTemplate' },
      resources: { limits: { cpu: '64', memory: '512Gi' } },
      storage: { size: '2Ti' },
      timeout: '1000h',
    });
    expect(status).toBe(403);
    expect(body.error).toBe('policy_violation');
    for (const [field, actual, limit, code] of expected) {
      expect(body.violations).toContainEqual(
        expect.objectContaining({ code, field, limit, actual, scope: 'namespace' }),
      );
    }
    expect(body.violations).toHaveLength(4);
  });

  it('is refused by check, which exits 1', async () => {
    const outcome = await plugin(['check', '-n', namespace(), '-f', '-'], { stdin: greedy });
    expect(outcome.code).toBe(1);
    for (const [field] of expected) expect(outcome.stdout + outcome.stderr).toContain(field);
  });

  it('made nothing', async () => {
    const names = await ok(
      kubectl(['get', 'sandbox,pod,pvc,networkpolicy,secret', '-n', namespace(), '-o', 'name']),
    );
    expect(names).toBe('');
  });
});
