import { greatCircleKm, type LatLon } from './geo.ts';
import type { ApplicationRule, SiteRule } from './rule.ts';
import type { Resource } from './span.ts';
import { globMatches, topicFilterMatches } from './topic-filter.ts';

/** Where nothing tells: shown, never dropped. */
export const unplaced = 'unplaced';
/** Resources whose hostId begins so stand for a collector's own clock: no device of the fleet. */
export const collectorHostPrefix = 'hopscope-collector:';

export interface KnownSite {
  id: string;
  name: string;
  lat: number | null;
  lon: number | null;
}

export interface SitePlacing {
  site: KnownSite;
  /** how we know, in the order they are asked */
  by: 'rule' | 'hopscope.site' | 'locality' | 'nearest' | 'cloud' | 'nothing';
}

const nearEnoughKm = 50;

/** Site of a resource (design.md section 13). `known`: configured sites and those seen before. */
export function siteOf(resource: Resource, rules: SiteRule[], known: readonly KnownSite[]): SitePlacing {
  const rule = rules.find(
    (r) => resource.hostName !== '' && r.hosts.some((glob) => globMatches(glob, resource.hostName)),
  );
  if (rule) return { site: { id: rule.id, name: rule.name, lat: rule.lat, lon: rule.lon }, by: 'rule' };
  if (resource.site !== '') return { site: named(resource.site, resource.site, resource, known), by: 'hopscope.site' };
  if (resource.locality !== '') {
    return { site: named(slugOf(resource.locality), resource.locality, resource, known), by: 'locality' };
  }
  const near = nearestSite(resource, known);
  if (near) return { site: near, by: 'nearest' };
  const region = cloudRegions[resource.cloudRegion.toLowerCase()];
  if (region) {
    const id = resource.cloudRegion.toLowerCase();
    return {
      site: known.find((s) => s.id === id) ?? { id, name: region[0], lat: region[1], lon: region[2] },
      by: 'cloud',
    };
  }
  if (resource.cloudRegion !== '') {
    const id = slugOf(resource.cloudRegion);
    return {
      site: known.find((s) => s.id === id) ?? { id, name: resource.cloudRegion, lat: null, lon: null },
      by: 'cloud',
    };
  }
  return { site: { id: unplaced, name: 'Unplaced', lat: null, lon: null }, by: 'nothing' };
}

function named(id: string, name: string, resource: Resource, known: readonly KnownSite[]): KnownSite {
  const site = known.find((s) => s.id === id);
  // First seen coordinates stay: a site does not move because one device was carried off
  if (site && site.lat !== null) return site;
  return { id, name: site?.name ?? name, lat: resource.lat, lon: resource.lon };
}

function nearestSite(resource: Resource, known: readonly KnownSite[]): KnownSite | null {
  if (resource.lat === null || resource.lon === null) return null;
  let best: KnownSite | null = null;
  let bestKm = nearEnoughKm;
  for (const site of known) {
    if (site.lat === null || site.lon === null) continue;
    const km = greatCircleKm({ lat: resource.lat, lon: resource.lon }, site as LatLon);
    if (km <= bestKm) {
      best = site;
      bestKm = km;
    }
  }
  return best;
}

/** 'San Francisco' -> 'san-francisco'. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '') || unplaced;

/** Application of one end of a hop: first rule by service, then by topic, else the namespace, else "default". `destination` '' = none. */
export function applicationOf(
  service: string,
  namespace: string,
  destination: string,
  rules: ApplicationRule[],
): string {
  const rule =
    rules.find((r) => r.services.some((glob) => globMatches(glob, service))) ??
    (destination === ''
      ? undefined
      : rules.find((r) => r.topics.some((filter) => topicFilterMatches(filter, destination))));
  return rule?.id ?? (namespace || 'default');
}

export interface KnownDevice {
  number: number;
  id: string;
  name: string;
  /** true when only a name is known of it: a host.id that comes later with the same name is the same device */
  byName: boolean;
}

/** What a resource says of the device it runs on. */
export type DeviceIdentity = { id: string; name: string; byName: boolean };

export function deviceIdentityOf(resource: Resource): DeviceIdentity {
  if (resource.hostId !== '') return { id: resource.hostId, name: resource.hostName || resource.hostId, byName: false };
  const name = resource.hostName || resource.serviceInstanceId;
  if (name !== '') return { id: name, name, byName: resource.hostName !== '' };
  const service = `${resource.serviceName || 'unknown'}@${unplaced}`;
  return { id: service, name: resource.serviceName || 'unknown', byName: false };
}

