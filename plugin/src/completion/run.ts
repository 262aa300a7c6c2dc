// SPDX-License-Identifier: Apache-2.0
import { type Host, write } from '../context/host.ts';
import { SCRIPTS, type Shell } from './scripts.ts';

export async function printScript(host: Host, shell: Shell): Promise<void> {
  await write(host.streams.out, SCRIPTS[shell]);
}
