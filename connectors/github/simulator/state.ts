import type { TokenType } from '../token.ts';

/** Everything the simulated GitHub remembers, as plain data: a fault that lies puts a copy back. */
export interface State {
  nextId: number;
  readonly repositories: Map<string, Repository>;
  readonly tokens: Map<string, Token>;
  readonly installations: Map<number, Installation>;
}

export interface Repository {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly private: boolean;
  readonly keys: DeployKey[];
  readonly secrets: Map<string, ActionsSecret>;
  readonly alerts: Map<number, Alert>;
}

export interface Token {
  readonly type: TokenType;
  /** The user it speaks for; for an installation token, the account. */
  readonly login: string;
  readonly scopes: readonly string[];
  readonly organisations: readonly string[];
  readonly expiresAt: Date | null;
  readonly installation: number | null;
  readonly permissions: Readonly<Record<string, string>>;
  /** From when on GitHub refuses it; null while nobody revoked it. */
  deadAt: Date | null;
}

export interface Installation {
  readonly id: number;
  readonly owner: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  suspendedAt: Date | null;
}

export interface DeployKey {
  readonly id: number;
  readonly title: string;
  readonly key: string;
  readonly readOnly: boolean;
  readonly createdAt: Date;
  readonly lastUsed: Date | null;
}

export interface ActionsSecret {
  readonly value: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type Resolution = 'false_positive' | 'wont_fix' | 'revoked' | 'used_in_tests';
export type Place =
  | { readonly type: 'commit'; readonly path: string; readonly line: number; readonly commit: string }
  | { readonly type: 'issue_body' | 'issue_comment'; readonly issue: number };

export interface Alert {
  readonly number: number;
  readonly secret: string;
  readonly secretType: string;
  readonly validity: 'active' | 'inactive' | 'unknown';
  readonly publiclyLeaked: boolean;
  readonly places: readonly Place[];
  readonly createdAt: Date;
  state: 'open' | 'resolved';
  resolution: Resolution | null;
  comment: string | null;
  resolvedAt: Date | null;
}

export const emptyState = (): State => ({
  nextId: 1_000,
  repositories: new Map(),
  tokens: new Map(),
  installations: new Map(),
});

export const keyOfRepository = (owner: string, name: string): string => `${owner}/${name}`.toLowerCase();
