import type { Env } from '../core/connector.ts';
import { type Files, unreadable } from '../policy/files.ts';
import { BadFile } from '../policy/json-file.ts';
import { OWN, type OwnName, type Setting } from './settings.ts';

/** Something about the configuration that must be put right before anything starts. Never quotes a secret. */
export interface Problem {
  /** The environment variable. */
  readonly variable: string;
  /** What is wrong: `is missing`, `must be a port number`. */
  readonly wrong: string;
  /** What to do about it. */
  readonly remedy: string;
}

export const problemText = ({ variable, wrong, remedy }: Problem): string => `${variable}: ${wrong}. ${remedy}`;

/** Reads our own variables and collects what is wrong with them. Unset, empty and blank are the same. */
export class Reader {
  readonly problems: Problem[] = [];
  /** The texts of the files that were read, by the variable that names them. */
  readonly texts: Partial<Record<OwnName, string>> = {};
  readonly #env: Env;
  readonly #files: Files;
  constructor(env: Env, files: Files) {
    this.#env = env;
    this.#files = files;
  }

  refuse(variable: string, wrong: string, remedy: string): undefined {
    this.problems.push({ variable, wrong, remedy });
  }

  /** What was set, if anything. */
  given(name: OwnName): string | undefined {
    return this.#env[name];
  }

  /** What was set, or its default. */
  text(name: OwnName): string | undefined {
    const setting: Omit<Setting, 'name'> = OWN[name];
    return this.given(name) ?? setting.default;
  }

  /** Refuses a text that `pattern` does not match. The remedy says what it should look like. */
  matching(name: OwnName, pattern: RegExp, wrong: string, remedy: string): string | undefined {
    const text = this.text(name);
    return text === undefined || pattern.test(text) ? text : this.refuse(name, wrong, remedy);
  }

  list(name: OwnName): readonly string[] {
    const parts = this.text(name)?.split(',') ?? [];
    return parts.map((part) => part.trim()).filter((part) => part !== '');
  }

  /** The file that a variable names, as `parse` reads it; `fallback` when the variable is not set. */
  file<T>(name: OwnName, parse: (text: string, path: string) => T, fallback: T): T {
    const path = this.text(name);
    if (path === undefined) return fallback;
    try {
      const text = this.#files.read(path);
      this.texts[name] = text;
      return parse(text, path);
    } catch (error) {
      if (error instanceof BadFile) {
        for (const problem of error.problems)
          this.refuse(name, `names a file with a mistake: ${problem}`, 'Correct it.');
      } else {
        this.refuse(name, `names ${path}, which cannot be read: ${unreadable(error)}`, 'Put the file there.');
      }
      return fallback;
    }
  }
}
