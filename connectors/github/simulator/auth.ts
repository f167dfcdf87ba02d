import { type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { type Caller, Refused } from './call.ts';
import type { GithubWorld } from './world.ts';

const claims = z.object({ iss: z.union([z.string(), z.number()]), iat: z.int(), exp: z.int() });
const TEN_MINUTES = 600;

/** Who is asking, by the Authorization header. Throws GitHub's 401 for whoever it does not accept. */
export function callerOf(world: GithubWorld, appKey: KeyObject, authorization: string | null): Caller {
  if (authorization === null) return { is: 'nobody' };
  const credential = authorization.replace(/^(?:token|bearer) /i, '');
  if (/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(credential)) return appOf(world, appKey, credential);
  const token = world.token(credential);
  if (token === null || token.type === 'ghr' || !world.accepts(credential)) throw new Refused(401, 'Bad credentials');
  const installation = token.installation === null ? null : (world.state.installations.get(token.installation) ?? null);
  if (installation !== null && installation.suspendedAt !== null)
    throw new Refused(403, 'This installation has been suspended');
  return { is: 'token', token, text: credential, installation };
}

function appOf(world: GithubWorld, appKey: KeyObject, jwt: string): Caller {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', signed, appKey, Buffer.from(signature, 'base64url')))
    throw new Refused(401, 'A JSON web token could not be decoded');
  const { iss, iat, exp } = claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  const now = world.now().getTime() / 1_000;
  if (String(iss) !== world.appId) throw new Refused(404, 'Integration not found');
  if (iat > now + 1)
    throw new Refused(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  if (exp <= now || exp > now + TEN_MINUTES)
    throw new Refused(401, "'Expiration time' claim ('exp') is too far in the future");
  return { is: 'app' };
}
