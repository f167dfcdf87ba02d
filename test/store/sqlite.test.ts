import { sqliteKind } from './kinds.ts';
import { storeSuite } from './store.suite.ts';

storeSuite('SQLite', sqliteKind);
