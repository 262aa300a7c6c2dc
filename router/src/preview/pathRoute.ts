// SPDX-License-Identifier: Apache-2.0
import { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { ForwardedPort } from '@agenttier/crds/sandbox/ports';
import { refusals, toHttpError } from '../api/errors.ts';
import { previewable, readPort } from '../api/ports/forwarded.ts';
import type { Call, Handler, Reply } from '../api/route.ts';
import { admitTo } from '../api/sandboxes/operations.ts';
import { authenticate } from '../auth/authenticate.ts';
import type { AuthenticateOptions } from '../auth/authenticate.ts';
import { mayDo, roleOn, scopeRefusal } from '../auth/authorize.ts';
import { signInEnd } from '../auth/principal.ts';
import type { Principal } from '../auth/principal.ts';
import { refuseForeignPage } from '../auth/origin.ts';
import { awaitTarget } from '../cluster/awaitTarget.ts';
import type { Stores } from '../cluster/caches.ts';
import type { SandboxFinder } from '../cluster/finder.ts';
import type { RuntimeClient } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import type { Wake } from '../cluster/wake.ts';
import { refuseUpgrade } from '../middleware/refuseUpgrade.ts';
import { forward, headersFor, localOriginOf, proxyPath } from './forward.ts';
import { toBrowser } from './headers.ts';
import type { Seen } from './headers.ts';
import type { OpenTunnels } from './openTunnels.ts';
import { dial, join } from './tunnel.ts';

export interface PathRouteOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys' | 'apiKeys'>;
  readonly installNamespace: string;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly runtime: Pick<RuntimeClient, 'request' | 'upgrade'>;
  readonly wake: Wake;
  readonly touch: (sandbox: Sandbox) => void;
  readonly auth: AuthenticateOptions;
  readonly corsOrigins: readonly string[];
  readonly unavailable: () => string | undefined;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly observe: (method: string, status: number, seconds: number) => void;
}

const PATH = /^(\/api\/v1\/sandboxes\/([^/?]+)\/preview\/([^/?]+))(\/[^?]*)?(\?.*)?$/;

/**
 * Previews below a path of the API, for programs that send a credential with each request. What is answered here is on the
 * origin of the API: it is caged, see `toBrowser`.
 */
export function pathRoute(options: PathRouteOptions): Handler {
  return async (call: Call): Promise<Reply> => {
    const request = call.stream;
    if (!(request instanceof IncomingMessage)) throw refusals.badRequest('a preview is no tool');
    const { pod, port, seen, target, sandbox } = await reach(options, call, request);
    const { signal } = call;
    const answer = await forward(options.runtime, pod, { request, port, target, seen, signal });
    answer.stream.once('end', () => options.touch(sandbox));
    const headers = toBrowser(answer.headers, seen);
    return {
      status: answer.status,
      stream: answer.stream,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, oneValue(value)])),
    };
  };
}

const oneValue = (value: string | string[]): string => (Array.isArray(value) ? value.join(', ') : value);

interface Way {
  readonly pod: Target;
  readonly port: ForwardedPort;
  readonly seen: Seen;
  readonly target: string;
  readonly sandbox: Sandbox;
}

async function reach(
  options: PathRouteOptions,
  call: Pick<Call, 'params' | 'query' | 'principal' | 'signal'>,
  request: IncomingMessage,
): Promise<Way> {
  const found = await admitTo(options, call, 'ports');
  const port = previewable(found.sandbox.spec?.ports, readPort(call.params['port']));
  const sandbox = await options.wake(found, call);
  const pod = await awaitTarget(options.stores, sandbox, { signal: call.signal });
  options.touch(sandbox);
  const [, prefix = '', , , path = '/', search = ''] = PATH.exec(urlOf(request)) ?? [];
  const seen: Seen = {
    localOrigin: localOriginOf(port),
    host: request.headers.host ?? '',
    scheme: 'http',
    sourceIp: options.addressOf(request),
    prefix,
  };
  return { pod, port, seen, target: path + search, sandbox };
}

/** As it was sent: on its way here a path may have been tidied up, which is not ours to do to a program's. */
function urlOf(request: IncomingMessage): string {
  const { originalUrl } = request as { originalUrl?: string };
  return originalUrl !== undefined && PATH.test(originalUrl) ? originalUrl : (request.url ?? '');
}

/** Is this the URL of a preview below the API's path? */
export const isPreviewPath = (url: string | undefined): boolean => PATH.test(url ?? '');

/** WebSockets below the path, for the same programs. */
export function pathUpgrade(options: PathRouteOptions & { readonly tunnels: OpenTunnels }) {
  return async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const gone = new AbortController();
    socket.once('close', () => gone.abort(new Error('the client went away')));
    socket.on('error', () => socket.destroy());
    try {
      const call = { ...(await identify(options, request)), signal: gone.signal };
      const { pod, port, seen, target, sandbox } = await reach(options, call, request);
      const headers = headersFor(request, port, seen);
      const path = proxyPath(port, target);
      const far = await dial(options.runtime, pod, { path, headers, signal: gone.signal });
      join({ socket, head }, far, seen, () => options.touch(sandbox));
      options.tunnels.hold(socket, {
        sandboxUid: sandbox.metadata.uid,
        keyId: call.principal.key?.id,
        endsAt: signInEnd(call.principal),
        stillMay: () => stillMay(options, call.principal, sandbox, port),
      });
      options.observe('GET', 101, 0);
    } catch (error) {
      const answer = toHttpError(error);
      options.observe('GET', answer.status, 0);
      refuseUpgrade(socket, answer);
    }
  };
}

function stillMay(
  { stores, installNamespace }: PathRouteOptions,
  principal: Principal,
  { metadata }: Sandbox,
  { port }: ForwardedPort,
): boolean {
  const keyId = principal.key?.id;
  if (keyId !== undefined && stores.apiKeys.get(installNamespace, keyId) === undefined) return false;
  const now = stores.sandboxes.get(metadata.namespace, metadata.name ?? '');
  if (now === undefined || now.metadata.uid !== metadata.uid) return false;
  const role = roleOn(principal, now);
  return role !== undefined && mayDo(role, 'ports') && isForwarded(now, port);
}

const isForwarded = ({ spec }: Sandbox, port: number): boolean =>
  spec?.ports?.some((each) => each.port === port) ?? false;

async function identify(
  options: PathRouteOptions,
  request: IncomingMessage,
): Promise<Pick<Call, 'params' | 'query' | 'principal'>> {
  const unavailable = options.unavailable();
  if (unavailable !== undefined) throw refusals.unavailable(unavailable);
  const { auth, corsOrigins } = options;
  refuseForeignPage(request.headers, { corsOrigins, devAuth: auth.devAuth });
  const apiKey = request.headers['x-api-key'];
  const key = Array.isArray(apiKey) ? apiKey[0] : apiKey;
  const { authorization } = request.headers;
  const credentials = { apiKey: key, authorization, address: options.addressOf(request) };
  const principal = await authenticate(credentials, auth);
  const [, , id = '', port = '', , search = ''] = PATH.exec(request.url ?? '') ?? [];
  const name = decodeURIComponent(id);
  const scope = scopeRefusal(principal, 'ports', name);
  if (scope !== undefined) throw refusals.scopedKey(scope);
  return { params: { id: name, port }, query: new URLSearchParams(search), principal };
}
