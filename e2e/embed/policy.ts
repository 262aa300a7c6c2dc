// SPDX-License-Identifier: Apache-2.0

/** The Content-Security-Policy that docs/embedding.md tells owners of pages to send. */
export const policyOf = (router: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ${router} ${router.replace(/^http/, 'ws')}`,
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html vue',
  ].join('; ');
