// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';

/**
 * A certified OpenID Connect provider as a process of its own, with signing keys made at its start: another start under the
 * same address is a provider that has changed its keys. It gives access tokens (RFC 9068) to one client, for its secret.
 * Usage: node issuerProcess.ts PORT AUDIENCE; prints its URL when it listens.
 */

type Handler = Parameters<typeof createServer>[1];
interface ProviderClass {
  new (issuer: string, configuration: object): { callback(): NonNullable<Handler> };
}

const [port = '0', audience = ''] = process.argv.slice(2);
// It comes without types, which a name that is only known at run time needs none of; what is used of it is written down above.
const PACKAGE: string = 'oidc-provider';
const { default: Provider }: { default: ProviderClass } = await import(PACKAGE);

const keys = await Promise.all(
  (['RS256', 'ES256'] as const).map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-${process.pid}` };
  }),
);
const url = `http://127.0.0.1:${port}`;
const provider = new Provider(url, {
  jwks: { keys },
  clients: [
    {
      client_id: 'robot',
      client_secret: 'not-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  extraTokenClaims: () => ({ groups: ['dev'], email: 'robot@example.com' }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:agenttier',
      getResourceServerInfo: (_context: unknown, resource: string) => ({
        scope: 'api',
        audience,
        accessTokenTTL: 600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resource.endsWith('ec') ? 'ES256' : 'RS256' } },
      }),
    },
  },
});
createServer(provider.callback()).listen(Number(port), '127.0.0.1', () => process.stdout.write(`${url}\n`));
