// SPDX-License-Identifier: Apache-2.0
import type { Route } from '../route.ts';

interface StandardProblem {
  readonly name: string;
  readonly description: string;
  /** Can this route give it? */
  readonly of: (route: Route) => boolean;
}

const hasBody = ({ body }: Route): boolean => body !== undefined;
const writes = ({ method }: Route): boolean => method !== 'get';
const namesSomething = ({ path }: Route): boolean => path.includes(':') || path.includes('*');

/** What a route can answer with apart from what it is for, by status. */
export const STANDARD_PROBLEMS: Readonly<Record<number, StandardProblem>> = {
  400: {
    name: 'BadRequest',
    description: 'The request is not what the reference says; `violations` names each field.',
    of: (route) => hasBody(route) || route.query !== undefined || namesSomething(route),
  },
  401: {
    name: 'Unauthorized',
    description: 'No credential, or one that does not count.',
    of: ({ open }) => !open,
  },
  403: {
    name: 'Forbidden',
    description:
      'The caller may not do that, or a policy forbids it (`policy_violation`, with `violations`).',
    of: ({ open }) => !open,
  },
  404: {
    name: 'NotFound',
    description: "There is no such thing, or it is somebody else's: the two cannot be told apart.",
    of: namesSomething,
  },
  409: {
    name: 'Conflict',
    description: 'The state of the thing does not allow it, or its name is taken or not unique.',
    of: (route) => writes(route) || namesSomething(route),
  },
  412: {
    name: 'PreconditionFailed',
    description: 'It has changed since `If-Match` was read; `current` is what it is now.',
    of: ({ ifMatch }) => ifMatch === true,
  },
  413: { name: 'TooLarge', description: 'The body is larger than this route takes.', of: hasBody },
  415: { name: 'Unsupported', description: 'The charset or encoding of the body is unknown.', of: hasBody },
  422: { name: 'Invalid', description: 'The schema of the object refuses it.', of: writes },
  429: {
    name: 'TooMany',
    description: 'Too much at once; `Retry-After` says after how many seconds to try again.',
    of: () => true,
  },
  503: {
    name: 'Unavailable',
    description: 'Not now; `Retry-After` says after how many seconds to try again.',
    of: () => true,
  },
};
