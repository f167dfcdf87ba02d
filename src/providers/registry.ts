import type {
  BoundOperation,
  CallContext,
  Connector,
  Env,
  Identified,
  OpenConnector,
  Outside,
} from '../core/connector.ts';
import type { Clue } from '../core/finding.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Sink, SinkTarget } from '../core/sink.ts';

/** Everything that can be called and planned with, by name. */
export interface Registry {
  readonly connectors: readonly OpenConnector[];
  readonly runbooks: readonly Runbook[];
  operation(name: string): BoundOperation | undefined;
  /** The connector that an operation belongs to. */
  ownerOf(operation: string): OpenConnector | undefined;
  identifier(clueKind: string): ((ctx: CallContext, clue: Clue) => Promise<Identified>) | undefined;
  /** The connector that identifies clues of this kind. */
  identifierOwner(clueKind: string): OpenConnector | undefined;
  sink(kind: string): ((ctx: CallContext, target: SinkTarget) => Sink) | undefined;
  runbookFor(credentialKind: string): Runbook | undefined;
  runbook(name: string): Runbook | undefined;
}

/**
 * Opens the connectors that are configured in `env` (all of them with `everything`), and indexes them with the runbooks.
 * Throws a ZodError when a setting is wrong; two connectors never offer the same clue or sink kind.
 */
export function openRegistry(
  available: readonly Connector[],
  runbooks: readonly Runbook[],
  env: Env,
  outside: Outside,
): Registry {
  const connectors = available
    .filter((connector) => connector.configured(env))
    .map((connector) => connector.open(env, outside));
  const operations = index(connectors, (connector) => connector.operations);
  const owners = new Map(
    connectors.flatMap((connector) => [...connector.operations.keys()].map((name) => [name, connector] as const)),
  );
  const identifiers = index(connectors, (connector) => connector.identify);
  const sinks = index(connectors, (connector) => connector.sinks);
  return {
    connectors,
    runbooks,
    operation: (name) => operations.get(name),
    ownerOf: (name) => owners.get(name),
    identifier: (kind) => identifiers.get(kind),
    identifierOwner: (kind) => connectors.find((connector) => connector.identify.has(kind)),
    sink: (kind) => sinks.get(kind),
    runbookFor: (kind) => runbooks.find((runbook) => runbook.kind.kind === kind),
    runbook: (name) => runbooks.find((runbook) => runbook.name === name),
  };
}

function index<T>(
  connectors: readonly OpenConnector[],
  part: (connector: OpenConnector) => ReadonlyMap<string, T>,
): Map<string, T> {
  const all = new Map<string, T>();
  for (const connector of connectors) {
    for (const [name, value] of part(connector)) {
      if (all.has(name))
        throw new Error(`Two connectors offer "${name}"; the second is ${connector.name}. Remove one of them.`);
      all.set(name, value);
    }
  }
  return all;
}
