// SPDX-License-Identifier: Apache-2.0
import { parseConfigureEvent, parseInvokeEvent } from '@agenttier/crds/wire/agent';
import { type ServerEvent, ServerEventParser } from '@agenttier/crds/wire/serverEvents';
import { CLUSTER_SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { create, remove, type Target, untilStatus } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const ENTRYPOINT = ['/bin/sh', '-c', 'echo first'];

/** From the request until the agent's first line is here, one invocation after another. */
export async function measureInvoke(client: KubeClient, target: Target, rounds: number): Promise<Figure> {
  const name = `bench-agent-${Date.now().toString(36)}`;
  const template = {
    metadata: { name },
    spec: { mode: 'agent', inheritsFrom: { kind: 'ClusterSandboxTemplate', name: target.template } },
  };
  await client.create(CLUSTER_SANDBOX_TEMPLATES, undefined, template);
  try {
    const agents = { ...target, template: name };
    await create(agents, name);
    try {
      await untilStatus(target, name, 'Running');
      await configure(target, name);
      return figure('invoke → first output', await invocations(target, name, rounds), METHOD);
    } finally {
      await remove(target, name);
    }
  } finally {
    await client.delete(CLUSTER_SANDBOX_TEMPLATES, { name });
  }
}

const METHOD = 'REST, `sh -c "echo first"`, until its line is read, sequential';

async function invocations(target: Target, name: string, rounds: number): Promise<number[]> {
  const values: number[] = [];
  for (let round = -5; round < rounds; round += 1) {
    const started = performance.now();
    let first: number | undefined;
    await streamed(target, `${name}/invoke`, {}, (event) => {
      const known = parseInvokeEvent(event);
      if (known?.event === 'log') first ??= performance.now() - started;
    });
    if (first === undefined) throw new Error('the agent printed nothing');
    if (round >= 0) values.push(first);
  }
  return values;
}

async function configure(target: Target, name: string): Promise<void> {
  let exit: number | undefined;
  await streamed(target, `${name}/configure`, { entrypoint: ENTRYPOINT }, (event) => {
    const known = parseConfigureEvent(event);
    if (known?.event === 'result') exit = known.data.installExitCode;
  });
  if (exit !== 0) throw new Error(`the agent could not be configured: ${exit}`);
}

async function streamed(
  target: Target,
  path: string,
  body: object,
  see: (event: ServerEvent) => void,
): Promise<void> {
  const answer = await fetch(`${target.url}/api/v1/sandboxes/${path}?namespace=${target.namespace}`, {
    method: 'POST',
    headers: { 'X-API-Key': target.key, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  const parser = new ServerEventParser();
  const decoder = new TextDecoder();
  for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
    for (const event of parser.push(decoder.decode(bytes, { stream: true }))) see(event);
  }
}
