// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type RouterAccess, routerAccess, type Way } from '../client/router.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError, messageOf, RouterError } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { Links } from './links.ts';
import { openBrowser } from './openBrowser.ts';
import { Proxy } from './proxy.ts';
import { type Authorize, signInConfig, type Upstream } from './upstream.ts';

export interface DashboardOptions extends VerbOptions {
  readonly port: string;
  readonly browser: boolean;
  readonly via: Way;
  readonly installNamespace: string;
}

const INTERRUPTED = 130;
/** Credentials that end are looked at again after this long; they are renewed before they do. */
const LOOKED_AT_MS = 15_000;

/** Serves the dashboard until it is interrupted. */
export async function runDashboard(host: Host, options: DashboardOptions): Promise<number> {
  const port = parsePort(options.port);
  const router = await routerAccess(host, options, options.via);
  if (router !== undefined) {
    const upstream = { url: router.url };
    await reach(host, upstream);
    return serve(host, options, { port, upstream, authorize: authorizeBy(host, options, router) });
  }
  const [{ throughCluster }, { clusterCredential }] = await Promise.all([
    import('./throughCluster.ts'),
    import('./clusterCredential.ts'),
  ]);
  return withCluster(host, options, async (cluster) => {
    const namespace = options.installNamespace;
    const upstream = await throughCluster(host, cluster, namespace);
    const config = await reach(host, upstream);
    const credential = await clusterCredential(host, cluster, { config, namespace });
    try {
      return await serve(host, options, { port, upstream, authorize: credential.authorize });
    } finally {
      await credential.end();
    }
  });
}

async function reach(host: Host, upstream: Upstream) {
  try {
    return await signInConfig(upstream, host.signal);
  } catch (error) {
    if (host.signal.aborted) throw error;
    throw new RouterError({
      status: 0,
      code: 'NetworkError',
      message: `unable to reach the router at ${upstream.url.origin}: ${messageOf(error)}`,
      cause: error,
    });
  }
}

/** What login remembers is renewed while the proxy runs, as by any other command. */
function authorizeBy(host: Host, options: DashboardOptions, first: RouterAccess): Authorize {
  let known = { credential: first.credential, until: host.clock.now() + LOOKED_AT_MS };
  return async () => {
    const now = host.clock.now();
    if (known.until < now) {
      const again = await routerAccess(host, options, options.via);
      // A login to elsewhere meanwhile is not for this router.
      const credential = again?.url.href === first.url.href ? again.credential : undefined;
      known = { credential, until: now + LOOKED_AT_MS };
    }
    return known.credential;
  };
}

interface Serving {
  readonly port: number;
  readonly upstream: Upstream;
  readonly authorize: Authorize;
}

async function serve(
  host: Host,
  options: DashboardOptions,
  { port, upstream, authorize }: Serving,
): Promise<number> {
  const links = new Links();
  const { err } = host.streams;
  const onReuse = (): void =>
    void err.write(
      'warning: a link was opened a second time. If that was not you, somebody of this machine has seen it: all that it had opened is closed. Enter makes another one.\n',
    );
  const proxy = new Proxy({ upstream, authorize, links, onReuse, now: () => host.clock.now() });
  try {
    const url = await proxy.listen(port);
    await show(host, options, `${url}${links.make()}`);
    const lines = createInterface({ input: host.streams.in });
    lines.on('line', () => void write(host.streams.out, `${url}${links.make()}\n`));
    if (!host.signal.aborted) await once(host.signal, 'abort');
    lines.close();
    return INTERRUPTED;
  } finally {
    proxy.close();
  }
}

async function show(host: Host, { browser }: DashboardOptions, link: string): Promise<void> {
  const { out, err } = host.streams;
  const opened = browser && (await openBrowser(link, host.environment.variables));
  if (!opened) return write(out, `${link}\n`);
  await write(err, 'The dashboard is open in the browser. Enter makes another link, Ctrl-C ends it.\n');
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 70_000;
  if (port <= 65_535) return port;
  throw new CommandError(`--port: ${JSON.stringify(text)} is not a port from 0 to 65535`, 2);
}
