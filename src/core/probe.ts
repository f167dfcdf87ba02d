/**
 * Whether an effect is in place, asked of the provider when we do not know what became of a call.
 * `unknown` ends with a person; a probe never guesses.
 */
export type Probe<Out> =
  | { readonly state: 'done'; readonly out: Out }
  | { readonly state: 'not-done' }
  | { readonly state: 'unknown'; readonly because: string };
