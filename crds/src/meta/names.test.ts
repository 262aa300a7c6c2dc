// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { fieldPath, fieldPathOfPointer } from './fieldPath.ts';
import { ownedLabels } from './labels.ts';
import {
  isDnsLabel,
  networkPolicyName,
  podName,
  pvcName,
  serviceAccountName,
  tokenSecretName,
  tokenSubject,
} from './names.ts';

const long = `${'a'.repeat(50)}-${'b'.repeat(12)}`;

describe('derived names', () => {
  it('are those that people know', () => {
    expect(podName('dev')).toBe('dev-pod');
    expect(pvcName('dev')).toBe('dev-workspace');
    expect(networkPolicyName('dev')).toBe('dev-netpol');
    expect(tokenSecretName('dev')).toBe('dev-runtime-token');
    expect(serviceAccountName('dev')).toBe('sbx-dev');
  });

  it.each([podName, pvcName, networkPolicyName, tokenSecretName, serviceAccountName])(
    'are labels and differ for long names, too: %s',
    (derive) => {
      const name = derive(long);
      expect(long).toHaveLength(63);
      expect(isDnsLabel(name)).toBe(true);
      expect(name).not.toBe(derive(`${long.slice(0, -1)}c`));
      // The cut may fall on a hyphen, and a label has none at its end.
      for (let length = 40; length <= 63; length++) {
        expect(
          isDnsLabel(
            derive(
              'a-'
                .repeat(32)
                .slice(0, length - 1)
                .concat('z'),
            ),
          ),
        ).toBe(true);
      }
    },
  );
});

it('a token subject differs by sandbox and by start', () => {
  expect(tokenSubject('u1', '1')).toBe('u1/1');
  expect(new Set(['u1/1', tokenSubject('u1', '2'), tokenSubject('u2', '1')]).size).toBe(3);
});

describe('isDnsLabel', () => {
  it.each(['a', 'a1', '1a', 'a-b', 'a'.repeat(63)])('accepts %s', (name) => {
    expect(isDnsLabel(name)).toBe(true);
  });
  it.each(['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a'.repeat(64), 'ä'])('refuses "%s"', (name) => {
    expect(isDnsLabel(name)).toBe(false);
  });
});

describe('field paths', () => {
  it('are written as Kubernetes does', () => {
    expect(fieldPath('spec', 'env', 0, 'name')).toBe('spec.env[0].name');
    expect(fieldPathOfPointer('/spec/env/0/name')).toBe('spec.env[0].name');
    expect(fieldPathOfPointer('/spec/resources/limits/nvidia.com~1gpu')).toBe(
      'spec.resources.limits.nvidia.com/gpu',
    );
  });
});

it('owned objects carry the labels by which they are found', () => {
  expect(ownedLabels('dev', 'u-1')).toEqual({
    'agenttier.io/sandbox': 'dev',
    'agenttier.io/sandbox-uid': 'u-1',
    'agenttier.io/managed': 'true',
    'app.kubernetes.io/component': 'sandbox',
  });
});
