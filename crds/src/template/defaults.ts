// SPDX-License-Identifier: Apache-2.0
import { parseQuantity } from '../meta/quantity.ts';
import { parseImage } from '../meta/imageReference.ts';
import { DEFAULT_SETTINGS, type ResolveSettings } from './merge.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a Sandbox gets when neither it nor its templates say, out of the variables `DEFAULT_*` and MEMORY_IMAGE that the chart hands to
 * every part that merges. Throws an Error that names the variable when a value cannot be used.
 */
export function readDefaults(env: Environment): ResolveSettings {
  const { defaults } = DEFAULT_SETTINGS;
  const { requests, limits } = defaults.resources ?? {};
  return {
    ...memoryImage(env),
    defaults: {
      ...defaults,
      resources: {
        requests: {
          cpu: quantity(env, 'DEFAULT_CPU_REQUEST', requests?.['cpu']),
          memory: quantity(env, 'DEFAULT_MEMORY_REQUEST', requests?.['memory']),
        },
        limits: {
          cpu: quantity(env, 'DEFAULT_CPU_LIMIT', limits?.['cpu']),
          memory: quantity(env, 'DEFAULT_MEMORY_LIMIT', limits?.['memory']),
        },
      },
      storage: { ...defaults.storage, size: quantity(env, 'DEFAULT_STORAGE_SIZE', defaults.storage?.size) },
      network: { ...defaults.network, allowInternet: opensInternet(env) },
    },
  };
}

function memoryImage(env: Environment): Pick<ResolveSettings, 'memoryImage'> {
  const text = env['MEMORY_IMAGE'];
  if (!text) return {};
  // A tag can be moved: what every agent's memory is handed to must not change unseen.
  if (parseImage(text)?.digest !== undefined) return { memoryImage: text };
  throw new Error(
    `MEMORY_IMAGE is ${JSON.stringify(text)}: an image with a digest is expected, name@sha256:...`,
  );
}

function opensInternet(env: Environment): boolean {
  const text = env['DEFAULT_NETWORK'] || 'deny-all';
  if (text === 'deny-all' || text === 'allow-internet') return text === 'allow-internet';
  throw new Error(`DEFAULT_NETWORK is ${JSON.stringify(text)}: deny-all or allow-internet is expected`);
}

function quantity(env: Environment, name: string, fallback: unknown): string {
  const text = env[name] || String(fallback);
  if (parseQuantity(text) === undefined) {
    throw new Error(`${name} is ${JSON.stringify(text)}: a quantity such as 500m or 4Gi is expected`);
  }
  return text;
}
