import { issueToken, listTokens, revokeToken } from '../api/tokens.ts';
import type { App } from '../app.ts';
import { randomToken } from '../console/link.ts';
import { isDuration, milliseconds } from '../core/duration.ts';
import type { Actor } from '../core/entry.ts';
import { when } from '../incident/words/text.ts';
import { isRole, ROLES } from '../policy/rule.ts';
import { authnOf, type Context, withApp } from './context.ts';
import { CommandError, type Io } from './io.ts';

export interface TokenArguments {
  /** Their id in the people file. */
  readonly person: string;
  readonly expires: string;
  /** Separated by commas; without it, all roles that the person has. */
  readonly roles?: string;
}

const LONGEST = milliseconds('365d');

/** Makes a token for the API and shows it once. Whoever can run this on the bot's machine may let people in. */
export async function createToken(io: Io, { person: id, expires, roles }: TokenArguments): Promise<void> {
  if (!isDuration(expires)) throw new CommandError(`"${expires}" is not a time: write for example 12h or 30d.`, 2);
  const validForMs = milliseconds(expires);
  if (validForMs === 0 || validForMs > LONGEST)
    throw new CommandError(
      'A token lives for at least a moment and at most 365d: it is a secret that can leak too.',
      2,
    );
  const asked = roles?.split(',').map((each) => each.trim());
  const stranger = asked?.find((each) => !isRole(each));
  if (stranger !== undefined) throw new CommandError(`There is no role "${stranger}": ${ROLES.join(', ')}.`, 2);
  const ceiling = asked?.filter(isRole);
  await withApp(io, async (app, context) => {
    const { roster, clock } = app.options;
    const person = roster.people.find((each) => each.id === id);
    if (!person)
      throw new CommandError(
        `Nobody in the people file is ${id}. There is: ${roster.people.map((each) => each.id).join(', ')}`,
      );
    const lacking = ceiling?.find((each) => !person.roles.includes(each));
    if (lacking !== undefined)
      throw new CommandError(`${person.name} has not the role ${lacking}, so a token cannot have it.`);
    const { token, grant } = await issueToken(
      { ledger: app.ledger, clock, newToken: randomToken },
      { person, validForMs, by: typist(app, context, io), ...(ceiling ? { roles: ceiling } : {}) },
    );
    const until = new Date(grant.until).toISOString();
    io.out(`Token ${grant.id} for ${person.name} (${(ceiling ?? person.roles).join(', ')}), until ${until}:`);
    io.out(token);
    io.out('It is shown this once. Keep it as you would a password; end it with: npx tourniquet token revoke ID');
  });
}

/** Lists the tokens that were not revoked; what they are is kept nowhere. */
export async function tokens(io: Io): Promise<void> {
  await withApp(io, async (app) => {
    const all = await listTokens(app.options.store.db);
    if (all.length === 0) io.out('There is no token. Make one: npx tourniquet token create --person ID --expires 30d');
    for (const { id, person, roles, until, createdBy } of all) {
      const expired = until <= io.now().getTime() ? 'expired' : 'expires';
      io.out(
        `${id}  ${person.padEnd(16)} ${(roles?.join(', ') ?? 'all roles').padEnd(24)} ${expired} ${when(new Date(until).toISOString(), io.now())}  made by ${createdBy}`,
      );
    }
  });
}

/** Ends a token at once. */
export async function endToken(io: Io, id: string): Promise<void> {
  await withApp(io, async (app, context) => {
    if (!(await revokeToken(app, id, typist(app, context, io))))
      throw new CommandError(`There is no token ${id}. List them with: npx tourniquet token list`);
    io.out(`Token ${id} is revoked: the next request with it is refused.`);
  });
}

function typist({ options }: App, context: Context, io: Io): Actor {
  const authn = authnOf(context, io);
  return { kind: 'person', id: options.roster.find(authn)?.id ?? io.user, authn };
}
