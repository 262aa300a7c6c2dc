// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { tryRun } from '../host/command.ts';
import { type Gvisor, gvisorRuntime } from './gvisor.ts';
import { paths } from './layout.ts';
import type { ProcessSpec } from './processes.ts';

/** The name of the image that holds a pod's namespaces; built by us, as no registry is asked. */
export const PAUSE_IMAGE = 'agenttier.local/pause:1';

/** Distributions put the CNI plugins in different places. */
const CNI_BIN_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

const OVERLAYFS_MAGIC = 0x794c7630;

/** overlayfs cannot be stacked on overlayfs, as in a development container; plain copies can. */
async function snapshotter(folder: string): Promise<'overlayfs' | 'native'> {
  return (await statfs(folder)).type === OVERLAYFS_MAGIC ? 'native' : 'overlayfs';
}

export interface ContainerdSettings {
  readonly snapshotter: 'overlayfs' | 'native';
  readonly cniBin: string;
}

/**
 * The configuration. Everything it writes is in our own folders; `restrict_oom_score_adj` because a machine may lack
 * CAP_SYS_RESOURCE. Further runtimes are appended: a file named by `imports` would replace the whole CRI section.
 */
export function containerdConfig(settings: ContainerdSettings): string {
  return `version = 2
root = "${paths.containerdRoot}"
state = "${paths.containerdState}"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
  "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt",
]

[grpc]
  address = "${paths.containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 6
  drain_exec_sync_io_timeout = "5s"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${settings.cniBin}"
  conf_dir = "${paths.cniConfig}"
  max_conf_num = 1

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "${settings.snapshotter}"
  default_runtime_name = "runc"
  discard_unpacked_layers = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
  Root = "${paths.runcRoot}"
`;
}

/** Runs `ctr` on the node's own containerd, in the namespace of the kubelet. */
export function ctrArgs(...args: readonly string[]): string[] {
  return ['--address', paths.containerdSocket, '--namespace', 'k8s.io', ...args];
}

/** Writes the configuration and describes the process. */
export async function containerd(gvisor: Gvisor): Promise<ProcessSpec> {
  for (const folder of [paths.containerdRoot, paths.containerdState, paths.cniConfig])
    mkdirSync(folder, { recursive: true });
  const cniBin = CNI_BIN_FOLDERS.find((folder) => existsSync(join(folder, 'bridge')));
  if (cniBin === undefined)
    throw new Error(`no CNI plugins in ${CNI_BIN_FOLDERS.join(', ')}: install containernetworking-plugins`);
  const runsc = gvisorRuntime(gvisor);
  const plain = containerdConfig({ snapshotter: await snapshotter(paths.containerdRoot), cniBin });
  const config = plain + runsc.config;
  const file = join(paths.config, 'containerd.toml');
  writeFileSync(file, config);
  return {
    name: 'containerd',
    file: 'containerd',
    args: ['--config', file],
    inputs: [config, ...runsc.inputs],
    ready: async () => {
      const seen = await tryRun('ctr', ctrArgs('version'), { timeoutMs: 5_000 });
      return seen.code === 0 ? true : seen.stderr.trim().slice(-200);
    },
  };
}
