import type { Plan } from '../core/plan.ts';
import { approvalWords } from './words/terms.ts';

const HEADINGS = { assess: 'Assess', contain: 'Contain', rotate: 'Rotate', retire: 'Retire' } as const;

/** A plan that nobody runs yet, in plain words: for a dry run in the terminal or in Slack. */
export function planLines({
  plan,
  unread,
}: {
  readonly plan: Plan;
  readonly unread: readonly string[];
}): readonly string[] {
  const lines = [`${plan.title}: ${plan.credential.kind} ${plan.credential.id}`, `Runbook: ${plan.runbook}`];
  let number = 0; // through all phases, as the card and the page count them
  for (const { phase, approval, steps } of plan.phases) {
    if (steps.length === 0) continue;
    const who = approval.people === 0 ? 'no approval needed' : `after ${approvalWords(approval)}`;
    lines.push(`${HEADINGS[phase]}, ${who} (${approval.because})`);
    for (const step of steps) {
      number += 1;
      lines.push(`  ${number}. ${step.title}${noteOn(step)}`);
    }
  }
  for (const missing of unread) lines.push(`Could not be read, so assumed empty: ${missing}`);
  lines.push('Nothing was changed.');
  return lines;
}

function noteOn(step: Plan['phases'][number]['steps'][number]): string {
  if (step.kind === 'guided') return ' (a person does this)';
  if (step.kind !== 'call' || step.effect !== 'irreversible') return '';
  return step.unavoidable ? ` (cannot be undone: ${step.unavoidable})` : ' (cannot be undone)';
}
