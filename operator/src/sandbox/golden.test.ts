// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planSecrets } from '../harness/secrets.ts';
import type { Settings } from '../settings.ts';
import { SETTINGS } from '../testing/fixtures.ts';
import { buildNetworkPolicy } from './networkPolicy.ts';
import { buildPod } from './pod.ts';
import { buildClaim } from '../volume/claim.ts';
import { buildServiceAccount } from './serviceAccount.ts';
import { buildTokenSecret } from './tokenSecret.ts';

const owner = { namespace: 'team', name: 'one', uid: '0d9c' };

/** The objects as the API server gets them, in files that a person can review. */
const golden = (file: string): unknown =>
  parse(readFileSync(new URL(`../../testdata/${file}.yaml`, import.meta.url), 'utf8'));

const MINIMAL: EffectiveSpec = { image: { repository: 'example.test/tools', tag: '1' } };

const FULL: EffectiveSpec = {
  mode: 'code',
  image: { repository: 'example.test/tools@sha256:0123', pullPolicy: 'Always', pullSecret: 'registry-login' },
  resources: {
    requests: { cpu: '250m', memory: '512Mi' },
    limits: { cpu: 1, memory: '1Gi', 'ephemeral-storage': '4Gi' },
  },
  storage: { size: '20Gi', storageClass: 'fast', mountPath: '/home/dev' },
  env: [
    { name: 'EDITOR', value: 'vi' },
    { name: 'EMPTY', value: '' },
  ],
  runtimeClass: 'gvisor',
  harness: { command: ['/usr/bin/agent'], args: ['--serve'], shell: '/bin/zsh', workingDir: '/home/dev/src' },
  network: {
    allowInternet: true,
    egressRules: [{ cidr: '10.1.0.0/16', ports: [{ port: 5432 }, { port: 53, protocol: 'UDP' }] }],
    ingressRules: [{ cidr: '10.2.0.0/16', ports: [{ port: 8080 }] }],
    allowPeerSandboxes: true,
    peerSandboxSelector: { matchLabels: { team: 'red' } },
  },
};

/** What comes with a sandbox from others: Secrets, an account, containers before and beside the main one. */
const GUESTS: EffectiveSpec = {
  ...MINIMAL,
  serviceAccount: 'builder',
  env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'llm', key: 'key' } } }],
  credentials: [
    { secretName: 'git', mountAs: 'file', mountPath: '/secrets/git' },
    { secretName: 'llm', envPrefix: 'LLM_' },
    { secretName: 'ssh', mountAs: 'file', mountPath: '/secrets/ssh' },
  ],
  initContainers: [
    {
      name: 'seed',
      image: 'example.test/seed:1',
      command: ['/seed'],
      volumeMounts: [{ name: 'workspace', mountPath: '/data', subPath: 'seed' }],
      resources: { limits: { cpu: '1', memory: '64Mi' } },
    },
  ],
  sidecars: [
    {
      name: 'cache',
      image: 'example.test/cache:1',
      args: ['--small'],
      env: [{ name: 'SIZE', value: '1' }],
      envFrom: [{ secretRef: { name: 'cache' } }],
      ports: [{ containerPort: 6379 }],
      readinessProbe: { tcpSocket: { port: 6379 } },
      lifecycle: { preStop: { exec: { command: ['/stop'] } } },
      volumeMounts: [{ name: 'store', mountPath: '/var/store' }],
      resources: { limits: { cpu: '500m', memory: '256Mi' } },
    },
  ],
};

