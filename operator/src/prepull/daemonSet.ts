// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { sha256Hex } from '@agenttier/crds/meta/hash';
import { APP_NAME, LABEL_APP_NAME, LABEL_COMPONENT } from '@agenttier/crds/meta/labels';
import type { KubeObject, OwnerReference } from '@agenttier/machinery/kube/resource';
import type { Container } from '../core.ts';
import { CONTAINER_SECURITY, USER_ID } from '../sandbox/hardening.ts';
import { withAppliedHash } from '../sandbox/ownership.ts';
import type { Settings } from '../settings.ts';

export const PREPULL_NAME = 'agenttier-prepull';

const FOLDER = '/agenttier/bin';
const RUNTIME = `${FOLDER}/agenttier-runtime`;
/** Next to nothing, and a limit so that a namespace with a quota takes the pods. */
const RESOURCES = { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '100m', memory: '64Mi' } };

export type PrepullSettings = Pick<
  Settings,
  'installNamespace' | 'runtimeImage' | 'runtimePullPolicy' | 'pullSecrets' | 'placement'
>;

/**
 * Pods that bring images to every node: each image is that of an init container, which runs a program of ours in it and is
 * done. The program is static and mounted, so that an image needs to have no shell, nor anything else.
 */
export function buildPrepull(
  images: readonly string[],
  settings: PrepullSettings,
  owner: OwnerReference | undefined,
): KubeObject {
  const labels = { [LABEL_APP_NAME]: APP_NAME, [LABEL_COMPONENT]: 'prepull' };
  const spec = {
    selector: { matchLabels: labels },
    // Nobody is served by these pods: a new set need not wait for node after node.
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
    template: { metadata: { labels }, spec: podSpec(images, settings) },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: PREPULL_NAME,
      namespace: settings.installNamespace,
      labels,
      annotations: withAppliedHash(sha256Hex(canonicalJson(spec))),
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
    },
    spec,
  } as KubeObject;
}

function podSpec(images: readonly string[], settings: PrepullSettings): object {
  const { runtimeImage, runtimePullPolicy, pullSecrets, placement } = settings;
  const ours = { image: runtimeImage, imagePullPolicy: runtimePullPolicy };
  const { nodeSelector, tolerations } = placement;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER_ID,
      runAsGroup: USER_ID,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
    ...(pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets.map((name) => ({ name })) } : {}),
    initContainers: [
      container('runtime', { ...ours, command: ['/agenttier-runtime', 'install', FOLDER] }),
      ...images.map((image, index) =>
        container(`image-${index}`, {
          image,
          imagePullPolicy: 'IfNotPresent',
          command: [RUNTIME, 'version'],
        }),
      ),
    ],
    containers: [container('done', { ...ours, command: ['/agenttier-runtime', 'idle'] })],
    volumes: [{ name: 'bin', emptyDir: { sizeLimit: '64Mi' } }],
  };
}

function container(name: string, what: Pick<Container, 'image' | 'imagePullPolicy' | 'command'>): Container {
  const volumeMounts = [{ name: 'bin', mountPath: FOLDER }];
  return { name, ...what, resources: RESOURCES, securityContext: CONTAINER_SECURITY, volumeMounts };
}
