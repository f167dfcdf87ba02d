/** The one door for connectors/ and runbooks/, inside the package and outside it: `import { … } from '#tourniquet'`. */

export {
  type Bucket,
  type CallContext,
  type Connector,
  type ConnectorSpec,
  type DoctorCheck,
  defineConnector,
  type Env,
  type Identified,
  type OpenConnector,
  type Outside,
} from './core/connector.ts';
export { type Credential, type CredentialKind, credentialKind, type SealedRef } from './core/credential.ts';
export { type Duration, isDuration, milliseconds } from './core/duration.ts';
export type { Actor } from './core/entry.ts';
export { Failure, type FailureCode } from './core/failure.ts';
export type { Clue, Exposure, Location, Severity, Validity } from './core/finding.ts';
export type { Json, JsonObject } from './core/json.ts';
export { type Ctx, type Liveness, operations } from './core/operation.ts';
export { duration, sink } from './core/params.ts';
export type { Probe } from './core/probe.ts';
export {
  confirm,
  defineRunbook,
  guided,
  ifPossible,
  otherwise,
  out,
  type Runbook,
  type Step,
  step,
  unavoidable,
  wait,
} from './core/runbook.ts';
export { type Fault, Faults, type Simulator } from './core/simulator.ts';
export type { Sink, SinkReceipt, SinkTarget } from './core/sink.ts';
