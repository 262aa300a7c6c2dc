// SPDX-License-Identifier: Apache-2.0

/** How to reach one API server and who we are there. Certificates and keys are PEM text. */
export interface ClusterAccess {
  /** Base URL, for instance `https://10.0.0.1:6443`; a path in front of `/api` is kept. */
  readonly server: string;
  readonly ca?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  /** Asked before every request, so that a rotated token is used at once; caches by itself. */
  readonly token?: (() => Promise<string | undefined>) | undefined;
  /** The namespace to use when a command names none. */
  readonly namespace: string;
  /** Name to verify the server's certificate against, where it differs from the URL's host. */
  readonly tlsServerName?: string | undefined;
}
