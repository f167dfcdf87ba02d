import { z } from 'zod';
import { type Actions, ApiError, type SimRecord } from './state.ts';

const request = z.object({
  LookupAttributes: z
    .array(z.object({ AttributeKey: z.string(), AttributeValue: z.string() }))
    .max(1)
    .default([]),
  StartTime: z.number().default(0),
  EndTime: z.number().default(Number.MAX_SAFE_INTEGER),
  MaxResults: z.number().max(50).default(50),
  NextToken: z.string().optional(),
});

const identity = z.object({ userIdentity: z.object({ accessKeyId: z.string(), userName: z.string() }).partial() });

function attribute(record: SimRecord, key: string): string | undefined {
  const { userIdentity } = identity.parse(record);
  switch (key) {
    case 'AccessKeyId':
      return userIdentity.accessKeyId;
    case 'Username':
      return userIdentity.userName;
    case 'EventName':
      return record.eventName;
    default:
      throw new ApiError('InvalidLookupAttributesException', 400, `This simulator does not look up by ${key}.`);
  }
}

/** CloudTrail's LookupEvents, newest first; what the simulated AWS recorded of every call. */
export const cloudTrailActions: Actions = {
  LookupEvents: (_env, { account }, params) => {
    const { LookupAttributes, StartTime, EndTime, MaxResults, NextToken } = request.parse(params);
    const matching = account.trail
      .filter(({ eventTime }) => {
        const seconds = Date.parse(eventTime) / 1_000;
        return seconds >= Math.floor(StartTime) && seconds <= EndTime;
      })
      .filter((record) => LookupAttributes.every((by) => attribute(record, by.AttributeKey) === by.AttributeValue))
      .reverse();
    const from = Number(NextToken ?? 0);
    const page = matching.slice(from, from + MaxResults);
    return {
      Events: page.map((record) => ({
        EventId: record.eventID,
        EventName: record.eventName,
        EventTime: new Date(record.eventTime),
        CloudTrailEvent: JSON.stringify(record),
      })),
      ...(from + page.length < matching.length ? { NextToken: String(from + page.length) } : {}),
    };
  },
};
