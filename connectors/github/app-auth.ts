import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Failure } from '#tourniquet';

/**
 * Signs the JWT with which an app speaks for itself. By hand, in place of @octokit/auth-app, which reads the system clock,
 * retries 401 with sleeps of its own, and shares pending tokens between all apps of the process by installation number.
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 */
export function appJwt(appId: string, key: KeyObject, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1_000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  // A minute back, as GitHub advises against drifting clocks; ten minutes is the most it accepts.
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: seconds - 60, exp: seconds + 540, iss: appId })}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

/** The app's key from its setting: PEM text, with real or written-out line ends, or a path. Failure `invalid` when it is neither. */
export async function privateKeyFrom(setting: string): Promise<KeyObject> {
  try {
    const pem = setting.includes('-----BEGIN') ? setting.replaceAll('\\n', '\n') : await readFile(setting, 'utf8');
    return createPrivateKey(pem);
  } catch {
    throw new Failure(
      'invalid',
      'GITHUB_APP_PRIVATE_KEY is neither a private key in PEM form nor the path of a file that holds one.',
    );
  }
}

/** Keeps installation tokens until shortly before they expire. Two who ask at once may each mint one, which does no harm. */
export class InstallationTokens {
  readonly #now: () => Date;
  readonly #kept = new Map<number, { readonly token: string; readonly expiresAt: Date }>();
  constructor(now: () => Date) {
    this.#now = now;
  }
  /** The token of `installation`, minted by `mint` when there is none that lives for another minute. */
  async get(installation: number, mint: () => Promise<{ token: string; expiresAt: Date }>): Promise<string> {
    const kept = this.#kept.get(installation);
    if (kept !== undefined && kept.expiresAt.getTime() - this.#now().getTime() > 60_000) return kept.token;
    const minted = await mint();
    this.#kept.set(installation, minted);
    return minted.token;
  }
  /** Forgets a token that GitHub no longer accepts. */
  forget(token: string): void {
    for (const [installation, kept] of this.#kept) if (kept.token === token) this.#kept.delete(installation);
  }
}
