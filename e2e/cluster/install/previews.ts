// SPDX-License-Identifier: Apache-2.0

/** Browsers take every name below localhost for this machine (RFC 6761, 6.3), so that no DNS record is needed. */
export const PREVIEW_DOMAIN = 'preview.localhost';

/** Chart values of previews on a cluster of one's own, without TLS. */
export const previewValues = (port: number): Readonly<Record<string, string | number>> => ({
  'networking.previewDomain': PREVIEW_DOMAIN,
  'networking.previewScheme': 'http',
  'networking.previewPort': port,
});
