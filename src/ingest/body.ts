export type ReadBody =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly status: 400 | 408 | 413; readonly because: string; readonly size: number };

export interface BodyLimits {
  readonly maxBytes: number;
  /** How long the whole body may take to arrive. */
  readonly withinMs: number;
}

/** Reads a request body, holding at most `maxBytes` and one chunk whatever Content-Length says or leaves out. Never rejects. */
export async function readBody(request: Request, { maxBytes, withinMs }: BodyLimits): Promise<ReadBody> {
  const tooLarge = (size: number): ReadBody => ({
    ok: false,
    status: 413,
    because: `The body is larger than ${maxBytes} bytes.`,
    size,
  });
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > maxBytes) return tooLarge(declared);
  if (!request.body) return { ok: true, body: Buffer.alloc(0) };
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let late: NodeJS.Timeout | undefined;
  const deadline = new Promise<'late'>((resolve) => {
    late = setTimeout(() => resolve('late'), withinMs);
  });
  try {
    for (;;) {
      const read = await Promise.race([reader.read(), deadline]);
      if (read === 'late') {
        const because = `The body did not arrive within ${withinMs} ms.`;
        return { ok: false, status: 408, because, size };
      }
      if (read.done) return { ok: true, body: Buffer.concat(chunks) };
      size += read.value.length;
      if (size > maxBytes) return tooLarge(size);
      chunks.push(read.value);
    }
  } catch {
    return { ok: false, status: 400, because: 'The connection broke before the body was complete.', size };
  } finally {
    clearTimeout(late);
    reader.cancel().catch(() => {}); // the connection is gone or about to be: nothing is left to tell
  }
}
