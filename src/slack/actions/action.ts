import type { ButtonValue } from '../buttons.ts';
import type { Context } from '../interaction.ts';
import type { Message } from '../text.ts';

/** What a clicked button brings. */
export interface Click {
  readonly value: ButtonValue;
  readonly authn: string;
  /** Lets us open one form within three seconds. */
  readonly trigger: string;
  readonly responseUrl: string;
}

/** One button. Answers null when there is nothing to tell, because a form was opened. */
export interface Action {
  readonly id: string;
  run(click: Click, context: Context): Promise<Message | null>;
}

/** What a submitted form brings: what the button that opened it carried, and what was typed. */
export interface Submission {
  readonly value: ButtonValue;
  readonly authn: string;
  readonly typed: string;
}

export interface Form {
  readonly id: string;
  run(submission: Submission, context: Context): Promise<Message>;
}
