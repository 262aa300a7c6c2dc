// SPDX-License-Identifier: Apache-2.0
import type { TSchema } from 'typebox';
import { ROUTES } from '../api/contract.ts';
import type { Route } from '../api/route.ts';

/** A route with a body of JSON. */
export interface BodyRoute {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly schema: TSchema;
  readonly limit: number;
}

const ALL: readonly Route[] = ROUTES;

/** The path of a route, with each parameter in its place. */
export const pathOf = ({ path }: Route, parameter: string): string =>
  `/api/v1${path.replaceAll(/[:*]\w+/g, parameter)}`;

/** Every route that takes JSON, at some sandbox `box`. */
export const BODY_ROUTES: readonly BodyRoute[] = ALL.flatMap((route) =>
  typeof route.body === 'object'
    ? [
        {
          name: route.operation,
          method: route.method.toUpperCase(),
          path: pathOf(route, 'box'),
          schema: route.body.schema,
          limit: route.body.limit,
        },
      ]
    : [],
);

/** Every route that is only asked. */
export const READ_ROUTES: readonly Route[] = ALL.filter(({ method }) => method === 'get');
