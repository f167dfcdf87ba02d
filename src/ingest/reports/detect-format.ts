import type { ReportFormat } from '../source.ts';
import { gitleaks } from './gitleaks.ts';
import { sarif } from './sarif.ts';
import { trufflehog } from './trufflehog.ts';

export const REPORT_FORMATS: readonly ReportFormat[] = [gitleaks, sarif, trufflehog];

export const reportFormat = (name: string): ReportFormat | undefined =>
  REPORT_FORMATS.find((format) => format.name === name);

const HEAD_BYTES = 64 * 1024;

/**
 * The format a report is in, by its first bytes, or null. Only a guess about which strict parser to ask: a wrong guess ends in that
 * parser's refusal, never in a wrong finding.
 */
export function detectFormat(body: Buffer): ReportFormat | null {
  const head = body
    .subarray(0, HEAD_BYTES)
    .toString()
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (head.startsWith('[')) return gitleaks;
  if (!head.startsWith('{')) return null;
  const firstLine = head.split('\n', 1)[0] ?? '';
  if (/"(?:DetectorName|SourceMetadata)"\s*:/.test(firstLine)) return trufflehog;
  return /"(?:\$schema|version|runs)"\s*:/.test(head) ? sarif : null;
}
