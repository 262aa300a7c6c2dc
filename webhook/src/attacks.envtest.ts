// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Impersonation } from '@agenttier/machinery/kube/client';
import { PODS, SECRETS, SERVICE_ACCOUNTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshNamespace } from '../../e2e/envtest/server.ts';
import { grant, postReview } from './envtest/registration.ts';
import { admin, alice, causes, refusal, useScene } from './envtest/scene.ts';

const scene = useScene();

const TENANTS = 'attack-tenants';
/** A person behind the router, of whom other files know nothing: what she makes stays on the API server. */
const eve: Impersonation = { user: 'agenttier:eve', groups: ['agenttier:users', 'system:authenticated'] };
/** A user of the cluster who may do anything with sandboxes and pods, and read no Secret. */
const mallory: Impersonation = { user: 'mallory', groups: [TENANTS, 'system:authenticated'] };
/** Named like somebody behind the router, by a cluster that hands out such names. */
const doppelganger: Impersonation = { user: 'agenttier:alice', groups: [TENANTS, 'system:authenticated'] };
const reader: Impersonation = { user: 'reader', groups: [TENANTS, 'attack-readers', 'system:authenticated'] };

const DIGEST = `sha256:${'a'.repeat(64)}`;
const LIMITS = { resources: { limits: { cpu: '1', memory: '64Mi' } } };
const sidecar = (more: object = {}): object => ({
  name: 'proxy',
  image: 'ghcr.io/acme/proxy',
  ...LIMITS,
  ...more,
});

/** Namespace with a policy that approves ghcr.io/acme and one exact image. */
let governed = '';
let victim: Sandbox;

const secret = (name: string, labels: Record<string, string> = {}): Promise<KubeObject> =>
  scene.client.create(SECRETS, scene.team, { metadata: { name, namespace: scene.team, labels } });

const account = (name: string, labels: Record<string, string> = {}): Promise<KubeObject> =>
  scene.client.create(SERVICE_ACCOUNTS, scene.team, { metadata: { name, namespace: scene.team, labels } });

beforeAll(async () => {
  governed = await freshNamespace('governed');
  const all = ['*'];
  const rules = [
    { apiGroups: ['agenttier.io'], resources: all, verbs: all },
    { apiGroups: [''], resources: ['pods', 'pods/exec'], verbs: all },
  ];
  await grant(scene.client, `${scene.install}-attackers`, rules, { kind: 'Group', name: TENANTS });
  const read = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
  await grant(scene.client, `${scene.install}-readers`, read, { kind: 'Group', name: 'attack-readers' });
  const operator = { kind: 'User', name: scene.operator().user };
  await grant(scene.client, `${scene.install}-operator-makes`, rules, operator);
  await scene.create(
    'GovernancePolicy',
    'default',
    { approvedRegistries: ['ghcr.io/acme', 'quay.io/tools/box:1'] },
    {
      namespace: governed,
    },
  );
  await Promise.all([
    secret('others'),
    secret('offered', { 'agenttier.io/sandbox-credential': 'true' }),
    secret('keys', { 'agenttier.io/secret-purpose': 'api-key', 'agenttier.io/sandbox-credential': 'true' }),
    account('powerful'),
    account('offered', { 'agenttier.io/sandbox-identity': 'true' }),
  ]);
  victim = await scene.create('Sandbox', 'victim', scene.spec(), { impersonate: alice });
  const labels = { 'agenttier.io/sandbox': 'victim', 'agenttier.io/sandbox-uid': victim.metadata.uid ?? '' };
  await scene.client.create(PODS, scene.team, podOf('victim-pod', labels), { impersonate: scene.operator() });
});

const podOf = (name: string, labels: Record<string, string>): KubeObject =>
  ({
    metadata: { name, namespace: scene.team, labels },
    spec: { containers: [{ name: 'sandbox', image: 'x' }], automountServiceAccountToken: false },
  }) as KubeObject;

