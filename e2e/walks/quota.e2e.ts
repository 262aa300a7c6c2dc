// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  kubectl,
  minimalSandbox,
  type Outcome,
  ok,
  rest,
  until,
  walkNamespace,
} from './harness.ts';
import { webhookToKill } from './webhooks.ts';

const CAP = 10;
const EACH_WAY = 100;
const AT_ONCE = 10;

const small =
  '  resources:\n    requests: { cpu: 1m, memory: 8Mi }\n    limits: { cpu: 50m, memory: 32Mi }\n';

/** Whether a create got its final answer: in, or refused for the cap. Anything else (a dying webhook) is asked again. */
type Attempt = () => Promise<'in' | 'full' | undefined>;

const verdictOf = (text: string): 'full' | undefined =>
  /namespace_quota_exceeded|exceeded quota: agenttier-sandboxes/.test(text) ? 'full' : undefined;

function byKubectl(name: string, namespace: string): Attempt {
  return async () => {
    const { code, stderr }: Outcome = await kubectl(['create', '-n', namespace, '-f', '-'], {
      stdin: minimalSandbox(name, small),
    });
    return code === 0 || stderr.includes('AlreadyExists') ? 'in' : verdictOf(stderr);
  };
}

function byRest(name: string, namespace: string): Attempt {
  return async () => {
    const { status, body } = await rest('POST', '/sandboxes', {
      name,
      namespace,
      templateRef: { name: 'minimal-shell', kind: 'ClusterSandboxTemplate' },
      resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '50m', memory: '32Mi' } },
    });
    return status === 201 || status === 409 ? 'in' : verdictOf(JSON.stringify(body));
  };
}

describe('a cap of ten sandboxes', () => {
  const namespace = walkNamespace('walk-quota');

  it('holds under 200 creates by kubectl and REST while a webhook is killed, and the ledger agrees', async () => {
    const policy = `
apiVersion: agenttier.io/v1alpha1
kind: GovernancePolicy
metadata:
  name: default
spec:
  maxSandboxesTotal: ${CAP}
`;
    await ok(apply(policy, namespace()));
    await until('the operator to have counted the new policy', async () => {
      const { status } = await getJson(['governancepolicy', 'default', '-n', namespace()]);
      return status?.used !== undefined;
    });
    const attempts = Array.from({ length: EACH_WAY }, (_, index) => [
      byKubectl(`kubectl-${index}`, namespace()),
      byRest(`rest-${index}`, namespace()),
    ]).flat();
    let answered = 0;
    let killed: Promise<string> | undefined;
    const victim = await webhookToKill();
    const kill = (): Promise<string> =>
      ok(kubectl(['delete', 'pod', victim, '-n', 'agenttier', '--grace-period=0', '--force']));
    const verdicts: string[] = [];
    const worker = async (): Promise<void> => {
      for (let attempt = attempts.pop(); attempt !== undefined; attempt = attempts.pop()) {
        verdicts.push(await until('a verdict', attempt));
        answered += 1;
        if (answered === EACH_WAY) killed ??= kill();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await killed;
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    expect(items).toHaveLength(CAP);
    expect(verdicts.filter((verdict) => verdict === 'in')).toHaveLength(CAP);
    const settled = await until(
      'the ledger to agree with what exists',
      async () => {
        const { status } = await getJson(['governancepolicy', 'default', '-n', namespace()]);
        const open = Object.keys(status.reservations ?? {}).length;
        return status.used?.sandboxes === CAP && open === 0 && status;
      },
      60_000,
    );
    expect(settled.used.sandboxes).toBe(CAP);
  });

  it('has room again once one is gone', async () => {
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    await ok(kubectl(['delete', 'sandbox', items[0].metadata.name, '-n', namespace(), '--timeout=60s']));
    expect(await until('the freed place', byKubectl('afterwards', namespace()))).toBe('in');
  });
});
