import type { Clock } from '../core/clock.ts';
import type { Actor } from '../core/entry.ts';
import type { Exposure } from '../core/finding.ts';
import type { Seal } from '../store/sealed.ts';
import type { Inbox, Received } from './inbox.ts';
import { detectFormat, REPORT_FORMATS, reportFormat } from './reports/detect-format.ts';
import { mostSevere } from './severity.ts';
import type { RawRequest } from './source.ts';
import { REPORT, REPORT_HEADER } from './stored.ts';

export interface ReportFile {
  readonly bytes: Buffer;
  /** Told from the content when left out. */
  readonly format?: string;
  /** What the file does not say. `repository` as `owner/name`. */
  readonly defaults: { readonly repository?: string; readonly exposure?: Exposure };
  /** Who hands it in: `{ kind: 'person', id, authn: 'cli:os-user' }`. */
  readonly actor: Actor;
}

export type Ingested =
  | {
      readonly ok: true;
      readonly id: string;
      readonly format: string;
      readonly findings: number;
      readonly status: Received['status'] | 'nothing';
    }
  /** Nothing of the file is kept but an entry that says so. `at` is a JSON pointer. */
  | { readonly ok: false; readonly at: string; readonly message: string };

/**
 * Hands a scanner's report to the inbox, like any other alert: durable, and in the ledger, when this resolves. The same file with
 * the same defaults is a duplicate. Rejects only when the ledger does.
 */
export async function ingestFile(
  file: ReportFile,
  { inbox, seal, clock }: { readonly inbox: Inbox; readonly seal: Seal; readonly clock: Clock },
): Promise<Ingested> {
  const { bytes, actor, defaults } = file;
  const refuse = async (source: string, at: string, message: string): Promise<Ingested> => {
    const because = at ? `${at}: ${message}` : message;
    await inbox.reject({ source, status: 0, because, size: bytes.length, actor });
    return { ok: false, at, message };
  };
  const format = file.format === undefined ? detectFormat(bytes) : reportFormat(file.format);
  if (!format) {
    const known = REPORT_FORMATS.map(({ name }) => name).join(', ');
    return refuse('report', '', `This is not a report in a format that Tourniquet reads: ${known}.`);
  }
  const source = `${REPORT}${format.name}`;
  const context = { ...defaults, at: clock.now().toISOString() };
  const parsed = format.parse(bytes, context);
  const request: RawRequest = { headers: { [REPORT_HEADER]: JSON.stringify(context) }, body: bytes };
  const delivery = seal.fingerprint(
    Buffer.concat([Buffer.from(JSON.stringify([defaults.repository, defaults.exposure])), bytes]),
  );
  const arrival = { source, delivery, request, actor, status: 0 };
  switch (parsed.kind) {
    case 'findings': {
      const { findings } = parsed;
      const received = await inbox.accept({ ...arrival, severity: mostSevere(findings) });
      return { ok: true, ...received, format: format.name, findings: findings.length };
    }
    case 'nothing': {
      const { id } = await inbox.note({ ...arrival, because: parsed.because });
      return { ok: true, id, status: 'nothing', format: format.name, findings: 0 };
    }
    case 'invalid':
      return refuse(source, parsed.at, parsed.message);
    case 'confirm-subscription':
      return refuse(source, '', 'A file cannot confirm a subscription.');
  }
}
