// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addGroup, addVerb } from '../context/verb.ts';
import type * as Runs from './run.ts';

type Work = typeof Runs;
const work =
  <Name extends keyof Work>(name: Name) =>
  async (): Promise<Work[Name]> =>
    (await import('./run.ts'))[name];

const GROUP = {
  name: 'cluster',
  summary: 'The cluster at a glance: nodes, room, placeholders',
  description: 'What the router knows of the cluster. Nodes and changes are for administrators.',
  verbs: 'status|nodes|headroom',
};

export function addCluster(program: Command, app: App): void {
  const cluster = addGroup(program, GROUP);
  addVerb(cluster, app, {
    usage: 'status',
    summary: 'Show the cluster at a glance',
    output: 'value',
    examples: ['kubectl agenttier cluster status'],
    load: work('clusterStatus'),
  });
  addVerb(cluster, app, {
    usage: 'nodes',
    summary: 'List the nodes with what pods have asked of them',
    output: 'rows',
    examples: ['kubectl agenttier cluster nodes'],
    load: work('listNodes'),
  });
  addVerb(cluster, app, {
    usage: 'headroom',
    summary: 'Show the placeholders that keep room on the nodes, or change them',
    flags: [
      { flags: '--replicas <count>', about: 'how many, 0 to 50' },
      { flags: '--cpu <quantity>', about: 'CPU of each; needs --replicas' },
      { flags: '--memory <quantity>', about: 'memory of each; needs --replicas' },
    ],
    output: 'value',
    examples: [
      'kubectl agenttier cluster headroom',
      'kubectl agenttier cluster headroom --replicas 2 --cpu 1',
    ],
    load: work('headroom'),
  });
}
