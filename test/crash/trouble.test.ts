import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { genericAlert } from '../../src/drill/drill-sdk.ts';
import { loadScenario } from '../../src/drill/load.ts';
import type { Delivery } from '../../src/drill/scenario.ts';
import { type Bot, Nursery } from './host.ts';
import { Providers } from './providers.ts';

const nursery = new Nursery();
afterAll(() => nursery.close());

interface Scene {
  readonly providers: Providers;
  readonly bot: Bot;
  readonly alert: Delivery;
  post(alert: Delivery): Promise<number>;
  /** Goes on until the incident is closed, waits for a person, or `most` turns are over; gives the standings and what failed. */
  settle(most?: number): Promise<{ readonly standings: readonly string[]; readonly errors: readonly string[] }>;
}

async function staged(name: string, play: (scene: Scene) => Promise<void>): Promise<void> {
  const scenario = await loadScenario(name);
  if (!scenario) throw new Error(`there is no scenario ${name}`);
  const providers = await Providers.open();
  const dir = await mkdtemp(join(tmpdir(), 'tourniquet-trouble-'));
  const { clock, env, webhookSecret } = providers;
  const { alert, inventory } = scenario.stage(providers, { soak: '7d' });
  const bot = await nursery.bot();
  const at = (): number => clock.now().getTime();
  const stage = { dir, database: null, env, inventory: JSON.stringify(inventory), webhookSecret };
  await bot.ask({ do: 'open', stage, at: at(), dieAt: null });
  const scene: Scene = {
    providers,
    bot,
    alert,
    post: async (delivery) => (await bot.ask({ do: 'post', at: at(), delivery })).status,
    async settle(most = 300) {
      const errors: string[] = [];
      for (let i = 0; ; i += 1) {
        const turn = await bot.ask({ do: 'turn', at: at() });
        errors.push(...turn.errors);
        const over = turn.state === 'closed' || (turn.due === null && !turn.decided) || i === most;
        if (over) return { standings: turn.standings, errors };
        if (!turn.decided) clock.moveTo(new Date(turn.due ?? at() + 1_000));
      }
    },
  };
  try {
    await play(scene);
  } finally {
    await bot.kill();
    await providers.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Alerts that are only shown, until the database takes no more. */
async function fill({ post, providers }: Scene): Promise<void> {
  for (let i = 0; i < 2_000; i += 1) {
    const credential = { kind: 'aws.access-key', id: `shown-${i}` };
    const detectedAt = providers.now().toISOString();
    const shown = {
      id: `fill-${i}`,
      title: 'x'.repeat(250),
      severity: 'low',
      detectedAt,
      credential,
      showOnly: 'a test',
    };
    if ((await post(genericAlert(providers, shown))) === 503) return;
  }
  throw new Error('the database never filled');
}

describe('what the process runs into', { timeout: 120_000 }, () => {
  it('does nothing that it cannot record: with a full disk it answers 503, and goes on when there is room', async () => {
    await staged('leaked-deploy-key', async (scene) => {
      const { bot, alert, post, settle, providers } = scene;
      await bot.ask({ do: 'sql', text: 'pragma max_page_count = 1' }); // the pages that there are, and no more
      await fill(scene);
      expect(await post(alert)).toBe(503);
      await bot.ask({ do: 'sql', text: 'pragma max_page_count = 1000000' });
      expect(await post(alert)).toBe(202);
      await bot.ask({ do: 'sql', text: 'pragma max_page_count = 1' });
      await fill(scene);
      await expect(settle(3)).rejects.toThrow('full');
      expect(providers.effects).toEqual([]);
      await bot.ask({ do: 'sql', text: 'pragma max_page_count = 1000000' });
      providers.clock.advance(31_000);
      await settle(); // until it asks people, behind the alerts that filled the disk
      expect(providers.effects).toEqual([expect.stringMatching('^DELETE /repos/acme/infra/keys/')]);
      expect((await bot.ask({ do: 'ending' })).ledger).toBe('ok');
    });
  });

  it('does once what was applied before the connection dropped', async () => {
    await staged('leaked-deploy-key', async ({ alert, post, settle, providers }) => {
      providers.github.faults.inject('DELETE /repos/{owner}/{repo}/keys/{key_id}', 'drop-after');
      expect(await post(alert)).toBe(202);
      expect((await settle()).standings).toEqual(['retired']);
      const deleted = providers.requests.filter((name) => name.startsWith('DELETE'));
      expect(deleted).toHaveLength(1);
    });
  });

  it('calls nothing contained that the provider only said it did', async () => {
    await staged('leaked-deploy-key', async ({ alert, post, settle, providers }) => {
      providers.github.faults.inject('DELETE /repos/{owner}/{repo}/keys/{key_id}', 'lie', 9);
      expect(await post(alert)).toBe(202);
      expect((await settle()).standings).toEqual(['needs-person']);
    });
  });
});
