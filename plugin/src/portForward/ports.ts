// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';

export interface PortPair {
  /** 0 is any that is free. */
  readonly local: number;
  readonly remote: number;
}

/** `8080`, `9000:80` or `:80`. Throws CommandError. */
export function parsePortPair(text: string): PortPair {
  const [, local, remote] = /^(?:(\d*):)?(\d+)$/.exec(text) ?? [];
  const pair = { local: local === '' ? 0 : Number(local ?? remote), remote: Number(remote) };
  const fits = remote !== undefined && pair.remote >= 1 && pair.remote <= 65_535 && pair.local <= 65_535;
  if (fits) return pair;
  throw new CommandError(`${JSON.stringify(text)} is not PORT, LOCAL:REMOTE or :REMOTE, from 1 to 65535`, 2);
}
