import { issueLink, randomToken } from '../console/link.ts';
import { authnOf, withApp } from './context.ts';
import { CommandError, type Io } from './io.ts';

/** Prints a one-time link into the console for a person; whoever can run this on the bot's machine may let people in. */
export async function consoleLink(io: Io, id: string | undefined): Promise<void> {
  await withApp(io, async (app, context) => {
    if (context.config.mode === 'sandbox')
      throw new CommandError('The page of the sandbox needs no link: open the address that npm start printed.');
    const { roster, store, clock } = app.options;
    const authn = authnOf(context, io);
    const person = id === undefined ? roster.find(authn) : roster.people.find((each) => each.id === id);
    if (!person)
      throw new CommandError(
        `Nobody in the people file is ${id ?? authn}. Name one: ${roster.people.map((each) => each.id).join(', ')}`,
      );
    const by = { kind: 'person', id: roster.find(authn)?.id ?? io.user, authn } as const;
    const token = await issueLink({ store, ledger: app.ledger, clock, newToken: randomToken }, person, by);
    const { host, port, publicUrl } = context.config;
    const base = publicUrl?.origin ?? `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}`;
    io.out(`For ${person.name}, once, within 10 minutes: ${base}/login?token=${token}`);
  });
}
