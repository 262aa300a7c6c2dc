// SPDX-License-Identifier: Apache-2.0
import { sandboxTemplateFields } from '@agenttier/crds/generated/fields/template';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { faultsIn, offersAt } from './offers.ts';
import { nameAt, placeAt } from './place.ts';

/** The place of the `¦` in a text. */
function at(marked: string) {
  const position = marked.indexOf('¦');
  return placeAt(marked.replace('¦', ''), position);
}

describe('the place of a cursor', () => {
  it.each([
    ['res¦', [], undefined, 'res'],
    ['resources:\n  limits:\n    cp¦', ['resources', 'limits'], undefined, 'cp'],
    ['resources:\n  limits:\n    cpu: 1\n\n  re¦\nenv:', ['resources'], undefined, 're'],
    ['env:\n  - na¦', ['env', '[]'], undefined, 'na'],
    ['env:\n  - ¦', ['env', '[]'], undefined, ''],
    ['env:\n- name: A\n- name: B\n  va¦', ['env', '[]'], undefined, 'va'],
    ['env:\n  - name: A\n    valueFrom:\n      ¦', ['env', '[]', 'valueFrom'], undefined, ''],
    ['image:\n  pullPolicy: If¦', ['image'], 'pullPolicy', 'If'],
    ['mode: ¦\n', [], 'mode', ''],
    ['# of the team\nmode: a\nti¦', [], undefined, 'ti'],
    ['"image":\n  ta¦', ['image'], undefined, 'ta'],
  ])('%j', (text, within, field, word) => {
    expect(at(text)).toMatchObject({ within, field, word });
  });

  it.each([
    ['a comment', 'mode: code # an¦'],
    ['a text over lines', 'initScripts:\n  - name: a\n    script: |\n      mkdir: x\n      res¦'],
    ['flow style', 'image: {ta¦'],
    ['words', 'some words¦'],
  ])('is none in %s', (_what, text) => {
    expect(at(text)).toBeUndefined();
  });

  it('knows the names beside it, and not those of another item', () => {
    const place = at('env:\n  - name: A\n    ¦\n    value: b\n  - valueFrom: {}\nmode: code');
    expect([...(place?.siblings ?? [])].toSorted()).toEqual(['name', 'value']);
  });

  it('finds the name below the pointer', () => {
    const text = 'resources:\n  limits:\n    cpu: "1"';
    expect(nameAt(text, text.indexOf('cpu') + 1)).toMatchObject({ steps: ['resources', 'limits', 'cpu'] });
    expect(nameAt(text, 3)).toMatchObject({ steps: ['resources'], from: 0, to: 9 });
    expect(nameAt('# resources: x', 5)).toBeUndefined();
  });
});

describe('what is offered', () => {
  const labels = (text: string): string[] => {
    const place = at(text);
    return place === undefined ? [] : offersAt(sandboxTemplateFields, place).map(({ label }) => label);
  };

  it('names the object does not have yet, and what leads on', () => {
    expect(labels('mode: code\n¦')).toContain('resources');
    expect(labels('mode: code\n¦')).not.toContain('mode');
    const place = at('¦');
    const offers = place ? offersAt(sandboxTemplateFields, place) : [];
    const inserted = Object.fromEntries(offers.map(({ label, insert }) => [label, insert]));
    expect(inserted).toMatchObject({ mode: 'mode: ', image: 'image:\n  ', env: 'env:\n  - ' });
  });

  it.each([
    ['mode: ¦', ['code', 'agent']],
    ['network:\n  allowInternet: ¦', ['true', 'false']],
    ['image:\n  pullPolicy: ¦', ['Always', 'IfNotPresent', 'Never']],
    ['resources:\n  limits:\n    ¦', []],
    ['nothing:\n  ¦', []],
  ])('%j: %j', (text, expected) => {
    expect(labels(text)).toEqual(expected);
  });
});

describe('faults that the schema tells', () => {
  const say = {
    unknown: (name: string) => `no ${name}`,
    noValue: (value: string) => `not ${value}`,
  };
  it.each([
    ['resources:\n  limits:\n    cpu: 1', []],
    ['resorces: {}', [['resorces', 'no resorces']]],
    ['env:\n  - nam: A', [['nam', 'no nam']]],
    ['mode: cod', [['cod', 'not cod']]],
    ['mode:', []],
  ])('%j: %j', (text, expected) => {
    const found = faultsIn(parseDocument(text), sandboxTemplateFields, say);
    expect(found.map(({ from, to, message }) => [text.slice(from, to), message])).toEqual(expected);
  });
});
