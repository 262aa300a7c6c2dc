// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { CONFIG_MAPS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ConfigMap } from '../core.ts';
import type { PerformContext } from '../sandbox/context.ts';
import { identityOf } from '../sandbox/ownership.ts';
import { sandbox as build, template } from '../testing/fixtures.ts';
import { buildInstallLog } from './installLog.ts';
import { writeInstallLog } from './writes.ts';

let client: KubeClient;
let sandbox: Sandbox;
let context: PerformContext;
const said: string[] = [];

const install = (log: string) =>
  ({ state: 'done', exitCode: 0, log, bytesTotal: log.length, logTruncated: false }) as const;
const write = (log: string) =>
  writeInstallLog(buildInstallLog(identityOf(sandbox), install(log), 8_192), context);
const stored = (): Promise<ConfigMap> =>
  client.get<ConfigMap>(CONFIG_MAPS, { namespace: sandbox.metadata.namespace, name: 'one-install-log' });

beforeAll(async () => {
  client = await adminClient();
  const namespace = await freshNamespace('install-log');
  const { spec, metadata } = build({
    chain: [template({ mode: 'agent', image: { repository: 'x' } }, 'agent')],
  });
  const body = { metadata: { name: metadata.name, namespace }, spec } as KubeObject;
  sandbox = await client.create<Sandbox & KubeObject>(SANDBOXES, namespace, body);
  const signal = new AbortController().signal;
  const announce: PerformContext['announce'] = (_one, events) =>
    said.push(...events.map(({ reason }) => reason));
  context = { client, owner: identityOf(sandbox), sandbox, signal, announce } as unknown as PerformContext;
});

describe('the log of an installation', () => {
  it('is made, replaced by that of the next one, and goes with its Sandbox', async () => {
    expect(await write('first\n')).toBe('unchanged');
    expect(await write('second ☃\n')).toBe('unchanged');
    const { data, metadata } = await stored();
    expect(data).toEqual({ log: 'second ☃\n', logTruncated: 'false', bytesTotal: '9' });
    expect(metadata.labels).toMatchObject({
      'agenttier.io/sandbox': 'one',
      'agenttier.io/kind': 'install-log',
    });
    expect(metadata.ownerReferences).toMatchObject([{ uid: sandbox.metadata.uid, controller: true }]);
  });

  it('is not written over what somebody else keeps under the name', async () => {
    const { namespace } = sandbox.metadata;
    await client.delete(CONFIG_MAPS, { namespace, name: 'one-install-log' });
    const theirs = { metadata: { name: 'one-install-log', namespace }, data: { log: 'mine' } } as ConfigMap;
    await client.create(CONFIG_MAPS, namespace, theirs);
    expect(await write('ours\n')).toBe('unchanged');
    expect([(await stored()).data, said]).toEqual([{ log: 'mine' }, ['InstallLogRefused']]);
  });
});
