import { describe, expect, it } from 'vitest';
import { reportOf } from '../../src/report/report.ts';
import { momentsOf, spansOf } from '../../src/report/times.ts';
import { HEAD, type StoryOptions, storyOf } from './story.ts';

const nobody = () => ({ consumers: [], params: {} });
const report = (options: StoryOptions = {}, holdingOf: Parameters<typeof reportOf>[0]['holdingOf'] = nobody) =>
  reportOf({ ...storyOf(options), head: HEAD, holdingOf });
const spans = (options: StoryOptions = {}) => {
  const { incident, now } = storyOf(options);
  const moments = momentsOf(incident, now);
  return { ...spansOf(moments), approvalWaitMs: moments.approvalWaitMs };
};

describe('the times of an incident', () => {
  it('count from detection, and detection from exposure', () => {
    expect(spans()).toEqual({ mttd: 60_000, mtta: 10_000, mttc: 140_000, mttr: 280_000, approvalWaitMs: 110_000 });
  });

  it('leave out what has not come, and let an approval that is awaited count up to now', () => {
    expect(spans({ until: 'contained' })).toEqual({
      mttd: 60_000,
      mtta: 10_000,
      mttc: 140_000,
      approvalWaitMs: 300_000,
    });
  });

  it('do not take the word of a source that gives no time at all', () => {
    const { incident, now } = storyOf();
    const findings = incident.findings.map((each) => ({ ...each, detectedAt: 'yesterday', exposedAt: 'never' }));
    const { detected, exposed } = momentsOf({ ...incident, findings }, now);
    expect(new Date(detected).toISOString()).toBe(incident.openedAt);
    expect(exposed).toBeUndefined();
  });

  it('are not contained while one of two credentials is not', () => {
    const { incident, now } = storyOf();
    const [run] = incident.runs;
    if (!run) throw new Error('no run');
    const open = { ...run, milestones: { opened: run.milestones.opened } };
    expect(momentsOf({ ...incident, runs: [run, open] }, now).contained).toBeUndefined();
  });
});

describe('the report', () => {
  it('says what happened, what was done and where it stands in a sentence each', () => {
    const { summary } = report();
    expect(summary[0]).toBe(
      'At 2026-03-01 03:12:00 UTC github reported, 1 min after it was exposed: “AWS key in acme/web” (severity critical).',
    );
    expect(summary[1]).toMatch(
      /^aws\.access-key AKIA\w+ was proved dead at its provider 2 min 20 s after detection, and the users are served since 4 min 40 s after detection\.$/,
    );
    expect(summary[2]).toMatch(/^The incident is closed: Retired: .*; \d follow-ups below\.$/);
  });

  it('says what the key could do, from the assessment', () => {
    expect(report().credentials[0]?.facts).toEqual([
      { read: 'Read what its user may do', found: 'administrator: no; attached: S3ReadOnly; agents: curl: 3' },
    ]);
  });

  it('names who decided, how we know, and the entry that proves it', () => {
    const { decisions } = report();
    expect(decisions.map(({ who, known }) => [who, known])).toEqual([
      ['lea', 'slack:lea'],
      ['rita', 'slack:rita'],
    ]);
    expect(decisions[0]?.text).toBe('lea approved rotation and retirement: go on');
  });

  it('names who asked, where it was a person', () => {
    expect(report({ requestedBy: 'rita' }).decisions[0]).toMatchObject({
      seq: 2,
      who: 'rita',
      text: 'rita asked for the revocation',
    });
  });

  it('lists what was done for good, and what had to be tried again', () => {
    const { irreversible, troubles, undone } = report();
    expect(irreversible.map(({ title }) => title)).toEqual(['Delete the key for good']);
    expect(troubles).toEqual([{ title: 'Disable the key', what: 'AWS asked to slow down', ended: 'done in the end' }]);
    expect(undone).toEqual([]);
  });

  it('says what was taken back, that the credential may live, and who wanted it', () => {
    const { undone, followUps, decisions } = report({ until: 'undone' });
    expect(undone).toEqual([{ title: 'Disable the key', became: expect.stringMatching(/^taken back at 2026-03-01/) }]);
    expect(followUps.join('\n')).toMatch(/Decide about aws\.access-key .*UNDONE: the credential may work again/);
    expect(decisions[0]?.text).toBe('lea asked to undo “Disable the key”: wrong key');
  });

  it('turns what people still have to do into a checklist', () => {
    const holding = () => ({ owner: 'team web', consumers: ['the nightly job'], params: {} });
    const waiting = report({ until: 'contained' }, holding).followUps;
    expect(waiting).toEqual([
      expect.stringMatching(/^Approve or deny rotation and retirement of .*: needs 1 approval of lead or approver$/),
      'Point the nightly job at the new key: What did you change?',
      expect.stringMatching(/^Tell team web, who owns .*; it is used by the nightly job$/),
      'Check that the secret is gone from acme/web: deploy.env, its history included',
      'Check that the secret is gone from a link of a stranger, its history included',
    ]);
    const soaking = report({ until: 'soaking' }).followUps;
    expect(soaking[0]).toMatch(/^Keep the disabled key: until 2026-03-08 03:17:00 UTC/);
    expect(soaking.join('\n')).toMatch(/Find out who owns .* the inventory names nobody/);
  });

  it('tells when every step by hand is done', () => {
    expect(report().followUps.join('\n')).not.toMatch(/nightly job/);
  });

  it('says how to check it', () => {
    expect(report().proof).toMatchObject({
      ...HEAD,
      commands: [expect.stringContaining('custody export INC-7'), expect.stringContaining('custody verify INC-7.tar')],
    });
  });
});
