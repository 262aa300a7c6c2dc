// SPDX-License-Identifier: Apache-2.0
import { html } from 'lit';
import { crumbsOf, isWithin, lastName, shownName } from '../../data/filePaths.ts';
import type { FilePath } from '../../data/filePaths.ts';

/** The other place that can be reached, beside the workspace. */
export const TMP: FilePath = '/tmp';

interface Places {
  readonly path: FilePath;
  readonly workspace: FilePath;
  /** What the workspace is called where one is elsewhere. */
  readonly workspaceName: string;
  readonly go: (path: FilePath) => void;
}

/** The way from the workspace, or from /tmp, down to the folder that is shown; and to the other of the two. */
export function crumbs({ path, workspace, workspaceName, go }: Places) {
  const inTmp = isWithin(path, TMP);
  const link = (to: FilePath, text: string) =>
    html`<button class="quiet" @click=${() => go(to)}>${text}</button>`;
  const [root = path, ...below] = crumbsOf(path, inTmp ? TMP : workspace);
  const step = (crumb: FilePath, text: string) =>
    html`<li>${crumb === path ? html`<span aria-current="page">${text}</span>` : link(crumb, text)}</li>`;
  return html`<ol class="crumbs">
      ${step(root, shownName(root))} ${below.map((crumb) => step(crumb, shownName(lastName(crumb))))}
    </ol>
    ${inTmp ? link(workspace, workspaceName) : link(TMP, shownName(TMP))}`;
}
