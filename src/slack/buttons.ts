import { z } from 'zod';
import type { RunView } from '../incident/view.ts';
import { planWords } from '../incident/words/plan.ts';
import { inWords } from '../incident/words/text.ts';
import type { Button } from './text.ts';

/** How clicks and submitted forms are named. */
export const ACTIONS = {
  approve: 'tq.approve',
  deny: 'tq.deny',
  undo: 'tq.undo',
  retry: 'tq.retry',
  answer: 'tq.answer',
} as const;
type ActionName = keyof typeof ACTIONS;

const shape = z.strictObject({
  run: z.string().min(1),
  /** SHA-256 of the plan on the card that was clicked: a verdict names what its person saw. */
  plan: z.string().exactOptional(),
  /** The guided step that is answered. */
  step: z.string().exactOptional(),
});

/** What a button carries, at most 2,000 characters: ids and hashes, never words. */
export type ButtonValue = z.infer<typeof shape>;

/** What a clicked button carries; null when it is not one that this version makes. */
export function buttonValue(text: string | undefined): ButtonValue | null {
  try {
    return shape.safeParse(JSON.parse(text ?? '')).data ?? null;
  } catch {
    return null;
  }
}

/** What a person can do about the run now. */
export function buttonsOf(run: RunView): Button[] {
  const waits = run.action.do === 'await' ? run.action.what : null;
  const of = (
    name: ActionName,
    text: string,
    more: Partial<Button> = {},
    value: Partial<ButtonValue> = {},
  ): Button => ({
    type: 'button',
    action_id: ACTIONS[name],
    text: { type: 'plain_text', text, emoji: false },
    value: JSON.stringify({ run: run.id, ...value } satisfies ButtonValue),
    ...more,
  });
  const verdict = waits?.need === 'approval' && run.planSha256 ? { plan: run.planSha256 } : null;
  return [
    ...(verdict
      ? [
          of('approve', 'Approve', { style: 'primary', ...confirmApproval(run) }, verdict),
          of('deny', 'Deny', { style: 'danger', confirm: DENIAL }, verdict),
        ]
      : []),
    ...(waits?.need === 'answer' ? [of('answer', 'Answer', { style: 'primary' }, { step: waits.step })] : []),
    ...(waits?.need === 'help' ? [of('retry', 'Retry', { style: 'primary' })] : []),
    ...(run.undoable.length > 0 && run.standing !== 'undoing' ? [of('undo', 'Undo')] : []),
  ];
}

type Confirm = NonNullable<Button['confirm']>;
const confirmOf = (title: string, text: string, confirm: string, deny: string): Confirm => ({
  title: { type: 'plain_text', text: title, emoji: false },
  text: { type: 'plain_text', text, emoji: false },
  confirm: { type: 'plain_text', text: confirm, emoji: false },
  deny: { type: 'plain_text', text: deny, emoji: false },
});

const DENIAL = confirmOf(
  'Deny this plan?',
  'Nothing more is done about this credential. If it works now, it goes on working.',
  'Deny',
  'Go back',
);

/** Asks again only where an approval lets something happen that no one can take back. */
function confirmApproval(run: RunView): { confirm?: Confirm } {
  const asked = run.action.do === 'await' && run.action.what.need === 'approval' ? run.action.what.phases : [];
  const final = planWords(run)
    .phases.filter(({ phase }) => asked.includes(phase))
    .flatMap(({ steps }) => steps.filter((step) => step.nature === 'cannot be undone'))
    .map((step) => String(step.number));
  if (final.length === 0) return {};
  const which = `${final.length === 1 ? 'Step' : 'Steps'} ${inWords(final.slice(0, 20))}`;
  return { confirm: confirmOf('Approve this plan?', `${which} of it cannot be undone.`, 'Approve', 'Go back') };
}
