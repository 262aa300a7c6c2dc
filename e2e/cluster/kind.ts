// SPDX-License-Identifier: Apache-2.0
import { previewValues } from './install/previews.ts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster, Start } from './cluster.ts';
import { cached } from './host/cache.ts';
import { run, tryRun } from './host/command.ts';
import { goBinary, which } from './host/packages.ts';
import { type BuildPlace, programPath } from './install/binaries.ts';
import { writeKubeconfig } from './install/env.ts';
import { LOCAL_REGISTRY, type BuiltImage, imageSources, prepareImages } from './install/images.ts';
import { Kubectl } from './install/kubectl.ts';

/*
 * The path for machines with a Docker engine. It has not been run where this was written, as no engine answers there;
 * everything after the cluster exists is the same code as on the bare node.
 */

const KIND = 'v0.30.0';
const NAME = 'agenttier';
const PORT = 30080;

/** kind needs no option for NetworkPolicy: its own network enforces it since v0.24. */
export const KIND_CONFIG = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
  - role: control-plane
    extraPortMappings:
      - containerPort: ${PORT}
        hostPort: ${PORT}
        listenAddress: 127.0.0.1
`;

function kindPath(place: BuildPlace): string {
  return join(place.cache, 'bin', `kind-${KIND}-${process.arch}`, 'kind');
}

/** The kind program, from PATH or built from its Go module. */
async function ensureKind(place: BuildPlace): Promise<string> {
  const present = which('kind');
  if (present !== undefined) return present;
  const file = kindPath(place);
  await cached(file, place.owner, async (draft) => {
    const go = goBinary();
    if (go === undefined) throw new Error('the go command is missing: install Go 1.21 or newer');
    await run(go, ['install', `sigs.k8s.io/kind@${KIND}`], {
      as: place.owner,
      env: { GOBIN: `${draft}.d`, CGO_ENABLED: '0' },
    });
    await run('mv', [join(`${draft}.d`, 'kind'), draft]);
    await run('rmdir', [`${draft}.d`]);
  });
  return file;
}

const imageId = async (reference: string): Promise<string> =>
  (await tryRun('docker', ['image', 'inspect', '--format', '{{.Id}}', reference])).stdout.trim();

/** Builds with the public bases that the Dockerfiles name, and loads what changed into the cluster's node. */
async function buildAndLoad(start: Start, kind: string): Promise<string[]> {
  const changed: string[] = [];
  await prepareImages(start.place, () => undefined);
  for (const source of imageSources(start.place.root)) {
    const reference = `${LOCAL_REGISTRY}/${source.name}:${start.version}`;
    const before = await imageId(reference);
    await run('docker', ['build', '--quiet', '--tag', reference, source.folder]);
    if (before !== (await imageId(reference))) changed.push(source.name);
    await run(kind, ['load', 'docker-image', '--name', NAME, reference]);
  }
  return changed;
}

export async function startKind(start: Start): Promise<Cluster> {
  const { place, progress } = start;
  const kind = await progress.step('kind', () => ensureKind(place));
  await progress.step('cluster', async () => {
    const present = (await run(kind, ['get', 'clusters'])).split('\n');
    if (present.includes(NAME)) return 'kept';
    await run(kind, ['create', 'cluster', '--name', NAME, '--wait', '180s', '--config', '-'], {
      input: KIND_CONFIG,
    });
    return 'made';
  });
  const kubeconfig = writeKubeconfig(place, await run(kind, ['get', 'kubeconfig', '--name', NAME]));
  return {
    kubectl: new Kubectl([programPath(place, 'node'), 'kubectl'], kubeconfig),
    kubeconfig,
    apiUrl: `http://127.0.0.1:${PORT}`,
    values: {
      'image.registry': LOCAL_REGISTRY,
      'image.tag': start.version,
      'router.service.type': 'NodePort',
      'router.service.nodePort': PORT,
      ...previewValues(PORT),
    },
    load: (_images: readonly BuiltImage[]) => buildAndLoad(start, kind),
  };
}

/** Deletes the cluster, if kind is there at all. */
export async function stopKind(place: BuildPlace): Promise<void> {
  const kind = which('kind') ?? kindPath(place);
  if (existsSync(kind)) await run(kind, ['delete', 'cluster', '--name', NAME]);
}
