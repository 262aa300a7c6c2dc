// SPDX-License-Identifier: Apache-2.0
import type { Logger } from './log.ts';
import { createTracer } from './spans.ts';
import type { Tracer } from './spans.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ExportSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly ratio: number;
}

/**
 * What the standard variables of OpenTelemetry ask for, or undefined when they name no endpoint (or say to be off):
 * OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT and _HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and
 * _ARG, OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER. Problems go into `problems`, as sentences.
 */
export function exportSettings(
  component: string,
  env: Environment,
  problems: string[] = [],
): ExportSettings | undefined {
  if (env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return undefined;
  const url = endpointOf(env);
  if (url === undefined) return undefined;
  if (!URL.canParse(url)) {
    problems.push(`the OTLP endpoint ${JSON.stringify(url)} is no URL: no spans are sent`);
    return undefined;
  }
  if ((env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'http/json') !== 'http/json') {
    problems.push('spans are sent as http/json whatever OTEL_EXPORTER_OTLP_PROTOCOL says: use port 4318');
  }
  const own = { 'service.name': env['OTEL_SERVICE_NAME'] || `agenttier-${component}` };
  return {
    url,
    headers: listOf(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? env['OTEL_EXPORTER_OTLP_HEADERS']),
    resource: { ...listOf(env['OTEL_RESOURCE_ATTRIBUTES']), ...own },
    ratio: ratioOf(env, problems),
  };
}

/** A base URL gets the path of the signal; an endpoint of traces alone is taken as it is. */
function endpointOf(env: Environment): string | undefined {
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (own) return own;
  return base ? `${base.replace(/\/+$/, '')}/v1/traces` : undefined;
}

/** `key=value,key=value`, with percent-encoded values. */
function listOf(text: string | undefined): Record<string, string> {
  const pairs = (text ?? '').split(',').map((pair) => pair.trim().split(/=(.*)/s));
  const named = pairs.filter(([key, value]) => key !== '' && value !== undefined);
  return Object.fromEntries(named.map(([key = '', value = '']) => [key.trim(), decode(value.trim())]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function ratioOf(env: Environment, problems: string[]): number {
  const sampler = (env['OTEL_TRACES_SAMPLER'] ?? 'parentbased_always_on').replace('parentbased_', '');
  if (sampler === 'always_on') return 1;
  if (sampler === 'always_off') return 0;
  const ratio = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? '1');
  if (sampler === 'traceidratio' && ratio >= 0 && ratio <= 1) return ratio;
  problems.push('OTEL_TRACES_SAMPLER or its ARG is not known: every trace is kept');
  return 1;
}

/** The tracer of a process. What sends spans is loaded only where there is somewhere to send them. */
export async function tracerFromEnvironment(
  component: string,
  env: Environment,
  log: Logger,
): Promise<Tracer> {
  const problems: string[] = [];
  const settings = exportSettings(component, env, problems);
  for (const problem of problems) log.warn(problem);
  if (settings === undefined) return createTracer();
  const { OtlpSink } = await import('./otlp.ts');
  const { ratio, ...target } = settings;
  return createTracer({ sink: new OtlpSink({ ...target, log }), ratio });
}
