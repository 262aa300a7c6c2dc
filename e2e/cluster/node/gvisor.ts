// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tail, tryRun } from '../host/command.ts';
import { ensureOptionalPackage } from '../host/packages.ts';
import type { Say } from '../host/progress.ts';
import { type BuildPlace, ensurePrograms, programPath } from '../install/binaries.ts';
import type { Kubectl } from '../install/kubectl.ts';
import { net, paths } from './layout.ts';

/** gVisor on this machine: where its shim is, or why it cannot be had. */
export type Gvisor =
  | { readonly ok: true; readonly shim: string }
  | { readonly ok: false; readonly why: string };

/** What the chart's RuntimeClass selects nodes by. */
export const GVISOR_LABEL = 'agenttier.io/runtime';

const SHIM = 'containerd-shim-runsc-v1';

/**
 * Brings runsc and its shim, and tries them. Never rejects: a node without gVisor is a node, and what is missing is said.
 */
export async function ensureGvisor(place: BuildPlace, say: Say): Promise<Gvisor> {
  try {
    await ensureOptionalPackage('runsc');
    const trial = tryGvisor();
    await ensurePrograms(place, [SHIM], say);
    const why = await trial;
    return why === undefined ? { ok: true, shim: programPath(place, SHIM) } : { ok: false, why };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

export const describeGvisor = (gvisor: Gvisor): string =>
  gvisor.ok ? 'runs' : `left out: ${gvisor.why.split('\n').at(-1) ?? ''}`;

/** Why a program does not run under gVisor here, if so: its kernel needs system calls that a container host may forbid. */
async function tryGvisor(): Promise<string | undefined> {
  const root = mkdtempSync(join(tmpdir(), 'agenttier-runsc-'));
  try {
    const args = [`--root=${root}`, '--network=host', '--ignore-cgroups', 'do', 'dmesg'];
    const { code, stdout, stderr } = await tryRun('runsc', args, { timeoutMs: 20_000 });
    if (code === 0 && stdout.includes('gVisor')) return undefined;
    return `runsc cannot run a program here: ${tail(`${stdout}\n${stderr}`.trim(), 1)}`;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/**
 * Settings of runsc. It uses the network stack of the pod's own namespace: on some kernels it takes every network
 * namespace for the host's, and refuses to build a stack of its own.
 */
export function runscConfig(): string {
  return `binary_name = "runsc"
root = "${paths.runscRoot}"

[runsc_config]
  network = "host"
`;
}

/** The runtime's part of containerd's configuration, and the text of the file that it names. */
export function gvisorRuntime(gvisor: Gvisor): { readonly config: string; readonly inputs: string[] } {
  if (!gvisor.ok) return { config: '', inputs: [] };
  const file = join(paths.config, 'runsc.toml');
  const settings = runscConfig();
  writeFileSync(file, settings);
  const config = `
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runsc]
  runtime_type = "io.containerd.runsc.v1"
  runtime_path = "${gvisor.shim}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runsc.options]
  TypeUrl = "io.containerd.runsc.v1.options"
  ConfigPath = "${file}"
`;
  return { config, inputs: [settings] };
}

/** Says on the node object whether it has gVisor; a kubelet sets labels only when it registers. */
export async function labelNode(kubectl: Kubectl, gvisor: Gvisor): Promise<void> {
  const label = gvisor.ok ? `${GVISOR_LABEL}=gvisor` : `${GVISOR_LABEL}-`;
  await kubectl.run('label', 'node', net.nodeName, label, '--overwrite');
}
