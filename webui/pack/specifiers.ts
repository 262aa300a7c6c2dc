// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, relative } from 'node:path/posix';

/** What a module of a package names: after `from`, or in `import`. */
const SPECIFIER = /(\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\2/g;

const OF_CRDS = '@agenttier/crds/';
const AS_TEXT = '?inline';

/** Where a style sheet that is imported as text lies in a package. */
export const sheetPath = (specifier: string): string =>
  `sheets/${basename(specifier.replace(AS_TEXT, ''), '.css')}.js`;

/** Style sheets that a module imports as text, which only some bundlers understand. */
export const sheetsOf = (code: string): readonly string[] =>
  [...code.matchAll(SPECIFIER)]
    .map(([, , , specifier = '']) => specifier)
    .filter((specifier) => specifier.endsWith(AS_TEXT));

/**
 * Names what a module imports as others find it: parts that are no packages lie beside it, sources are modules of
 * JavaScript. `file` is its own place in the package.
 */
export const rewriteSpecifiers = (code: string, file: string): string =>
  code.replaceAll(
    SPECIFIER,
    (_, before: string, quote: string, specifier: string) =>
      `${before}${quote}${placeOf(specifier, file)}${quote}`,
  );

function placeOf(specifier: string, file: string): string {
  // The compiler names types of templates by the package that Lit takes them from, which nobody has asked for.
  if (specifier === 'lit-html') return 'lit';
  if (specifier.startsWith(OF_CRDS)) return besides(file, `crds/${specifier.slice(OF_CRDS.length)}.js`);
  if (specifier.endsWith(AS_TEXT)) return besides(file, sheetPath(specifier));
  return specifier.startsWith('.') ? specifier.replace(/\.ts$/, '.js') : specifier;
}

function besides(file: string, target: string): string {
  const path = relative(dirname(file), target);
  return path.startsWith('.') ? path : `./${path}`;
}
