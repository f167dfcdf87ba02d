import { Failure } from '#tourniquet';

const MOST_REDIRECTS = 3;

/**
 * The platform's fetch behind `guard`, which sees every address before it is touched, those of redirects too. A redirect is
 * followed only within the same origin, because what we send may hold a leaked token; and a renamed repository's 301 only
 * when reading, because GitHub would turn a write into a read.
 */
export function guardedFetch(guard: (url: URL) => void) {
  return async (address: string, init: RequestInit = {}): Promise<Response> => {
    let url = new URL(address);
    for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
      guard(url);
      const response = await globalThis.fetch(url, { ...init, redirect: 'manual' });
      const location = response.headers.get('location');
      if (response.status < 301 || response.status > 308 || response.status === 304 || location === null)
        return response;
      const next = new URL(location, url);
      const repeatable = response.status >= 307 || (init.method ?? 'GET') === 'GET';
      if (next.origin !== url.origin || !repeatable)
        throw new Failure('missing', `${url.pathname} has moved. Was the repository renamed? Use its new name.`);
      await response.body?.cancel();
      url = next;
    }
    throw new Failure('garbled', `GitHub redirects ${url.pathname} in a circle.`);
  };
}
