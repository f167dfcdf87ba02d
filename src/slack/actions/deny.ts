import { decide } from '../../decisions/approve.ts';
import { ACTIONS } from '../buttons.ts';
import { answered } from '../interaction.ts';
import type { Action } from './action.ts';

export const deny: Action = {
  id: ACTIONS.deny,
  run: async ({ value, authn }, { desk }) =>
    answered(await decide(desk, { run: value.run, planSha256: value.plan ?? '', verdict: 'deny', authn })),
};
