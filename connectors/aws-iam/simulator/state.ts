/** What the simulated AWS holds: plain data, so that it can be copied and compared. */

export type KeyStatus = 'Active' | 'Inactive';

export interface SimKey {
  readonly id: string;
  readonly secret: string;
  readonly createdAt: Date;
  status: KeyStatus;
  deleted: boolean;
  /** What services still go by until the last change has reached them. */
  lagging: { readonly status: KeyStatus; readonly until: Date } | null;
  lastUsed: { readonly at: Date; readonly service: string; readonly region: string } | null;
}

export interface SimPrincipal {
  /** Inline policies by name. */
  readonly policies: Map<string, string>;
  readonly attached: Set<string>;
  /** Names of groups; only users have them. */
  readonly groups?: Set<string>;
}

export interface SimUser extends SimPrincipal {
  readonly name: string;
  readonly keys: Map<string, SimKey>;
  readonly groups: Set<string>;
}

export interface SimRole extends SimPrincipal {
  readonly name: string;
  readonly path: string;
}

export interface SimVersion {
  readonly id: string;
  readonly value: string;
  readonly stages: Set<string>;
}

export interface SimSecret {
  readonly name: string;
  readonly versions: Map<string, SimVersion>;
}

/** Temporary credentials of a role or a user. */
export interface SimSession {
  readonly id: string;
  readonly secret: string;
  readonly token: string;
  readonly account: string;
  readonly of: { readonly role: string; readonly name: string } | { readonly user: string };
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

export interface SimRecord {
  readonly eventID: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly [field: string]: unknown;
}

export interface SimAccount {
  readonly id: string;
  readonly users: Map<string, SimUser>;
  readonly groups: Map<string, SimPrincipal>;
  readonly roles: Map<string, SimRole>;
  readonly secrets: Map<string, SimSecret>;
  /** Oldest first. */
  readonly trail: SimRecord[];
}

export interface SimState {
  readonly accounts: Map<string, SimAccount>;
  readonly sessions: Map<string, SimSession>;
}

/** Who makes a call. */
export interface Caller {
  readonly account: SimAccount;
  readonly keyId: string;
  readonly arn: string;
  readonly principal: SimPrincipal;
  /** What policies can ask about the request: `aws:TokenIssueTime` for sessions. */
  readonly issuedAt: Date | null;
  readonly identity: Readonly<Record<string, unknown>>;
}

/** An error as AWS answers it. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const noSuchEntity = (what: string): ApiError => new ApiError('NoSuchEntity', 404, `${what} cannot be found.`);

/** What an action may use. */
export interface Env {
  readonly state: SimState;
  readonly now: () => Date;
  readonly random: (bytes: number) => Uint8Array;
  readonly propagationMs: number;
}

export type Params = Readonly<Record<string, unknown>>;
/** What an action answers; protocols write it as XML or JSON. */
export type Value = string | number | boolean | null | Date | readonly Value[] | { readonly [key: string]: Value };
export type Action = (env: Env, caller: Caller, params: Params) => { readonly [key: string]: Value };
export type Actions = Readonly<Record<string, Action>>;

/** A required text parameter. */
export function text(params: Params, name: string): string {
  const value = params[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new ApiError('ValidationError', 400, `1 validation error detected: ${name} must not be null`);
}

export const alphanumeric = (env: Env, bytes: number): string => Buffer.from(env.random(bytes)).toString('base64url');
