// SPDX-License-Identifier: Apache-2.0
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { Sandbox } from '../../data/sandboxes.ts';
import type { Server } from '../../data/server.ts';
import '../activity-log/activity-log.ts';
import '../agent-panel/agent-panel.ts';
import '../backups/backups.ts';
import '../port-forwards/port-forwards.ts';
import '../sandbox-limits/sandbox-limits.ts';
import '../sandbox-values/sandbox-values.ts';
import '../sharing/sharing.ts';

export const SECTIONS = [
  'overview',
  'files',
  'ports',
  'agent',
  'limits',
  'network',
  'values',
  'sharing',
  'backups',
  'activity',
] as const;
export type Section = (typeof SECTIONS)[number];

/** What a panel needs of the page that it is in. */
interface Place {
  readonly sandbox: Sandbox;
  readonly sandboxId: string;
  readonly namespace: string;
  readonly theme: string;
  readonly lang: string;
  readonly source: Server | undefined;
}

/** Sections that are one element each. */
export const PANELS: Readonly<
  Record<Exclude<Section, 'overview' | 'files'>, (place: Place) => TemplateResult>
> = {
  ports: ({ source, sandboxId, namespace, theme, lang }) =>
    html`<agenttier-port-forwards .server=${source} sandbox-id=${sandboxId} namespace=${namespace} theme=${theme} lang=${lang}></agenttier-port-forwards>`,
  agent: ({ source, sandboxId, namespace, theme, lang }) =>
    html`<agenttier-agent-panel .server=${source} sandbox-id=${sandboxId} namespace=${namespace} theme=${theme} lang=${lang}></agenttier-agent-panel>`,
  limits: ({ source, sandbox, theme, lang }) =>
    html`<agenttier-sandbox-limits .server=${source} .sandbox=${sandbox} theme=${theme} lang=${lang}></agenttier-sandbox-limits>`,
  network: (place) => values(place, 'network'),
  values: (place) => values(place, ''),
  sharing: ({ source, sandboxId, namespace, theme, lang }) =>
    html`<agenttier-sharing .server=${source} sandbox-id=${sandboxId} namespace=${namespace} theme=${theme} lang=${lang}></agenttier-sharing>`,
  backups: ({ source, sandboxId, namespace, theme, lang }) =>
    html`<agenttier-backups .server=${source} sandbox-id=${sandboxId} namespace=${namespace} theme=${theme} lang=${lang}></agenttier-backups>`,
  activity: ({ source, sandboxId, namespace, theme, lang }) =>
    html`<agenttier-activity-log .server=${source} sandbox-id=${sandboxId} namespace=${namespace} theme=${theme} lang=${lang}></agenttier-activity-log>`,
};

const values = ({ source, sandboxId, namespace, theme, lang }: Place, only: string): TemplateResult =>
  html`<agenttier-sandbox-values .server=${source} sandbox-id=${sandboxId} namespace=${namespace} only=${only} theme=${theme} lang=${lang}></agenttier-sandbox-values>`;
