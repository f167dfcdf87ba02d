import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answers, Command, Reply } from './protocol.ts';

/** The process was killed; what was asked of it has no answer. */
export class Died extends Error {
  override readonly name = 'Died';
}

/** A real process with a bot in it. */
export interface Bot {
  readonly pid: number;
  readonly dead: boolean;
  /** Rejects with Died when the process ends first. */
  ask<D extends Command['do']>(command: Extract<Command, { do: D }>): Promise<Answers[D]>;
  /** SIGKILL; resolves when nothing of the process is left. */
  kill(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
}

const ENTRY = fileURLToPath(new URL('bot.ts', import.meta.url));
/** Compiled code is kept between starts: a start costs half. */
const ENV = { PATH: process.env.PATH, NODE_COMPILE_CACHE: join(tmpdir(), 'tourniquet-compile-cache') };

async function start(): Promise<Bot> {
  const child = fork(ENTRY, { env: ENV, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  const ended = once(child, 'exit');
  const waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  let dead = false;
  let asked = 0;
  child.once('exit', () => {
    dead = true;
    for (const { reject } of waiting.values()) reject(new Died(`process ${child.pid} died`));
  });
  child.on('message', (message: 'ready' | Reply) => {
    if (message === 'ready') return;
    waiting.get(message.id)?.resolve(message);
    waiting.delete(message.id);
  });
  const ready = once(child, 'message');
  await Promise.race([ready, ended.then(() => Promise.reject(new Error('the bot did not start')))]);
  return {
    pid: child.pid ?? 0,
    get dead() {
      return dead;
    },
    async ask(command) {
      if (dead) throw new Died('it is dead already');
      asked += 1;
      const id = asked;
      const reply = await new Promise<Reply>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        send(child, { id, command });
      });
      if (!reply.ok) throw new Error(reply.error);
      return reply.value as never; // the protocol's own pairing of command and answer
    },
    async kill() {
      child.kill('SIGKILL');
      if (!dead) await ended;
    },
    signal: (name) => void child.kill(name),
  };
}

/** A send that meets a closing channel is answered by the child's exit. */
const send = (child: ChildProcess, message: { id: number; command: Command }): void => {
  if (child.connected) child.send(message, () => {});
};

/** Bots, one of them always started in advance: a start takes longer than most lives. */
export class Nursery {
  #next: Promise<Bot> | undefined;
  readonly #born = new Set<Bot>();
  #starts = 0;

  get starts(): number {
    return this.#starts;
  }

  async bot(): Promise<Bot> {
    const mine = this.#next ?? this.#start();
    this.#next = this.#start();
    this.#next.catch(() => {}); // whoever takes it hears of it
    return mine;
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => {});
    this.#next = undefined;
    await Promise.all([...this.#born].map((bot) => bot.kill()));
  }

  async #start(): Promise<Bot> {
    const bot = await start();
    this.#starts += 1;
    this.#born.add(bot);
    for (const each of this.#born) if (each.dead) this.#born.delete(each);
    return bot;
  }
}
