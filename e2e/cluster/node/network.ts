// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, tryRun } from '../host/command.ts';
import { net, paths } from './layout.ts';

/** Kernel settings that the node (first two) and the kubelet (the rest) change; `down` puts the old values back. */
export const SYSCTLS = {
  'net/ipv4/ip_forward': '1',
  'net/bridge/bridge-nf-call-iptables': '1',
  'vm/overcommit_memory': '1',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
} as const;

const MODULES = ['overlay', 'br_netfilter', 'nf_conntrack', 'nfnetlink_queue', 'xt_NFQUEUE'];

/**
 * What policy enforcement sees: the first packet of each connection that leaves a pod, to another pod (FORWARD) or to
 * this machine (INPUT). Without a listener on the queue these are dropped, so a dead agent closes and never opens;
 * connections from the machine to a pod (probes, exec, webhooks) leave by OUTPUT and are not asked about.
 */
export const QUEUE_RULES: readonly (readonly string[])[] = [
  ['FORWARD', '-m', 'conntrack', '--ctstate', 'NEW', '-j', 'NFQUEUE', '--queue-num', String(net.queue)],
  [
    'INPUT',
    '-i',
    net.bridge,
    '-m',
    'conntrack',
    '--ctstate',
    'NEW',
    '-j',
    'NFQUEUE',
    '--queue-num',
    String(net.queue),
  ],
];

/** Traffic of pods to other places than pods leaves with the machine's address. One rule instead of the bridge plugin's two per pod. */
export const NAT_TABLE = `
table ip agenttier
delete table ip agenttier
table ip agenttier {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${net.podRange} ip daddr != ${net.podRange} masquerade
  }
}
`;

/** CNI network: pods on our bridge, addresses from our own leases folder. */
export function cniConfig(): Record<string, unknown> {
  return {
    cniVersion: '1.0.0',
    name: 'agenttier',
    plugins: [
      {
        type: 'bridge',
        bridge: net.bridge,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: paths.cniLeases,
          ranges: [
            [
              {
                subnet: net.podRange,
                rangeStart: net.podFirst,
                rangeEnd: net.podLast,
                gateway: net.nodeAddress,
              },
            ],
          ],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
}

export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(join('/proc/sys', name), 'utf8').trim();
  } catch {
    return undefined; // the kernel lacks it
  }
}

/** Modules, kernel settings, bridge, address translation and the queue rules; each only where it is missing. */
export async function ensureNetwork(): Promise<string> {
  for (const module of MODULES) await tryRun('modprobe', ['-q', module]); // built in or absent: the next steps tell
  for (const [name, value] of Object.entries(SYSCTLS)) {
    if (readSysctl(name) !== undefined && readSysctl(name) !== value)
      writeFileSync(join('/proc/sys', name), value);
  }
  await ensureBridge();
  await run('nft', ['-f', '-'], { input: NAT_TABLE });
  for (const rule of QUEUE_RULES) await ensureRule(rule);
  mkdirSync(paths.cniConfig, { recursive: true });
  writeFileSync(join(paths.cniConfig, '10-agenttier.conflist'), JSON.stringify(cniConfig(), undefined, 2));
  return net.bridge;
}

async function ensureBridge(): Promise<void> {
  const { bridge, nodeAddress, podPrefix } = net;
  if ((await tryRun('ip', ['link', 'show', bridge])).code !== 0) {
    // A fixed hardware address: otherwise the bridge takes a new one with each port, and pods' neighbour entries go stale.
    await run('ip', ['link', 'add', bridge, 'address', '02:a9:e4:77:1e:01', 'type', 'bridge']);
  }
  await run('ip', ['addr', 'replace', `${nodeAddress}/${podPrefix}`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
}

async function ensureRule(rule: readonly string[]): Promise<void> {
  const [chain = '', ...match] = rule;
  if ((await tryRun('iptables', ['-w', '-C', chain, ...match])).code !== 0)
    await run('iptables', ['-w', '-I', chain, '1', ...match]);
}
