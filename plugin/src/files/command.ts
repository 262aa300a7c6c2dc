// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { App } from '../context/app.ts';
import { addGroup, addVerb } from '../context/verb.ts';
import type * as Changes from './change.ts';
import type * as Transfers from './transfer.ts';

type Change = typeof Changes;
const change =
  <Name extends keyof Change>(name: Name) =>
  async (): Promise<Change[Name]> =>
    (await import('./change.ts'))[name];
type Transfer = typeof Transfers;
const transfer =
  <Name extends keyof Transfer>(name: Name) =>
  async (): Promise<Transfer[Name]> =>
    (await import('./transfer.ts'))[name];

const GROUP = {
  name: 'files',
  aliases: ['file'],
  summary: 'Files of a sandbox',
  description:
    'Files of a running sandbox, of any size, streamed. A path that does not begin with / is one below the workspace. Needs the router.',
  verbs: 'ls|cat|upload|download|write|archive|mkdir|mv|rm',
};
const OF_SANDBOX = ['sandboxes', 'none'] as const;

export function addFiles(program: Command, app: App): void {
  const files = addGroup(program, GROUP);
  addTransfers(files, app);
  addArchive(files, app);
  addListing(files, app);
  addChanges(files, app);
}

/** `cp` stands on its own, as in kubectl. */
export function addCp(program: Command, app: App): void {
  addVerb(program, app, {
    usage: 'cp <from> <to>',
    summary: 'Copy files and folders into a sandbox or out of one',
    description:
      'Copy a file or a folder with all that is in it. One of the two is SANDBOX:PATH. Links and special files are left out.',
    completes: ['sandboxes', 'none'],
    examples: ['kubectl agenttier cp src demo:/workspace/src', 'kubectl agenttier cp demo:result.csv .'],
    load: async () => (await import('./copy.ts')).runCopy,
  });
}

function addTransfers(files: Command, app: App): void {
  addVerb(files, app, {
    usage: 'cat <name> <path>',
    summary: 'Print a file',
    completes: OF_SANDBOX,
    examples: ['kubectl agenttier files cat demo notes.txt'],
    load: transfer('catFile'),
  });
  addVerb(files, app, {
    usage: 'upload <name> <local> [path]',
    summary: 'Upload a file; it is there as a whole or not at all',
    completes: ['sandboxes', 'files'],
    examples: [
      'kubectl agenttier files upload demo data.csv',
      'tar c src | kubectl agenttier files upload demo - /tmp/src.tar',
    ],
    load: transfer('uploadFile'),
  });
  addVerb(files, app, {
    usage: 'download <name> <path> [local]',
    summary: 'Download a file',
    completes: ['sandboxes', 'none', 'files'],
    examples: ['kubectl agenttier files download demo out/result.bin'],
    load: transfer('downloadFile'),
  });
}

function addArchive(files: Command, app: App): void {
  addVerb(files, app, {
    usage: 'archive <name> [local]',
    summary: 'Download a folder as one archive; - writes to standard output',
    flags: [
      { flags: '--path <path>', about: 'folder; the workspace when left out' },
      {
        flags: '--format <format>',
        about: 'kind of archive',
        fallback: 'zip',
        choices: ['zip', 'tar', 'tar.gz'],
      },
    ],
    completes: ['sandboxes', 'files'],
    examples: [
      'kubectl agenttier files archive demo',
      'kubectl agenttier files archive demo - --format tar | tar x',
    ],
    load: transfer('downloadArchive'),
  });
}

function addListing(files: Command, app: App): void {
  addVerb(files, app, {
    usage: 'ls <name> [path]',
    aliases: ['list'],
    summary: 'List a folder',
    flags: [{ flags: '--path <path>', about: 'the folder, as another way to name it' }],
    output: 'rows',
    completes: OF_SANDBOX,
    examples: ['kubectl agenttier files ls demo', 'kubectl agenttier files ls demo /etc -o wide'],
    load: change('listFiles'),
  });
}

function addChanges(files: Command, app: App): void {
  addVerb(files, app, {
    usage: 'write <name> <path>',
    summary: 'Write a file from the command line or from standard input',
    flags: [{ flags: '--data <text>', about: 'what to write; standard input when left out' }],
    completes: OF_SANDBOX,
    examples: ["kubectl agenttier files write demo hello.txt --data 'hello'"],
    load: transfer('writeFile'),
  });
  addVerb(files, app, {
    usage: 'mkdir <name> <path>',
    summary: 'Make a folder',
    completes: OF_SANDBOX,
    examples: ['kubectl agenttier files mkdir demo out'],
    load: change('makeFolder'),
  });
  addVerb(files, app, {
    usage: 'mv <name> <path> <to>',
    summary: 'Move or rename a file or a folder',
    flags: [{ flags: '--overwrite', about: 'replace a file that is there' }],
    completes: OF_SANDBOX,
    examples: ['kubectl agenttier files mv demo draft.md final.md'],
    load: change('moveFile'),
  });
  addVerb(files, app, {
    usage: 'rm <name> <path...>',
    summary: 'Delete files and folders',
    flags: [{ flags: '-r, --recursive', about: 'folders with all that is in them' }],
    completes: OF_SANDBOX,
    examples: ['kubectl agenttier files rm demo old.log', 'kubectl agenttier files rm demo -r build'],
    load: change('removeFiles'),
  });
}
