// SPDX-License-Identifier: Apache-2.0
import { stringify } from 'yaml';
import { sortKeys } from './sortKeys.ts';

/**
 * YAML as kubectl reads it: kubectl parses YAML 1.1, where a bare `yes`, `on` or `1_000` is not a string, so strings are
 * quoted by 1.1 rules. Lines are not folded and shared values are not turned into anchors.
 */
export function toYaml(value: unknown): string {
  return stringify(sortKeys(value), {
    version: '1.1',
    lineWidth: 0,
    aliasDuplicateObjects: false,
    indentSeq: false,
    defaultStringType: 'PLAIN',
  });
}
