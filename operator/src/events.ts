// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';

/** Whether an event is about more than status or labels. */
export const specMoved = ({ type, object, old }: StoreEvent<KubeObject>): boolean =>
  type !== 'modified' ||
  old?.metadata.uid !== object.metadata.uid ||
  old?.metadata.generation !== object.metadata.generation;
