// SPDX-License-Identifier: Apache-2.0
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { parseBundle } from './pem.ts';
import type { CertificateSource } from './source.ts';

/**
 * Gauge `agenttier_certificate_expiry_seconds` (labels `certificate`: leaf or ca): seconds until the served certificate
 * and the newest CA end; negative afterwards. Absent while there is no certificate. Alert well before zero: renewal
 * happens at two thirds of the life, so less than a quarter left means that it does not work.
 */
export function certificateMetrics(
  registry: Registry,
  source: CertificateSource,
  now: () => number = Date.now,
): void {
  const gauge: Gauge = new Gauge({
    name: 'agenttier_certificate_expiry_seconds',
    help: 'Seconds until the certificate ends',
    labelNames: ['certificate'],
    registers: [registry],
    collect: () => {
      gauge.reset();
      const held = source.current();
      const [leaf] = parseBundle(held?.cert ?? '');
      const [ca] = parseBundle(held?.ca ?? '');
      if (leaf) gauge.set({ certificate: 'leaf' }, (leaf.until - now()) / 1000);
      if (ca) gauge.set({ certificate: 'ca' }, (ca.until - now()) / 1000);
    },
  });
}
