// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { importsOf, scriptsOf } from './pageSize.ts';

it('finds the scripts of a page, and those that it loads ahead', () => {
  const html =
    '<link rel="stylesheet" href="/a.css"><link rel="modulepreload" crossorigin href="/assets/b-1.js"><script type="module" crossorigin src="/assets/index-2.js"></script>';
  expect(scriptsOf(html)).toEqual(['/assets/b-1.js', '/assets/index-2.js']);
});

it('finds what a module needs at once, and not what it may load later', () => {
  const code =
    'import{a as b}from"./one.js";import"./two.js";export{c}from`./three.js`;const l=()=>import("./later.js"),m=["assets/map.js"]';
  expect(importsOf(code)).toEqual(['./one.js', './two.js', './three.js']);
});
