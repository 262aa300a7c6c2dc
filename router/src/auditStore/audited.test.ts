// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { AuditEntry } from '@agenttier/machinery/telemetry/audit';
import { describe, expect, it } from 'vitest';
import type { Handlers } from '../api/contract.ts';
import { refusals } from '../api/errors.ts';
import type { Call, Handler } from '../api/route.ts';
import { createStores } from '../cluster/caches.ts';
import { auditedHandlers } from './audited.ts';

const call: Call = {
  principal: { sub: 'ann', email: 'ann@example.com', name: '', groups: [], isAdmin: false },
  sourceIp: '192.0.2.1',
  params: { id: 'box' },
  query: new URLSearchParams(),
  headers: {},
  body: undefined,
  stream: Readable.from([]),
  signal: new AbortController().signal,
};

/** What is kept, and what is logged as well, of an operation that ends like this. */
async function traces(operation: 'readFile' | 'stopSandbox', handler: Handler) {
  const stores = createStores();
  stores.sandboxes.applyWatch({
    metadata: { name: 'box', namespace: 'team', uid: 'u-1', resourceVersion: '1' },
    spec: { createdBy: { sub: 'ann' } },
  });
  const kept: AuditEntry[] = [];
  const logged: AuditEntry[] = [];
  const handlers = auditedHandlers({ [operation]: handler } as unknown as Handlers, {
    stores,
    defaultNamespace: 'default',
    keep: (entry) => void kept.push(entry),
    audit: (entry) => void logged.push(entry),
  });
  await (handlers[operation] as Handler)(call);
  return { kept, logged };
}

const about = { actor: { sub: 'ann', email: 'ann@example.com' }, namespace: 'team', name: 'box', uid: 'u-1' };

describe('audited operations', () => {
  it('go into the log where admission does not see them', async () => {
    const { kept, logged } = await traces('readFile', () => ({ status: 200 }));
    expect(logged).toMatchObject([
      { ...about, action: 'FileRead', outcome: 'allowed', sourceIp: '192.0.2.1' },
    ]);
    expect(kept).toEqual([]);
  });

  it('go into the store alone where it does', async () => {
    const { kept, logged } = await traces('stopSandbox', () => ({ status: 200 }));
    expect(kept).toMatchObject([{ ...about, action: 'SandboxStopped', outcome: 'allowed' }]);
    expect(logged).toEqual([]);
  });

  it.each([
    ['a refusal', refusals.roleTooLow('stop'), 'denied'],
    ['a fault', new Error('boom'), 'failed'],
  ])('are kept with %s', async (_name, error, outcome) => {
    const kept: AuditEntry[] = [];
    const handlers = auditedHandlers({ stopSandbox: () => Promise.reject(error) } as unknown as Handlers, {
      stores: createStores(),
      defaultNamespace: 'default',
      keep: (entry) => void kept.push(entry),
      audit: () => {},
    });
    await expect((handlers.stopSandbox as Handler)(call)).rejects.toBe(error);
    expect(kept).toMatchObject([{ action: 'SandboxStopped', name: 'box', namespace: 'default', outcome }]);
  });
});
