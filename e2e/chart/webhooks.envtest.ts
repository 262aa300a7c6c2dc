// SPDX-License-Identifier: Apache-2.0
import { VALIDATING_WEBHOOK_CONFIGURATIONS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { adminClient } from '../envtest/server.ts';
import { render } from './render.ts';

interface Webhook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly namespaceSelector?: object;
}
type Configuration = KubeObject & { readonly webhooks: readonly Webhook[] };

/** What a real API server makes of the chart's configuration; nothing is kept. */
async function taken(connect: object): Promise<Configuration> {
  const documents = parseAllDocuments(render({ webhook: { connect } })).map(
    (one) => one.toJS() as Configuration | null,
  );
  const body = documents.find((one) => one?.kind === VALIDATING_WEBHOOK_CONFIGURATIONS.kind);
  if (!body) throw new Error('the chart renders no ValidatingWebhookConfiguration');
  const client = await adminClient();
  return client.create(VALIDATING_WEBHOOK_CONFIGURATIONS, undefined, body, {
    dryRun: true,
    fieldValidation: 'Strict',
  });
}

const entering = ({ webhooks }: Configuration): Webhook | undefined =>
  webhooks.find(({ name }) => name === 'validate.connect.agenttier.io');

describe('the webhook configuration of the chart', () => {
  it('is one that the API server takes, conditions and selectors included', async () => {
    const { webhooks } = await taken({});
    expect(webhooks.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'validate.status.agenttier.io',
        'validate.sandbox-pods.agenttier.io',
        'validate.slot-pods.agenttier.io',
      ]),
    );
  });

  it.each([
    ['Ignore', 'Ignore'],
    ['strict', 'Fail'],
    ['off', undefined],
    // YAML reads a bare off so.
    [false, undefined],
  ])('lets a webhook that does not answer decide nothing in mode %s', async (mode, expected) => {
    expect(entering(await taken({ mode }))?.failurePolicy).toBe(expected);
  });

  it('asks about entering pods in the namespaces that are selected', async () => {
    const namespaceSelector = { matchLabels: { 'agenttier.io/sandboxes': 'enabled' } };
    expect(entering(await taken({ namespaceSelector }))?.namespaceSelector).toEqual(namespaceSelector);
  });
});
