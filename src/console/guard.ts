/** What every answer of the console carries. Nothing inline, nothing from elsewhere, nothing kept, never in a frame. */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * Whether the request names this console. A page of a stranger whose name was pointed at 127.0.0.1 (DNS rebinding) is
 * same-origin to the browser; the name in Host is what gives it away.
 */
export function namesUs(host: string | undefined, publicUrl: URL | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) || hostname === publicUrl?.hostname;
}

/**
 * Whether a form was sent by a page of this console. Browsers that say it themselves (Sec-Fetch-Site, W3C Fetch Metadata) are
 * believed first: under our own Referrer-Policy they send `Origin: null` even with our own forms.
 */
export function isOurForm(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  const origin = headers.get('origin');
  if (origin === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === headers.get('host')?.toLowerCase();
}
