// Everything that flows beside the requests people care about: some traced, most not, some into the void.

import type { Message, MessageHandler } from '../mqtt-link.ts';
import { pause } from '../pause.ts';
import { producerOf } from '../service.ts';
import type { StoryState } from '../story.ts';
import type { World } from '../world.ts';
import {
  BACKGROUND_CONSUMERS,
  BACKGROUND_TOPICS,
  type BackgroundConsumer,
  type BackgroundTopic,
} from './background-topics.ts';

export function startBackground(world: World): void {
  for (const topic of BACKGROUND_TOPICS) startPublisher(world, topic);
  for (const consumer of BACKGROUND_CONSUMERS) startConsumer(world, consumer);
}

function startPublisher(world: World, spec: BackgroundTopic): void {
  const { service, perSecond, bytes, traced = 0, ids = 1, silentDuring } = spec;
  const random = world.random(`message of ${spec.topic}`);
  const payload = payloadOf(bytes);
  const template = spec.topic.includes('{id}') ? spec.topic : undefined;
  world.every(`publish ${spec.topic}`, perSecond, () => {
    if (silentDuring && world.state.scenes.has(silentDuring)) return;
    const machine = world.machine(nameOf(spec.machine, world.state));
    const topic = spec.topic.replace('{id}', String(1 + Math.floor(random() * ids)).padStart(2, '0'));
    if (random() < traced) machine.service(service).publish({ link: machine.link, topic, template, payload, qos: 0 });
    else machine.link.publish(topic, payload, { qos: 0 });
  });
}

function startConsumer(world: World, spec: BackgroundConsumer): void {
  let at: { machine: string; handler: MessageHandler } | undefined;
  world.onScene((state) => {
    const wanted = spec.gone && state.scenes.has(spec.gone) ? undefined : nameOf(spec.machine, state);
    if (at?.machine === wanted) return;
    if (at) world.machine(at.machine).link.unsubscribe(spec.filter, at.handler);
    at = undefined;
    if (!wanted) return;
    const machine = world.machine(wanted);
    const handler = async (message: Message) => {
      if (!spec.traced || !producerOf(message)) return;
      const work = machine.service(spec.service).process(message);
      await pause(0.3);
      work.end();
    };
    at = { machine: wanted, handler };
    machine.link.subscribe(spec.filter, handler);
  });
}

function nameOf(machine: string | ((state: StoryState) => string), state: StoryState): string {
  return typeof machine === 'string' ? machine : machine(state);
}

function payloadOf(bytes: number): Buffer {
  const body = { t: 0, q: 'good', values: '' };
  body.values = '0123456789abcdef'.repeat(bytes / 16 + 1).slice(0, Math.max(0, bytes - JSON.stringify(body).length));
  return Buffer.from(JSON.stringify(body));
}
