import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ingest, plan, revoke, work } from './commands/act.ts';
import { consoleLink } from './commands/console-link.ts';
import { checkpoint, exportCustody, rotateLogKey, verifyCustody } from './commands/custody.ts';
import { decide, freeze } from './commands/decide.ts';
import { doctor } from './commands/doctor.ts';
import { drill } from './commands/drill.ts';
import { CommandError, type Io } from './commands/io.ts';
import { newKeys } from './commands/new-keys.ts';
import { explainPolicy, testPolicy } from './commands/policy.ts';
import { report as draftReport } from './commands/report.ts';
import { incidents, show } from './commands/show.ts';
import { start } from './commands/start.ts';
import { createToken, endToken, tokens } from './commands/token.ts';
import { witness } from './commands/witness.ts';
import type { Exposure } from './core/finding.ts';
import { scrub } from './ingest/patterns.ts';
import { VERSION } from './modes/bot.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(130); // asked twice: they mean it
    stopping.abort();
  });
}

// Whoever read it (`| head`) has gone: what is still to be said goes nowhere, what is to be done is done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const io: Io = {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  ask: process.stdin.isTTY && process.stdout.isTTY ? ask : null,
  colour: process.stdout.isTTY && !process.env.NO_COLOR,
  user: userInfo().username,
  stopping: stopping.signal,
  now: () => new Date(),
};

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question, { signal: stopping.signal });
  } finally {
    terminal.close();
  }
}

function exposure(text: string): Exposure {
  if (text === 'public' || text === 'internal' || text === 'anomaly' || text === 'unknown') return text;
  throw new InvalidArgumentError('write public, internal, anomaly or unknown');
}

let exitCode = 0;
const program = new Command('tourniquet')
  .description('Contains leaked credentials, proves them dead, replaces them, and keeps a chain of custody.')
  .version(VERSION)
  .exitOverride()
  .showHelpAfterError('Run it with --help for what it takes.');

program
  .command('start')
  .description('run the bot; with no configuration, a sandbox')
  .action(() => start(io));
program
  .command('drill')
  .description('practise an incident among simulated providers')
  .argument('[name]', 'the drill; without it, the drills there are')
  .option('--yes', 'approve everything, ask nothing', false)
  .option('--bundle <file>', 'where the evidence goes')
  .action(async (name: string | undefined, options: { yes: boolean; bundle?: string }) => {
    exitCode = await drill(io, { name, yes: options.yes, bundle: options.bundle });
  });
program
  .command('ingest')
  .description('hand in a report of gitleaks (JSON), TruffleHog (JSON lines), or any scanner (SARIF)')
  .argument('<file>')
  .option('--format <name>', 'gitleaks, trufflehog or sarif; else told from the content')
  .option('--repository <owner/name>', 'the repository that was scanned')
  .option('--exposure <who>', 'who can read it: public, internal, anomaly, unknown', exposure)
  .action((file: string, options: { format?: string; repository?: string; exposure?: Exposure }) =>
    ingest(io, { file, ...options }),
  );
program
  .command('plan')
  .description('what would be done about a credential, from real reads; changes nothing')
  .argument('<credential>', 'an AWS key id, a GitHub token, owner/repo#alert, or kind:id; - to be asked')
  .action(async (text: string) => plan(io, await credentialIn(text)));
program
  .command('revoke')
  .description('contain a credential now, then replace and retire it as policy allows')
  .argument('<credential>', 'as for plan; - to be asked, so that a secret stays out of the shell’s history')
  .argument('[why...]')
  .action(async (text: string, why: string[]) => revoke(io, await credentialIn(text), why.join(' ')));
program
  .command('incidents')
  .description('open incidents')
  .option('--all', 'closed ones too', false)
  .action((options: { all: boolean }) => incidents(io, options));
program
  .command('show')
  .description('one incident: where it stands, its plan, what happened')
  .argument('<incident>', 'INC-12')
  .option('--json', 'for programs', false)
  .action((ref: string, options: { json: boolean }) => show(io, ref, options));
program
  .command('report')
  .description('draft the post-incident report of an incident from the ledger')
  .argument('<incident>', 'INC-12')
  .option('--html', 'one self-contained page', false)
  .option('--markdown', 'the default', false)
  .option('--out <file>', 'else to standard output')
  .action((ref: string, options: { html: boolean; markdown: boolean; out?: string }) =>
    draftReport(io, { ref, format: options.html ? 'html' : 'markdown', ...(options.out ? { out: options.out } : {}) }),
  );
for (const verdict of ['approve', 'deny'] as const) {
  program
    .command(verdict)
    .description(`${verdict} the plan of an incident`)
    .argument('<incident>')
    .argument('[why...]')
    .option('--plan <hash>', 'only if this is still the plan')
    .action((ref: string, why: string[], options: { plan?: string }) =>
      decide(io, ref, { do: verdict, why: why.join(' '), ...options }),
    );
}
program
  .command('undo')
  .description('take back every reversible step, to the state before')
  .argument('<incident>')
  .argument('<why...>')
  .action((ref: string, why: string[]) => decide(io, ref, { do: 'undo', why: why.join(' ') }));
program
  .command('retry')
  .description('try again what failed')
  .argument('<incident>')
  .action((ref: string) => decide(io, ref, { do: 'retry' }));
