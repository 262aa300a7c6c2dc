// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { Sharing } from '@agenttier/crds/sandbox/shareLinks';
import type { Call } from '../route.ts';
import { rewriteSpec } from '../sandboxes/rewrite.ts';
import type { SpecWriter } from '../sandboxes/rewrite.ts';

export type SharingWriter = SpecWriter;

/** Changes who may use a sandbox, in the name of the caller; see `rewriteSpec`. */
export function writeSharing(
  writer: SharingWriter,
  call: Pick<Call, 'principal' | 'signal'>,
  sandbox: Sandbox,
  change: (sharing: Sharing, sandbox: Sandbox) => Sharing | undefined,
): Promise<Sandbox> {
  return rewriteSpec(writer, call, sandbox, (spec, current) => {
    const sharing = change(spec.sharing ?? {}, current);
    return sharing === undefined ? undefined : { sharing };
  });
}
