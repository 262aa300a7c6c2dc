// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';

/** What the router reads of a core Pod. */
export interface Pod extends KubeObject {
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

/** What the router reads of a core Secret; values are base64. */
export interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
