// SPDX-License-Identifier: Apache-2.0
import { html } from 'lit';
import type { FolderEntry } from '../../data/files.ts';

const folder = html`<svg viewBox="0 0 20 20" aria-hidden="true">
  <path d="M2.5 5.5v10h15v-8h-8l-2-2z" />
</svg>`;
const sheet = html`<svg viewBox="0 0 20 20" aria-hidden="true">
  <path d="M5 2.5h6.5L15.5 7v10.5H5z M11.5 2.5V7h4" />
</svg>`;
const arrow = html`<svg viewBox="0 0 20 20" aria-hidden="true">
  <path d="M5 2.5h6.5L15.5 7v10.5H5z M7.5 14.5v-3h5 m-2-2 2 2-2 2" />
</svg>`;

export const iconOf = ({ type }: FolderEntry) =>
  type === 'dir' ? folder : type === 'symlink' ? arrow : sheet;
