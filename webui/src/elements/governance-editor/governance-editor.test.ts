// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './governance-editor.ts';
import { limitText, usedShare } from './usage.ts';

describe('figures of a policy', () => {
  it.each([
    [{ used: 3, limit: 4 }, 0.75],
    [{ used: '500m', reserved: '500m', limit: '4' }, 0.25],
    [{ used: '2Gi', limit: '1Gi' }, 1],
    [{ used: 3 }, undefined],
  ])('%o is used to the part %s', (row, share) => {
    expect(usedShare(row)).toBe(share);
  });

  it.each([
    ['2', '2'],
    [10, '10'],
    [false, 'false'],
    [['a', 'b'], 'a, b'],
    [[{ name: 'a' }], '{"name":"a"}'],
  ])('%o reads %s', (value, text) => {
    expect(limitText({ value })).toBe(text);
  });
});

const VIOLATOR = {
  namespace: 'team',
  name: 'large',
  violations: [{ code: 'cpu_exceeded', field: 'spec.resources.limits.cpu', message: 'is 8, 1 at most' }],
};

/** Keeps policies as the router does; `policies` by namespace, empty for the cluster. */
class Policies extends FakeServer {
  /** How many the cluster's policy would refuse. */
  counted: number | undefined;
  readonly stored = new Map<string, { policy: object; version: number }>();

