// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { namespaceAllowed } from '../../auth/authorize.ts';
import type { Stores } from '../../cluster/caches.ts';
import { traceAnnotation } from '../../cluster/wake.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';
import { isDryRun, withWarnings, writeAs } from '../write.ts';
import { readCreate } from './body.ts';
import type { CreateRequest } from './body.ts';

export interface CreateOptions {
  readonly client: Pick<KubeClient, 'create'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly defaultNamespace: string;
}

/** Creates the sandbox of the body. Safe since a name that is taken makes it fail. */
export async function createSandbox(options: CreateOptions, call: Call): Promise<Reply> {
  const created = await createFrom(options, call, readRequest(options, call, call.body));
  return { status: 201, body: created };
}

/** What a body asks for, if the caller's key reaches there; throws HttpError with every problem of it. */
export function readRequest(
  { defaultNamespace }: Pick<CreateOptions, 'defaultNamespace'>,
  { query, principal }: Pick<Call, 'query' | 'principal'>,
  body: unknown,
): CreateRequest {
  const result = readCreate(body, query.get('namespace') || defaultNamespace);
  if (!result.ok) throw refusals.invalidFields(result.problems);
  const { namespace } = result.request;
  if (!namespaceAllowed(principal, namespace)) throw refusals.namespaceRefused(namespace);
  return result.request;
}

/** What the person is told about a sandbox that is on its way. */
export interface Created {
  readonly sandboxId: string;
  readonly name: string;
  readonly namespace: string;
  readonly status: 'Creating';
  readonly templateRef: string;
  readonly warnings?: readonly string[];
}

export async function createFrom(
  { client, stores }: CreateOptions,
  call: Call,
  request: CreateRequest,
): Promise<Created> {
  const { name, namespace, spec, metadata } = request;
  const warnings: string[] = [];
  const annotations = { ...metadata.annotations, ...traceAnnotation() };
  const created = await client.create<Sandbox & KubeObject>(
    SANDBOXES,
    namespace,
    {
      apiVersion: API_VERSION,
      kind: 'Sandbox',
      metadata: { ...metadata, name, namespace, annotations },
      spec,
    },
    writeAs(call, warnings),
  );
  if (!isDryRun(call)) stores.sandboxes.applyLocal(created);
  const templateRef = created.spec?.templateRef?.name ?? '';
  return { sandboxId: name, name, namespace, status: 'Creating', templateRef, ...withWarnings(warnings) };
}
