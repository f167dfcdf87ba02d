import { z } from 'zod';
import type { Env } from '#tourniquet';

const roleArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:iam::(\d{12}|\{account\}):role\/.+$/,
    'write arn:aws:iam::ACCOUNT:role/NAME, or {account} for ACCOUNT',
  );
const accountList = z
  .string()
  .regex(/^\d{12}(\s*,\s*\d{12})*$/, 'write 12-digit account ids, separated by commas')
  .transform((text) => text.split(',').map((id) => id.trim()));

/** What the AWS connector reads of the environment. Without explicit keys, the SDK's own credential chain is used. */
export const settings = z
  .object({
    AWS_REGION: z.string().min(1).describe('The region whose CloudTrail and Secrets Manager are used'),
    AWS_ENDPOINT_URL: z.url().optional().describe('Another endpoint than AWS, such as a simulator'),
    AWS_ACCESS_KEY_ID: z.string().optional().describe('Explicit credentials instead of the default chain'),
    AWS_SECRET_ACCESS_KEY: z.string().optional().describe('Belongs to AWS_ACCESS_KEY_ID').meta({ secret: true }),
    AWS_SESSION_TOKEN: z.string().optional().describe('Belongs to temporary credentials').meta({ secret: true }),
    TOURNIQUET_AWS_CONTAIN_ROLE_ARN: roleArn
      .optional()
      .describe('Assumed to read and to contain; {account} stands for the account of the credential'),
    TOURNIQUET_AWS_CHANGE_ROLE_ARN: roleArn
      .optional()
      .describe('Assumed, after approval only, to issue and delete keys'),
    TOURNIQUET_AWS_ACCOUNTS: accountList.optional().describe('The accounts that are ours; any other is left alone'),
  })
  .superRefine((given, ctx) => {
    const together = (name: 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', needs: keyof typeof given): void => {
      if (given[needs] === undefined || given[name] !== undefined) return;
      ctx.addIssue({ code: 'custom', path: [name], message: `${needs} is set, so ${name} is needed too` });
    };
    together('AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID');
    together('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY');
    together('AWS_ACCESS_KEY_ID', 'AWS_SESSION_TOKEN');
  });

export type AwsSettings = z.output<typeof settings>;

const WITH_REGION = ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/** AWS_REGION alone means nothing: containers and functions on AWS have it set for them. */
export const configured = (env: Env): boolean =>
  Object.keys(env).some((name) => name.startsWith('TOURNIQUET_AWS_') && env[name] !== undefined) ||
  (env.AWS_REGION !== undefined && WITH_REGION.some((name) => env[name] !== undefined));
