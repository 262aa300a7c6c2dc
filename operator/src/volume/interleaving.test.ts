// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import { ANNOTATION_BACKUP } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { refusal } from '../testing/cluster.ts';
import { MINUTE, sandbox } from '../testing/fixtures.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
import { claimsIn, cutSnapshots, settleStorage, snapshotsIn } from '../testing/storage.ts';
import { kindOf } from './snapshot.ts';

const gone = refusal(0, 'NetworkError', 'the process is dead');

function replica(s: Scenario): Replica {
  const fresh = new Replica(s.cluster);
  fresh.caches.snapshots.setAvailable(true);
  return fresh;
}

async function running(s: Scenario, spec: SandboxSpec = {}): Promise<void> {
  s.apply({ spec });
  s.operator.caches.snapshots.setAvailable(true);
  await settleStorage(s, s.operator);
}

interface Story {
  readonly before: (s: Scenario) => Promise<void>;
  readonly end: (s: Scenario) => void;
}

const kinds = (s: Scenario): (string | undefined)[] => snapshotsIn(s).map((one) => kindOf(one));

/** Each must come to one and the same end, at whatever call the first operator dies, and with whomever it competes. */
const STORIES: Readonly<Record<string, Story>> = {
  'a stop with its snapshot': {
    before: async (s) => {
      await running(s, { storage: { snapshotOnStop: true } });
      s.desire('Stopped');
    },
    end: (s) => {
      expect(s.status()).toMatchObject({ phase: 'Stopped' });
      expect(kinds(s)).toEqual(['on-stop']);
      expect(s.cluster.objects(PODS)).toEqual([]);
    },
  },
  'a backup that is due': {
    before: async (s) => {
      await running(s, { backup: { every: '1h' } });
      s.advance(61 * MINUTE);
    },
    end: (s) => {
      expect(kinds(s)).toEqual(['scheduled-backup']);
      expect(s.status().backup?.lastName).toBe(snapshotsIn(s)[0]?.metadata.name);
    },
  },
  'a backup that was asked for': {
    before: async (s) => {
      await running(s);
      s.annotate(ANNOTATION_BACKUP, 'x');
    },
    end: (s) => {
      expect(kinds(s)).toEqual(['backup']);
      expect(s.status().backup?.observedRequest).toBe('x');
    },
  },
  'a copy': {
    before: async (s) => {
      await running(s);
      // The source is `one`'s own twin under another name, stopped: its volume is what matters here.
      const source = sandbox({ name: 'source', uid: 'uid-source' });
      s.put({ ...source, status: { pvcName: 'source-workspace' } });
      const [claim] = claimsIn(s);
      s.cluster.put(PERSISTENT_VOLUME_CLAIMS, {
        ...claim,
        metadata: {
          ...claim?.metadata,
          name: 'source-workspace',
          uid: 'uid-source-claim',
          ownerReferences: [
            {
              apiVersion: 'agenttier.io/v1alpha1',
              kind: 'Sandbox',
              name: 'source',
              uid: 'uid-source',
              controller: true,
            },
          ],
        },
      });
      await s.cluster.client.delete(SANDBOXES, { namespace: 'team', name: 'one' });
      await settleStorage(s, s.operator);
      s.put(sandbox({ uid: 'uid-copy', spec: { cloneFrom: { sandbox: 'source', uid: 'uid-source' } } }));
    },
    end: (s) => {
      expect(s.status()).toMatchObject({ phase: 'Running', clonedFrom: 'Sandbox/source' });
      const copy = claimsIn(s).find(({ metadata }) => metadata.name === 'one-workspace');
      expect(copy?.spec.dataSource?.kind).toBe('VolumeSnapshot');
      expect(snapshotsIn(s)).toEqual([]);
      expect(claimsIn(s)).toHaveLength(2);
    },
  },
};

describe.each(Object.entries(STORIES))('%s', (_name, story) => {
  it.each(['before', 'after'] as const)(
    'finished by another operator when the first dies %s any call',
    async (moment) => {
      for (let at = 0; at < 40; at++) {
        const s = new Scenario();
        await story.before(s);
        let calls = 0;
        s.cluster[moment] = () => {
          if (calls++ >= at) throw gone;
        };
        let died = false;
        await settleStorage(s, s.operator).catch(() => {
          died = true;
        });
        s.cluster[moment] = undefined;
        await settleStorage(s, replica(s));
        story.end(s);
        if (!died) return;
      }
      throw new Error('the story never ran to its end');
    },
  );

  it('ends the same with a second operator that acts on an outdated cache', async () => {
    const s = new Scenario();
    await story.before(s);
    const late = replica(s);
    late.deafen();
    await settleStorage(s, s.operator);
    await late.settle(5).catch(() => undefined);
    cutSnapshots(s);
    late.hear();
    await settleStorage(s, late);
    story.end(s);
  });
});
