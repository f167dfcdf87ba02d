import { startPostgres } from '../postgres.ts';
import type { Database } from './life.ts';

export interface TestStore {
  readonly name: 'sqlite' | 'postgres';
  /** A new, empty database for one life. */
  readonly database: Database;
  readonly close: () => Promise<void>;
}

/** The stores of that name, or all of them. */
export async function openStores(only: string | undefined): Promise<readonly TestStore[]> {
  const stores: TestStore[] = [];
  if (only === undefined || only === 'sqlite')
    stores.push({ name: 'sqlite', database: async () => null, close: async () => {} });
  if (only === undefined || only === 'postgres') {
    const postgres = await startPostgres();
    stores.push({ name: 'postgres', database: postgres.fresh, close: postgres.stop });
  }
  if (stores.length === 0) throw new Error(`There is no store called "${only}": write sqlite or postgres.`);
  return stores;
}
