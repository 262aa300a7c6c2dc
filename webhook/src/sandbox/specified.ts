// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';

/** A Sandbox whose spec is there, if only empty: what every rule works on. */
export type SpecifiedSandbox = Sandbox & { readonly spec: SandboxSpec };

/**
 * Gives an incoming object a spec. Undefined when metadata or spec is not an object at all: mutation runs before the
 * API server checks the schema (which will refuse it), so anything may arrive.
 */
export function specified(object: unknown): SpecifiedSandbox | undefined {
  const sandbox = object as Partial<Sandbox> | null | undefined;
  const spec: unknown = sandbox?.spec ?? {};
  const metadata: unknown = sandbox?.metadata;
  const ok = [spec, metadata].every(
    (part) => typeof part === 'object' && part !== null && !Array.isArray(part),
  );
  return ok ? ({ ...sandbox, spec } as SpecifiedSandbox) : undefined;
}
