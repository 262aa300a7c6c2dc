// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { LABEL_KIND } from '@agenttier/crds/meta/labels';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists, isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import { CONFIG_MAPS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Handlers } from '../contract.ts';
import { isConditional, requireMatch, tagOfObject } from '../precondition.ts';
import type { Call, Reply } from '../route.ts';

export interface PreferencesOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  readonly installNamespace: string;
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

type Preferences = Readonly<Record<string, unknown>>;

const KEY = 'preferences';
const TRIES = 5;

/**
 * What a person has set in a page, in a ConfigMap of the install namespace, by the router's own account: people have no rights
 * there. The name is a hash of who it is, so that nobody reaches another's, whatever his subject looks like.
 */
export function preferenceOperations(
  options: PreferencesOptions,
): Pick<Handlers, 'getPreferences' | 'setPreferences'> {
  return {
    getPreferences: async (call) => {
      const stored = await read(options, call);
      const etag = stored === undefined ? {} : { etag: tagOfObject(stored) };
      return { status: 200, body: preferencesIn(stored), ...etag };
    },
    setPreferences: (call) => write(options, call),
  };
}

const nameFor = (sub: string): string =>
  `agenttier-prefs-${createHash('sha256').update(sub, 'utf8').digest('hex').slice(0, 40)}`;

/** One read for each time that somebody opens a page: a watch of everybody's would be dearer. */
async function read(
  { client, installNamespace: namespace }: PreferencesOptions,
  { principal, signal }: Call,
): Promise<ConfigMap | undefined> {
  try {
    return await client.get<ConfigMap>(CONFIG_MAPS, { namespace, name: nameFor(principal.sub) }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** What somebody has broken by hand counts as nothing stored. */
function preferencesIn(stored: ConfigMap | undefined): Preferences {
  try {
    const value: unknown = JSON.parse(stored?.data?.[KEY] ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Preferences) : {};
  } catch {
    return {};
  }
}

/** Each try names the version that it replaces: with If-Match a change in between is told, without it the last one wins. */
async function write(options: PreferencesOptions, call: Call<Preferences>): Promise<Reply> {
  const data = { [KEY]: JSON.stringify(call.body) };
  for (let tries = 1; ; tries++) {
    const stored = await read(options, call);
    requireMatch(call, stored, preferencesIn(stored));
    try {
      const written = await put(options, call, { stored, data });
      return { status: 200, body: call.body, headers: { ETag: tagOfObject(written) } };
    } catch (error) {
      const raced = isConflict(error) || isAlreadyExists(error);
      if (!raced || (tries >= TRIES && !isConditional(call))) throw error;
    }
  }
}

function put(
  { client, installNamespace: namespace }: PreferencesOptions,
  { principal, signal }: Call<Preferences>,
  { stored, data }: { stored: ConfigMap | undefined; data: Readonly<Record<string, string>> },
): Promise<ConfigMap> {
  if (stored !== undefined) return client.update<ConfigMap>(CONFIG_MAPS, { ...stored, data }, { signal });
  const labels = { [LABEL_KIND]: KEY };
  const metadata = { name: nameFor(principal.sub), namespace, labels };
  return client.create<ConfigMap>(CONFIG_MAPS, namespace, { metadata, data }, { signal });
}
