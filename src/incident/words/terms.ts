import type { Exposure } from '../../core/finding.ts';
import { planningStep } from '../../core/next.ts';
import type { ApprovalRule, Phase } from '../../core/plan.ts';
import { inWords, plural } from './text.ts';

/** "1 approval of lead or approver". */
export const approvalWords = ({ people, roles }: Pick<ApprovalRule, 'people' | 'roles'>): string =>
  `${plural(people, 'approval')}${roles.length === 0 ? '' : ` of ${inWords(roles, 'or')}`}`;

/** "containment and retirement". */
export const phasesInWords = (phases: readonly Phase[]): string => inWords(phases.map((phase) => NOUN[phase]));

export const exposureWords = (exposure: Exposure): string => EXPOSURES[exposure];

const EXPOSURES: Record<Exposure, string> = {
  public: 'public: anyone can read it',
  internal: 'exposed inside the organisation',
  anomaly: 'not seen exposed, but used oddly',
  unknown: 'not known who can read it',
};

export const NOUN: Record<Phase, string> = {
  assess: 'assessment',
  contain: 'containment',
  rotate: 'rotation',
  retire: 'retirement',
};

export const PAST: Record<Phase, string> = {
  assess: 'assessed',
  contain: 'contained',
  rotate: 'rotated',
  retire: 'retired',
};

/** A step that stands in no plan: planning itself can fail as a step can. */
export const nameless = (step: string): string =>
  step === planningStep('assess') || step === planningStep('response') ? 'Make the plan' : step;
