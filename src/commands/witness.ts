import { createCosigner } from '../custody/cosignature.ts';
import { parseVkey } from '../custody/note.ts';
import { seedIn } from '../custody/signer.ts';
import { serveWitness } from '../witness/server.ts';
import { fileState } from '../witness/state.ts';
import { CommandError, type Io } from './io.ts';

export interface WitnessArguments {
  readonly key: string;
  readonly name: string;
  readonly logs: readonly string[];
  readonly listen: string;
  readonly state: string;
}

/** Runs a witness for the logs of others until it is told to stop. Needs no configuration and no database. */
export async function witness(io: Io, { key, name, logs, listen, state }: WitnessArguments): Promise<void> {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(listen) ?? [];
  if (host === undefined || port === undefined) throw new CommandError(`"${listen}" is not HOST:PORT`, 2);
  const cosigner = createCosigner(name, seedIn(key, name));
  const watched = logs.map((vkey) => parseVkey(vkey));
  const server = await serveWitness(
    { cosigner, logs: watched, state: fileState(state), now: io.now },
    {
      host: host.replace(/^\[|\]$/g, ''),
      port: Number(port),
      onError: (error) => io.err(`A request failed: ${error instanceof Error ? error.message : String(error)}`),
    },
  );
  io.out(`Witness ${name} on ${server.url}, for ${watched.map((each) => each.name).join(', ')}.`);
  io.out(`Its key, for the log (TOURNIQUET_WITNESSES) and for auditors' policies:`);
  io.out(cosigner.vkey);
  await new Promise<void>((resolve) => {
    if (io.stopping.aborted) resolve();
    else io.stopping.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.close();
}
