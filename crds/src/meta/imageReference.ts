// SPDX-License-Identifier: Apache-2.0

/** An image reference with everything that Docker lets people leave out filled in. */
export interface ImageReference {
  /** Host with port, `docker.io` when none is written. */
  readonly registry: string;
  /** Path below the registry, with `library/` for official images. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

const HOST = /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?$/;
const SEGMENT = /^[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+([.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;
const DOCKER_HUB = 'docker.io';
const HUB_ALIASES = new Set(['index.docker.io', 'registry-1.docker.io']);

/** Parses a reference as the container runtime will; undefined when it would refuse it. */
export function parseImage(reference: string): ImageReference | undefined {
  const [named = '', digest, ...more] = reference.split('@');
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const { name, tag } = splitTag(named);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const repository = splitRepository(name);
  if (repository === undefined) return undefined;
  return {
    ...repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** A colon after the last slash starts a tag; one before it belongs to the port of the host. */
export function splitTag(named: string): { name: string; tag?: string } {
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/')
    ? { name: named.slice(0, colon), tag: named.slice(colon + 1) }
    : { name: named };
}

/** Repository plus separate tag as they stand in a spec, as one reference. A tag inside the repository wins. */
export function imageOf(image: { readonly repository?: string; readonly tag?: string }): string {
  const repository = image.repository ?? '';
  if (image.tag === undefined || image.tag === '') return repository;
  const parsed = parseImage(repository);
  return parsed?.tag !== undefined || parsed?.digest !== undefined
    ? repository
    : `${repository}:${image.tag}`;
}

/** The first segment is a host when it looks like one: a dot, a port or `localhost` (the rule of Docker). */
export function splitHost(repository: string): { registry: string; rest: string } {
  const slash = repository.indexOf('/');
  const first = slash < 0 ? '' : repository.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost';
  if (!isHost) return { registry: DOCKER_HUB, rest: repository };
  const host = first.toLowerCase();
  return { registry: HUB_ALIASES.has(host) ? DOCKER_HUB : host, rest: repository.slice(slash + 1) };
}

function splitRepository(repository: string): { registry: string; path: string } | undefined {
  const { registry, rest } = splitHost(repository);
  const path = registry === DOCKER_HUB && !rest.includes('/') ? `library/${rest}` : rest;
  const valid = HOST.test(registry) && path.split('/').every((segment) => SEGMENT.test(segment));
  return valid ? { registry, path } : undefined;
}
