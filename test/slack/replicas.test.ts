import { setTimeout as timeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Channel } from '../../src/slack/channel.ts';
import { createOutbox, type Outbox } from '../../src/slack/outbox.ts';
import { onlyOne } from '../../src/store/leader.ts';
import { type Case, CHANNEL, openCase } from './scene.ts';

/** A channel that remembers who spoke. */
function channelOf(speaker: string, said: string[]): Channel {
  return {
    id: CHANNEL,
    async post(incident) {
      said.push(`${speaker} posts ${incident}`);
      return `${said.length}.0`;
    },
    async update() {},
    async reply() {},
    find: async () => null,
  };
}

function outboxOf({ store, desk, clock }: Case, name: string, said: string[]): Outbox {
  return createOutbox({
    store,
    ledger: desk.ledger,
    clock,
    channel: channelOf(name, said),
    log: { warn: () => {}, error: (_details, message) => said.push(`${name}: ${message}`) },
    sleep: async (_ms, signal) => timeout(20, undefined, signal ? { signal } : {}).catch(() => {}),
    leadership: onlyOne(store, 'slack', name, clock),
  });
}

describe('the outboxes of two replicas', () => {
  it('speak with one voice, and with the other when that one is told to stop', async () => {
    const opened = await openCase();
    onTestFinished(() => opened.store.close());
    const said: string[] = [];
    const [one, two] = [outboxOf(opened, 'one', said), outboxOf(opened, 'two', said)];
    await opened.open(12);
    one.start();
    await vi.waitFor(() => expect(said).toEqual(['one posts inc-12']));
    two.start();
    await opened.open(13);
    await vi.waitFor(() => expect(said).toEqual(['one posts inc-12', 'one posts inc-13']));
    await one.stop();
    await opened.open(14);
    await vi.waitFor(() => expect(said.at(-1)).toBe('two posts inc-14'));
    await two.stop();
    expect(said).toHaveLength(3);
  });
});