  constructor() {
    super();
    this.on('GET /governance/policies', () => {
      const { policy = null, version } = this.stored.get('') ?? {};
      const named = [...this.stored].filter(([namespace]) => namespace !== '');
      return {
        cluster: policy,
        clusterVersion: version && String(version),
        clusterWouldViolate: this.counted,
        namespaces: named.map(([namespace]) => this.#view(namespace)),
      };
    })
      .on('GET /governance/effective', ({ searchParams }) => ({
        namespace: searchParams.get('namespace'),
        policy: {},
        fields: [{ field: 'approvedRegistries', value: ['ghcr.io/acme'], scope: 'cluster' }],
      }))
      .on('GET /governance/usage', () => ({
        namespace: 'team',
        scopes: [{ scope: 'cluster', counted: true, rows: [{ dimension: 'sandboxes', used: 9, limit: 10 }] }],
      }));
    this.#serve('', '/governance/policies');
    this.#serve('team', '/governance/policies/team');
    this.on('GET /governance/policies/team', () => this.#view('team'));
  }

  put(namespace: string, policy: object): void {
    this.stored.set(namespace, { policy, version: (this.stored.get(namespace)?.version ?? 0) + 1 });
  }

  #view(namespace: string) {
    const { policy = {}, version } = this.stored.get(namespace) ?? {};
    return { namespace, policy, resourceVersion: version && String(version) };
  }

  #serve(namespace: string, path: string): void {
    this.on(`PUT ${path}`, ({ searchParams }, body, headers) => {
      const tag = headers['if-match'];
      if (tag !== undefined && tag !== `"${this.stored.get(namespace)?.version}"`) {
        return Response.json({ error: 'changed' }, { status: 412 });
      }
      if ((body as { maxCpu?: string }).maxCpu === 'lots') {
        const violation = { code: 'x', field: 'spec.maxCpu', message: 'is no quantity' };
        return Response.json({ error: 'invalid', violations: [violation] }, { status: 422 });
      }
      if (searchParams.has('dryRun'))
        return { ...this.#view(namespace), warnings: ['a remark'], wouldViolate: 2, violators: [VIOLATOR] };
      this.put(namespace, body as object);
      return this.#view(namespace);
    }).on(`DELETE ${path}`, () => (this.stored.delete(namespace), new Response(undefined, { status: 204 })));
  }
}

describe('agenttier-governance-editor', () => {
  async function pageOf(fake: Policies, change: { namespace?: string; readonly?: boolean } = {}) {
    const element = document.createElement('agenttier-governance-editor');
    element.server = fake.server;
    Object.assign(element, change);
    await show(element);
    const root = element.shadowRoot as ShadowRoot;
    const editor = await until('the editor', () => root.querySelector('agenttier-yaml-editor'));
    await until('its text', () => editor.shadowRoot?.querySelector('.cm-content'));
    const write = (text: string): void => {
      editor.dispatchEvent(new CustomEvent('agenttier-yaml-change', { detail: { text } }));
    };
    const save = (): void => root.querySelector<HTMLButtonElement>('.bar .primary')?.click();
    return { element, root, editor, write, save };
  }

  it.each(['light', 'dark'] as const)(
    'shows what is in force and used, without barriers in %s',
    async (theme) => {
      const fake = new Policies();
      fake.put('', { delegated: ['maxCpu'] });
      fake.put('team', { maxCpu: '2' });
      const { element, root, editor } = await pageOf(fake, { namespace: 'team' });
      dress(element, theme);
      const view = await until('what is in force', () => root.querySelector('agenttier-effective-policy'));
      const rows = (): number => view.shadowRoot?.querySelectorAll('tbody tr').length ?? 0;
      await until('its rows', () => rows() === 1);
      expect(view.shadowRoot?.textContent).toContain('ghcr.io/acme');
      view.shadowRoot?.querySelector('input')?.click();
      await until('all fields', () => rows() > 20);
      const decided = [...(view.shadowRoot?.querySelectorAll('tr') ?? [])].filter((row) =>
        row.textContent?.includes('namespaces decide'),
      );
      expect(decided.map((row) => row.textContent?.trim().startsWith('maxCpu'))).toEqual([true]);
      expect(view.shadowRoot?.textContent).toContain('Sandboxes one person may have.');
      expect(root.textContent).toContain('9 of 10');
      expect(root.querySelector('svg.bad')).not.toBeNull();
      expect(editor.text).toBe('maxCpu: "2"\n');
      expect(await barriers(element)).toEqual([]);
    },
  );

  it('stores what was edited although admission has counted meanwhile', async () => {
    const fake = new Policies();
    fake.put('', { maxCpu: '4' });
    const { element, root, editor, save } = await pageOf(fake);
    // Counting changes the version and nothing that anybody set; and once more between reading and writing.
    fake.put('', { maxCpu: '4' });
    let counted = false;
    fake.on('GET /governance/policies', () => {
      const { policy, version } = fake.stored.get('') ?? {};
      if (!counted) fake.put('', { maxCpu: '4' });
      counted = true;
      return { cluster: policy, clusterVersion: String(version), namespaces: [] };
    });
    editor.value = 'maxMemory: 1Gi';
    await editor.updateComplete;
    save();
    await until('the word', () => root.textContent?.includes('Saved.'));
    expect(fake.stored.get('')?.policy).toEqual({ maxMemory: '1Gi' });
    // The text as it is stored is put into the editor: nobody has typed that.
    await until('the stored text', () => editor.text === 'maxMemory: 1Gi\n');
    await element.updateComplete;
    expect(root.textContent).toContain('Saved.');
  });

  it('overwrites nothing unseen', async () => {
    const fake = new Policies();
    fake.put('team', { maxCpu: '2' });
    const { root, editor, save } = await pageOf(fake, { namespace: 'team' });
    fake.put('team', { maxCpu: '1' });
    save();
    await until('both texts', () => editor.shadowRoot?.querySelectorAll('.cm-content').length === 2);
    expect(root.textContent).toContain('Somebody else has changed this policy');
    expect(fake.stored.get('team')?.policy).toEqual({ maxCpu: '1' });
    save();
    await until('the word', () => root.textContent?.includes('Saved.'));
    expect(fake.stored.get('team')?.policy).toEqual({ maxCpu: '2' });
  });

  it('says what admission objects to and what it remarks on', async () => {
    const { root, editor, write } = await pageOf(new Policies());
    write('maxCpu: "1"');
    await until('the remark', () => root.textContent?.includes('a remark'));
    write('maxCpu: lots');
    await until('the mark', () => editor.shadowRoot?.querySelector('.cm-lint-marker-error'));
    expect(root.textContent).not.toContain('a remark');
  });

  it('names whom the text would refuse before it is stored, and how many the stored one does', async () => {
    const fake = new Policies();
    fake.put('', { maxCpu: '4' });
    fake.counted = 7;
    const { element, root, write, save, editor } = await pageOf(fake);
    dress(element, 'light');
    await until('the count', () => root.textContent?.includes('7 sandboxes'));
    editor.value = 'maxCpu: "1"';
    write('maxCpu: "1"');
    await until('who', () => root.querySelector('.violators')?.textContent?.includes('team/large'));
    expect(root.querySelector('.violators')?.textContent).toContain('is 8, 1 at most');
    expect(root.querySelector('.violators')?.textContent).toContain('and 1 more');
    expect(await barriers(element)).toEqual([]);
    save();
    await until('the word', () => root.textContent?.includes('Saved.'));
    expect(root.querySelector('.violators')).toBeNull();
  });

  it('gives a namespace its first policy', async () => {
    const fake = new Policies();
    const { root, save } = await pageOf(fake);
    const form = root.querySelector('nav form') as HTMLFormElement;
    (form.elements.namedItem('namespace') as HTMLInputElement).value = 'team';
    form.requestSubmit();
    await until('its name', () => root.querySelector('h2')?.textContent === 'team');
    save();
    await until('the word', () => root.textContent?.includes('Saved.'));
    expect(fake.stored.get('team')?.policy).toEqual({});
  });

  it('lets others only look', async () => {
    const { root } = await pageOf(new Policies(), { readonly: true });
    expect(root.querySelector('.bar button, nav form')).toBeNull();
    expect(root.querySelector('agenttier-yaml-editor')?.readonly).toBe(true);
  });
});
