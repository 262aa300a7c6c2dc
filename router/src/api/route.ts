// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { Static, TObject, TSchema } from 'typebox';
import type { Action } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import type { Ticket } from '../auth/tickets.ts';

/** One authenticated request, free of the HTTP framework. */
export interface Call<Body = unknown> {
  readonly principal: Principal;
  /** What the caller came with where the route takes tickets; whoever answers uses it up. */
  readonly ticket?: Ticket | undefined;
  /** Address of whoever asks. */
  readonly sourceIp?: string | undefined;
  /** Path parameters, decoded; one that takes the rest of the path is as it was sent. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Header values by lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** What the route's schema says; undefined when the route takes none. */
  readonly body: Body;
  /** The bytes of the body, for routes that take it raw; others have consumed it. */
  readonly stream: Readable;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Only the head of the answer is asked for. */
  readonly head?: boolean;
}

export interface Reply {
  readonly status: number;
  /** Sent as JSON; absent = no body. */
  readonly body?: unknown;
  /** Sent instead of `body`: JSON that is text already. Not called when the client has it. */
  readonly json?: () => string;
  /** Names the state that the answer to a GET shows; absent = made from the JSON itself. */
  readonly etag?: string;
  /** Sent as it comes instead of `body`; a failure half-way cuts the connection, so that no client takes a part for the whole. */
  readonly stream?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of Set-Cookie. */
  readonly cookies?: readonly string[];
}

export type Handler<Body = unknown> = (call: Call<Body>) => Promise<Reply> | Reply;

/** How a route takes its body. */
export type BodyOf<S extends TSchema = TSchema> =
  | {
      readonly schema: S;
      /** Largest body in bytes. */
      readonly limit: number;
      /** No body counts as `{}`. */
      readonly optional?: true;
      /** The handler reads it by itself, with words of its own for every problem; the schema is for the reference. */
      readonly own?: true;
    }
  /** Handed on unread in `Call.stream`; whoever reads it bounds it. */
  | 'raw';

/** What an answer carries: JSON of that schema, nothing, bytes, or server-sent events. */
export type Answer = TSchema | 'nothing' | 'bytes' | 'events';

/** One entry of the REST surface. From it follow routing, checks, the OpenAPI document and the typed client. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below /api/v1; `:name` marks a parameter, `*name` one that takes the rest of the path, still encoded. */
  readonly path: string;
  readonly operation: string;
  /** Heading of the reference that it stands under. */
  readonly tag: string;
  /** One sentence. */
  readonly summary: string;
  /** What it does to the sandbox `:id`; absent = it is about no sandbox in particular. */
  readonly action?: Action;
  /** Keys that are for one sandbox may call it, although it is about none. */
  readonly anyKey?: true;
  /** List in the body of which each member counts as one request. */
  readonly counts?: 'items' | 'ids';
  /** For administrators only. */
  readonly admin?: true;
  /** Answered without a credential: it tells the same to everybody, and nothing of the cluster; or it judges one of its own. */
  readonly open?: true;
  /** The credential is a ticket in `?ticket=`, and no other one counts. */
  readonly ticket?: 'download';
  /** `If-Match` is obeyed: the ETag of what the change was made from. */
  readonly ifMatch?: true;
  readonly query?: TObject;
  readonly body?: BodyOf;
  /** By status; those that every route can give (401, 500…) go without saying. */
  readonly answers: Readonly<Record<number, Answer>>;
}

type BodyIn<R extends Route> = R extends { body: { schema: infer S extends TSchema } }
  ? Static<S>
  : undefined;

/** One handler per route of a list, each with the body that its schema promises. */
export type HandlersOf<R extends Route> = {
  readonly [Each in R as Each['operation']]: Handler<BodyIn<Each>>;
};
