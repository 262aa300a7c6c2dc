// SPDX-License-Identifier: Apache-2.0
import { IN_USE, UNUSED } from '../../webui/src/testing/examples/index.ts';
import type { Answers } from '../../webui/src/testing/examples/index.ts';
import type { Page } from 'playwright';
import type { Given } from './answering.ts';

/** Something of the dashboard that a person can have in front of them. */
export interface View {
  readonly name: string;
  readonly path: string;
  readonly answers?: Answers;
  readonly instead?: Given['instead'];
  readonly terminal?: string;
  /** What the person does first. */
  readonly act?: (page: Page) => Promise<void>;
  /** Also at 360 and 2560 pixels. */
  readonly widths?: true;
}

const away = {
  status: 503,
  body: { error: 'unavailable', message: 'The API server does not answer.' },
} as const;
const OTHERS = { ...IN_USE.currentUser, isAdmin: false } as NonNullable<Answers['currentUser']>;
const BOX = '/sandboxes/team-a/training-run';

const press = (name: string) => async (page: Page) => {
  await page.getByRole('button', { name, exact: true }).first().click();
};

const tab = (name: string) => async (page: Page) => {
  await page.getByRole('tab', { name, exact: true }).click();
};

const SHELL = [
  '\x1b[1;32mann@training-run\x1b[0m:\x1b[1;34m~\x1b[0m$ ls -1 --color',
  '\x1b[1;34msrc\x1b[0m',
  '\x1b[1;34mtest-results\x1b[0m',
  'README.md',
  '\x1b[1;32mdeploy.sh\x1b[0m',
  '\x1b[1;32mann@training-run\x1b[0m:\x1b[1;34m~\x1b[0m$ make test',
  '\x1b[31m2 failed\x1b[0m, \x1b[32m118 passed\x1b[0m, \x1b[33m1 skipped\x1b[0m in 4.1 s',
  '\x1b[1;32mann@training-run\x1b[0m:\x1b[1;34m~\x1b[0m$ ',
].join('\r\n');

const refused = {
  status: 403,
  body: {
    error: 'policy_violation',
    message: 'The policy of team-a does not allow this.',
    violations: [
      {
        code: 'x',
        field: 'spec.resources.limits.cpu',
        message: 'is 64, the policy of the namespace allows 8 at most',
      },
      { code: 'x', field: 'spec.network.allowInternet', message: 'is not allowed in this cluster' },
      { code: 'x', field: 'spec.sidecars', message: 'there are 3, the policy allows 2 at most' },
    ],
  },
} as const;

async function fillCreate(page: Page): Promise<void> {
  await press('Create sandbox')(page);
  await page.getByText('Limits and network').click();
  // The policy is asked as soon as there are a name and a template: they come last, so that it is asked once.
  await page.locator('input[name=cpu]').fill('64');
  await page.locator('select[name=template]').selectOption('minimal-shell');
  await page.locator('input[name=name]').fill('my-experiment');
  await page.getByText('is 64, the policy').waitFor();
}

const LISTS: readonly View[] = [
  { name: 'sandboxes', path: '/', widths: true },
  { name: 'sandboxes-table', path: '/', widths: true, act: press('Table') },
  {
    name: 'sandboxes-selected',
    path: '/',
    act: async (page) => {
      await page.getByLabel('Select notebook').check();
      await page.getByLabel('Select training-run').check();
    },
  },
  {
    name: 'sandboxes-no-match',
    path: '/',
    act: (page) => page.getByLabel('Filter by name').fill('nothing is called so'),
  },
  { name: 'sandboxes-empty', path: '/', widths: true, answers: UNUSED },
  { name: 'sandboxes-loading', path: '/', instead: { listSandboxes: 'never' } },
  { name: 'sandboxes-away', path: '/', instead: { listSandboxes: away } },
  { name: 'create', path: '/', widths: true, act: press('Create sandbox') },
  { name: 'create-refused', path: '/', instead: { createSandbox: refused }, act: fillCreate },
];

