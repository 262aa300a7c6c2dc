// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander';
import { addApiKey } from './apikey/command.ts';
import { addBackup } from './backup/command.ts';
import { addBulk } from './bulk/command.ts';
import { addCheck } from './check/command.ts';
import { addClone } from './clone/command.ts';
import { addCluster } from './cluster/command.ts';
import { addCompletion } from './completion/command.ts';
import { addGlobalOptions, type App } from './context/app.ts';
import { describeFailure, withoutSecret } from './context/failure.ts';
import { type GlobalFlags, type Host, write } from './context/host.ts';
import { addConfigure } from './configure/command.ts';
import { addCreate } from './create/command.ts';
import { addDashboard } from './dashboard/command.ts';
import { addDelete } from './delete/command.ts';
import { addExec } from './exec/command.ts';
import { addExplain } from './explain/command.ts';
import { addCp, addFiles } from './files/command.ts';
import { addGet } from './get/command.ts';
import { addInvoke } from './invoke/command.ts';
import { addInsight } from './insight/command.ts';
import { addList } from './list/command.ts';
import { addLogin } from './login/command.ts';
import { addLogs } from './logs/command.ts';
import { addMcp } from './mcp/command.ts';
import { addPatch } from './patch/command.ts';
import { addPolicy } from './policy/command.ts';
import { addPool } from './pool/command.ts';
import { addPortForward } from './portForward/command.ts';
import { addPorts } from './ports/command.ts';
import { addResume } from './resume/command.ts';
import { addShare } from './share/command.ts';
import { addStop } from './stop/command.ts';
import { addTemplate } from './template/command.ts';
import { addTerminal } from './terminal/command.ts';
import { addTop } from './top/command.ts';
import { addVersion } from './version/command.ts';
import { addWait } from './wait/command.ts';
import { addWebhook } from './webhook/command.ts';
import { addWhoami } from './whoami/command.ts';
import { addWhy } from './why/command.ts';

const COMMANDS = [
  addCreate,
  addList,
  addGet,
  addStop,
  addResume,
  addDelete,
  addPatch,
  addClone,
  addBackup,
  addBulk,
  addWait,
  addExec,
  addTerminal,
  addConfigure,
  addInvoke,
  addLogs,
  addTop,
  addPortForward,
  addPorts,
  addFiles,
  addCp,
  addExplain,
  addWhy,
  addCheck,
  addPolicy,
  addTemplate,
  addPool,
  addShare,
  addApiKey,
  addWebhook,
  addInsight,
  addCluster,
  addDashboard,
  addMcp,
  addLogin,
  addWhoami,
  addVersion,
  addCompletion,
];

/** Exit code for a command line that cannot be run as it stands. */
const USAGE = 2;
/** The hidden command that shells ask for completions. */
const COMPLETE = '__complete';

/** The whole command line. Nothing is read or contacted until a command runs. */
export function buildProgram(app: App): Command {
  const program = addGlobalOptions(new Command('kubectl agenttier'))
    .description('Isolated, governed sandboxes on Kubernetes')
    .usage('COMMAND [flags]')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void app.host.streams.out.write(text),
      writeErr: (text) => void app.host.streams.err.write(text),
      // Commander prefixes its own mistakes with `error:`, which is what kubectl prints too.
      outputError: (text, put) => put(text),
    });
  for (const add of COMMANDS) add(program, app);
  return program;
}

/** Runs one command line (without the program's name) and answers the exit code; failures are told on stderr. */
export async function runPlugin(args: readonly string[], host: Host): Promise<number> {
  const app: App = { host, exitCode: 0 };
  const program = buildProgram(app);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    if (args[0] === COMPLETE) {
      // The words to complete are an unfinished command line: commander must not judge them.
      const { complete } = await import('./completion/complete.ts');
      await complete(host, program, args.slice(1));
      return 0;
    }
    await program.parseAsync([...args], { from: 'user' });
    return app.exitCode;
  } catch (error) {
    // Help and version end with 0; everything else that the parser refuses is a mistake on the command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    return await report(error, host, program.opts<GlobalFlags>());
  }
}

async function report(error: unknown, host: Host, flags: GlobalFlags): Promise<number> {
  if (host.signal.aborted) return 130;
  const { lines, exitCode } = describeFailure(error);
  const secrets = [flags.apiKey, flags.token, host.environment.apiKey, host.environment.token];
  const told = secrets.reduce(withoutSecret, lines.join('\n'));
  await write(host.streams.err, `${told}\n`);
  return exitCode;
}
