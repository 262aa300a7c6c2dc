// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const dockerfiles = readdirSync(import.meta.dirname)
  .map((name) => ({ name, file: join(import.meta.dirname, name, 'Dockerfile') }))
  .filter(({ file }) => existsSync(file))
  .map(({ name, file }) => ({ name, lines: readFileSync(file, 'utf8').split('\n') }));

describe.each(dockerfiles)('images/$name', ({ lines }) => {
  const all = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  it('takes its base as a build argument with a pinned default, or none', () => {
    const bases = all('FROM');
    expect(bases).toHaveLength(1);
    if (bases[0] === 'scratch') return;
    expect(bases[0]).toBe('${BASE}');
    expect(all('ARG')).toEqual([expect.stringMatching(/^BASE=[a-z]+:[\w.-]*\d[\w.-]*$/)]);
  });

  it('runs as a user that Kubernetes can see is not root', () => {
    // runAsNonRoot is checked by number: a user's name is not enough (kubelet: "has non-numeric user").
    expect(all('USER')).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)]);
  });

  it('copies only what is in its own folder or in dist', () => {
    for (const copy of all('COPY')) expect(copy).toMatch(/^(--chmod=0755 )?(dist\/\S*|setup\.sh) \/\S+$/);
  });
});

it('finds the images', () => {
  expect(dockerfiles.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['gateway', 'operator', 'router', 'runtime', 'sandbox-minimal', 'webhook']),
  );
});
