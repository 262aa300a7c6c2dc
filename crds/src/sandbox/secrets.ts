// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import { provisionedFiles } from './provision.ts';
import { isMountable } from './mounts.ts';
import { withoutTrailing } from '../meta/trailing.ts';

/** A Secret that a sandbox names, and where. */
export interface SecretReference {
  readonly name: string;
  /** Path of the field that holds the name. */
  readonly field: string;
}

/** What every kind of container may say about its variables. */
interface Variables {
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string } } }[];
  readonly envFrom?: readonly { readonly secretRef?: { readonly name: string } }[];
}

/**
 * Every Secret whose content would reach a process of the sandbox. Pull secrets are none: only the node reads them, and
 * it sends them to no other registry than the one that they are for.
 */
export function secretReferences(spec: EffectiveSpec): SecretReference[] {
  const credentials = (spec.credentials ?? []).map(({ secretName }, i) => ({
    name: secretName,
    field: `spec.credentials[${i}].secretName`,
  }));
  const containers = (['initContainers', 'sidecars'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap((container, i) => variableReferences(container, `spec.${list}[${i}]`)),
  );
  const files = provisionedFiles(spec).flatMap(({ secretRef, field }) =>
    secretRef === undefined ? [] : [{ name: secretRef.name, field: `${field}.secretRef.name` }],
  );
  return [...credentials, ...variableReferences(spec, 'spec'), ...containers, ...files];
}

function variableReferences({ env = [], envFrom = [] }: Variables, path: string): SecretReference[] {
  const single = env.map(({ valueFrom }, i) => ({
    name: valueFrom?.secretKeyRef?.name,
    field: `${path}.env[${i}].valueFrom.secretKeyRef.name`,
  }));
  const whole = envFrom.map(({ secretRef }, i) => ({
    name: secretRef?.name,
    field: `${path}.envFrom[${i}].secretRef.name`,
  }));
  return [...single, ...whole].flatMap(({ name, field }) => (name === undefined ? [] : [{ name, field }]));
}

/** What is wrong with credentials in themselves: files that nobody could find or that would cover something else. */
export function credentialViolations({ credentials = [], storage }: EffectiveSpec): Violation[] {
  const files = credentials.map((credential, i) => ({ ...credential, field: `spec.credentials[${i}]` }));
  const taken = new Set([withoutTrailing(storage?.mountPath || '/workspace', '/')]);
  return files
    .filter(({ mountAs }) => mountAs === 'file')
    .flatMap(({ mountPath = '', envPrefix, field }): Violation[] => {
      const path = withoutTrailing(mountPath, '/');
      const twice = taken.has(path);
      taken.add(path);
      return [
        ...(!isMountable(path)
          ? [
              wrong(
                `${field}.mountPath`,
                'must be an absolute path outside /proc, /sys, /dev, /etc, /tmp and /agenttier',
                mountPath,
              ),
            ]
          : []),
        ...(twice
          ? [
              wrong(
                `${field}.mountPath`,
                'is the directory of the workspace or of another credential: give each its own',
                mountPath,
              ),
            ]
          : []),
        ...(envPrefix
          ? [wrong(`${field}.envPrefix`, 'is for variables; leave it out for files', envPrefix)]
          : []),
      ];
    });
}

function wrong(field: string, remedy: string, actual: string): Violation {
  return { code: 'invalid_value', field, message: `${field} ${remedy}`, actual };
}
