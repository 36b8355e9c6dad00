import type { Alert } from '../domain/alert.ts';
import type { Rules } from '../domain/rule.ts';
import { topicFilterMatches } from '../domain/topic-filter.ts';
import type { HopPath, PathWindow } from '../store/path-store.ts';
import type { DeviceRow, HopIdentity, TopicWindow } from '../store/store.ts';
import { maySee, type Viewer } from './viewer.ts';

/**
 * What a viewer may see of each noun, in one place (design.md section 11). Views filter before they count, add up or suggest:
 * what is hidden is the same as what is absent.
 */
export const seesAll = (viewer: Viewer): boolean => viewer.applications === 'all';

/** A hop has two ends, and its figures tell of both. */
export const seesHop = (viewer: Viewer, hop: Pick<HopIdentity, 'from' | 'to'>): boolean =>
  maySee(viewer, hop.from.application) && maySee(viewer, hop.to.application);

export const seesPath = (viewer: Viewer, path: Pick<HopPath | PathWindow, 'application'>): boolean =>
  maySee(viewer, path.application);

/** A device that no application claims belongs to who runs the product. */
export const seesDevice = (viewer: Viewer, device: Pick<DeviceRow, 'applications'>): boolean =>
  seesAll(viewer) || device.applications.some((application) => maySee(viewer, application));

type ServiceRow = { service: string; application: string; sites: string[] };

/** Services by name, as far as this viewer may know them. A name used by several applications counts for each. */
export const visibleServices = (viewer: Viewer, services: ServiceRow[]): ServiceRow[] =>
  services.filter((row) => maySee(viewer, row.application));

export interface TopicScope {
  sees(topic: Pick<TopicWindow, 'topic' | 'publishers' | 'consumers'>): boolean;
  /** the names among these publishers or consumers that this viewer may know */
  names(ends: string[]): string[];
}

/**
 * Topics carry no application of their own: a rule's topic filter says it, else who publishes, else who consumes, else "default".
 * A name that no visible service or device bears (a client id) stays with who runs the product.
 */
export function topicScope(viewer: Viewer, rules: Rules, services: ServiceRow[], devices: DeviceRow[]): TopicScope {
  if (seesAll(viewer)) return { sees: () => true, names: (ends) => ends };
  const visible = new Set(visibleServices(viewer, services).map((row) => row.service));
  for (const device of devices) if (seesDevice(viewer, device)) visible.add(device.name).add(device.id);
  return {
    sees({ topic, publishers, consumers }) {
      const rule = rules.applications.find((each) => each.topics.some((filter) => topicFilterMatches(filter, topic)));
      if (rule) return maySee(viewer, rule.id);
      const ends = publishers.length > 0 ? publishers : consumers;
      return ends.length > 0 ? ends.some((name) => visible.has(name)) : maySee(viewer, 'default');
    },
    names: (ends) => ends.filter((name) => visible.has(name)),
  };
}

/**
 * An alert tells of all its applications; one of none (our own health, a broker) is for who runs the product. What is folded
 * into it is seen or not by the same rule, so that it neither stands in the list nor in its count.
 */
export function visibleAlert(viewer: Viewer, alert: Alert): Alert | null {
  if (seesAll(viewer)) return alert;
  if (!seesEach(viewer, alert.applications)) return null;
  const folded = alert.folded.filter((finding) => seesEach(viewer, finding.applications));
  // the title of several devices counts them
  const title =
    folded.length < alert.folded.length && alert.rule === 'device-down'
      ? `${alert.subject.name} is down.`
      : alert.title;
  return { ...alert, folded, title };
}

const seesEach = (viewer: Viewer, applications: string[]): boolean =>
  applications.length > 0 && applications.every((application) => maySee(viewer, application));
