import { may } from './access.ts';
import { callerOf, keyOf } from './callers.ts';
import { cloudTrailActions } from './cloudtrail.ts';
import { iamActions, living, newKey } from './iam.ts';
import type { Service } from './protocol.ts';
import { current, putVersion, secretsActions } from './secrets.ts';
import {
  type Actions,
  ApiError,
  alphanumeric,
  type Caller,
  type Env,
  type Params,
  type SimAccount,
  type SimKey,
  type SimState,
  type SimUser,
  type Value,
} from './state.ts';
import { stsActions } from './sts.ts';

const ACTIONS: Readonly<Record<Service, Actions>> = {
  iam: iamActions,
  sts: stsActions,
  cloudtrail: cloudTrailActions,
  secretsmanager: secretsActions,
};

/** One call after its signature was checked, or one that an intruder of a drill makes. */
export interface WorldCall {
  readonly keyId: string;
  readonly service: string;
  readonly action: string;
  readonly params?: Params;
  readonly region?: string;
  readonly ip?: string;
  readonly agent?: string;
}

export interface WorldOptions {
  readonly now: () => Date;
  readonly random: (bytes: number) => Uint8Array;
  /** How long services go by the old state of a key; 4 s at AWS. */
  readonly propagationMs?: number;
}

/** The simulated AWS itself: seed it, attack it, and look at it, without HTTP. */
export class AwsWorld {
  #state: SimState = { accounts: new Map(), sessions: new Map() };
  readonly #options: WorldOptions;

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  addAccount(id: string): void {
    const named = { users: new Map(), groups: new Map(), roles: new Map(), secrets: new Map() };
    this.#state.accounts.set(id, { id, ...named, trail: [] });
  }

  addUser(account: string, name: string, attached: readonly string[] = []): void {
    const user = { name, keys: new Map(), groups: new Set<string>(), policies: new Map(), attached: new Set(attached) };
    this.account(account).users.set(name, user);
  }

