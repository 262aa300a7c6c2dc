// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import {
  addCopyOptions,
  addListOptions,
  addOutputOption,
  type App,
  completeArguments,
  examples,
  perform,
} from '../context/app.ts';
import type { CreateBackupOptions } from './create.ts';
import type { DeleteBackupsOptions } from './delete.ts';
import type { ListBackupsOptions } from './list.ts';
import type { RestoreOptions } from './restore.ts';

export function addBackup(program: Command, app: App): void {
  const backup = program
    .command('backup')
    .alias('backups')
    .summary('Back sandboxes up, and restore them')
    .description('Backups of sandboxes: VolumeSnapshots of their volumes. They need CSI snapshots.')
    .usage('list|create|restore|delete [flags]');
  addList(backup, app);
  addCreate(backup, app);
  addRestore(backup, app);
  addDelete(backup, app);
}

function addList(backup: Command, app: App): void {
  const list = addListOptions(backup.command('list [name]'))
    .alias('ls')
    .summary('List the snapshots of one sandbox or of the namespace')
    .addHelpText(
      'after',
      examples('kubectl agenttier backup list', 'kubectl agenttier backup list demo -o wide'),
    )
    .action(async (name: string | undefined, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Omit<ListBackupsOptions, 'name'>>();
      const options = { ...flags, ...(name === undefined ? {} : { name }) };
      await perform(app, async () => (await import('./list.ts')).listBackups, options);
    });
  completeArguments(list, 'sandboxes', 'none');
}

function addCreate(backup: Command, app: App): void {
  const create = addOutputOption(backup.command('create <name>'))
    .summary('Back a sandbox up now')
    .description('Ask for a backup now. It stays until it or the sandbox is deleted.')
    .option('-w, --wait', 'wait until it can be restored')
    .option('--wait-timeout <duration>', 'for how long to wait', '180s')
    .addHelpText('after', examples('kubectl agenttier backup create demo --wait'))
    .action(async (name: string, _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<CreateBackupOptions, 'name'>>(), name };
      await perform(app, async () => (await import('./create.ts')).createBackup, options);
    });
  completeArguments(create, 'sandboxes', 'none');
}

function addRestore(backup: Command, app: App): void {
  const restore = addCopyOptions(backup.command('restore <backup> [new-name]'))
    .summary('Make a new sandbox from a backup')
    .description(
      'Make a new sandbox that starts with the files of a backup and asks for what the sandbox that was backed up asks for. Once that one is gone, --template says what to make.',
    )
    .option('-t, --template <name>', 'template of the new sandbox, instead of all that the old one asks for')
    .addHelpText(
      'after',
      examples(
        'kubectl agenttier backup restore demo-backup-1f0c2d3e4a again --wait',
        'kubectl agenttier backup restore demo-backup-1f0c2d3e4a again -t python',
      ),
    )
    .action(async (snapshot: string, to: string | undefined, _options: unknown, self: Command) => {
      const flags = self.optsWithGlobals<Omit<RestoreOptions, 'backup' | 'to'>>();
      const options = { ...flags, backup: snapshot, ...(to === undefined ? {} : { to }) };
      await perform(app, async () => (await import('./restore.ts')).restoreBackup, options);
    });
  completeArguments(restore, 'backups', 'none');
}

function addDelete(backup: Command, app: App): void {
  const remove = backup
    .command('delete <backup...>')
    .alias('rm')
    .summary('Delete backups')
    .addHelpText('after', examples('kubectl agenttier backup delete demo-backup-1f0c2d3e4a'))
    .action(async (names: string[], _options: unknown, self: Command) => {
      const options = { ...self.optsWithGlobals<Omit<DeleteBackupsOptions, 'names'>>(), names };
      await perform(app, async () => (await import('./delete.ts')).deleteBackups, options);
    });
  completeArguments(remove, 'backups');
}
