import type { Exposure, Finding, Severity, Validity } from '../core/finding.ts';

/** The order in which alerts are taken: lower goes first. */
export const SEVERITY_RANK = { critical: 0, high: 1, medium: 2, low: 3 } as const satisfies Record<Severity, number>;

export const severityOfRank = (rank: number): Severity =>
  rank <= 0 ? 'critical' : rank === 1 ? 'high' : rank === 2 ? 'medium' : 'low';

/** For streams that give no severity of their own: what anyone can read and still works comes first. */
export function severityOf(exposure: Exposure, validity: Validity): Severity {
  if (validity === 'inactive') return 'low';
  if (exposure === 'public') return validity === 'active' ? 'critical' : 'high';
  return validity === 'active' ? 'high' : 'medium';
}

/** How urgent a delivery is: its most severe finding that may be acted on; what is only shown can wait. */
export function mostSevere(findings: readonly Finding[]): Severity {
  const ranks = findings
    .filter(({ showOnly }) => showOnly === undefined)
    .map(({ severity }) => SEVERITY_RANK[severity]);
  return severityOfRank(Math.min(SEVERITY_RANK.low, ...ranks));
}
