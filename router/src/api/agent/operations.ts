// SPDX-License-Identifier: Apache-2.0
import type { Handlers } from '../contract.ts';
import { cancel, follow, invoke, list } from './invoke.ts';
import type { InvokeOptions } from './invoke.ts';

type Operations = Pick<Handlers, 'invokeAgent' | 'listInvocations' | 'followInvocation' | 'cancelInvocation'>;

/** Agents: configured and invoked. */
export function agentOperations(options: InvokeOptions): Operations {
  return {
    invokeAgent: (call) => invoke(options, call),
    listInvocations: (call) => list(options, call),
    followInvocation: (call) => follow(options, call),
    cancelInvocation: (call) => cancel(options, call),
  };
}
