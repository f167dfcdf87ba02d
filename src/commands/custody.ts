import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportBundle, exportCheckpoint } from '../custody/bundle.ts';
import { verifyCommand } from '../custody/command.ts';
import { parseVkey } from '../custody/note.ts';
import { formatPolicy } from '../custody/policy.ts';
import { rotateKey } from '../custody/rotation.ts';
import { fileSigner } from '../custody/signer.ts';
import { takeServerLock } from '../lock.ts';
import { anchoringOf } from '../modes/anchors.ts';
import { authnOf, withApp } from './context.ts';
import { findIncident } from './decide.ts';
import { CommandError, type Io } from './io.ts';

export interface ExportArguments {
  /** The whole ledger when left out. */
  readonly incident: string | undefined;
  /** Named for the incident, or ledger.tar, when left out. */
  readonly out: string | undefined;
  readonly policyOut: string | undefined;
}

/** Writes a bundle that anyone can verify offline and, on request, the policy file that trusts this ledger's key. */
export async function exportCustody(io: Io, { incident, policyOut, ...given }: ExportArguments): Promise<void> {
  await withApp(io, async (app, { log }) => {
    const { store, signer, tool, clock } = app.options;
    const witnessed = await anchoringOf(app.options, log).anchorHead(); // the newest checkpoint goes out as well vouched for as it can be
    const found = incident === undefined ? undefined : await findIncident(app, incident);
    const out = given.out ?? `${found?.ref ?? 'ledger'}.tar`;
    const bundle = await exportBundle({
      store,
      signer,
      tool,
      now: clock.now(),
      ...(found ? { incident: found.id } : {}),
    });
    writeFileSync(out, bundle);
    if (witnessed.is === 'unwitnessed')
      io.out(`Not cosigned by ${witnessed.missing.join(', ')}: a policy that demands them will refuse it.`);
    if (policyOut) writeFileSync(policyOut, formatPolicy(signer.vkey));
    io.out(`Written: ${out} (${bundle.length} bytes), ${found?.ref ?? 'the whole ledger'} of ${signer.name}.`);
    io.out(`Check it: npx tourniquet custody verify ${out} --policy ${policyOut ?? 'POLICY'}`);
    if (policyOut)
      io.out('Give auditors the policy by another way than the bundle: a bundle cannot vouch for its own key.');
  });
}

/** Changes the log's key for a new one in the same file; the old one is kept beside it. Refuses while a server runs. */
export async function rotateLogKey(io: Io, why: string): Promise<void> {
  await withApp(io, async (app, context) => {
    const { config } = context;
    if (config.logKey) {
      throw new CommandError(
        'The log key is given by TOURNIQUET_LOG_KEY, not kept in the data folder: see docs/custody.md for how to change it',
        2,
      );
    }
    const release = takeServerLock(config.dataDir);
    try {
      const { signer: from, store } = app.options;
      const file = join(config.dataDir, 'log.key');
      const to = fileSigner(`${file}.next`, from.name);
      await rotateKey(
        { ledger: app.ledger, store },
        { from, to, actor: { kind: 'person', id: io.user, authn: authnOf(context, io) }, why },
      );
      copyFileSync(file, `${file}.${parseVkey(from.vkey).hash}`);
      renameSync(`${file}.next`, file);
      io.out(`The log ${from.name} is signed with a new key from here on. Give auditors its policy:`);
      io.out(formatPolicy(to.vkey).trimEnd());
      io.out('Witnesses must be told of it too, or they refuse the next checkpoint.');
    } finally {
      release();
    }
  });
}

/** Prints the signed checkpoint of the log as it stands: keep it, and hand it to `custody verify --seen` later. */
export async function checkpoint(io: Io): Promise<void> {
  await withApp(io, async (app) =>
    io.out((await exportCheckpoint(app.options.store, app.options.signer.vkey)).trimEnd()),
  );
}

export interface VerifyArguments {
  readonly file: string;
  readonly policy: string;
  readonly seen: string | undefined;
  readonly maxAge: string | undefined;
  readonly json: boolean;
}

/** Verifies a bundle offline, without configuration or database. Resolves with the exit status. */
export function verifyCustody(io: Io, { file, policy, seen, maxAge, json }: VerifyArguments): 0 | 1 | 2 {
  const { exitCode, text } = verifyCommand({
    bundle: read(file),
    policy: read(policy).toString('utf8'),
    json,
    now: io.now(),
    ...(seen ? { seen: read(seen) } : {}),
    ...(maxAge ? { maxAge } : {}),
  });
  io.out(text.trimEnd());
  return exitCode;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}
