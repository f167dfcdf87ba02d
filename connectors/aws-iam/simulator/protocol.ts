import { createHash, createHmac } from 'node:crypto';
import type { ApiError, Params, Value } from './state.ts';

export type Service = 'iam' | 'sts' | 'cloudtrail' | 'secretsmanager';

/** One call as it came over HTTP. */
export interface HttpCall {
  readonly service: Service;
  readonly action: string;
  readonly params: Params;
  readonly region: string;
  readonly keyId: string;
  readonly token: string | null;
  /** Whether the request was signed with `secret`. */
  readonly signedWith: (secret: string) => boolean;
}

const SIGNED =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/(iam|sts|cloudtrail|secretsmanager)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

const SERVICES: readonly Service[] = ['iam', 'sts', 'cloudtrail', 'secretsmanager'];

/** Reads a signed request of the query protocol or JSON 1.1; null when it is neither. */
export async function readCall(request: Request): Promise<HttpCall | null> {
  const authorization = request.headers.get('authorization') ?? '';
  const [, keyId, date, region, scoped, signedHeaders, signature] = SIGNED.exec(authorization) ?? [];
  const service = SERVICES.find((name) => name === scoped);
  if (!keyId || !date || !region || !service || !signedHeaders || !signature) return null;
  const body = await request.text();
  const target = request.headers.get('x-amz-target');
  const form = Object.fromEntries(new URLSearchParams(body));
  return {
    service,
    action: target?.split('.').at(-1) ?? form.Action ?? '',
    params: target === null ? form : JSON.parse(body),
    region,
    keyId,
    token: request.headers.get('x-amz-security-token'),
    signedWith: (secret) => sign(secret, { request, body, date, region, service, signedHeaders }) === signature,
  };
}

interface Signed {
  readonly request: Request;
  readonly body: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: string;
}

/** Signature version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function sign(secret: string, { request, body, date, region, service, signedHeaders }: Signed): string {
  const url = new URL(request.url);
  const headers = signedHeaders.split(';').map((name) => `${name}:${(request.headers.get(name) ?? '').trim()}\n`);
  const canonical = [request.method, url.pathname, url.search.slice(1), headers.join(''), signedHeaders, sha256(body)];
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', request.headers.get('x-amz-date'), scope, sha256(canonical.join('\n'))].join(
    '\n',
  );
  const key = [date, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`));
  return hmac(key, toSign).toString('hex');
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const speaksXml = (service: Service): boolean => service === 'iam' || service === 'sts';

/** A success in the service's protocol. */
export function answer(
  service: Service,
  action: string,
  value: { readonly [key: string]: Value },
  requestId: string,
): Response {
  if (!speaksXml(service)) return json(jsonOf(value), 200, requestId);
  const result = Object.keys(value).length === 0 ? '' : `<${action}Result>${xmlOf(value)}</${action}Result>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return xml(`<${action}Response xmlns="${NAMESPACE}">${result}${metadata}</${action}Response>`, 200, requestId);
}

/** An error in the service's protocol. */
export function refusal(service: Service, { code, status, message }: ApiError, requestId: string): Response {
  if (!speaksXml(service)) return json({ __type: code, message }, status, requestId);
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
  return xml(`<ErrorResponse>${error}<RequestId>${requestId}</RequestId></ErrorResponse>`, status, requestId);
}

const NAMESPACE = 'https://iam.amazonaws.com/doc/2010-05-08/';
const xml = (body: string, status: number, requestId: string): Response =>
  new Response(body, { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId } });
const json = (body: unknown, status: number, requestId: string): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId },
  });

function xmlOf(value: Value): string {
  if (value === null) return '';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((member: Value) => `<member>${xmlOf(member)}</member>`).join('');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, member]) => `<${name}>${xmlOf(member)}</${name}>`)
      .join('');
  return escaped(String(value));
}

/** JSON 1.1 writes a time as seconds since 1970. */
function jsonOf(value: Value): unknown {
  if (value instanceof Date) return value.getTime() / 1_000;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, jsonOf(member)]));
  return value;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
