/** What can be known of a visitor before anything is believed: the console's own cookie, and where the connection comes from. */
export interface Visit {
  readonly cookie: string | undefined;
  /** The peer's address; undefined where the server cannot tell. */
  readonly remote: string | undefined;
}

/** How people come in. The console asks it at every request and once in a while during a live connection. */
export interface Session {
  /** How this visitor is known (`actor.authn`); null for a stranger. */
  personFor(visit: Visit): Promise<{ readonly authn: string } | null>;
  /** What a stranger must do to come in, in a sentence. */
  readonly howToEnter: string;
  /** Only where people sign in. */
  readonly login?: Login;
}

export interface Login {
  /** The cookie of a new session; null when the token is unknown, used or expired. */
  enter(token: string): Promise<{ readonly cookie: string; readonly maxAgeSeconds: number } | null>;
  leave(cookie: string): Promise<void>;
}

/**
 * Everyone on this machine is `console:local`. Only for a sandbox, where nothing real can be touched; in a container the host's
 * browser arrives from the bridge's address, so `isLocal` can be told to take that too.
 */
export function localSession(isLocal: (remote: string) => boolean = isLoopback): Session {
  return {
    howToEnter: 'This sandbox can only be opened from the machine it runs on.',
    async personFor({ remote }) {
      return remote !== undefined && isLocal(remote) ? { authn: 'console:local' } : null;
    },
  };
}

/** 127.0.0.0/8 (RFC 1122 §3.2.1.3), also as IPv6 writes it, and ::1. */
export const isLoopback = (remote: string): boolean =>
  remote === '::1' || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(remote);
