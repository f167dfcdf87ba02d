import { z } from 'zod';
import { instant, text } from '../shape.ts';
import type { Parsed } from '../source.ts';

/** An EventBridge event: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export const eventBridgeEvent = z.object({
  id: text(100),
  'detail-type': text(200),
  source: text(200),
  account: z.string().regex(/^\d{12}$/, 'Expected an account number of 12 digits.'),
  time: instant,
  region: z.string().max(40),
  detail: z.record(z.string(), z.json()),
});
export type EventBridgeEvent = z.infer<typeof eventBridgeEvent>;

/** What the events of one AWS service mean: pure and total. */
export interface EventParser {
  /** The event's `source`: `aws.guardduty`. */
  readonly source: string;
  parse(event: EventBridgeEvent): Parsed;
}
