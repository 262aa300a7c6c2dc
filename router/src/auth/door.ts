// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Stores } from '../cluster/caches.ts';
import type { Config } from '../config.ts';
import { Gate } from '../ratelimit/gate.ts';
import type { LimitName } from '../ratelimit/gate.ts';
import { ApiKeys } from './apiKey.ts';
import type { AuthenticateOptions } from './authenticate.ts';
import { Issuer } from './oidc/issuer.ts';
import { TokenEndpoint } from './oidc/tokenEndpoint.ts';
import { Tokens } from './oidc/tokens.ts';
import { SessionDesk } from './session/desk.ts';

export interface DoorOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly stores: Pick<Stores, 'apiKeys' | 'keys'>;
  readonly config: Config;
  /** Somebody was sent away for asking too much. */
  readonly limited: (limit: LimitName) => void;
  readonly log: Logger;
}

/** What every request comes by. */
export interface Door {
  readonly auth: AuthenticateOptions;
  readonly gate: Gate;
  /** Where people sign in; absent = API keys only. */
  readonly issuer: Issuer | undefined;
  /** Sign-ins in cookies; absent = none are kept. */
  readonly sessions: SessionDesk | undefined;
}

/** Wires the credential checks and limits of one router. */
export function createDoor({ client, stores, config, limited, log }: DoorOptions): Door {
  const { devAuth, installNamespace: namespace, oidc, groupNamespaces, rateLimits: limits } = config;
  const gate = new Gate({ limits, observe: limited });
  const issuer = oidc === undefined ? undefined : new Issuer({ settings: oidc, log });
  const tokens = oidc && issuer && new Tokens({ settings: oidc, keys: issuer, groupNamespaces });
  const auth = {
    devAuth,
    apiKeys: new ApiKeys({ client, secrets: stores.apiKeys, namespace, groupNamespaces }),
    tokens,
    gate,
  };
  const sessions =
    issuer && tokens && oidc.session === 'cookie' && !devAuth
      ? new SessionDesk({
          stores,
          tokens,
          issuer: new TokenEndpoint({ clientId: oidc.clientId, issuer, log }),
        })
      : undefined;
  return { auth, gate, issuer, sessions };
}
