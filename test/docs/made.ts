import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Setting, settingsTable } from '../../src/config/settings.ts';
import type { Connector } from '../../src/core/connector.ts';
import { loadBuiltIns } from '../../src/extensions.ts';
import { genericAlertSchema } from '../../src/ingest/sources/generic.ts';
import { HOME, read } from './markdown.ts';

/**
 * What is written into pages from the code, so that no page can say otherwise. It lives beside the tests that hold the pages to it:
 * the program itself needs none of it. After a change: node src/launch.cjs --script test/docs/write.ts
 */
export const MADE: readonly { readonly page: string; readonly name: string; readonly make: () => Promise<string> }[] = [
  { page: 'README.md', name: 'runbook', make: async () => runbook() },
  { page: 'README.md', name: 'settings', make: async () => settings(await connectors()) },
  { page: 'README.md', name: 'commands', make: async () => commands() },
  { page: 'connectors/README.md', name: 'capabilities', make: async () => capabilities(await connectors()) },
  { page: 'docs/alerts.md', name: 'schema', make: async () => schema() },
];

const connectors = async (): Promise<readonly Connector[]> => (await loadBuiltIns()).connectors;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${cell(text)}\``;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

const RUNBOOK = 'runbooks/leaked-aws-access-key.ts';

/** The runbook itself, without its imports and its helpers. */
function runbook(): string {
  const [excerpt] = /^export const leakedAwsAccessKey[\s\S]*?^\}\);$/m.exec(read(RUNBOOK)) ?? [];
  if (!excerpt) throw new Error(`${RUNBOOK} does not look as it did: there is no \`export const leakedAwsAccessKey\`.`);
  return fenced(`ts ${RUNBOOK}`, excerpt);
}

function settings(all: readonly Connector[]): string {
  const rows = settingsTable(all);
  const sections = [
    { heading: 'Tourniquet itself', rows: rows.filter((row) => row.connector === undefined) },
    ...all.map(({ name, title }) => ({ heading: title, rows: rows.filter((row) => row.connector === name) })),
  ];
  return sections
    .map(({ heading, rows }) => `**${heading}**\n\n${table(['variable', 'what it is', 'default'], rows.map(rowOf))}`)
    .join('\n\n');
}

const rowOf = ({ name, about, default: fallback, secret }: Setting): readonly string[] => [
  `${code(name)}${secret ? ' (secret)' : ''}`,
  cell(about),
  fallback === undefined ? '' : code(fallback),
];

/** The list that `npx tourniquet --help` prints. */
function commands(): string {
  const help = execFileSync(process.execPath, [join(HOME, 'src/main.ts'), '--help'], { encoding: 'utf8' });
  const [, list] = /^Commands:\n([\s\S]*)$/m.exec(help) ?? [];
  if (!list) throw new Error('npx tourniquet --help lists no commands.');
  return fenced('text', list);
}

function capabilities(all: readonly Connector[]): string {
  return all.map(capabilitiesOf).join('\n\n');
}

function capabilitiesOf({ name, title, operations, clueKinds, sinkKinds }: Connector): string {
  const rows = Object.entries(operations).map(([operation, { effect, title, docs, permissions, bucket }]) => [
    code(operation),
    effect,
    `[${cell(title)}](${docs})`,
    permissions.map(code).join(', ') || 'none',
    bucket,
  ]);
  const list = (kinds: readonly string[]): string => kinds.map(code).join(', ') || 'nothing';
  return [
    `## ${title} (${code(name)})`,
    `Identifies ${list(clueKinds)}. Delivers new secrets to ${list(sinkKinds)}.`,
    table(['operation', 'effect', 'what it does', 'permissions', 'budget'], rows),
  ].join('\n\n');
}

const schema = (): string => fenced('json schema', JSON.stringify(genericAlertSchema(), null, 2));
