// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

export type Headroom = Operations['getHeadroom']['answer'];
export type HeadroomWish = Operations['setHeadroom']['body'];

export const getHeadroom = ({ api }: Server, signal: AbortSignal): Promise<Headroom> =>
  api.getHeadroom({}, { signal });

export const setHeadroom = ({ api }: Server, body: HeadroomWish): Promise<Headroom> =>
  api.setHeadroom({ body });
