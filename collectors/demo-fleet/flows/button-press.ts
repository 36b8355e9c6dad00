// A button in Hannover asks factory-events for light on the andon: 4 ms over the booth's own broker,
// 105 ms once factory-events stands in Ashburn and every message passes Dublin.

import type { Machine } from '../machine.ts';
import type { Message } from '../mqtt-link.ts';
import { pause } from '../pause.ts';
import { newCorrelation, type Work } from '../service.ts';
import type { World } from '../world.ts';

const START = 'factory/hannover/button/start';
const SET = 'factory/hannover/andon/set';
const GIVE_UP_MS = 2_000;

export function startButtonPress(world: World): void {
  for (const name of ['rio-hannover-1', 'rio-hannover-2']) startButton(world, world.machine(name));
  startAndon(world.machine('andon-hannover'));
  placeFactoryEvents(world);
}

function startButton(world: World, rio: Machine): void {
  const button = rio.service('line-button');
  const pressed = new Map<string, { root: Work; giveUp: NodeJS.Timeout }>();

  const press = async () => {
    const link = world.state.factoryEvents.machine === 'booth-hannover' ? rio.bridge : rio.link;
    if (!link?.isConnected) return;
    const root = button.start('button press', { attributes: { 'factory.station': rio.name } });
    const correlationData = newCorrelation();
    const key = correlationData.toString('hex');
    const giveUp = setTimeout(() => {
      pressed.delete(key);
      root.fail('timeout');
      root.end();
    }, GIVE_UP_MS);
    pressed.set(key, { root, giveUp });
    await pause(0.4);
    root.publish({ link, topic: START, payload: payload(rio.name), responseTopic: SET, correlationData });
  };

  const onAnswer = async (message: Message) => {
    const key = message.properties.correlationData?.toString('hex') ?? '';
    const press = pressed.get(key);
    // The other button's answer: not ours to trace.
    if (!press) return;
    pressed.delete(key);
    clearTimeout(press.giveUp);
    const work = button.process(message);
    await pause(0.3);
    work.end();
    await pause(0.2);
    press.root.end();
  };

  for (const link of [rio.bridge, rio.link]) link?.subscribe(SET, onAnswer);
  world.every(`press ${rio.name}`, 0.27, press);
}

function startAndon(machine: Machine): void {
  const andon = machine.service('andon');
  const light = async (message: Message) => {
    const work = andon.process(message);
    await pause(0.2);
    work.end();
  };
  for (const link of [machine.bridge, machine.link]) link?.subscribe(SET, light);
}

function placeFactoryEvents(world: World): void {
  let place: { machine: Machine; version: string; unsubscribe(): void } | undefined;
  world.onScene(({ factoryEvents }) => {
    if (place?.machine.name === factoryEvents.machine && place.version === factoryEvents.version) return;
    place?.unsubscribe();
    place?.machine.remove('factory-events');
    const machine = world.machine(factoryEvents.machine);
    const events = machine.deploy('factory-events', factoryEvents.version);
    const link = machine.bridge ?? machine.link;
    const decide = async (message: Message) => {
      const work = events.process(message);
      await pause(0.9);
      const { responseTopic = SET, correlationData } = message.properties;
      work.publish({ link: message.link, topic: responseTopic, payload: payload(machine.name), correlationData });
      work.end();
    };
    link.subscribe(START, decide);
    place = { machine, version: factoryEvents.version, unsubscribe: () => link.unsubscribe(START, decide) };
  });
}

function payload(by: string): string {
  return JSON.stringify({ line: 4, station: 'mill-2', by, light: 'green', reason: 'operator pressed start' });
}
