// SPDX-License-Identifier: Apache-2.0
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { TextKey } from '../../text/text.ts';

/** Sections that belong together share an entry of the head and have a navigation of their own. */
export type Group = 'cluster' | 'account';

/** Who looks, and in which light. */
export interface Viewer {
  readonly theme: string;
  readonly isAdmin: boolean;
}

export interface Section {
  readonly path: string;
  readonly text: TextKey;
  readonly group: Group;
  /** Others would only be refused: for them it is not there. */
  readonly admin: boolean;
  /** Its elements come when it is shown. */
  readonly load: () => Promise<unknown>;
  readonly show: (viewer: Viewer) => TemplateResult;
}

export const SECTIONS = {
  metrics: {
    path: '/cluster/metrics',
    text: 'nav.metrics',
    group: 'cluster',
    admin: true,
    load: () => import('../metrics/metrics.ts'),
    show: ({ theme }) => html`<agenttier-metrics theme=${theme}></agenttier-metrics>`,
  },
  capacity: {
    path: '/cluster/capacity',
    text: 'nav.capacity',
    group: 'cluster',
    admin: true,
    load: () => import('../cluster-capacity/cluster-capacity.ts'),
    show: ({ theme }) => html`<agenttier-cluster-capacity theme=${theme}></agenttier-cluster-capacity>`,
  },
  costs: {
    path: '/cluster/costs',
    text: 'nav.costs',
    group: 'cluster',
    admin: true,
    load: () => import('../cost-estimator/cost-estimator.ts'),
    show: ({ theme }) => html`<agenttier-cost-estimator theme=${theme}></agenttier-cost-estimator>`,
  },
  activity: {
    path: '/cluster/activity',
    text: 'nav.activity',
    group: 'cluster',
    admin: false,
    load: () => import('../activity-log/activity-log.ts'),
    show: ({ theme }) => html`<agenttier-activity-log theme=${theme}></agenttier-activity-log>`,
  },
  governance: {
    path: '/cluster/policies',
    text: 'nav.governance',
    group: 'cluster',
    admin: false,
    load: () => import('../governance-editor/governance-editor.ts'),
    show: ({ theme, isAdmin }) =>
      html`<agenttier-governance-editor theme=${theme} ?readonly=${!isAdmin}></agenttier-governance-editor>`,
  },
  pools: {
    path: '/cluster/pools',
    text: 'nav.pools',
    group: 'cluster',
    admin: false,
    load: () => import('../warm-pools/warm-pools.ts'),
    show: ({ theme, isAdmin }) =>
      html`<agenttier-warm-pools theme=${theme} ?readonly=${!isAdmin}></agenttier-warm-pools>`,
  },
  headroom: {
    path: '/cluster/headroom',
    text: 'nav.headroom',
    group: 'cluster',
    admin: false,
    load: () => import('../headroom/headroom.ts'),
    show: ({ theme, isAdmin }) =>
      html`<agenttier-headroom theme=${theme} ?readonly=${!isAdmin}></agenttier-headroom>`,
  },
  keys: {
    path: '/keys',
    text: 'nav.keys',
    group: 'account',
    admin: false,
    load: () => import('../api-keys/api-keys.ts'),
    show: ({ theme }) => html`<agenttier-api-keys theme=${theme}></agenttier-api-keys>`,
  },
  webhooks: {
    path: '/webhooks',
    text: 'nav.webhooks',
    group: 'account',
    admin: false,
    load: () => import('../webhooks/webhooks.ts'),
    show: ({ theme }) => html`<agenttier-webhooks theme=${theme}></agenttier-webhooks>`,
  },
} as const satisfies Readonly<Record<string, Section>>;

export type SectionName = keyof typeof SECTIONS;

const NAMES = Object.keys(SECTIONS) as readonly SectionName[];

/** The section whose address this is. */
export const sectionAt = (path: string): SectionName | undefined =>
  NAMES.find((name) => SECTIONS[name].path === path);

/** What somebody finds in a group. */
export const sectionsOf = (group: Group, isAdmin: boolean): readonly SectionName[] =>
  NAMES.filter((name) => SECTIONS[name].group === group && (isAdmin || !SECTIONS[name].admin));
