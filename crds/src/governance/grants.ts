// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import { secretReferences } from '../sandbox/secrets.ts';
import type { Bound, EffectivePolicy } from './effective.ts';

/** What the cluster says about one Secret that a sandbox names. */
export interface SecretFacts {
  /** It is one of the platform's own: nobody may hand it to a sandbox. */
  readonly reserved: boolean;
  /** Its label offers it to every sandbox of the namespace. */
  readonly offered: boolean;
  /** The person who acts may read it anyway. */
  readonly readable: boolean;
}

/** Names that the platform gives to Secrets of its own. Kept by name, too: such a Secret may be made only later. */
const RESERVED_NAME = /(-runtime-token$|-plan-[0-9a-f]{10}$|^agenttier-(apikey-|runtime-key$|webhook-tls$))/;

export function isReservedSecretName(name: string): boolean {
  return RESERVED_NAME.test(name);
}

/** Whether a list of a policy lets a name be used: some policy lists it, and none that has a list leaves it out. */
export function isListed(bounds: readonly Bound<readonly string[]>[], name: string): boolean {
  return bounds.length > 0 && bounds.every(({ value }) => value.includes(name));
}

/**
 * The Secrets that may not be handed to the sandbox. `factsOf` answers for a name; undefined stands for one that was let
 * in before and that nobody has to answer for again.
 */
export function secretViolations(
  spec: EffectiveSpec,
  policy: EffectivePolicy,
  factsOf: (name: string) => SecretFacts | undefined,
): Violation[] {
  return secretReferences(spec).flatMap(({ name, field }): Violation[] => {
    const facts = factsOf(name);
    if (facts?.reserved || isReservedSecretName(name)) {
      const message = `${field} is ${name}, which the platform keeps for itself`;
      return [{ code: 'secret_not_allowed', field, message, actual: name }];
    }
    if (!facts || facts.offered || facts.readable || isListed(policy.allowedSecrets, name)) return [];
    const message = `${field} is ${name}, which you may not use: the Secret needs the label agenttier.io/sandbox-credential=true, the policy's allowedSecrets its name, or you the right to read it`;
    return [{ code: 'secret_not_allowed', field, message, actual: name }];
  });
}

/** A ServiceAccount carries rights: it has to be offered by its label or listed. `offered` undefined: let in before. */
export function serviceAccountViolations(
  { serviceAccount }: EffectiveSpec,
  policy: EffectivePolicy,
  offered: boolean | undefined,
): Violation[] {
  if (!serviceAccount || offered !== false || isListed(policy.allowedServiceAccounts, serviceAccount))
    return [];
  const field = 'spec.serviceAccount';
  const message = `${field} is ${serviceAccount}, which may not be used: the ServiceAccount needs the label agenttier.io/sandbox-identity=true, or the policy's allowedServiceAccounts its name`;
  return [{ code: 'service_account_not_allowed', field, message, actual: serviceAccount }];
}
