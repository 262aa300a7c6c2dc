// SPDX-License-Identifier: Apache-2.0
import type { Handlers } from '../contract.ts';
import { configure } from './configure/configure.ts';
import type { ConfigureOptions } from './configure/configure.ts';
import { showConfiguration, showInstallLog } from './configure/state.ts';
import { cancel, follow, invoke, list } from './invoke/invoke.ts';

type Operations = Pick<
  Handlers,
  | 'configureAgent'
  | 'showConfiguration'
  | 'showInstallLog'
  | 'invokeAgent'
  | 'listInvocations'
  | 'followInvocation'
  | 'cancelInvocation'
>;

/** Agents: configured and invoked. */
export function agentOperations(options: ConfigureOptions): Operations {
  return {
    configureAgent: (call) => configure(options, call),
    showConfiguration: (call) => showConfiguration(options, call),
    showInstallLog: (call) => showInstallLog(options, call),
    invokeAgent: (call) => invoke(options, call),
    listInvocations: (call) => list(options, call),
    followInvocation: (call) => follow(options, call),
    cancelInvocation: (call) => cancel(options, call),
  };
}
