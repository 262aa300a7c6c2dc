// SPDX-License-Identifier: Apache-2.0
import { analyticsRoutes } from './analytics/routes.ts';
import { backupRoutes } from './backups/routes.ts';
import { adminRoutes } from './admin/routes.ts';
import { agentRoutes } from './agent/routes.ts';
import { auditRoutes } from './audit/routes.ts';
import { changeRoutes } from './changes/routes.ts';
import { checkRoutes } from './check/routes.ts';
import { clusterRoutes } from './cluster/routes.ts';
import { copyRoutes } from './copies/routes.ts';
import { downloadRoutes } from './downloads/routes.ts';
import { execRoutes } from './exec/routes.ts';
import { explainRoutes } from './explain/routes.ts';
import { fileRoutes } from './files/routes.ts';
import { governanceRoutes } from './governance/routes.ts';
import { keyRoutes } from './keys/routes.ts';
import type { HandlersOf } from './route.ts';
import { portRoutes } from './ports/routes.ts';
import { previewRoutes } from './previews/routes.ts';
import { preferenceRoutes } from './preferences/routes.ts';
import { referenceRoutes } from './reference/routes.ts';
import { sandboxRoutes } from './sandboxes/routes.ts';
import { sharingRoutes } from './sharing/routes.ts';
import { signInRoutes } from './signIn/routes.ts';
import { templateRoutes } from './templates/routes.ts';
import { terminalRoutes } from './terminals/routes.ts';
import { userRoutes } from './user/routes.ts';
import { warmPoolRoutes } from './warmpools/routes.ts';
import { webhookRoutes } from './webhooks/routes.ts';

/** The REST surface as data; whatever is not here is 404. */
export const ROUTES = [
  ...sandboxRoutes,
  ...execRoutes,
  ...portRoutes,
  ...previewRoutes,
  ...fileRoutes,
  ...downloadRoutes,
  ...terminalRoutes,
  ...agentRoutes,
  ...explainRoutes,
  ...checkRoutes,
  ...templateRoutes,
  ...governanceRoutes,
  ...userRoutes,
  ...keyRoutes,
  ...auditRoutes,
  ...sharingRoutes,
  ...copyRoutes,
  ...backupRoutes,
  ...warmPoolRoutes,
  ...clusterRoutes,
  ...webhookRoutes,
  ...preferenceRoutes,
  ...analyticsRoutes,
  ...signInRoutes,
  ...adminRoutes,
  ...changeRoutes,
  ...referenceRoutes,
] as const;

export type Operation = (typeof ROUTES)[number]['operation'];

/** A handler for each of them, typed by its route. */
export type Handlers = HandlersOf<(typeof ROUTES)[number]>;
