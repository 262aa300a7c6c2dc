// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** One certificate with what rotation asks about it. Times in milliseconds since the epoch. */
export interface ParsedCertificate {
  readonly pem: string;
  readonly from: number;
  readonly until: number;
  readonly x509: X509Certificate;
}

/** Certificates of a PEM text in their order; blocks that cannot be read are left out. */
export function parseBundle(text: string): ParsedCertificate[] {
  return (text.match(BLOCK) ?? []).flatMap((block) => {
    try {
      const x509 = new X509Certificate(block);
      const pem = `${block.trim()}\n`;
      return [{ pem, x509, from: Date.parse(x509.validFrom), until: Date.parse(x509.validTo) }];
    } catch {
      return [];
    }
  });
}

/** PEM text of the certificates, each once. */
export function bundleText(certificates: readonly ParsedCertificate[]): string {
  return [...new Map(certificates.map(({ x509, pem }) => [x509.fingerprint256, pem])).values()].join('');
}

/** `signer` issued `certificate`: names and signature agree. */
export function signed(signer: ParsedCertificate, certificate: ParsedCertificate): boolean {
  return certificate.x509.checkIssued(signer.x509) && certificate.x509.verify(signer.x509.publicKey);
}
