import type { Action, Form } from './action.ts';
import { answer, answerForm } from './answer.ts';
import { approve } from './approve.ts';
import { deny } from './deny.ts';
import { retry } from './retry.ts';
import { undo, undoForm } from './undo.ts';

export const BUTTONS: readonly Action[] = [approve, deny, undo, retry, answer];
export const FORMS: readonly Form[] = [undoForm, answerForm];
