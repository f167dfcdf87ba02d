const TIMEOUT_MS = 5_000;
const LONGEST = 64 * 1024;

/**
 * Reads a small text over https; the caller has checked the host. Follows no redirect, which could lead anywhere. Rejects when the
 * answer is not 200, is longer than 64 KiB, or takes longer than five seconds.
 */
export async function fetchText(url: string): Promise<string> {
  if (new URL(url).protocol !== 'https:') throw new Error(`${url} is not https`);
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  const text = await response.text();
  if (text.length > LONGEST) throw new Error(`${url} answered more than 64 KiB`);
  return text;
}
