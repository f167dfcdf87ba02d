import { writeFileSync } from 'node:fs';
import { toHtml } from '../report/html.ts';
import { toMarkdown } from '../report/markdown.ts';
import { reportOf } from '../report/report.ts';
import { withApp } from './context.ts';
import { findIncident } from './decide.ts';
import { CommandError, type Io } from './io.ts';

export interface ReportArguments {
  readonly ref: string;
  readonly format: 'markdown' | 'html';
  /** Standard output when left out. */
  readonly out?: string;
}

/** Drafts the post-incident report of an incident from the ledger. */
export async function report(io: Io, { ref, format, out }: ReportArguments): Promise<void> {
  await withApp(io, async (app) => {
    const incident = await findIncident(app, ref);
    const { inventory, clock } = app.options;
    const holdingOf = inventory.holdingOf.bind(inventory);
    const drafted = reportOf({ incident, head: await app.ledger.head(), holdingOf, now: clock.now() });
    const text = format === 'html' ? toHtml(drafted) : toMarkdown(drafted);
    if (out === undefined) {
      io.out(text.trimEnd());
      return;
    }
    try {
      writeFileSync(out, text);
    } catch (error) {
      throw new CommandError(`${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
    io.out(`Written: ${out}. It is a draft: read it, and add why it could happen.`);
  });
}