describe("a sandbox that asks for what is not its maker's", () => {
  it.each<[string, object, string]>([
    [
      'a Secret of others',
      { credentials: [{ secretName: 'others' }] },
      'spec.credentials[0].secretName secret_not_allowed',
    ],
    [
      'a Secret that is not there yet',
      { credentials: [{ secretName: 'later' }] },
      'spec.credentials[0].secretName secret_not_allowed',
    ],
    [
      'the keys of the platform',
      { credentials: [{ secretName: 'keys' }] },
      'spec.credentials[0].secretName secret_not_allowed',
    ],
    [
      'the token of another sandbox',
      { credentials: [{ secretName: 'victim-runtime-token' }] },
      'spec.credentials[0].secretName secret_not_allowed',
    ],
    [
      'a Secret by a variable',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'others', key: 'k' } } }] },
      'spec.env[0].valueFrom.secretKeyRef.name secret_not_allowed',
    ],
    [
      'a Secret by a sidecar',
      { sidecars: [sidecar({ envFrom: [{ secretRef: { name: 'others' } }] })] },
      'spec.sidecars[0].envFrom[0].secretRef.name secret_not_allowed',
    ],
    [
      'a ServiceAccount with rights',
      { serviceAccount: 'powerful' },
      'spec.serviceAccount service_account_not_allowed',
    ],
    [
      'the snapshot of another sandbox',
      { cloneFromSnapshot: 'victim-snapshot' },
      'spec.cloneFromSnapshot snapshots_unavailable',
    ],
    [
      'the place of the main container',
      { sidecars: [sidecar({ name: 'sandbox' })] },
      'spec.sidecars[0].name invalid_value',
    ],
    [
      'the token by a sidecar',
      { sidecars: [sidecar({ volumeMounts: [{ name: 'agenttier-run', mountPath: '/x' }] })] },
      'spec.sidecars[0].volumeMounts[0].name invalid_value',
    ],
    [
      'the whole node by a sidecar',
      { sidecars: [sidecar({ resources: { limits: { memory: '1Gi' } } })] },
      'spec.sidecars[0].resources.limits.cpu cpu_limit_missing',
    ],
  ])('%s', async (_what, more, expected) => {
    for (const impersonate of [eve, mallory]) {
      const error = await refusal(scene.create('Sandbox', 'greedy', scene.spec(more), { impersonate }));
      expect(causes(error)).toEqual([expected]);
    }
  });

  it('gets what is offered, and what the person may read anyway', async () => {
    const offered = { credentials: [{ secretName: 'offered' }], serviceAccount: 'offered' };
    await scene.create('Sandbox', 'modest', scene.spec(offered), { impersonate: eve });
    const own = { credentials: [{ secretName: 'others', mountAs: 'file', mountPath: '/secrets' }] };
    await scene.create('Sandbox', 'reading', scene.spec(own), { impersonate: reader });
    // An administrator behind the router has no rights in the cluster to answer with.
    const error = await refusal(scene.create('Sandbox', 'root', scene.spec(own), { impersonate: admin }));
    expect(causes(error)).toEqual(['spec.credentials[0].secretName secret_not_allowed']);
    // Who may not read it may not have it read for him by changing what runs there.
    const edit = scene.change('reading', { env: [{ name: 'A', value: 'b' }] }, { impersonate: mallory });
    expect(causes(await refusal(edit))).toEqual(['spec.credentials[0].secretName secret_not_allowed']);
    await scene.change('reading', { env: [{ name: 'A', value: 'b' }] }, { impersonate: reader });
    const key = { namespace: scene.team, name: 'reading' };
    const keys = { credentials: [{ secretName: 'keys' }] };
    expect(causes(await refusal(scene.change(key.name, keys, { impersonate: reader })))).toEqual([
      'spec.credentials[0].secretName secret_not_allowed',
    ]);
  });

  it('cannot ask for a privileged sidecar: the schema knows no such field', async () => {
    const spec = scene.spec({ sidecars: [sidecar({ securityContext: { privileged: true } })] });
    const body = scene.manifest('Sandbox', 'privileged', spec);
    const strict = scene.client.create(SANDBOXES, scene.team, body, {
      impersonate: eve,
      fieldValidation: 'Strict',
    });
    expect((await refusal(strict)).message).toContain('unknown field "spec.sidecars[0].securityContext"');
    const pruned = await scene.create('Sandbox', 'privileged', spec, { impersonate: eve });
    expect(JSON.stringify(pruned.spec)).not.toContain('privileged');
  });
});

describe('images that only look approved', () => {
  it.each([
    ['a name that begins alike', 'ghcr.io/acme-evil/tool'],
    ['a host that begins alike', 'ghcr.io.evil.example/acme/tool'],
    ['the registry as a path', 'evil.example/ghcr.io/acme/tool'],
    ['a Docker Hub name that looks like it', 'acme/tool'],
    ['another tag', 'quay.io/tools/box:2'],
    ['no tag, which is another', 'quay.io/tools/box'],
    ['the tag with a digest that says otherwise', `quay.io/tools/box:1@${DIGEST}`],
    ['something below the approved image', 'quay.io/tools/box/evil:1'],
    ['another port', 'ghcr.io:8443/acme/tool'],
  ])('%s', async (_what, repository) => {
    const spec = scene.spec({ image: { repository } });
    const error = await refusal(
      scene.create('Sandbox', 'look', spec, { namespace: governed, impersonate: eve }),
    );
    expect(causes(error)).toEqual(['spec.image.repository image_registry_not_approved']);
  });

  it.each([
    ['a step back', 'ghcr.io/acme/../evil/tool'],
    ['two digests', `ghcr.io/acme/tool@${DIGEST}@${DIGEST}`],
    ['an empty segment', 'ghcr.io/acme//evil'],
    ['an escape', 'ghcr.io/acme%2f..%2fevil/tool'],
    ['a user in front of the host', 'ghcr.io/acme@evil.example/tool'],
  ])('%s', async (_what, repository) => {
    const spec = scene.spec({ image: { repository } });
    const error = await refusal(
      scene.create('Sandbox', 'look', spec, { namespace: governed, impersonate: eve }),
    );
    expect([403, 422]).toContain(error.status);
    expect(error.message).toContain('spec.image.repository');
  });

  it('in a sidecar or an init container', async () => {
    const evil = { image: 'ghcr.io/acme-evil/tool' };
    const spec = scene.spec({
      image: { repository: 'ghcr.io/acme/tool' },
      sidecars: [sidecar(evil)],
      initContainers: [sidecar({ ...evil, name: 'first' })],
    });
    const error = await refusal(
      scene.create('Sandbox', 'look', spec, { namespace: governed, impersonate: eve }),
    );
    expect(causes(error)).toEqual([
      'spec.initContainers[0].image image_registry_not_approved',
      'spec.sidecars[0].image image_registry_not_approved',
    ]);
  });

  it('do not keep the honest ones out', async () => {
    for (const repository of ['ghcr.io/acme/tool', `ghcr.io/acme/tool@${DIGEST}`, 'quay.io/tools/box:1']) {
      const spec = scene.spec({ image: { repository } });
      await scene.create('Sandbox', 'fine', spec, { namespace: governed, impersonate: eve, dryRun: true });
    }
  });
});

