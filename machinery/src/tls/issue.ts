// SPDX-License-Identifier: Apache-2.0
import { webcrypto } from 'node:crypto';
import type * as x509Module from '@peculiar/x509';

export interface Pair {
  /** PEM. */
  readonly cert: string;
  /** PKCS #8 PEM. */
  readonly key: string;
}

export interface Validity {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

export interface LeafRequest {
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[] | undefined;
  readonly validity: Validity;
  /** Distinguished name, for instance `CN=admin,O=system:masters`; default the first DNS name. */
  readonly subject?: string | undefined;
  /** What the certificate is for; default `server`. */
  readonly use?: 'server' | 'client' | undefined;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Object identifiers of serverAuth and clientAuth (RFC 5280 4.2.1.12). */
const USES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

type X509 = typeof x509Module;

/**
 * The library costs 25 MB and its decorators need `reflect-metadata` first: loaded only by the replica that really
 * issues, some six times a year.
 */
async function library(): Promise<X509> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  return x509;
}

/** New self-signed P-256 authority that may sign leaves only. */
export async function issueAuthority(commonName: string, validity: Validity): Promise<Pair> {
  const x509 = await library();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${commonName}`,
    notBefore: new Date(validity.from),
    notAfter: new Date(validity.until),
    signingAlgorithm: CURVE,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await exported(keys.privateKey) };
}

/** New certificate of a server (or client) signed by an authority. */
export async function issueLeaf(authority: Pair, request: LeafRequest): Promise<Pair> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.cert);
  const keys = await newKeys();
  const names = [
    ...request.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    // A common name is limited to 64 characters and ignored by clients: the names are in the alternative names.
    subject: request.subject ?? `CN=${(request.dnsNames[0] ?? 'server').slice(0, 64)}`,
    issuer: issuer.subject,
    notBefore: new Date(request.validity.from),
    notAfter: new Date(Math.min(request.validity.until, issuer.notAfter.getTime())),
    signingKey: await imported(authority.key),
    publicKey: keys.publicKey,
    signingAlgorithm: CURVE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([USES[request.use ?? 'server']]),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await exported(keys.privateKey) };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);

/** 127 random bits: positive, as RFC 5280 wants it, and unique without keeping count. */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function exported(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function imported(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, CURVE, false, ['sign']);
}
