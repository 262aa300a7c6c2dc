// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import type { EnvFrom, VolumeMount } from '../core.ts';

type Credential = NonNullable<EffectiveSpec['credentials']>[number];

/** Readable by the sandbox's group, which is that of the volume (fsGroup), and by nobody else. */
const FILE_MODE = 0o440;

/** Secrets whose keys become variables. Kubernetes lets a variable of `env` win over one from here. */
export function credentialEnv({ credentials = [] }: EffectiveSpec): EnvFrom[] {
  return credentials
    .filter(({ mountAs }) => mountAs !== 'file')
    .map(({ secretName, envPrefix }) => ({
      ...(envPrefix ? { prefix: envPrefix } : {}),
      secretRef: { name: secretName },
    }));
}

/** One read-only volume for each Secret and directory: two Secrets in one would have to share its mode and its keys. */
export function credentialVolumes(spec: EffectiveSpec): Readonly<Record<string, unknown>>[] {
  return fileCredentials(spec).map(({ secretName }, i) => ({
    name: volumeName(i),
    projected: { defaultMode: FILE_MODE, sources: [{ secret: { name: secretName } }] },
  }));
}

export function credentialMounts(spec: EffectiveSpec): VolumeMount[] {
  return fileCredentials(spec).map(({ mountPath = '' }, i) => ({
    name: volumeName(i),
    mountPath,
    readOnly: true,
  }));
}

const volumeName = (index: number): string => `credential-${index}`;

const fileCredentials = ({ credentials = [] }: EffectiveSpec): Credential[] =>
  credentials.filter(({ mountAs, mountPath }) => mountAs === 'file' && Boolean(mountPath));
