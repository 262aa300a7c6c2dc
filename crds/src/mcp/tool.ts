// SPDX-License-Identifier: Apache-2.0

/** A JSON Schema, as far as arguments of tools need one. */
export interface ArgumentSchema {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly items?: object;
  readonly additionalProperties?: object | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** One argument of a tool and where it goes in the REST call behind the tool. */
export interface Argument {
  readonly schema: ArgumentSchema;
  readonly required?: true;
  /** `whole` is the body as JSON, `raw` the body as bytes; `encoding` says how text stands for bytes, also of an answer. */
  readonly in: 'path' | 'query' | 'body' | 'whole' | 'raw' | 'encoding';
  /** Name there; dots lead into members of the body. */
  readonly as: string;
}

/** What the answer of the REST call is: JSON, nothing, the bytes of a file, or server-sent events. */
export type AnswerKind = 'json' | 'nothing' | 'bytes' | 'events';

/** A tool of MCP: a REST call with a description that a model understands. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** `write` only adds or can be undone; `destroy` may lose something. */
  readonly effect: 'read' | 'write' | 'destroy';
  /** Doing it again changes nothing further. */
  readonly idempotent?: true;
  /** Reaches beyond AgentTier: what runs in a sandbox may talk to anybody whom its network lets it. */
  readonly open?: true;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path of the route below /api/v1 as the contract has it, with its parameters. */
  readonly path: string;
  readonly arguments: Readonly<Record<string, Argument>>;
  readonly answer: AnswerKind;
  /** What each call says besides its arguments. */
  readonly fixed?: Readonly<Record<string, unknown>>;
}

/** The REST call that a use of a tool comes to. */
export interface RestCall {
  readonly method: Tool['method'];
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** JSON; absent = none. */
  readonly body?: unknown;
  /** Instead of JSON. */
  readonly raw?: string;
  /** How `raw` is written, and how bytes of the answer are wanted. */
  readonly encoding: 'utf-8' | 'base64';
}

/** The path with its parameters filled in and encoded. */
export function urlPathOf({ path, params }: Pick<RestCall, 'path' | 'params'>): string {
  return path.replace(/[:*](\w+)/g, (whole, name: string) => {
    const value = params[name] ?? '';
    return whole.startsWith('*') ? encodedRest(value) : encodeURIComponent(value);
  });
}

/** A parameter that takes the rest of a path, encoded part by part. */
export const encodedRest = (value: string): string => value.split('/').map(encodeURIComponent).join('/');

/** The schema of a tool's arguments, as MCP lists it. */
export function inputSchemaOf(tool: Tool): {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, ArgumentSchema>>;
  readonly required: string[];
  readonly additionalProperties: false;
} {
  const entries = Object.entries(tool.arguments);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
    required: entries.filter(([, argument]) => argument.required).map(([name]) => name),
    additionalProperties: false,
  };
}

/** Hints for clients that ask people before they let a model do something. */
export function annotationsOf(tool: Tool): {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
} {
  return {
    readOnlyHint: tool.effect === 'read',
    destructiveHint: tool.effect === 'destroy',
    idempotentHint: tool.effect === 'read' || tool.idempotent === true,
    openWorldHint: tool.open === true,
  };
}
