// SPDX-License-Identifier: Apache-2.0
import type { TemplateSpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import { textSizeViolations } from '../sandbox/provisionChecks.ts';
import { workloadViolations } from '../sandbox/workload.ts';
import type { TemplateKind } from './compose.ts';
import { unsupportedFields } from './unsupported.ts';

/** What is wrong with a template in itself; its parents are judged by composeChain. */
export function validateTemplate(template: {
  readonly kind: TemplateKind;
  readonly spec: TemplateSpec;
}): Violation[] {
  return [
    ...unsupportedFields(template.kind, template.spec),
    ...workloadViolations(template.spec),
    ...textSizeViolations({}, template.spec),
  ];
}
