import type { Env } from '../core/connector.ts';

/** What a command may use of the process that it runs in. */
export interface Io {
  readonly env: Env;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Asks at the terminal; null when there is nobody to ask. */
  readonly ask: ((question: string) => Promise<string>) | null;
  readonly colour: boolean;
  /** The user of the operating system: how the command line knows people. */
  readonly user: string;
  /** Aborts when the process is told to stop. */
  readonly stopping: AbortSignal;
  readonly now: () => Date;
}

/** A command that cannot do what was asked. The message is for whoever typed it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: 1 | 2;
  /** 2 when nothing was tried because of how it was asked. */
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
