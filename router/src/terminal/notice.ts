// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { stopWarningOf } from '@agenttier/crds/lifecycle/run';
import { NOTICES } from '@agenttier/crds/wire/terminal';
import type { NoticeFrame } from '@agenttier/crds/wire/terminal';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import { ENDINGS } from './ending.ts';

export const DRAINING: NoticeFrame = { type: 'notice', kind: ENDINGS.draining.reason };

const WARNING_OVER: NoticeFrame = {
  type: 'notice',
  kind: NOTICES.idleWarningOver,
  message: 'the sandbox is in use again and stays up',
};

/** What whoever opens a terminal now is to be told. */
export function noticeAt(sandbox: Sandbox | undefined): NoticeFrame | undefined {
  const warning = sandbox && stopWarningOf(sandbox);
  if (warning === undefined) return undefined;
  const deadline = new Date(warning.at).toISOString();
  return { type: 'notice', kind: NOTICES.idleWarning, message: warning.message, deadline };
}

/** What a change of the sandbox tells those who have a terminal open. */
export function noticeFor({ object, old }: StoreEvent<Sandbox>): NoticeFrame | undefined {
  const before = noticeAt(old);
  const now = noticeAt(object);
  if (before?.deadline === now?.deadline) return undefined;
  return now ?? WARNING_OVER;
}
