// SPDX-License-Identifier: Apache-2.0
import { json } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedRouter } from '../testing/scriptedRouter.ts';

const KEYS = '/api/v1/user/api-keys';
const router = scriptedRouter();

describe('apikey', () => {
  it('lists, and says when there is none', async () => {
    const key = {
      id: 'k1',
      name: 'ci',
      sandboxId: 'demo',
      createdAt: new Date(Date.now() - 65_000).toISOString(),
    };
    router.server.on('GET', KEYS, json({ keys: [key] }), json({ keys: [] }));
    expect((await router.run('apikey', 'list', '--no-headers')).out).toMatch(
      /^k1 +ci +demo +6\ds +<none>\n$/,
    );
    expect(await router.run('keys', 'ls')).toEqual({ code: 0, out: '', err: 'You have no API keys\n' });
  });

  it('shows a new key on standard output and the warning beside it', async () => {
    router.server.on('POST', KEYS, json({ id: 'k1', key: 'atk_new', warning: 'shown once' }, 201));
    const args = [
      'apikey',
      'create',
      'bot',
      '--sandbox',
      'demo',
      '--action-groups',
      'run-command, files:read',
    ];
    expect(await router.run(...args, '--expires-in', '720h')).toEqual({
      code: 0,
      out: 'id: k1\nkey: atk_new\n',
      err: 'shown once\n',
    });
    expect((await router.run('apikey', 'create', '-o', 'jsonpath={.key}')).out).toBe('atk_new');
    expect(router.asked()).toEqual([
      [
        'POST /user/api-keys',
        {
          name: 'bot',
          expiresIn: '720h',
          sandboxId: 'demo',
          namespace: 'team',
          actionGroups: ['run-command', 'files:read'],
        },
      ],
      ['POST /user/api-keys', {}],
    ]);
  });

  it('refuses groups without their sandbox', async () => {
    expect(await router.run('apikey', 'create', '--action-groups', 'stop')).toEqual({
      code: 2,
      out: '',
      err: 'error: --action-groups are those of a sandbox: name it with --sandbox\n',
    });
  });

  it('revokes what it can', async () => {
    router.server
      .on('DELETE', `${KEYS}/k1`, json({ status: 'revoked', id: 'k1' }))
      .on('DELETE', /./, json({ error: 'no such key' }, 404));
    expect(await router.run('apikey', 'revoke', 'k1', 'k2')).toEqual({
      code: 1,
      out: 'revoked k1\n',
      err: 'Error from router (NotFound): no such key\n',
    });
  });
});
