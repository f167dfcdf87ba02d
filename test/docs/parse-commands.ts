/**
 * Reads commands (a JSON list of argument lists) from standard input and prints, for each, what the real program says of it:
 * null when it would run it, or why it would not. Nothing is run: every action is replaced before the program is made.
 */
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { z } from 'zod';

const action = Command.prototype.action;
let ran = false;
Command.prototype.action = function replaced(this: Command) {
  return action.call(this, () => {
    ran = true;
  });
};

const commands = z.array(z.array(z.string())).parse(JSON.parse(await text(process.stdin)));
const write = process.stderr.write.bind(process.stderr);
for (const listened of [process, process.stdout]) listened.setMaxListeners(0); // each copy of the program listens for itself
const verdicts: (string | null)[] = [];
for (const [index, argv] of commands.entries()) {
  let said = '';
  ran = false;
  process.stderr.write = (chunk) => {
    said += String(chunk);
    return true;
  };
  process.argv = [process.execPath, 'tourniquet', ...argv];
  await import(`../../src/main.ts?${index}`);
  process.stderr.write = write;
  verdicts.push(ran ? null : said.trim() || 'it runs nothing');
}
process.exitCode = 0;
process.stdout.write(`${JSON.stringify(verdicts)}\n`);
