// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Sandbox, SandboxStatus } from '../generated/types.ts';
import { PERMANENT_REASONS } from '../lifecycle/phase.ts';
import { QUIET_REASONS, REASONS } from './reasons.ts';
import { spanText, whyOf } from './why.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

function sandbox(status: SandboxStatus | undefined, more: Partial<Sandbox> = {}): Sandbox {
  const resolved = { hash: 'h', spec: { timeout: '8h', idleTimeout: '30m' } };
  return {
    metadata: { name: 'demo', namespace: 'team', uid: 'u1', creationTimestamp: ago(90) },
    spec: { resolved },
    ...(status === undefined ? {} : { status }),
    ...more,
  };
}

const condition = (type: string, status: 'True' | 'False', reason: string, message: string, at = 90) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: ago(at),
});

const event = (note: string, at: number) => ({ type: 'Warning', reason: 'Restarting', note, at });

describe('whyOf', () => {
  const rows: [name: string, sandbox: Sandbox, text: string][] = [
    [
      'admitted a moment ago',
      sandbox(undefined),
      "Sandbox demo is Creating, for 1m30s: AgentTier's operator has not looked at it yet. That takes a moment; if it lasts, the operator is not running.",
    ],
    [
      'stored while the webhook was away',
      sandbox(undefined, { spec: {} }),
      'Sandbox demo is Creating, for 1m30s: admission has not worked out its spec. Apply the Sandbox again through admission.',
    ],
    [
      'no room',
      sandbox({
        phase: 'Creating',
        reason: 'Unschedulable',
        message: '0/1 nodes are available: 1 Insufficient cpu.',
        conditions: [
          condition('VolumeReady', 'False', 'Provisioning', 'the volume is not bound yet'),
          condition('PodReady', 'False', 'Unschedulable', '0/1 nodes are available: 1 Insufficient cpu.'),
          condition('Ready', 'False', 'Unschedulable', '0/1 nodes are available: 1 Insufficient cpu.', 40),
        ],
      }),
      'Sandbox demo is Creating, for 40s: no node has room for its pod. 0/1 nodes are available: 1 Insufficient cpu. Its volume: the volume is not bound yet. It starts by itself once a node can take it; asking for less in spec.resources.requests helps too.',
    ],
    [
      'running',
      sandbox({
        phase: 'Running',
        reason: 'Ready',
        message: 'the sandbox can be used',
        startedAt: ago(7200),
        lastActivityTimestamp: ago(600),
        conditions: [
          condition('Ready', 'True', 'Ready', 'x', 7200),
          condition(
            'Drifted',
            'True',
            'TemplateChanged',
            'ClusterSandboxTemplate/py has changed since it was merged',
          ),
        ],
      }),
      'Sandbox demo is Running, for 2h: it can be used. Note that ClusterSandboxTemplate/py has changed since it was merged. It stops in 6h when its timeout of 8h is over. It stops in 20m if it is not used, by its idle timeout of 30m.',
    ],
    [
      'stopped when idle',
      sandbox({
        phase: 'Stopped',
        reason: 'IdleTimeout',
        message: 'Stopped because it was not used for its idle timeout.',
        conditions: [
          condition('Ready', 'False', 'IdleTimeout', 'x', 172_800 + 14_400),
          condition('Held', 'True', 'IdleTimeout', 'it was not used for its idle timeout of 30m'),
          condition('PodReady', 'False', 'IdleTimeout', 'no pod'),
          condition(
            'PolicyCompliant',
            'False',
            'timeout_exceeded',
            'at the next resume the policy says no: too long',
          ),
        ],
      }),
      'Sandbox demo is Stopped, for 2d4h: it was not used for its idle timeout of 30m. Policy: at the next resume the policy says no: too long. Its files are kept; resume it to use it again.',
    ],
    [
      'waiting after a loss',
      sandbox({
        phase: 'Creating',
        reason: 'RestartBackoff',
        message: 'the node ran out of memory (restart 2 of 5)',
        restartCount: 2,
        lastFailureAt: ago(1),
      }),
      'Sandbox demo is Creating, for 1m30s: its pod was lost and a new one is made after a pause. The node ran out of memory (restart 2 of 5). It is started again in 18s, with the same files.',
    ],
    [
      'on its way out',
      sandbox(
        { phase: 'Running', reason: 'Ready' },
        { metadata: { name: 'demo', namespace: 'team', deletionTimestamp: ago(5) } },
      ),
      'Sandbox demo is Deleting, for 5s: it is being removed: first its pod, then its volume with all files.',
    ],
    [
      'a reason of a newer Kubernetes',
      sandbox({ phase: 'Creating', reason: 'NodeShutdownSoon', message: 'bye' }),
      'Sandbox demo is Creating, for 1m30s: node shutdown soon. Bye.',
    ],
    [
      'told to stop a moment ago',
      sandbox(
        { phase: 'Running', reason: 'Ready', startedAt: ago(30) },
        { spec: { desiredState: 'Stopped', resolved: { hash: 'h', spec: {} } } },
      ),
      'Sandbox demo is Running, for 30s: its pod is being ended. Its files are kept.',
    ],
  ];
  it.each(rows)('%s', (_name, given, text) => {
    expect(whyOf(given, [], NOW).text).toBe(text);
  });

  it('adds the latest warning when that is news', () => {
    const stuck = sandbox({
      phase: 'Creating',
      reason: 'Starting',
      message: 'the containers are being started',
    });
    const events = [
      event('PodGone: the pod was removed', NOW - 2000),
      event('older', NOW - 9000),
      { type: 'Normal', reason: 'Creating', note: 'Sandbox is being started', at: NOW },
    ];
    expect(whyOf(stuck, events, NOW).text).toContain(
      'The last warning was Restarting: PodGone: the pod was removed.',
    );
    expect(whyOf(stuck, [event('Error: the containers are being started', NOW)], NOW).text).not.toContain(
      'warning',
    );
  });

  it.each(Object.keys(REASONS))('makes whole sentences of %s', (reason) => {
    for (const phase of ['Creating', 'Running', 'Stopped', 'Error'] as const) {
      const { text } = whyOf(sandbox({ phase, reason, message: 'something happened' }), [], NOW);
      expect(text).toMatch(/^Sandbox demo is \w+, for \S+: \S.*[.!?]$/);
      expect(text).not.toMatch(/undefined|\.\.|\s\s/);
    }
  });
});

