import { z } from 'zod';
import { github, githubToken, TOKEN_TITLES } from '#connectors/github';
import {
  type Credential,
  confirm,
  defineRunbook,
  Failure,
  guided,
  type Json,
  otherwise,
  type SealedRef,
  type Step,
  step,
  unavoidable,
  wait,
} from '#tourniquet';

const params = z.object({
  /**
   * Set when the token was taken from a computer that an intruder controls: `no` while that computer still has a network,
   * `yes` once it has none. Left out when the token leaked without anybody's computer, in a commit or a log.
   */
  hostIsolated: z.enum(['yes', 'no']).optional(),
  /** What uses the token, as its owner would say it. Empty: nothing that we know of. */
  consumers: z.array(z.string()).default([]),
});

type Key = Credential<'github.token', z.infer<typeof githubToken.where>>;

/** Evidence that cannot be had never holds up containment. */
const ifPossible = (read: Step<'observe', Json>) => otherwise(read, null);

const NOTHING_BETTER =
  'GitHub cannot disable a token and enable it again: it can only revoke it, for good, and it mails the owner that it did';
const NOTHING_BETTER_FOR_INSTALLATIONS =
  'the token is of another app, whose installation we cannot suspend; revoking it ends this one token, which would end within the hour anyway';

export const leakedGithubToken = defineRunbook(githubToken, {
  name: 'leaked-github-token',
  title: 'A GitHub token is outside our control',
  params,

  assess: (key) => ({
    holder: otherwise(
      step('Find out whose it is and what it reaches', github.describeToken, { secret: secretOf(key) }),
      {
        state: 'unknown',
        because: 'GitHub could not be asked',
        login: null,
        scopes: [],
        expiresAt: null,
        organisations: null,
        repositories: null,
        moreRepositories: false,
      },
    ),
    ...(key.where.alert === undefined
      ? {}
      : {
          alert: ifPossible(step('Read the alert', github.readAlert, key.where.alert)),
          places: ifPossible(step('List where it was found', github.alertLocations, key.where.alert)),
        }),
  }),

  // Malware has been seen to poll GitHub with the token it stole and to wipe the computer once the token died. So a computer
  // that is known to be in an intruder's hands is cut off first.
  contain: (key, { holder }, { hostIsolated }) => ({
    isolate:
      hostIsolated === 'no'
        ? guided('Cut the computer off the network first', {
            instructions:
              'The token was taken from a computer that an intruder controls. Malware may watch the token and destroy the computer when it dies. Isolate it from the network, but leave it running: its memory is evidence.',
            asks: 'Which computer was isolated, how, and at what time?',
          })
        : undefined,
    ...(holder.state === 'dead' ? {} : stop(key)),
    ...proof(key),
  }),

  // GitHub lets nobody but its owner make a token.
  rotate: ({ where }, { holder }, { consumers }) => ({
    appKey:
      where.tokenType === 'ghs'
        ? guided('Give the app a new private key, if the old one may have leaked too', {
            instructions:
              'An installation token is minted with the private key of its app. Where the token leaked from whatever holds that key, make a new key on the settings page of the app, store it where the old one was, and delete the old one.',
            link: 'https://github.com/settings/apps',
            asks: 'From where did the token leak, and was the key replaced?',
          })
        : undefined,
    replace:
      consumers.length === 0 || where.tokenType === 'ghs'
        ? undefined
        : guided(`${holder.login ?? where.owner ?? 'The owner'} makes a new token`, {
            instructions: `${consumers.join(', ')} used this token and have stopped. Make a new one with no more rights than they need${holder.scopes.length === 0 ? '' : ` (the old one had ${holder.scopes.join(', ')})`}, let it expire, and store it where they read it. Never send it by chat or mail. Better: a GitHub App or OIDC, with nothing to leak.`,
            link: 'https://github.com/settings/personal-access-tokens/new',
            asks: 'Where is the new token stored, when does it expire, and do its users work again?',
          }),
  }),

  // What we did not suspend, because it was dead already, is not ours to lift.
  retire: (key, { holder }) => ({
    ...(holder.state === 'dead' ? {} : release(key)),
    ...proof(key),
    resolve:
      key.where.alert === undefined
        ? undefined
        : step('Resolve the alert as revoked', github.resolveAlert, {
            ...key.where.alert,
            resolution: 'revoked',
            comment: 'Revoked, and known to be dead.',
          }),
  }),
});

/** What stops the token: its kind decides what GitHub offers. */
function stop(key: Key) {
  const { tokenType, installationId } = key.where;
  const secret = secretOf(key);
  if (tokenType === 'ghs' && installationId !== undefined)
    return {
      suspend: step('Suspend the installation that the token is of', github.suspendInstallation, { installationId }),
    };
  if (tokenType === 'ghs')
    return {
      revoke: unavoidable(
        NOTHING_BETTER_FOR_INSTALLATIONS,
        step('Revoke the token', github.revokeInstallationToken, { secret }),
      ),
    };
  return {
    revoke: unavoidable(
      NOTHING_BETTER,
      step(`Revoke the ${TOKEN_TITLES[tokenType]}`, github.revokeTokens, { secrets: [secret] }),
    ),
  };
}

/** A suspended installation works for nobody, us included. Its tokens live for an hour; after that it can be lifted. */
const release = ({ where: { tokenType, installationId } }: Key) =>
  tokenType === 'ghs' && installationId !== undefined
    ? {
        runOut: wait('Let every token of the installation run out', '1h'),
        lift: step('Lift the suspension', github.liftSuspension, { installationId }),
      }
    : {};

/** GitHub answers no question with a refresh token, so there a person asks the app's owner. */
const proof = (key: Key) =>
  key.where.tokenType === 'ghr'
    ? {
        askApp: guided('Ask the owner of the app whether the refresh token is dead', {
          instructions:
            'GitHub accepted to revoke this refresh token, but tells nobody but its app whether it is dead. The owner of the app can try to refresh with it: GitHub must answer bad_refresh_token.',
          asks: 'Who tried, when, and what did GitHub answer?',
        }),
      }
    : {
        dead: confirm(
          'GitHub no longer accepts the token',
          github.tokenLiveness,
          { secret: secretOf(key) },
          { expect: 'dead', within: '10m', settle: '30s' },
        ),
      };

/** Without the token itself GitHub can neither be asked about it nor told to revoke it. */
function secretOf({ secret }: Key): SealedRef {
  if (secret === undefined)
    throw new Failure(
      'missing',
      'This run has no token: it came without its secret. Its owner must delete it in GitHub.',
    );
  return secret;
}
