#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '@agenttier/machinery/runtime/clock';
import { readEnvironment } from './config.ts';
import type { Host } from './context/host.ts';
import { processTerminal } from './context/processTerminal.ts';
import { runPlugin } from './root.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());
// `kubectl agenttier list | head`: a reader that leaves early is no fault of ours and no reason for a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const host: Host = {
  streams: { in: process.stdin, out: process.stdout, err: process.stderr },
  clock: systemClock,
  environment: readEnvironment(),
  terminal: processTerminal(process),
  signal: interrupted.signal,
};

// Idle sockets and an open stdin would keep the process alive after its work is done.
process.exit(await runPlugin(process.argv.slice(2), host));
