// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PolicySpec, SandboxSpec } from '../../generated/types.ts';
import { effectivePolicy } from '../effective.ts';
import { checkPorts } from './ports.ts';

const judge = (ports: SandboxSpec['ports'], cluster?: PolicySpec, local?: PolicySpec) =>
  checkPorts({
    namespace: 'team',
    spec: ports === undefined ? {} : { ports },
    resolved: { hash: '' },
    policy: effectivePolicy(cluster, local),
  });

const TWO = [{ port: 3000 }, { port: 8080, protocol: 'tcp' as const }];

describe('maxExposedPorts', () => {
  it('is the smaller of cluster and namespace', () => {
    expect(judge(TWO, { maxExposedPorts: 2 }, { maxExposedPorts: 1 })).toEqual([
      {
        code: 'exposed_ports_exceeded',
        field: 'spec.ports',
        message: 'spec.ports has 2, the namespace policy allows 1 at most',
        limit: '1',
        actual: 2,
        scope: 'namespace',
      },
    ]);
    expect(judge(TWO, { maxExposedPorts: 1 }, { maxExposedPorts: 5 })).toMatchObject([{ scope: 'cluster' }]);
  });

  it.each([
    ['as many as may be', TWO, { maxExposedPorts: 2 }],
    ['no policy', TWO, undefined],
    ['zero, which limits nothing', TWO, { maxExposedPorts: 0 }],
    ['no ports', undefined, { maxExposedPorts: 1 }],
  ])('lets pass: %s', (_name, ports, cluster) => {
    expect(judge(ports, cluster)).toEqual([]);
  });

  it('can be handed down to namespaces', () => {
    const cluster: PolicySpec = { maxExposedPorts: 1, delegated: ['maxExposedPorts'] };
    expect(judge(TWO, cluster, { maxExposedPorts: 2 })).toEqual([]);
  });
});
