// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, run } from '../host/command.ts';
import type { Say } from '../host/progress.ts';
import { INSTALL_NAMESPACE, apiKeySecret } from './apiKey.ts';
import type { Kubectl } from './kubectl.ts';

/** The version that the chart gives to all images. */
export function chartVersion(root: string): string {
  const chart = readFileSync(join(root, 'helm', 'agenttier', 'Chart.yaml'), 'utf8');
  const version = /^appVersion:\s*"?([^"\s]+)"?/m.exec(chart)?.[1];
  if (version === undefined) throw new Error('helm/agenttier/Chart.yaml: appVersion is missing');
  return version;
}

export interface Release {
  readonly root: string;
  readonly helm: string;
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** Chart values as `--set` takes them. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Names of images whose content has changed under the same tag. */
  readonly changed: readonly string[];
}

/** The namespace, closed to anything that Pod Security calls more than restricted, and the administrator's key. */
export async function prepareNamespace(kubectl: Kubectl, key: string): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: INSTALL_NAMESPACE, labels } },
  ]);
  await kubectl.apply([apiKeySecret(key, new Date().toISOString())]);
}

/** Our kinds. Helm only ever installs CRDs and never upgrades them, so they are applied here each time. */
export async function applyKinds(root: string, kubectl: Kubectl): Promise<string> {
  const files = readdirSync(join(root, 'crds')).filter(
    (name) => name.startsWith('agenttier.io_') && name.endsWith('.yaml'),
  );
  if (files.length === 0) throw new Error('crds/ holds no agenttier.io_*.yaml');
  const arguments_ = files.flatMap((name) => ['-f', join(root, 'crds', name)]);
  await kubectl.run(
    'apply',
    '--server-side',
    '--force-conflicts',
    '--field-manager=agenttier-up',
    ...arguments_,
  );
  await kubectl.run('wait', '--for=condition=Established', '--timeout=30s', ...arguments_);
  return `${files.length} kinds`;
}

const COMPONENTS = ['webhook', 'operator', 'gateway', 'router'];

/** Fails at once where a pod of the chart would wait in vain for an image that was not built. */
export function requireImages(built: readonly { readonly name: string }[]): void {
  const names = new Set(built.map(({ name }) => name));
  const missing = [...COMPONENTS, 'runtime'].filter((name) => !names.has(name));
  if (missing.length > 0)
    throw new Error(`no Dockerfile in ${missing.map((name) => `images/${name}`).join(', ')}`);
}

/** Installs or upgrades the chart and waits for it; on failure the message says what the pods say. */
export async function installChart(release: Release, say: Say): Promise<string> {
  const existed =
    (await release.kubectl.try('-n', INSTALL_NAMESPACE, 'get', 'deployment', 'agenttier-router')).code === 0;
  const set = Object.entries(release.values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const chart = join(release.root, 'helm', 'agenttier');
  try {
    say('helm upgrade');
    const place = ['--kubeconfig', release.kubeconfig, '--namespace', INSTALL_NAMESPACE];
    const waiting = ['--skip-crds', '--wait', '--wait-for-jobs', '--timeout', '5m'];
    await run(release.helm, ['upgrade', '--install', 'agenttier', chart, ...place, ...waiting, ...set]);
    const stale = existed ? COMPONENTS.filter((name) => release.changed.includes(name)) : [];
    for (const name of stale) {
      say(`restart ${name}`);
      await release.kubectl.run(
        '-n',
        INSTALL_NAMESPACE,
        'rollout',
        'restart',
        `deployment/agenttier-${name}`,
      );
    }
    for (const name of stale) {
      await release.kubectl.run(
        '-n',
        INSTALL_NAMESPACE,
        'rollout',
        'status',
        '--timeout=180s',
        `deployment/agenttier-${name}`,
      );
    }
    return stale.length === 0 ? '' : `restarted ${stale.join(', ')}`;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Error(`${error.message}\n${await describeTrouble(release.kubectl, INSTALL_NAMESPACE)}`, {
      cause: error,
    });
  }
}

/** Pods, warnings and last log lines of a namespace: what one would look at first. */
export async function describeTrouble(kubectl: Kubectl, namespace: string): Promise<string> {
  const pods = (await kubectl.try('-n', namespace, 'get', 'pods', '-o', 'wide')).stdout;
  const events = (await kubectl.try('-n', namespace, 'get', 'events', '--field-selector=type=Warning'))
    .stdout;
  const logs = await Promise.all(
    COMPONENTS.map(async (name) => {
      const selector = `app.kubernetes.io/component=${name}`;
      return (await kubectl.try('-n', namespace, 'logs', '-l', selector, '--tail=8', '--prefix')).stdout;
    }),
  );
  return [pods, events, ...logs].filter((text) => text !== '').join('\n');
}
