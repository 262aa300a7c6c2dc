// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GroupNamespaces } from '../auth/namespaces.ts';
import type { Handlers } from '../api/contract.ts';
import { endIfSlow } from '../middleware/slowBody.ts';
import { PreviewDoor } from './door.ts';
import { PreviewGateway } from './gateway.ts';
import type { PreviewOptions } from './gateway.ts';
import type { PreviewSite } from './host.ts';
import { OpenTunnels } from './openTunnels.ts';
import { isPreviewPath, pathRoute, pathUpgrade } from './pathRoute.ts';
import type { PathRouteOptions } from './pathRoute.ts';
import type { Stores } from '../cluster/caches.ts';

export interface PreviewsOptions
  extends PathRouteOptions,
    Omit<PreviewOptions, 'site' | 'door' | 'tunnels' | 'stores' | 'runtime' | 'wake' | 'touch'> {
  readonly stores: Stores;
  readonly site: PreviewSite | undefined;
  readonly groupNamespaces: GroupNamespaces;
}

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Puts the preview domain before everything else that the router serves. */
export interface Previews {
  before(app: RequestListener): RequestListener;
  beforeUpgrade(others: Upgrade): Upgrade;
}

export function createPreviews(options: PreviewsOptions): Previews {
  const tunnels = new OpenTunnels(options.stores);
  const gateway = options.site && gatewayOf({ ...options, tunnels }, options.site);
  const byPath = pathUpgrade({ ...options, tunnels });
  return {
    before: (app) => (request, response) => {
      if (gateway?.takes(request)) {
        endIfSlow(request, () => true);
        void gateway.serve(request, response);
      } else app(request, response);
    },
    beforeUpgrade: (others) => (request, socket, head) => {
      if (gateway?.takes(request)) void gateway.upgrade(request, socket, head);
      else if (isPreviewPath(request.url)) void byPath(request, socket, head);
      else others(request, socket, head);
    },
  };
}

function gatewayOf(
  options: PreviewsOptions & { readonly tunnels: OpenTunnels },
  site: PreviewSite,
): PreviewGateway {
  const { stores, installNamespace, groupNamespaces } = options;
  const door = new PreviewDoor({
    stores,
    installNamespace,
    groupNamespaces,
    isSecure: site.scheme === 'https',
  });
  return new PreviewGateway({ ...options, site, door });
}

type Operations = Pick<
  Handlers,
  | 'previewGet'
  | 'previewPost'
  | 'previewPut'
  | 'previewPatch'
  | 'previewDelete'
  | 'previewGetPath'
  | 'previewPostPath'
  | 'previewPutPath'
  | 'previewPatchPath'
  | 'previewDeletePath'
>;

/** The path route: one handler for all methods. */
export function previewOperations(options: PathRouteOptions): Operations {
  const hand = pathRoute(options);
  return {
    previewGet: hand,
    previewPost: hand,
    previewPut: hand,
    previewPatch: hand,
    previewDelete: hand,
    previewGetPath: hand,
    previewPostPath: hand,
    previewPutPath: hand,
    previewPatchPath: hand,
    previewDeletePath: hand,
  };
}
