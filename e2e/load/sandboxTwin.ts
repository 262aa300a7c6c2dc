// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { parse } from 'yaml';

/** A group that no webhook of ours names. */
export const TWIN_GROUP = 'bench.agenttier.dev';

/** The Sandbox CRD under another group: the same schema, defaults and CEL, and nothing of ours in the way of a create. */
export function twinDefinition(): KubeObject {
  const file = join(import.meta.dirname, '../../crds/agenttier.io_sandboxes.yaml');
  const definition = parse(readFileSync(file, 'utf8')) as KubeObject & {
    spec: { group: string; names: Record<string, unknown> };
  };
  return {
    ...definition,
    metadata: { name: `sandboxes.${TWIN_GROUP}` },
    spec: {
      ...definition.spec,
      group: TWIN_GROUP,
      names: { plural: 'sandboxes', kind: 'Sandbox', listKind: 'SandboxList' },
    },
  } as KubeObject;
}
