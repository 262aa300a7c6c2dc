// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { SandboxAudit } from '../../audit.ts';
import { awaitTarget } from '../../cluster/awaitTarget.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Ticket } from '../../auth/tickets.ts';
import type { RuntimeAnswer, RuntimeClient, RuntimeRequest } from '../../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeUnreachable } from '../../cluster/runtimeErrors.ts';
import type { Wake } from '../../cluster/wake.ts';
import type { Target } from '../../cluster/target.ts';
import type { TicketDesk } from '../../terminal/door/ticketDesk.ts';
import { HttpError, refusals } from '../errors.ts';
import type { Call } from '../route.ts';
import { admitTo } from '../sandboxes/operations.ts';

export interface FilesOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly wake: Wake;
  readonly runtime: Pick<RuntimeClient, 'request'>;
  /** The sandbox is being used. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly audit: SandboxAudit;
  readonly tickets: Pick<TicketDesk, 'spendAnyWay'>;
}

/** What is asked of the runtime, and what of it goes into the audit trail. */
export interface Errand {
  readonly access: 'readFiles' | 'writeFiles';
  readonly method: RuntimeRequest['method'];
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RuntimeRequest['body'];
  /** Absent: too small a thing to be noted. */
  readonly note?: string;
}

export interface Carried {
  readonly answer: RuntimeAnswer;
  readonly sandbox: Sandbox;
}

/** Carries an errand to the runtime of the sandbox. Throws HttpError for whatever is no success. */
export async function carry(options: FilesOptions, call: Call, errand: Errand): Promise<Carried> {
  try {
    return await tryCarry(options, call, errand);
  } catch (error) {
    if (errand.body !== undefined) abandon(call.stream);
    throw error;
  }
}

async function tryCarry(options: FilesOptions, call: Call, errand: Errand): Promise<Carried> {
  const { signal, principal, sourceIp } = call;
  const sandbox = await options.wake(await admitTo(options, call, errand.access), call);
  const target = await awaitTarget(options.stores, sandbox, { signal });
  if (call.ticket !== undefined) await spend(options, { ...call, ticket: call.ticket }, { sandbox, target });
  options.touch(sandbox);
  const noted = (outcome: 'allowed' | 'failed'): void => {
    if (errand.note === undefined) return;
    const action = errand.access === 'readFiles' ? 'FilesRead' : 'FilesWritten';
    options.audit(sandbox, { action, principal, sourceIp, outcome, note: errand.note });
  };
  const { method, path, headers = {}, body } = errand;
  try {
    const request = { method, path, headers, body, signal };
    const answer = await options.runtime.request(target, request).catch(worded);
    if (answer.status >= 400) throw await refusalOf(answer);
    noted('allowed');
    // A long transfer is use until its end, not only at its start.
    answer.stream.once('close', () => options.touch(sandbox));
    return { answer, sandbox };
  } catch (error) {
    noted('failed');
    throw error;
  } finally {
    options.touch(sandbox);
  }
}

/** Uses up the ticket that the caller came with, wherever replicas of ours run; a look at the head alone leaves it. */
async function spend(
  { tickets }: FilesOptions,
  { ticket, head }: Call & { readonly ticket: Ticket },
  { sandbox, target }: { readonly sandbox: Sandbox; readonly target: Target },
): Promise<void> {
  if (ticket.sandboxUid !== sandbox.metadata.uid) {
    throw refusals.invalidTicket('this ticket is for another sandbox');
  }
  if (head !== true) await tickets.spendAnyWay(ticket, target);
}

function worded(error: unknown): never {
  if (error instanceof RuntimeUnreachable) {
    throw refusals.unavailable(`the runtime of the sandbox cannot be reached: ${error.message}`);
  }
  if (error instanceof RuntimeLost) {
    throw refusals.transportLost(
      'the connection to the sandbox broke; look at what is there before you repeat it',
    );
  }
  throw error;
}

/** Error bodies of the runtime are small. */
const MAX_REFUSAL = 64 * 1024;

/** What the runtime has against it, in its own words. */
export async function refusalOf(answer: RuntimeAnswer): Promise<HttpError> {
  const { status } = answer;
  const length = Number(answer.headers['content-length'] ?? 0);
  const body = length > MAX_REFUSAL ? '' : await text(answer.stream).catch(() => '');
  answer.stream.destroy();
  const { error = `the sandbox answered ${status}`, message } = read(body);
  // How the runtime answers for routes that it does not have.
  if (status === 404 && error.startsWith('Not Found: ')) return refusals.olderRuntime();
  if (!OURS.has(status)) return refusals.transportLost(`the sandbox failed: ${message ?? error}`);
  return new HttpError(status, { error, ...(message === undefined ? {} : { message }) }, rangeOf(answer));
}

/** What the caller did wrong, or can do something about; anything else went wrong in the sandbox. */
const OURS: ReadonlySet<number> = new Set([400, 403, 404, 405, 409, 412, 413, 416, 507]);

/** How long the file is that a range lies beyond, or how much of an upload has come. */
function rangeOf({ headers }: RuntimeAnswer): Record<string, string> {
  const named = ['Content-Range', 'Range'].map((name) => [name, headers[name.toLowerCase()]] as const);
  return Object.fromEntries(named.filter((pair): pair is ['Range', string] => typeof pair[1] === 'string'));
}

function read(body: string): { error?: string; message?: string } {
  try {
    const { error, message } = JSON.parse(body) as Record<string, unknown>;
    return {
      ...(typeof error === 'string' ? { error } : {}),
      ...(typeof message === 'string' ? { message } : {}),
    };
  } catch {
    return body === '' ? {} : { error: body.trim() };
  }
}

/** What a client may still send of an upload that has been refused: enough for one that reads only when it is done. */
const MAX_LEFTOVER = 64 * 1024 * 1024;
/** Time to read an answer in, for one who still writes. */
const LINGER_MS = 5_000;

/**
 * Takes what of a refused upload is on its way, so that the client comes to read the answer that says why (RFC 9112, 9.6). One
 * that sends on is read no further but not cut at once either: a reset would overtake the answer and take it away.
 */
function abandon(body: Readable): void {
  let left = MAX_LEFTOVER;
  const cut = setTimeout(() => body.destroy(), LINGER_MS);
  cut.unref();
  body.once('close', () => clearTimeout(cut)).once('end', () => clearTimeout(cut));
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) body.pause();
  });
  body.resume();
}
