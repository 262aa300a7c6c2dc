// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '../kube/client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/errors.ts';
import { SECRETS } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { BACKDATE_MS, keep, nextStep } from './authorityPlan.ts';
import type { AuthorityContent, AuthorityPolicy, AuthorityStep } from './authorityPlan.ts';
import { carries, publish, readConfigurations } from './caBundle.ts';
import type { FoundConfiguration, WebhookNames } from './caBundle.ts';
import { issueAuthority, issueLeaf } from './issue.ts';
import { bundleText, parseBundle } from './pem.ts';
import { CertificateHolder } from './source.ts';
import type { CertificateSource } from './source.ts';

export interface AuthorityOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update' | 'apply'>;
  readonly namespace: string;
  readonly secretName: string;
  /** Names of the server, as the API server dials it: `<service>.<namespace>.svc`. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[] | undefined;
  /** Configurations whose webhooks get the CA bundle. */
  readonly webhooks: WebhookNames;
  readonly fieldManager: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  /** How often the Secret and the configurations are read; default 10 000. */
  readonly pollMs?: number | undefined;
  /** Default a year, 90 days, five minutes. */
  readonly caLifetimeMs?: number | undefined;
  readonly leafLifetimeMs?: number | undefined;
  readonly settleMs?: number | undefined;
}

export interface Authority extends CertificateSource {
  /** Brings Secret, configurations and served certificate in order; throws what the API server answered. */
  ensure(signal?: AbortSignal): Promise<void>;
  /** `ensure` until the signal aborts; failures are logged and repeated. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

interface SecretObject extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;
/** Each step makes the next one smaller; more in a row means that something undoes them. */
const MAX_STEPS = 12;

/**
 * Certificates for webhooks without cert-manager. Any number of replicas run it side by side: the Secret is the only
 * truth, it is created by one of them and changed with the version that was read, and every replica serves what it says.
 */
export function createAuthority(options: AuthorityOptions): Authority {
  return new SecretAuthority(options);
}

class SecretAuthority implements Authority {
  readonly #options: AuthorityOptions;
  readonly #clock: Clock;
  readonly #policy: AuthorityPolicy;
  readonly #holder = new CertificateHolder();

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#policy = {
      dnsNames: options.dnsNames,
      ipAddresses: options.ipAddresses ?? [],
      caLifetimeMs: options.caLifetimeMs ?? 365 * DAY_MS,
      leafLifetimeMs: options.leafLifetimeMs ?? 90 * DAY_MS,
      settleMs: options.settleMs ?? 300_000,
    };
  }

  current(): ReturnType<CertificateSource['current']> {
    return this.#holder.current();
  }

  onChange(listener: Parameters<CertificateSource['onChange']>[0]): () => void {
    return this.#holder.onChange(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log, pollMs = 10_000 } = this.#options;
    while (!signal.aborted) {
      await this.ensure(signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error }, 'certificates could not be checked');
      });
      await this.#clock.sleep(pollMs, signal).catch(() => undefined);
    }
  }

  async ensure(signal?: AbortSignal): Promise<void> {
    for (let step = 0; step < MAX_STEPS; step++) {
      if (!(await this.#advance(signal))) return;
    }
    throw new Error(`Secret ${this.#options.secretName} keeps changing; is something else writing to it?`);
  }

  /** One look and at most one write; true when there may be more to do. */
  async #advance(signal: AbortSignal | undefined): Promise<boolean> {
    const { client, webhooks } = this.#options;
    // The configurations before the Secret: a bundle is then never older than what it would overwrite.
    const configurations = await readConfigurations(client, webhooks, signal);
    const secret = await this.#read(signal);
    const content = contentOf(secret);
    const published = configurations.every((found) => carries(found, content.ca));
    const step = nextStep(content, published, this.#policy, this.#clock.now());
    if (step === 'authority' || step === 'rotate' || step === 'leaf' || step === 'prune') {
      await this.#write(secret, await this.#perform(step, content), signal);
      return true;
    }
    this.#holder.set({ cert: content.cert, key: content.key, ca: content.ca });
    if (published) return false;
    await this.#publish(configurations, content.ca, signal);
    return true;
  }

  async #perform(step: NonNullable<AuthorityStep>, content: AuthorityContent): Promise<AuthorityContent> {
    this.#options.log.info({ step, secret: this.#options.secretName }, 'changing the certificates');
    const now = this.#clock.now();
    if (step === 'prune')
      return { ...content, ca: bundleText(keep(parseBundle(content.ca), this.#policy, now)) };
    if (step === 'leaf') return { ...content, ...(await this.#leaf(content, now)) };
    const validity = { from: now - BACKDATE_MS, until: now + this.#policy.caLifetimeMs };
    const authority = await issueAuthority(`${this.#options.secretName}-ca`, validity);
    // A Secret that was deleted leaves replicas that still serve leaves of the CA they remember.
    const older = parseBundle(`${content.ca}\n${this.#holder.current()?.ca ?? ''}`).filter(
      ({ until }) => until > now,
    );
    const ca = bundleText([...parseBundle(authority.cert), ...older]);
    const next = { ...content, ca, caKey: authority.key };
    return step === 'rotate' ? next : { ...next, ...(await this.#leaf(next, now)) };
  }

  async #leaf(content: AuthorityContent, now: number): Promise<Pick<AuthorityContent, 'cert' | 'key'>> {
    const [newest] = parseBundle(content.ca);
    return issueLeaf(
      { cert: newest?.pem ?? '', key: content.caKey },
      {
        dnsNames: this.#policy.dnsNames,
        ipAddresses: this.#policy.ipAddresses,
        validity: { from: now - BACKDATE_MS, until: now + this.#policy.leafLifetimeMs },
      },
    );
  }

  async #publish(
    configurations: readonly FoundConfiguration[],
    bundle: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { client, fieldManager, log } = this.#options;
    for (const found of configurations) {
      if (carries(found, bundle)) continue;
      try {
        await publish(client, found, { bundle, fieldManager, signal });
        log.info({ configuration: found.object.metadata.name }, 'CA bundle published');
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<SecretObject | undefined> {
    const { client, namespace, secretName: name } = this.#options;
    try {
      return await client.get<SecretObject>(SECRETS, { namespace, name }, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Creates or replaces the Secret; losing to another replica is fine, its content is read next. */
  async #write(
    secret: SecretObject | undefined,
    content: AuthorityContent,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { client, namespace, secretName: name, fieldManager, labels } = this.#options;
    const data = dataOf(content);
    try {
      if (secret) {
        await client.update<SecretObject>(
          SECRETS,
          { ...secret, data: { ...secret.data, ...data } },
          { fieldManager, signal },
        );
      } else {
        const metadata = { namespace, name, ...(labels ? { labels } : {}) };
        await client.create<SecretObject>(
          SECRETS,
          namespace,
          { metadata, type: 'Opaque', data },
          { fieldManager, signal },
        );
      }
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error;
    }
  }
}

function contentOf(secret: SecretObject | undefined): AuthorityContent {
  const text = (key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
  return { ca: text('ca.crt'), caKey: text('ca.key'), cert: text('tls.crt'), key: text('tls.key') };
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

function dataOf(content: AuthorityContent): Record<string, string> {
  return {
    'ca.crt': encode(content.ca),
    'ca.key': encode(content.caKey),
    'tls.crt': encode(content.cert),
    'tls.key': encode(content.key),
  };
}
