// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { parseImage } from '../meta/imageReference.ts';
import { isDnsLabel } from '../meta/names.ts';
import { compareQuantity, parseQuantity } from '../meta/quantity.ts';
import type { Violation, ViolationCode } from '../meta/violation.ts';

type SideContainer = NonNullable<EffectiveSpec['sidecars']>[number];

/** Names of containers that the platform starts, or will. */
const RESERVED_NAME = /^(sandbox|mem0|fix-permissions|file-deployer|init-scripts|agenttier-.*)$/;
/** The volumes of the sandbox that other containers may use. All others that they name are empty ones of their own. */
export const SHARED_VOLUMES: readonly string[] = ['workspace', 'tmp'];
/** Leaves room for the prefix that keeps such a volume's name apart from the platform's. */
const MAX_VOLUME_NAME = 50;
/** Inside a container of its own even /tmp and /etc are the user's to cover; the kernel's trees are not. */
const KERNEL = /^\/+(proc|sys|dev)?(\/|$)/;

/** What is wrong with sidecars and init containers beyond what the schema can say. */
export function containerViolations(spec: EffectiveSpec): Violation[] {
  const lists = (['initContainers', 'sidecars'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, i) => ({ container, field: `spec.${list}[${i}]` })),
  );
  const seen = new Set<string>();
  return lists.flatMap(({ container, field }) => {
    const twice = seen.has(container.name);
    seen.add(container.name);
    return [
      ...nameViolations(container.name, twice, `${field}.name`),
      ...imageViolations(container.image, `${field}.image`),
      ...mountViolations(container, field),
      ...environmentViolations(container, field),
      ...requestViolations(container, field),
    ];
  });
}

function nameViolations(name: string, twice: boolean, field: string): Violation[] {
  if (RESERVED_NAME.test(name)) {
    return [wrong(field, `is ${name}, a name that the platform keeps for its own containers`, name)];
  }
  return twice ? [wrong(field, `is ${name} a second time: names are unique in a pod`, name)] : [];
}

function imageViolations(image: string, field: string): Violation[] {
  if (parseImage(image) !== undefined) return [];
  return [wrong(field, 'is no image reference such as ghcr.io/acme/tools:1.2', image)];
}

function mountViolations({ volumeMounts = [] }: SideContainer, field: string): Violation[] {
  return volumeMounts.flatMap(({ name, mountPath, subPath = '' }, i): Violation[] => {
    const at = `${field}.volumeMounts[${i}]`;
    const checks: [ok: boolean, member: string, remedy: string, actual: string][] = [
      [isVolume(name), 'name', 'must be workspace, tmp or a short name for an empty volume of its own', name],
      [isTarget(mountPath), 'mountPath', 'must be an absolute path outside /proc, /sys and /dev', mountPath],
      [
        !subPath.startsWith('/') && !isClimbing(subPath),
        'subPath',
        'must be a path inside the volume',
        subPath,
      ],
    ];
    return checks
      .filter(([ok]) => !ok)
      .map(([, member, remedy, actual]) => wrong(`${at}.${member}`, remedy, actual));
  });
}

const isVolume = (name: string): boolean =>
  isDnsLabel(name) && name.length <= MAX_VOLUME_NAME && !/^(agenttier|credential)-/.test(name);

const isTarget = (path: string): boolean =>
  path.startsWith('/') && !path.includes(':') && !KERNEL.test(path) && !isClimbing(path);

const isClimbing = (path: string): boolean => /(^|\/)\.\.(\/|$)/.test(path);

function environmentViolations({ env = [] }: SideContainer, field: string): Violation[] {
  return env.flatMap(({ name }, i) => {
    if (!name.toUpperCase().startsWith('AGENTTIER_')) return [];
    const remedy = `is ${name}: names that begin with AGENTTIER_ belong to the platform`;
    return [wrong(`${field}.env[${i}].name`, remedy, name, 'reserved_env')];
  });
}

function requestViolations({ resources }: SideContainer, field: string): Violation[] {
  return Object.entries(resources?.requests ?? {}).flatMap(([name, request]): Violation[] => {
    const limit = resources?.limits?.[name];
    const comparable =
      limit !== undefined && parseQuantity(limit) !== undefined && parseQuantity(request) !== undefined;
    if (!comparable || compareQuantity(request, limit) <= 0) return [];
    return [
      wrong(
        `${field}.resources.requests.${name}`,
        `is ${request}, more than the limit of ${limit}`,
        String(request),
      ),
    ];
  });
}

function wrong(
  field: string,
  remedy: string,
  actual: string,
  code: ViolationCode = 'invalid_value',
): Violation {
  return { code, field, message: `${field} ${remedy}`, actual };
}
