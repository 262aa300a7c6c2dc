// SPDX-License-Identifier: Apache-2.0
import type { Argument, ArgumentSchema } from './tool.ts';

/** Short ways to write the table of tools. */

type Text = { readonly type: 'string'; readonly description?: string };

export const text = (description?: string): Text =>
  description === undefined ? { type: 'string' } : { type: 'string', description };

export const whole = (description: string, minimum: number, maximum: number): ArgumentSchema => ({
  type: 'integer',
  description,
  minimum,
  maximum,
});

export const flag = (description: string): ArgumentSchema => ({ type: 'boolean', description });

export const texts = (description: string): ArgumentSchema => ({
  type: 'array',
  items: { type: 'string' },
  description,
});

export const textMap = (description: string): ArgumentSchema => ({
  type: 'object',
  additionalProperties: { type: 'string' },
  description,
});

export const choice = (description: string, ...words: readonly string[]): ArgumentSchema => ({
  type: 'string',
  enum: words,
  description,
});

export const inPath = (as: string, schema: ArgumentSchema): Argument => ({
  schema,
  in: 'path',
  as,
  required: true,
});
export const inQuery = (as: string, schema: ArgumentSchema): Argument => ({ schema, in: 'query', as });
export const inBody = (as: string, schema: ArgumentSchema): Argument => ({ schema, in: 'body', as });
export const needed = (argument: Argument): Argument => ({ ...argument, required: true });

export const asWhole = (schema: ArgumentSchema): Argument => ({
  schema,
  in: 'whole',
  as: '',
  required: true,
});

/** What nearly every tool about one sandbox takes. */
export const ONE_SANDBOX = {
  sandbox_id: inPath('id', text('name of the sandbox')),
  namespace: inQuery('namespace', text('its namespace; needed only when the name exists in several')),
} as const;
