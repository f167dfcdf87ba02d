import type { Command } from './command.ts';
import { verdictOn } from './verdict.ts';

export const approve: Command = {
  name: 'approve',
  usage: 'INC-n [plan]',
  does: 'show you the plan that waits, to approve it; or approve the plan you name',
  run: (text, authn, context) => verdictOn('approve', text, authn, context),
};
