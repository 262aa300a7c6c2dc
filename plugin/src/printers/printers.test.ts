// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { formatAge } from './age.ts';
import { parseOutput, renderListing } from './output.ts';
import { sandboxColumns } from './sandboxColumns.ts';
import { renderTable } from './table.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');

const demo: Sandbox = {
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: {
    name: 'demo',
    namespace: 'team',
    creationTimestamp: '2026-11-24T11:56:30Z',
    managedFields: [{ manager: 'kubectl' }],
  },
  spec: {
    templateRef: { name: 'python' },
    createdBy: { sub: 'ada' },
    resolved: { hash: 'h', spec: { mode: 'code', image: { repository: 'ghcr.io/acme/py', tag: '3' } } },
  },
  status: { phase: 'Running', podName: 'demo-pod', resolvedTemplate: 'python' },
};
const broken: Sandbox = {
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'a-longer-name', namespace: 'team', creationTimestamp: '2026-11-14T12:00:00Z' },
  spec: {},
  status: { phase: 'Error', reason: 'ImagePull' },
};

const listing = (objects: readonly Sandbox[], single = false) => ({
  objects,
  single,
  columns: sandboxColumns(NOW, false),
  noHeaders: false,
});

describe('renderListing', () => {
  it('prints a table', async () => {
    expect(await renderListing(parseOutput(undefined), listing([demo, broken]))).toBe(
      [
        'NAME            STATUS    TEMPLATE   AGE',
        'demo            Running   python     3m30s',
        'a-longer-name   Error     <none>     10d',
        '',
      ].join('\n'),
    );
  });

  it('prints a wide table', async () => {
    expect(await renderListing(parseOutput('wide'), listing([demo, broken]))).toBe(
      [
        'NAME            STATUS    TEMPLATE   AGE     MODE     OWNER    POD        IMAGE               REASON',
        'demo            Running   python     3m30s   code     ada      demo-pod   ghcr.io/acme/py:3   <none>',
        'a-longer-name   Error     <none>     10d     <none>   <none>   <none>     <none>              ImagePull',
        '',
      ].join('\n'),
    );
  });

  it('prints names that kubectl takes back', async () => {
    expect(await renderListing(parseOutput('name'), listing([demo, broken]))).toBe(
      'sandbox.agenttier.io/demo\nsandbox.agenttier.io/a-longer-name\n',
    );
  });

  it('prints one object bare and several as a List, without managedFields, keys in order', async () => {
    const one = await renderListing(parseOutput('json'), listing([broken], true));
    expect(one).toBe(`{
    "apiVersion": "agenttier.io/v1alpha1",
    "kind": "Sandbox",
    "metadata": {
        "creationTimestamp": "2026-11-14T12:00:00Z",
        "name": "a-longer-name",
        "namespace": "team"
    },
    "spec": {},
    "status": {
        "phase": "Error",
        "reason": "ImagePull"
    }
}
`);
    const several = JSON.parse(await renderListing(parseOutput('json'), listing([demo, broken]))) as {
      kind: string;
      items: Sandbox[];
    };
    expect(several.kind).toBe('List');
    expect(several.items.map((item) => item.metadata.managedFields)).toEqual([undefined, undefined]);
  });

  it('prints YAML that a 1.1 parser reads back as the same values', async () => {
    const tricky = {
      yes: 'yes',
      off: 'off',
      octal: '0o17',
      old: '017',
      number: '1e3',
      date: '2026-11-24',
      text: 'a\nb\n',
    };
    const sandbox: Sandbox = {
      ...broken,
      spec: { env: Object.entries(tricky).map(([name, value]) => ({ name, value })) },
    };
    const text = await renderListing(parseOutput('yaml'), listing([sandbox], true));
    expect((parse(text, { version: '1.1' }) as Sandbox).spec).toEqual(sandbox.spec);
    expect(text).toContain('- name: "yes"\n');
  });

  it('evaluates a template over the List', async () => {
    const output = parseOutput('jsonpath={range .items[*]}{.metadata.name}={.status.phase}{"\\n"}{end}');
    expect(await renderListing(output, listing([demo, broken]))).toBe('demo=Running\na-longer-name=Error\n');
  });

  it.each(['xml', 'jsonpath', 'jsonpath=', 'custom-columns=A:.a'])('refuses the format %s', (format) => {
    expect(() => parseOutput(format)).toThrow(/allowed formats are/);
  });
});

describe('renderTable', () => {
  it('lets no control sequence of the cluster reach the terminal', () => {
    const columns = [{ header: 'A', value: (row: string) => row }];
    expect(renderTable(['x\u001b[31my\nz\u009b1m'], columns, { noHeaders: true })).toBe('x [31my z 1m\n');
  });
});

describe('formatAge', () => {
  const [minute, hour, day] = [60, 3600, 86_400];
  it.each([
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [2 * minute, '2m'],
    [2 * minute + 5, '2m5s'],
    [10 * minute + 5, '10m'],
    [3 * hour, '3h'],
    [3 * hour + 61, '3h1m'],
    [8 * hour + 61, '8h'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [2 * day + 5 * hour, '2d5h'],
    [8 * day + 5 * hour, '8d'],
    [729 * day, '729d'],
    [2 * 365 * day + 3 * day, '2y3d'],
    [9 * 365 * day, '9y'],
  ])('%d seconds: %s', (seconds, text) => {
    expect(formatAge(seconds * 1000)).toBe(text);
  });
});
