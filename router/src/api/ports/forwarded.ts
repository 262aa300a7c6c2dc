// SPDX-License-Identifier: Apache-2.0
import type { ForwardedPort } from '@agenttier/crds/sandbox/ports';
import { RUNTIME_PORT } from '@agenttier/crds/sandbox/ports';
import { refusals } from '../errors.ts';

type Protocol = NonNullable<ForwardedPort['protocol']>;

/** A port number of a path. Throws the 400. */
export function readPort(text: string | undefined): number {
  const port = /^\d{1,5}$/.test(text ?? '') ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw refusals.invalidFields([{ field: 'port', message: 'must be a whole number from 1 to 65535' }]);
}

/** The list with the port in it; undefined when it is there as it should be. Throws the 400 of the runtime's own port. */
export function withPort(
  ports: readonly ForwardedPort[],
  port: number,
  protocol: Protocol,
): readonly ForwardedPort[] | undefined {
  if (port === RUNTIME_PORT) {
    throw refusals.invalidFields([
      { field: 'port', message: `${port} is the runtime's own; choose another` },
    ]);
  }
  const known = ports.find((each) => each.port === port);
  if (known !== undefined && protocolOf(known) === protocol) return undefined;
  const others = ports.filter((each) => each !== known);
  return [...others, { port, protocol }].toSorted((a, b) => a.port - b.port);
}

/** The list without the port; undefined when it is not in it. */
export function withoutPort(
  ports: readonly ForwardedPort[],
  port: number,
): readonly ForwardedPort[] | undefined {
  const left = ports.filter((each) => each.port !== port);
  return left.length === ports.length ? undefined : left;
}

export const protocolOf = ({ protocol }: ForwardedPort): Protocol => protocol ?? 'http';

/** The port, if a preview of it can be had. Throws the 404. */
export function previewable(ports: readonly ForwardedPort[] | undefined, port: number): ForwardedPort {
  const found = ports?.find((each) => each.port === port);
  if (found === undefined) throw refusals.notForwarded(port);
  if (protocolOf(found) === 'tcp') throw refusals.noPreview(port);
  return found;
}
