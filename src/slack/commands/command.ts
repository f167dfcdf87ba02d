import type { Context } from '../interaction.ts';
import type { Message } from '../text.ts';

/** One word after `/tq`. */
export interface Command {
  readonly name: string;
  /** What to type after the name. */
  readonly usage: string;
  /** What it does, in a few words, for `/tq help`. */
  readonly does: string;
  /** `text` is what was typed after the name: it may hold a secret, and is never shown or logged. */
  run(text: string, authn: string, context: Context): Promise<Message>;
}

/** The first word of `text`, and the rest of it. */
export function firstWord(text: string): readonly [word: string, rest: string] {
  const [, word = '', rest = ''] = /^\s*(\S*)\s*([\s\S]*?)\s*$/.exec(text) ?? [];
  return [word, rest];
}
