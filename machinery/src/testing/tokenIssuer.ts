// SPDX-License-Identifier: Apache-2.0
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

type Algorithm = 'RS256' | 'ES256';

interface SigningKey {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export interface TokenIssuerOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface SignOptions {
  readonly alg?: Algorithm;
  /** Seconds from now; default an hour. */
  readonly expiresIn?: number;
  /** Default: the key's. */
  readonly kid?: string;
}

/** An OpenID Connect issuer over HTTP as far as programs that check tokens see one: discovery, keys, signed tokens. */
export class TokenIssuer {
  readonly url: string;
  /** How often the keys were asked for. */
  keyFetches = 0;
  /** While false, everything is answered with 503. */
  up = true;
  #keys: readonly SigningKey[];
  #round = 1;
  readonly #server: Server;

  private constructor(server: Server, url: string, keys: readonly SigningKey[]) {
    this.#server = server;
    this.url = url;
    this.#keys = keys;
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#answer(request, response),
    );
  }

  static async start(options: TokenIssuerOptions = {}): Promise<TokenIssuer> {
    const { host = '127.0.0.1', port = 0, tls } = options;
    const server = tls ? createHttpsServer(tls) : createHttpServer();
    const keys = await makeKeys(1);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const at = (server.address() as AddressInfo).port;
    return new TokenIssuer(server, `${tls ? 'https' : 'http'}://${host}:${at}`, keys);
  }

  /** New keys; those of before are forgotten. */
  async rotate(): Promise<void> {
    this.#keys = await makeKeys(++this.#round);
  }

  /** A token for these claims, good unless they say otherwise. */
  async sign(claims: JWTPayload, options: SignOptions = {}): Promise<string> {
    const { alg = 'RS256', expiresIn = 3600 } = options;
    const key = this.#key(alg);
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: this.url, iat: now, exp: now + expiresIn, ...claims };
    return new SignJWT(payload)
      .setProtectedHeader({ alg, kid: options.kid ?? key.kid, typ: 'JWT' })
      .sign(key.privateKey);
  }

  /** PEM of the public RSA key, which anybody may know. */
  publicPem(): Promise<string> {
    return exportSPKI(this.#key('RS256').publicKey);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #key(alg: Algorithm): SigningKey {
    const key = this.#keys.find((each) => each.alg === alg);
    if (!key) throw new Error(`no ${alg} key`);
    return key;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const say = (status: number, body: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (!this.up) return say(503, { keys: [] });
    if (request.url === '/.well-known/openid-configuration') {
      return say(200, { issuer: this.url, jwks_uri: `${this.url}/keys` });
    }
    if (request.url !== '/keys') return say(404, {});
    this.keyFetches++;
    return say(200, { keys: this.#keys.map(({ jwk }) => jwk) });
  }
}

const makeKeys = (round: number): Promise<SigningKey[]> =>
  Promise.all([makeKey('RS256', `rsa-${round}`), makeKey('ES256', `ec-${round}`)]);

async function makeKey(alg: Algorithm, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' } };
}
