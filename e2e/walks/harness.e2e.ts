// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  ok,
  plugin,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

/** Close to what one object of Kubernetes holds. */
const LARGE = 1_000_000;

const secret = `
apiVersion: v1
kind: Secret
metadata:
  name: login
  labels: { agenttier.io/sandbox-credential: 'true' }
stringData: { netrc: machine example.test, TOKEN: for-scripts }
`;

const largeText = `apiVersion: v1
kind: ConfigMap
metadata: { name: large }
data: { text: ${'x'.repeat(LARGE)} }
`;

const equipped = (name: string, extra = ''): string => `
apiVersion: agenttier.io/v1alpha1
kind: Sandbox
metadata: { name: ${name} }
spec:
  templateRef: { name: minimal-shell }
${extra}`;

const ALL = `
  env: [{ name: GREETING, value: hello }]
  credentials: [{ secretName: login, envPrefix: LOGIN_ }]
  files:
    - { path: project/plain.txt, content: plain }
    - { path: .netrc, mode: 384, secretRef: { name: login, key: netrc } }
    - { path: large.txt, configMapRef: { name: large, key: text } }
    - { path: /etc/tool.conf, content: outside }
  initScripts:
    - echo "$GREETING $LOGIN_TOKEN" >> project/scripts
    - |
      #!/bin/bash
      echo "second in $BASH" >> project/scripts
  harness:
    systemPrompt: { content: Be brief. }
    skills: [{ name: data, content: { content: About data. } }]
    tools:
      - { name: bash }
      - { name: greet, version: '2.1', verifyCommand: bin/greet, installCommand: 'mkdir -p bin && printf "#!/bin/sh\\necho greet 2.1.7\\n" > bin/greet && chmod 755 bin/greet' }
    hooks:
      onStart: echo start >> project/hooks
      onResume: echo resume >> project/hooks; echo broken >&2; exit 3
      onStop: echo stop >> project/hooks
    constraints: { maxCommandTimeout: 5s, maxFileSize: 2Mi }
`;

describe('a harness', () => {
  const namespace = walkNamespace('walk-harness');
  const shell = async (script: string, name = 'equipped') =>
    (await ok(inSandbox(name, namespace(), script))).trim();
  const sandbox = async (name = 'equipped') => await getJson(['sandbox', name, '-n', namespace()]);
  const hookEnded = (hook: string) =>
    until(`the hook ${hook}`, async () => {
      const { harness = {} } = (await sandbox()).status;
      return harness.hooks?.find(({ name }: { name: string }) => name === hook);
    });

  beforeAll(async () => {
    await ok(apply(secret, namespace()));
    // A client-side apply would want to keep the text in an annotation, which has less room.
    await ok(kubectl(['create', '-n', namespace(), '-f', '-'], { stdin: largeText }));
    await ok(apply(equipped('equipped', ALL), namespace()));
    await untilPhase('equipped', namespace(), 'Running');
  });

  it('brings files with their content and mode, small and large, from every source', async () => {
    expect(await shell('cat project/plain.txt /etc/tool.conf')).toBe('plainoutside');
    expect(await shell('cat .netrc; stat -c %a:%U .netrc project/plain.txt')).toBe(
      'machine example.test600:sandbox\n644:sandbox',
    );
    expect(await shell('wc -c < large.txt; tr -d x < large.txt | wc -c')).toBe(`${LARGE}\n0`);
    expect(await shell('echo no > /etc/tool.conf; ls /agenttier/plan 2>&1; true')).not.toContain('plan.json');
  });

  it('brings the system prompt and the skills', async () => {
    expect(await shell('cat .agenttier/system-prompt.md .agenttier/skills/data.md')).toBe(
      'Be brief.About data.',
    );
  });

  it('has run its init scripts with variables and credentials', async () => {
    expect(await shell('cat project/scripts')).toBe('hello for-scripts\nsecond in /bin/bash');
  });

  it('verifies its tools, installs the missing one, and says the versions', async () => {
    const condition = await until('the tools', async () => {
      const { conditions } = (await sandbox()).status;
      const found = conditions.find(({ type }: { type: string }) => type === 'ToolsReady');
      return found?.status === 'True' ? found : undefined;
    });
    expect(condition.message).toMatch(/^bash 5\.[0-9.]+.*, greet 2\.1\.7$/);
  });

  it('holds commands and files to their limits', async () => {
    const slow = await inSandbox('equipped', namespace(), 'sleep 100');
    expect(slow.code).not.toBe(0);
    expect(`${slow.stdout}${slow.stderr}`).toContain('maxCommandTimeout');
    const large = await inSandbox('equipped', namespace(), 'head -c 3000000 /dev/zero > big');
    expect(large.stderr).toContain('File too large');
  });

  it('runs onStart, onStop before the pod goes, onResume after, and scripts only once', async () => {
    expect(await hookEnded('onStart')).toMatchObject({ succeeded: true });
    await shell('echo mine > project/plain.txt');
    await ok(plugin(['stop', 'equipped', '-n', namespace()]));
    await untilPhase('equipped', namespace(), 'Stopped');
    await ok(plugin(['resume', 'equipped', '-n', namespace()]));
    await untilPhase('equipped', namespace(), 'Running');
    expect(await hookEnded('onResume')).toMatchObject({
      succeeded: false,
      message: 'onResume ended with exit code 3: broken',
    });
    expect(await shell('cat project/hooks project/plain.txt')).toBe('start\nstop\nresume\nmine');
    expect(await shell('wc -l < project/scripts')).toBe('2');
    const event = await until('the event', async () => {
      const { items } = await getJson(['events.events.k8s.io', '-n', namespace()]);
      return items.find(({ reason }: { reason: string }) => reason === 'HookFailed');
    });
    expect(event).toMatchObject({ type: 'Warning', regarding: { name: 'equipped' } });
  });

  it('runs scripts at each start where that is asked for', async () => {
    const always = '\n  runInitScripts: Always\n  initScripts: [echo again >> runs]\n';
    await ok(apply(equipped('always', always), namespace()));
    await untilPhase('always', namespace(), 'Running');
    await ok(plugin(['stop', 'always', '-n', namespace()]));
    await untilPhase('always', namespace(), 'Stopped');
    await ok(plugin(['resume', 'always', '-n', namespace()]));
    await untilPhase('always', namespace(), 'Running');
    expect(await shell('cat runs', 'always')).toBe('again\nagain');
  });

  it('names the script that fails, and goes on from there once it is corrected', async () => {
    const scripts = (second: string) => `
  initScripts:
    - echo one >> runs
    - ${second}
    - echo three >> runs
`;
    await ok(apply(equipped('failing', scripts('ls /no/such/file')), namespace()));
    const failed = await untilPhase('failing', namespace(), 'Error');
    expect(failed.status.reason).toBe('InitFailed');
    expect(failed.status.message).toMatch(
      /^init script 2 of 3 \(ls \/no\/such\/file\) ended with exit code 2: .*No such file/,
    );
    await ok(apply(equipped('failing', scripts('echo two >> runs')), namespace()));
    await untilPhase('failing', namespace(), 'Running');
    expect(await shell('cat runs', 'failing')).toBe('one\ntwo\nthree');
  });

  it('is refused with what nothing could enforce', async () => {
    const rest = `
  harness: { constraints: { restrictedCommands: [rm] } }
`;
    const refused = await apply(equipped('refused', rest), namespace());
    expect(refused.stderr).toContain('spec.harness.constraints.restrictedCommands');
  });
});
