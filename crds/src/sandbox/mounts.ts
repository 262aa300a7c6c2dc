// SPDX-License-Identifier: Apache-2.0

/** Trees of the image, the kernel or the platform that a volume must not cover. */
const RESERVED_MOUNTS = /^\/+(proc|sys|dev|etc|tmp|agenttier)(\/|$)/;

/** Whether a volume may be mounted there: an absolute path with no step back, outside what is not the user's to cover. */
export function isMountable(path: string): boolean {
  return (
    /^\/+[^/:]/.test(path) &&
    !path.includes(':') &&
    !RESERVED_MOUNTS.test(path) &&
    !/(^|\/)\.\.(\/|$)/.test(path)
  );
}
