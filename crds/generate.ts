// SPDX-License-Identifier: Apache-2.0
/**
 * Derives everything that follows from the CRD files and the tables beside them, reference pages included: `node crds/generate.ts` writes it, `--check` only
 * compares and exits 1 on drift. Written by hand are five files; two more are their twins in the other scope.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { renderMergePage, renderPolicyPage, renderViolationsPage } from './generator/docs.ts';
import { renderFields } from './generator/fields.ts';
import type { CustomResourceDefinition } from './generator/schema.ts';
import { twinOf } from './generator/twins.ts';
import { renderSchemas, renderTypes } from './generator/types.ts';
import { renderValidators, renderValidatorDeclarations } from './generator/validators.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** Hand-written CRD files, and the twin that each one has in the other scope. */
const SOURCES = [
  { file: 'agenttier.io_sandboxes.yaml' },
  {
    file: 'agenttier.io_sandboxtemplates.yaml',
    twin: { kind: 'ClusterSandboxTemplate', scope: 'Cluster', shortName: 'csbt', without: [] },
  },
  {
    file: 'agenttier.io_clustergovernancepolicies.yaml',
    // Only the cluster's policy can delegate: what a namespace hands on, it hands to nobody.
    twin: {
      kind: 'GovernancePolicy',
      plural: 'governancepolicies',
      scope: 'Namespaced',
      shortName: 'sbpol',
      without: ['delegated'],
    },
  },
  { file: 'agenttier.io_sandboxwarmpools.yaml' },
  { file: 'agenttier.io_webhooksubscriptions.yaml' },
] as const;

/** Path relative to crds/ -> content of every generated file. */
function generate(): Map<string, string> {
  const files = new Map<string, string>();
  const crds: CustomResourceDefinition[] = [];
  for (const source of SOURCES) {
    const text = readFileSync(join(here, source.file), 'utf8');
    crds.push(parse(text) as CustomResourceDefinition);
    if (!('twin' in source)) continue;
    const twin = twinOf(text, source.twin);
    files.set(`agenttier.io_${twin.plural}.yaml`, twin.text);
    crds.push(parse(twin.text) as CustomResourceDefinition);
  }
  files.set('src/generated/types.ts', renderTypes(crds));
  files.set('src/generated/schemas.ts', renderSchemas(crds));
  const ofKinds = (...kinds: string[]) => crds.filter(({ spec }) => kinds.includes(spec.names.kind));
  files.set('src/generated/fields/template.ts', renderFields(ofKinds('SandboxTemplate')));
  files.set(
    'src/generated/fields/policy.ts',
    renderFields(ofKinds('ClusterGovernancePolicy', 'GovernancePolicy')),
  );
  files.set('src/generated/validators.js', renderValidators(crds));
  files.set('src/generated/validators.d.ts', renderValidatorDeclarations(crds));
  files.set('../docs/reference/merge.md', renderMergePage());
  files.set('../docs/reference/violations.md', renderViolationsPage());
  const policies = crds.find(({ spec }) => spec.names.kind === 'ClusterGovernancePolicy');
  if (policies !== undefined) files.set('../docs/reference/policy.md', renderPolicyPage(policies));
  return files;
}

function current(path: string): string | undefined {
  try {
    return readFileSync(join(here, path), 'utf8');
  } catch {
    return undefined;
  }
}

const stale = [...generate()].filter(([path, text]) => current(path) !== text);
if (process.argv.includes('--check')) {
  for (const [path] of stale) process.stderr.write(`crds/${path} is out of date: run 'npm run generate'\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of stale) {
    writeFileSync(join(here, path), text);
    process.stdout.write(`wrote crds/${path}\n`);
  }
}
