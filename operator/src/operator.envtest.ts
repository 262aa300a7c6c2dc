// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, GovernancePolicy, Sandbox } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import { ANNOTATION_TOKEN_NONCE } from '@agenttier/crds/meta/labels';
import { tokenSubject } from '@agenttier/crds/meta/names';
import { CLUSTER_SANDBOX_TEMPLATES, GOVERNANCE_POLICIES, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists, isNotFound } from '@agenttier/machinery/kube/errors';
import {
  EVENTS,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod, PodStatus } from './core.ts';
import { chartOperator } from './testing/chartOperator.ts';
import { sandbox as build, SETTINGS, template } from './testing/fixtures.ts';
import { exitedPod, READY_POD } from './testing/pods.ts';

let admin: KubeClient;
let namespace: string;
let chain: TemplateObject[];
let operator: { stop: () => Promise<void> };

beforeAll(async () => {
  admin = await adminClient();
  namespace = await freshNamespace('operator', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  const base = template(
    { image: { repository: 'example.test/tools', tag: '1' }, harness: { shell: '/bin/sh' } },
    'operator-envtest',
  );
  const { metadata, spec } = base;
  const made = await admin.create(CLUSTER_SANDBOX_TEMPLATES, undefined, {
    metadata: { name: metadata.name ?? '' },
    spec,
  } as KubeObject);
  chain = [{ ...base, metadata: made.metadata }];
  operator = await chartOperator(admin, SETTINGS);
});

afterAll(() => operator.stop());

async function apply(name: string, spec: Sandbox['spec'] = {}): Promise<Sandbox> {
  const { metadata, ...rest } = build({ name, spec, chain });
  const { annotations, finalizers } = metadata;
  return admin.create(SANDBOXES, namespace, {
    ...rest,
    metadata: { name, namespace, annotations, finalizers },
  } as KubeObject);
}

const read = async <T extends KubeObject>(resource: Resource, name: string): Promise<T | undefined> =>
  admin.get<T>(resource, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });

const status = async (name: string) => (await read<Sandbox & KubeObject>(SANDBOXES, name))?.status ?? {};

