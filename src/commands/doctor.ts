import type { App } from '../app.ts';
import type { DoctorCheck } from '../core/connector.ts';
import { verifyStore } from '../custody/audit.ts';
import { createCaller } from '../providers/caller.ts';
import { type Context, withApp } from './context.ts';
import type { Io } from './io.ts';

const MARK = { ok: '✓', missing: '✗', 'too-much': '!', warning: '!', unknown: '?' } as const satisfies Record<
  DoctorCheck['state'],
  string
>;

/** Says of every connector, of Slack and of the ledger what is configured, and which permissions are there, missing or too many. Resolves with 1 when something is missing. */
export async function doctor(io: Io): Promise<0 | 1> {
  return withApp(io, async (app, context) => {
    let missing = 0;
    for (const { title, checks } of await examine(app, context, io)) {
      io.out(title);
      for (const { state, name, detail } of checks) {
        if (state === 'missing') missing += 1;
        io.out(`  ${MARK[state]} ${name}: ${detail}`);
      }
    }
    return missing === 0 ? 0 : 1;
  });
}

interface Section {
  readonly title: string;
  readonly checks: readonly DoctorCheck[];
}

async function examine(app: App, { config, loaded }: Context, io: Io): Promise<readonly Section[]> {
  const { store, signer, roster, sources } = app.options;
  const audit = await verifyStore(store.db, signer.vkey);
  const ledger: DoctorCheck = audit.ok
    ? { name: 'custody log', state: 'ok', detail: `${audit.size} entries, every one as it was signed (${signer.name})` }
    : { name: 'custody log', state: 'missing', detail: audit.problem };
  if (config.mode === 'sandbox') {
    const detail = 'simulated, inside npm start; to examine real ones, configure them (README, Setup)';
    return [{ title: 'Tourniquet (sandbox)', checks: [ledger, { name: 'providers and Slack', state: 'ok', detail }] }];
  }
  const own: Section = {
    title: `Tourniquet (${config.mode})`,
    checks: [
      ledger,
      { name: 'public key', state: 'ok', detail: signer.vkey },
      roster.people.some((person) => person.roles.includes('lead') || person.roles.includes('approver'))
        ? { name: 'people', state: 'ok', detail: `${roster.people.length}, some of whom may approve` }
        : { name: 'people', state: 'missing', detail: 'nobody may approve: give someone the role lead or approver' },
      sources.length > 0
        ? { name: 'alert streams', state: 'ok', detail: sources.map((source) => source.name).join(', ') }
        : {
            name: 'alert streams',
            state: 'warning',
            detail: 'none is configured: it acts on files and on what people ask',
          },
    ],
  };
  const caller = createCaller({
    registry: app.registry,
    now: io.now,
    openSecret: async () => null,
    signal: io.stopping,
    onBug: (error) => io.err(error instanceof Error ? error.name : 'a check failed'),
  });
  const sections = loaded.connectors.map(async ({ name, title }): Promise<Section> => {
    const open = app.registry.connectors.find((connector) => connector.name === name);
    if (!open) return { title, checks: [{ name: 'settings', state: 'unknown', detail: 'not configured' }] };
    const called = await caller.call({ idempotencyKey: 'doctor', approval: null }, (ctx) => open.doctor(ctx));
    return {
      title,
      checks: called.ok ? called.value : [{ name: 'connection', state: 'missing', detail: called.failure.message }],
    };
  });
  return [own, await slack(config), ...(await Promise.all(sections))];
}

async function slack({ slack: configured }: Context['config']): Promise<Section> {
  const title = 'Slack';
  if (!configured) return { title, checks: [{ name: 'settings', state: 'unknown', detail: 'not configured' }] };
  const { examineSlack } = await import('../slack/doctor.ts');
  return { title, checks: await examineSlack(configured) };
}
