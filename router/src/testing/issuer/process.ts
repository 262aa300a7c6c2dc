// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import { createProvider } from './provider.ts';
import { withLoginForm } from './loginForm.ts';

/**
 * A certified OpenID Connect provider as a process of its own, with signing keys made at its start: another start under the
 * same address is a provider that has changed its keys. To one client it gives access tokens (RFC 9068) for its secret; people
 * sign in through another one, with Authorization Code and PKCE or by a device's code.
 * Usage: node process.ts PORT AUDIENCE [HOST [PAGES]]; prints its URL when it listens, and then a line for each use of its token endpoint.
 */
const [port = '0', audience = '', host = '127.0.0.1', pages = 'http://127.0.0.1'] = process.argv.slice(2);
const url = `http://${host}:${port}`;
const provider = await createProvider({ url, audience, pages });
provider.on('grant.success', ({ oidc: { params, client, entities } }) => {
  process.stdout.write(`${params.grant_type} ${client.clientId} ${entities.Account?.accountId ?? '-'}\n`);
});
createServer(withLoginForm(provider)).listen(Number(port), host, () => process.stdout.write(`${url}\n`));
