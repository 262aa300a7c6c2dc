// SPDX-License-Identifier: Apache-2.0
import { INSTALL_LOG, LABEL_KIND } from '@agenttier/crds/meta/labels';
import { installLogName } from '@agenttier/crds/meta/names';
import type { ConfigMap } from '../core.ts';
import { ownedMeta } from '../sandbox/ownership.ts';
import type { Identity } from '../sandbox/ownership.ts';
import type { InstallState } from './news.ts';

/** The ConfigMap with the end of an installation's log, of one that failed as well. */
export function buildInstallLog(owner: Identity, install: InstallState, limit: number): ConfigMap {
  const meta = ownedMeta(owner, installLogName(owner.name));
  const log = endOf(install.log, limit);
  return {
    metadata: { ...meta, labels: { ...meta.labels, [LABEL_KIND]: INSTALL_LOG } },
    data: {
      log,
      logTruncated: String(install.logTruncated || log.length < install.log.length),
      bytesTotal: String(install.bytesTotal),
    },
  };
}

/** At most `limit` bytes from the end of a text, cut between characters. */
export function endOf(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let from = bytes.length - limit;
  // A byte 10xxxxxx continues a character.
  while (from < bytes.length && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  return bytes.subarray(from).toString();
}
