import sodium from 'libsodium-wrappers';
import { z } from 'zod';
import { type Ctx, Failure, type Sink, type SinkTarget } from '#tourniquet';
import { type GithubClient, noContent } from './client.ts';
import { repoRef } from './kinds.ts';
import { NEEDS } from './permissions.ts';

/** `names` says which Actions secret takes which part of the new secret: `{ accessKeyId: 'AWS_ACCESS_KEY_ID', … }`. */
const targetSchema = repoRef.extend({
  kind: z.literal('github.actions-secret'),
  names: z
    .record(z.string(), z.string().regex(/^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/i, 'is not the name of an Actions secret'))
    .refine((names) => Object.keys(names).length > 0, 'names no secret'),
});
/** What `before` gave, through the ledger: when each secret was last written, null where there is none. */
const beforeSchema = z.record(z.string(), z.string().nullable());

const publicKey = z.object({ key_id: z.string(), key: z.string() });
const secretAnswer = z.object({ updated_at: z.string() });

/**
 * Actions secrets of one repository. They are write-only: GitHub tells when each was written, never what it holds, and keeps
 * no earlier value. So there is no `restore`, and a probe goes by dates:
 * - every secret was written since `before`: done. (Someone else writing them all in between looks the same; GitHub gives
 *   nothing to tell it by, and the liveness of the new credential, confirmed afterwards, would show it.)
 * - some or none: not done. The half that was written is of no use to anybody, and the value of the other half is lost with
 *   the process that held it. To do it again means a new credential and all secrets anew, which also mends the half.
 */
export function actionsSecretSink(ctx: Ctx<GithubClient>, target: SinkTarget): Sink {
  const parsed = targetSchema.safeParse(target);
  if (!parsed.success)
    throw new Failure('invalid', `This is not a target for Actions secrets. ${z.prettifyError(parsed.error)}`);
  const { owner, repo, names } = parsed.data;
  const { client, ...scope } = ctx;
  const who = { as: 'installation' as const, owner, repo };
  const written = new Map<string, Promise<{ version: string }>>();

  const readKey = async () => {
    const ask = { who, needs: NEEDS.readSecrets, answer: publicKey };
    return (await client.ask(scope, ask, (rest, o) => rest.actions.getRepoPublicKey({ owner, repo, ...o }))).data;
  };
  const writtenAt = async (secret_name: string): Promise<string | null> => {
    const ask = { who, needs: NEEDS.readSecrets, answer: secretAnswer };
    const call = await client.find(scope, ask, (rest, o) =>
      rest.actions.getRepoSecret({ owner, repo, secret_name, ...o }),
    );
    return call?.updated_at ?? null;
  };
  /** Reads the public key first: where we may not see the repository's secrets, 404 would look like "there is none". */
  const dates = async (): Promise<Record<string, string | null>> => {
    await readKey();
    const found: Record<string, string | null> = {};
    for (const name of Object.values(names)) found[name] = await writtenAt(name);
    return found;
  };
  const receipt = (at: Readonly<Record<string, string | null>>) => ({
    version: Object.entries(at)
      .map(([name, date]) => `${name}@${date ?? 'never'}`)
      .join(' '),
  });

  const writeAll = async (fields: Readonly<Record<string, string>>) => {
    const unnamed = Object.keys(fields).filter((field) => names[field] === undefined);
    const absent = Object.keys(names).filter((field) => fields[field] === undefined);
    if (unnamed.length > 0 || absent.length > 0)
      throw new Failure(
        'invalid',
        `The new secret has ${Object.keys(fields).join(', ')}, but the target names ${Object.keys(names).join(', ')}.`,
      );
    await sodium.ready;
    const { key, key_id } = await readKey();
    const overwritten: string[] = [];
    for (const [field, secret_name] of Object.entries(names)) {
      const sealed = sodium.crypto_box_seal(
        fields[field] ?? '',
        sodium.from_base64(key, sodium.base64_variants.ORIGINAL),
      );
      const encrypted_value = sodium.to_base64(sealed, sodium.base64_variants.ORIGINAL);
      const ask = { who, needs: NEEDS.writeSecrets, answer: noContent.or(z.object({})) };
      const reply = await client.send(scope, ask, (rest, o) =>
        rest.actions.createOrUpdateRepoSecret({ owner, repo, secret_name, encrypted_value, key_id, ...o }),
      );
      if (!reply.ok) throw halfWritten(reply.failure, overwritten);
      overwritten.push(secret_name);
    }
    return receipt(await dates());
  };

  return {
    label: `Actions secrets ${Object.values(names).join(', ')} of ${owner}/${repo}`,
    before: dates,
    /** Repeating is harmless only here, within one attempt, where the fields are the same: so it is not repeated at all. */
    write(fields, idempotencyKey) {
      const writing = written.get(idempotencyKey) ?? writeAll(fields);
      written.set(idempotencyKey, writing);
      writing.catch(() => written.delete(idempotencyKey));
      return writing;
    },
    async probe(before) {
      const earlier = beforeSchema.parse(before);
      const now = await dates();
      const fresh = Object.entries(now).every(([name, date]) => date !== null && date !== (earlier[name] ?? null));
      return fresh ? { state: 'done', out: receipt(now) } : { state: 'not-done' };
    },
  };
}

/** The same failure, telling what can no longer be taken back. */
function halfWritten(failure: Failure, overwritten: readonly string[]): Failure {
  if (overwritten.length === 0) return failure;
  const { code, retryAfterMs, requestId } = failure;
  const message = `${failure.message} ${overwritten.join(', ')} had already been overwritten, so what is there does not fit together: workflows that use it fail until all are written again.`;
  return new Failure(code, message, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(requestId === undefined ? {} : { requestId }),
  });
}