/** Which of the known devices it is (design.md section 7); null = a new one. */
export function deviceFor(
  identity: DeviceIdentity,
  known: { byId(id: string): KnownDevice | undefined; byName(name: string): readonly KnownDevice[] },
): KnownDevice | null {
  const same = known.byId(identity.id);
  if (same) return same;
  const namesakes = known.byName(identity.name);
  // Two of that name are kept apart; a name alone joins the one it can mean, and an id joins what was known by name alone
  if (namesakes.length !== 1) return null;
  return identity.byName || namesakes[0]!.byName ? namesakes[0]! : null;
}

/** Main regions of the large clouds: name, latitude, longitude (to the city). */
export const cloudRegions: Record<string, readonly [name: string, lat: number, lon: number]> = Object.assign(
  Object.create(null),
  {
    // AWS
    'us-east-1': ['N. Virginia', 39.04, -77.49],
    'us-east-2': ['Ohio', 39.96, -83.0],
    'us-west-1': ['N. California', 37.34, -121.89],
    'us-west-2': ['Oregon', 45.84, -119.7],
    'us-gov-west-1': ['US Gov West', 45.84, -119.7],
    'us-gov-east-1': ['US Gov East', 39.96, -83.0],
    'ca-central-1': ['Montreal', 45.5, -73.57],
    'ca-west-1': ['Calgary', 51.05, -114.07],
    'mx-central-1': ['Queretaro', 20.59, -100.39],
    'sa-east-1': ['Sao Paulo', -23.55, -46.63],
    'eu-west-1': ['Dublin', 53.35, -6.26],
    'eu-west-2': ['London', 51.51, -0.13],
    'eu-west-3': ['Paris', 48.86, 2.35],
    'eu-central-1': ['Frankfurt', 50.11, 8.68],
    'eu-central-2': ['Zurich', 47.38, 8.54],
    'eu-north-1': ['Stockholm', 59.33, 18.07],
    'eu-south-1': ['Milan', 45.46, 9.19],
    'eu-south-2': ['Aragon', 41.65, -0.88],
    'il-central-1': ['Tel Aviv', 32.09, 34.78],
    'me-south-1': ['Bahrain', 26.07, 50.56],
    'me-central-1': ['UAE', 25.2, 55.27],
    'af-south-1': ['Cape Town', -33.92, 18.42],
    'ap-south-1': ['Mumbai', 19.08, 72.88],
    'ap-south-2': ['Hyderabad', 17.39, 78.49],
    'ap-southeast-1': ['Singapore', 1.35, 103.82],
    'ap-southeast-2': ['Sydney', -33.87, 151.21],
    'ap-southeast-3': ['Jakarta', -6.21, 106.85],
    'ap-southeast-4': ['Melbourne', -37.81, 144.96],
    'ap-southeast-5': ['Malaysia', 3.14, 101.69],
    'ap-southeast-7': ['Bangkok', 13.76, 100.5],
    'ap-northeast-1': ['Tokyo', 35.68, 139.69],
    'ap-northeast-2': ['Seoul', 37.57, 126.98],
    'ap-northeast-3': ['Osaka', 34.69, 135.5],
    'ap-east-1': ['Hong Kong', 22.32, 114.17],
    'cn-north-1': ['Beijing', 39.9, 116.41],
    'cn-northwest-1': ['Ningxia', 38.47, 106.26],
    // Google Cloud
    'us-central1': ['Iowa', 41.26, -95.86],
    'us-east1': ['South Carolina', 33.2, -80.01],
    'us-east4': ['Ashburn', 39.04, -77.49],
    'us-east5': ['Columbus', 39.96, -83.0],
    'us-south1': ['Dallas', 32.78, -96.8],
    'us-west1': ['The Dalles', 45.6, -121.18],
    'us-west2': ['Los Angeles', 34.05, -118.24],
    'us-west3': ['Salt Lake City', 40.76, -111.89],
    'us-west4': ['Las Vegas', 36.17, -115.14],
    'northamerica-northeast1': ['Montreal', 45.5, -73.57],
    'northamerica-northeast2': ['Toronto', 43.65, -79.38],
    'southamerica-east1': ['Sao Paulo', -23.55, -46.63],
    'southamerica-west1': ['Santiago', -33.45, -70.67],
    'europe-west1': ['St. Ghislain', 50.45, 3.82],
    'europe-west2': ['London', 51.51, -0.13],
    'europe-west3': ['Frankfurt', 50.11, 8.68],
    'europe-west4': ['Eemshaven', 53.43, 6.83],
    'europe-west6': ['Zurich', 47.38, 8.54],
    'europe-west8': ['Milan', 45.46, 9.19],
    'europe-west9': ['Paris', 48.86, 2.35],
    'europe-west10': ['Berlin', 52.52, 13.4],
    'europe-west12': ['Turin', 45.07, 7.69],
    'europe-north1': ['Hamina', 60.57, 27.19],
    'europe-southwest1': ['Madrid', 40.42, -3.7],
    'europe-central2': ['Warsaw', 52.23, 21.01],
    'me-west1': ['Tel Aviv', 32.09, 34.78],
    'me-central1': ['Doha', 25.29, 51.53],
    'africa-south1': ['Johannesburg', -26.2, 28.05],
    'asia-south1': ['Mumbai', 19.08, 72.88],
    'asia-south2': ['Delhi', 28.61, 77.21],
    'asia-southeast1': ['Singapore', 1.35, 103.82],
    'asia-southeast2': ['Jakarta', -6.21, 106.85],
    'asia-east1': ['Changhua', 24.08, 120.54],
    'asia-east2': ['Hong Kong', 22.32, 114.17],
    'asia-northeast1': ['Tokyo', 35.68, 139.69],
    'asia-northeast2': ['Osaka', 34.69, 135.5],
    'asia-northeast3': ['Seoul', 37.57, 126.98],
    'australia-southeast1': ['Sydney', -33.87, 151.21],
    'australia-southeast2': ['Melbourne', -37.81, 144.96],
    // Azure
    eastus: ['Virginia', 37.37, -79.82],
    eastus2: ['Virginia', 36.68, -78.39],
    centralus: ['Iowa', 41.59, -93.62],
    northcentralus: ['Illinois', 41.88, -87.63],
    southcentralus: ['Texas', 29.42, -98.49],
    westcentralus: ['Wyoming', 41.14, -104.82],
    westus: ['California', 37.78, -122.42],
    westus2: ['Washington', 47.23, -119.85],
    westus3: ['Phoenix', 33.45, -112.07],
    canadacentral: ['Toronto', 43.65, -79.38],
    canadaeast: ['Quebec', 46.81, -71.21],
    mexicocentral: ['Queretaro', 20.59, -100.39],
    brazilsouth: ['Sao Paulo', -23.55, -46.63],
    northeurope: ['Dublin', 53.35, -6.26],
    westeurope: ['Amsterdam', 52.37, 4.9],
    uksouth: ['London', 51.51, -0.13],
    ukwest: ['Cardiff', 51.48, -3.18],
    francecentral: ['Paris', 48.86, 2.35],
    francesouth: ['Marseille', 43.3, 5.37],
    germanywestcentral: ['Frankfurt', 50.11, 8.68],
    germanynorth: ['Berlin', 52.52, 13.4],
    switzerlandnorth: ['Zurich', 47.38, 8.54],
    switzerlandwest: ['Geneva', 46.2, 6.14],
    norwayeast: ['Oslo', 59.91, 10.75],
    swedencentral: ['Gavle', 60.67, 17.14],
    polandcentral: ['Warsaw', 52.23, 21.01],
    italynorth: ['Milan', 45.46, 9.19],
    spaincentral: ['Madrid', 40.42, -3.7],
    israelcentral: ['Tel Aviv', 32.09, 34.78],
    qatarcentral: ['Doha', 25.29, 51.53],
    uaenorth: ['Dubai', 25.2, 55.27],
    southafricanorth: ['Johannesburg', -26.2, 28.05],
    centralindia: ['Pune', 18.52, 73.86],
    southindia: ['Chennai', 13.08, 80.27],
    westindia: ['Mumbai', 19.08, 72.88],
    southeastasia: ['Singapore', 1.35, 103.82],
    eastasia: ['Hong Kong', 22.32, 114.17],
    japaneast: ['Tokyo', 35.68, 139.69],
    japanwest: ['Osaka', 34.69, 135.5],
    koreacentral: ['Seoul', 37.57, 126.98],
    koreasouth: ['Busan', 35.18, 129.08],
    australiaeast: ['Sydney', -33.87, 151.21],
    australiasoutheast: ['Melbourne', -37.81, 144.96],
    australiacentral: ['Canberra', -35.28, 149.13],
  },
);
