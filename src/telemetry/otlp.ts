import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Emitter, FinishedSpan } from './traces.ts';

export interface OtlpOptions {
  /** As OTEL_EXPORTER_OTLP_ENDPOINT: the base address, to which `/v1/traces` is added. */
  readonly endpoint: string;
  readonly version: string;
  readonly mode: string;
}

/**
 * Sends spans by OTLP over HTTP, in batches and from a bounded queue: what does not fit, or cannot be delivered, is dropped.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
 */
export function openOtlp({ endpoint, version, mode }: OtlpOptions): Emitter {
  return emitTo(new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` }), { version, mode });
}

/** The same for any exporter. */
export function emitTo(exporter: SpanExporter, { version, mode }: Pick<OtlpOptions, 'version' | 'mode'>): Emitter {
  const ids = new GivenIds();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'tourniquet',
      'service.version': version,
      'deployment.environment.name': mode,
    }),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, exportTimeoutMillis: 3_000 })],
  });
  const tracer = provider.getTracer('tourniquet', version);
  return {
    emit(finished) {
      const { id, traceId, name, kind, from, to, attributes, failed } = finished;
      ids.next = id === undefined ? null : { traceId, spanId: id };
      const options = { kind: KIND[kind], startTime: from, attributes, root: id !== undefined };
      const span = tracer.startSpan(name, options, contextOf(finished));
      if (failed !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failed });
      span.end(to);
    },
    close: () => provider.shutdown(),
  };
}

const KIND = { server: SpanKind.SERVER, internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;

const contextOf = ({ traceId, parentId }: FinishedSpan): Context =>
  parentId === undefined
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: true });

/** Random ids, but for a root, whose ids are given: starting a span asks for them at once. */
class GivenIds implements IdGenerator {
  next: { readonly traceId: string; readonly spanId: string } | null = null;
  readonly #random = new RandomIdGenerator();
  generateTraceId(): string {
    return this.next?.traceId ?? this.#random.generateTraceId();
  }
  generateSpanId(): string {
    return this.next?.spanId ?? this.#random.generateSpanId();
  }
}
