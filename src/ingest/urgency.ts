import type { Entry } from '../core/entry.ts';
import type { Plan } from '../core/plan.ts';

/** How long one urgent thing may hold up the rest: what takes longer waits for a provider or a person, and others may go on. */
const LONGEST_MS = 2_000;
/** How long one less urgent thing gives way before it goes on regardless: slowed down, never starved. */
const PATIENCE_MS = 1_000;
/** So many less urgent things go on at once: what is urgent never waits behind more of them than that. */
const ABREAST = 16;

/** While something critical is on its way from alert to containment, everything else in this process gives way. */
export class Urgency {
  readonly #urgent = new Map<string, NodeJS.Timeout>();
  readonly #patient = new Set<() => void>();
  readonly #queue: (() => void)[] = [];
  #abreast = 0;

  begin(id: string): void {
    clearTimeout(this.#urgent.get(id));
    this.#urgent.set(id, setTimeout(() => this.end(id), LONGEST_MS).unref());
  }

  end(id: string): void {
    clearTimeout(this.#urgent.get(id));
    this.#urgent.delete(id);
    if (this.#urgent.size > 0) return;
    for (const go of this.#patient) go();
  }

  /** Resolves when nothing urgent is under way, or when it has been patient for long enough. */
  async giveWay(): Promise<void> {
    if (this.#urgent.size === 0) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        this.#patient.delete(go);
        resolve();
      };
      const timer = setTimeout(go, PATIENCE_MS);
      this.#patient.add(go);
    });
  }

  /** Does `work`, which is not urgent, after giving way, and with no more than a few others beside it. */
  async after<T>(work: () => Promise<T>): Promise<T> {
    if (this.#abreast >= ABREAST) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#abreast += 1;
    try {
      await this.giveWay();
      return await work();
    } finally {
      // In a turn of its own: the database answers within one, so that without it a flood would be worked off to its end before
      // anyone looked at what has come meanwhile.
      setImmediate(() => {
        const next = this.#queue.shift();
        if (next) next();
        else this.#abreast -= 1;
      });
    }
  }
}

/** What an entry means for what is urgent: a critical run is from its opening until it is contained, waits for people, or ends. */
export function urgencyOf(entry: Entry): { readonly do: 'begin' | 'end'; readonly run: string } | null {
  const { run } = entry;
  if (run === undefined) return null;
  if (entry.type === 'plan') return asksPeople(entry.plan) ? { do: 'end', run } : null;
  if (entry.type !== 'decision') return null;
  const { decision } = entry;
  if (decision.is === 'run-opened') return decision.severity === 'critical' ? { do: 'begin', run } : null;
  const over =
    decision.is === 'closed' || (decision.is === 'phase-ended' && (decision.phase === 'contain' || !decision.ok));
  return over ? { do: 'end', run } : null;
}

const asksPeople = ({ phases }: Plan): boolean =>
  phases.some(({ phase, approval }) => phase === 'contain' && approval.people > 0);
