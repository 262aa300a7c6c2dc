// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { ForwardedPort } from '@agenttier/crds/sandbox/ports';
import type { SandboxAct, SandboxAudit } from '../../audit.ts';
import { awaitTarget } from '../../cluster/awaitTarget.ts';
import type { GroupNamespaces } from '../../auth/namespaces.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { RuntimeClient } from '../../cluster/runtimeClient.ts';
import type { Wake } from '../../cluster/wake.ts';
import { previewOrigin } from '../../preview/host.ts';
import type { PreviewSite } from '../../preview/host.ts';
import { askRuntime } from '../../preview/askRuntime.ts';
import { entryUrl } from '../../preview/entry.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';
import { admitTo, findFor } from '../sandboxes/operations.ts';
import { rewriteSpec } from '../sandboxes/rewrite.ts';
import type { SpecWriter } from '../sandboxes/rewrite.ts';
import { previewable, protocolOf, readPort, withoutPort, withPort } from './forwarded.ts';

export interface PortsOptions extends SpecWriter {
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly runtime: Pick<RuntimeClient, 'request'>;
  readonly wake: Wake;
  readonly audit: SandboxAudit;
  /** Undefined when previews have no domain: then there is only the path route. */
  readonly site: PreviewSite | undefined;
  readonly groupNamespaces: GroupNamespaces;
  readonly now?: () => number;
}

type Operations = Pick<
  Handlers,
  'listPorts' | 'listListeningPorts' | 'forwardPort' | 'unforwardPort' | 'createPreviewTicket' | 'getStats'
>;

/**
 * Which ports of a sandbox are forwarded. The list is `spec.ports` of the sandbox, written in the name of the caller, so
 * that admission has its say and kubectl sees and changes the same.
 */
export function portOperations(options: PortsOptions): Operations {
  return {
    listPorts: async (call) => {
      const sandbox = await findFor(options, call, 'ports');
      const ports = (sandbox.spec?.ports ?? []).map((port) => portView(options, sandbox, port));
      return { status: 200, body: { ports } };
    },
    listListeningPorts: async (call) => ({ status: 200, body: await ask(options, call, 'ports', '/ports') }),
    getStats: async (call) => ({ status: 200, body: await ask(options, call, 'read', '/stats') }),
    forwardPort: (call) => forward(options, call, call.body.port, call.body.protocol ?? 'http'),
    unforwardPort: (call) => unforward(options, call),
    createPreviewTicket: (call) => createTicket(options, call, call.body.path ?? '/'),
  };
}

function portView({ site }: PortsOptions, sandbox: Sandbox, port: ForwardedPort) {
  const protocol = protocolOf(port);
  const url =
    site === undefined || protocol === 'tcp'
      ? undefined
      : `${previewOrigin(site, port.port, sandbox.metadata)}/`;
  return { port: port.port, protocol, ...(url === undefined ? {} : { previewUrl: url }) };
}

async function forward(
  options: PortsOptions,
  call: Call,
  port: number,
  protocol: NonNullable<ForwardedPort['protocol']>,
): Promise<Reply> {
  const sandbox = await findFor(options, call, 'ports');
  let isNew = false;
  const written = await rewriteSpec(options, call, sandbox, ({ ports = [] }) => {
    const next = withPort(ports, port, protocol);
    isNew = next !== undefined;
    return next && { ports: next };
  });
  if (isNew) tell(options, call, written, { action: 'PortForwarded', note: `Port ${port} is forwarded` });
  return { status: 201, body: portView(options, written, { port, protocol }) };
}

async function unforward(options: PortsOptions, call: Call): Promise<Reply> {
  const port = readPort(call.params['port']);
  const sandbox = await findFor(options, call, 'ports');
  let had = false;
  const written = await rewriteSpec(options, call, sandbox, ({ ports = [] }) => {
    const next = withoutPort(ports, port);
    had = next !== undefined;
    return next && { ports: next };
  });
  if (had)
    tell(options, call, written, { action: 'PortUnforwarded', note: `Port ${port} is no longer forwarded` });
  return { status: 204 };
}

async function createTicket(options: PortsOptions, call: Call, path: string): Promise<Reply> {
  const port = readPort(call.params['port']);
  const found = await admitTo(options, call, 'ports');
  previewable(found.sandbox.spec?.ports, port);
  if (options.site === undefined) throw refusals.noPreviewDomain();
  if (!path.startsWith('/')) {
    throw refusals.invalidFields([{ field: 'path', message: 'must begin with /' }]);
  }
  const now = (options.now ?? Date.now)();
  const { site, groupNamespaces, stores } = options;
  const about = { site, groupNamespaces, keys: stores.keys, now };
  const entry = entryUrl(about, call.principal, found, { port, path });
  return { status: 201, body: { url: entry.url, expiresAt: new Date(entry.expiresAt).toISOString() } };
}

/** What the runtime of a running sandbox says; a sandbox that sleeps is not woken up for a look. */
async function ask(
  options: PortsOptions,
  call: Call,
  action: 'ports' | 'read',
  path: string,
): Promise<unknown> {
  const sandbox = await findFor(options, call, action);
  const target = await awaitTarget(options.stores, sandbox, { signal: call.signal });
  return askRuntime(options.runtime, target, path, call.signal);
}

function tell(
  { audit }: PortsOptions,
  call: Call,
  sandbox: Sandbox,
  act: Pick<SandboxAct, 'action' | 'note'>,
): void {
  audit(sandbox, { ...act, principal: call.principal, sourceIp: call.sourceIp });
}
