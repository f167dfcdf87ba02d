/** Writes into the pages what is made from the code: node src/launch.cjs --script test/docs/write.ts */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MADE } from './made.ts';
import { HOME, madeBlock, read, withMadeBlock } from './markdown.ts';

for (const { page, name, make } of MADE) {
  madeBlock(page, name); // throws when the page has no place for it
  writeFileSync(join(HOME, page), withMadeBlock(read(page), name, await make()));
}
