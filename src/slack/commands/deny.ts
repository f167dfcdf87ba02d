import type { Command } from './command.ts';
import { verdictOn } from './verdict.ts';

export const deny: Command = {
  name: 'deny',
  usage: 'INC-n [plan]',
  does: 'show you the plan that waits, to deny it; or deny the plan you name',
  run: (text, authn, context) => verdictOn('deny', text, authn, context),
};
