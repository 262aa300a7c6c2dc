// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';

export type ForwardedPort = NonNullable<SandboxSpec['ports']>[number];

/** What the runtime listens on in every sandbox. */
export const RUNTIME_PORT = 9000;

/** As many as the schema takes. */
export const MAX_PORTS = 32;

/** Through its own port a page could speak with the runtime. */
export function portViolations({ ports = [] }: Pick<SandboxSpec, 'ports'>): Violation[] {
  return ports.flatMap(({ port }, i): Violation[] => {
    if (port !== RUNTIME_PORT) return [];
    const field = `spec.ports[${i}].port`;
    const message = `${field}: ${port} is the runtime's own; choose another`;
    return [{ code: 'invalid_value', field, message, actual: String(port) }];
  });
}
