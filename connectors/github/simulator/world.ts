import { generateKeyPairSync } from 'node:crypto';
import { sshLine } from '../ssh-key.ts';
import type { TokenType } from '../token.ts';
import { makeToken, type Random } from './random.ts';
import {
  type Alert,
  emptyState,
  type Installation,
  keyOfRepository,
  type Place,
  type Repository,
  type State,
  type Token,
} from './state.ts';

const DAY_MS = 86_400_000;
const NEEDED = { metadata: 'read', secret_scanning_alerts: 'write', administration: 'write', secrets: 'write' };

type In = { readonly owner: string; readonly repo: string };
/** Which alert: what the connector's operations on alerts take. */
export type AlertAt = { readonly owner: string; readonly repo: string; readonly number: number };

/** The simulated GitHub from above: what a test or a drill puts there, and what it finds afterwards. */
export class GithubWorld {
  state: State = emptyState();
  readonly appId = '314159';
  readonly appSlug = 'tourniquet';
  /** What the app was given on its own page; installations may still have less. */
  appPermissions: Readonly<Record<string, string>> = NEEDED;
  readonly now: () => Date;
  readonly #random: Random;

  constructor(now: () => Date, random: Random) {
    this.now = now;
    this.#random = random;
  }

  nextId(): number {
    this.state.nextId += 1;
    return this.state.nextId;
  }

  /** The repository, made when it is not there, with the app installed on its owner. */
  repository({ owner, repo }: In, { visibility = 'private' }: { visibility?: 'private' | 'public' } = {}): Repository {
    const known = this.state.repositories.get(keyOfRepository(owner, repo));
    if (known !== undefined) return known;
    const isPrivate = visibility === 'private';
    const made = {
      id: this.nextId(),
      owner,
      name: repo,
      private: isPrivate,
      keys: [],
      secrets: new Map(),
      alerts: new Map(),
    };
    this.state.repositories.set(keyOfRepository(owner, repo), made);
    this.installation(owner);
    return made;
  }

  /** The app's installation on `owner`, made when it is not there. */
  installation(owner: string, permissions: Readonly<Record<string, string>> = NEEDED): Installation {
    const known = [...this.state.installations.values()].find((installation) => installation.owner === owner);
    if (known !== undefined) return known;
    const made = { id: this.nextId(), owner, permissions, createdAt: this.#earlier(30), suspendedAt: null };
    this.state.installations.set(made.id, made);
    return made;
  }

  /** Makes a token and returns it. An installation token belongs to the app's installation on `login`. */
  addToken(
    type: TokenType,
    login: string,
    given: { scopes?: readonly string[]; organisations?: readonly string[]; expiresAt?: Date } = {},
  ): string {
    const token = makeToken(this.#random, type, this.appId);
    const installation = type === 'ghs' ? this.installation(login) : null;
    this.state.tokens.set(token, {
      type,
      login,
      scopes: given.scopes ?? [],
      organisations: given.organisations ?? [],
      expiresAt: given.expiresAt ?? (installation === null ? null : new Date(this.now().getTime() + DAY_MS / 24)),
      installation: installation?.id ?? null,
      permissions: installation?.permissions ?? {},
      deadAt: null,
    });
    return token;
  }

  /** A token as GitHub sees it: null when it never was one. */
  token(token: string): Token | null {
    return this.state.tokens.get(token) ?? null;
  }

  /** Whether GitHub accepts `token` now. */
  accepts(token: string): boolean {
    const known = this.token(token);
    if (known === null) return false;
    const now = this.now().getTime();
    return [known.deadAt, known.expiresAt].every((end) => end === null || now < end.getTime());
  }

  /** A new SSH key pair whose public half is a deploy key of the repository; the private half is what leaks. */
  addDeployKey(where: In, given: { title?: string; readOnly?: boolean } = {}): { id: number; privateKey: string } {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = sshLine(publicKey) ?? '';
    const { title = 'deploy', readOnly = false } = given;
    const id = this.nextId();
    const times = { createdAt: this.#earlier(30), lastUsed: this.#earlier(1) };
    this.repository(where).keys.push({ id, title, key, readOnly, ...times });
    return { id, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  /** An Actions secret as it stands, written a day ago. */
  addActionsSecret(where: In, name: string, value: string): void {
    const at = this.#earlier(1);
    this.repository(where).secrets.set(name, { value, createdAt: at, updatedAt: at });
  }

  /** What an Actions secret holds, which GitHub itself would tell nobody. */
  actionsSecret({ owner, repo }: In, name: string): string | null {
    return this.repository({ owner, repo }).secrets.get(name)?.value ?? null;
  }

  /** An open secret scanning alert on `secret`; its number counts up within the repository. */
  addAlert(
    where: In,
    given: {
      secret: string;
      secretType: string;
      validity?: Alert['validity'];
      publiclyLeaked?: boolean;
      places?: readonly Place[];
    },
  ): AlertAt {
    const { alerts } = this.repository(where);
    const number = alerts.size + 1;
    const place = { type: 'commit', path: 'deploy.env', line: 3, commit: '1a2b3c4d'.repeat(5) } as const;
    alerts.set(number, {
      number,
      secret: given.secret,
      secretType: given.secretType,
      validity: given.validity ?? 'active',
      publiclyLeaked: given.publiclyLeaked ?? false,
      places: given.places ?? [place],
      createdAt: this.now(),
      state: 'open',
      resolution: null,
      comment: null,
      resolvedAt: null,
    });
    return { ...where, number };
  }

  /** The alert as it stands. Throws when there is none. */
  alert({ owner, repo, number }: AlertAt): Alert {
    const alert = this.repository({ owner, repo }).alerts.get(number);
    if (alert === undefined) throw new Error(`The simulated ${owner}/${repo} has no alert ${number}.`);
    return alert;
  }

  mint(installation: Installation): { token: string; expiresAt: Date } {
    const token = this.addToken('ghs', installation.owner);
    const expiresAt = this.token(token)?.expiresAt ?? this.now();
    return { token, expiresAt };
  }

  #earlier(days: number): Date {
    return new Date(this.now().getTime() - days * DAY_MS);
  }
}
