// SPDX-License-Identifier: Apache-2.0
import { type KubernetesIdentity, kubernetesIdentity } from '../client/identity.ts';
import { callRouter, type RouterAccess, routerAccess, routerUrl } from '../client/router.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderValue } from '../printers/output.ts';

export interface WhoamiOptions extends GlobalFlags {
  readonly output?: string;
}

interface RouterIdentity {
  readonly sub: string;
  readonly email?: string;
  readonly name?: string;
  readonly groups?: readonly string[] | null;
  readonly isAdmin?: boolean;
}

interface Identities {
  readonly kubernetes?: KubernetesIdentity;
  readonly router?: RouterIdentity;
}

/** Tells both identities that can be had; fails only when there is none. */
export async function runWhoami(host: Host, options: WhoamiOptions): Promise<void> {
  const output = parseOutput(options.output);
  if (output.kind === 'name') throw new CommandError('whoami prints text, json, yaml or jsonpath, not names');
  const router = await routerAccess(host, options);
  const [cluster, person] = await Promise.allSettled([
    withCluster(host, options, (open) => kubernetesIdentity(host, open)),
    router ? routerIdentity(host, router) : Promise.resolve(undefined),
  ]);
  if (person.status === 'rejected') throw person.reason;
  if (cluster.status === 'rejected' && person.value === undefined) throw cluster.reason;
  const identities: Identities = {
    ...(cluster.status === 'fulfilled' ? { kubernetes: cluster.value } : {}),
    ...(person.value === undefined ? {} : { router: person.value }),
  };
  const text = output.kind === 'table' ? lines(identities) : await renderValue(output, identities);
  await write(host.streams.out, text);
}

async function routerIdentity(host: Host, router: RouterAccess): Promise<RouterIdentity> {
  return callRouter<RouterIdentity>(router, routerUrl(router, '/api/v1/user/me'), { signal: host.signal });
}

function lines({ kubernetes, router }: Identities): string {
  const rows: string[] = [];
  if (kubernetes)
    rows.push(`Kubernetes: ${kubernetes.username} (groups: ${kubernetes.groups.join(', ') || 'none'})`);
  if (router) {
    const admin = router.isAdmin ? ', administrator' : '';
    rows.push(`Router: ${router.email || router.name || router.sub} (${router.sub}${admin})`);
  }
  return rows.map((row) => `${row}\n`).join('');
}
