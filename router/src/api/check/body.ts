// SPDX-License-Identifier: Apache-2.0
import { ALL_RESOURCES } from '@agenttier/crds/meta/resources';
import type { InputObject } from '@agenttier/crds/explain/input';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { refusals } from '../errors.ts';

/** One object of the body, in the namespace it is meant for. */
export interface CheckedObject {
  readonly index: number;
  readonly resource: Resource;
  readonly object: KubeObject & InputObject;
}

/** Each object costs a request to the API server. */
const MOST = 100;

type Fields = Readonly<Record<string, unknown>>;

/** The objects to check: one, an array, or a List. Throws HttpError for a body that holds none, or kinds of others. */
export function readCheck(body: unknown, defaultNamespace: string): CheckedObject[] {
  const objects = objectsIn(body);
  if (objects.length === 0) throw refusals.badRequest('the body holds no object to check');
  if (objects.length > MOST) {
    throw refusals.badRequest(
      `the body holds ${objects.length} objects: at most ${MOST} are checked at once`,
    );
  }
  return objects.map((value, index) => checkedObject(value, index, defaultNamespace));
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectsIn(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body;
  // A request without a body is read as {}.
  if (!isFields(body) || Object.keys(body).length === 0) return [];
  return body['kind'] === 'List' && Array.isArray(body['items']) ? body['items'] : [body];
}

function checkedObject(value: unknown, index: number, defaultNamespace: string): CheckedObject {
  if (!isFields(value)) throw refusals.badRequest(`object ${index} is no object`);
  const { apiVersion, kind, metadata } = value;
  const resource = ALL_RESOURCES.find(
    (one) => `${one.group}/${one.version}` === apiVersion && one.kind === kind,
  );
  if (resource === undefined) {
    const known = ALL_RESOURCES.map((one) => one.kind).join(', ');
    throw refusals.badRequest(`object ${index} is none of agenttier.io/v1alpha1: ${known}`);
  }
  return {
    index,
    resource,
    object: { ...value, kind: resource.kind, metadata: placed(metadata, resource, index, defaultNamespace) },
  };
}

/** The names go into paths: anything but text there would ask for something else. */
function placed(
  metadata: unknown,
  { namespaced }: Resource,
  index: number,
  defaultNamespace: string,
): KubeObject['metadata'] {
  const fields = isFields(metadata) ? metadata : {};
  const { name, namespace: own, ...rest } = fields;
  if (typeof name !== 'string' || name === '')
    throw refusals.badRequest(`object ${index} has no metadata.name`);
  if (!namespaced) return { ...rest, name };
  const namespace = own ?? defaultNamespace;
  if (typeof namespace !== 'string' || namespace === '') {
    throw refusals.badRequest(`object ${index} has a metadata.namespace that is no text`);
  }
  return { ...rest, name, namespace };
}
