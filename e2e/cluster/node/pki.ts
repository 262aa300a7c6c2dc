// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../host/command.ts';
import { API_URL, net, paths } from './layout.ts';

/** A certificate to issue. `alternatives` are subject alternative names in openssl's form. */
interface Certificate {
  readonly name: string;
  readonly authority: 'ca' | 'front-proxy-ca';
  readonly subject: string;
  readonly usage: 'clientAuth' | 'serverAuth' | 'serverAuth,clientAuth';
  readonly alternatives?: readonly string[];
}

const API_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'localhost',
];

/** Names and groups are what RBAC's built-in bindings and the Node authorizer expect. */
export const CERTIFICATES: readonly Certificate[] = [
  {
    name: 'apiserver',
    authority: 'ca',
    subject: '/CN=kube-apiserver',
    usage: 'serverAuth',
    alternatives: [
      ...API_NAMES.map((name) => `DNS:${name}`),
      `IP:${net.nodeAddress}`,
      `IP:${net.apiService}`,
      'IP:127.0.0.1',
    ],
  },
  {
    name: 'apiserver-kubelet-client',
    authority: 'ca',
    subject: '/O=system:masters/CN=kube-apiserver-kubelet-client',
    usage: 'clientAuth',
  },
  {
    name: 'etcd',
    authority: 'ca',
    subject: '/CN=etcd',
    usage: 'serverAuth,clientAuth',
    alternatives: ['IP:127.0.0.1', 'DNS:localhost'],
  },
  { name: 'etcd-client', authority: 'ca', subject: '/CN=kube-apiserver-etcd-client', usage: 'clientAuth' },
  { name: 'admin', authority: 'ca', subject: '/O=system:masters/CN=kubernetes-admin', usage: 'clientAuth' },
  {
    name: 'controller-manager',
    authority: 'ca',
    subject: '/CN=system:kube-controller-manager',
    usage: 'clientAuth',
  },
  { name: 'scheduler', authority: 'ca', subject: '/CN=system:kube-scheduler', usage: 'clientAuth' },
  { name: 'proxy', authority: 'ca', subject: '/CN=system:kube-proxy', usage: 'clientAuth' },
  {
    name: 'kubelet',
    authority: 'ca',
    subject: `/O=system:nodes/CN=system:node:${net.nodeName}`,
    usage: 'serverAuth,clientAuth',
    alternatives: [`DNS:${net.nodeName}`, `IP:${net.nodeAddress}`],
  },
  {
    name: 'front-proxy-client',
    authority: 'front-proxy-ca',
    subject: '/CN=front-proxy-client',
    usage: 'clientAuth',
  },
];

/** Who gets a kubeconfig of its own. */
const KUBECONFIGS = ['admin', 'controller-manager', 'scheduler', 'proxy', 'kubelet'];

/** Path of a certificate or key of the node. */
export function pkiFile(name: string, kind: 'crt' | 'key' | 'pub'): string {
  return join(paths.pki, `${name}.${kind}`);
}

export function kubeconfigFile(name: string): string {
  return join(paths.kubeconfigs, `${name}.conf`);
}

/** The openssl extension file for a leaf. */
export function extensions(certificate: Pick<Certificate, 'usage' | 'alternatives'>): string {
  const lines = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=${certificate.usage}`,
  ];
  if (certificate.alternatives !== undefined)
    lines.push(`subjectAltName=${certificate.alternatives.join(',')}`);
  return `${lines.join('\n')}\n`;
}

/** Makes authorities, certificates, the service-account key pair and kubeconfigs, keeping what exists. */
export async function ensurePki(): Promise<string> {
  if (existsSync(join(paths.pki, 'complete'))) return 'kept';
  rmSync(paths.pki, { recursive: true, force: true }); // half a set is worth nothing
  mkdirSync(paths.pki, { recursive: true, mode: 0o700 });
  mkdirSync(paths.kubeconfigs, { recursive: true, mode: 0o700 });
  await Promise.all([makeAuthority('ca'), makeAuthority('front-proxy-ca'), makeServiceAccountKey()]);
  await Promise.all(CERTIFICATES.map((certificate) => issue(certificate)));
  await Promise.all(KUBECONFIGS.map((name) => writeKubeconfig(name)));
  writeFileSync(join(paths.pki, 'complete'), '');
  return 'made';
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function makeAuthority(name: string): Promise<void> {
  const subject = [
    '-subj',
    `/CN=agenttier-${name}`,
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
  ];
  const files = ['-keyout', pkiFile(name, 'key'), '-out', pkiFile(name, 'crt')];
  await run('openssl', ['req', '-x509', ...newKey, '-days', '3650', ...subject, ...files]);
}

async function makeServiceAccountKey(): Promise<void> {
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', pkiFile('sa', 'key')]);
  await run('openssl', ['ec', '-in', pkiFile('sa', 'key'), '-pubout', '-out', pkiFile('sa', 'pub')]);
}

async function issue(certificate: Certificate): Promise<void> {
  const { name, authority } = certificate;
  const request = join(paths.pki, `${name}.csr`);
  const extensionFile = join(paths.pki, `${name}.ext`);
  writeFileSync(extensionFile, extensions(certificate));
  await run('openssl', [
    'req',
    ...newKey,
    '-subj',
    certificate.subject,
    '-keyout',
    pkiFile(name, 'key'),
    '-out',
    request,
  ]);
  const serial = `0x${Buffer.from(name).toString('hex').slice(0, 30)}`; // an own serial each, as they are issued side by side
  const signer = [
    '-CA',
    pkiFile(authority, 'crt'),
    '-CAkey',
    pkiFile(authority, 'key'),
    '-set_serial',
    serial,
  ];
  const leaf = ['-in', request, '-days', '3650', '-extfile', extensionFile, '-out', pkiFile(name, 'crt')];
  await run('openssl', ['x509', '-req', ...leaf, ...signer]);
  rmSync(request);
  rmSync(extensionFile);
}

const base64Of = async (file: string): Promise<string> => (await readFile(file)).toString('base64');

async function writeKubeconfig(name: string): Promise<void> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'agenttier',
        cluster: { server: API_URL, 'certificate-authority-data': await base64Of(pkiFile('ca', 'crt')) },
      },
    ],
    users: [
      {
        name,
        user: {
          'client-certificate-data': await base64Of(pkiFile(name, 'crt')),
          'client-key-data': await base64Of(pkiFile(name, 'key')),
        },
      },
    ],
    contexts: [{ name: 'agenttier', context: { cluster: 'agenttier', user: name } }],
    'current-context': 'agenttier',
  };
  await writeFile(kubeconfigFile(name), `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}
