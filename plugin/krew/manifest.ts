// SPDX-License-Identifier: Apache-2.0

export interface Release {
  /** Without the v in front. */
  readonly version: string;
  /** Where the archive is downloaded from. */
  readonly uri: string;
  /** Of the archive. */
  readonly sha256: string;
}

/** Name of the program in the archive; what it imports lies beside it. */
export const PROGRAM = 'kubectl-agenttier.js';

/** The manifest that krew installs the plugin by. One archive serves all platforms: it is JavaScript and starts by its #! line. */
export function krewManifest({ version, uri, sha256 }: Release): object {
  return {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'agenttier' },
    spec: {
      version: `v${version}`,
      shortDescription: 'Isolated, governed sandboxes',
      description:
        'Create, enter, copy, share and watch over sandboxes for people and AI agents: isolated by default, within the policies and quotas of their namespace.',
      caveats: 'Needs Node 24.11 or newer on the PATH. Completion: kubectl agenttier completion --help.',
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] },
          uri,
          sha256,
          bin: PROGRAM,
          files: [{ from: '*', to: '.' }],
        },
      ],
    },
  };
}