describe('forgery', () => {
  it('of the owner, which the schema refuses already, with or without the webhook', async () => {
    for (const impersonate of [alice, mallory]) {
      const error = await refusal(scene.change('victim', { createdBy: { sub: 'mallory' } }, { impersonate }));
      expect(error.status).toBe(422);
      expect(error.message).toContain('createdBy');
    }
    const claimed = scene.spec({ createdBy: { sub: 'alice' } });
    const { spec } = await scene.create('Sandbox', 'claimed', claimed, { impersonate: eve });
    expect(spec?.createdBy?.sub).toBe('eve');
  });

  it('of the owner, past the mutation that would have corrected it', async () => {
    const { spec } = scene.manifest('Sandbox', 'forged', scene.spec());
    const { response } = await postReview(
      scene.replicas[0]?.webhookPort ?? 0,
      '/validate/sandboxes',
      await scene.authority(),
      {
        uid: 'f',
        kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
        operation: 'CREATE',
        namespace: scene.team,
        userInfo: { username: eve.user, groups: eve.groups },
        object: {
          metadata: { name: 'forged' },
          spec: { ...spec, createdBy: { sub: 'alice' }, resolved: victim.spec?.resolved },
        },
      },
    );
    expect(response.allowed).toBe(false);
    expect(response.status?.details?.causes.map((cause) => cause.reason)).toContain('owner_forged');
  });

  it('of the resolved spec', async () => {
    const resolved = { ...victim.spec?.resolved, spec: { image: { repository: 'evil.example/x' } } };
    const error = await refusal(scene.change('victim', { resolved }, { impersonate: alice }));
    expect(causes(error)).toContain('spec.resolved resolved_forged');
  });

  it('of the status', async () => {
    const key = { namespace: scene.team, name: 'victim' };
    const body = { status: { phase: 'Running', podName: 'somebody-elses-pod' } };
    for (const impersonate of [alice, admin, mallory]) {
      const write = scene.client.patch(
        SANDBOXES,
        key,
        { type: 'merge', body },
        { subresource: 'status', impersonate },
      );
      expect(causes(await refusal(write))).toEqual(['status status_reserved']);
    }
    const phase = { type: 'merge', body: { status: { phase: 'Creating' } } } as const;
    await scene.client.patch(SANDBOXES, key, phase, { subresource: 'status', impersonate: scene.operator() });
  });

  it('of a pod behind a sandbox', async () => {
    const pod = podOf('trojan', { 'agenttier.io/sandbox': 'victim' });
    const error = await refusal(scene.client.create(PODS, scene.team, pod, { impersonate: mallory }));
    expect(causes(error)).toEqual(['metadata.labels pod_reserved']);
  });
});

describe("another's sandbox", () => {
  it('is not entered by the API server, not by a name alone either', async () => {
    const path = `/api/v1/namespaces/${scene.team}/pods/victim-pod/exec?command=sh&container=sandbox`;
    for (const impersonate of [mallory, doppelganger]) {
      const error = await refusal(scene.client.raw({ method: 'POST', path }, { impersonate }));
      expect(causes(error)).toEqual(['pods/exec not_owner']);
    }
  });

  it.each<[string, object, string]>([
    ['stopped', { desiredState: 'Stopped' }, 'spec.desiredState not_owner'],
    ['edited', { timeout: '1h' }, 'spec not_owner'],
    [
      'shared',
      { sharing: { users: [{ identity: 'eve', level: 'collaborator' }] } },
      'spec.sharing not_owner',
    ],
  ])('is not %s', async (_what, change, expected) => {
    expect(causes(await refusal(scene.change('victim', change, { impersonate: eve })))).toEqual([expected]);
  });

  it('gives no template: one of another namespace is refused', async () => {
    await scene.create(
      'SandboxTemplate',
      'private',
      { image: { repository: 'ghcr.io/acme/x' } },
      { namespace: governed },
    );
    const templateRef = { kind: 'SandboxTemplate', name: 'private', namespace: governed };
    const error = await refusal(scene.create('Sandbox', 'thief', { templateRef }, { impersonate: eve }));
    expect(causes(error)).toEqual(['spec.templateRef template_not_allowed']);
  });
});
