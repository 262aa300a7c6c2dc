// SPDX-License-Identifier: Apache-2.0

/** Without members that are undefined, which exact optional properties do not take. */
export const present = <T extends object>(value: T): { [F in keyof T]?: Exclude<T[F], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