const phaseIs = (name: string, phase: string) =>
  until(async () => (await status(name)).phase === phase, `${name} to be ${phase}`).catch(
    async (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(await status(name))}`);
    },
  );

const setPodStatus = (name: string, podStatus: PodStatus) =>
  admin.patch(
    PODS,
    { namespace, name: `${name}-pod` },
    { type: 'merge', body: { status: podStatus } },
    { subresource: 'status' },
  );

async function start(name: string, spec: Sandbox['spec'] = {}): Promise<void> {
  await apply(name, spec);
  await until(async () => (await read(PODS, `${name}-pod`)) !== undefined, 'the pod');
  await setPodStatus(name, READY_POD);
  await phaseIs(name, 'Running');
}

const textOf = async (policy: string) => JSON.stringify(await read(NETWORK_POLICIES, policy));

const desire = (name: string, desiredState: string) =>
  admin.patch(SANDBOXES, { namespace, name }, { type: 'merge', body: { spec: { desiredState } } });

describe('the operator, with the rights of the chart, on a real API server', () => {
  it('says of templates who uses them, and of policies what they would refuse', async () => {
    await start('judged', { resources: { limits: { cpu: '8' } } });
    const name = chain[0]?.metadata.name ?? '';
    const base = async () =>
      (await admin.get<ClusterSandboxTemplate>(CLUSTER_SANDBOX_TEMPLATES, { name })).status ?? {};
    await until(async () => ((await base()).usedBy ?? 0) > 0, 'the users to be counted');
    expect(findCondition((await base()).conditions, 'Resolved')).toMatchObject({ reason: 'Merged' });
    const limits = { metadata: { name: 'default', namespace }, spec: { maxCpu: '4' } } as KubeObject;
    await admin.create(GOVERNANCE_POLICIES, namespace, limits);
    await until(async () => {
      const found = await read<GovernancePolicy>(GOVERNANCE_POLICIES, 'default');
      return found?.status?.wouldViolate === 1;
    }, 'the violators to be counted');
    const compliant = async () => findCondition((await status('judged')).conditions, 'PolicyCompliant');
    await until(async () => (await compliant())?.reason === 'cpu_limit_exceeded', 'the condition');
    await admin.delete(GOVERNANCE_POLICIES, { namespace, name: 'default' });
    await until(async () => (await compliant())?.status === 'True', 'the condition to be taken back');
    expect((await status('judged')).phase).toBe('Running');
  });

  it('makes everything in a namespace that enforces Pod Security "restricted"', async () => {
    await start('alpha');
    const names: [Resource, string][] = [
      [PODS, 'alpha-pod'],
      [PERSISTENT_VOLUME_CLAIMS, 'alpha-workspace'],
      [NETWORK_POLICIES, 'alpha-netpol'],
      [SECRETS, 'alpha-runtime-token'],
      [SERVICE_ACCOUNTS, 'sbx-alpha'],
    ];
    const { uid } = (await read(SANDBOXES, 'alpha'))?.metadata ?? {};
    for (const [resource, name] of names) {
      const owner = { kind: 'Sandbox', uid, controller: true, blockOwnerDeletion: true };
      expect((await read(resource, name))?.metadata.ownerReferences, name).toMatchObject([owner]);
    }
  });

  it('writes the token that the router derives from the pod', async () => {
    await apply('spoken');
    await until(async () => (await read(PODS, 'spoken-pod')) !== undefined, 'the pod');
    const { uid = '' } = (await read(SANDBOXES, 'spoken'))?.metadata ?? {};
    const nonce = (await read(PODS, 'spoken-pod'))?.metadata.annotations?.[ANNOTATION_TOKEN_NONCE] ?? '';
    const token = deriveToken(SETTINGS.tokenKey, tokenSubject(uid, nonce));
    const data = { token: Buffer.from(token).toString('base64') };
    expect(await read(SECRETS, 'spoken-runtime-token')).toMatchObject({ data });
    const forged = { metadata: { annotations: { [ANNOTATION_TOKEN_NONCE]: 'x' } }, data: { token: 'eA==' } };
    const key = { namespace, name: 'spoken-runtime-token' };
    await admin.patch(SECRETS, key, { type: 'merge', body: forged });
    await until(async () => {
      const live = await read<KubeObject & { data: object }>(SECRETS, key.name);
      return JSON.stringify(live?.data) === JSON.stringify(data);
    }, 'the token to be back');
  });

  it('writes a status that the schema keeps whole, then is quiet', async () => {
    await start('quiet');
    const before = await read<Sandbox & KubeObject>(SANDBOXES, 'quiet');
    expect(before?.status).toMatchObject({
      phase: 'Running',
      reason: 'Ready',
      podName: 'quiet-pod',
      pvcName: 'quiet-workspace',
      resolvedTemplate: 'operator-envtest',
      observedGeneration: 1,
      startup: { path: 'cold' },
    });
    for (const type of ['Resolved', 'VolumeReady', 'NetworkReady', 'PodReady', 'Ready']) {
      expect(findCondition(before?.status?.conditions, type)?.status, type).toBe('True');
    }
    // A touch of an owned object makes it look again; it must find nothing to write.
    const touched = await admin.patch(
      NETWORK_POLICIES,
      { namespace, name: 'quiet-netpol' },
      { type: 'merge', body: { metadata: { annotations: { touched: 'yes' } } } },
    );
    await start('later');
    expect((await read(SANDBOXES, 'quiet'))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    expect((await read(NETWORK_POLICIES, 'quiet-netpol'))?.metadata.resourceVersion).toBe(
      touched.metadata.resourceVersion,
    );
  });

  it('records events on the Sandbox', async () => {
    await start('eventful');
    const { uid } = (await read(SANDBOXES, 'eventful'))?.metadata ?? {};
    const seen = async (): Promise<unknown[]> => {
      const { items } = await admin.list<KubeObject & { regarding: { uid: string }; reason: string }>(
        EVENTS,
        { namespace },
      );
      return items.filter(({ regarding }) => regarding.uid === uid).map(({ reason }) => reason);
    };
    await until(async () => (await seen()).includes('Running'), 'the event Running');
    expect(await seen()).toContain('Creating');
  });

  it('brings back what is deleted or opened behind its back', async () => {
    await start('guarded');
    const first = await read(NETWORK_POLICIES, 'guarded-netpol');
    await admin.delete(NETWORK_POLICIES, { namespace, name: 'guarded-netpol' });
    await until(
      async () =>
        ((await read(NETWORK_POLICIES, 'guarded-netpol'))?.metadata.uid ?? first?.metadata.uid) !==
        first?.metadata.uid,
      'a new policy',
      1_000,
    );
    const open = { metadata: { labels: { 'agenttier.io/managed': null } }, spec: { egress: [{}] } };
    await admin.patch(NETWORK_POLICIES, { namespace, name: 'guarded-netpol' }, { type: 'merge', body: open });
    const closed = async () =>
      JSON.stringify((await read<KubeObject & { spec: object }>(NETWORK_POLICIES, 'guarded-netpol'))?.spec);
    await until(async () => (await closed()).includes('kube-dns'), 'the policy to be closed again', 1_000);
  });

  it('opens the network of a running sandbox when its spec says so', async () => {
    await start('online');
    const { spec } = build({
      name: 'online',
      spec: {
        network: {
          allowInternet: true,
          egressRules: [{ cidr: '10.0.0.0/8', ports: [{ port: 443 }] }],
          ingressRules: [{ cidr: '10.2.0.0/16' }],
          allowPeerSandboxes: true,
        },
      },
      chain,
    });
    await admin.patch(SANDBOXES, { namespace, name: 'online' }, { type: 'merge', body: { spec } });
    await until(
      async () =>
        (await textOf('online-netpol')).includes('0.0.0.0/0') &&
        (await textOf('online-netpol')).includes('10.2.0.0/16'),
      'the open policy',
    );
  });

  it('changes memory of a running pod in place', async () => {
    const resources = (memory: string) => ({ requests: { memory: '16Mi' }, limits: { memory } });
    await start('roomy', { resources: resources('64Mi') });
    // What a kubelet that can do this reports; without it the API server refuses.
    const [main] = READY_POD.containerStatuses ?? [];
    const reported = main
      ? [{ ...main, image: 'x', imageID: 'x', restartCount: 0, resources: resources('64Mi') }]
      : [];
    await setPodStatus('roomy', { ...READY_POD, containerStatuses: reported });
    const uid = (await read(PODS, 'roomy-pod'))?.metadata.uid;
    const { spec } = build({ name: 'roomy', spec: { resources: resources('96Mi') }, chain });
    await admin.patch(SANDBOXES, { namespace, name: 'roomy' }, { type: 'merge', body: { spec } });
    const limit = async () =>
      (await read<Pod>(PODS, 'roomy-pod'))?.spec.containers[0]?.resources?.limits?.['memory'];
    await until(async () => (await limit()) === '96Mi', 'the pod to have more memory').catch(
      async (error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify((await status('roomy')).conditions)}`);
      },
    );
    expect((await read(PODS, 'roomy-pod'))?.metadata.uid).toBe(uid);
    expect((await status('roomy')).phase).toBe('Running');
  });

  it('is evicted through the API without spending its budget', async () => {
    await start('evicted');
    const eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'evicted-pod', namespace },
    };
    const path = `/api/v1/namespaces/${namespace}/pods/evicted-pod/eviction`;
    const uid = (await read(PODS, 'evicted-pod'))?.metadata.uid;
    await admin.raw({ method: 'POST', path, body: eviction });
    await until(
      async () => {
        const pod = await read(PODS, 'evicted-pod');
        return pod !== undefined && pod.metadata.uid !== uid;
      },
      'the new pod',
      20_000,
    );
    await setPodStatus('evicted', READY_POD);
    await phaseIs('evicted', 'Running');
    expect((await status('evicted')).restartCount ?? 0).toBe(0);
  });

  it('stops, keeps the volume, and resumes', async () => {
    await start('pausing');
    const volume = (await read(PERSISTENT_VOLUME_CLAIMS, 'pausing-workspace'))?.metadata.uid;
    const token = (await read<KubeObject & { data: object }>(SECRETS, 'pausing-runtime-token'))?.data;
    await desire('pausing', 'Stopped');
    await phaseIs('pausing', 'Stopped');
    expect(await read(PODS, 'pausing-pod')).toBeUndefined();
    await desire('pausing', 'Running');
    await until(async () => (await read(PODS, 'pausing-pod')) !== undefined, 'the new pod');
    await setPodStatus('pausing', READY_POD);
    await phaseIs('pausing', 'Running');
    expect((await status('pausing')).startup?.path).toBe('resume');
    expect((await read(PERSISTENT_VOLUME_CLAIMS, 'pausing-workspace'))?.metadata.uid).toBe(volume);
    expect((await read<KubeObject & { data: object }>(SECRETS, 'pausing-runtime-token'))?.data).not.toEqual(
      token,
    );
  });

  it('a program that ends leaves a Stopped sandbox; the action annotation starts it again', async () => {
    await start('program');
    await setPodStatus('program', exitedPod(0));
    await phaseIs('program', 'Stopped');
    expect((await status('program')).reason).toBe('Completed');
    await admin.patch(
      SANDBOXES,
      { namespace, name: 'program' },
      { type: 'merge', body: { metadata: { annotations: { 'agenttier.io/action': 'resume' } } } },
    );
    await until(async () => (await read(PODS, 'program-pod')) !== undefined, 'the new pod');
    await until(
      async () =>
        (await read(SANDBOXES, 'program'))?.metadata.annotations?.['agenttier.io/action'] === undefined,
      'the command to be taken away',
    );
    await phaseIs('program', 'Creating');
  });

  it('says why the API server refuses its pod', async () => {
    await apply('spoilt', { runtimeClass: 'no-such-class' });
    await until(async () => JSON.stringify(await status('spoilt')).includes('no-such-class'), 'the reason');
    expect(await read(PODS, 'spoilt-pod')).toBeUndefined();
    await desire('spoilt', 'Stopped');
    await phaseIs('spoilt', 'Stopped');
  });

  it('refuses to act on a forged spec.resolved', async () => {
    const { metadata, spec } = build({ name: 'forged', chain });
    const resolved = {
      ...spec?.resolved,
      spec: { ...spec?.resolved?.spec, image: { repository: 'evil.test/miner' } },
    };
    const { annotations, finalizers } = metadata;
    await admin.create(SANDBOXES, namespace, {
      metadata: { name: 'forged', namespace, annotations, finalizers },
      spec: { ...spec, resolved },
    } as KubeObject);
    await phaseIs('forged', 'Error');
    expect(findCondition((await status('forged')).conditions, 'Resolved')?.reason).toBe('Forged');
    expect(await read(PODS, 'forged-pod')).toBeUndefined();
  });

  it('deletes pod and volume before it lets the Sandbox go', async () => {
    await start('doomed');
    await admin.delete(SANDBOXES, { namespace, name: 'doomed' });
    await until(async () => (await read(SANDBOXES, 'doomed')) === undefined, 'the Sandbox to be gone');
    expect(await read(PODS, 'doomed-pod')).toBeUndefined();
    // The volume's protection finalizer is taken away by a controller that this server does not have.
    const volume = await read(PERSISTENT_VOLUME_CLAIMS, 'doomed-workspace');
    expect(volume === undefined || volume.metadata.deletionTimestamp !== undefined).toBe(true);
  });

  it('takes over the name of a sandbox that is just gone', async () => {
    await start('again');
    await admin.delete(SANDBOXES, { namespace, name: 'again' });
    await until(async () => (await read(SANDBOXES, 'again')) === undefined, 'the Sandbox to be gone');
    const volume = await read(PERSISTENT_VOLUME_CLAIMS, 'again-workspace');
    if (volume !== undefined) {
      await admin.patch(
        PERSISTENT_VOLUME_CLAIMS,
        { namespace, name: 'again-workspace' },
        { type: 'merge', body: { metadata: { finalizers: null } } },
      );
    }
    const second = await apply('again');
    await until(async () => (await read(PODS, 'again-pod')) !== undefined, 'the pod');
    const pod = await read<Pod>(PODS, 'again-pod');
    expect(pod?.metadata.ownerReferences?.[0]?.uid).toBe(second.metadata.uid);
    const policy = await read(NETWORK_POLICIES, 'again-netpol');
    expect(policy?.metadata.ownerReferences?.[0]?.uid).toBe(second.metadata.uid);
  });

  it('is the only one to create: the same name is refused by the server', async () => {
    await start('unique');
    await expect(apply('unique')).rejects.toSatisfy(isAlreadyExists);
  });
});
