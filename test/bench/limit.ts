// The limit: the least that a program could do with the same promises. It checks the signature, commits one durable row per journal
// write of ours, and makes the same calls on kept connections. No ledger, no policy, no plan, no lease, no recovery.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const [dir = '', provider = '', secret = '', writesBefore = '0', writesAfter = '0', bytes = '0'] =
  process.argv.slice(2);
const db = new Database(join(dir, 'limit.sqlite'));
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('create table row (id integer primary key, key text, bytes blob)');
const insert = db.prepare('insert into row (key, bytes) values (?, ?)');
const payload = Buffer.alloc(Number(bytes), 'x');
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

const write = (key: string): void => void insert.run(key, payload);

function call(method: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(`${provider}${path}`, { method, agent }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        JSON.parse(text);
        resolve();
      });
    });
    asked.on('error', (error) => reject(new Error(`${method} ${path}`, { cause: error })));
    asked.end();
  });
}

/** The writes are spread between the calls as ours are: `writesBefore` of them until the first change. */
async function contain(id: string): Promise<void> {
  const stages = [
    () => call('GET', `/keys/${id}`),
    () => Promise.all([call('GET', `/keys/${id}/last-used`), call('GET', `/keys/${id}/permissions`)]),
    () => call('GET', `/keys/${id}`),
  ];
  let written = 1; // with the alert itself
  for (const [index, stage] of stages.entries()) {
    await stage();
    for (; written < Math.round((Number(writesBefore) * (index + 1)) / stages.length); written += 1) write(id);
  }
  await call('POST', `/keys/${id}/disable`);
  const half = Math.ceil(Number(writesAfter) / 2);
  for (let i = 0; i < half; i += 1) write(id);
  await call('GET', `/keys/${id}/use`);
  for (let i = half; i < Number(writesAfter); i += 1) write(id);
}

const server = createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    const body = Buffer.concat(chunks);
    const signed = `${incoming.headers['x-tourniquet-timestamp']}.`;
    const expected = createHmac('sha256', secret).update(signed).update(body).digest();
    const given = Buffer.from(String(incoming.headers['x-tourniquet-signature']).slice(3), 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      response.writeHead(401).end();
      return;
    }
    const { credential } = JSON.parse(body.toString()) as { credential: { id: string } };
    write(credential.id);
    response.writeHead(202).end('{}');
    setImmediate(() => void contain(credential.id));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`live on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
