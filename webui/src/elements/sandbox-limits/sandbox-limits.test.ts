// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { aSandbox, barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import { changeOf } from './change.ts';
import './sandbox-limits.ts';

const NONE = {
  timeout: '',
  idleTimeout: '',
  gracePeriod: '',
  cpu: '',
  memory: '',
  autoResume: false,
  unset: new Set<string>(),
};
const FIELDS = [
  { field: 'timeout', value: '8h', origin: 'ClusterSandboxTemplate/shell', bounds: [] },
  { field: 'resources.limits.cpu', value: '2', origin: 'default', bounds: [] },
  { field: 'resources.limits[nvidia.com/gpu]', value: '1', origin: 'Sandbox', bounds: [] },
  { field: 'resources.requests.cpu', value: '1', origin: 'Sandbox', bounds: [] },
  { field: 'resources.claims[gpu]', value: { name: 'gpu' }, origin: 'Sandbox', bounds: [] },
];

describe('the change of a form', () => {
  it.each([
    ['nothing', {}, undefined],
    ['what it is already', { timeout: '8h' }, undefined],
    ['a time', { idleTimeout: '30m' }, { idleTimeout: '30m' }],
    ['time for programs to end', { gracePeriod: '20s' }, { gracePeriod: '20s' }],
    [
      'times taken away',
      { unset: new Set(['timeout', 'gracePeriod']) },
      { timeout: null, gracePeriod: null },
    ],
    ['waking', { autoResume: true }, { autoResume: true }],
    [
      'a size, with all else that the sandbox itself says of its resources',
      { cpu: '4' },
      {
        resources: {
          limits: { 'nvidia.com/gpu': '1', cpu: '4' },
          requests: { cpu: '1' },
          claims: [{ name: 'gpu' }],
        },
      },
    ],
  ])('is %s', (_what, typed, expected) => {
    expect(changeOf({ ...NONE, ...typed }, false, FIELDS)).toEqual(expected);
  });
});

async function formOf() {
  let cpu = '2';
  const fake = new FakeServer()
    .on('GET /sandboxes/box/explain', () => ({
      chain: [],
      policiesKnown: true,
      fields: [
        { field: 'timeout', value: '8h', origin: 'ClusterSandboxTemplate/shell', bounds: [] },
        { field: 'gracePeriod', value: '20s', origin: 'Sandbox', bounds: [] },
        {
          field: 'resources.limits.cpu',
          value: cpu,
          origin: 'default',
          bounds: [{ policy: 'maxCpu', scope: 'namespace', limit: '4' }],
        },
      ],
    }))
    .on('PATCH /sandboxes/box', ({ searchParams }, body) => {
      const wanted = (body as { resources: { limits: { cpu: string } } }).resources.limits.cpu;
      if (Number(wanted) > 4) {
        const violation = { code: 'x', field: 'spec.resources.limits.cpu', message: 'is more than 4' };
        return Response.json({ error: 'policy_violation', violations: [violation] }, { status: 403 });
      }
      if (!searchParams.has('dryRun')) cpu = wanted;
      return { sandboxId: 'box', applied: { resources: 'on-restart' }, restartRequired: true };
    });
  const element = document.createElement('agenttier-sandbox-limits');
  Object.assign(element, { server: fake.server, sandbox: aSandbox() });
  await show(element);
  const root = element.shadowRoot as ShadowRoot;
  const form = await until('the form', () => root.querySelector('form'));
  const type = (name: string, text: string): void => {
    const input = form.elements.namedItem(name) as HTMLInputElement;
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  };
  return { element, root, form, type, fake };
}

describe('agenttier-sandbox-limits', () => {
  it.each(['light', 'dark'] as const)(
    'says what is in force and by whom, without barriers in %s',
    async (theme) => {
      const { element, root } = await formOf();
      dress(element, theme);
      expect(root.textContent).toContain('Now 8h, set by shell.');
      expect(root.textContent).toContain('The policy of the namespace allows 4.');
      expect(await barriers(element)).toEqual([]);
    },
  );

  it('asks admission while one types, and says at the field what it objects to', async () => {
    const { root, form, type } = await formOf();
    type('cpu', '64');
    await until('the objection', () => root.querySelector('.problem')?.textContent === 'is more than 4');
    expect((form.elements.namedItem('cpu') as HTMLInputElement).ariaInvalid).toBe('true');
    type('cpu', '3');
    await until('that it is allowed', () => root.textContent?.includes('The policy allows this.'));
  });

  it('saves what is changed, and says when it takes effect', async () => {
    const { element, root, form, type, fake } = await formOf();
    const told = new Promise((resolve) => element.addEventListener('agenttier-sandbox-changed', resolve));
    type('cpu', '3');
    form.requestSubmit();
    await told;
    await until('the word', () => root.textContent?.includes('At its next start takes effect: resources.'));
    await until('the new value', () => root.textContent?.includes('Now 3,'));
    const written = fake.asked.filter(
      ({ method, url }) => method === 'PATCH' && !url.searchParams.has('dryRun'),
    );
    expect(written.map(({ body }) => body)).toEqual([{ resources: { limits: { cpu: '3' } } }]);
  });

  it('takes away a time that the sandbox sets itself, and offers that for no other', async () => {
    const { element, root, form, fake } = await formOf();
    fake.on('PATCH /sandboxes/box', () => ({ sandboxId: 'box', applied: { gracePeriod: 'immediately' } }));
    const boxes = [...root.querySelectorAll<HTMLInputElement>('[name=unset]')];
    expect(boxes.map(({ value }) => value)).toEqual(['gracePeriod']);
    boxes[0]?.click();
    const told = new Promise((resolve) => element.addEventListener('agenttier-sandbox-changed', resolve));
    form.requestSubmit();
    await told;
    const written = fake.asked.filter(
      ({ method, url }) => method === 'PATCH' && !url.searchParams.has('dryRun'),
    );
    expect(written.at(-1)?.body).toEqual({ gracePeriod: null });
  });
});
