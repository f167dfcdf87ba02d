import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/core/finding.ts';
import { mostSevere, severityOf } from '../../src/ingest/severity.ts';

const finding = (severity: Finding['severity'], more: Partial<Finding> = {}): Finding => ({
  dedupeKey: 'x',
  title: 'x',
  cause: { key: 'x', title: 'x' },
  severity,
  exposure: 'unknown',
  validity: 'unknown',
  clue: { kind: 'unknown' },
  locations: [],
  detectedAt: '2026-05-04T10:00:00.000Z',
  ...more,
});

describe('how urgent a delivery is', () => {
  it('follows its most severe finding', () => {
    expect(mostSevere([finding('medium'), finding('critical'), finding('low')])).toBe('critical');
    expect(mostSevere([finding('medium')])).toBe('medium');
  });

  it('does not count what is only shown', () => {
    expect(mostSevere([finding('critical', { showOnly: 'a sample' }), finding('medium')])).toBe('medium');
    expect(mostSevere([finding('critical', { showOnly: 'a sample' })])).toBe('low');
  });
});

describe('the severity of a leak', () => {
  it.each([
    ['public', 'active', 'critical'],
    ['public', 'unknown', 'high'],
    ['public', 'inactive', 'low'],
    ['internal', 'active', 'high'],
    ['internal', 'unknown', 'medium'],
    ['unknown', 'active', 'high'],
    ['anomaly', 'unknown', 'medium'],
    ['internal', 'inactive', 'low'],
  ] as const)('that is %s and %s is %s', (exposure, validity, severity) => {
    expect(severityOf(exposure, validity)).toBe(severity);
  });
});
