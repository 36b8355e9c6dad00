import type { Attributes } from '../domain/span.ts';

/** Older names of metrics and what they are called in semantic conventions v1.44 (wire.md 1.2). */
const currentMetric: Record<string, string> = Object.assign(Object.create(null) as Record<string, string>, {
  'cpu.time': 'system.cpu.time',
  'cpu.utilization': 'system.cpu.utilization',
  'cpu.frequency': 'system.cpu.frequency',
  'system.processes.count': 'system.process.count',
  'system.processes.created': 'system.process.created',
  'system.network.dropped': 'system.network.packet.dropped',
  'system.network.packets': 'system.network.packet.count',
  'system.network.connections': 'system.network.connection.count',
  'process.memory.physical_usage': 'process.memory.usage',
  'process.memory.virtual_usage': 'process.memory.virtual',
});

export function currentMetricName(name: string): string {
  const current = currentMetric[name];
  if (current !== undefined) return current;
  // v1.44: container.memory.paging.faults -> container.paging.faults, and the like
  return name.endsWith('.memory.paging.faults') ? name.replace('.memory.paging.faults', '.paging.faults') : name;
}

/** By the beginning of the metric's name, most particular first: what `state`, `direction`, `device` and the like mean there. */
const attributeNames: [prefix: string, names: Record<string, string>][] = (
  [
    [
      'system.cpu.',
      {
        state: 'cpu.mode',
        'system.cpu.state': 'cpu.mode',
        cpu: 'cpu.logical_number',
        'system.cpu.logical_number': 'cpu.logical_number',
      },
    ],
    ['system.memory.', { state: 'system.memory.state' }],
    [
      'system.paging.',
      {
        state: 'system.paging.state',
        direction: 'system.paging.direction',
        type: 'system.paging.fault.type',
        'system.paging.type': 'system.paging.fault.type',
        device: 'system.device',
      },
    ],
    [
      'system.disk.',
      { direction: 'disk.io.direction', 'system.disk.direction': 'disk.io.direction', device: 'system.device' },
    ],
    [
      'system.filesystem.',
      {
        state: 'system.filesystem.state',
        mode: 'system.filesystem.mode',
        type: 'system.filesystem.type',
        mountpoint: 'system.filesystem.mountpoint',
        device: 'system.device',
      },
    ],
    [
      'system.network.',
      {
        direction: 'network.io.direction',
        'system.network.direction': 'network.io.direction',
        device: 'network.interface.name',
        'system.device': 'network.interface.name',
        state: 'network.connection.state',
        'system.network.state': 'network.connection.state',
        protocol: 'network.transport',
      },
    ],
    ['system.process.', { status: 'process.state', 'system.process.status': 'process.state' }],
    ['process.cpu.', { state: 'cpu.mode', 'process.cpu.state': 'cpu.mode' }],
    ['process.disk.', { direction: 'disk.io.direction' }],
    ['process.network.', { direction: 'network.io.direction' }],
    ['process.paging.', { type: 'system.paging.fault.type', 'process.paging.fault_type': 'system.paging.fault.type' }],
    [
      'process.context_switches',
      { type: 'process.context_switch.type', 'process.context_switch_type': 'process.context_switch.type' },
    ],
    ['container.cpu.', { state: 'cpu.mode', 'container.cpu.state': 'cpu.mode' }],
  ] as [string, Record<string, string>][]
).map(([prefix, names]) => [prefix, Object.assign(Object.create(null) as Record<string, string>, names)]);

/** Attributes under today's names; where both spellings are there, both stay as sent. */
export function currentAttributes(metric: string, sent: Attributes): Attributes {
  const names = attributeNames.find(([prefix]) => metric.startsWith(prefix))?.[1];
  if (names === undefined) return sent;
  const current = Object.create(null) as Attributes;
  for (const key of Object.keys(sent)) {
    const name = names[key];
    current[name !== undefined && !(name in sent) ? name : key] = sent[key]!;
  }
  return current;
}

/** What a fleet map is made of; other metrics are kept too, but fewer of them. */
export const isHostMetric = (name: string): boolean => /^(?:system|process|container|hw)\./.test(name);
