// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';

/** What the provider asks a person for at the moment. */
export interface Question {
  readonly uid: string;
  readonly prompt: { readonly name: string };
  readonly params: { readonly client_id: string; readonly scope: string };
  readonly session?: { readonly accountId: string };
}

interface Grant {
  addOIDCScope(scope: string): void;
  save(): Promise<string>;
}

/** A use of the token endpoint that the provider tells of. */
interface Use {
  readonly oidc: {
    readonly params: { readonly grant_type: string };
    readonly client: { readonly clientId: string };
    readonly entities: { readonly Account?: { readonly accountId: string } };
  };
}

/** What is used of the package, which comes without types. */
export interface Provider {
  readonly Grant: new (about: { readonly accountId: string; readonly clientId: string }) => Grant;
  callback(): RequestListener;
  interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Question>;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
  on(event: 'grant.success', listener: (use: Use) => void): void;
}

export interface ProviderOptions {
  readonly url: string;
  /** Id of the public client that people sign in through, and what tokens of the robot are for. */
  readonly audience: string;
  /** Where the pages of that client are. */
  readonly pages: string;
}

/** Shorter than the minute that pages renew their token ahead of: each use of a page after a few seconds shows a renewal. */
const TOKEN_SECONDS = 65;

/** Without types of its own, which a name that is only known at run time needs none of. */
const PACKAGE: string = 'oidc-provider';

export async function createProvider(options: ProviderOptions): Promise<Provider> {
  const module = (await import(PACKAGE)) as { default: new (issuer: string, settings: object) => Provider };
  return new module.default(options.url, {
    jwks: { keys: await newKeys() },
    clients: clientsOf(options),
    ...PEOPLE,
    extraTokenClaims: () => ({ groups: ['dev'], email: 'robot@example.com' }),
    ttl: {
      IdToken: TOKEN_SECONDS,
      AccessToken: TOKEN_SECONDS,
      RefreshToken: 3600,
      Session: 3600,
      Grant: 3600,
    },
    features: featuresOf(options),
  });
}

const newKeys = () =>
  Promise.all(
    (['RS256', 'ES256'] as const).map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${process.pid}` };
    }),
  );

const clientsOf = ({ audience, pages }: ProviderOptions) => [
  {
    client_id: 'robot',
    client_secret: 'not-secret',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  },
  {
    client_id: audience,
    // RFC 8252: for a native program the port on loopback does not matter, and no page on a walk's machine has TLS.
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    redirect_uris: [`${pages}/callback`],
    post_logout_redirect_uris: [`${pages}/`],
  },
];

/** Whoever says a name is the person of that name. */
const PEOPLE = {
  findAccount: (_context: unknown, sub: string) => ({
    accountId: sub,
    claims: () => ({ sub, name: sub, email: `${sub}@example.com`, email_verified: true, groups: ['dev'] }),
  }),
  claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email', 'email_verified'] },
  // The router reads ID tokens only.
  conformIdTokenClaims: false,
  rotateRefreshToken: true,
  issueRefreshToken: (_context: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
    client.grantTypeAllowed('refresh_token'),
  pkce: { required: () => true },
  clientBasedCORS: () => true,
  interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/login/${uid}` },
};

const page = (context: { body: string }, text: string): void => {
  context.body = `<!doctype html><html lang="en"><title>Test issuer</title>${text}</html>`;
};

const featuresOf = ({ audience }: ProviderOptions) => ({
  devInteractions: { enabled: false },
  clientCredentials: { enabled: true },
  revocation: { enabled: true },
  rpInitiatedLogout: {
    enabled: true,
    logoutSource: (context: { body: string }, form: string) =>
      page(context, `${form}<button form="op.logoutForm" name="logout" value="yes">Sign me out</button>`),
  },
  deviceFlow: {
    enabled: true,
    userCodeInputSource: (context: { body: string }, form: string) =>
      page(context, `${form}<button form="op.deviceInputForm">Continue</button>`),
    userCodeConfirmSource: (context: { body: string }, form: string, ...rest: readonly unknown[]) =>
      page(context, `<p>${String(rest[2])}</p>${form}<button form="op.deviceConfirmForm">Continue</button>`),
    successSource: (context: { body: string }) => page(context, '<p>Signed in</p>'),
  },
  resourceIndicators: {
    enabled: true,
    defaultResource: (_context: unknown, client: { clientId: string }) =>
      client.clientId === 'robot' ? 'urn:agenttier' : undefined,
    getResourceServerInfo: (_context: unknown, resource: string) => ({
      scope: 'api',
      audience,
      accessTokenTTL: 600,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: resource.endsWith('ec') ? 'ES256' : 'RS256' } },
    }),
  },
});
