// CPU and memory of a machine that does not exist, wandering plausibly, through the real metrics SDK.

import type { Agent } from 'node:http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Random } from './random.ts';

const EXPORT_EVERY_MS = 5_000;

export class WanderingLoad {
  readonly #random: Random;
  #home: number;
  #value: number;

  constructor(home: number, random: Random) {
    this.#home = home;
    this.#value = home;
    this.#random = random;
  }

  setHome(home: number): void {
    if (home === this.#home) return;
    this.#home = home;
    this.#value = home;
  }

  /** A step of a walk that is drawn back home. */
  next(): number {
    const spread = 0.015 + this.#home * 0.03;
    this.#value += (this.#home - this.#value) * 0.3 + (this.#random() - 0.5) * 2 * spread;
    this.#value = Math.min(0.99, Math.max(0.01, this.#value));
    return this.#value;
  }

  get value(): number {
    return this.#value;
  }
}

export interface HostMetricsOptions {
  resource: Resource;
  otlpUrl: string;
  agent: Agent;
  cpu: WanderingLoad;
  memory: WanderingLoad;
  isPoweredOn: () => boolean;
}

/** An exporter that loses its power with its machine, instead of sending a last sample. */
class PoweredExporter extends OTLPMetricExporter {
  isPoweredOn: () => boolean = () => true;

  override export(metrics: ResourceMetrics, done: Parameters<OTLPMetricExporter['export']>[1]): void {
    if (this.isPoweredOn()) super.export(metrics, done);
    else done({ code: 0 });
  }
}

export function startHostMetrics(options: HostMetricsOptions): { stop(): Promise<void> } {
  const exporter = new PoweredExporter({
    url: `${options.otlpUrl}/v1/metrics`,
    httpAgentOptions: () => options.agent,
    timeoutMillis: EXPORT_EVERY_MS - 500,
  });
  exporter.isPoweredOn = options.isPoweredOn;
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: EXPORT_EVERY_MS,
    exportTimeoutMillis: EXPORT_EVERY_MS,
  });
  const provider = new MeterProvider({ resource: options.resource, readers: [reader] });
  const meter = provider.getMeter('hopscope-demo-fleet');
  const { cpu, memory } = options;
  meter.createObservableGauge('system.cpu.utilization', { unit: '1' }).addCallback((result) => {
    result.observe(round(cpu.next()));
  });
  meter.createObservableGauge('system.memory.utilization', { unit: '1' }).addCallback((result) => {
    result.observe(round(memory.next()), { 'system.memory.state': 'used' });
  });
  meter.createObservableGauge('process.cpu.utilization', { unit: '1' }).addCallback((result) => {
    result.observe(round(cpu.value * 0.4));
  });
  meter.createObservableUpDownCounter('process.memory.usage', { unit: 'By' }).addCallback((result) => {
    result.observe(Math.round(memory.value * 512) * 1024 * 1024);
  });
  return { stop: () => provider.shutdown().catch(() => {}) };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
