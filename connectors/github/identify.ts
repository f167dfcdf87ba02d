import { z } from 'zod';
import type { Clue, Ctx, Identified } from '#tourniquet';
import type { GithubClient } from './client.ts';
import { alertRef, githubDeployKey, githubToken, repoRef } from './kinds.ts';
import { exposureOf, locationsOf, readWithSecret } from './operations/alerts.ts';
import { type DeployKey, keysOf } from './operations/deploy-keys.ts';
import { askWith, type Holder } from './operations/tokens.ts';
import { publicHalf, publicPart } from './ssh-key.ts';
import { appIdIn, checksumMatches, TOKEN_TITLES, tokenTypeOf } from './token.ts';

type Context = Ctx<GithubClient>;

const unknown = (because: string): Identified => ({ is: 'unknown', because });

const AWS_KEY_ID = /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/;

/** A secret scanning alert leads to what it holds: a token of GitHub, a deploy key, an AWS key. Reads the secret. */
export async function identifyAlert(ctx: Context, clue: Clue): Promise<Identified> {
  const parsed = alertRef.safeParse(clue.where);
  if (!parsed.success) return unknown(`The alert does not say which it is. ${z.prettifyError(parsed.error)}`);
  const alert = parsed.data;
  const { owner, repo } = alert;
  const name = `Alert ${alert.number} of ${owner}/${repo}`;
  const found = await readWithSecret(ctx, alert);
  if (found.state === 'resolved' && found.resolution === 'revoked')
    return { is: 'dead', because: `${name} is resolved already: somebody revoked it.` };
  if (found.state === 'resolved')
    return unknown(`${name} was resolved as ${found.resolution ?? 'something else'}: reopen it to have it acted on.`);
  const led = clueFrom(found.secret, found.secret_type, alert);
  if (led === null)
    return unknown(`${name} holds a secret of the type ${found.secret_type}, which leads no further here.`);
  return {
    is: 'clue',
    clue: led,
    validity: found.validity,
    exposure: await exposureOf(ctx, alert, found.publicly_leaked ?? false),
    locations: await locationsOf(ctx, alert),
  };
}

/** By the form of the secret rather than by GitHub's names for its types, which it adds to and renames. */
function clueFrom(secret: string, secretType: string, alert: z.infer<typeof alertRef>): Clue | null {
  const tokenType = tokenTypeOf(secret);
  if (tokenType !== null) return { kind: githubToken.kind, secret, where: { tokenType, alert } };
  const keyId = AWS_KEY_ID.exec(secret)?.[0];
  if (secretType.startsWith('aws_') && keyId !== undefined)
    return { kind: 'aws.access-key', id: keyId, where: { alert } };
  if (publicHalf(secret) !== null)
    return { kind: githubDeployKey.kind, secret, where: { owner: alert.owner, repo: alert.repo, alert } };
  return null;
}

/**
 * Whose a token is, as GitHub answers the token itself. What an alert says of it was read before; GitHub shows a token's
 * last use to nobody but its owner, so there is nothing else that asking could overwrite for us.
 */
export async function identifyToken(ctx: Context, clue: Clue): Promise<Identified> {
  if (clue.secret === undefined) return unknown('The alert did not bring the token, and GitHub finds none without it.');
  const tokenType = tokenTypeOf(clue.secret);
  if (tokenType === null) return unknown('It does not have the form of any token of GitHub.');
  if (clue.id === undefined) return unknown('The token came without the fingerprint that names it.');
  const { liveness, holder } = await askWith(ctx, clue.secret);
  if (liveness.state === 'dead')
    return { is: 'dead', because: `This ${TOKEN_TITLES[tokenType]} is dead: ${liveness.because}.` };
  const opaque = tokenType === 'ghr'; // nobody can ask with it, so not knowing is no reason to leave it alone
  if (liveness.state === 'unknown' && !opaque)
    return unknown(`GitHub did not say whether this ${TOKEN_TITLES[tokenType]} works: ${liveness.because}.`);
  if (opaque && checksumMatches(clue.secret) === false)
    return unknown(
      'It looks like a refresh token, but its checksum is wrong, and GitHub answers no question about it.',
    );
  const alert = alertRef.safeParse(clue.where?.alert).data;
  const installationId = await ourInstallation(ctx, clue.secret, holder);
  const where = {
    tokenType,
    ...(holder?.login ? { owner: holder.login } : {}),
    ...(alert === undefined ? {} : { alert }),
    ...(installationId === undefined ? {} : { installationId }),
  };
  const validity = liveness.state === 'live' ? 'active' : 'unknown';
  return { is: 'credential', credential: { kind: githubToken.kind, id: clue.id, where }, validity };
}

/** The installation that minted the token, when it is one of our own app; only that one can we suspend. */
async function ourInstallation(ctx: Context, token: string, holder: Holder | null): Promise<number | undefined> {
  const appId = ctx.client.settings.GITHUB_APP_ID;
  if (appId === undefined || appIdIn(token) !== appId || !holder?.login || !holder.repo) return undefined;
  return ctx.client.installationOf(ctx, { owner: holder.login, repo: holder.repo });
}

/** Which key of a repository it is: by its number, or by the public half of the private key that leaked. */
export async function identifyDeployKey(ctx: Context, clue: Clue): Promise<Identified> {
  const parsed = repoRef.safeParse(clue.where);
  if (!parsed.success) return unknown(`The alert does not say of which repository. ${z.prettifyError(parsed.error)}`);
  const { owner, repo } = parsed.data;
  const half = clue.secret === undefined ? null : publicHalf(clue.secret);
  const number = z.coerce
    .number()
    .int()
    .positive()
    .safeParse(clue.where?.keyId ?? clue.id).data;
  if (half === null && number === undefined) return unknown('Neither its number nor its public half is known.');
  const isIt = ({ id, key }: DeployKey) => (half === null ? id === number : publicPart(key) === half);
  const key = (await keysOf(ctx, { owner, repo })).find(isIt);
  const alert = alertRef.safeParse(clue.where?.alert).data;
  if (key === undefined && half === null)
    return { is: 'dead', because: `${owner}/${repo} no longer has a deploy key ${number}.` };
  if (key === undefined)
    return unknown(
      `It is none of the deploy keys of ${owner}/${repo}. It may be a person's key or another repository's: \`ssh -T git@github.com\` with it tells whose.`,
    );
  const where = { owner, repo, keyId: key.id, ...(alert === undefined ? {} : { alert }) };
  return {
    is: 'credential',
    credential: { kind: githubDeployKey.kind, id: String(key.id), where },
    validity: 'active',
  };
}