  /** A new key of the user, with its secret: key material is made at run time, never written down. */
  addKey(account: string, user: string): { readonly id: string; readonly secret: string } {
    const key = newKey(this.#env(), account);
    this.user(account, user).keys.set(key.id, key);
    return { id: key.id, secret: key.secret };
  }

  addGroup(account: string, name: string, members: readonly string[], attached: readonly string[] = []): void {
    this.account(account).groups.set(name, { policies: new Map(), attached: new Set(attached) });
    for (const member of members) this.user(account, member).groups.add(name);
  }

  /** `policies` by name, as JSON; a role with the path `/aws-service-role/…` is service-linked. */
  addRole(
    account: string,
    name: string,
    {
      path = '/',
      policies = {},
      attached = [],
    }: { path?: string; policies?: Record<string, string>; attached?: string[] } = {},
  ): void {
    const role = { name, path, policies: new Map(Object.entries(policies)), attached: new Set(attached) };
    this.account(account).roles.set(name, role);
  }

  addSecret(account: string, name: string, value: Readonly<Record<string, string>>): void {
    const secret = { name, versions: new Map() };
    putVersion(secret, alphanumeric(this.#env(), 24), JSON.stringify(value));
    this.account(account).secrets.set(name, secret);
  }

  account(id: string): SimAccount {
    const account = this.#state.accounts.get(id);
    if (!account) throw new Error(`The simulated AWS has no account ${id}`);
    return account;
  }

  user(account: string, name: string): SimUser {
    const user = this.account(account).users.get(name);
    if (!user) throw new Error(`The simulated account ${account} has no user ${name}`);
    return user;
  }

  keys(account: string, user: string): readonly SimKey[] {
    return living(this.user(account, user));
  }

  /** The text of an inline policy, or null. */
  policy(account: string, of: { readonly user: string } | { readonly role: string }, name: string): string | null {
    const owner = 'user' in of ? this.user(account, of.user) : this.account(account).roles.get(of.role);
    return owner?.policies.get(name) ?? null;
  }

  /** What a secret holds now; null when it has no current version. */
  secretValue(account: string, name: string): Readonly<Record<string, string>> | null {
    const secret = this.account(account).secrets.get(name);
    const version = secret && current(secret);
    return version ? JSON.parse(version.value) : null;
  }

  /** Every secret value that exists by now: nothing that leaves the connector may contain one. */
  secrets(): readonly string[] {
    const users = [...this.#state.accounts.values()].flatMap(({ users }) => [...users.values()]);
    const ofUsers = users.flatMap(({ keys }) => [...keys.values()].map(({ secret }) => secret));
    return [...ofUsers, ...[...this.#state.sessions.values()].flatMap(({ secret, token }) => [secret, token])];
  }

  /** Whether the holder of a key or session could do `action` now; the drill's measure of harm. */
  canUse(keyId: string, action = 's3:GetObject'): boolean {
    const caller = callerOf(this.#state, keyId, this.#options.now());
    return caller !== null && may(caller, action) === 'allowed';
  }

  /** The secret that a request of `keyId` must be signed with; null when AWS does not accept the key. */
  signingSecret(keyId: string, token: string | null): string | null {
    if (callerOf(this.#state, keyId, this.#options.now()) === null) return null;
    const session = this.#state.sessions.get(keyId);
    if (session) return session.token === token ? session.secret : null;
    return keyOf(this.#state, keyId)?.key.secret ?? null;
  }

  /** Does what `call` asks, as AWS would: authorises, acts, records. Throws ApiError as AWS answers. */
  perform(call: WorldCall): { readonly [key: string]: Value } {
    const caller = callerOf(this.#state, call.keyId, this.#options.now());
    if (!caller)
      throw new ApiError('InvalidClientTokenId', 403, 'The security token included in the request is invalid.');
    this.#remember(call);
    try {
      const value = this.#act(caller, call);
      this.#record(caller, call, value, null);
      return value;
    } catch (error) {
      if (error instanceof ApiError) this.#record(caller, call, {}, error.code);
      throw error;
    }
  }

  /** Performs `call` and forgets that it did: an answer that is a lie. */
  pretend(call: WorldCall): { readonly [key: string]: Value } {
    const kept = structuredClone(this.#state);
    try {
      return this.perform(call);
    } finally {
      this.#state = kept;
    }
  }

  #act(caller: Caller, { service, action, params = {} }: WorldCall): { readonly [key: string]: Value } {
    const decision = may(caller, `${service}:${action}`);
    const needsNone = service === 'sts' && (action === 'GetCallerIdentity' || action === 'GetSessionToken');
    if (decision !== 'allowed' && !needsNone)
      throw new ApiError('AccessDenied', 403, `User: ${caller.arn} is not authorized to perform: ${service}:${action}`);
    const known = Object.entries(ACTIONS).find(([name]) => name === service)?.[1];
    if (!known) return {}; // an ordinary service: only whether it is allowed matters
    const act = known[action];
    if (!act) throw new ApiError('InvalidAction', 400, `The action ${action} is not valid for this endpoint.`);
    return act(this.#env(), caller, params);
  }

  #remember({ keyId, service, region = 'us-east-1' }: WorldCall): void {
    const found = keyOf(this.#state, keyId);
    if (found) found.key.lastUsed = { at: this.#options.now(), service, region };
  }

  #record(caller: Caller, call: WorldCall, value: { readonly [key: string]: Value }, errorCode: string | null): void {
    const { Credentials } = value;
    caller.account.trail.push({
      eventID: alphanumeric(this.#env(), 16),
      eventTime: `${this.#options.now().toISOString().slice(0, 19)}Z`,
      eventName: call.action,
      eventSource: `${call.service}.amazonaws.com`,
      awsRegion: call.region ?? 'us-east-1',
      sourceIPAddress: call.ip ?? '192.0.2.1',
      userAgent: call.agent ?? 'aws-cli/2',
      userIdentity: caller.identity,
      requestParameters: { roleArn: call.params?.RoleArn, userName: call.params?.UserName },
      ...(Credentials === undefined ? {} : { responseElements: { credentials: lowerFirst(Credentials) } }),
      ...(errorCode === null ? {} : { errorCode }),
    });
  }

  #env(): Env {
    const { now, random, propagationMs = 0 } = this.#options;
    return { state: this.#state, now, random, propagationMs };
  }
}

/** CloudTrail writes members with a small first letter. */
const lowerFirst = (value: Value): unknown =>
  typeof value === 'object' && value !== null && !(value instanceof Date) && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value).map(([name, member]) => [name.charAt(0).toLowerCase() + name.slice(1), member]),
      )
    : value;
