// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type Snapshot, leftovers, parseMounts, parseRules } from './clean.ts';
import { clusterKind } from './cluster.ts';

describe('the kind of cluster', () => {
  it.each([
    [undefined, true, 'kind'],
    [undefined, false, 'bare'],
    ['', true, 'kind'],
    ['bare', true, 'bare'],
    ['existing', false, 'existing'],
  ])('CLUSTER=%s with Docker %s is %s', (wanted, docker, kind) =>
    expect(clusterKind(wanted, docker)).toBe(kind),
  );

  it('is refused when nobody knows it', () =>
    expect(() => clusterKind('k3s', true)).toThrow(/bare, kind or existing/));
});

describe('leftovers', () => {
  const nothing: Snapshot = {
    links: ['lo', 'eth0'],
    namespaces: [],
    mounts: ['/'],
    firewall: [],
    cgroups: [],
    folders: [],
    processes: [],
  };

  it('are what was not there before, with its kind', () => {
    expect(leftovers(nothing, nothing)).toEqual([]);
    expect(
      leftovers(nothing, { ...nothing, links: ['lo', 'eth0', 'agenttier0'], mounts: ['/', '/run/x'] }),
    ).toEqual(['links: agenttier0', 'mounts: /run/x']);
  });

  it('do not count what the machine itself removed meanwhile', () => {
    expect(leftovers(nothing, { ...nothing, links: ['lo'] })).toEqual([]);
  });

  it('compares rules without their counters', () => {
    expect(
      parseRules('# Generated\n:INPUT ACCEPT [12:34]\n-A INPUT -j X\n\t\tcounter packets 5 bytes 6 drop\n'),
    ).toEqual([':INPUT ACCEPT', '-A INPUT -j X', 'counter drop']);
  });

  it('reads mount points with blanks in their names', () => {
    expect(parseMounts('22 1 0:1 / /a\\040b rw - tmpfs x rw\n')).toEqual(['/a b']);
  });
});
