// SPDX-License-Identifier: Apache-2.0
import { type RouterAccess, routerAccess, type Way } from '../client/router.ts';
import { sandboxNames } from '../client/sandboxes.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError } from '../context/failure.ts';
import { flushed, type GlobalFlags, type Host, write } from '../context/host.ts';
import type { Attach } from './attachment.ts';
import { parseDetachKey } from './detachKey.ts';
import { enterRaw } from './raw.ts';
import { ScreenModes } from './screenModes.ts';
import { type Outcome, TerminalSession } from './session.ts';

export interface TerminalOptions extends GlobalFlags {
  readonly name: string;
  readonly session: string;
  readonly detachKey: string;
  readonly reconnectTimeout: string;
  readonly via: Way;
}

/** Opens the terminal and answers the shell's exit code. */
export async function runTerminal(host: Host, options: TerminalOptions): Promise<number> {
  const name = sandboxNames([options.name])[0] ?? '';
  const detachKey = parseDetachKey(options.detachKey);
  const reconnectMs = parseTimeout('--reconnect-timeout', options.reconnectTimeout);
  const router = await routerAccess(host, options, options.via);
  const attach = router
    ? await throughRouter(host, options, { router, name })
    : await throughCluster(host, options, name);
  const outcome = await interact(host, { attach, detachKey, reconnectMs });
  return conclude(host, name, outcome);
}

async function throughRouter(
  host: Host,
  options: TerminalOptions,
  { router, name }: { readonly router: RouterAccess; readonly name: string },
): Promise<Attach> {
  const { routerAttach } = await import('./routerAttach.ts');
  const namespace = await namespaceFor(host, options);
  return routerAttach({
    access: router,
    sandbox: name,
    namespace,
    session: options.session,
    clock: host.clock,
  });
}

/** The router finds a sandbox by its name alone too, so a person without a kubeconfig is no error here. */
export async function namespaceFor(host: Host, flags: GlobalFlags): Promise<string | undefined> {
  if (flags.namespace !== undefined) return flags.namespace;
  const { loadCluster } = await import('../context/cluster.ts');
  return loadCluster(host, flags).then(
    ({ namespace }) => namespace,
    () => undefined,
  );
}

async function throughCluster(host: Host, options: TerminalOptions, name: string): Promise<Attach> {
  const [{ withCluster }, { findPod }, { podAttach }] = await Promise.all([
    import('../context/cluster.ts'),
    import('../exec/pod.ts'),
    import('./podAttach.ts'),
  ]);
  return withCluster(host, options, async (cluster) => {
    const pod = await findPod(host, cluster, name);
    return podAttach({ host, access: cluster.access, pod, session: options.session });
  });
}

async function interact(
  host: Host,
  options: { readonly attach: Attach; readonly detachKey: number | undefined; readonly reconnectMs: number },
): Promise<Outcome> {
  const modes = new ScreenModes();
  const leave = enterRaw(host, () => modes.undo());
  try {
    return await new TerminalSession({ host, modes, ...options }).run();
  } finally {
    leave();
  }
}

async function conclude(host: Host, name: string, outcome: Outcome): Promise<number> {
  if (outcome.kind === 'exited') {
    await flushed(host.streams.out);
    return outcome.code;
  }
  if (outcome.kind === 'lost') throw new CommandError(outcome.message);
  if (host.signal.aborted) return 130;
  await write(
    host.streams.err,
    `\ndetached; the shell goes on, reattach with: kubectl agenttier terminal ${name}\n`,
  );
  return 0;
}
