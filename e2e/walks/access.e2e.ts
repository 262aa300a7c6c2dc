// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

const as = (user: string): string[] => [`--as=${user}`, '--as-group=walk:tenants'];

/** Tenants who may do with pods and sandboxes of the namespace whatever RBAC can give. */
const tenants = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: tenants
rules:
  - apiGroups: [agenttier.io]
    resources: [sandboxes]
    verbs: ["*"]
  - apiGroups: [""]
    resources: [pods, pods/exec, pods/portforward]
    verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: tenants
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: tenants }
subjects:
  - { apiGroup: rbac.authorization.k8s.io, kind: Group, name: "walk:tenants" }
`;

const secret = (name: string, label: string): string => `
apiVersion: v1
kind: Secret
metadata:
  name: ${name}
  labels: { ${label} }
stringData:
  key: value-of-${name}
`;

describe('tenants of one namespace', () => {
  const namespace = walkNamespace('walk-access');
  const create = (user: string, yaml: string) =>
    kubectl(['create', '-n', namespace(), ...as(user), '-f', '-'], { stdin: yaml });
  const exec = (user: string, sandbox: string) =>
    kubectl(['exec', '-n', namespace(), ...as(user), `${sandbox}-pod`, '--', 'id', '-u']);

  beforeAll(async () => {
    await ok(apply(tenants, namespace()));
    await ok(create('ann', minimalSandbox('of-ann')));
    await untilPhase('of-ann', namespace(), 'Running');
    await until('the kubelet to call the pod ready', async () => (await exec('ann', 'of-ann')).code === 0);
  });

  it('enter their own sandbox with kubectl exec, and nobody else’s', async () => {
    expect(await ok(exec('ann', 'of-ann'))).toBe('1000\n');
    const { code, stderr } = await exec('eve', 'of-ann');
    expect(code).not.toBe(0);
    expect(stderr).toContain('not_owner');
  });

  it('clone their own sandbox, and nobody else’s', async () => {
    const clone = (user: string) =>
      create(user, minimalSandbox(`clone-by-${user}`, '  cloneFrom: { sandbox: of-ann }\n'));
    const { code, stderr } = await clone('eve');
    expect(code).not.toBe(0);
    expect(stderr).toContain('[source_not_found]');
    await ok(clone('ann'));
    await untilPhase('clone-by-ann', namespace(), 'Running');
  });

  it('may share a sandbox with a collaborator, who then enters it; a viewer does not', async () => {
    const share = (level: string) =>
      kubectl([
        'patch',
        'sandbox',
        'of-ann',
        '-n',
        namespace(),
        ...as('ann'),
        '--type=merge',
        '-p',
        JSON.stringify({ spec: { sharing: { users: [{ identity: 'bob', level }] } } }),
      ]);
    await ok(share('viewer'));
    expect((await exec('bob', 'of-ann')).stderr).toContain('not_owner');
    await ok(share('collaborator'));
    expect(await ok(exec('bob', 'of-ann'))).toBe('1000\n');
  });

  it('cannot put a pod of their own behind a sandbox', async () => {
    const pod = `
apiVersion: v1
kind: Pod
metadata:
  name: foreign
  labels: { agenttier.io/sandbox: of-ann }
spec:
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: RuntimeDefault } }
  containers:
    - name: main
      image: localhost/agenttier/sandbox-minimal:0.1.0
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
`;
    const { code, stderr } = await create('eve', pod);
    expect(code).not.toBe(0);
    expect(stderr).toContain('pod_reserved');
  });

  it('get labelled Secrets as files that only the sandbox reads, and no other Secret', async () => {
    const label = 'agenttier.io/sandbox-credential: "true"';
    for (const name of ['first', 'second']) await ok(apply(secret(name, label), namespace()));
    await ok(apply(secret('private', 'kind: private'), namespace()));
    const credentials = (names: readonly string[]): string =>
      `  credentials:\n${names
        .map((name) => `    - { secretName: ${name}, mountAs: file, mountPath: /creds/${name} }\n`)
        .join('')}`;
    const refused = await create('ann', minimalSandbox('greedy', credentials(['private'])));
    expect(refused.stderr).toContain('secret_not_allowed');
    await ok(create('ann', minimalSandbox('files', credentials(['first', 'second']))));
    await untilPhase('files', namespace(), 'Running');
    const seen = await ok(
      inSandbox('files', namespace(), 'cat /creds/*/key; stat -L -c %a /creds/first/key /creds/second/key'),
    );
    expect(seen).toBe('value-of-firstvalue-of-second440\n440\n');
  });

  it('get a sidecar that is hardened like the sandbox itself', async () => {
    const sidecar = `  sidecars:
    - name: helper
      image: localhost/agenttier/test-busybox:0.1.0
      command: [/bin/sh, -c, "id -u > /workspace/sidecar; sleep 3600"]
      resources:
        requests: { cpu: 5m, memory: 16Mi }
        limits: { cpu: 50m, memory: 32Mi }
      volumeMounts:
        - { name: workspace, mountPath: /workspace }
`;
    await ok(create('ann', minimalSandbox('guests', sidecar)));
    await untilPhase('guests', namespace(), 'Running');
    await until('the sidecar to have written', async () => {
      const { stdout } = await inSandbox('guests', namespace(), 'cat /workspace/sidecar');
      return stdout === '1000\n';
    });
    const pod = await getJson(['pod', 'guests-pod', '-n', namespace()]);
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    expect(containers.length).toBeGreaterThan(2);
    for (const { securityContext } of containers) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });
});
