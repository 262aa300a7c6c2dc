// SPDX-License-Identifier: Apache-2.0
import { equalJson } from '@agenttier/crds/meta/canonical';
import { unsupportedFields } from '@agenttier/crds/template/unsupported';
import type { Handler } from '../server.ts';

function specOf(object: unknown): object {
  return (object as { readonly spec?: object } | null | undefined)?.spec ?? {};
}

/** `/validate/warmpools`: refuses pools as long as nothing fills them; their metadata stays editable. */
export const validateWarmPools: Handler = ({ operation, object, oldObject }) => {
  const untouched =
    operation === 'DELETE' || (operation === 'UPDATE' && equalJson(specOf(object), specOf(oldObject)));
  return { violations: untouched ? [] : unsupportedFields('SandboxWarmPool', specOf(object)) };
};
