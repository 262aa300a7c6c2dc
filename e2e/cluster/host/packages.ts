// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, tryRun } from './command.ts';

/** A program (or file) that must be there, and the Debian or Ubuntu package that brings it. */
interface Need {
  readonly program: string;
  readonly package: string;
  /** Debian 12's own version is too old: take it from the next release. */
  readonly newer?: boolean;
  /** Says whether the installed program is good enough. */
  readonly enough?: (version: string) => boolean;
}

/** `1.7.24` of `containerd github.com/containerd/containerd 1.7.24~ds1`; the kubelet of Kubernetes 1.34 wants 1.7 or 2.x. */
export function containerdIsEnough(version: string): boolean {
  const found = /(\d+)\.(\d+)\.\d+/.exec(version);
  return found !== null && Number(found[1]) * 100 + Number(found[2]) >= 107;
}

/** Where Debian's package puts it. */
export const BROWSER = '/usr/bin/chromium';

const NEEDS: readonly Need[] = [
  { program: 'containerd', package: 'containerd', newer: true, enough: containerdIsEnough },
  { program: 'runc', package: 'runc' },
  { program: '/usr/lib/cni/bridge', package: 'containernetworking-plugins' },
  { program: 'iptables', package: 'iptables' },
  { program: 'nft', package: 'nftables' },
  { program: 'conntrack', package: 'conntrack' },
  { program: 'ip', package: 'iproute2' },
  { program: 'modprobe', package: 'kmod' },
  { program: 'mount', package: 'mount' },
  { program: 'openssl', package: 'openssl' },
  { program: 'buildah', package: 'buildah' },
  { program: 'mmdebstrap', package: 'mmdebstrap' },
  { program: '/usr/share/keyrings/debian-archive-keyring.gpg', package: 'debian-archive-keyring' },
];

/** Any Go from 1.21 on fetches the toolchain that tools/go.mod asks for by itself. */
export function goIsEnough(version: string): boolean {
  const found = /go(\d+)\.(\d+)/.exec(version);
  return found !== null && Number(found[1]) * 100 + Number(found[2]) >= 121;
}

/** Where the distribution's own `golang-go` is older, as on Ubuntu 22.04. */
const GO_VERSIONS = ['1.24', '1.23', '1.22', '1.21'];

/** Path of a program on PATH, or of a file given in full. */
export function which(program: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  if (program.startsWith('/')) return existsSync(program) ? program : undefined;
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file));
}

async function isMissing(need: Need): Promise<boolean> {
  if (which(need.program) === undefined) return true;
  return need.enough !== undefined && !need.enough((await tryRun(need.program, ['--version'])).stdout);
}

/** Fields of /etc/os-release. */
export function parseOsRelease(text: string): Record<string, string> {
  const entries = text.split('\n').flatMap((line) => {
    const found = /^([A-Z_]+)="?([^"]*)"?$/.exec(line);
    return found === null ? [] : [[found[1] ?? '', found[2] ?? ''] as const];
  });
  return Object.fromEntries(entries);
}

/** The archive's address in the machine's own apt sources (one-line or deb822 form), for a release's main suite. */
export function archiveOf(sources: readonly string[], codename: string): string | undefined {
  for (const text of sources) {
    for (const stanza of text.split(/\n\s*\n/)) {
      const suites = /^Suites:(.*)$/m.exec(stanza)?.[1]?.trim().split(/\s+/);
      if (suites?.includes(codename) === true) return /^URIs:\s*(\S+)/m.exec(stanza)?.[1];
    }
    const line = new RegExp(`^deb\\s+(?:\\[[^\\]]*\\]\\s+)?(\\S+)\\s+${codename}\\s`, 'm').exec(text);
    if (line !== null) return line[1];
  }
  return undefined;
}

function aptSources(): string[] {
  const folder = '/etc/apt/sources.list.d';
  const parts = existsSync(folder)
    ? readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name))
    : [];
  return [...parts.map((name) => join(folder, name)), '/etc/apt/sources.list']
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
}

/**
 * Lets single packages come from Debian 13 on Debian 12. At priority 50 nothing is taken from there unless asked by
 * name, so an upgrade of the machine stays within its own release.
 */
