import { createHash } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { type Ctx, Failure, type Json, type Sink, type SinkTarget } from '#tourniquet';
import { type Aws, call } from './client.ts';

/** What the sink needs of AWS, by identity: looking with the one that contains, writing with the one that changes. */
export const SINK_PERMISSIONS = {
  contain: ['secretsmanager:DescribeSecret'],
  change: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
} as const;

/** A JSON secret; fields that it holds beside the key are kept. */
export const secretsManagerTarget = z.strictObject({
  kind: z.literal('aws.secrets-manager'),
  /** Name or ARN. */
  secretId: z.string().min(1),
  region: z.string().optional(),
  accessKeyIdField: z.string().default('accessKeyId'),
  secretAccessKeyField: z.string().default('secretAccessKey'),
});

const beforeShape = z.object({ current: z.string().nullable() });
const secretJson = z.record(z.string(), z.json());

/** Versions by what they are: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html */
interface Versions {
  readonly current: string | null;
  readonly all: readonly string[];
}

/** A secret of AWS Secrets Manager. Every write is a version of its own, so the one before can be made current again. */
export function secretsManagerSink(ctx: Ctx<Aws>, target: SinkTarget): Sink {
  const parsed = secretsManagerTarget.safeParse(target);
  if (!parsed.success)
    throw new Failure('invalid', `The sink is not described rightly: ${z.prettifyError(parsed.error)}`);
  const { secretId: SecretId, region, accessKeyIdField, secretAccessKeyField } = parsed.data;
  const [, , , , account] = SecretId.startsWith('arn:') ? SecretId.split(':') : [];
  const at = { ...(account ? { account } : {}), ...(region ? { region } : {}) };
  const label = `Secrets Manager ${SecretId}`;
  const fieldFor = (field: string): string =>
    field === 'accessKeyId' ? accessKeyIdField : field === 'secretAccessKey' ? secretAccessKeyField : field;

  async function versions(): Promise<Versions> {
    const secrets = (await ctx.client.contain(ctx, at)).secrets();
    const { VersionIdsToStages } = await call(ctx, 'secretsmanager:DescribeSecret', (options) =>
      secrets.send(new DescribeSecretCommand({ SecretId }), options),
    );
    const stages = Object.entries(VersionIdsToStages ?? {});
    return {
      current: stages.find(([, labels]) => labels.includes('AWSCURRENT'))?.[0] ?? null,
      all: stages.map(([id]) => id),
    };
  }

  async function held(): Promise<Readonly<Record<string, Json>>> {
    const secrets = (await ctx.client.change(ctx, at)).secrets();
    const { SecretString } = await call(ctx, 'secretsmanager:GetSecretValue', (options) =>
      secrets.send(new GetSecretValueCommand({ SecretId }), options),
    );
    const read = secretJson.safeParse(parsedJson(SecretString));
    if (!read.success)
      throw new Failure('invalid', `${label} holds something that is not a JSON object; nothing was written into it.`);
    return read.data;
  }

  return {
    label,
    before: async () => ({ current: (await versions()).current }),
    write: async (fields, idempotencyKey) => {
      const version = versionFor(idempotencyKey);
      const { current, all } = await versions();
      if (current === version) return { version };
      if (all.includes(version))
        throw new Failure('conflict', `${label} was written by this step before and is rolled back; start a new run.`);
      const renamed = Object.fromEntries(Object.entries(fields).map(([field, value]) => [fieldFor(field), value]));
      const SecretString = JSON.stringify({ ...(current === null ? {} : await held()), ...renamed });
      const secrets = (await ctx.client.change(ctx, at)).secrets();
      const command = new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken: version });
      await call(ctx, 'secretsmanager:PutSecretValue', (options) => secrets.send(command, options));
      return { version };
    },
    probe: async (before, idempotencyKey) => {
      const version = versionFor(idempotencyKey);
      const { current, all } = await versions();
      if (current === version) return { state: 'done', out: { version } };
      return all.includes(version) && current !== beforeShape.parse(before).current
        ? { state: 'unknown', because: `${label} was written by us and then changed by someone else.` }
        : { state: 'not-done' };
    },
    restore: async (before) => {
      const wanted = beforeShape.parse(before).current;
      const { current } = await versions();
      if (current === wanted) return;
      const secrets = (await ctx.client.change(ctx, at)).secrets();
      const command = new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: 'AWSCURRENT',
        ...(wanted === null ? {} : { MoveToVersionId: wanted }),
        ...(current === null ? {} : { RemoveFromVersionId: current }),
      });
      await call(ctx, 'secretsmanager:UpdateSecretVersionStage', (options) => secrets.send(command, options));
    },
  };
}

/** Secrets Manager wants 32 to 64 characters, best a UUID, and makes it the version's id. */
function versionFor(idempotencyKey: string): string {
  const hex = createHash('sha256').update(idempotencyKey).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

function parsedJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
