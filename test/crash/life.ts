import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario, Staged } from '../../src/drill/scenario.ts';
import { LEASE_MS } from '../../src/engine/lease.ts';
import type { IncidentView } from '../../src/incident/view.ts';
import { type Bot, Died, type Nursery } from './host.ts';
import type { Books, Counts, Moment, Stage } from './protocol.ts';
import { Providers } from './providers.ts';

/** When the process is killed. Requests are numbered from 1, as an unharmed life makes them. */
export type Kill =
  | { readonly at: 'never' }
  | { readonly at: 'transaction'; readonly moment: Moment }
  | { readonly at: 'request'; readonly number: number; readonly when: 'before' | 'after' }
  /** Whatever it is doing then; `afterMs` gives the next one, null for no more. */
  | { readonly at: 'random'; readonly afterMs: () => number | null };

/** What must be the same whenever and however often the process died. */
export interface Ending {
  readonly standings: readonly string[];
  readonly incidents: number;
  readonly effects: readonly string[];
  readonly objectives: Readonly<Record<string, boolean>>;
  readonly ledger: string;
  readonly doubled: readonly string[];
  readonly left: number;
}

export interface Life {
  readonly ending: Ending;
  readonly deaths: number;
  /** Of the last process. */
  readonly counts: Counts;
  /** The names of all requests that reached a provider. */
  readonly requests: readonly string[];
}

export interface Place {
  readonly nursery: Nursery;
  readonly bot: Bot | undefined;
}

/** Long enough that a dead process's leases have run out. */
const RESTART_MS = LEASE_MS + 1_000;
const MOST_TURNS = 400;

/** A database for one life: null for a SQLite file. */
export type Database = () => Promise<string | null>;

/**
 * One incident from its alert to its end, in processes that die as `kill` says and are started again. Resolves with the ending and
 * with the process that survived, which the next life may use. Rejects when it never ends, or our own code fails.
 */
export async function live(
  scenario: Scenario,
  { nursery, bot: given, database }: Place & { readonly database: Database },
  kill: Kill,
): Promise<Life & { readonly bot: Bot }> {
  const dir = await mkdtemp(join(tmpdir(), 'tourniquet-crash-'));
  const providers = await Providers.open();
  try {
    return await new Driver(scenario, providers, nursery, kill, { dir, database: await database() }, given).drive();
  } finally {
    await providers.close();
    await rm(dir, { recursive: true, force: true });
  }
}

class Driver {
  readonly #providers: Providers;
  readonly #staged: Staged;
  readonly #nursery: Nursery;
  readonly #kill: Kill;
  readonly #stage: Stage;
  #bot: Bot | undefined;
  #deaths = 0;
  #counts: Counts = { journal: 0, lease: 0 };

  constructor(
    scenario: Scenario,
    providers: Providers,
    nursery: Nursery,
    kill: Kill,
    where: Pick<Stage, 'dir' | 'database'>,
    bot: Bot | undefined,
  ) {
    this.#providers = providers;
    this.#staged = scenario.stage(providers, { soak: '7d' });
    providers.clock.advance(60_000); // it was in use before anybody heard of it
    this.#nursery = nursery;
    this.#kill = kill;
    this.#bot = bot;
    const inventory = JSON.stringify(this.#staged.inventory);
    this.#stage = { ...where, env: providers.env, inventory, webhookSecret: providers.webhookSecret };
  }

  async drive(): Promise<Life & { readonly bot: Bot }> {
    const { clock } = this.#providers;
    let opened = false;
    let accepted = false;
    for (let turns = 0; turns < MOST_TURNS; turns += 1) {
      this.#bot ??= await this.#nursery.bot();
      const bot = this.#bot;
      try {
        if (!opened) {
          this.#arm(bot);
          const dieAt = this.#kill.at === 'transaction' && this.#deaths === 0 ? this.#kill.moment : null;
          await bot.ask({ do: 'open', stage: this.#stage, at: clock.now().getTime(), dieAt });
          opened = true;
        }
        if (!accepted) {
          // A source sends again what was not answered with 202, and so does this one.
          const { status } = await bot.ask({ do: 'post', at: clock.now().getTime(), delivery: this.#staged.alert });
          if (status !== 202) throw new Error(`the alert was answered ${status}`);
          accepted = true;
        }
        const turn = await bot.ask({ do: 'turn', at: clock.now().getTime() });
        this.#counts = turn.counts;
        if (turn.errors.length > 0) throw new Error(turn.errors.join('\n'));
        if (turn.state === 'closed') return { ...(await this.#end(bot)), bot };
        if (turn.due === null && !turn.decided && turn.state === 'open')
          throw new Error(`it came to rest as ${turn.standings.join(', ')}`);
        if (!turn.decided) clock.moveTo(new Date(turn.due ?? clock.now().getTime() + 1_000));
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        this.#deaths += 1;
        this.#bot = undefined;
        opened = false;
        clock.advance(RESTART_MS);
      }
    }
    throw new Error('it never ends');
  }

  /** Sets the trap for this process. */
  #arm(bot: Bot): void {
    const kill = this.#kill;
    const providers = this.#providers;
    providers.tap = (_request, act) => act();
    if (kill.at === 'random') {
      const afterMs = kill.afterMs();
      if (afterMs === null) return;
      const timer = setTimeout(() => void bot.kill(), afterMs);
      timer.unref();
    }
    if (kill.at !== 'request' || this.#deaths > 0) return;
    providers.tap = async ({ number }, act) => {
      if (number !== kill.number) return act();
      if (kill.when === 'after') await act();
      await bot.kill();
      return new Response(null, { status: 503 }); // nobody is there to read it
    };
  }

  async #end(bot: Bot): Promise<Life> {
    const books = await bot.ask({ do: 'ending' });
    const { requests, effects } = this.#providers;
    return {
      ending: endingOf(books, this.#staged, effects),
      deaths: this.#deaths,
      counts: this.#counts,
      requests,
    };
  }
}

function endingOf(books: Books, staged: Staged, effects: readonly string[]): Ending {
  const incident = JSON.parse(books.incident ?? 'null') as IncidentView;
  const { standings, incidents, ledger, doubled, left } = books;
  const objectives = Object.fromEntries(staged.objectives.map(({ title, met }) => [title, met(incident)]));
  return { standings, incidents, ledger, doubled, left, objectives, effects: netEffects(effects) };
}

/** Writing the same again, and making inactive what is inactive, changes nothing: an operation of several requests may do so. */
const SAME_AGAIN = /^(PutUserPolicy|PutRolePolicy|DeleteUserPolicy|DeleteRolePolicy|UpdateAccessKey .* Inactive)/;

/**
 * What was done in the end, as often as it was done. A key that was made and deleted again leaves nothing: so ends the key of an
 * attempt that died between AWS and the sink, whose secret nobody has.
 */
export function netEffects(effects: readonly string[]): string[] {
  const kept = effects.filter((each, index) => !SAME_AGAIN.test(each) || effects.indexOf(each) === index);
  const made = kept.filter((each) => each.startsWith('CreateAccessKey')).length;
  const orphans = Math.max(0, made - 1);
  const without = (names: readonly string[], name: string, times: number): readonly string[] => {
    let left = times;
    return names.filter((each) => {
      if (left === 0 || !each.startsWith(name)) return true;
      left -= 1;
      return false;
    });
  };
  return [...without(without(kept, 'CreateAccessKey', orphans), 'DeleteAccessKey', orphans)].sort();
}
