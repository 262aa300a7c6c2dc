// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest, UserInfo, Verdict } from '../review.ts';
import { validateConnect } from './validate.ts';
import type { ConnectMode } from '../config.ts';

const accounts = { operator: 'sa:operator', router: 'sa:router', webhook: 'sa:webhook' };
const behindRouter = (sub: string): UserInfo => ({
  username: `agenttier:${sub}`,
  groups: ['agenttier:users'],
});

const POD: KubeObject = {
  metadata: { name: 'dev-pod', labels: { 'agenttier.io/sandbox': 'dev', 'agenttier.io/sandbox-uid': 'u1' } },
};
const OTHER: KubeObject = { metadata: { name: 'dev-pod', labels: { app: 'database' } } };
const SLOT: KubeObject = { metadata: { name: 'dev-pod', labels: { 'agenttier.io/slot': 'pool' } } };

const sandbox = (spec: SandboxSpec = {}, uid = 'u1'): KubeObject & { spec: SandboxSpec } => ({
  metadata: { name: 'dev', uid },
  spec: { createdBy: { sub: 'ann' }, ...spec },
});

interface Scene {
  readonly pod?: KubeObject;
  readonly sandbox?: KubeObject;
  readonly fault?: Error;
  readonly mode?: ConnectMode;
  readonly dryRun?: boolean;
  readonly used?: string[];
}

function enter(user: UserInfo, scene: Scene = {}, name = 'dev-pod'): Promise<Verdict> | Verdict {
  const gone = new KubeError({ status: 404, reason: 'NotFound', message: 'gone' });
  const get: KubeClient['get'] = <T>(resource: { plural: string }, key: { name: string }) => {
    if (scene.fault) return Promise.reject(scene.fault);
    if (resource.plural === 'pods' && key.name !== 'dev-pod') return Promise.reject(gone);
    const { pod = POD, sandbox: box = sandbox() } = scene;
    const found = resource.plural === 'pods' ? pod : box;
    return found.metadata.name === '' ? Promise.reject(gone) : Promise.resolve(found as T);
  };
  const request: AdmissionRequest = {
    uid: 'r',
    kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
    operation: 'CONNECT',
    namespace: 'team',
    name,
    subResource: 'exec',
    userInfo: user,
    ...(scene.dryRun === undefined ? {} : { dryRun: scene.dryRun }),
  };
  const used = ({ metadata }: { metadata: { uid?: string } }): void =>
    void scene.used?.push(metadata.uid ?? '');
  const handler = validateConnect({ client: { get }, accounts, mode: scene.mode ?? 'Ignore', used });
  return handler(request, new AbortController().signal);
}

const codes = async (verdict: Promise<Verdict> | Verdict): Promise<string[]> =>
  (await verdict).violations.map((v) => `${v.field} ${v.code}`);

const REFUSED = ['pods/exec not_owner'];
const shared = (level: 'viewer' | 'collaborator'): KubeObject =>
  sandbox({ sharing: { users: [{ identity: 'bob', level }], groups: [{ identity: 'dev', level }] } });

describe('entering a pod of a sandbox', () => {
  it.each([
    ['its owner by kubectl', { username: 'ann' }, {}, []],
    ['its owner behind the router', behindRouter('ann'), {}, []],
    ['another user', { username: 'bob', groups: ['system:authenticated'] }, {}, REFUSED],
    ['another person behind the router', behindRouter('bob'), {}, REFUSED],
    ['a collaborator', { username: 'bob' }, { sandbox: shared('collaborator') }, []],
    ['a viewer', { username: 'bob' }, { sandbox: shared('viewer') }, REFUSED],
    [
      'a member of a group that collaborates',
      { username: 'eve', groups: ['dev'] },
      { sandbox: shared('collaborator') },
      [],
    ],
    ['the administrators of the cluster', { username: 'root', groups: ['system:masters'] }, {}, []],
    ['our administrators', { username: 'root', groups: ['agenttier:admins'] }, {}, []],
    ['the router', { username: accounts.router }, {}, []],
    ['the operator', { username: accounts.operator }, {}, []],
    ['a user without a name', {}, { sandbox: sandbox({ createdBy: { sub: '' } }) }, REFUSED],
    [
      'the owner of a later sandbox of that name',
      { username: 'ann' },
      { sandbox: sandbox({}, 'u2') },
      REFUSED,
    ],
    [
      'the owner of a sandbox that is gone',
      { username: 'ann' },
      { sandbox: { metadata: { name: '' } } },
      REFUSED,
    ],
    ['anybody into a slot of a pool', { username: 'ann' }, { pod: SLOT }, REFUSED],
  ] as const)('%s', async (_who, user, scene, expected) => {
    expect(await codes(enter(user, scene))).toEqual(expected);
  });

  it.each(['dev-pod:9000', 'http:dev-pod:9000', 'https:dev-pod:'])(
    'is seen through the proxy path as %s',
    async (name) => {
      expect(await codes(enter({ username: 'bob' }, {}, name))).toEqual(REFUSED);
      expect(await codes(enter({ username: 'ann' }, {}, name))).toEqual([]);
    },
  );

  it('is no concern for pods that are none of ours, or that do not exist', async () => {
    expect(await codes(enter({ username: 'bob' }, { pod: OTHER }))).toEqual([]);
    expect(await codes(enter({ username: 'bob' }, { pod: { metadata: { name: '' } } }))).toEqual([]);
  });

  it('passes with a warning, or not at all, when nobody can tell whose pod it is', async () => {
    const fault = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'away' });
    const verdict = await enter({ username: 'bob' }, { fault });
    expect(verdict).toMatchObject({ violations: [], warnings: [expect.stringContaining('Ignore')] });
    await expect(enter({ username: 'bob' }, { fault, mode: 'strict' })).rejects.toThrow('away');
  });
});

describe('entering is use', () => {
  it.each<[string, UserInfo, Scene, readonly string[]]>([
    ['of its owner', { username: 'ann' }, {}, ['u1']],
    ['of an administrator', { username: 'root', groups: ['system:masters'] }, {}, ['u1']],
    ['not of somebody who is refused', { username: 'bob' }, {}, []],
    ['not of the router, which tells of it itself', { username: 'sa:router' }, {}, []],
    ['not when it is only tried', { username: 'ann' }, { dryRun: true }, []],
    ['not of a slot', { username: 'root', groups: ['system:masters'] }, { pod: SLOT }, []],
  ])('%s', async (_, user, scene, expected) => {
    const used: string[] = [];
    await enter(user, { ...scene, used });
    expect(used).toEqual(expected);
  });
});
