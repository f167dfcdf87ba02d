import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListUserPoliciesCommand,
} from '@aws-sdk/client-iam';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { begin, freePort, until } from './processes.ts';

const key = z.looseObject({ accessKeyId: z.string(), secretAccessKey: z.string() });
export type Key = z.infer<typeof key>;

/** A moto server, which we did not write, seen through the AWS SDK and not through our connector. */
export interface Aws {
  /** The settings that point a bot at it. */
  readonly settings: Readonly<Record<string, string>>;
  /** A user with an access key, and a secret that holds the key. */
  addUser(name: string, secretId: string): Promise<Key>;
  /** The status of every key of the user, by its id. */
  keys(user: string): Promise<Readonly<Record<string, string>>>;
  /** The names of its inline policies. */
  policies(user: string): Promise<readonly string[]>;
  secret(secretId: string): Promise<Key>;
  stop(): Promise<void>;
}

export async function openAws(motoServer: string): Promise<Aws> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = begin(motoServer, ['-H', '127.0.0.1', '-p', String(port)], { env: { PATH: process.env.PATH } });
  await until('moto answers', 60_000, async () => {
    const answer = await fetch(`${endpoint}/moto-api/`).catch(() => undefined);
    return answer?.ok ? true : undefined;
  });
  const credentials = { accessKeyId: 'operator', secretAccessKey: 'operator' }; // moto takes any
  const config = { region: 'us-east-1', endpoint, credentials };
  const iam = new IAMClient(config);
  const secrets = new SecretsManagerClient(config);
  return {
    settings: {
      AWS_REGION: config.region,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    async addUser(UserName, secretId) {
      await iam.send(new CreateUserCommand({ UserName }));
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
      const made = key.parse({ accessKeyId: AccessKey?.AccessKeyId, secretAccessKey: AccessKey?.SecretAccessKey });
      const SecretString = JSON.stringify({ ...made, database: 'orders' });
      await secrets.send(new CreateSecretCommand({ Name: secretId, SecretString }));
      return made;
    },
    async keys(UserName) {
      const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
      return Object.fromEntries(AccessKeyMetadata.map(({ AccessKeyId, Status }) => [AccessKeyId, Status ?? 'none']));
    },
    policies: async (UserName) => (await iam.send(new ListUserPoliciesCommand({ UserName }))).PolicyNames ?? [],
    async secret(SecretId) {
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      return key.parse(JSON.parse(SecretString ?? '{}'));
    },
    stop: async () => void (await server.stop()),
  };
}
