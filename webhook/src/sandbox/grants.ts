// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import { isListed, isReservedSecretName } from '@agenttier/crds/governance/grants';
import { secretViolations, serviceAccountViolations } from '@agenttier/crds/governance/grants';
import type { SecretFacts } from '@agenttier/crds/governance/grants';
import { LABEL_CREDENTIAL, LABEL_IDENTITY, LABEL_SECRET_PURPOSE } from '@agenttier/crds/meta/labels';
import type { Violation } from '@agenttier/crds/meta/violation';
import { standingOf } from '@agenttier/crds/sandbox/access';
import { secretReferences } from '@agenttier/crds/sandbox/secrets';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import {
  pathOf,
  SECRETS,
  SERVICE_ACCOUNTS,
  SUBJECT_ACCESS_REVIEWS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import { actorOf } from '../identity.ts';
import type { Principal } from '../identity.ts';
import type { UserInfo } from '../review.ts';
import { userFieldsChanged } from './change.ts';
import type { SpecifiedSandbox } from './specified.ts';

export interface GrantInput {
  readonly namespace: string;
  readonly sandbox: SpecifiedSandbox;
  readonly old: SpecifiedSandbox | undefined;
  /** The effective spec that is to be admitted. */
  readonly spec: EffectiveSpec;
  readonly policy: EffectivePolicy;
  readonly principal: Principal;
  readonly userInfo: UserInfo;
}

/** Decides which Secrets and ServiceAccounts a sandbox may be given. */
export interface Grants {
  /** Rejects with KubeError when the API server cannot be asked. */
  judge(input: GrantInput, signal: AbortSignal): Promise<Violation[]>;
  /** Whether the cluster's own rules let somebody read one object. */
  mayRead(resource: Resource, question: ReadQuestion, signal: AbortSignal): Promise<boolean>;
}

type Labels = Readonly<Record<string, string>>;

/** Only metadata is asked for: the content of a Secret is none of our business and never comes into this process. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

async function labelsOf(
  client: KubeClient,
  resource: Resource,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<Labels | undefined> {
  try {
    const request = { method: 'GET', path: pathOf(resource, key), headers: { accept: METADATA_ONLY } };
    const { body } = await client.raw(request, { signal });
    return (body as KubeObject).metadata.labels ?? {};
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

interface AccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean };
}

export interface ReadQuestion {
  readonly namespace: string;
  readonly name: string;
  readonly userInfo: UserInfo;
}

/** Whether the cluster's own rules let somebody read one object. */
async function mayRead(
  client: KubeClient,
  resource: Resource,
  { namespace, name, userInfo }: ReadQuestion,
  signal: AbortSignal,
): Promise<boolean> {
  const { username = '', uid, groups = [], extra } = userInfo;
  const { group, version, plural } = resource;
  const body: AccessReview = {
    metadata: {},
    spec: {
      user: username,
      groups,
      ...(uid ? { uid } : {}),
      ...(extra ? { extra } : {}),
      resourceAttributes: { namespace, verb: 'get', group, version, resource: plural, name },
    },
  };
  const answer = await client.create(SUBJECT_ACCESS_REVIEWS, undefined, body, { signal });
  return answer.status?.allowed === true;
}

/** For people behind the router the answer would be that of a group that all of them are in, so they are not asked for. */
async function mayReadSecret(
  client: KubeClient,
  { principal, namespace, userInfo }: GrantInput,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  return principal.role === 'cluster' && mayRead(client, SECRETS, { namespace, name, userInfo }, signal);
}

/** Asks as little as decides: labels first, the person's rights only where neither they nor the policy allow it. */
async function secretFacts(
  client: KubeClient,
  input: GrantInput,
  name: string,
  signal: AbortSignal,
): Promise<SecretFacts> {
  const key = { namespace: input.namespace, name };
  const labels = (await labelsOf(client, SECRETS, key, signal)) ?? {};
  const reserved = LABEL_SECRET_PURPOSE in labels;
  const offered = labels[LABEL_CREDENTIAL] === 'true';
  const decided = reserved || offered || isListed(input.policy.allowedSecrets, name);
  return { reserved, offered, readable: !decided && (await mayReadSecret(client, input, name, signal)) };
}

/**
 * What was let in before. The owner does not have to answer for it again; somebody else who changes what runs in the
 * sandbox does, for else he could read by it what he may not read.
 */
function granted({ old, sandbox, principal }: GrantInput): EffectiveSpec {
  if (!old) return {};
  const standing = standingOf(actorOf(principal), old.spec);
  const trusted = standing === 'owner' || standing === 'admin' || !userFieldsChanged(sandbox, old);
  return (trusted ? old.spec.resolved?.spec : undefined) ?? {};
}

async function judgeSecrets(
  client: KubeClient,
  input: GrantInput,
  signal: AbortSignal,
): Promise<Violation[]> {
  const before = new Set(secretReferences(granted(input)).map(({ name }) => name));
  const names = new Set(secretReferences(input.spec).map(({ name }) => name));
  const asked = [...names].filter((name) => !before.has(name) && !isReservedSecretName(name));
  const facts = new Map<string, SecretFacts>();
  await Promise.all(
    asked.map(async (name) => facts.set(name, await secretFacts(client, input, name, signal))),
  );
  return secretViolations(input.spec, input.policy, (name) => facts.get(name));
}

async function judgeAccount(
  client: KubeClient,
  input: GrantInput,
  signal: AbortSignal,
): Promise<Violation[]> {
  const { spec, policy, namespace } = input;
  const name = spec.serviceAccount;
  if (!name || granted(input).serviceAccount === name) return [];
  const labels = await labelsOf(client, SERVICE_ACCOUNTS, { namespace, name }, signal);
  return serviceAccountViolations(spec, policy, labels?.[LABEL_IDENTITY] === 'true');
}

export function createGrants(client: KubeClient): Grants {
  return {
    async judge(input, signal) {
      const [secrets, accounts] = await Promise.all([
        judgeSecrets(client, input, signal),
        judgeAccount(client, input, signal),
      ]);
      return [...secrets, ...accounts];
    },
    mayRead: (resource, question, signal) => mayRead(client, resource, question, signal),
  };
}
