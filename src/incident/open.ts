import { type Credential, lockOf } from '../core/credential.ts';
import type { Actor, Decision } from '../core/entry.ts';
import type { Severity } from '../core/finding.ts';
import type { Standing } from '../core/standing.ts';
import type { Append } from '../custody/ledger.ts';
import type { Tx } from '../store/store.ts';

/** What opening an incident or a run writes through: the transaction, its entries, and who decided. */
export interface Opening {
  readonly tx: Tx;
  readonly append: Append;
  readonly actor: Actor;
  readonly policySha256: string;
  readonly now: Date;
  readonly random: () => string;
}

/** The open incident with this cause, or a new one. */
export async function incidentFor(
  { tx, append, actor, now, random }: Opening,
  { cause, title, severity }: { readonly cause: string; readonly title: string; readonly severity: Severity },
): Promise<string> {
  const open = await tx
    .selectFrom('incident')
    .select('id')
    .where('cause_key', '=', cause)
    .where('state', '=', 'open')
    .executeTakeFirst();
  if (open) return open.id;
  const id = random();
  const last = await tx
    .selectFrom('incident')
    .select((row) => row.fn.max('number').as('number'))
    .executeTakeFirst();
  const opened_at = now.toISOString();
  await tx
    .insertInto('incident')
    .values({
      id,
      number: (last?.number ?? 0) + 1,
      cause_key: cause,
      title,
      severity,
      state: 'open',
      opened_at,
      closed_at: null,
      revision: 1,
    })
    .execute();
  append({ type: 'decision', actor, incident: id, decision: { is: 'incident-opened', title, severity, cause } });
  return id;
}

const BY_SEVERITY = { critical: 0, high: 1, medium: 2, low: 3 } as const satisfies Record<Severity, number>;

/** What is not contained before what is, the severe before the mild; lower goes first. */
export const priorityOf = (severity: Severity, contained: boolean): number =>
  BY_SEVERITY[severity] + (contained ? 5 : 0);

export interface NewRun {
  readonly incident: string;
  readonly credential: Credential;
  readonly opened: Omit<Extract<Decision, { is: 'run-opened' }>, 'is' | 'credential'>;
  readonly fingerprint?: string;
}

/** Opens a run under its target lock; the engine takes it from there. Rejects when another open run holds the lock. */
export async function openRun(
  { tx, append, actor, policySha256, now, random }: Opening,
  { incident, credential, opened, fingerprint }: NewRun,
): Promise<string> {
  const id = random();
  const status: Standing = 'assessing';
  await tx
    .insertInto('run')
    .values({
      id,
      incident,
      runbook: opened.runbook,
      credential_kind: credential.kind,
      credential_id: credential.id,
      lock_key: lockOf(credential),
      opened_at: now.toISOString(),
      wake_at_ms: now.getTime(),
      priority: priorityOf(opened.severity, false),
      state: 'open',
      status,
      lease_owner: null,
      lease_until_ms: 0,
      epoch: 0,
    })
    .execute();
  const provider = credential.kind.split('.')[0] ?? credential.kind;
  append({
    type: 'decision',
    actor,
    incident,
    run: id,
    object: {
      provider,
      kind: credential.kind,
      ref: credential.id,
      ...(fingerprint === undefined ? {} : { fp: fingerprint }),
    },
    decision: { is: 'run-opened', credential, ...opened },
    authority: { policySha256 },
  });
  return id;
}
