import {
  isBuiltin,
  type ResolveFnOutput,
  type ResolveHookContext,
  type ResolveHookSync,
  registerHooks,
} from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Source } from './find.ts';

const SDK = new URL('../sdk.ts', import.meta.url).href;
const OURS = new URL('../../connectors/', import.meta.url);

/**
 * Lets modules under `dir`, which is outside the package, import what ours do: `#tourniquet`, `#connectors/NAME` (ours, or one
 * of `connectors`), and the npm packages that we come with, such as zod, where they have none of their own.
 * It holds for the rest of the process (https://nodejs.org/api/module.html#moduleregisterhooksoptions).
 *
 * An editor finds the same with a package.json of { "type": "module" } and a tsconfig.json in that folder:
 *
 *     { "extends": "TOURNIQUET/tsconfig.json",
 *       "compilerOptions": { "typeRoots": ["TOURNIQUET/node_modules/@types"], "paths": {
 *         "#tourniquet": ["TOURNIQUET/src/sdk.ts"],
 *         "#connectors/*": ["./connectors/*", "./connectors/*\/index.ts", "TOURNIQUET/connectors/*\/index.ts"],
 *         "zod": ["TOURNIQUET/node_modules/zod"] } },
 *       "include": ["connectors", "runbooks"] }
 */
export function resolveFor(dir: string, connectors: readonly Source[], builtIn: ReadonlySet<string>): void {
  const home = `${pathToFileURL(dir).href}/`;
  const theirs = new Map(connectors.map(({ name, file }) => [name, pathToFileURL(file).href]));
  const resolved = (specifier: string, context: ResolveHookContext, next: Next): ResolveFnOutput => {
    if (!context.parentURL?.startsWith(home)) return next(specifier, context);
    if (specifier === '#tourniquet') return next(SDK, context);
    const [, name] = /^#connectors\/([^/]+)$/.exec(specifier) ?? [];
    if (name !== undefined) return next(connectorUrl(name, theirs, builtIn), context);
    if (!isPackage(specifier)) return next(specifier, context);
    try {
      return next(specifier, context);
    } catch (error) {
      if (isNotFound(error)) return next(specifier, { ...context, parentURL: SDK });
      throw error;
    }
  };
  registerHooks({
    resolve(specifier, context, next) {
      const found = resolved(specifier, context, next);
      // Without a package.json beside it, Node would parse each file twice to find out that it is a module, and warn.
      const isTheirs = found.url.startsWith(home) && found.url.endsWith('.ts');
      return isTheirs ? { ...found, format: 'module-typescript' } : found;
    },
  });
}

type Next = Parameters<ResolveHookSync>[2];

function connectorUrl(name: string, theirs: ReadonlyMap<string, string>, builtIn: ReadonlySet<string>): string {
  const url = builtIn.has(name) ? new URL(`${name}/index.ts`, OURS).href : theirs.get(name);
  if (url !== undefined) return url;
  throw new Error(`there is no connector "${name}"; there are ${[...builtIn, ...theirs.keys()].sort().join(', ')}`);
}

const isPackage = (specifier: string): boolean =>
  /^[@a-z]/.test(specifier) && !/^[a-z]+:/.test(specifier) && !isBuiltin(specifier);

const isNotFound = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
