// SPDX-License-Identifier: Apache-2.0

/** What of a workspace's package.json matters here. */
export interface Workspace {
  readonly name: string;
  readonly description?: string;
  readonly license: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Paths in a package by what they are imported as: `.`, `./terminal`. */
export type Entries = Readonly<Record<string, string>>;

/** Folder of a package that holds its modules. */
export const LIB = 'lib';

const CLIENT = '@agenttier/client';
const CRDS = '@agenttier/crds';

/** ES2024 is what the sources may use. */
const ENGINES = { node: '>=22' };

export function renderClientManifest(workspace: Workspace, version: string, entries: Entries): object {
  return {
    ...headOf(workspace, version),
    engines: ENGINES,
    sideEffects: false,
    exports: { ...exportsOf(entries), './package.json': './package.json' },
    files: [LIB],
  };
}

export function renderElementsManifest(workspace: Workspace, version: string, entries: Entries): object {
  return {
    ...headOf(workspace, version),
    engines: ENGINES,
    customElements: 'custom-elements.json',
    // Modules of elements define them; of all others nothing is left where nobody uses what they export.
    sideEffects: [`./${LIB}/elements.js`, `./${LIB}/elements/**`],
    exports: {
      ...exportsOf(entries),
      './custom-elements.json': './custom-elements.json',
      './package.json': './package.json',
    },
    files: [LIB, 'custom-elements.json'],
    dependencies: dependenciesOf(workspace, version),
    // Only their types are used, by those who import them.
    peerDependencies: { react: '>=19', vue: '>=3.5' },
    peerDependenciesMeta: { react: { optional: true }, vue: { optional: true } },
  };
}

const headOf = ({ name, description, license }: Workspace, version: string): object => ({
  name,
  version,
  description,
  license,
  type: 'module',
});

const exportsOf = (entries: Entries): object =>
  Object.fromEntries(
    Object.entries(entries).map(([name, path]) => [
      name,
      { types: `./${LIB}/${path}.d.ts`, default: `./${LIB}/${path}.js` },
    ]),
  );

/** A page has one Lit and one editor only when others may bring a newer one; the client has to be of the same version. */
const dependenciesOf = ({ dependencies = {} }: Workspace, version: string): object =>
  Object.fromEntries(
    Object.entries(dependencies)
      .filter(([name]) => name !== CRDS)
      .map(([name, exact]) => [name, name === CLIENT ? version : `^${exact}`]),
  );
