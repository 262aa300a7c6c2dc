// SPDX-License-Identifier: Apache-2.0
import type { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { Caches } from '../caches.ts';
import { runtimeOf } from '../runtime/address.ts';
import type { RuntimeAddress } from '../runtime/address.ts';
import { askRuntime } from '../runtime/client.ts';
import type { AskRuntime, RuntimeAnswer, RuntimeFailure } from '../runtime/client.ts';
import type { Notebook } from '../sandbox/notes.ts';
import type { Settings } from '../settings.ts';
import type { AgentFault, AgentNews, AgentTask, InstallState, InstallTask } from './news.ts';

export interface AgentLinksOptions {
  /** Where the runtime of that very pod listens now; undefined when the pod is gone. */
  readonly addressOf: (key: string, podName: string, podUid: string) => RuntimeAddress | undefined;
  /** Told whenever there is something new about the task of a sandbox. */
  readonly onNews: (key: string, news: AgentNews) => void;
  readonly signal: AbortSignal;
  readonly ask?: AskRuntime;
  readonly now?: () => number;
}

interface Link {
  readonly name: string;
  readonly stop: AbortController;
}

/** The runtime holds an answer back this long when nothing happens; asking is repeated then. */
const WAIT_S = 25;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * Conversations with runtimes about their agents, one per sandbox. They only ask and note: everything said is repeatable,
 * and an operator that starts anew finds an installation under its id where another has left it.
 */
export class AgentLinks {
  readonly #options: AgentLinksOptions;
  readonly #links = new Map<string, Link>();
  readonly #failures = new Map<string, number>();

  constructor(options: AgentLinksOptions) {
    this.#options = options;
  }

  /** Begins, unless this very task is being worked on. Another task of the key ends the talk about the last. */
  start(key: string, task: AgentTask): void {
    const name = [task.podUid, task.configHash, task.install?.id].join('/');
    const current = this.#links.get(key);
    if (current?.name === name) return;
    current?.stop.abort();
    const link = { name, stop: new AbortController() };
    this.#links.set(key, link);
    void this.#run(key, task, link);
  }

  /** The sandbox is gone. */
  end(key: string): void {
    this.#links.get(key)?.stop.abort();
    this.#links.delete(key);
    this.#failures.delete(key);
  }

  async #run(key: string, task: AgentTask, link: Link): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, link.stop.signal]);
    const about = { podUid: task.podUid, configHash: task.configHash, installId: task.install?.id };
    const talk = new Talk(this.#options, { key, task, signal });
    const tell = (rest: Partial<AgentNews>): void => {
      if (!signal.aborted) this.#options.onNews(key, { ...about, ...rest });
    };
    const failure = await talk.tell(tell);
    if (signal.aborted) return;
    if (failure === undefined) this.#failures.delete(key);
    // Over before it is said: what is decided upon the news may be the same task again.
    if (this.#links.get(key) === link) this.#links.delete(key);
    if (failure !== undefined) tell({ fault: this.#faultOf(key, failure) });
  }

  #faultOf(key: string, failure: RuntimeFailure): AgentFault {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const now = (this.#options.now ?? Date.now)();
    const retryAt = now + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    return failure.status === 424
      ? {
          reason: 'FilesMissing',
          message: 'files of spec.agentConfig are not in the sandbox yet, or differ',
          retryAt,
        }
      : { reason: 'RuntimeUnreachable', message: `the runtime cannot be told: ${failure.message}`, retryAt };
  }
}

export interface AgentLinksParts {
  readonly caches: Pick<Caches, 'sandboxes' | 'pods'>;
  readonly settings: Pick<Settings, 'tokenKey'>;
  readonly queue: Pick<WorkQueue, 'add'>;
  readonly notebook: Pick<Notebook, 'peek'>;
}

/** Links that find pods in the caches and bring their news to the notes of the sandbox, to be decided upon. */
export function createAgentLinks(
  { caches, settings, queue, notebook }: AgentLinksParts,
  signal: AbortSignal,
): AgentLinks {
  const addressOf = (key: string, podName: string, podUid: string): RuntimeAddress | undefined => {
    const { namespace, uid = '' } = caches.sandboxes.getByKey(key)?.metadata ?? {};
    const pod = caches.pods.get(namespace, podName);
    return pod?.metadata.uid === podUid ? runtimeOf(pod, uid, settings.tokenKey) : undefined;
  };
  const onNews = (key: string, news: AgentNews): void => {
    notebook.peek(key)?.agentHeard(news);
    queue.add(key);
  };
  return new AgentLinks({ addressOf, onNews, signal });
}

interface TalkInput {
  readonly key: string;
  readonly task: AgentTask;
  readonly signal: AbortSignal;
}

class Talk {
  readonly #options: AgentLinksOptions;
  readonly #input: TalkInput;

  constructor(options: AgentLinksOptions, input: TalkInput) {
    this.#options = options;
    this.#input = input;
  }

  /** Undefined once everything is told and installed; each step on the way is told to the caller. */
  async tell(tell: (news: Partial<AgentNews>) => void): Promise<RuntimeFailure | undefined> {
    const { settings, configHash, install } = this.#input.task;
    const told = await this.#ask({ method: 'PUT', path: '/agent', body: { ...settings, hash: configHash } });
    if (!told.ok) return told;
    if (install === undefined) {
      tell({});
      return undefined;
    }
    let state = await this.#begin(install);
    while (state.ok && state.body.state === 'running') {
      tell({ install: state.body });
      state = await this.#look(WAIT_S);
    }
    if (!state.ok) return state;
    if (state.body.id !== install.id) return lost('the runtime has another installation than was asked for');
    tell({ install: state.body });
    return undefined;
  }

  /** One installation at a time: what another configuration began is ended first. */
  async #begin(install: InstallTask): Promise<RuntimeAnswer<InstallState>> {
    const call = { method: 'POST', path: '/install', body: install } as const;
    const first = await this.#ask<InstallState>(call);
    if (first.ok || first.status !== 409) return first;
    const other = await this.#look(0);
    if (!other.ok) return other;
    await this.#ask({ method: 'DELETE', path: `/install/${encodeURIComponent(other.body.id ?? '')}` });
    return this.#ask<InstallState>(call);
  }

  #look(seconds: number): Promise<RuntimeAnswer<InstallState>> {
    const timeoutMs = seconds * 1000 + 10_000;
    return this.#ask<InstallState>({ method: 'GET', path: `/install?wait=${seconds}s`, timeoutMs });
  }

  async #ask<T>(call: Parameters<AskRuntime>[1]): Promise<RuntimeAnswer<T>> {
    const { key, task, signal } = this.#input;
    const address = this.#options.addressOf(key, task.podName, task.podUid);
    if (address === undefined) return lost('the pod is gone');
    return (this.#options.ask ?? askRuntime)<T>(address, { ...call, signal });
  }
}

const lost = (message: string): RuntimeFailure => ({ ok: false, cause: 'lost', message });
