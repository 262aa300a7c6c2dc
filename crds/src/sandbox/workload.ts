// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { parseDuration } from '../meta/duration.ts';
import { imageOf, parseImage } from '../meta/imageReference.ts';
import { parseQuantity } from '../meta/quantity.ts';
import type { Violation, ViolationCode } from '../meta/violation.ts';
import { containerViolations } from './containers.ts';
import { harnessViolations } from './harness.ts';
import { isMountable } from './mounts.ts';
import { provisionViolations } from './provisionChecks.ts';
import { networkViolations } from './network.ts';
import { credentialViolations } from './secrets.ts';

/** Prefix of variables that the platform sets. */
const RESERVED_ENV = 'AGENTTIER_';

/**
 * What is wrong with the fields that sandboxes and templates have in common, beyond what the schema
 * can say. An absent field is never wrong here.
 */
export function workloadViolations(spec: EffectiveSpec): Violation[] {
  return [
    ...imageViolations(spec),
    ...storageViolations(spec),
    ...networkViolations(spec),
    ...envViolations(spec),
    ...timeViolations(spec),
    ...credentialViolations(spec),
    ...containerViolations(spec),
    ...agentViolations(spec),
    ...harnessViolations(spec),
    ...provisionViolations(spec),
  ];
}

function imageViolations({ image }: EffectiveSpec): Violation[] {
  if (image?.repository === undefined || image.repository === '') return [];
  const reference = imageOf(image);
  if (parseImage(reference) !== undefined) return [];
  const field = 'spec.image.repository';
  return [wrong(field, `${field} is no image reference such as ghcr.io/acme/tools:1.2`, reference)];
}

function storageViolations({ storage }: EffectiveSpec): Violation[] {
  const out: Violation[] = [];
  const { mountPath, size } = storage ?? {};
  if (mountPath !== undefined && mountPath !== '' && !isMountable(mountPath)) {
    const field = 'spec.storage.mountPath';
    const message = `${field} must be an absolute path without '..' outside /proc, /sys, /dev, /etc, /tmp and /agenttier`;
    out.push(wrong(field, message, mountPath));
  }
  if (size !== undefined && parseQuantity(size) === 0n) {
    out.push(wrong('spec.storage.size', 'spec.storage.size must be larger than zero', String(size)));
  }
  return out;
}

function envViolations({ env }: EffectiveSpec): Violation[] {
  return (env ?? []).flatMap(({ name, value, valueFrom }, i) => {
    const field = `spec.env[${i}]`;
    const out: Violation[] = [];
    if (name.toUpperCase().startsWith(RESERVED_ENV)) {
      const message = `${field}.name is ${name}: names that begin with ${RESERVED_ENV} belong to the platform`;
      out.push({ ...wrong(`${field}.name`, message, name), code: 'reserved_env' });
    }
    if (value !== undefined && value !== '' && valueFrom !== undefined) {
      out.push(wrong(field, `${field} has both value and valueFrom: keep one`));
    }
    return out;
  });
}

function timeViolations(spec: EffectiveSpec): Violation[] {
  return (['timeout', 'idleTimeout'] as const).flatMap((key) => {
    const value = spec[key];
    if (value === undefined || parseDuration(value) !== undefined) return [];
    const message = `spec.${key} is no duration such as 30m, 1h30m or 0 (days do not exist: write 24h)`;
    return [wrong(`spec.${key}`, message, value)];
  });
}

function agentViolations({ harness }: EffectiveSpec): Violation[] {
  const { env, defaultInvokeTimeout, entrypoint, installCommand } = harness?.agent ?? {};
  const at = 'spec.harness.agent';
  const out: Violation[] = envViolations({ env: env ?? [] }).map((violation) => ({
    ...violation,
    field: violation.field.replace('spec.', `${at}.`),
    message: violation.message.replace('spec.', `${at}.`),
  }));
  if (defaultInvokeTimeout !== undefined && parseDuration(defaultInvokeTimeout) === undefined) {
    const field = `${at}.defaultInvokeTimeout`;
    out.push(wrong(field, `${field} is no duration such as 30m or 1h30m`, defaultInvokeTimeout));
  }
  for (const [key, command] of Object.entries({ entrypoint, installCommand })) {
    if (command?.[0] === '') out.push(wrong(`${at}.${key}[0]`, `${at}.${key}[0] must name a program`));
  }
  return out;
}

function wrong(field: string, message: string, actual?: string): Violation {
  const code: ViolationCode = 'invalid_value';
  return { code, field, message, ...(actual === undefined ? {} : { actual }) };
}
