// SPDX-License-Identifier: Apache-2.0
import { json } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedRouter } from '../testing/scriptedRouter.ts';

const router = scriptedRouter();

describe('share', () => {
  it('lists persons, groups and links', async () => {
    const sharing = {
      users: [{ identity: 'bob', level: 'viewer' }],
      groups: [{ identity: 'red', level: 'collaborator' }],
      shareLinks: [{ id: '0f', level: 'viewer', expiresAt: null, maxUses: 3, usedCount: 1 }],
    };
    router.server.on('GET', '/api/v1/sandboxes/demo/share', json(sharing));
    expect((await router.run('share', 'list', 'demo')).out).toBe(
      [
        'IDENTITY   KIND    LEVEL          EXPIRES   USES',
        'bob        user    viewer         <none>    <none>',
        'red        group   collaborator   <none>    <none>',
        '0f         link    viewer         <none>    1/3',
        '',
      ].join('\n'),
    );
    const { out } = await router.run('sharing', 'ls', 'demo', '-o', 'json');
    expect(JSON.parse(out)).toEqual(sharing);
  });

  it('grants, revokes, links, closes and redeems', async () => {
    router.server.on('*', /./, json({ token: 'T', name: 'demo', namespace: 'team', level: 'viewer' }));
    const lines = [
      await router.run('share', 'grant', 'demo', 'bob@example.com', '--level', 'collaborator'),
      await router.run('share', 'revoke', 'demo', 'a/b c'),
      await router.run('share', 'link', 'demo', '--expires-in', '24h', '--max-uses', '3'),
      await router.run('share', 'unlink', 'demo', '0f', '--people'),
      await router.run('share', 'redeem', 'T'),
    ].map(({ out }) => out.split('\n')[0]);
    expect(lines).toEqual([
      'granted collaborator access to bob@example.com',
      'revoked access of a/b c',
      'share link created: T',
      'closed link 0f',
      'demo in team is shared with you as viewer',
    ]);
    expect(router.asked()).toEqual([
      [
        'POST /sandboxes/demo/share?namespace=team',
        { identity: 'bob@example.com', level: 'collaborator', kind: 'user' },
      ],
      ['DELETE /sandboxes/demo/share/a%2Fb%20c?namespace=team'],
      ['POST /sandboxes/demo/share-links?namespace=team', { level: 'viewer', maxUses: 3, expiresIn: '24h' }],
      ['DELETE /sandboxes/demo/share-links/0f?namespace=team&people=true'],
      ['POST /share-links/redeem', { token: 'T' }],
    ]);
  });

  it('tells a refusal, and a mistake on the command line', async () => {
    router.server.on('POST', /./, json({ error: 'access_denied', message: 'only the owner may' }, 403));
    expect(await router.run('share', 'grant', 'demo', 'bob')).toEqual({
      code: 1,
      out: '',
      err: 'Error from router (access_denied): only the owner may\n',
    });
    expect((await router.run('share', 'grant', 'demo', 'bob', '--level', 'god')).code).toBe(2);
    expect((await router.run('share', 'link', 'demo', '--max-uses', 'x')).code).toBe(2);
  });
});
