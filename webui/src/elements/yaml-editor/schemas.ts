// SPDX-License-Identifier: Apache-2.0
import type { FieldSchema } from '@agenttier/crds/meta/fieldSchema';

/** Of whose spec a text is. */
export type SpecKind = keyof typeof SCHEMAS;

/** Made from the CRD files when the page is built: a chunk of its own, which works without the server. */
const SCHEMAS = {
  SandboxTemplate: async (): Promise<FieldSchema> =>
    (await import('@agenttier/crds/generated/fields/template')).sandboxTemplateFields,
  ClusterGovernancePolicy: async (): Promise<FieldSchema> =>
    (await import('@agenttier/crds/generated/fields/policy')).clusterGovernancePolicyFields,
  GovernancePolicy: async (): Promise<FieldSchema> =>
    (await import('@agenttier/crds/generated/fields/policy')).governancePolicyFields,
};

export const loadSchema = (kind: SpecKind): Promise<FieldSchema> => SCHEMAS[kind]();
