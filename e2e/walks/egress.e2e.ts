// SPDX-License-Identifier: Apache-2.0
import { issueAuthority, issueLeaf } from '@agenttier/machinery/tls/issue';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

/** Serves https on 8443, http on 8080, and TCP on the port of name servers. */
const SERVER = `
const { createServer } = require('node:https');
createServer({ cert: process.env.CERT, key: process.env.KEY }, (_, r) => r.end('over tls')).listen(8443);
require('node:http').createServer((_, r) => r.end('in the open')).listen(8080);
require('node:net').createServer((s) => s.end()).listen(53);
`;

interface Served {
  readonly image: string;
  readonly cert: string;
  readonly key: string;
}

/** A pod that stands for servers on the internet, behind a name that resolves to its own address. */
const server = (name: string, { image, cert, key }: Served): object[] => [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
        sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '53' }],
      },
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'server',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', SERVER],
          env: [
            { name: 'CERT', value: cert },
            { name: 'KEY', value: key },
          ],
          readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      clusterIP: 'None',
      selector: { app: name },
      ports: [
        { name: 'tls', port: 8443 },
        { name: 'open', port: 8080 },
      ],
    },
  },
];

const network = (lines: readonly string[]): string =>
  `  network:\n${lines.map((line) => `    ${line}\n`).join('')}`;

