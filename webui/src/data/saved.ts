// SPDX-License-Identifier: Apache-2.0

/** What came of a write: it is stored, or somebody else was first and this is what there is now. */
export type Saved<T> =
  | { readonly outcome: 'saved'; readonly value: T; readonly warnings?: readonly string[] | undefined }
  | { readonly outcome: 'changed'; readonly current: T };

/** What is asked for, as the text of an editor says it. */
export type Spec = Readonly<Record<string, unknown>>;
