// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_ACTION, ANNOTATION_BACKUP, ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import type { Violation } from '@agenttier/crds/meta/violation';
import { mayAct } from '@agenttier/crds/sandbox/access';
import type { SandboxAction } from '@agenttier/crds/sandbox/access';
import { isRedemption } from '@agenttier/crds/sandbox/shareLinks';
import { actorOf } from '../identity.ts';
import type { Principal } from '../identity.ts';
import { metadataChanged, sameJson, specChanged } from './change.ts';
import type { SpecifiedSandbox } from './specified.ts';

const NOT_OWNER = 'only the owner of the sandbox or an administrator may do this';

interface Act {
  readonly action: SandboxAction;
  readonly field: string;
}

/** Everything of the spec but what has a rule of its own. */
function rest({ spec }: SpecifiedSandbox): unknown {
  const {
    desiredState: _state,
    sharing: _sharing,
    resolved: _resolved,
    agentConfig: _agent,
    ports: _ports,
    ...others
  } = spec;
  return others;
}

function metadataAct(sandbox: SpecifiedSandbox, old: SpecifiedSandbox): Act[] {
  if (!metadataChanged(sandbox, old)) return [];
  const now = sandbox.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  const asked = [ANNOTATION_RETRY, ANNOTATION_ACTION].some((name) => now[name] !== before[name]);
  const acts: Act[] = [
    { action: asked && now[ANNOTATION_ACTION] !== 'stop' ? 'resume' : 'edit', field: 'metadata' },
  ];
  if (now[ANNOTATION_BACKUP] !== before[ANNOTATION_BACKUP])
    acts.push({ action: 'backup', field: 'metadata' });
  return acts;
}

/** What an update does, in the words of the ownership table. */
function actsOf(sandbox: SpecifiedSandbox, old: SpecifiedSandbox): Act[] {
  const acts: Act[] = [];
  if (!sameJson(sandbox.spec.desiredState, old.spec.desiredState)) {
    const action = sandbox.spec.desiredState === 'Stopped' ? 'stop' : 'resume';
    acts.push({ action, field: 'spec.desiredState' });
  }
  if (!sameJson(sandbox.spec.sharing, old.spec.sharing)) {
    acts.push({ action: 'share', field: 'spec.sharing' });
  }
  if (!sameJson(sandbox.spec.agentConfig, old.spec.agentConfig)) {
    acts.push({ action: 'configure', field: 'spec.agentConfig' });
  }
  if (!sameJson(sandbox.spec.ports, old.spec.ports)) acts.push({ action: 'ports', field: 'spec.ports' });
  if (!sameJson(rest(sandbox), rest(old))) acts.push({ action: 'edit', field: 'spec' });
  return [...acts, ...metadataAct(sandbox, old)];
}

/**
 * Whether a person takes what a link offers. Only the router can speak for people, and does so for this after it has seen
 * the secret of the link; so the secret never comes to the API server, whose audit log would keep it. What the person gets
 * by it, and that the use is counted, is checked here.
 */
function redeems(
  principal: Principal,
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox,
  now: number,
): boolean {
  const person = principal.role === 'person' || principal.role === 'admin';
  return person && isRedemption(old.spec.sharing, sandbox.spec.sharing, { sub: principal.sub, now });
}

/** The ownership table applied to an update; the operator may change metadata only. */
export function accessViolations(
  principal: Principal,
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox,
  now: number,
): Violation[] {
  if (principal.role === 'operator') {
    const message = 'the operator may change metadata and status only';
    return specChanged(sandbox, old) ? [{ code: 'not_owner', field: 'spec', message }] : [];
  }
  const actor = actorOf(principal);
  return actsOf(sandbox, old)
    .filter(({ action }) => !mayAct(actor, old.spec, action))
    .filter(({ action }) => action !== 'share' || !redeems(principal, sandbox, old, now))
    .map(({ field }) => ({ code: 'not_owner', field, message: NOT_OWNER }));
}

export function deleteViolations(principal: Principal, old: SpecifiedSandbox): Violation[] {
  const allowed = principal.role === 'operator' || mayAct(actorOf(principal), old.spec, 'delete');
  return allowed ? [] : [{ code: 'not_owner', field: 'metadata.name', message: NOT_OWNER }];
}
