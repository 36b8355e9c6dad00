import {
  applicationOf,
  collectorHostPrefix,
  deviceFor,
  deviceIdentityOf,
  type KnownDevice,
  type SitePlacing,
  siteOf,
  unplaced,
} from '../domain/placing.ts';
import type { Rules } from '../domain/rule.ts';
import type { Resource } from '../domain/span.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { AuditTx, PlacedDevice, PlacingRow, ResourceRow, SiteToSave } from '../store/audit-store.ts';
import { enter, type Known } from './memory.ts';

interface Changes {
  placings: PlacingRow[];
  devices: Set<PlacedDevice & KnownDevice>;
  sites: SiteToSave[];
}

/** New resources -> device, site, application. Resolved once, at event time: new rules act on new data. */
export async function placeNew(tx: AuditTx, rules: Rules, known: Known, nowMs: EpochMillis): Promise<void> {
  const rows = await tx.resourcesAfter(known.newestResource);
  if (rows.length === 0) return;
  const changes: Changes = { placings: [], devices: new Set(), sites: [] };
  const collectors = rows.filter((row) => row.resource.hostId.startsWith(collectorHostPrefix));
  const numbers = await tx.collectorNumbers(collectors.map((row) => row.resource.hostId));
  collectors.forEach((row, i) => {
    keep(known, changes, row, { resource: row.id, device: -1 - numbers[i]!, site: '', application: '' });
  });
  for (const row of rows)
    if (!row.resource.hostId.startsWith(collectorHostPrefix)) place(row, rules, known, nowMs, changes);
  known.newestResource = Math.max(known.newestResource, ...rows.map((row) => row.id));
  await tx.savePlacings(changes.placings);
  await tx.saveDevices([...changes.devices]);
  await tx.saveSites(changes.sites);
}

function place(row: ResourceRow, rules: Rules, known: Known, nowMs: EpochMillis, changes: Changes): void {
  const { resource } = row;
  const device = deviceOf(resource, known, nowMs);
  const placing = siteOf(resource, rules.sites, [...known.sites.values()]);
  rememberSite(known, placing, changes);
  // Heartbeats say a name alone: they stand where their device stands
  const site = placing.by === 'nothing' ? device.site : placing.site.id;
  const application = applicationOf(resource.serviceName, resource.serviceNamespace, '', rules.applications);
  if (device.site === unplaced && site !== unplaced) {
    device.site = site;
    for (const [id, other] of known.placings) {
      if (other.device === device.number && other.site === unplaced)
        keep(known, changes, { id, resource: known.resources.get(id)! }, { ...other, site });
    }
  }
  if (resource.serviceName !== '') {
    if (!device.services.includes(resource.serviceName))
      device.services = [...device.services, resource.serviceName].sort();
    if (!device.applications.includes(application)) device.applications = [...device.applications, application].sort();
  }
  changes.devices.add(device);
  keep(known, changes, row, { resource: row.id, device: device.number, site, application });
}

function deviceOf(resource: Resource, known: Known, nowMs: EpochMillis): PlacedDevice & KnownDevice {
  const { directory } = known;
  const identity = deviceIdentityOf(resource);
  const found = deviceFor(identity, {
    byId: (id) => directory.byId.get(id),
    byName: (name) => directory.byName.get(name) ?? [],
  });
  if (found) {
    const device = directory.byNumber.get(found.number)!;
    if (device.byName && !identity.byName) {
      // It was known by name alone; now it says who it is
      directory.byId.delete(device.id);
      device.id = identity.id;
      device.byName = false;
      directory.byId.set(device.id, device);
    }
    return device;
  }
  const device: PlacedDevice & KnownDevice = {
    number: directory.highest + 1,
    ...identity,
    site: unplaced,
    applications: [],
    services: [],
    state: 'unknown',
    reason: 'never heard',
    sinceMs: nowMs,
    lastSeenMs: 0,
    intervalMs: null,
  };
  enter(directory, device);
  return device;
}

function rememberSite(known: Known, { site, by }: SitePlacing, changes: Changes): void {
  if (by === 'nothing') return;
  const before = known.sites.get(site.id);
  if (before && (before.lat !== null || site.lat === null)) return;
  known.sites.set(site.id, site);
  changes.sites.push(site);
}

function keep(known: Known, changes: Changes, row: ResourceRow, placing: PlacingRow): void {
  known.resources.set(row.id, row.resource);
  known.placings.set(row.id, placing);
  const at = changes.placings.findIndex((p) => p.resource === placing.resource);
  if (at >= 0) changes.placings[at] = placing;
  else changes.placings.push(placing);
}
