import type { Decision, Entry } from '../core/entry.ts';

/** What an entry says happened, in a sentence for someone who was not there. Plain text: whoever shows it escapes it. */
export function describe(entry: Entry): string {
  switch (entry.type) {
    case 'alert.received':
      return `Alert from ${entry.source} ${entry.outcome}${entry.because ? `: ${entry.because}` : ''}`;
    case 'decision':
      return describeDecision(entry.decision);
    case 'plan':
      return `Plan laid down for ${entry.stage}: ${entry.plan.title} (plan ${short(entry.sha256)})`;
    case 'approval': {
      const verdict = entry.verdict === 'approve' ? 'Approved' : 'Denied';
      return `${verdict} plan ${short(entry.planSha256)} for ${entry.phases.join(', ')}`;
    }
    case 'intent':
      return `About to do ${entry.step} with ${entry.op}${attempt(entry.attempt)}`;
    case 'result':
      return `${entry.step}: ${OUTCOMES[entry.outcome]}, ${KNOWN_BY[entry.by]}${attempt(entry.attempt)}${because(entry.error)}`;
    case 'undo':
      return `Undo of ${entry.step}: ${UNDO[entry.stage]}${because(entry.error)}`;
    case 'evidence':
      return `Evidence taken from ${entry.acquiredFrom} by ${entry.method}: ${entry.size} bytes of ${entry.mediaType}, SHA-256 ${entry.sha256}`;
    case 'transfer':
      return `Custody passed from ${entry.releasedBy} to ${entry.receivedBy}: ${entry.purpose}`;
    case 'access':
      return `Read access to ${entry.what}: ${entry.purpose}`;
    case 'key.rotate':
      return `The log's key changed from ${entry.from} to ${entry.to}`;
    case 'redaction':
      return `Field ${entry.field} of entry ${entry.entry} was redacted`;
    case 'heartbeat':
      return 'Heartbeat: the log was alive';
  }
}

const OUTCOMES: Record<Extract<Entry, { type: 'result' }>['outcome'], string> = {
  'in-doubt': 'it is not known whether it was applied; to be looked up',
  done: 'done',
  seen: 'seen once; to be confirmed after propagation',
  retry: 'not applied; to be tried again',
  'not-done': 'found not applied',
  failed: 'failed',
  unknown: 'unknown; a person must look',
  skipped: 'skipped',
};
const KNOWN_BY = {
  call: 'as the provider answered',
  probe: 'as looked up at the provider',
  person: 'as a person reported',
} as const;
const UNDO = { intent: 'about to begin', done: 'done', failed: 'failed' } as const;

function describeDecision(decision: Decision): string {
  switch (decision.is) {
    case 'finding':
      return `Finding (${decision.severity}, ${decision.exposure}): ${decision.title}. ${decision.because}`;
    case 'incident-opened':
      return `Incident opened (${decision.severity}): ${decision.title}`;
    case 'run-opened': {
      const { credential, requestedBy } = decision;
      const asked = requestedBy ? `, asked for by ${requestedBy}` : '';
      return `Runbook ${decision.runbook} begun for ${credential.kind} ${credential.id}${asked}`;
    }
    case 'phase-begun':
      return `Phase ${decision.phase} begun: ${decision.because}`;
    case 'phase-ended':
      return `Phase ${decision.phase} ${decision.ok ? 'completed' : 'ended without success'}: ${decision.because}`;
    case 'closed':
      return `Closed: ${decision.because}`;
    case 'undo-requested':
      return `Undo asked for: ${decision.steps.join(', ')}`;
    case 'undo-ended':
      return `Undo ${decision.ok ? 'completed' : 'ended without success'}`;
    case 'retry-requested':
      return 'Another attempt asked for';
    case 'answered':
      return `${decision.step} answered: ${decision.answer}`;
    case 'frozen':
      return 'All automatic action frozen';
    case 'thawed':
      return 'Automatic action allowed again';
  }
}

const short = (hash: string): string => hash.slice(0, 12);
const attempt = (n: number): string => (n > 1 ? ` (attempt ${n})` : '');
const because = (error: { readonly message: string } | undefined): string => (error ? `. ${error.message}` : '');
