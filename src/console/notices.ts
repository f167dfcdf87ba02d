import type { Said } from '../decisions/desk.ts';

export interface Notice {
  readonly ok: boolean;
  readonly text: string;
}

export const noticeOf = (said: Said): Notice =>
  said.ok ? { ok: true, text: said.said } : { ok: false, text: said.message };

/** What was answered to a form, kept across the redirect after it. Only the session that sent the form can read it. */
export interface Notices {
  /** Its name, for the URL: words in a URL could be anyone's. */
  keep(session: string, notice: Notice): string;
  find(session: string, name: string): Notice | undefined;
}

/** Keeps the newest `most`; an older one is a sentence nobody misses. */
export function recentNotices(random: () => string, most = 200): Notices {
  const kept = new Map<string, Notice & { readonly session: string }>();
  return {
    keep(session, notice) {
      const name = random();
      kept.set(name, { ...notice, session });
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break;
        kept.delete(oldest);
      }
      return name;
    },
    find(session, name) {
      const notice = kept.get(name);
      return notice?.session === session ? notice : undefined;
    },
  };
}
