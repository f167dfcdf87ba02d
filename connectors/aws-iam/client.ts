import { AssumeRoleCommand, GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { type CallContext, Failure, type Outside } from '#tourniquet';
import { type ByRegion, type Clients, clientsOf, type Keys } from './clients.ts';
import { failureOf } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/** Who the bot is to AWS. */
export interface Identity {
  readonly account: string;
  readonly arn: string;
}

/** Which of the bot's two identities acts: the one that reads and contains, or the one that issues and deletes. */
export type Capacity = 'contain' | 'change';

export interface Target {
  /** The account to act in; the bot's own when left out. */
  readonly account?: string;
  readonly region?: string;
}

type Options = { readonly abortSignal: AbortSignal };
type Answer = { readonly $metadata: { readonly requestId?: string | undefined } };

/** Makes one call: within the context's time, its request id kept, its error a `Failure`. */
export async function call<Out extends Answer>(
  ctx: CallContext,
  permission: string,
  send: (options: Options) => Promise<Out>,
): Promise<Out> {
  try {
    const answer = await send({ abortSignal: ctx.signal });
    ctx.receipt(answer.$metadata.requestId);
    return answer;
  } catch (error) {
    const failure = failureOf(error, permission, ctx.signal);
    ctx.receipt(failure.requestId);
    throw failure;
  }
}

/** Early enough that no call starts with credentials that expire under it. */
const RENEW_BEFORE_MS = 5 * 60_000;
const ROLE_SETTING = {
  contain: 'TOURNIQUET_AWS_CONTAIN_ROLE_ARN',
  change: 'TOURNIQUET_AWS_CHANGE_ROLE_ARN',
} as const;

interface Session {
  readonly clients: ByRegion;
  readonly expiresAt: number;
}

/**
 * The bot's access to AWS. It never acts in an account that the caller did not name, nor in one that is not ours: IAM
 * users of the same name live in many accounts, and a call that lands in the wrong one would disarm an innocent.
 */
export class Aws {
  readonly settings: AwsSettings;
  readonly #outside: Outside;
  readonly #sessions = new Map<string, Session>();
  readonly #base: () => Promise<Keys>;
  readonly #own: ByRegion;
  #identity: Identity | undefined;

  constructor(settings: AwsSettings, outside: Outside) {
    this.settings = settings;
    this.#outside = outside;
    this.#base = baseKeys(settings);
    this.#own = this.#clientsOf(this.#base);
  }

  /** Clients that read and contain in `account`. Throws Failure `denied` when it is not ours to act in. */
  contain(ctx: CallContext, target: Target = {}): Promise<Clients> {
    return this.#as('contain', ctx, target);
  }

  /**
   * Clients that issue and delete in `account`: throws Failure `denied` unless a person approved, whatever policy says,
   * because what they do cannot be taken back.
   */
  async change(ctx: CallContext, target: Target = {}): Promise<Clients> {
    if (ctx.approval === null)
      throw new Failure('denied', 'Issuing or deleting an AWS key needs a person’s approval, and this step has none.');
    return this.#as('change', ctx, target);
  }

  /** STS as whoever holds `keys`: the only way to learn whether a leaked key still works. */
  as(keys: Keys): STSClient {
    return this.#clientsOf(async () => keys)(this.settings.AWS_REGION).sts();
  }

  /** The bot's own identity, before it assumes any role. */
  async identity(ctx: CallContext): Promise<Identity> {
    if (this.#identity) return this.#identity;
    const { Account, Arn } = await call(ctx, 'sts:GetCallerIdentity', (options) =>
      this.#own(this.settings.AWS_REGION).sts().send(new GetCallerIdentityCommand({}), options),
    );
    if (!Account || !Arn) throw new Failure('garbled', 'AWS did not say which account the bot belongs to.');
    this.#identity = { account: Account, arn: Arn };
    return this.#identity;
  }

  /** Whether the bot itself lives on a key that never expires, the kind that leaks. */
  async livesOnLongTermKey(ctx: CallContext): Promise<boolean> {
    try {
      return (await this.#base()).accessKeyId.startsWith('AKIA');
    } catch (error) {
      throw failureOf(error, 'the credential chain', ctx.signal);
    }
  }

  /** The accounts that are ours: as configured, or else the one that the bot's identity or role is in. */
  async accounts(ctx: CallContext): Promise<readonly string[]> {
    if (this.settings.TOURNIQUET_AWS_ACCOUNTS) return this.settings.TOURNIQUET_AWS_ACCOUNTS;
    const [, , , , inRole] = this.settings.TOURNIQUET_AWS_CONTAIN_ROLE_ARN?.split(':') ?? [];
    return [inRole && inRole !== '{account}' ? inRole : (await this.identity(ctx)).account];
  }

  /** The role that `capacity` assumes in `account`; undefined when it acts as the bot's own identity. */
  roleFor(capacity: Capacity, account: string): string | undefined {
    return this.settings[ROLE_SETTING[capacity]]?.replace('{account}', account);
  }

  async #as(capacity: Capacity, ctx: CallContext, target: Target): Promise<Clients> {
    const ours = await this.accounts(ctx);
    const account = target.account ?? ours[0] ?? '';
    if (!ours.includes(account))
      throw new Failure('denied', `AWS account ${account} is not one of ours (${ours.join(', ')}); nothing was done.`);
    const region = target.region ?? this.settings.AWS_REGION;
    const role = this.roleFor(capacity, account);
    const acting = role?.split(':')[4] ?? (await this.identity(ctx)).account;
    if (acting !== account)
      throw new Failure(
        'denied',
        `The bot acts in AWS account ${acting} and the credential belongs to ${account}. Set ${ROLE_SETTING[capacity]} to a role with {account} in its place.`,
      );
    if (role === undefined) return this.#own(region);
    return (await this.#session(ctx, role, capacity)).clients(region);
  }

  async #session(ctx: CallContext, role: string, capacity: Capacity): Promise<Session> {
    const kept = this.#sessions.get(role);
    if (kept && kept.expiresAt - RENEW_BEFORE_MS > this.#outside.now().getTime()) return kept;
    const { Credentials } = await call(ctx, `sts:AssumeRole on ${role}`, (options) =>
      this.#own(this.settings.AWS_REGION)
        .sts()
        .send(
          new AssumeRoleCommand({ RoleArn: role, RoleSessionName: `tourniquet-${capacity}`, DurationSeconds: 900 }),
          options,
        ),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration)
      throw new Failure('garbled', `AWS let the bot assume ${role} and gave no credentials.`);
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    const session = { clients: this.#clientsOf(async () => keys), expiresAt: Expiration.getTime() };
    this.#sessions.set(role, session);
    return session;
  }

  #clientsOf(credentials: () => Promise<Keys>): ByRegion {
    return clientsOf({ credentials, endpoint: this.settings.AWS_ENDPOINT_URL, guard: this.#outside.guard });
  }
}

function baseKeys(settings: AwsSettings): () => Promise<Keys> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = settings;
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined)
    return fromNodeProviderChain({ clientConfig: { region: settings.AWS_REGION } });
  const explicit = {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
  };
  return async () => explicit;
}
