// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '@agenttier/client';
import type { InvokeExit, InvokeStart } from '@agenttier/crds/wire/agent';
import type { Person } from '@agenttier/crds/wire/terminal';
import type { Restored } from './data/backups.ts';
import type { Glance } from './data/cluster.ts';
import type { Headroom } from './data/headroom.ts';
import type { ForwardedPort } from './data/ports.ts';
import type { Problem } from './data/problem.ts';
import type { BulkAction, BulkOutcome, Changed, Created, Sandbox } from './data/sandboxes.ts';
import type { Template } from './data/templates.ts';
import type { LinkState } from './elements/terminal/link.ts';

export type SandboxAction = 'stop' | 'resume' | 'delete';

export interface SandboxActionDetail {
  readonly sandbox: Sandbox;
  readonly action: SandboxAction;
}

export interface BulkResultDetail {
  readonly action: BulkAction;
  readonly outcomes: readonly BulkOutcome[];
}

/** What events carry as their `detail`; null = the name says it all. */
export interface EventDetails {
  'agenttier-api-key': { readonly key: string };
  'agenttier-api-keys-changed': null;
  'agenttier-auth-required': null;
  'agenttier-backup-created': null;
  'agenttier-backup-restored': Restored;
  'agenttier-bulk-result': BulkResultDetail;
  'agenttier-cluster-status': Glance;
  'agenttier-command': { readonly id: string };
  'agenttier-connection': { readonly connected: boolean };
  'agenttier-error': Problem;
  'agenttier-file-close': null;
  'agenttier-file-conflict': { readonly path: string };
  'agenttier-file-open': { readonly path: string };
  'agenttier-file-saved': { readonly path: string; readonly etag: string };
  'agenttier-headroom-changed': Headroom;
  'agenttier-invoke-exit': InvokeExit;
  'agenttier-invoke-start': InvokeStart;
  'agenttier-navigate': { readonly path: string };
  'agenttier-path-changed': { readonly path: string };
  'agenttier-policy-deleted': { readonly namespace: string };
  'agenttier-policy-saved': { readonly namespace: string };
  'agenttier-policy-violation': { readonly violations: readonly Violation[] };
  'agenttier-port-changed': { readonly ports: readonly ForwardedPort[] };
  'agenttier-sandbox-action': SandboxActionDetail;
  'agenttier-sandbox-changed': SandboxActionDetail | Changed;
  'agenttier-sandbox-created': { readonly sandbox: Created };
  'agenttier-sandbox-open': { readonly sandbox: Sandbox; readonly target: 'terminal' | 'settings' };
  'agenttier-section': { readonly section: string };
  'agenttier-share-changed': null;
  'agenttier-sign-in': null;
  'agenttier-template-saved': { readonly template: Template };
  'agenttier-template-select': { readonly template: Template };
  'agenttier-terminal-exit': { readonly reason?: string; readonly code?: number };
  'agenttier-terminal-presence': { readonly people: readonly Person[] };
  'agenttier-terminal-state': { readonly state: LinkState; readonly reason?: string; readonly code?: number };
  'agenttier-terminal-title': { readonly title: string };
  'agenttier-uploaded': { readonly path: string };
  'agenttier-warm-pools-changed': null;
  'agenttier-webhooks-changed': null;
  'agenttier-yaml-change': { readonly text: string };
}
