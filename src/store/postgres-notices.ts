import { Client } from 'pg';
import { sessionConfig } from './postgres-pool.ts';
import type { Notice } from './store.ts';

/** One NOTIFY channel; PostgreSQL keeps it apart per database. */
export const CHANNEL = 'tourniquet';

const RECONNECT_MS = 500;

export interface Notices {
  onNotice(listener: (notice: Notice) => void): () => void;
  close(): Promise<void>;
}

/** What is sent: who wrote, so that nobody is woken by themselves, and what it is. */
export const payloadOf = (sender: string, notice: Notice): string => `${notice} ${sender}`;

/**
 * Listens for the other processes on a connection of its own, from when this resolves. While it is away notices are lost, which costs time and nothing else:
 * everyone who waits for one also looks for themselves now and then, and when it is back they are told to look.
 */
export async function listenForNotices(url: string, self: string): Promise<Notices> {
  const listeners = new Set<(notice: Notice) => void>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let current: Client | undefined;
  let connecting: Promise<void> = Promise.resolve();

  const tell = (notice: Notice): void => {
    for (const listener of listeners) listener(notice);
  };

  async function connect(again: boolean): Promise<void> {
    const client = new Client({ ...sessionConfig(url), application_name: 'tourniquet notices' });
    let over = false;
    const lost = (): void => {
      if (over) return;
      over = true;
      current = undefined;
      if (!closed) timer = setTimeout(retry, RECONNECT_MS);
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload = '' }) => {
      const [notice, sender] = payload.split(' ');
      if (sender !== self && (notice === 'work' || notice === 'news')) tell(notice);
    });
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      if (closed) return void (await client.end());
      current = client;
      if (again) tell('work');
    } catch {
      lost(); // whoever uses the database says that it is away; this only tries again
    }
  }

  const retry = (): void => {
    connecting = connect(true);
  };

  connecting = connect(false);
  await connecting;
  return {
    onNotice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await connecting;
      await current?.end();
    },
  };
}
