import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { verifyCommand } from './custody/command.ts';

/**
 * `tourniquet-verify`: the verifier alone, for auditors. It reads the files that it is given and nothing else: no database, no
 * network, no configuration, none of the rest of the program.
 */

const USAGE = `tourniquet-verify BUNDLE.tar --policy FILE [--seen CHECKPOINT.note] [--max-age 1d] [--json]

Exit status: 0 every check passed; 1 at least one failed; 2 it was not understood, or a file could not be read.
`;

interface Outcome {
  readonly exitCode: 0 | 1 | 2;
  readonly out?: string;
  readonly err?: string;
}

function run(argv: readonly string[]): Outcome {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      policy: { type: 'string' },
      seen: { type: 'string' },
      'max-age': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [file, ...more] = positionals;
  if (values.help) return { exitCode: 0, out: USAGE };
  if (file === undefined || values.policy === undefined || more.length > 0) return { exitCode: 2, err: USAGE };
  const { exitCode, text } = verifyCommand({
    bundle: readFileSync(file),
    policy: readFileSync(values.policy, 'utf8'),
    json: values.json,
    now: new Date(),
    ...(values.seen === undefined ? {} : { seen: readFileSync(values.seen) }),
    ...(values['max-age'] === undefined ? {} : { maxAge: values['max-age'] }),
  });
  return { exitCode, out: text };
}

function attempt(argv: readonly string[]): Outcome {
  try {
    return run(argv);
  } catch (error) {
    return { exitCode: 2, err: `${error instanceof Error ? error.message : String(error)}\n` };
  }
}

const { exitCode, out, err } = attempt(process.argv.slice(2));
if (out) process.stdout.write(out);
if (err) process.stderr.write(err);
process.exitCode = exitCode;
