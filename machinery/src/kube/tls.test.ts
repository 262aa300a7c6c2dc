// SPDX-License-Identifier: Apache-2.0
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, ScriptedServer } from '../testing/scriptedServer.ts';
import { issueAuthority, issueLeaf } from '../tls/issue.ts';
import type { Pair } from '../tls/issue.ts';
import { createKubeClient } from './client.ts';
import type { ClusterAccess } from './client.ts';

const validity = { from: Date.now() - 60_000, until: Date.now() + 3_600_000 };
let ca: Pair;
let admin: Pair;
let server: ScriptedServer;

beforeAll(async () => {
  ca = await issueAuthority('test', validity);
  const leaf = await issueLeaf(ca, { dnsNames: ['kubernetes.example'], validity });
  admin = await issueLeaf(ca, {
    dnsNames: [],
    subject: 'CN=admin,O=system:masters',
    use: 'client',
    validity,
  });
  server = await ScriptedServer.start({ ...leaf, ca: ca.cert, requestCert: true, rejectUnauthorized: false });
  server.on('GET', '/who', (response) => {
    const socket = response.socket as TLSSocket;
    json({ authorized: socket.authorized, subject: socket.getPeerCertificate().subject?.CN })(
      response,
      {} as never,
    );
  });
});
afterAll(() => server.close());

async function who(access: Partial<ClusterAccess>): Promise<unknown> {
  const client = createKubeClient(server.access(access));
  try {
    return (await client.raw({ method: 'GET', path: '/who' }, { timeoutMs: 5000 })).body;
  } finally {
    await client.close();
  }
}

describe('TLS', () => {
  it('checks the CA against the given name and shows the client certificate', async () => {
    const access = {
      ca: ca.cert,
      clientCert: admin.cert,
      clientKey: admin.key,
      tlsServerName: 'kubernetes.example',
    };
    expect(await who(access)).toEqual({ authorized: true, subject: 'admin' });
  });

  it('refuses a certificate for another name', async () => {
    await expect(who({ ca: ca.cert })).rejects.toMatchObject({ status: 0, reason: 'NetworkError' });
  });

  it('refuses a certificate of an unknown CA', async () => {
    await expect(who({ tlsServerName: 'kubernetes.example' })).rejects.toMatchObject({ status: 0 });
  });

  it('accepts anything only when told so', async () => {
    expect(await who({ insecureSkipTlsVerify: true })).toMatchObject({ authorized: false });
  });
});
