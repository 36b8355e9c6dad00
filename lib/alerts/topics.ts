import type { Finding, Part } from '../domain/alert.ts';
import { spokenFor, spokenTime } from '../domain/alert-words.ts';
import { applicationOf } from '../domain/placing.ts';
import type { EpochMillis, Millis } from '../domain/units.ts';
import type { TopicRhythm } from '../store/path-store.ts';
import type { DeviceRow, TopicWindow } from '../store/store.ts';
import { partsOfDevice } from './devices.ts';
import {
  brokerPart,
  distinctParts,
  type Look,
  legPart,
  quietFinding,
  siteOfBroker,
  sitePart,
  unknownSinceMs,
} from './look.ts';

/** Topics that used to speak and do not (design.md section 6e). */

const minuteMs = 60_000;
const rhythmMs = 3_600_000;
const longestMs = 7 * 86_400_000;
/** what spoke less, or for a shorter time, has no rhythm to miss */
const leastMessages = 20;
const leastHistoryMs = 10 * minuteMs;
/** what is counted lags by the collector's commit and one pass of the audit */
const leastQuietMs = 15_000;

export async function topicFindings(look: Look): Promise<Finding[]> {
  // who has been told that a topic is quiet hears of it as long as it is
  const quietMs = look.open.flatMap(({ rule, sinceMs }) => (rule === 'silent-topic' ? [sinceMs] : []));
  const fromMs = Math.max(look.nowMs - longestMs, Math.min(look.nowMs, ...quietMs) - rhythmMs);
  const rhythms = await look.store.topicRhythms(fromMs, look.nowMs + minuteMs);
  // silence is measured against what else the broker carries: while we are behind every topic ends at the same moment
  const newest = new Map<string, EpochMillis>();
  for (const { broker, lastMs } of rhythms) newest.set(broker, Math.max(newest.get(broker) ?? 0, lastMs));
  const judged = rhythms.map((rhythm) => ({ rhythm, quiet: quietOf(look, rhythm, newest.get(rhythm.broker) ?? 0) }));
  const isBad = judged.some(({ quiet }) => quiet.state === 'bad');
  const windows = isBad ? await look.store.topicWindows(fromMs, look.nowMs + minuteMs) : [];
  const windowOf = new Map(windows.map((window) => [window.topicId, window]));
  return judged.map(({ rhythm, quiet }) => topicFinding(look, rhythm, quiet, windowOf.get(rhythm.topicId)));
}

interface Quiet {
  state: Finding['state'];
  sinceMs: EpochMillis;
  quietMs: Millis;
  usualMs: Millis;
}

function quietOf(look: Look, rhythm: TopicRhythm, brokerMs: EpochMillis): Quiet {
  const spokeMs = rhythm.lastMs - rhythm.firstMinute * minuteMs;
  const pauseMs = (rhythm.pauseMinutes ?? 1) * minuteMs;
  const usualMs = pauseMs > minuteMs ? pauseMs : Math.max(0, spokeMs) / Math.max(1, rhythm.messages);
  const heardUntilMs = Math.min(look.nowMs, Math.max(brokerMs, rhythm.lastMs));
  const quietMs = heardUntilMs - rhythm.lastMs;
  const limitMs = Math.max(leastQuietMs, (look.inForce['silent-topic'].threshold ?? 5) * usualMs);
  if (quietMs <= limitMs) {
    // the whole broker is quiet: that is told elsewhere, and says nothing of its topics
    const isHeard = look.nowMs - brokerMs < minuteMs;
    return { state: isHeard ? 'fine' : 'cannot-tell', sinceMs: rhythm.lastMs, quietMs, usualMs };
  }
  const isRhythm = rhythm.messages >= leastMessages && spokeMs >= leastHistoryMs;
  const isOurs = look.deaf === '' && heardUntilMs - Math.max(rhythm.lastMs, look.watchedSinceMs) > limitMs;
  if (isRhythm && isOurs) return { state: 'bad', sinceMs: rhythm.lastMs, quietMs, usualMs };
  return { state: 'cannot-tell', sinceMs: unknownSinceMs(look), quietMs, usualMs };
}

function topicFinding(look: Look, rhythm: TopicRhythm, quiet: Quiet, window: TopicWindow | undefined): Finding {
  const rule = look.inForce['silent-topic'];
  const publishers = window?.publishers ?? [];
  const devices = devicesNamed(look, publishers);
  const about = {
    rule: rule.id,
    subject: { kind: 'topic' as const, id: `${rhythm.broker}/${rhythm.topic}`, name: rhythm.topic },
    applications: applicationsOf(look, rhythm.topic, devices),
    heardMs: rhythm.lastMs,
    parts: topicParts(look, rhythm, devices),
  };
  if (quiet.state !== 'bad')
    return quietFinding({
      ...about,
      state: quiet.state,
      sinceMs: quiet.sinceMs,
      // of one that is overdue nobody knows
      usualAtMs: quiet.quietMs <= 2 * quiet.usualMs ? rhythm.lastMs : null,
    });
  const who = publishers.length === 0 ? '' : ` ${publishers.slice(0, 3).join(', ')} used to publish it.`;
  return quietFinding({
    ...about,
    heardMs: null,
    state: 'bad',
    sinceMs: rhythm.lastMs,
    severity: rule.severity,
    title: `${rhythm.topic} is quiet. It used to speak every ${spokenFor(Math.max(1_000, quiet.usualMs))}.`,
    sentence: `The last message passed at ${spokenTime(rhythm.lastMs)}.${who}`,
    wayOut:
      publishers.length === 0 ? 'See who publishes it.' : `See whether ${publishers[0]} still runs and publishes.`,
    figure: {
      unit: 's',
      was: quiet.usualMs / 1000,
      is: quiet.quietMs / 1000,
      bound: 0,
      threshold: ((rule.threshold ?? 5) * quiet.usualMs) / 1000,
      requests: null,
    },
  });
}

/** A publisher is a device, a service on one, or the client id of either. */
function devicesNamed({ devices }: Look, names: readonly string[]): DeviceRow[] {
  const wanted = new Set(names);
  const named = devices.filter(({ id, name }) => wanted.has(id) || wanted.has(name));
  return named.length > 0 ? named : devices.filter(({ services }) => services.some((service) => wanted.has(service)));
}

function applicationsOf({ rules }: Look, topic: string, devices: readonly DeviceRow[]): string[] {
  const ruled = applicationOf('', '', topic, rules.applications);
  if (ruled !== 'default' || devices.length === 0) return [ruled];
  return [...new Set(devices.flatMap(({ applications }) => applications))];
}

function topicParts(look: Look, { broker, topic }: TopicRhythm, devices: readonly DeviceRow[]): Part[] {
  const brokerSite = siteOfBroker(look, broker);
  return distinctParts([
    { kind: 'topic', id: `${broker}/${topic}`, name: topic },
    // published by many, it stands on none of them
    ...(devices.length === 1 ? partsOfDevice(look, devices[0]!) : []),
    ...devices.slice(0, 1).flatMap(({ site }) => [...legPart(look, site, brokerSite), ...sitePart(look, site)]),
    ...brokerPart(broker),
  ]);
}
