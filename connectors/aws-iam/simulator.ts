import { type Env, type Fault, Faults, type Simulator } from '#tourniquet';
import { answer, type HttpCall, readCall, refusal, type Service } from './simulator/protocol.ts';
import { ApiError } from './simulator/state.ts';
import { AwsWorld, type WorldCall, type WorldOptions } from './simulator/world.ts';

export interface AwsSimulatorOptions extends WorldOptions {
  /** The account in which the bot lives; made together with the user and key that it acts with. */
  readonly account: string;
  readonly faults?: Faults;
}

export interface AwsSimulator extends Simulator {
  readonly world: AwsWorld;
  readonly faults: Faults;
}

const BOT = 'tourniquet';

/**
 * IAM, STS, CloudTrail and Secrets Manager in memory, in their own protocols and with signatures checked. Keys that are
 * inactive are refused once the change has propagated, policies are evaluated, and every call is in the trail.
 */
export function createAwsSimulator({ account, faults = new Faults(), ...options }: AwsSimulatorOptions): AwsSimulator {
  const world = new AwsWorld(options);
  world.addAccount(account);
  world.addUser(account, BOT, ['AdministratorAccess']);
  const bot = world.addKey(account, BOT);
  let served = 0;

  return {
    world,
    faults,
    env: (url): Env => ({
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: bot.id,
      AWS_SECRET_ACCESS_KEY: bot.secret,
    }),
    async fetch(request) {
      served += 1;
      const requestId = `sim-${served}`;
      const call = await readCall(request);
      if (!call) return new Response('This is the simulated AWS; it answers signed API calls.', { status: 400 });
      const ip = request.headers.get('x-forwarded-for') ?? '192.0.2.10';
      const asked = { ...call, ip, agent: request.headers.get('user-agent') ?? '' };
      const fault = faults.take(call.action);
      if (fault !== undefined) return faulty(world, fault, call, asked, requestId);
      return respond(call, requestId, () => {
        authenticate(world, call);
        return world.perform(asked);
      });
    },
  };
}

function authenticate(world: AwsWorld, { keyId, token, signedWith }: HttpCall): void {
  const secret = world.signingSecret(keyId, token);
  if (secret === null)
    throw new ApiError('InvalidClientTokenId', 403, 'The security token included in the request is invalid.');
  if (!signedWith(secret))
    throw new ApiError('SignatureDoesNotMatch', 403, 'The request signature we calculated does not match.');
}

function respond(call: HttpCall, requestId: string, act: () => ReturnType<AwsWorld['perform']>): Response {
  try {
    return answer(call.service, call.action, act(), requestId);
  } catch (error) {
    if (error instanceof ApiError) return refusal(call.service, error, requestId);
    throw error;
  }
}

async function faulty(
  world: AwsWorld,
  fault: Fault,
  call: HttpCall,
  asked: WorldCall,
  requestId: string,
): Promise<Response> {
  const refuse = (error: ApiError): Response => refusal(call.service, error, requestId);
  switch (fault) {
    case 'deny':
      return refuse(new ApiError('AccessDenied', 403, `not authorized to perform: ${call.service}:${call.action}`));
    case 'missing':
      return refuse(gone(call.service));
    case 'conflict':
      return refuse(
        call.action === 'CreateAccessKey'
          ? new ApiError('LimitExceeded', 409, 'Cannot exceed quota for AccessKeysPerUser: 2')
          : new ApiError('ConcurrentModification', 409, 'Multiple requests to change this object were submitted.'),
      );
    case 'throttle': {
      const response = refuse(new ApiError('Throttling', 429, 'Rate exceeded'));
      response.headers.set('retry-after', '1');
      return response;
    }
    case 'error':
      return refuse(new ApiError('ServiceUnavailable', 503, 'The request has failed due to a temporary failure.'));
    case 'error-after':
      respond(call, requestId, () => world.perform(asked));
      return refuse(new ApiError('InternalFailure', 500, 'The request processing has failed.'));
    case 'garbage':
      return new Response('<html><body>Please sign in to the guest network</body></html>', {
        headers: { 'content-type': 'text/html' },
      });
    case 'hang':
      return new Promise(() => {});
    case 'drop-after':
      respond(call, requestId, () => world.perform(asked));
      return broken();
    case 'lie':
      return respond(call, requestId, () => world.pretend(asked));
  }
}

const gone = (service: Service): ApiError =>
  service === 'secretsmanager'
    ? new ApiError('ResourceNotFoundException', 400, 'Secrets Manager can’t find the specified secret.')
    : new ApiError('NoSuchEntity', 404, 'The entity cannot be found.');

/** An answer that promises more than it gives before the connection closes. */
const broken = (): Response =>
  new Response(new Blob(['<']).stream(), {
    headers: { 'content-length': '1000', connection: 'close', 'x-amzn-requestid': 'dropped' },
  });
