import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { IAMClient } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import type { Outside } from '#tourniquet';
import { onTheWire, WIRE } from './wire.ts';

/** What signs a request. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The services of one identity in one region, made when first used. */
export interface Clients {
  readonly iam: () => IAMClient;
  readonly sts: () => STSClient;
  readonly trail: () => CloudTrailClient;
  readonly secrets: () => SecretsManagerClient;
}

/** Gives the clients of one region, the same ones every time. */
export type ByRegion = (region: string) => Clients;

interface Wiring {
  readonly credentials: () => Promise<Keys>;
  readonly endpoint: string | undefined;
  readonly guard: Outside['guard'];
}

/** The clients of whoever holds `credentials`. Every request is guarded; none is retried, which is the engine's affair. */
export function clientsOf(wiring: Wiring): ByRegion {
  const made = new Map<string, Clients>();
  return (region) => {
    const kept = made.get(region) ?? makeClients(wiring, region);
    made.set(region, kept);
    return kept;
  };
}

function makeClients({ credentials, endpoint, guard }: Wiring, region: string): Clients {
  // Every setting that the SDK would otherwise look up in process.env or ~/.aws is given.
  const config = {
    region,
    credentials,
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 1,
    retryMode: 'standard' as const,
    defaultsMode: 'standard' as const,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    authSchemePreference: ['aws.auth#sigv4'],
    disableClockSkewCorrection: false,
    userAgentAppId: 'tourniquet',
    requestHandler: { connectionTimeout: 5_000 },
  };
  const wire = onTheWire(guard);
  return {
    iam: once(() => {
      const client = new IAMClient(config);
      client.middlewareStack.add(wire, WIRE);
      return client;
    }),
    sts: once(() => {
      const client = new STSClient(config);
      client.middlewareStack.add(wire, WIRE);
      return client;
    }),
    trail: once(() => {
      const client = new CloudTrailClient(config);
      client.middlewareStack.add(wire, WIRE);
      return client;
    }),
    secrets: once(() => {
      const client = new SecretsManagerClient(config);
      client.middlewareStack.add(wire, WIRE);
      return client;
    }),
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
