import { z } from 'zod';
import { type Duration, isDuration } from './duration.ts';
import type { SinkTarget } from './sink.ts';

/** For the params of a runbook: a span of time, such as `30m` or `7d`. */
export const duration = z.custom<Duration>(
  (text) => typeof text === 'string' && isDuration(text),
  'write for example 30m or 7d',
);

/** For the params of a runbook: where a new secret goes. What else it holds is checked by the connector that offers this kind of sink. */
export const sink = z.custom<SinkTarget>(
  (value) => z.looseObject({ kind: z.string() }).safeParse(value).success,
  'write { "kind": "aws.secrets-manager", "secretId": "…" } or another sink with its kind',
);