describe('names through the egress gateway', () => {
  const namespace = walkNamespace('walk-egress');
  const nameOf = (server: string): string => `${server}.${namespace()}.svc.cluster.local`;
  const addressOf = async (pod: string): Promise<string> =>
    (await getJson(['pod', pod, '-n', namespace()])).status.podIP;
  const shell = async (sandbox: string, script: string): Promise<string> =>
    (await ok(inSandbox(sandbox, namespace(), script))).trim();

  /** Names of the cluster stand for names of the internet, so they must not go past the proxy. */
  const CURL = 'env -u NO_PROXY -u no_proxy curl -sk -m 20';
  const body = (sandbox: string, url: string, more = '') => shell(sandbox, `${CURL} ${more} ${url}; true`);
  const answer = (sandbox: string, url: string, more = '') =>
    shell(sandbox, `${CURL} -o /dev/null -w '%{http_connect} %{exitcode}' ${more} ${url}; true`);
  const direct = async (sandbox: string, host: string, port: number) =>
    (await shell(sandbox, `timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${port}'; echo $?`))
      .split('\n')
      .at(-1);

  beforeAll(async () => {
    const gateway = await getJson(['deployment', 'agenttier-gateway', '-n', 'agenttier']);
    const validity = { from: Date.now() - 60_000, until: Date.now() + 3_600_000 };
    const authority = await issueAuthority('walk', validity);
    const leaf = await issueLeaf(authority, { dnsNames: [nameOf('allowed')], validity });
    const served = { image: gateway.spec.template.spec.containers[0].image, ...leaf };
    const items = [...server('allowed', served), ...server('other', served)];
    const list = { apiVersion: 'v1', kind: 'List', items };
    await ok(apply(JSON.stringify(list), namespace()));
    const domains = [
      `"${nameOf('allowed')}:8443"`,
      `"${nameOf('allowed')}:8080"`,
      `"kubernetes.default.svc.cluster.local"`,
    ];
    const one = network(['allowedDomains:', ...domains.map((name) => `- ${name}`)]);
    await ok(apply(minimalSandbox('one', one), namespace()));
    await ok(apply(minimalSandbox('two', network(['allowedDomains: [packages.example]'])), namespace()));
    const rule = 'egressRules: [{ serviceRef: { name: allowed, port: 8443 } }]';
    await ok(apply(minimalSandbox('three', network([rule])), namespace()));
    for (const name of ['one', 'two', 'three']) await untilPhase(name, namespace(), 'Running');
    for (const name of ['allowed', 'other']) {
      await ok(kubectl(['wait', '-n', namespace(), '--for=condition=Ready', `pod/${name}`, '--timeout=90s']));
    }
  });

  it('carry TLS and plain HTTP to an allowed domain', async () => {
    await until(
      'the allowed domain to answer',
      async () => (await body('one', `https://${nameOf('allowed')}:8443/`)) === 'over tls',
    );
    expect(await body('one', `http://${nameOf('allowed')}:8080/`)).toBe('in the open');
  });

  it('another domain is refused, in words and in the log', async () => {
    expect(await answer('one', `https://${nameOf('other')}:8443/`)).toMatch(/^403 /);
    expect(await body('one', `http://${nameOf('other')}:8080/`)).toContain('spec.network.allowedDomains');
    const logs = await ok(
      kubectl(['logs', '-n', 'agenttier', '-l', 'app.kubernetes.io/component=gateway', '--tail=-1']),
    );
    const lines = logs.split('\n').filter((line) => line.includes(namespace()));
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        audit: 'egress',
        reason: 'domain_not_allowed',
        host: nameOf('other'),
        sandbox: 'one',
      }),
    );
  });

  it('addresses are refused: of the very server, of the metadata service, of another sandbox', async () => {
    expect(await answer('one', `https://${await addressOf('allowed')}:8443/`)).toMatch(/^403 /);
    expect(await answer('one', `https://${await addressOf('two-pod')}:9000/`)).toMatch(/^403 /);
    expect(await body('one', 'http://169.254.169.254/latest/')).toContain('[address_literal]');
    expect(await body('one', 'http://2852039166/latest/')).toContain('[address_literal]');
  });

  it('a name that leads into the cluster is refused although it is listed', async () => {
    expect(await answer('one', 'https://kubernetes.default.svc.cluster.local/')).toMatch(/^403 /);
  });

  it('TLS that asks for another server gets none', async () => {
    const via = `--connect-to other.example:443:${nameOf('allowed')}:8443`;
    expect(await answer('one', 'https://other.example/', via)).toMatch(/^200 (?!0$)/);
    expect(await body('one', 'https://other.example/', via)).toBe('');
  });

  it('nothing goes past the gateway', async () => {
    const targets: [string, number][] = [
      [await addressOf('allowed'), 8443],
      [await addressOf('allowed'), 53],
      [await addressOf('two-pod'), 9000],
      ['10.96.0.1', 443],
      ['10.96.0.10', 53],
      ['169.254.169.254', 80],
    ];
    for (const [host, port] of targets)
      expect([host, port, await direct('one', host, port)]).not.toContain('0');
  });

  it("the list of another sandbox is of no use, not even with that one's name", async () => {
    const url = `https://${nameOf('allowed')}:8443/`;
    expect(await answer('two', url)).toMatch(/^403 /);
    const proxy = await shell('one', 'printf %s "$https_proxy"');
    expect(await answer('two', url, `--proxy '${proxy}'`)).toMatch(/^403 /);
    expect(await answer('one', url, `--proxy '${proxy.replace(/pod:[^@]*@/, '')}'`)).toMatch(/^407 /);
  });

  it('an edit is effective while it runs', async () => {
    const url = `https://${nameOf('other')}:8443/`;
    const change = async (allowedDomains: string[]) => {
      const patch = JSON.stringify({ spec: { network: { allowedDomains } } });
      await ok(kubectl(['patch', 'sandbox', 'two', '-n', namespace(), '--type=merge', '-p', patch]));
    };
    await change([`${nameOf('other')}:8443`]);
    await until('the added domain to answer', async () => (await answer('two', url)) === '200 0', 10_000);
    await change(['packages.example']);
    await until('the domain to be closed', async () => (await answer('two', url)).startsWith('403'), 10_000);
  });

  it('a rule by Service opens that port of it, and only that', async () => {
    const address = await addressOf('allowed');
    await until('the Service to answer', async () => (await direct('three', address, 8443)) === '0');
    expect(await direct('three', address, 8080)).toBe('124');
    expect(await direct('three', await addressOf('other'), 8443)).toBe('124');
    expect(await answer('three', `https://${address}:8443/`, "--noproxy '*'")).toBe('000 0');
  });

  it('a deleted policy is back before anybody gets through', async () => {
    const before = await getJson(['networkpolicy', 'one-netpol', '-n', namespace()]);
    await ok(kubectl(['delete', 'networkpolicy', 'one-netpol', '-n', namespace()]));
    const after = await until(
      'the policy to come back',
      async () => getJson(['networkpolicy', 'one-netpol', '-n', namespace()]),
      5_000,
    );
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after.spec).toEqual(before.spec);
    await until(
      'the way past the gateway to be closed',
      async () => (await direct('one', await addressOf('allowed'), 8443)) === '124',
    );
  });
});
