import { requestRetry } from '../../decisions/help.ts';
import { ACTIONS } from '../buttons.ts';
import { answered } from '../interaction.ts';
import type { Action } from './action.ts';

export const retry: Action = {
  id: ACTIONS.retry,
  run: async ({ value, authn }, { desk }) => answered(await requestRetry(desk, { run: value.run, authn })),
};
