import type { Caller, SimAccount, SimKey, SimPrincipal, SimState, SimUser } from './state.ts';

/** Whose key it is, deleted or not; null when it was never made. */
export function keyOf(
  { accounts }: SimState,
  keyId: string,
): { readonly key: SimKey; readonly user: SimUser; readonly account: SimAccount } | null {
  for (const account of accounts.values())
    for (const user of account.users.values()) {
      const key = user.keys.get(keyId);
      if (key) return { key, user, account };
    }
  return null;
}

/** Who calls with `keyId` at `now`; null when AWS does not accept it: unknown, expired, or inactive for long enough. */
export function callerOf(state: SimState, keyId: string, now: Date): Caller | null {
  if (state.sessions.has(keyId)) return sessionCaller(state, keyId, now);
  const found = keyOf(state, keyId);
  if (!found) return null;
  const { key, account, user } = found;
  const enforced = key.lagging && now < key.lagging.until ? key.lagging.status : key.status;
  return enforced === 'Active' ? asUser(account, user, keyId, null) : null;
}

function sessionCaller({ sessions, accounts }: SimState, keyId: string, now: Date): Caller | null {
  const session = sessions.get(keyId);
  const account = session && accounts.get(session.account);
  if (!account || now >= session.expiresAt) return null;
  if ('user' in session.of) {
    const user = account.users.get(session.of.user);
    return user ? asUser(account, user, keyId, session.issuedAt) : null;
  }
  const principal = account.roles.get(session.of.role);
  return principal ? asRole(account, { ...session.of, principal }, keyId, session.issuedAt) : null;
}

const asUser = (account: SimAccount, principal: SimUser, keyId: string, issuedAt: Date | null): Caller => {
  const arn = `arn:aws:iam::${account.id}:user/${principal.name}`;
  const identity = { type: 'IAMUser', accountId: account.id, userName: principal.name, accessKeyId: keyId, arn };
  return { account, keyId, arn, principal, issuedAt, identity };
};

function asRole(
  account: SimAccount,
  { role, name, principal }: { readonly role: string; readonly name: string; readonly principal: SimPrincipal },
  keyId: string,
  issuedAt: Date,
): Caller {
  const arn = `arn:aws:sts::${account.id}:assumed-role/${role}/${name}`;
  const issuer = `arn:aws:iam::${account.id}:role/${role}`;
  const sessionIssuer = { type: 'Role', arn: issuer, accountId: account.id, userName: role };
  const identity = {
    type: 'AssumedRole',
    accountId: account.id,
    accessKeyId: keyId,
    arn,
    sessionContext: { sessionIssuer },
  };
  return { account, keyId, arn, principal, issuedAt, identity };
}
