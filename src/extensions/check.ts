import { fileURLToPath } from 'node:url';
import type { Connector } from '../core/connector.ts';
import type { Runbook } from '../core/runbook.ts';

/** What a module exports, before anyone knows what it is. */
export type Exports = Readonly<Record<string, unknown>>;

/** The connectors among what a module exports; an export under two names counts once. */
export const connectorsIn = (exports: Exports): readonly Connector[] => [
  ...new Set(Object.values(exports).flatMap((value) => (hasConnector(value) ? value.connector : []))),
];

/** The runbooks among what a module exports. */
export const runbooksIn = (exports: Exports): readonly Runbook[] => [
  ...new Set(Object.values(exports).filter((value) => isRunbook(value))),
];

function hasConnector(value: unknown): value is { readonly connector: Connector } {
  if (!isObject(value) || !isObject(value.connector)) return false;
  const { name, settings, configured, open, operations } = value.connector;
  const callable = typeof configured === 'function' && typeof open === 'function';
  return typeof name === 'string' && isObject(settings) && isObject(operations) && callable;
}

function isRunbook(value: unknown): value is Runbook {
  if (!isObject(value)) return false;
  const { name, kind, params, assess, respond } = value;
  const callable = typeof assess === 'function' && typeof respond === 'function';
  return typeof name === 'string' && isObject(kind) && isObject(params) && callable;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Why a module cannot be loaded, in words, with the line where Node says it. */
export function loadingProblem(error: unknown): string {
  if (!(error instanceof Error)) return `it throws ${String(error)} when it is loaded`;
  const place = placeOf(error);
  const code = 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return (
        `${error.message.split('\n')[0]}${place}. Types are only stripped, so that enum, namespace and parameter properties ` +
        'do not work: write a union of texts, a module, and a field instead'
      );
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'Node does not run TypeScript inside node_modules: move the folder of extensions elsewhere';
    case 'ERR_MODULE_NOT_FOUND':
      return `it imports what is not there: ${error.message.split('\n')[0]}`;
    case 'ERR_INVALID_TYPESCRIPT_SYNTAX':
      return `this is not TypeScript: ${error.message.split('\n')[0]}${place}`;
    default:
      return error instanceof SyntaxError
        ? `${error.message.split('\n')[0]}${place}`
        : `it throws when it is loaded: ${error.message}${place}`;
  }
}

/** Node puts the place of a syntax error, as a path or a URL, above the stack; that of any other is its first frame in a file. */
function placeOf({ stack = '' }: Error): string {
  const found = /^(\S.*\.[cm]?[tj]s):(\d+)$/m.exec(stack) ?? /(file:\/\/[^\s()]+?):(\d+)/.exec(stack);
  const [, where, line] = found ?? [];
  if (!where || !line) return '';
  return ` (${where.startsWith('file:') ? fileURLToPath(where) : where}:${line})`;
}
