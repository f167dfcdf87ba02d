import { readFileSync } from 'node:fs';
import type { RunView } from '../incident/view.ts';
import { sentenceOf } from '../incident/words/sentence.ts';
import { PAST } from '../incident/words/terms.ts';
import { oneLine } from '../incident/words/text.ts';
import { answerWords, parseCases, runCases } from '../policy/cases.ts';
import { BadPolicy } from '../policy/compile.ts';
import { type Explained, explain } from '../policy/explain.ts';
import { diskFiles, unreadable } from '../policy/files.ts';
import { BadFile } from '../policy/json-file.ts';
import { defaultTexts, policyTexts } from '../policy/load.ts';
import { withApp } from './context.ts';
import { findIncident } from './decide.ts';
import { CommandError, type Io } from './io.ts';

/**
 * Asks the policy in `dir` (else that of TOURNIQUET_POLICY, else the default one) every case of `file`. Needs no database and no
 * provider, so that a pull request can be checked. Resolves with 1 when a case is answered otherwise than expected.
 */
export function testPolicy(io: Io, file: string, dir = io.env.TOURNIQUET_POLICY): 0 | 1 {
  try {
    const cases = parseCases(read(file), file);
    const results = runCases(dir ? policyTexts(dir, diskFiles) : defaultTexts(), cases);
    for (const { name, ok, expected, got } of results) {
      const answer = `${answerWords(got)}, because ${oneLine(got.because)}`;
      io.out(ok ? `✓ ${name}: ${answer}` : `✗ ${name}: expected ${answerWords(expected)}, got ${answer}`);
    }
    const failed = results.filter(({ ok }) => !ok).length;
    io.out(failed === 0 ? `All ${results.length} cases hold.` : `${failed} of ${results.length} cases do not hold.`);
    return failed === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof BadFile || error instanceof BadPolicy) throw new CommandError(error.message, 2);
    throw error;
  }
}

/** Says of every run of an incident which rules decided each phase, under which policy, and what today's would decide. */
export async function explainPolicy(io: Io, ref: string): Promise<void> {
  await withApp(io, async (app, { config }) => {
    const incident = await findIncident(app, ref);
    const { inventory, roster } = app.options;
    io.out(`${incident.ref}  ${oneLine(incident.title)}`);
    for (const entry of incident.entries) {
      if (entry.type !== 'decision' || entry.decision.is !== 'finding') continue;
      io.out(
        `  ${sentenceOf(entry)?.text ?? ''}; ${entry.decision.verdict} because ${oneLine(entry.decision.because)}`,
      );
    }
    for (const run of incident.runs) {
      const { opened, response } = run.state;
      io.out('');
      io.out(oneLine(`${opened.credential.kind} ${opened.credential.id}`));
      if (!response) {
        io.out('  Policy has not been asked yet: there is no plan.');
        continue;
      }
      const entry = incident.entries.find(({ seq }) => seq === response.seq);
      const policySha256 = entry?.authority?.policySha256;
      const holding = inventory.holdingOf(opened.credential);
      const decided = { plan: response.plan, opened, holding, ...(policySha256 === undefined ? {} : { policySha256 }) };
      for (const line of explained(explain(decided, config.policy, roster), response.seq, run)) io.out(line);
    }
  });
}

function explained({ recorded, today, phases }: Explained, seq: number, { state }: RunView): readonly string[] {
  const version = recorded === today ? 'the same' : today;
  return [
    `  Policy of the plan (entry #${seq}): ${recorded ?? 'not on record'}`,
    `  Policy now: ${version}`,
    ...phases.flatMap((each) => [
      `  ${each.phase}${state.ended.get(each.phase)?.ok ? ` (${PAST[each.phase]})` : ''}: ${answerWords(each.recorded)}, because ${oneLine(each.recorded.because)}`,
      each.same
        ? `    today the same${each.braked ? ', with the brake on' : ''}`
        : `    TODAY OTHERWISE: ${answerWords(each.today)}, because ${oneLine(each.today.because)}`,
      ...each.rules.map(({ id, reason }) => `      rule ${id}: ${oneLine(reason)}`),
    ]),
    ...(phases.every(({ same }) => same)
      ? []
      : ['  Also the inventory and the people file may have changed since: it is asked with those of today.']),
  ];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${unreadable(error)}`, 2);
  }
}
