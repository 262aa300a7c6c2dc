// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

/** Between two texts are buttons that take a difference over. They belong to neither editor, so no theme of one reaches them. */
export const mergeStyles = css`
  .cm-merge-revert {
    width: 2rem;
    background: var(--bg);
  }
  .cm-merge-revert button {
    display: grid;
    place-items: center;
    width: 1.5rem;
    min-height: 1.5rem;
    height: 1.5rem;
    margin-inline: 0.25rem;
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 5px;
    background: var(--raised);
    color: var(--accent);
    font: inherit;
    cursor: pointer;
  }
`;
