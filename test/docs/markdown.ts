import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const HOME = fileURLToPath(new URL('../..', import.meta.url));
export const read = (file: string): string => readFileSync(join(HOME, file), 'utf8');

/** Every page that people read, by its path from the root. */
export const PAGES: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'connectors/README.md',
  'connectors/aws-iam/README.md',
  ...readdirSync(join(HOME, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A fenced block. `label` is what follows the language: it says where the block comes from, or how it is tried. */
export interface Fence {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly label: string;
  readonly text: string;
}

export function fencesIn(page: string): readonly Fence[] {
  const text = read(page);
  return [...text.matchAll(/^```(\w+)?[ ]*(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length,
    language: match[1] ?? '',
    label: match[2]?.trim() ?? '',
    text: match[3] ?? '',
  }));
}

/** The blocks of all pages that have this language and label, in the order in which a reader meets them. */
export const fences = (language: string, label?: string): readonly Fence[] =>
  PAGES.flatMap(fencesIn).filter((fence) => fence.language === language && (label ?? fence.label) === fence.label);

/** The one block with this label. Throws when there is none or more than one. */
export function fence(language: string, label: string): Fence {
  const [found, ...more] = fences(language, label);
  if (found && more.length === 0) return found;
  throw new Error(`There must be one block \`\`\`${language} ${label}; there are ${found ? more.length + 1 : 0}.`);
}

/** Where a page points to inside the repository: its links and pictures, without what is fenced. */
export const linksIn = (page: string): readonly string[] => {
  const text = read(page).replace(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((link) => !/^https?:/.test(link));
};

/** The anchors that GitHub makes of a page's headings. */
export const anchorsIn = (page: string): readonly string[] =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

const block = (name: string): RegExp => new RegExp(`(<!-- made: ${name} -->\\n)([\\s\\S]*?)(<!-- end: ${name} -->)`);

/** What stands between `<!-- made: NAME -->` and `<!-- end: NAME -->`. Throws when the page has no such place. */
export function madeBlock(page: string, name: string): string {
  const found = block(name).exec(read(page));
  if (!found) throw new Error(`${page} has no place for "${name}".`);
  return (found[2] ?? '').trim();
}

export const withMadeBlock = (text: string, name: string, content: string): string =>
  text.replace(block(name), (_whole, begin: string, _old, end: string) => `${begin}\n${content}\n\n${end}`);
