// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { CommandError } from '../context/failure.ts';
import { sortKeys } from './sortKeys.ts';
import { type Column, renderTable } from './table.ts';

/** How a command prints its objects. */
export type Output =
  | { readonly kind: 'table'; readonly wide: boolean }
  | { readonly kind: 'json' }
  | { readonly kind: 'yaml' }
  | { readonly kind: 'name' }
  | { readonly kind: 'jsonpath'; readonly template: string };

export const OUTPUT_FORMATS = ['json', 'yaml', 'wide', 'name', 'jsonpath='] as const;

/** Reads the value of `-o`; without one the output is a table. Throws CommandError naming the known formats. */
export function parseOutput(text: string | undefined): Output {
  if (text === undefined || text === '') return { kind: 'table', wide: false };
  if (text === 'wide') return { kind: 'table', wide: true };
  if (text === 'json' || text === 'yaml' || text === 'name') return { kind: text };
  const template = /^jsonpath=(.*)$/s.exec(text)?.[1];
  if (template !== undefined && template !== '') return { kind: 'jsonpath', template };
  throw new CommandError(
    `unable to match a printer suitable for the output format ${JSON.stringify(text)}, allowed formats are: json,jsonpath=TEMPLATE,name,wide,yaml`,
  );
}

/** `sandbox.agenttier.io/demo`: what `-o name` prints and kubectl takes back as an argument. */
export function qualifiedName(object: KubeObject): string {
  const group = object.apiVersion?.includes('/') ? `.${object.apiVersion.split('/')[0]}` : '';
  return `${(object.kind ?? 'object').toLowerCase()}${group}/${object.metadata.name ?? ''}`;
}

/** Any JSON value in one of the machine formats. jsonpath-plus and yaml load only when asked for. */
export async function renderValue(
  output: Exclude<Output, { kind: 'table' } | { kind: 'name' }>,
  value: unknown,
): Promise<string> {
  if (output.kind === 'json') return `${JSON.stringify(sortKeys(value), null, 4)}\n`;
  if (output.kind === 'yaml') {
    const { toYaml } = await import('./yaml.ts');
    return toYaml(value);
  }
  const { renderJsonPath } = await import('./jsonpath.ts');
  return renderJsonPath(output.template, value);
}

export interface Listing<T extends KubeObject> {
  readonly objects: readonly T[];
  /** One named object prints bare; anything else is wrapped in a List, as kubectl does. */
  readonly single: boolean;
  readonly columns: readonly Column<T>[];
  readonly noHeaders: boolean;
}

export async function renderListing<T extends KubeObject>(
  output: Output,
  listing: Listing<T>,
): Promise<string> {
  const { objects, columns, noHeaders } = listing;
  if (output.kind === 'table') return renderTable(objects, columns, { wide: output.wide, noHeaders });
  if (output.kind === 'name') return objects.map((object) => `${qualifiedName(object)}\n`).join('');
  const items = objects.map(withoutManagedFields);
  const [only] = items;
  return renderValue(output, listing.single && only !== undefined ? only : asList(items));
}

function asList(items: readonly KubeObject[]): unknown {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
}

/** managedFields drown the rest of an object; kubectl leaves them out by default too. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _dropped, ...metadata } = object.metadata;
  return { ...object, metadata };
}
