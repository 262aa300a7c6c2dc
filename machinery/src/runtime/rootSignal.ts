// SPDX-License-Identifier: Apache-2.0
import { rootSignal } from './shutdown.ts';

/**
 * The root signal of this process, listened for from here on. A main module imports it before anything else: process 1 of
 * a container gets no signal that it has no handler for (signal(7), pid_namespaces(7)), and one that comes while the other
 * modules are evaluated would be lost, with a wait for SIGKILL.
 */
export const signal: AbortSignal = rootSignal();
