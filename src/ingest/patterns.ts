import type { Clue } from '../core/finding.ts';

// Written from the providers' own documentation; see domain.md for each format. Every quantifier is bounded or unambiguous, because
// these run over text that an attacker writes.
const AWS_KEY_ID = /(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])/;
const GITHUB_TOKENS = [
  /(?<![A-Za-z0-9])gh[pour]_[A-Za-z0-9]{36,255}(?![A-Za-z0-9])/,
  /(?<![A-Za-z0-9])github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9])/,
  // Since April 2026 `ghs_APPID_JWT`, with dots; a full stop that ends a sentence is not part of it.
  /(?<![A-Za-z0-9])ghs_[A-Za-z0-9._-]{35,2000}[A-Za-z0-9_-]/,
] as const;

/** What a secret found in text is to us: a clue that a connector can follow, or why nothing can. */
export type Recognised =
  | { readonly is: 'known'; readonly clue: Clue }
  /** `aws.session`: temporary AWS credentials, which expire by themselves and cannot be disabled one by one. */
  | { readonly is: 'aws.session' }
  | { readonly is: 'unknown' };

/** Recognises by their form the credentials that our connectors act upon, in the first of `texts` that holds one. */
export function recognise(texts: readonly string[]): Recognised {
  for (const text of texts) {
    const keyId = AWS_KEY_ID.exec(text)?.[0];
    if (keyId?.startsWith('AKIA')) return { is: 'known', clue: { kind: 'aws.access-key', id: keyId } };
    if (keyId) return { is: 'aws.session' };
    for (const pattern of GITHUB_TOKENS) {
      const secret = pattern.exec(text)?.[0];
      if (secret) return { is: 'known', clue: { kind: 'github.token', secret } };
    }
  }
  return { is: 'unknown' };
}

/** The AWS access key id in `text`, long-lived (`AKIA`) or temporary (`ASIA`), if there is one. */
export const awsKeyIdIn = (text: string): string | undefined => AWS_KEY_ID.exec(text)?.[0];

const REMOVED = '[secret removed]';
const everywhere = (pattern: RegExp): RegExp => new RegExp(pattern, 'g');
const SECRETS: readonly RegExp[] = [
  ...GITHUB_TOKENS.map(everywhere),
  /github_pat_[A-Za-z0-9_]{20,255}/g,
  /\btqt_[A-Za-z0-9_-]{20,300}/g,
  /\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,300}/g,
  /\bxapp-[A-Za-z0-9-]{10,300}/g,
  /\bglpat-[A-Za-z0-9_.-]{20,300}/g,
  /\bhv[sbr]\.[A-Za-z0-9_-]{20,300}/g,
  /\bnpm_[A-Za-z0-9]{36}/g,
  /\bAIza[A-Za-z0-9_-]{35}/g,
  /\bsk-[A-Za-z0-9_-]{20,300}/g,
  /\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,2000}/g,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^-]{0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?/g,
];
/** Secrets with no form of their own, known by what stands before them; what stands before is kept. */
const AFTER: readonly RegExp[] = [
  /(aws[a-z_ .-]{0,20}secret[a-z_ .-]{0,30}["']?\s{0,5}(?:=>|[=:])\s{0,5}["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi,
  /(secret_?access_?key["']?\s{0,5}(?:=>|[=:])\s{0,5}["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi,
  /(A[KS]IA[A-Z0-9]{16}[^A-Za-z0-9+]{1,20})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/g,
  /(\b(?:bearer|basic)[ \t]{1,3})[A-Za-z0-9+/_.~=-]{20,4000}/gi,
  // "token" is also a word of prose, and of names with hyphens: what follows it is a secret only with a digit in it.
  /(\btoken[ \t]{1,3})(?=[A-Za-z+/_.~=-]{0,100}[0-9])[A-Za-z0-9+/_.~=-]{20,4000}/gi,
  /(:\/\/[^\s:@/]{1,100}:)[^\s@/]{1,200}(?=@)/g,
];

/**
 * `text` without anything that looks like a secret: the last net under logs, errors and refusals, never a reason to put a secret
 * there. AWS access key ids stay: they are names, and people need them.
 */
export function scrub(text: string): string {
  const known = SECRETS.reduce((rest, pattern) => rest.replaceAll(pattern, REMOVED), text);
  return AFTER.reduce((rest, pattern) => rest.replaceAll(pattern, `$1${REMOVED}`), known);
}
