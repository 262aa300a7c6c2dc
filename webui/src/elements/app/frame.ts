// SPDX-License-Identifier: Apache-2.0
import type { TextKey } from '../../text/text.ts';

/** What a page needs of the dashboard around it. */
export interface Frame {
  readonly theme: string;
  readonly isAdmin: boolean;
  say(key: TextKey, params?: Readonly<Record<string, string | number>>): string;
  navigate(path: string): void;
  /** A link's click stays on the page. */
  follow(path: string): (event: MouseEvent) => void;
  href(path: string): string;
  create(): void;
}
