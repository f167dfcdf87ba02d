import { z } from 'zod';
import type { Env } from '#tourniquet';

/** Unset and empty are the same: `GITHUB_TOKEN=` in an environment file means "none". */
const optional = z
  .string()
  .transform((text) => (text === '' ? undefined : text))
  .optional();

const NAMES = [
  'GITHUB_API_URL',
  'GITHUB_APP_ID',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_APP_INSTALLATION_ID',
  'GITHUB_TOKEN',
] as const;

/** Either a GitHub App (id and private key) or a token. With both, the app is used and the token is left alone. */
export const settings = z
  .object({
    GITHUB_API_URL: z
      .url({ protocol: /^https?$/ })
      .default('https://api.github.com')
      .describe(
        'The REST API. GitHub Enterprise Server is at https://HOST/api/v3, but takes no bulk revocation without authentication',
      ),
    GITHUB_APP_ID: optional.describe('The id of the GitHub App, from its settings page'),
    GITHUB_APP_PRIVATE_KEY: optional
      .describe('The private key of the GitHub App: the PEM text itself, or the path of its file')
      .meta({ secret: true }),
    GITHUB_APP_INSTALLATION_ID: optional.describe('One installation to use for every owner. Otherwise found per owner'),
    GITHUB_TOKEN: optional
      .describe('A long-lived token in place of an app. It is itself a credential that can leak: prefer the app')
      .meta({ secret: true }),
  })
  .superRefine((given, problem) => {
    const refuse = (name: (typeof NAMES)[number], message: string) =>
      problem.addIssue({ code: 'custom', path: [name], message });
    if (given.GITHUB_APP_ID !== undefined && !/^\d+$/.test(given.GITHUB_APP_ID))
      refuse('GITHUB_APP_ID', 'must be the number on the app’s settings page');
    if (given.GITHUB_APP_INSTALLATION_ID !== undefined && !/^\d+$/.test(given.GITHUB_APP_INSTALLATION_ID))
      refuse('GITHUB_APP_INSTALLATION_ID', 'must be a number: it ends the address of the installation’s page');
    const app = given.GITHUB_APP_ID !== undefined || given.GITHUB_APP_PRIVATE_KEY !== undefined;
    if (app && given.GITHUB_APP_ID === undefined) refuse('GITHUB_APP_ID', 'is missing beside GITHUB_APP_PRIVATE_KEY');
    if (app && given.GITHUB_APP_PRIVATE_KEY === undefined)
      refuse('GITHUB_APP_PRIVATE_KEY', 'is missing beside GITHUB_APP_ID');
    if (!app && given.GITHUB_TOKEN === undefined)
      refuse('GITHUB_APP_ID', 'and GITHUB_APP_PRIVATE_KEY are missing (or, if there is no app, GITHUB_TOKEN)');
  });

export type Settings = z.infer<typeof settings>;

/** Whether someone meant to use GitHub. */
export const configured = (env: Env): boolean => NAMES.some((name) => env[name] !== undefined && env[name] !== '');
