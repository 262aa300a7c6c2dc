// SPDX-License-Identifier: Apache-2.0

/** A server certificate with its key and the CA bundle that clients check it against; all PEM text. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Where a server gets its certificate from; asked again whenever it changes, so rotation needs no restart. */
export interface CertificateSource {
  /** Undefined until the first certificate is there. */
  current(): Certificate | undefined;
  /** Calls `listener` with each new certificate; returns how to stop. */
  onChange(listener: (certificate: Certificate) => void): () => void;
}

/** A source that is set by hand: the core of the others, and handy in tests. */
export class CertificateHolder implements CertificateSource {
  readonly #listeners = new Set<(certificate: Certificate) => void>();
  #current: Certificate | undefined;

  constructor(initial?: Certificate) {
    this.#current = initial;
  }

  current(): Certificate | undefined {
    return this.#current;
  }

  onChange(listener: (certificate: Certificate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Announces the certificate unless it is the one already held. */
  set(certificate: Certificate): void {
    const held = this.#current;
    if (held && held.cert === certificate.cert && held.key === certificate.key && held.ca === certificate.ca)
      return;
    this.#current = certificate;
    for (const listener of this.#listeners) listener(certificate);
  }
}

/** Resolves with the first certificate; rejects with the signal's reason when that aborts before. */
export function firstCertificate(source: CertificateSource, signal: AbortSignal): Promise<Certificate> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      stop();
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const take = (certificate: Certificate): void => {
      stop();
      signal.removeEventListener('abort', abort);
      resolve(certificate);
    };
    const stop = source.onChange(take);
    const present = source.current();
    if (present) return take(present);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}
