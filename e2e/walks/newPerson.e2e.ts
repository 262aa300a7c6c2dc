// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { screenText, walkBrowser } from './browser.ts';
import type { Tab } from './browser.ts';
import { DEV_SERVER } from './devServer.ts';
import {
  childEnvironment,
  inSandbox,
  ok,
  plugin,
  rest,
  until,
  walkNamespace,
  walkTemplate,
} from './harness.ts';
import { Forward, walkIssuer } from './issuer.ts';
import { ownRouter } from './ownRouter.ts';

const TEMPLATE = 'walk-person';
const PORT = 3000;

const template = `
apiVersion: agenttier.io/v1alpha1
kind: ClusterSandboxTemplate
metadata: { name: ${TEMPLATE} }
spec:
  mode: agent
  inheritsFrom: { kind: ClusterSandboxTemplate, name: minimal-shell }
  storage: { size: 128Mi }
  resources:
    requests: { cpu: 5m, memory: 16Mi }
    limits: { cpu: 500m, memory: 256Mi }
  harness:
    agent:
      entrypoint: ["/bin/sh", "-c", "echo \\"the agent heard $(cat)\\"", "agent"]
      defaultInvokeTimeout: 1m
`;

walkTemplate(TEMPLATE, template);

const namespace = walkNamespace('walk-person');
const forward = new Forward(() => router.url);
beforeAll(() => forward.start());
afterAll(() => forward.close());
const issuer = walkIssuer(() => forward.url);
const router = ownRouter('person', { namespaces: [namespace], settings: issuer.settings });
const open = walkBrowser();
const folder = mkdtempSync(join(tmpdir(), 'agenttier-walk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string): Promise<string> => ok(inSandbox('mine', namespace(), script));
const usesOf = (grant: string, person: string): number =>
  issuer.uses().filter((use) => use.startsWith(`${grant} `) && use.endsWith(` ${person}`)).length;

/** Signs in at the issuer, which asks who it is unless it knows. */
async function enter(page: Page, person?: string): Promise<void> {
  await page.getByRole('button', { name: 'Sign in with your organisation' }).click();
  if (person === undefined) return;
  await page.getByLabel('Person').fill(person);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function newcomer(person: string): Promise<Tab> {
  const tab = await open({ router: forward.url });
  await tab.page.goto('/');
  await enter(tab.page, person);
  await tab.page.locator('header').getByTitle(person).waitFor();
  return tab;
}

/** Without a load of the page. */
const go = (page: Page, path: string): Promise<void> =>
  page
    .locator('agenttier-app')
    .evaluate((app, to) => (app as unknown as { navigate(path: string): void }).navigate(to), path);

const openTab = async (page: Page, name: string): Promise<void> => {
  await go(page, `/sandboxes/${namespace()}/mine`);
  await page.getByRole('tab', { name }).click();
};

describe('a new person', () => {
  let ann: Tab;
  let bob: Tab;
  const cardOf = ({ page }: Tab) => page.locator('agenttier-sandbox-card', { hasText: namespace() });

  it('signs in at the issuer, makes a sandbox, and finds the terminal as it was after a reload', async () => {
    ann = await newcomer('ann');
    const { page } = ann;
    await page.getByRole('button', { name: 'Create sandbox' }).first().click();
    await page.locator('dialog input[name=name]').fill('mine');
    await page.locator('dialog select[name=template]').selectOption(TEMPLATE);
    await page.locator('dialog input[name=namespace]').fill(namespace());
    await page.getByText('The policy allows this.').waitFor();
    await page.locator('dialog').getByRole('button', { name: 'Create sandbox' }).click();
    await cardOf(ann).getByRole('button', { name: 'Open terminal' }).click();
    await page.getByText('Connected').waitFor();
    await page.keyboard.type('echo $((6 * 7))-was-typed\n');
    await until('what was typed', async () => (await screenText(page)).includes('42-was-typed'));
    await page.reload();
    await enter(page);
    await page.getByText('Connected').waitFor();
    await until('the scrollback', async () => (await screenText(page)).includes('42-was-typed'));
    // Its token is renewed while the page lives.
    await until('a renewal', async () => {
      await page.getByRole('link', { name: 'Templates' }).click();
      await page.getByRole('link', { name: 'Sandboxes' }).click();
      return usesOf('refresh_token', 'ann') > 0;
    });
  });

  it('brings 50 MB in and out, unchanged', async () => {
    const { page } = ann;
    const bytes = randomBytes(50 * 1024 * 1024);
    const sum = createHash('sha256').update(bytes).digest('hex');
    const name = 'größe 50%.bin';
    writeFileSync(join(folder, name), bytes);
    await openTab(page, 'Files');
    await page.getByLabel('Files to upload').setInputFiles(join(folder, name));
    await page.locator('.transfers li.done', { hasText: name }).waitFor({ timeout: 90_000 });
    expect((await shell(`sha256sum < '/workspace/${name}'`)).split(' ')[0]).toBe(sum);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Download ${name}` }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(name);
    const hash = createHash('sha256');
    for await (const chunk of await download.createReadStream()) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(sum);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.getByRole('button', { name: `Delete ${name}` }).click();
    await page.getByRole('button', { name: `Delete ${name}` }).waitFor({ state: 'detached' });
    // Neither the file nor pieces of it.
    expect(await shell('ls -A /workspace')).not.toContain('größe');
  });

  it('looks at the preview of a dev server, with its WebSocket, and invokes the agent', async () => {
    const command = ['perl', '-e', DEV_SERVER, String(PORT), '/tmp/seen'];
    const path = `/sandboxes/mine/exec?namespace=${namespace()}`;
    expect((await rest('POST', path, { command, detach: true })).status).toBe(202);
    const { page } = ann;
    await openTab(page, 'Ports');
    // It is found without a reload.
    await page.getByRole('button', { name: `Forward port ${PORT}` }).click();
    const [preview] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('button', { name: `Open preview of port ${PORT}` }).click(),
    ]);
    await preview.waitForURL((url) => url.hostname.startsWith(`${PORT}--mine--`));
    await until('the program’s answer', async () =>
      (await preview.locator('body').innerText()).includes(`Host: localhost:${PORT}`),
    );
    expect(new URL(preview.url()).search).toBe('');
    const echo = await preview.evaluate<string>(`new Promise((resolve, reject) => {
      const socket = new WebSocket('ws://' + location.host + '/hmr');
      socket.onopen = () => socket.send('hello');
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = reject;
    })`);
    expect(echo).toBe('echo hello');
    expect(await preview.evaluate('window.opener')).toBeNull();
    await preview.close();
    await page.getByRole('button', { name: `Remove port ${PORT}` }).click();
    await page.getByText('No port is forwarded').waitFor();

    await page.getByRole('tab', { name: 'Agent' }).click();
    await page.getByLabel('Prompt').fill('good morning');
    await page.getByRole('button', { name: 'Invoke' }).click();
    await page.getByText('Ended with code 0').waitFor();
    expect(await page.getByRole('log').innerText()).toContain('the agent heard good morning');
  });

  it('lets another one look on, who cannot type', async () => {
    await openTab(ann.page, 'Sharing');
    const grant = ann.page.locator('form', { has: ann.page.locator('input[name=identity]') });
    await grant.locator('input[name=identity]').fill('bob@example.com');
    await grant.getByRole('button', { name: 'Share' }).click();
    await ann.page.getByRole('cell', { name: 'bob@example.com' }).waitFor();
    bob = await newcomer('bob');
    await cardOf(bob).getByText('Shared with you').waitFor();
    await go(bob.page, `/sandboxes/${namespace()}/mine/terminal`);
    await bob.page.getByText('View only').waitFor();
    await until('what ann sees', async () => (await screenText(bob.page)).includes('42-was-typed'));
    await bob.page.locator('agenttier-terminal').click();
    await bob.page.keyboard.type('touch /tmp/bob; echo $((6 * 6))-of-bob\n');
    await go(ann.page, `/sandboxes/${namespace()}/mine/terminal`);
    await ann.page.getByText('Connected').waitFor();
    await ann.page.keyboard.type('echo $((6 * 8))-of-ann\n');
    await until('what ann typed', async () => (await screenText(bob.page)).includes('48-of-ann'));
    expect(await screenText(ann.page)).not.toContain('of-bob');
    expect(await shell('ls /tmp')).not.toContain('bob');
  });

  it('signs in on a shell by the code of a device, and stays signed in', async () => {
    const file = join(folder, 'login.json');
    const env = { AGENTTIER_CONFIG: file, AGENTTIER_API_KEY: '', AGENTTIER_API_URL: '' };
    const login = spawn('kubectl', ['agenttier', 'login', '--api-url', router.url], {
      env: childEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    login.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    login.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => void login.once('close', resolve));
    const place = await until('the place', async () => /^Open (\S+)$/m.exec(printed)?.[1], 20_000);
    const page = await bob.page.context().newPage();
    await page.goto(place);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Signed in').waitFor();
    await page.close();
    expect([await ended, printed]).toEqual([0, expect.stringContaining('Authenticated as: bob@example.com')]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    const before = usesOf('refresh_token', 'bob');
    writeFileSync(file, JSON.stringify({ ...saved, token_expires_at: new Date(0).toISOString() }));
    expect(await ok(plugin(['whoami'], { env }))).toContain('bob@example.com');
    expect(usesOf('refresh_token', 'bob')).toBeGreaterThan(before);
    const { refresh_token } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    expect(refresh_token).not.toBe(saved['refresh_token']);
    await ok(plugin(['logout'], { env }));
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
    expect((await plugin(['whoami'], { env })).stdout).not.toContain('bob@example.com');
  });

  it('stops, resumes and deletes it, and signs out at the issuer too', async () => {
    const { page } = ann;
    await page.getByRole('link', { name: 'Sandboxes' }).click();
    const card = cardOf(ann);
    await card.getByRole('button', { name: 'Stop' }).click();
    await card.getByRole('button', { name: 'Resume' }).click({ timeout: 60_000 });
    await card.getByRole('button', { name: 'Open terminal' }).waitFor({ timeout: 60_000 });
    await card.getByRole('button', { name: 'Delete' }).click();
    await card.waitFor({ state: 'detached', timeout: 60_000 });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign me out' }).click();
    await page.waitForURL((url) => url.origin === forward.url && url.pathname === '/');
    await page.getByRole('button', { name: 'Sign in with your organisation' }).click();
    // Nobody comes in by what the issuer remembered.
    await page.getByLabel('Person').waitFor();
    expect([...ann.complaints, ...bob.complaints]).toEqual([]);
  });
});
