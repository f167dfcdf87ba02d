import { type Credential, lockOf } from '../core/credential.ts';
import type { Finding } from '../core/finding.ts';
import type { JsonObject } from '../core/json.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Append } from '../custody/ledger.ts';
import { incidentFor, type Opening, openRun } from '../incident/open.ts';
import { touch } from '../incident/rows.ts';
import type { InboxItem } from '../ingest/queue.ts';
import { paramsOf } from '../inventory.ts';
import type { Tx } from '../store/store.ts';
import { type Examined, TRIAGE, type Triage } from './triage.ts';

/** What is done about one finding. */
type Filing =
  | { readonly do: 'tell'; readonly because: string }
  | { readonly do: 'join'; readonly run: string; readonly incident: string; readonly because: string }
  | {
      readonly do: 'open';
      readonly runbook: Runbook;
      readonly params: JsonObject;
      readonly credential: Credential;
      readonly because: string;
    };

/**
 * Files one examined finding: joins the run that already works on the credential, opens one, or tells people; and records why.
 * Resolves with its incident.
 */
export async function file(
  triage: Triage,
  { tx, append }: { readonly tx: Tx; readonly append: Append },
  { source, receivedAt }: Pick<InboxItem, 'source' | 'receivedAt'>,
  requestedBy: string | null,
  examined: Examined,
): Promise<string> {
  const now = triage.clock.now();
  const opening: Opening = {
    tx,
    append,
    actor: TRIAGE,
    policySha256: triage.policy.sha256,
    now,
    random: triage.random,
  };
  const finding = withLearnt(examined);
  const filing = await judge(triage, tx, finding, requestedBy, examined);
  const { cause, title, severity, exposure, locations, detectedAt = receivedAt, exposedAt, dedupeKey } = finding;
  const known = filing.do === 'join' ? filing.incident : filing.do === 'tell' ? await toldIn(tx, dedupeKey) : undefined;
  const incident = known ?? (await incidentFor(opening, { cause: cause.key, title: cause.title, severity }));
  let run = filing.do === 'join' ? filing.run : null;
  append({
    type: 'decision',
    actor: TRIAGE,
    incident,
    ...(run === null ? {} : { run }),
    authority: { policySha256: triage.policy.sha256 },
    decision: {
      is: 'finding',
      source,
      dedupeKey,
      title,
      severity,
      exposure,
      locations,
      detectedAt,
      ...(exposedAt === undefined ? {} : { exposedAt }),
      verdict: filing.do === 'tell' ? 'told' : 'act',
      because: filing.because,
    },
  });
  if (filing.do === 'open') {
    const secret = examined.found.is === 'credential' ? examined.found.secret : undefined;
    const credential =
      secret === undefined
        ? filing.credential
        : { ...filing.credential, secret: await triage.sealed.put(tx, secret, now) };
    const { runbook, params } = filing;
    run = await openRun(opening, {
      incident,
      credential,
      opened: {
        runbook: runbook.name,
        params,
        severity,
        exposure,
        validity: finding.validity,
        ...(requestedBy === null ? {} : { requestedBy }),
      },
      ...(secret === undefined ? {} : { fingerprint: triage.seal.fingerprint(secret, incident) }),
    });
  }
  await remember(tx, dedupeKey, incident, run, now);
  await touch(tx, incident);
  return incident;
}

function withLearnt({ finding, found }: Examined): Finding {
  const { validity, exposure, locations } = found;
  const all = [...finding.locations, ...(locations ?? [])];
  return { ...finding, ...(validity && { validity }), ...(exposure && { exposure }), locations: all.slice(0, 20) };
}

async function judge(
  triage: Triage,
  tx: Tx,
  finding: Finding,
  requestedBy: string | null,
  { found }: Examined,
): Promise<Filing> {
  if (found.is === 'tell') return { do: 'tell', because: found.because };
  const { credential } = found;
  const holder = await tx
    .selectFrom('run')
    .select(['id', 'incident'])
    .where('lock_key', '=', lockOf(credential))
    .executeTakeFirst();
  if (holder)
    return { do: 'join', run: holder.id, incident: holder.incident, because: 'a run is at work on this credential' };
  const known = await tx
    .selectFrom('finding')
    .select('run')
    .where('dedupe_key', '=', finding.dedupeKey)
    .executeTakeFirst();
  if (known?.run) return { do: 'tell', because: 'this finding was handled before' };
  const undone = await lastStatus(tx, credential);
  if (undone === 'undone' && requestedBy === null) {
    return { do: 'tell', because: 'a person undid the containment of this credential; only a person starts it again' };
  }
  const holding = triage.inventory.holdingOf(credential);
  const { severity, exposure, validity } = finding;
  const asked = {
    credential,
    holding,
    severity,
    exposure,
    validity,
    braked: false,
    ...(requestedBy === null ? {} : { requestedBy }),
  };
  const answer = triage.policy.triage(asked);
  if (answer.verdict === 'tell') return { do: 'tell', because: answer.because };
  const runbook = triage.registry.runbookFor(credential.kind);
  if (!runbook) return { do: 'tell', because: `no runbook handles "${credential.kind}"` };
  const params = runbook.params.safeParse(paramsOf(holding));
  if (!params.success)
    return { do: 'tell', because: `the inventory's params for this credential do not fit ${runbook.name}` };
  return { do: 'open', runbook, params: params.data, credential, because: answer.because };
}

async function lastStatus(tx: Tx, credential: Credential): Promise<string | undefined> {
  const row = await tx
    .selectFrom('run')
    .select('status')
    .where('credential_kind', '=', credential.kind)
    .where('credential_id', '=', credential.id)
    .orderBy('opened_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.status;
}

/** Where people heard of this finding: its stream repeats itself, and that is no new incident. */
async function toldIn(tx: Tx, dedupeKey: string): Promise<string | undefined> {
  const row = await tx.selectFrom('finding').select('incident').where('dedupe_key', '=', dedupeKey).executeTakeFirst();
  return row?.incident;
}

async function remember(tx: Tx, dedupeKey: string, incident: string, run: string | null, now: Date): Promise<void> {
  const at = now.toISOString();
  await tx
    .insertInto('finding')
    .values({ dedupe_key: dedupeKey, incident, run, seen: 1, first_seen_at: at, last_seen_at: at })
    .onConflict((conflict) =>
      conflict.column('dedupe_key').doUpdateSet((row) => ({
        seen: row('finding.seen', '+', 1),
        last_seen_at: at,
        ...(run === null ? {} : { run, incident }),
      })),
    )
    .execute();
}

/**
 * An incident that only tells has nothing to wait for. Only once every finding of its alert is filed: one that comes later may be
 * acted on, and belongs to the same incident.
 */
export async function closeIfOnlyTold(tx: Tx, incident: string, now: Date): Promise<void> {
  const run = await tx.selectFrom('run').select('id').where('incident', '=', incident).limit(1).executeTakeFirst();
  if (run) return;
  await tx
    .updateTable('incident')
    .set({ state: 'closed', closed_at: now.toISOString() })
    .where('id', '=', incident)
    .where('state', '=', 'open')
    .execute();
}