async function addNewerRelease(): Promise<boolean> {
  const release = parseOsRelease(readFileSync('/etc/os-release', 'utf8'));
  if (release['ID'] !== 'debian' || release['VERSION_CODENAME'] !== 'bookworm') return false;
  const archive = archiveOf(aptSources(), 'bookworm');
  if (archive === undefined) return false;
  const signed = 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg';
  const source = `Types: deb\nURIs: ${archive}\nSuites: trixie\nComponents: main\n${signed}\n`;
  await asRoot('tee', ['/etc/apt/sources.list.d/agenttier-trixie.sources'], source);
  await asRoot(
    'tee',
    ['/etc/apt/preferences.d/agenttier-trixie'],
    'Package: *\nPin: release n=trixie\nPin-Priority: 50\n',
  );
  return true;
}

/** Only the bare node runs as root already. */
function asRoot(file: string, args: readonly string[], input = ''): Promise<string> {
  const command = ['DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=l', file, ...args];
  return process.getuid?.() === 0
    ? run('env', command, { input })
    : run('sudo', ['env', ...command], { input });
}

async function install(packages: readonly string[]): Promise<void> {
  await asRoot('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
}

/**
 * Installs what is missing; says what it installed. The bare node needs all of it, other clusters only Go to build from.
 * Throws on a system without apt that lacks something.
 */
export async function ensurePackages(kind: string): Promise<string> {
  const needs = kind === 'bare' ? NEEDS : [];
  const verdicts = await Promise.all(needs.map(isMissing));
  const missing = needs.filter((_, index) => verdicts[index]);
  const needsGo = await goIsMissing();
  if (missing.length === 0 && !needsGo) return 'all there';
  const names = missing.map((need) => need.package);
  if (which('apt-get') === undefined) {
    throw new Error(
      `install these first (only Debian and Ubuntu are done by themselves): ${[...names, 'go'].join(' ')}`,
    );
  }
  const newer = await addNewerRelease();
  await asRoot('apt-get', ['update', '-qq']);
  const wanted = missing.map((need) =>
    need.newer === true && newer ? `${need.package}/trixie` : need.package,
  );
  if (needsGo) wanted.push(...(await goPackages(newer)));
  await install(wanted);
  return `installed ${wanted.join(' ')}`;
}

/** Brings a package that one can do without. Throws where it cannot be had; the rest of the machine is not touched then. */
export async function ensureOptionalPackage(name: string): Promise<void> {
  if (which(name) !== undefined) return;
  if (which('apt-get') === undefined) throw new Error(`${name} is not installed`);
  const newer = await addNewerRelease();
  const wanted = newer ? `${name}/trixie` : name;
  await asRoot('apt-get', ['update', '-qq']);
  const known = await tryRun('apt-cache', ['policy', name]);
  if (!/Candidate: \d/.test(known.stdout)) {
    throw new Error(`${name} is not installed, and this system has no package of that name`);
  }
  await install([wanted]);
}

/** The browser that pages are tested in, of the machine's own release, and a font: without one it draws boxes. */
export async function ensureBrowser(): Promise<void> {
  const font = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf';
  const wanted = [
    ...(which(BROWSER) ? [] : ['chromium']),
    ...(existsSync(font) ? [] : ['fonts-dejavu-core']),
  ];
  if (wanted.length === 0) return;
  if (which('apt-get') === undefined)
    throw new Error(`install a Chromium as ${BROWSER} and the DejaVu fonts first`);
  await asRoot('apt-get', ['update', '-qq']);
  await install(wanted);
}

async function goIsMissing(): Promise<boolean> {
  const go = goBinary();
  return go === undefined || !goIsEnough((await tryRun(go, ['version'])).stdout);
}

async function goPackages(newer: boolean): Promise<string[]> {
  // The compiler and its sources are packages of their own, each of which must be named to come from there.
  if (newer)
    return ['golang-go', 'golang-src', 'golang-1.24-go', 'golang-1.24-src'].map((name) => `${name}/trixie`);
  const candidate = /Candidate: (?:\d+:)?(\S+)/.exec(
    (await tryRun('apt-cache', ['policy', 'golang-go'])).stdout,
  )?.[1];
  if (candidate !== undefined && goIsEnough(`go${candidate}`)) return ['golang-go'];
  for (const version of GO_VERSIONS) {
    const name = `golang-${version}-go`;
    if (/Candidate: \d/.test((await tryRun('apt-cache', ['policy', name])).stdout)) return [name];
  }
  return ['golang-go'];
}

/** The go command: on PATH, or where a versioned package puts it. */
export function goBinary(): string | undefined {
  const versioned = GO_VERSIONS.map((version) => `/usr/lib/go-${version}/bin/go`);
  return which('go') ?? versioned.find((file) => existsSync(file));
}
