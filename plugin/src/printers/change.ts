// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { type Host, write } from '../context/host.ts';
import { type Output, qualifiedName, renderListing } from './output.ts';

/** Says what happened to an object: one line for people, the object itself in a machine format. */
export async function printChange(
  host: Host,
  output: Output,
  object: KubeObject,
  done: string,
): Promise<void> {
  if (output.kind === 'table') return write(host.streams.out, `${qualifiedName(object)} ${done}\n`);
  const text = await renderListing(output, {
    objects: [object],
    single: true,
    columns: [],
    noHeaders: false,
  });
  return write(host.streams.out, text);
}
