// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import express from 'express';
import type { RequestHandler, Router } from 'express';

export interface PagesOptions {
  /** Where the built dashboard is: `index.html`, and `assets/` with names that change with their content. */
  readonly folder: string;
  /** Origin of the token issuer, which the page speaks to while somebody signs in. */
  readonly issuerOrigin?: string | undefined;
  /** Origins of pages that may show the dashboard in a frame. */
  readonly frameAncestors: readonly string[];
}

/**
 * What the page may do. Scripts come from here alone and nothing is evaluated; the terminal emulator writes style
 * elements, so styles may be inline. Trusted Types are those of lit-html, whose templates are constants.
 */
export function contentSecurityPolicy({
  issuerOrigin,
  frameAncestors,
}: Omit<PagesOptions, 'folder'>): string {
  const ancestors = frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ');
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${issuerOrigin ? ` ${issuerOrigin}` : ''}`,
    "base-uri 'none'",
    "form-action 'self'",
    `frame-ancestors ${ancestors}`,
    "require-trusted-types-for 'script'",
    'trusted-types lit-html',
  ].join('; ');
}

/** Paths that belong to programs: what is unknown there is an error in JSON and not a page. */
const PROGRAMS = /^\/(api|ws|mcp|metrics|healthz|readyz)(\/|$)/;

/** The dashboard. A path without a file is one of its own pages, which it finds by itself. */
export function pages(options: PagesOptions): Router {
  const policy = contentSecurityPolicy(options);
  const headers = {
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
  };
  const router = express.Router();
  const files = express.static(options.folder, {
    index: false,
    redirect: false,
    setHeaders: (response, path) => {
      response.set(headers);
      // Scripts of elements are for pages of other origins too, and hold nothing that is anybody's.
      response.set('Access-Control-Allow-Origin', '*');
      const lasting = path.startsWith(join(options.folder, 'assets'));
      response.set('Cache-Control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  router.use(forPeople(files));
  router.use(
    forPeople((request, response, next) => {
      if (!request.accepts('html') || request.path.startsWith('/assets/')) return next();
      response.set({ ...headers, 'Cache-Control': 'no-cache' });
      response.sendFile(join(options.folder, 'index.html'), (error: unknown) => {
        if (error) next(error);
      });
    }),
  );
  return router;
}

/** A browser that looks for a page: a missing script or picture must not be answered with one. */
const forPeople =
  (handler: RequestHandler): RequestHandler =>
  (request, response, next) => {
    const looks = request.method === 'GET' || request.method === 'HEAD';
    if (!looks || PROGRAMS.test(request.path)) return next();
    return handler(request, response, next);
  };
