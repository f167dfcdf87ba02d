/**
 * Cuts GitHub's own OpenAPI description down to what the connector uses, so that a test can hold the connector and its
 * simulator to something that we did not write. The whole description is 13 MB and not a dependency; to cut it again:
 *
 *   npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz
 *   node src/launch.cjs --script test/conformance/cut-github-openapi.ts package/generated/api.github.com.json 23.0.2
 *   npm run format
 */
import { readFileSync, writeFileSync } from 'node:fs';

type Tree = string | number | boolean | null | Tree[] | { [key: string]: Tree };
type Branch = { [key: string]: Tree };

const PATHS: Readonly<Record<string, readonly string[]>> = {
  '/app': ['get'],
  '/app/installations': ['get'],
  '/app/installations/{installation_id}': ['get'],
  '/app/installations/{installation_id}/access_tokens': ['post'],
  '/app/installations/{installation_id}/suspended': ['put', 'delete'],
  '/credentials/revoke': ['post'],
  '/installation/repositories': ['get'],
  '/installation/token': ['delete'],
  '/repos/{owner}/{repo}': ['get'],
  '/repos/{owner}/{repo}/actions/secrets/public-key': ['get'],
  '/repos/{owner}/{repo}/actions/secrets/{secret_name}': ['get', 'put'],
  '/repos/{owner}/{repo}/installation': ['get'],
  '/repos/{owner}/{repo}/keys': ['get', 'post'],
  '/repos/{owner}/{repo}/keys/{key_id}': ['get', 'delete'],
  '/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}': ['get', 'patch'],
  '/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}/locations': ['get'],
  '/user': ['get'],
  '/user/orgs': ['get'],
  '/user/repos': ['get'],
};
/** Kept as if they were paths, `/x-webhooks/NAME`, because validators know paths only. */
const WEBHOOKS = ['secret-scanning-alert-created', 'secret-scanning-alert-publicly-leaked'];
/** Prose and examples: most of the size, and nothing that a validator reads. */
const PROSE = new Set(['description', 'summary', 'example', 'examples', 'externalDocs', 'tags', 'title']);

const isBranch = (tree: Tree | undefined): tree is Branch =>
  typeof tree === 'object' && tree !== null && !Array.isArray(tree);

/** Without prose and extensions. Under `properties` a key is a name, so that a property called `description` stays. */
function strip(tree: Tree, keysAreNames = false): Tree {
  if (Array.isArray(tree)) return tree.map((item) => strip(item));
  if (!isBranch(tree)) return tree;
  const kept = Object.entries(tree).filter(([key]) => keysAreNames || !(PROSE.has(key) || key.startsWith('x-')));
  const stripped = kept.map(([key, value]) => [key, strip(value, key === 'properties' && !keysAreNames)] as const);
  return keysAreNames ? Object.fromEntries(stripped) : withNull(Object.fromEntries(stripped));
}

/** GitHub says `nullable` where JSON Schema wants null among the choices: beside `enum`, and beside `anyOf` without a type. */
function withNull(schema: Branch): Branch {
  const { nullable, ...rest } = schema;
  if (nullable !== true) return schema;
  if (Array.isArray(rest.enum) && !rest.enum.includes(null)) return { ...schema, enum: [...rest.enum, null] };
  if (rest.type !== undefined) return schema;
  for (const choice of ['anyOf', 'oneOf']) {
    const among = rest[choice];
    if (Array.isArray(among)) return { ...rest, [choice]: [...among, { enum: [null] }] };
  }
  return { anyOf: [rest, { enum: [null] }] };
}

function refsIn(tree: Tree): string[] {
  if (Array.isArray(tree)) return tree.flatMap(refsIn);
  if (!isBranch(tree)) return [];
  const own = typeof tree.$ref === 'string' ? [tree.$ref] : [];
  return [...own, ...Object.values(tree).flatMap(refsIn)];
}

function at(root: Branch, pointer: readonly string[]): Branch {
  let here: Tree | undefined = root;
  for (const key of pointer) here = isBranch(here) ? here[key] : undefined;
  if (!isBranch(here)) throw new Error(`The description has no ${pointer.join('/')}: did GitHub rename it?`);
  return here;
}

function cut(whole: Branch, version: string): Branch {
  const paths: Branch = {};
  for (const [path, methods] of Object.entries(PATHS)) {
    paths[path] = Object.fromEntries(methods.map((method) => [method, strip(at(whole, ['paths', path, method]))]));
  }
  // Here alone GitHub writes that an installation's account is a user and an enterprise at once, which nothing can be; the
  // single installation, with the same fields, says either.
  const list = at(paths, ['/app/installations', 'get', 'responses', '200', 'content', 'application/json', 'schema']);
  list.items = { $ref: '#/components/schemas/installation' };
  for (const name of WEBHOOKS) {
    paths[`/x-webhooks/${name}`] = { post: strip(at(whole, ['x-webhooks', name, 'post'])) };
  }
  const components: { [section: string]: Branch } = {};
  const open = refsIn(paths);
  for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
    const [section = '', name = ''] = ref.replace('#/components/', '').split('/');
    components[section] ??= {};
    if (components[section][name] !== undefined) continue;
    const found = strip(at(whole, ['components', section, name]));
    components[section][name] = found;
    open.push(...refsIn(found));
  }
  return {
    openapi: '3.0.3',
    info: {
      title: 'Cut from the GitHub REST API description, https://github.com/github/rest-api-description',
      version,
      license: { name: 'MIT' },
      'x-source': `npm @octokit/openapi@${version}, generated/api.github.com.json, cut by cut-github-openapi.ts`,
    },
    paths,
    components,
  };
}

const [file, version] = process.argv.slice(2);
if (!file || !version) throw new Error('Usage: cut-github-openapi.ts DESCRIPTION.json VERSION');
const target = new URL('github-openapi.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(cut(JSON.parse(readFileSync(file, 'utf8')), version))}\n`);
