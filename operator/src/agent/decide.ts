// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { installLogName } from '@agenttier/crds/meta/names';
import type { Pod } from '../core.ts';
import type { Action, EventNote } from '../decision/actions.ts';
import { no } from '../decision/finding.ts';
import type { Finding } from '../decision/finding.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Outcome } from '../decision/outcome.ts';
import { buildInstallLog } from './installLog.ts';
import type { AgentFault, AgentNews, AgentTask, InstallState } from './news.ts';
import { ended, eventOf, findingOf, isNews, underWay } from './report.ts';
import type { AgentConfigure, Ending } from './report.ts';
import { agentWish, hasInstallation, installId, runningImage } from './wish.ts';
import type { AgentWish } from './wish.ts';

/** What is to be said and done about the agent of a sandbox whose pod is up. */
export interface AgentDecision {
  /** Stored before the status, which refers to it. */
  readonly before: readonly Action[];
  readonly after: readonly Action[];
  readonly configure?: AgentConfigure;
  /** The condition Configured. */
  readonly finding?: Finding;
  readonly events: readonly EventNote[];
  /** Milliseconds until something is to be tried again. */
  readonly dueMs?: number;
}

const NOTHING: AgentDecision = { before: [], after: [], events: [] };

/** The outcome of a pod that is up, with what there is to say about its agent. */
export function withAgent(outcome: Outcome, { configure, finding, events }: AgentDecision): Outcome {
  if (configure === undefined) return outcome;
  return {
    ...outcome,
    configured: finding,
    changes: { ...outcome.changes, agentConfigure: configure },
    events: [...(outcome.events ?? []), ...events],
  };
}

/** One agent with the pod that it runs in and what is known of both. */
interface Case {
  readonly state: SandboxState;
  readonly wish: AgentWish;
  readonly pod: Pod;
  readonly last: AgentConfigure;
  /** Of the installation that is still to be done. */
  readonly due?: string;
  /** Of the one that was done, here or, if it went well, in an earlier pod on the same image and volume. */
  readonly done?: { readonly id: string; readonly exitCode: number };
  readonly now: number;
}

/**
 * Brings the runtime of the pod to know how its agent is invoked, and has it installed where that was not done on this
 * image and volume. What is stored says which pod was told what, so that nothing is told twice and a new pod is told.
 */
export function decideAgent(state: SandboxState, spec: EffectiveSpec, now: number): AgentDecision {
  const { sandbox, pod } = state;
  const wish = agentWish(sandbox, spec, state.policy);
  if (wish === undefined || pod === undefined) return NOTHING;
  const one = { state, wish, pod, last: sandbox.status?.agentConfigure ?? {}, now };
  if (!hasInstallation(wish)) return settle(one);
  const image = runningImage(pod);
  const volume = state.pvc?.metadata.uid;
  if (image === undefined || volume === undefined) {
    return pending(one, no('Starting', 'the container is not reported yet'));
  }
  return settle({ ...one, ...installationOf(one, installId(wish, image, volume)) });
}

/** One that failed is tried again in another pod, or when something else is asked for. */
function installationOf({ last, pod }: Case, id: string): Pick<Case, 'due' | 'done'> {
  const { installCommandHash, installExitCode = 0, podUid } = last;
  const counts = installExitCode === 0 || podUid === pod.metadata.uid;
  return installCommandHash === id && counts ? { done: { id, exitCode: installExitCode } } : { due: id };
}

function settle(one: Case): AgentDecision {
  const { wish, last, due } = one;
  if (isSettled(one)) return { ...NOTHING, configure: last, finding: findingOf(last) };
  const news = newsOf(one);
  if (news === undefined) return tell(one, no('Pending', 'the runtime is being told'));
  if (news.fault !== undefined) return faulty(one, news.fault);
  if (due === undefined) return finished(one);
  if (news.install?.state === 'done') return finished(one, { id: due, log: news.install });
  const configure = underWay(wish, last, 'Installing');
  return { ...NOTHING, configure, finding: no('Installing', 'the agent is being installed') };
}

/** This pod was told all of this, and it ended. */
function isSettled({ wish, pod, last, due }: Case): boolean {
  const told = last.podUid === pod.metadata.uid && last.configHash === wish.configHash;
  return told && due === undefined && (last.state === 'Ready' || last.state === 'Failed');
}

/** What was heard of this very task. */
function newsOf({ state, wish, pod, due }: Case): AgentNews | undefined {
  const { agent } = state.observations;
  const isSame =
    agent?.podUid === pod.metadata.uid && agent?.configHash === wish.configHash && agent?.installId === due;
  return isSame ? agent : undefined;
}

const pending = ({ wish, last }: Case, finding: Finding): AgentDecision => ({
  ...NOTHING,
  configure: underWay(wish, last, 'Pending'),
  finding,
});

const tell = (one: Case, finding: Finding): AgentDecision => ({
  ...pending(one, finding),
  after: [{ do: 'tellAgent', task: taskOf(one) }],
});

function faulty(one: Case, { reason, message, retryAt }: AgentFault): AgentDecision {
  const finding = no(reason, message);
  return retryAt > one.now ? { ...pending(one, finding), dueMs: retryAt - one.now } : tell(one, finding);
}

/** The runtime knows everything, and where something was to be installed that has ended, well or not. */
function finished(one: Case, fresh?: { readonly id: string; readonly log: InstallState }): AgentDecision {
  const { wish, last, pod, done, now, state } = one;
  const { owner, settings } = state;
  const known = done && { ...done, skipped: done.exitCode === 0 };
  const install = fresh ? { id: fresh.id, exitCode: fresh.log.exitCode, skipped: false } : known;
  const ending: Ending = {
    podUid: pod.metadata.uid ?? '',
    now,
    ...(install ? { install } : {}),
    ...(fresh ? { logName: installLogName(owner.name) } : {}),
  };
  const configure = ended(wish, last, ending);
  const body = fresh && buildInstallLog(owner, fresh.log, settings.installLogBytes);
  return {
    before: body ? [{ do: 'installLog', body }] : [],
    after: [],
    configure,
    finding: findingOf(configure),
    events: isNews(wish, last, ending) && isAnything(configure) ? [eventOf(configure)] : [],
  };
}

/** An agent sandbox that nobody has configured yet was told its limits; that is no news. */
const isAnything = ({ entrypoint, installCommandHash }: AgentConfigure): boolean =>
  entrypoint !== undefined || installCommandHash !== undefined;

function taskOf({ wish, pod, due }: Case): AgentTask {
  const { settings, installCommand, files, configHash } = wish;
  const task = { podName: pod.metadata.name ?? '', podUid: pod.metadata.uid ?? '', configHash, settings };
  if (due === undefined) return task;
  const { workingDir, env } = settings;
  return { ...task, install: { id: due, command: installCommand, workingDir, env, files } };
}