/** A harness with all that the platform delivers, and a file at each place where one can lie. */
const HARNESSED: EffectiveSpec = {
  ...MINIMAL,
  credentials: [{ secretName: 'git', mountAs: 'file', mountPath: '/secrets/git' }],
  files: [
    { path: 'src/a.txt', content: 'hello' },
    { path: 'b.txt', configMapRef: { name: 'texts', key: 'b' } },
    { path: '/opt/tool.conf', mode: 0o600, secretRef: { name: 'tool', key: 'conf' } },
    { path: '/opt/plain.conf', content: 'plain' },
  ],
  initScripts: ['echo one', 'echo two'],
  harness: {
    systemPrompt: { content: 'Be brief.' },
    skills: [{ name: 'go', content: { content: 'Use gofmt.' } }],
    constraints: { maxCommandTimeout: '5m', maxFileSize: '1Gi' },
    terminal: { scrollbackBytes: '4Mi', detachedTTL: '8h', alternateScreen: 'Keep' },
  },
};

describe('golden objects', () => {
  const pod = (spec: EffectiveSpec, settings: Settings = SETTINGS) =>
    buildPod({
      owner,
      spec,
      settings,
      pvcName: 'one-workspace',
      template: 'base',
      nonce: '1',
    });
  const policy = (spec: EffectiveSpec, settings: Settings = SETTINGS) =>
    buildNetworkPolicy(owner, spec, settings);

  it.each([
    ['pod-minimal', pod(MINIMAL)],
    ['pod-full', pod(FULL, { ...SETTINGS, pullSecrets: ['company', 'registry-login'], startDeadlineMs: 0 })],
    ['pod-guests', pod(GUESTS)],
    ['pod-image-volume', pod(MINIMAL, { ...SETTINGS, imageVolume: true })],
    ['pod-harness', pod(HARNESSED)],
    ['plan-secret', planSecrets(owner, HARNESSED)[0]],
    ['network-policy-closed', policy(MINIMAL)],
    ['network-policy-open', policy(FULL, { ...SETTINGS, clusterCidrs: ['203.0.113.0/24', 'fd10::/16'] })],
    ['volume-minimal', buildClaim(owner, 'one-workspace', MINIMAL)],
    ['volume-full', buildClaim(owner, 'one-workspace', FULL)],
    ['service-account', buildServiceAccount(owner, MINIMAL)],
    ['token-secret', buildTokenSecret(owner, '1', SETTINGS.tokenKey)],
  ])('%s', (file, object) => {
    expect(object).toEqual(golden(file));
  });
});

describe('where the installation has its sandboxes run', () => {
  const placement = {
    nodeSelector: { pool: 'sandboxes' },
    tolerations: [{ key: 'only', operator: 'Exists' }],
    priorityClass: 'agenttier-sandbox',
  };
  const built = (settings: Settings) =>
    buildPod({ owner, spec: MINIMAL, pvcName: 'one-workspace', nonce: '1', settings }).spec;

  it('is said on every pod', () => {
    expect(built({ ...SETTINGS, placement })).toMatchObject({
      nodeSelector: { pool: 'sandboxes' },
      tolerations: [{ key: 'only', operator: 'Exists' }],
      priorityClassName: 'agenttier-sandbox',
    });
  });

  it('is left to the scheduler where it does not say', () => {
    const spec = built(SETTINGS);
    for (const field of ['nodeSelector', 'tolerations', 'priorityClassName'])
      expect(spec).not.toHaveProperty(field);
  });
});

describe('a relaxed sandbox', () => {
  const relaxed = { ...MINIMAL, security: { privileged: true } };
  const pod = buildPod({ owner, spec: relaxed, pvcName: 'one-workspace', nonce: '1', settings: SETTINGS });
  const { containers, initContainers = [], securityContext } = pod.spec;

  it('runs its main container as the image wants, and never privileged', () => {
    expect(containers[0]?.securityContext).toEqual({
      privileged: false,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(securityContext).not.toHaveProperty('runAsNonRoot');
  });

  it('keeps everything else hardened', () => {
    for (const container of initContainers) {
      expect(container.securityContext).toMatchObject({
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    expect(pod.spec).toMatchObject({ automountServiceAccountToken: false, restartPolicy: 'Never' });
    expect(pod.spec).not.toHaveProperty('hostNetwork');
  });
});
