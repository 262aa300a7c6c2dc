// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import '../elements.ts';
import './page.css';
import { connect } from '../data/server.ts';
import { barriers, dress, until } from '../testing/page.ts';
import { EXAMPLES } from './examples.ts';
import { DECLARATIONS } from './manifest.ts';
import { drawCatalogue, makeExample } from './page.ts';
import { exampleFetch } from './server.ts';

const given = globalThis.fetch;
const thrown: unknown[] = [];
globalThis.addEventListener('error', ({ message }) => void thrown.push(message));
globalThis.addEventListener('unhandledrejection', ({ reason }) => void thrown.push(String(reason)));

afterEach(() => {
  globalThis.fetch = given;
  document.body.replaceChildren();
  thrown.length = 0;
});

const tags = Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[];
const wordsOf = (element: Element): string => element.shadowRoot?.textContent?.trim() ?? '';
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** The element by itself, with nothing but an API and a token; what it was asked as is kept. */
async function alone(tag: keyof typeof EXAMPLES, answer: typeof fetch, change: object = {}) {
  const asked: (string | null)[] = [];
  globalThis.fetch = (input, init) => {
    asked.push(new Headers(init?.headers).get('Authorization'));
    return answer(input, init);
  };
  const element = document.createElement(tag);
  Object.assign(element, { apiBase: '/api/v1', getToken: () => Promise.resolve('mine') }, change);
  document.body.replaceChildren(element);
  for (let frames = 0; frames < 5; frames++) await frame();
  return { element, asked };
}

const refuse = () => Promise.resolve(Response.json({ message: 'The server is away.' }, { status: 503 }));
const never = () => new Promise<Response>(() => {});

describe('the catalogue', () => {
  it('has an example of every element but the dashboard itself', () => {
    const missing = DECLARATIONS.map(({ tagName }) => tagName).filter((tag) => !(tag in EXAMPLES));
    expect(missing).toEqual(['agenttier-app']);
  });

  it('shows all of them on one page, with what can be set', () => {
    drawCatalogue(document.body);
    const sections = [...document.querySelectorAll('section')].map(({ id }) => id);
    expect(sections).toEqual(DECLARATIONS.map(({ tagName }) => tagName));
    expect(document.querySelectorAll('.example > *')).toHaveLength(tags.length);
    expect(document.querySelector('#agenttier-activity-log > p code')?.textContent).toBe('sandbox-id');
    expect(thrown).toEqual([]);
  });

  it.each(tags)('shows %s in both themes without barriers', async (tag) => {
    const credential = () => Promise.resolve(undefined);
    const server = connect({ apiBase: '/api/v1', credential, fetch: exampleFetch });
    for (const theme of ['light', 'dark'] as const) {
      const element = makeExample(tag, server, theme);
      dress(element as HTMLElement & { theme: string }, theme);
      document.body.replaceChildren(element);
      await until('no more waiting', () => !wordsOf(element).includes('Loading'));
      for (let frames = 0; frames < 3; frames++) await frame();
      expect(await barriers(element)).toEqual([]);
      expect(wordsOf(element)).not.toContain('The example has nothing here');
    }
    expect(thrown).toEqual([]);
  });
});

describe('alone, with an API and a token', () => {
  it.each(tags)('%s asks as whoever has the token, and throws nothing whatever it is told', async (tag) => {
    for (const answer of [exampleFetch, refuse, never]) {
      const { asked } = await alone(tag, answer, EXAMPLES[tag].set);
      expect(asked.every((token) => token === 'Bearer mine')).toBe(true);
      // Of no sandbox: it waits to be told of which.
      const { asked: before } = await alone(tag, answer);
      expect(before.every((token) => token === 'Bearer mine')).toBe(true);
    }
    document.body.replaceChildren();
    await frame();
    expect(thrown).toEqual([]);
  });

  it.each([
    'agenttier-sandbox-list',
    'agenttier-metrics',
    'agenttier-sharing',
    'agenttier-webhooks',
  ] as const)('%s says that it waits, and then what is wrong', async (tag) => {
    const waiting = await alone(tag, never, EXAMPLES[tag].set);
    expect(wordsOf(waiting.element)).toContain('Loading');
    const failed = await alone(tag, refuse, EXAMPLES[tag].set);
    expect(wordsOf(failed.element)).toContain('The server is away.');
  });
});
