import { z } from 'zod';
import { Failure, type Outside } from '#tourniquet';

const httpRequest = z.object({
  protocol: z.string(),
  hostname: z.string(),
  port: z.number().optional(),
  path: z.string(),
});
const httpResponse = z.object({ statusCode: z.number(), headers: z.record(z.string(), z.string()) });

/** Where it stands in the SDK's stack: next to the wire, so it sees the request as sent and the answer as received. */
export const WIRE = { step: 'deserialize', priority: 'low', name: 'tourniquetWire' } as const;

/**
 * An SDK middleware that asks `guard` before every request, and refuses a success that AWS did not give: the SDK takes any
 * 200 for a done call when the call has no output, a proxy's error page included. AWS puts its request id on every answer.
 */
export const onTheWire =
  (guard: Outside['guard']) =>
  <In extends { request: unknown }, Out extends { response: unknown }>(next: (sent: In) => Promise<Out>) =>
  async (sent: In): Promise<Out> => {
    const { protocol, hostname, port, path } = httpRequest.parse(sent.request);
    guard(new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`));
    const received = await next(sent);
    const { statusCode, headers } = httpResponse.parse(received.response);
    if (statusCode < 300 && !Object.keys(headers).some((name) => /^x-amzn?-request-?id$/i.test(name)))
      throw new Failure(
        'garbled',
        `${hostname} answered ${statusCode} without a request id, so it was not AWS that answered. Check proxies between here and AWS.`,
      );
    return received;
  };
