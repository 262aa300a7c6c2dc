// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Hands a URL to the system's browser; false when there is none to hand it to. */
export function openBrowser(
  url: string,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  // The browser has no use for our credentials, nor has what it starts.
  const { AGENTTIER_API_KEY: _key, AGENTTIER_TOKEN: _token, ...env } = variables;
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true, env });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
    child.unref();
  });
}