const SANDBOX: readonly View[] = [
  { name: 'terminal', path: `${BOX}/terminal`, widths: true, terminal: SHELL },
  {
    name: 'terminal-closed',
    path: `${BOX}/terminal`,
    instead: {
      createTerminalTicket: { status: 409, body: { error: 'conflict', message: 'The sandbox is stopped.' } },
    },
  },
  { name: 'overview', path: BOX, widths: true },
  { name: 'files', path: BOX, widths: true, act: tab('Files') },
  { name: 'files-empty', path: BOX, answers: UNUSED, act: tab('Files') },
  { name: 'ports', path: BOX, widths: true, act: tab('Ports') },
  { name: 'ports-empty', path: BOX, answers: UNUSED, act: tab('Ports') },
  { name: 'agent', path: BOX, act: tab('Agent') },
  { name: 'sharing', path: BOX, widths: true, act: tab('Sharing') },
  { name: 'size', path: BOX, act: tab('Time and size') },
  { name: 'network', path: BOX, act: tab('Network') },
  { name: 'in-force', path: BOX, act: tab('In force') },
  { name: 'backups', path: BOX, act: tab('Backups') },
  { name: 'sandbox-activity', path: BOX, act: tab('Activity') },
  {
    name: 'overview-gone',
    path: BOX,
    instead: {
      getSandbox: { status: 404, body: { error: 'not_found', message: 'There is no sandbox training-run.' } },
    },
  },
];

const CLUSTER: readonly View[] = [
  {
    name: 'templates',
    path: '/templates',
    widths: true,
    act: press('minimal-shell A shell and nothing else'),
  },
  { name: 'templates-empty', path: '/templates', answers: UNUSED },
  { name: 'metrics', path: '/cluster/metrics', widths: true },
  { name: 'capacity', path: '/cluster/capacity', widths: true },
  { name: 'costs', path: '/cluster/costs', widths: true },
  { name: 'activity', path: '/cluster/activity', widths: true },
  { name: 'activity-empty', path: '/cluster/activity', answers: UNUSED },
  { name: 'policies', path: '/cluster/policies', widths: true },
  { name: 'pools', path: '/cluster/pools', widths: true },
  { name: 'pools-empty', path: '/cluster/pools', answers: UNUSED },
  { name: 'headroom', path: '/cluster/headroom' },
  { name: 'metrics-refused', path: '/cluster/metrics', answers: { ...IN_USE, currentUser: OTHERS } },
];

async function palette(page: Page): Promise<void> {
  await page.getByLabel('Select notebook').waitFor();
  await page.keyboard.press('Control+k');
}

const PERSON: readonly View[] = [
  { name: 'keys', path: '/keys', widths: true },
  { name: 'keys-empty', path: '/keys', answers: UNUSED },
  { name: 'webhooks', path: '/webhooks', widths: true },
  { name: 'webhooks-empty', path: '/webhooks', answers: UNUSED },
  {
    name: 'login',
    path: '/',
    widths: true,
    answers: {
      ...IN_USE,
      signInConfig: { mode: 'oidc', issuer: 'https://id.example.com', clientId: 'agenttier' },
    },
    instead: {
      currentUser: { status: 401, body: { error: 'missing_authorization', message: 'Sign in first.' } },
    },
  },
  {
    name: 'login-refused',
    path: '/',
    instead: {
      currentUser: { status: 401, body: { error: 'invalid_key', message: 'The key is not known.' } },
    },
  },
  { name: 'router-away', path: '/', instead: { signInConfig: away } },
  { name: 'dev-mode', path: '/', answers: { ...UNUSED, signInConfig: { mode: 'dev' } } },
  { name: 'palette', path: '/', widths: true, act: palette },
  { name: 'not-found', path: '/nothing/here' },
];

export const VIEWS: readonly View[] = [...LISTS, ...SANDBOX, ...CLUSTER, ...PERSON];
