/** A visitor with a cookie jar, over real HTTP, who follows no redirect by itself. */
export class Visitor {
  readonly base: string;
  cookie = '';
  constructor(base: string) {
    this.base = base;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#keep(
      await fetch(this.base + path, { redirect: 'manual', headers: { ...this.#cookies(), ...headers } }),
    );
  }

  /** Sends the form as this console's own page would. */
  async post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
    const body = new URLSearchParams(fields);
    const ours = { ...this.#cookies(), 'sec-fetch-site': 'same-origin', ...headers };
    return this.#keep(await fetch(this.base + path, { method: 'POST', redirect: 'manual', headers: ours, body }));
  }

  /** The token that forms of the page at `path` carry. */
  async token(path: string): Promise<string> {
    const page = await (await this.get(path)).text();
    const token = /name="token" value="([^"]+)"/.exec(page)?.[1];
    if (token === undefined) throw new Error(`the page ${path} has no form`);
    return token;
  }

  #cookies(): Record<string, string> {
    return this.cookie === '' ? {} : { cookie: this.cookie };
  }

  #keep(response: Response): Response {
    const given = response.headers.get('set-cookie');
    if (given !== null) this.cookie = given.split(';')[0] ?? '';
    return response;
  }
}