/** Every reason that stands in the operator's sources, however it is handed on. */
function reasonsOf(folder: string): Set<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/\.(test|envtest)\.ts$/.test(name) && !name.startsWith('testing'),
  );
  const forms = [
    /\b(?:no|yes|holdOf|lost|refuse|reason:|kind: '\w+',\s+reason:)\(?\s*'([A-Z][A-Za-z]+)'/g,
    /^(?:export )?const [A-Z_]+ = '([A-Z][A-Za-z]+)';$/gm,
    /reason = (?:\w+(?:\.\w+)* === \d+ \? )?'([A-Z][A-Za-z]+)'(?: : '([A-Z][A-Za-z]+)')?/g,
    /\|\| '([A-Z][A-Za-z]+)'/g,
    /: '([A-Z][A-Za-z]+)',?$/gm,
  ];
  const found = files.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return forms.flatMap((form) => [...text.matchAll(form)].flatMap(([, ...words]) => words));
  });
  // Words in capitals alone are methods and states of other protocols.
  return new Set(found.filter((word) => word !== undefined && /[a-z]/.test(word)));
}

/** CamelCase words in the same places that are no reasons: types of conditions and kinds, words of Events. */
const OTHER = new Set([
  'Drifted',
  'Held',
  'Error',
  'Creating',
  'Running',
  'Stopped',
  'Restarting',
  'RestartCountReset',
  'HookFailed',
  'Resumed',
  'CredentialMounted',
  'IdleWarning',
  'Resized',
  'IdleWarningCancelled',
  'MaxRuntimeReached',
  'Pod',
  'ServiceAccount',
  'PersistentVolumeClaim',
  'VolumeSnapshot',
  'HookFailed',
  'Snapshotted',
  'BackupCreated',
  'BackupPruned',
  'Cloned',
  'Sandbox',
  'NetworkPolicy',
  'CiliumNetworkPolicy',
  'Unknown',
  'Normal',
  'Never',
  'OnRootMismatch',
  'Opaque',
]);

describe('the words for reasons', () => {
  it('cover every reason in the sources of the operator', () => {
    const folder = join(import.meta.dirname, '../../../operator/src');
    const rooms = ['decision', 'sandbox', 'volume'];
    const reasons = new Set(rooms.flatMap((room) => [...reasonsOf(join(folder, room))]));
    expect(reasons.size).toBeGreaterThan(40);
    const unknown = [...reasons].filter(
      (reason) => REASONS[reason] === undefined && !QUIET_REASONS.has(reason) && !OTHER.has(reason),
    );
    expect(unknown).toEqual([]);
  });

  it('cover every final reason', () => {
    expect([...PERMANENT_REASONS].filter((reason) => REASONS[reason] === undefined)).toEqual([]);
  });
});

describe('spanText', () => {
  it.each([
    [0, '0s'],
    [45_000, '45s'],
    [150_000, '2m30s'],
    [3_600_000, '1h'],
    [90_061_000, '1d1h'],
    [-5, '0s'],
  ])('%d', (span, text) => expect(spanText(span)).toBe(text));
});
