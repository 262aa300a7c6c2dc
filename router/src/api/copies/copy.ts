// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { derivedName, isDnsLabel } from '@agenttier/crds/meta/names';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { copySpec } from '@agenttier/crds/sandbox/copy';
import type { CopySource } from '@agenttier/crds/sandbox/copy';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Stores } from '../../cluster/caches.ts';
import { traceAnnotation } from '../../cluster/wake.ts';
import { refusals } from '../errors.ts';
import type { Call } from '../route.ts';
import { isDryRun, writeAs } from '../write.ts';

export interface Copier {
  readonly client: Pick<KubeClient, 'create'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
}

export interface Copy {
  readonly source: Sandbox;
  readonly data: CopySource;
  /** What the caller wants it called; made up from `word` when left out. */
  readonly name: string | undefined;
  readonly word: 'clone' | 'restore';
  readonly labels: Readonly<Record<string, string>>;
}

export interface Copied {
  readonly sandbox: Sandbox;
  readonly warnings: readonly string[];
}

/** Made-up names collide about once in 60 million; a second try is then enough. */
const TRIES = 3;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Creates a sandbox like another one, with that one's data. It is the caller's, and an ordinary create in the caller's name:
 * admission judges policy, quota, and whether the caller may have the data. A name that is taken makes the create fail, so
 * it cannot overwrite anything.
 */
export async function createCopy({ client, stores }: Copier, call: Call, copy: Copy): Promise<Copied> {
  if (copy.name && !isDnsLabel(copy.name))
    throw refusals.invalidFields([{ field: 'name', message: NO_NAME }]);
  const { namespace } = copy.source.metadata;
  const warnings: string[] = [];
  const options = writeAs(call, warnings);
  for (let tries = 1; ; tries++) {
    try {
      const body = bodyOf(copy, copy.name || madeUp(copy));
      const sandbox = await client.create<Sandbox & KubeObject>(SANDBOXES, namespace, body, options);
      if (!isDryRun(call)) stores.sandboxes.applyLocal(sandbox);
      return { sandbox, warnings };
    } catch (error) {
      if (copy.name || !isAlreadyExists(error) || tries === TRIES) throw error;
    }
  }
}

const NO_NAME =
  'must be at most 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit';

function bodyOf({ source, data, labels }: Copy, name: string): Sandbox & KubeObject {
  const { namespace = '' } = source.metadata;
  return {
    apiVersion: API_VERSION,
    kind: SANDBOXES.kind,
    metadata: { name, namespace, labels: { ...labels }, annotations: traceAnnotation() },
    spec: copySpec(source.spec ?? {}, data),
  };
}

function madeUp({ source, word }: Copy): string {
  const end = Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return derivedName('', source.metadata.name ?? '', `-${word}-${end}`);
}
