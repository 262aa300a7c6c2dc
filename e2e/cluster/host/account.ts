// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { chownSync, lchownSync } from 'node:fs';
import { userInfo } from 'node:os';

/** The person's account: files in the checkout and in the cache belong to it even when the work is done as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Programs such as iptables live where an unprivileged PATH often does not look. */
const ADMIN_PATHS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/go/bin'];

/** PATH with the administrator's folders at its end. */
export function widenPath(path: string): string {
  const parts = path.split(':').filter((part) => part !== '');
  return [...parts, ...ADMIN_PATHS.filter((extra) => !parts.includes(extra))].join(':');
}

/** Who asked: the account behind sudo where `elevate` started us, the current one otherwise. */
export function account(env: Environment): Account {
  const me = userInfo();
  const [uid, gid, name, home] = (env['AGENTTIER_ACCOUNT'] ?? '').split(':');
  if (uid === undefined || gid === undefined || name === undefined || home === undefined) {
    return { uid: me.uid, gid: me.gid, name: me.username, home: env['HOME'] ?? me.homedir };
  }
  return { uid: Number(uid), gid: Number(gid), name, home };
}

/** Variables that a person sets for `make up`, which sudo would drop. */
const HANDED_ON =
  /^(AGENTTIER_|CLUSTER$|KUBECONFIG$|CI$|GOPROXY$|GOFLAGS$|GONOSUMDB$|GOSUMDB$|GOPRIVATE$|https?_proxy$|no_proxy$|HTTPS?_PROXY$|NO_PROXY$|npm_config_)/;

/**
 * Starts this program again through sudo when it is not run by root, and ends with that run's exit code. The bare node
 * needs root for network interfaces, mounts and cgroups; the account is handed on so that results belong to the person.
 */
export function elevate(env: Environment): void {
  if (process.getuid?.() === 0) return;
  const me = userInfo();
  const handed = Object.entries(env).flatMap(([name, value]) =>
    HANDED_ON.test(name) && value !== undefined ? [`${name}=${value}`] : [],
  );
  const settings = [
    `PATH=${env['PATH'] ?? ''}`,
    `AGENTTIER_ACCOUNT=${me.uid}:${me.gid}:${me.username}:${me.homedir}`,
  ];
  const result = spawnSync(
    'sudo',
    ['env', ...handed, ...settings, process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit' },
  );
  if (result.error !== undefined) {
    process.stderr.write('The bare node needs root: run as root, or install sudo.\n');
    process.exit(1);
  }
  process.exit(result.status ?? 1);
}

/** Gives files made by root to the person. */
export function handOver(owner: Account, ...paths: readonly string[]): void {
  if (process.getuid?.() !== 0 || owner.uid === 0) return;
  for (const path of paths) {
    try {
      chownSync(path, owner.uid, owner.gid);
    } catch {
      lchownSync(path, owner.uid, owner.gid); // a link whose target belongs to somebody else
    }
  }
}
