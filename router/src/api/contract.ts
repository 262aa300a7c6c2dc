// SPDX-License-Identifier: Apache-2.0
import type { Action } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';

/** One authenticated request, free of the HTTP framework. */
export interface Call {
  readonly principal: Principal;
  /** Address of whoever asks. */
  readonly sourceIp?: string | undefined;
  /** Decoded path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined when the request had no body. */
  readonly body: unknown;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  /** Sent as JSON; absent = no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (call: Call) => Promise<Reply> | Reply;

export type Operation =
  | 'createSandbox'
  | 'listSandboxes'
  | 'getSandbox'
  | 'deleteSandbox'
  | 'stopSandbox'
  | 'resumeSandbox'
  | 'execInSandbox'
  | 'listTemplates'
  | 'getTemplate'
  | 'currentUser'
  | 'explainSandbox'
  | 'whySandbox'
  | 'explainTemplate'
  | 'check'
  | 'effectivePolicy'
  | 'policyUsage';

export type Handlers = Readonly<Record<Operation, Handler>>;

export interface Route {
  readonly method: 'get' | 'post' | 'delete';
  /** Below /api/v1; `:name` marks a parameter. */
  readonly path: string;
  readonly operation: Operation;
  /** What it does to the sandbox `:id`; absent = it is about no sandbox in particular. */
  readonly action?: Action;
  /** Largest body in bytes; absent = bodies are not read. */
  readonly bodyLimit?: number;
}

/** A Sandbox of 1.5 MiB would not fit into etcd either. */
const SPEC_LIMIT = 1024 * 1024;
/** The runtime takes 8 MiB of input at most. */
const COMMAND_LIMIT = 8 * 1024 * 1024;

/** The REST surface as data; whatever is not here is 404. */
export const ROUTES: readonly Route[] = [
  { method: 'post', path: '/sandboxes', operation: 'createSandbox', bodyLimit: SPEC_LIMIT },
  { method: 'get', path: '/sandboxes', operation: 'listSandboxes' },
  { method: 'get', path: '/sandboxes/:id', operation: 'getSandbox', action: 'read' },
  { method: 'delete', path: '/sandboxes/:id', operation: 'deleteSandbox', action: 'delete' },
  { method: 'post', path: '/sandboxes/:id/stop', operation: 'stopSandbox', action: 'stop' },
  { method: 'post', path: '/sandboxes/:id/resume', operation: 'resumeSandbox', action: 'resume' },
  {
    method: 'post',
    path: '/sandboxes/:id/exec',
    operation: 'execInSandbox',
    action: 'exec',
    bodyLimit: COMMAND_LIMIT,
  },
  { method: 'get', path: '/templates', operation: 'listTemplates' },
  { method: 'get', path: '/templates/:name', operation: 'getTemplate' },
  { method: 'get', path: '/user/me', operation: 'currentUser' },
  { method: 'get', path: '/sandboxes/:id/explain', operation: 'explainSandbox', action: 'read' },
  { method: 'get', path: '/sandboxes/:id/why', operation: 'whySandbox', action: 'read' },
  { method: 'get', path: '/templates/:name/explain', operation: 'explainTemplate' },
  { method: 'post', path: '/check', operation: 'check', bodyLimit: SPEC_LIMIT },
  { method: 'get', path: '/governance/effective', operation: 'effectivePolicy' },
  { method: 'get', path: '/governance/usage', operation: 'policyUsage' },
];