program
  .command('answer')
  .description('say what you did about a step that a person does')
  .argument('<incident>')
  .argument('<answer...>')
  .action((ref: string, answer: string[]) => decide(io, ref, { do: 'answer', answer: answer.join(' ') }));
program
  .command('freeze')
  .description('change nothing at any provider until thawed')
  .argument('<why...>')
  .action((why: string[]) => freeze(io, true, why.join(' ')));
program
  .command('thaw')
  .description('go on after a freeze')
  .argument('<why...>')
  .action((why: string[]) => freeze(io, false, why.join(' ')));
program
  .command('work')
  .description('work on what is open, where no server runs')
  .action(() => work(io));
program
  .command('doctor')
  .description('what is configured; permissions that are there, missing, or too many')
  .action(async () => {
    exitCode = await doctor(io);
  });
program
  .command('new-keys')
  .description('print a new master key and log key, for the settings that all replicas share')
  .argument('[origin]', 'the name of the custody log', 'tourniquet/replicas')
  .action((origin: string) => newKeys(io, origin));
program
  .command('console-link')
  .description('a one-time link into the console')
  .argument('[person]', 'their id in the people file; else whoever you are')
  .action((person: string | undefined) => consoleLink(io, person));

const policy = program.command('policy').description('the rules that decide');
policy
  .command('test')
  .description('ask the policy every case of a file; exit status 1 when one is answered otherwise')
  .argument('<file>', 'such as src/policy/default.cases.json')
  .option('--policy <dir>', 'the folder of .cedar files; else TOURNIQUET_POLICY, else the default policy')
  .action((file: string, options: { policy?: string }) => {
    exitCode = testPolicy(io, file, options.policy);
  });
policy
  .command('explain')
  .description('which rules decided each phase of an incident, and whether today’s would decide otherwise')
  .argument('<incident>', 'INC-12')
  .action((ref: string) => explainPolicy(io, ref));

const token = program.command('token').description('tokens for the API (/api/v1)');
token
  .command('create')
  .description('make a token; it is shown once')
  .requiredOption('--person <id>', 'whose it is: it can do what they can, or less')
  .requiredOption('--expires <duration>', 'such as 30d, at most 365d')
  .option('--roles <roles>', 'only these roles of the person, such as auditor')
  .action((options: { person: string; expires: string; roles?: string }) => createToken(io, options));
token
  .command('list')
  .description('the tokens there are')
  .action(() => tokens(io));
token
  .command('revoke')
  .description('end a token at once')
  .argument('<id>')
  .action((id: string) => endToken(io, id));

const custody = program.command('custody').description('the chain of custody');
custody
  .command('export')
  .description('write a bundle that anyone can verify offline')
  .argument('[incident]', 'INC-12; without it, the whole ledger')
  .option('--out <file>', 'else INC-12.tar, or ledger.tar')
  .option('--policy-out <file>', 'also write the policy that trusts this ledger')
  .action((incident: string | undefined, options: { out?: string; policyOut?: string }) =>
    exportCustody(io, { incident, out: options.out, policyOut: options.policyOut }),
  );
custody
  .command('verify')
  .description('verify a bundle offline; exit status 0 only when every check passes')
  .argument('<file>')
  .requiredOption('--policy <file>', 'the keys you trust')
  .option('--seen <file>', 'a checkpoint you kept from before')
  .option('--max-age <duration>', 'how old its newest entry may be, such as 1d')
  .option('--json', 'for programs', false)
  .action((file: string, options: { policy: string; seen?: string; maxAge?: string; json: boolean }) => {
    exitCode = verifyCustody(io, {
      file,
      seen: options.seen,
      maxAge: options.maxAge,
      policy: options.policy,
      json: options.json,
    });
  });
custody
  .command('checkpoint')
  .description('print the signed checkpoint; keep it for verify --seen')
  .action(() => checkpoint(io));
custody
  .command('rotate-key')
  .description('change the key of the log; the bot must not run meanwhile')
  .argument('<why...>')
  .action((why: string[]) => rotateLogKey(io, why.join(' ')));

program
  .command('witness')
  .description('run a witness that cosigns the logs of others as they grow (C2SP tlog-witness)')
  .requiredOption('--name <name>', 'what it is called, such as witness.example.net/w1')
  .requiredOption('--key <file>', 'its key; made on first use')
  .requiredOption('--log <vkey...>', 'the keys of the logs that it watches over')
  .option('--listen <host:port>', 'where it answers', '127.0.0.1:8081')
  .option('--state <dir>', 'what it saw; to lose it is to let logs be rewritten', './witness')
  .action((options: { name: string; key: string; log: string[]; listen: string; state: string }) =>
    witness(io, { ...options, logs: options.log }),
  );

/** A secret on a command line stays in the shell's history: it can be typed, or piped in, instead. */
async function credentialIn(text: string): Promise<string> {
  if (text !== '-') return text;
  if (io.ask) return io.ask('Credential: ');
  let piped = '';
  for await (const chunk of process.stdin) piped += String(chunk);
  return piped.trim();
}

try {
  await program.parseAsync();
} catch (error) {
  exitCode = report(error);
}
process.exitCode = exitCode;

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has said what is wrong
  if (error instanceof CommandError) {
    io.err(scrub(error.message));
    return error.exitCode;
  }
  io.err(scrub(error instanceof Error ? error.message : String(error)));
  if (process.env.LOG_LEVEL === 'debug' && error instanceof Error) io.err(scrub(error.stack ?? ''));
  return 1;
}
