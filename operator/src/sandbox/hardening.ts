// SPDX-License-Identifier: Apache-2.0

/** Unprivileged and the same in every image, so that a volume written by one image can be read by the next. */
export const USER_ID = 1000;

/** Of every container in a sandbox's pod, whoever asked for it. */
export const CONTAINER_SECURITY = {
  runAsNonRoot: true,
  runAsUser: USER_ID,
  runAsGroup: USER_ID,
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
