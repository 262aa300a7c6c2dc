// SPDX-License-Identifier: Apache-2.0
import { ROUTES } from '../contract.ts';
import type { Handlers } from '../contract.ts';
import { openApiDocument } from '../openapi/document.ts';
import type { OpenApiDocument } from '../openapi/document.ts';

/** Of the API, not of the program: it changes with what clients can rely on. */
export const API_VERSION = '1.0.0';

let document: OpenApiDocument | undefined;

/** The reference that describes these very routes; made when it is first asked for, since most replicas never are. */
export const referenceOperations: Pick<Handlers, 'openApi'> = {
  openApi: () => ({ status: 200, body: (document ??= openApiDocument(ROUTES, API_VERSION)) }),
};
