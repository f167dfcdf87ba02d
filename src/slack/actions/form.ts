import type { types } from '@slack/bolt';
import { z } from 'zod';
import { type ButtonValue, buttonValue } from '../buttons.ts';
import { type Block, clip, shown } from '../text.ts';
import type { Click } from './action.ts';

/** Where the one text of a form is found in what Slack sends back. */
export const FIELD = { block: 'text', action: 'text' } as const;

const shape = z.strictObject({ value: z.string(), responseUrl: z.string() });

/** A form that asks for one text. It carries what the button carried, and where to answer. */
export function form(
  id: string,
  { value, responseUrl }: Pick<Click, 'value' | 'responseUrl'>,
  words: { readonly title: string; readonly intro: string; readonly asks: string; readonly submit: string },
): types.ModalView {
  const plainText = (text: string, max: number): types.PlainTextElement => ({
    type: 'plain_text',
    text: clip(shown(text) || ' ', max),
    emoji: false,
  });
  const intro: Block = { type: 'section', text: plainText(words.intro, 3_000) };
  const input: Block = {
    type: 'input',
    block_id: FIELD.block,
    label: plainText(words.asks, 2_000),
    element: { type: 'plain_text_input', action_id: FIELD.action, multiline: true, max_length: 1_000 },
  };
  return {
    type: 'modal',
    callback_id: id,
    private_metadata: JSON.stringify({ value: JSON.stringify(value), responseUrl } satisfies z.infer<typeof shape>),
    title: plainText(words.title, 24),
    submit: plainText(words.submit, 24),
    close: plainText('Go back', 24),
    blocks: [intro, input],
  };
}

/** What a form of ours carried; null when this version did not make it. */
export function carried(metadata: string): { readonly value: ButtonValue; readonly responseUrl: string } | null {
  try {
    const parsed = shape.safeParse(JSON.parse(metadata)).data;
    const value = buttonValue(parsed?.value);
    return parsed && value ? { value, responseUrl: parsed.responseUrl } : null;
  } catch {
    return null;
  }
}
