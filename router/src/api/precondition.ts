// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { namesTag } from './entityTag.ts';
import { refusals } from './errors.ts';
import type { Call } from './route.ts';

/** The tag of one object of the cluster: its resourceVersion changes with every write, and with nothing else. */
export const tagOfObject = ({ metadata }: KubeObject): string => `"${metadata.resourceVersion ?? ''}"`;

/** Did the caller say what it made its change from? */
export const isConditional = ({ headers }: Pick<Call, 'headers'>): boolean =>
  headers['if-match'] !== undefined;

/** Throws 412, with what is there now, unless If-Match is absent or names it. */
export function requireMatch(
  { headers }: Pick<Call, 'headers'>,
  object: KubeObject | undefined,
  view: unknown,
): void {
  const header = headers['if-match'];
  if (header === undefined) return;
  if (object === undefined || !namesTag(String(header), tagOfObject(object))) throw refusals.changed(view);
}
