// SPDX-License-Identifier: Apache-2.0
import type { OpenApiDocument } from '../src/api/openapi/document.ts';

/** The parts of a JSON Schema that this API uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly description?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
  readonly description?: string;
  /** Takes the rest of the path, slashes included; OpenAPI has no word for it. */
  readonly 'x-rest-of-path'?: true;
}

export interface Media {
  readonly schema: Schema;
}

export interface ApiResponse {
  readonly $ref?: string;
  readonly description?: string;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface ApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, Media>>;
  };
  readonly responses: Readonly<Record<string, ApiResponse>>;
}

export interface PlacedOperation extends ApiOperation {
  readonly method: string;
  readonly path: string;
}

/** Every operation of the document, with its place. */
export function operationsOf({ paths }: OpenApiDocument): PlacedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...(operation as unknown as ApiOperation),
      method: method.toUpperCase(),
      path,
    })),
  );
}

export const schemasOf = ({ components }: OpenApiDocument): Readonly<Record<string, Schema>> =>
  (components['schemas'] ?? {}) as Readonly<Record<string, Schema>>;

/** Answers that are a success, by status. */
export const successesOf = ({ responses }: ApiOperation): [string, ApiResponse][] =>
  Object.entries(responses).filter(([status]) => status.startsWith('2'));

export const nameOfRef = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);
