import { CreateAccessKeyCommand, DeleteAccessKeyCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import { type Ctx, Failure, type Json, operations, type Probe, type Sink, type SinkTarget } from '#tourniquet';
import { type Aws, call } from '../client.ts';
import { ifThere } from '../errors.ts';
import { keyStatus, type ListedKey, lastUse, listKeys, setKeyStatus } from '../keys.ts';
import { keyInput, type UserWhere, userWhere } from '../kinds.ts';

const op = operations<Aws>();

const isTarget = (value: unknown): boolean => z.looseObject({ kind: z.string() }).safeParse(value).success;
const target = z.custom<SinkTarget>(isTarget);
/** Of the sink, the compiler knows only that it is an object: `step` would follow the type of JSON without end. */
const input = z.object({ where: userWhere, sink: z.custom<object>(isTarget) });
type Input = z.output<typeof input>;
type Before = { readonly keyIds: readonly string[]; readonly sink: Json };
type Issued = { readonly keyId: string; readonly version: string; readonly sink: string };

const meta = {
  permissions: [
    'iam:ListAccessKeys',
    'iam:GetAccessKeyLastUsed',
    'iam:UpdateAccessKey',
    'iam:CreateAccessKey',
    'iam:DeleteAccessKey',
  ],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html',
  bucket: 'iam',
  timeoutMs: 60_000,
  input,
};

/** Issues a new key of the user straight into a sink that can give back what it held. */
export const issueKey = op.reversible({
  ...meta,
  title: 'Issue a new access key into its sink',
  before: (ctx, given) => readBefore(ctx, given, restorable(sinkOf(ctx, given)).sink),
  run: (ctx, given, before) => issue(ctx, given, before, restorable(sinkOf(ctx, given)).sink),
  probe: (ctx, given, before) => probe(ctx, given, before, sinkOf(ctx, given)),
  undo: async (ctx, given, before) => {
    // The sink first, so that at no moment it names a key that is gone.
    await restorable(sinkOf(ctx, given)).restore(before.sink);
    const [issued, another] = await issuedSince(ctx, given.where, before);
    if (another !== undefined)
      throw new Failure(
        'conflict',
        `${given.where.user} has two new keys, ${issued?.id} and ${another.id}. The sink is restored; delete the right one by hand.`,
      );
    if (issued !== undefined) await removeKey(ctx, given.where, issued.id);
  },
});

/** Issues a new key into a sink that only takes: what it held before is gone. */
export const issueKeyWriteOnly = op.irreversible({
  ...meta,
  title: 'Issue a new access key into its write-only sink',
  before: (ctx, given) => readBefore(ctx, given, sinkOf(ctx, given)),
  run: (ctx, given, before) => issue(ctx, given, before, sinkOf(ctx, given)),
  probe: (ctx, given, before) => probe(ctx, given, before, sinkOf(ctx, given)),
});

/** Deletes the key for good. It is made inactive first; a key that is gone already is done. */
export const deleteKey = op.irreversible({
  title: 'Delete the access key',
  permissions: ['iam:ListAccessKeys', 'iam:UpdateAccessKey', 'iam:DeleteAccessKey'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html',
  bucket: 'iam',
  input: keyInput,
  before: async (ctx, { id, where }) => ({ status: await keyStatus(ctx, where, id) }),
  run: async (ctx, { id, where }) => {
    await removeKey(ctx, where, id);
    return null;
  },
  probe: async (ctx, { id, where }) =>
    (await keyStatus(ctx, where, id)) === null ? { state: 'done', out: null } : { state: 'not-done' },
});

const sinkOf = (ctx: Ctx<Aws>, given: Input): Sink => ctx.sink(target.parse(given.sink));

function restorable(sink: Sink): { readonly sink: Sink; readonly restore: (before: Json) => Promise<void> } {
  const { restore } = sink;
  if (!restore)
    throw new Failure(
      'invalid',
      `${sink.label} cannot give back what it held, so this needs issueKeyWriteOnly instead.`,
    );
  return { sink, restore };
}

async function readBefore(ctx: Ctx<Aws>, { where }: Input, sink: Sink): Promise<Before> {
  const keys = await listKeys(ctx, where);
  if (keys === null) throw new Failure('missing', `AWS account ${where.account} has no user ${where.user}.`);
  return { keyIds: keys.map(({ id }) => id), sink: await sink.before() };
}

/** Keys that were not there before. A user has two at most, so there is hardly ever more than one. */
async function issuedSince(ctx: Ctx<Aws>, where: UserWhere, { keyIds }: Before): Promise<readonly ListedKey[]> {
  return ((await listKeys(ctx, where)) ?? []).filter(({ id }) => !keyIds.includes(id));
}

async function issue(ctx: Ctx<Aws>, given: Input, before: Before, sink: Sink): Promise<Issued> {
  const { where } = given;
  const iam = (await ctx.client.change(ctx, { account: where.account })).iam();
  const earlier = await probe(ctx, given, before, sink);
  if (earlier.state === 'done') return earlier.out;
  if (earlier.state === 'unknown') throw new Failure('conflict', `No key was issued: ${earlier.because}`);
  await removeOrphans(ctx, where, before);

  const created = await call(ctx, 'iam:CreateAccessKey', (options) =>
    iam.send(new CreateAccessKeyCommand({ UserName: where.user }), options),
  );
  const { AccessKeyId: keyId, SecretAccessKey: secretAccessKey } = created.AccessKey ?? {};
  if (!keyId || !secretAccessKey || (await keyStatus(ctx, where, keyId)) === null)
    throw new Failure('garbled', `AWS said that it made a key for ${where.user}, but does not list it.`);
  const { version } = await write(ctx, where, sink, { accessKeyId: keyId, secretAccessKey });
  return { keyId, version, sink: sink.label };
}

/** Writes the new key into its sink; if the sink refuses, the key is removed again, for no one will ever know its secret. */
async function write(
  ctx: Ctx<Aws>,
  where: UserWhere,
  sink: Sink,
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
) {
  try {
    return await sink.write(key, ctx.idempotencyKey);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    switch (error.code) {
      case 'unavailable':
      case 'timeout':
      case 'garbled':
      case 'bug':
        throw error; // the sink may hold it: the probe knows, and a next attempt removes the key if not
      case 'denied':
      case 'invalid':
      case 'missing':
      case 'conflict':
      case 'throttled':
      case 'busy':
        await discard(ctx, where, key.accessKeyId, sink);
        throw error;
    }
  }
}

async function discard(ctx: Ctx<Aws>, where: UserWhere, id: string, sink: Sink): Promise<void> {
  try {
    await removeKey(ctx, where, id);
  } catch (error) {
    const why = error instanceof Failure ? error.message : 'an unexpected error';
    throw new Failure(
      'conflict',
      `${sink.label} refused the new key ${id} of ${where.user}, and the key could not be deleted again (${why}). Delete it by hand, then try again.`,
    );
  }
}

/** What an attempt that died between AWS and the sink left behind. A key that is in use is someone's, and is not touched. */
async function removeOrphans(ctx: Ctx<Aws>, where: UserWhere, before: Before): Promise<void> {
  for (const { id } of await issuedSince(ctx, where, before)) {
    const { at } = await lastUse(ctx, where.account, id);
    if (at !== null)
      throw new Failure(
        'conflict',
        `${where.user} got key ${id} meanwhile, and it is in use since ${at}. Ask who made it before going on.`,
      );
    await removeKey(ctx, where, id);
  }
}

async function removeKey(ctx: Ctx<Aws>, where: UserWhere, id: string): Promise<void> {
  const iam = (await ctx.client.change(ctx, { account: where.account })).iam();
  await ifThere(setKeyStatus(ctx, where, id, 'Inactive'));
  const command = new DeleteAccessKeyCommand({ UserName: where.user, AccessKeyId: id });
  await ifThere(call(ctx, 'iam:DeleteAccessKey', (options) => iam.send(command, options)));
}

async function probe(ctx: Ctx<Aws>, { where }: Input, before: Before, sink: Sink): Promise<Probe<Issued>> {
  const written = await sink.probe(before.sink, ctx.idempotencyKey);
  if (written.state !== 'done') return written;
  const [key, another] = await issuedSince(ctx, where, before);
  if (key === undefined) return { state: 'unknown', because: `${sink.label} holds a key that AWS does not list.` };
  if (another !== undefined)
    return {
      state: 'unknown',
      because: `${where.user} has two new keys; which of them is in ${sink.label} cannot be told.`,
    };
  return { state: 'done', out: { keyId: key.id, version: written.out.version, sink: sink.label } };
}
