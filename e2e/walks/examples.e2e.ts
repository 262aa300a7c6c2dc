// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, inSandbox, kubectl, ok, until, untilPhase, walkNamespace } from './harness.ts';

/** Every example is what it says it is: applied as it stands, each of its sandboxes comes to run. */

const folder = join(import.meta.dirname, '../../examples');
const read = (name: string): string => readFileSync(join(folder, `${name}.yaml`), 'utf8');

/** Those that walks of their own apply (`chain`, in apply.e2e.ts), or `make up` does (`demo`), or that must fail. */
const ELSEWHERE = ['chain', 'demo', 'refused'];

const sandboxesIn = (yaml: string): string[] =>
  yaml
    .split(/^---$/m)
    .filter((document) => /^kind: Sandbox$/m.test(document))
    .map((document) => /^ {2}name: (\S+)$/m.exec(document)?.[1] ?? '');

describe('the examples', () => {
  const namespace = walkNamespace('walk-examples');
  const names = readdirSync(folder)
    .map((file) => file.replace('.yaml', ''))
    .filter((name) => !ELSEWHERE.includes(name));
  // What an example says of a namespace of its own is said of this one; it exists already.
  const yamlOf = (name: string): string =>
    read(name)
      .split(/^---$/m)
      .filter((document) => !/^kind: Namespace$/m.test(document))
      .join('---')
      .replaceAll('namespace: warm', `namespace: ${namespace()}`);

  beforeAll(async () => {
    for (const name of names) await ok(apply(yamlOf(name), namespace()));
  });

  afterAll(async () => {
    await ok(kubectl(['delete', 'sandbox', '--all', '-n', namespace(), '--timeout=120s']));
    await ok(kubectl(['delete', 'clustersandboxtemplate', 'echo-agent', '--timeout=60s']));
  });

  it.each(names)('%s runs', async (name) => {
    const sandboxes = sandboxesIn(read(name));
    expect(sandboxes.length).toBeGreaterThan(0);
    for (const sandbox of sandboxes) await untilPhase(sandbox, namespace(), 'Running');
  });

  it('the agent is installed', async () => {
    await ok(
      kubectl(['wait', 'sandbox', 'echo', '-n', namespace(), '--for=condition=Configured', '--timeout=90s']),
    );
    const file = await until('the file that its installation makes', async () => {
      const outcome = await inSandbox('echo', namespace(), 'cat /workspace/agent.sh');
      return outcome.code === 0 ? outcome.stdout : undefined;
    });
    expect(file).toContain('you said');
  });
});
