// SPDX-License-Identifier: Apache-2.0
import { array, assert, boolean, integer, pre, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../kube/resource.ts';
import { keyOf, splitKey, Store } from './store.ts';

interface Thing extends KubeObject {
  readonly value?: number | string;
}

const thing = (
  name: string,
  resourceVersion: string,
  value?: number | string,
  uid = `uid-${name}`,
): Thing => ({
  metadata: { namespace: 'ns', name, uid, resourceVersion },
  ...(value === undefined ? {} : { value }),
});

const failLater: unknown = () => Promise.reject(new Error('async'));

const recorded = (store: Store<Thing>): string[] => {
  const events: string[] = [];
  store.subscribe(({ type, object, old }) => {
    events.push(
      `${type} ${object.metadata.name}@${object.metadata.resourceVersion}${old ? ` was ${old.metadata.resourceVersion}` : ''}`,
    );
  });
  return events;
};

describe('Store', () => {
  it('follows a watch and tells what changed', () => {
    const store = new Store<Thing>();
    const events = recorded(store);
    store.replace([thing('a', '1')]);
    store.applyWatch(thing('b', '2'));
    store.applyWatch(thing('a', '3'));
    store.applyWatch(thing('a', '3'));
    store.deleteWatch(thing('b', '4'));
    expect(events).toEqual(['added a@1', 'added b@2', 'modified a@3 was 1', 'deleted b@2 was 2']);
    expect(store.list()).toEqual([thing('a', '3')]);
    expect(store.get('ns', 'a')).toEqual(thing('a', '3'));
  });

  it.each(['replace', 'applyWatch', 'applyLocal'] as const)(
    'keeps only what it is to keep after %s',
    (door) => {
      const keep = ({ metadata }: Thing): Thing => ({ metadata, value: 'kept' });
      const store = new Store<Thing>({ value: ({ value }) => [String(value)] }, { keep });
      const events = recorded(store);
      const whole = thing('a', '1', 'whole');
      if (door === 'replace') store.replace([whole]);
      else store[door](whole);
      expect([store.list(), events]).toEqual([[thing('a', '1', 'kept')], ['added a@1']]);
      expect(store.byIndex('value', 'kept')).toHaveLength(1);
    },
  );

  it('turns a list into the difference to what it held', () => {
    const store = new Store<Thing>();
    store.replace([thing('a', '1'), thing('b', '1'), thing('c', '1')]);
    const events = recorded(store);
    store.replace([thing('a', '1'), thing('b', '5'), thing('d', '6')]);
    expect(events).toEqual(['deleted c@1 was 1', 'modified b@5 was 1', 'added d@6']);
  });

  it('finds by index through changes', () => {
    const store = new Store<Thing>({ parity: ({ value }) => [Number(value) % 2 === 0 ? 'even' : 'odd'] });
    const names = (value: string) => store.byIndex('parity', value).map(({ metadata }) => metadata.name);
    store.replace([thing('a', '1', 1), thing('b', '1', 2)]);
    expect([names('odd'), names('even')]).toEqual([['a'], ['b']]);
    store.applyWatch(thing('a', '2', 4));
    expect([names('odd'), names('even')]).toEqual([[], ['b', 'a']]);
    store.deleteWatch(thing('b', '3'));
    expect(names('even')).toEqual(['a']);
    expect(() => store.byIndex('colour', 'x')).toThrow('no index "colour"');
  });

  it('survives handlers and index functions that throw, even later', async () => {
    const store = new Store<Thing>({
      bad: () => {
        throw new Error('index');
      },
    });
    const errors: string[] = [];
    store.onHandlerError = (error) => errors.push((error as Error).message);
    store.subscribe(() => {
      throw new Error('sync');
    });
    store.subscribe(failLater as () => void);
    const events = recorded(store);
    store.applyWatch(thing('a', '1'));
    await Promise.resolve();
    expect(events).toEqual(['added a@1']);
    expect(errors).toEqual(['index', 'sync', 'async']);
    expect(store.handlerErrors).toBe(3);
  });

  it('stops telling who unsubscribed', () => {
    const store = new Store<Thing>();
    let calls = 0;
    const stop = store.subscribe(() => calls++);
    store.applyWatch(thing('a', '1'));
    stop();
    store.applyWatch(thing('a', '2'));
    expect(calls).toBe(1);
  });

  it.each(['ns/name', 'cluster-scoped'])('splits the key %s as it was joined', (key) => {
    const { namespace, name } = splitKey(key);
    expect(keyOf({ metadata: { name, ...(namespace ? { namespace } : {}) } })).toBe(key);
  });
});

describe('applyLocal', () => {
  it('shows an own write at once, and not what came before it', () => {
    const store = new Store<Thing>();
    store.replace([thing('a', '1')]);
    const events = recorded(store);
    store.applyLocal(thing('a', 'x9', 'mine'));
    expect(store.get('ns', 'a')?.value).toBe('mine');
    // Somebody else's write that was stored before ours arrives late: it must not bring the old state back.
    store.applyWatch(thing('a', 'x8', 'older'));
    expect(store.get('ns', 'a')?.value).toBe('mine');
    store.applyWatch(thing('a', 'x9', 'mine'));
    store.applyWatch(thing('a', 'x2', 'newer'));
    expect(store.get('ns', 'a')?.value).toBe('newer');
    expect(events).toEqual(['modified a@x9 was 1', 'modified a@x2 was x9']);
  });

  it('drops an answer that the watch has overtaken', () => {
    const store = new Store<Thing>();
    store.applyWatch(thing('a', '2', 'mine'));
    store.applyWatch(thing('a', '3', 'newer'));
    store.applyLocal(thing('a', '2', 'mine'));
    expect(store.get('ns', 'a')?.value).toBe('newer');
    store.applyWatch(thing('a', '4', 'newest'));
    expect(store.get('ns', 'a')?.value).toBe('newest');
  });

  it('keeps the last of several own writes until the watch has them all', () => {
    const store = new Store<Thing>();
    store.applyLocal(thing('a', '1', 'first'));
    store.applyLocal(thing('a', '2', 'second'));
    store.applyWatch(thing('a', '1', 'first'));
    expect(store.get('ns', 'a')?.value).toBe('second');
    store.applyWatch(thing('a', '2', 'second'));
    store.applyWatch(thing('a', '3', 'third'));
    expect(store.get('ns', 'a')?.value).toBe('third');
  });

  it('does not raise the dead', () => {
    const store = new Store<Thing>();
    store.replace([thing('a', '1')]);
    store.deleteWatch(thing('a', '3'));
    store.applyLocal(thing('a', '2', 'late answer'));
    expect(store.get('ns', 'a')).toBeUndefined();
  });

  it('ends with the object', () => {
    const store = new Store<Thing>();
    store.applyLocal(thing('a', '2', 'mine'));
    store.deleteWatch(thing('a', '3'));
    expect(store.get('ns', 'a')).toBeUndefined();
  });

  it('tells a re-created object from its predecessor', () => {
    const store = new Store<Thing>();
    store.replace([thing('a', '1', 'old', 'uid-1')]);
    store.applyLocal(thing('a', '5', 'new', 'uid-2'));
    store.applyWatch(thing('a', '3', 'old, terminating', 'uid-1'));
    store.deleteWatch(thing('a', '4', 'old', 'uid-1'));
    expect(store.get('ns', 'a')?.value).toBe('new');
    store.applyWatch(thing('a', '5', 'new', 'uid-2'));
    store.applyWatch(thing('a', '6', 'newer', 'uid-2'));
    expect(store.get('ns', 'a')?.value).toBe('newer');
  });

  it('lets a list win and asks for one when a write stays unseen', () => {
    let now = 0;
    const store = new Store<Thing>({}, { now: () => now });
    store.applyLocal(thing('a', '2', 'mine'));
    store.replace([thing('a', '7', 'listed')]);
    expect(store.get('ns', 'a')?.value).toBe('listed');
    store.applyLocal(thing('a', '6', 'between the write and the list'));
    expect(store.hasUnconfirmed()).toBe(false);
    now = 60_001;
    expect(store.hasUnconfirmed()).toBe(true);
    store.applyWatch(thing('a', '8', 'newer'));
    expect(store.get('ns', 'a')?.value).toBe('newer');
    store.replace([thing('a', '8', 'newer')]);
    expect(store.hasUnconfirmed()).toBe(false);
  });

  it('shows an own write or something newer at all times, whatever the watch and the answers do', () => {
    // The history of one object: each entry a stored version; versions are opaque, so they are shuffled names.
    const scenario = record({
      own: array(boolean(), { minLength: 1, maxLength: 12 }),
      // For each own write: how many watch events late its answer is processed; negative: before its event.
      lag: array(integer({ min: -4, max: 4 }), { minLength: 12, maxLength: 12 }),
    });
    assert(
      property(scenario, ({ own, lag }) => {
        const store = new Store<Thing>();
        const history = own.map((_, i) => thing('a', `v${(i * 7919) % 104_729}`, i));
        let answered = -1;
        const steps = history
          .flatMap((object, i) => {
            const event = { at: i, order: 1, run: () => store.applyWatch(object) };
            const answer = () => {
              store.applyLocal(object);
              answered = Math.max(answered, i);
            };
            return own[i] ? [event, { at: i + (lag[i] ?? 0), order: 0, run: answer, own: i }] : [event];
          })
          .toSorted((a, b) => a.at - b.at || a.order - b.order);
        // Answers of one key come in the order of the writes: a work queue gives that.
        const answers = steps.filter((step) => 'own' in step).map((step) => ('own' in step ? step.own : 0));
        pre(answers.every((index, i) => i === 0 || index > (answers[i - 1] ?? 0)));
        for (const step of steps) {
          step.run();
          expect(Number(store.get('ns', 'a')?.value)).toBeGreaterThanOrEqual(answered);
        }
        expect(store.get('ns', 'a')?.value).toBe(history.length - 1);
      }),
    );
  });
});
