/** Times are ISO 8601 UTC text, which sorts as it should on every database; `*_ms` columns are milliseconds since the epoch. */
export interface Database {
  ledger: LedgerTable;
  ledger_head: LedgerHeadTable;
  checkpoint: CheckpointTable;
  inbox: InboxTable;
  incident: IncidentTable;
  finding: FindingTable;
  run: RunTable;
  sealed: SealedTable;
  card: CardTable;
  delivery: DeliveryTable;
  setting: SettingTable;
  leader: LeaderTable;
  anchor: AnchorTable;
  tree_node: TreeNodeTable;
}

/** The chain of custody: exact bytes and their leaf hash. Never updated, never deleted from. */
export interface LedgerTable {
  seq: number;
  incident: string | null;
  run: string | null;
  type: string;
  /** Canonical JSON (RFC 8785), UTF-8: the bytes that were hashed. */
  bytes: Buffer;
  /** SHA-256(0x00 ‖ bytes), hex. */
  leaf: string;
}

/** One row: how long the log is and its compact range, so that an append costs O(log n) and replicas agree on the order. */
export interface LedgerHeadTable {
  id: 1;
  size: number;
  /** Roots of the perfect subtrees from left to right, hex, joined by commas. */
  range: string;
}

/** One signed note per batch, written in the batch's transaction. */
export interface CheckpointTable {
  size: number;
  note: string;
  at: string;
}

/** Alerts accepted and not yet triaged. The body is sealed on arrival and erased once triaged. */
export interface InboxTable {
  id: string;
  source: string;
  /** `source` + the stream's own identity of this delivery: a redelivery is recognised. */
  dedupe_key: string;
  state: 'new' | 'done' | 'stuck';
  severity: number;
  received_at: string;
  attempts: number;
  not_before_ms: number;
  /** Sealed; null once triaged. */
  body: Buffer | null;
  /** Why it is stuck, for people. */
  because: string | null;
}

export interface IncidentTable {
  id: string;
  /** Short and sayable: INC-12. */
  number: number;
  cause_key: string;
  title: string;
  severity: string;
  state: 'open' | 'closed';
  opened_at: string;
  closed_at: string | null;
  /** Bumped with every change a card would show. */
  revision: number;
}

export interface FindingTable {
  dedupe_key: string;
  incident: string;
  run: string | null;
  seen: number;
  first_seen_at: string;
  last_seen_at: string;
}

export interface RunTable {
  id: string;
  incident: string;
  runbook: string;
  credential_kind: string;
  credential_id: string;
  /** The target lock: `kind:id` while the run is open, null after; unique. */
  lock_key: string | null;
  opened_at: string;
  /** When the engine should look again; 0 while it is at work on it; null while only a person can move it, or when closed. */
  wake_at_ms: number | null;
  /** Containment before everything else: lower goes first. */
  priority: number;
  state: 'open' | 'closed';
  /** How it stands, as a person reads it; a fold of the journal, kept for lists. */
  status: string;
  lease_owner: string | null;
  lease_until_ms: number;
  /** Fencing token: grows with every claim; a writer with an older one is refused. */
  epoch: number;
}

/** Secrets in custody between arrival and use: AES-256-GCM under the master key. `ciphertext` is null once destroyed. */
export interface SealedTable {
  id: string;
  fingerprint: string;
  ciphertext: Buffer | null;
  created_at: string;
  destroyed_at: string | null;
}

/** Where an incident's one card stands in chat, and how much of the incident it shows. */
export interface CardTable {
  incident: string;
  channel: string;
  ts: string;
  revision: number;
  /** The last ledger entry told in the card's thread. */
  told_seq: number;
}

/** Deliveries already handled (Slack envelopes and clicks), so that a redelivery does nothing. */
export interface DeliveryTable {
  id: string;
  at_ms: number;
}

/** Switches that people set at run time, such as `freeze`. */
export interface SettingTable {
  key: string;
  value: string;
}

/** Who does what only one process may do at a time, such as speaking in the chat. */
export interface LeaderTable {
  name: string;
  owner: string;
  until_ms: number;
}

/** What someone outside said of a checkpoint: a witness's signature line, or a time stamp. */
export interface AnchorTable {
  /** Of the checkpoint. */
  size: number;
  kind: 'cosignature' | 'rfc3161';
  /** Of the witness or the authority. */
  name: string;
  bytes: Buffer;
  at: string;
}

/** A cache, rebuilt from `ledger.leaf` at any time: the roots of whole tiles (https://c2sp.org/tlog-tiles). Never believed unchecked. */
export interface TreeNodeTable {
  /** Of the tile that it is in: 1 over 256 leaves, 2 over 65,536, and so on. */
  level: number;
  idx: number;
  hash: string;
}
