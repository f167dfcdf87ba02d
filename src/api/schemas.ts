import { z } from 'zod';

/*
 * What the API takes and gives. Descriptions are part of the document. Objects that we make are strict, so that a test notices
 * whatever is sent without being described.
 */

const time = z.iso.datetime().describe('ISO 8601, UTC');
const timeOrNull = time.nullable();
const severity = z.enum(['critical', 'high', 'medium', 'low']);
const count = z.int().nonnegative();

/** Free text on record: well-formed, because the ledger refuses half a surrogate pair, and short enough for an entry. */
export const words = z
  .string()
  .max(2_000)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');
export const reason = words.regex(/\S/, 'say why; the reason goes on record');

export const incidentRef = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/)
  .describe('INC-12, 12, or the id');
export const runId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

export const incidentLine = z.strictObject({
  id: z.string(),
  ref: z.string().describe('INC-12'),
  title: z.string().describe('As the alert wrote it: escape it before you show it'),
  severity,
  state: z.enum(['open', 'closed']),
  openedAt: time,
  closedAt: timeOrNull,
  revision: count.describe('Grows with every change'),
  standings: z.array(z.string()).describe('How each run stands'),
});

const step = z.strictObject({
  id: z.string(),
  title: z.string(),
  kind: z.enum(['call', 'confirm', 'guided', 'wait']),
  effect: z.enum(['observe', 'reversible', 'irreversible']).optional(),
  state: z.enum(['not-begun', 'intended', 'seen', 'again', 'done', 'failed', 'unknown']),
});

const waitsFor = z
  .strictObject({
    need: z.enum(['approval', 'answer', 'help', 'thaw']),
    people: count.optional(),
    roles: z.array(z.string()).optional(),
    phases: z.array(z.string()).optional(),
    steps: z.array(z.string()).optional(),
    because: z.string().optional(),
  })
  .nullable()
  .describe('What only a person can give; null while nothing is needed');

const run = z.strictObject({
  id: z.string(),
  standing: z.string(),
  words: z.string().describe('The standing in a sentence'),
  credential: z.strictObject({ kind: z.string(), id: z.string() }),
  runbook: z.string(),
  requestedBy: z.string().nullable(),
  planSha256: z.string().nullable().describe('What If-Match names when you approve or deny'),
  waitsFor,
  milestones: z.strictObject({
    opened: time,
    contained: timeOrNull.describe('When it was proved dead at its provider'),
    rotated: timeOrNull,
    retired: timeOrNull,
  }),
  undoable: z.array(z.string()).describe('What an undo would take back, by title'),
  phases: z.array(
    z.strictObject({
      phase: z.enum(['assess', 'contain', 'rotate', 'retire']),
      approval: z.strictObject({ people: count, roles: z.array(z.string()), because: z.string() }),
      steps: z.array(step),
    }),
  ),
});

export const incidentSchema = incidentLine.extend({
  findings: z.array(
    z.strictObject({
      source: z.string(),
      title: z.string(),
      severity,
      exposure: z.enum(['public', 'internal', 'anomaly', 'unknown']),
      locations: z.array(z.strictObject({ label: z.string(), url: z.string().optional() })),
      at: time,
      verdict: z.enum(['act', 'told']),
      because: z.string(),
    }),
  ),
  runs: z.array(run),
});

/** An entry as it stands in the log; its type decides on further members (docs: the custody log). */
const entry = z.looseObject({
  v: z.literal(1),
  ledger: z.string(),
  seq: count,
  id: z.string(),
  type: z.string(),
  mode: z.enum(['live', 'sandbox', 'drill']),
  time: z.strictObject({
    utc: time,
    source: z.enum(['system', 'virtual']),
    monotonicNs: z.string(),
    bootId: z.string(),
  }),
  actor: z.strictObject({ kind: z.enum(['person', 'bot', 'source']), id: z.string(), authn: z.string() }),
});

const next = z.string().nullable().describe('Pass it as cursor for what follows; null at the end');
export const incidentPage = z.strictObject({ items: z.array(incidentLine), next });
export const entryPage = z.strictObject({ items: z.array(entry), next });

export const decisionMade = z.strictObject({
  said: z.string().describe('What happened, in words'),
  incident: z.string().optional(),
});
export const freezeState = z.strictObject({ frozen: z.boolean() });
export const headSchema = z.strictObject({
  origin: z.string(),
  size: count,
  root: z.string().describe('RFC 6962 root hash, hex'),
});
export const peopleSchema = z.strictObject({
  items: z.array(z.strictObject({ id: z.string(), name: z.string(), roles: z.array(z.string()) })),
});

const spread = z
  .strictObject({ count, p50Ms: count, p90Ms: count, p99Ms: count, maxMs: count })
  .nullable()
  .describe('Percentiles by nearest rank, in milliseconds; null where no incident has it');
export const metricsSchema = z.strictObject({
  incidents: count.describe('How many were looked at: the newest'),
  mttd: spread.describe('Detected − exposed'),
  mtta: spread.describe('Acknowledged − detected'),
  mttc: spread.describe('Verified contained − detected'),
  mttr: spread.describe('Recovered − detected'),
  approvalWait: spread,
  undone: count.describe('Incidents with a run that was undone'),
});
