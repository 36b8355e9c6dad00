import { greatCircleKm } from '#lib/domain/geo.ts';
import type { LedgerLine, TraceView } from '#lib/views/schemas.ts';
import { networkKinds } from '../charts/kind.tsx';
import { linearTicks } from '../charts/scale.ts';
import { formatBound, formatLedger, formatNumber } from '../ui/format.ts';

/** What the waterfall stands on: lanes are devices grouped by site, in the order the request meets them. Pure. */
export interface Lane {
  device: string;
  site: string;
  y: number;
}

export interface Band {
  site: string;
  name: string;
  top: number;
  bottom: number;
  /** to the band above, where both places are known */
  kilometres: number | null;
}

export interface Stretch {
  /** index into ledger, then off-path lines */
  index: number;
  line: LedgerLine;
  onPath: boolean;
  network: boolean;
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  /** arrives before it left: only the raw clocks can say so */
  negative: boolean;
  /** ± in pixels, at the receiving end */
  bound: number;
}

export interface Label {
  index: number;
  text: string;
  bound: string;
  x: number;
  y: number;
  width: number;
  pill: boolean;
  onPath: boolean;
}

export interface Waterfall {
  width: number;
  height: number;
  plotLeft: number;
  lanes: Lane[];
  bands: Band[];
  stretches: Stretch[];
  labels: Label[];
  ticks: { x: number; text: string }[];
  totalX: number;
  zeroX: number;
  critical: string;
  /** half the height of a box on a lane */
  laneHalf: number;
  /** so many stretches that outlines and whiskers would only be ink */
  dense: boolean;
  /** devices that found no lane */
  hiddenDevices: number;
}

const axisHeight = 26;
const bandHead = 20;
const mostLanes = 24;
const labelColumn = 132;

export const isNetwork = (line: LedgerLine): boolean => networkKinds.has(line.kind);
const arrives = (line: LedgerLine): string =>
  isNetwork(line) && line.toDevice !== '' ? line.toDevice : line.fromDevice;

interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}
const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Devices by site, both in the order of their first appearance on the path, then off it. */
function placesOf(lines: readonly LedgerLine[]): Map<string, string[]> {
  const siteOf = new Map<string, string>();
  const sites = new Map<string, string[]>();
  const meet = (device: string, site: string) => {
    if (device === '' || siteOf.has(device)) return;
    siteOf.set(device, site);
    const devices = sites.get(site);
    if (devices) devices.push(device);
    else sites.set(site, [device]);
  };
  for (const line of lines) {
    meet(line.fromDevice, line.fromSite);
    if (isNetwork(line)) meet(line.toDevice, line.toSite);
  }
  return sites;
}

export function waterfallOf(
  trace: Pick<TraceView, 'ledger' | 'offPath' | 'totalMs' | 'sites'>,
  options: { width: number; raw: boolean; siteName: (site: string) => string; selected?: number | null },
): Waterfall {
  const { width, raw } = options;
  const lines = [...trace.ledger, ...trace.offPath];
  const places = placesOf(lines);
  const allDevices = [...places.values()].flat().length;
  const laneCount = Math.min(mostLanes, allDevices);
  const siteCount = places.size;

  // ---- heights: as tall as the ledger beside it where few lanes need the room
  const gap = siteCount > 5 ? 18 : 34;
  const free = 430 - axisHeight - siteCount * bandHead - (siteCount - 1) * gap;
  const pitch = Math.max(28, Math.min(64, free / Math.max(1, laneCount)));
  const laneHalf = Math.min(11, pitch * 0.3);
  const lanes: Lane[] = [];
  const bands: Band[] = [];
  const placeOf = (site: string) => {
    const known = trace.sites.find((each) => each.id === site);
    return known && known.lat !== null && known.lon !== null ? { lat: known.lat, lon: known.lon } : null;
  };
  let y = axisHeight + 6;
  let before: string | null = null;
  for (const [site, devices] of places) {
    const room = devices.slice(0, Math.max(0, mostLanes - lanes.length));
    if (room.length === 0) continue;
    const [from, to] = [before === null ? null : placeOf(before), placeOf(site)];
    const top = y;
    y += bandHead;
    for (const device of room) {
      lanes.push({ device, site, y: y + pitch / 2 });
      y += pitch;
    }
    bands.push({
      site,
      name: trace.sites.find((each) => each.id === site)?.name ?? options.siteName(site),
      top,
      bottom: y,
      kilometres: from && to ? Math.round(greatCircleKm(from, to)) : null,
    });
    y += gap;
    before = site;
  }
  const height = y - gap + 12;
  const laneOf = new Map(lanes.map((lane) => [lane.device, lane]));

  // ---- time: on the requester's clock, stretched where the raw clocks run outside the request
  const startOf = (line: LedgerLine) => (raw ? line.rawStartMs : line.startMs);
  const endOf = (line: LedgerLine) => (raw ? line.rawEndMs : line.endMs);
  const moments = lines.flatMap((line) => [startOf(line), endOf(line)]);
  const lowMs = Math.min(0, ...moments);
  const highMs = Math.max(trace.totalMs, ...moments, lowMs + 0.001);
  const plotLeft = labelColumn;
  const plotRight = width - 26;
  const scale = (plotRight - plotLeft) / (highMs - lowMs);
  const x = (ms: number) => plotLeft + (ms - lowMs) * scale;

  const stretches: Stretch[] = [];
  lines.forEach((line, index) => {
    const from = laneOf.get(line.fromDevice);
    const to = laneOf.get(arrives(line));
    if (!from || !to) return;
    const network = isNetwork(line);
    stretches.push({
      index,
      line,
      onPath: index < trace.ledger.length,
      network,
      x0: x(startOf(line)),
      x1: x(endOf(line)),
      y0: from.y,
      y1: network ? to.y : from.y,
      negative: endOf(line) < startOf(line) - 1e-6,
      bound: raw ? 0 : (line.boundMs ?? 0) * scale,
    });
  });

  let critical = '';
  let last: { x: number; y: number } | null = null;
  for (const stretch of stretches) {
    if (!stretch.onPath) continue;
    const { x0, x1, y0, y1 } = stretch;
    const down = Math.sign(y1 - y0);
    if (last === null || Math.abs(last.x - x0) > 1.5 || last.y !== y0) critical += `M${n(x0)} ${n(y0)}`;
    critical +=
      down === 0
        ? `L${n(x1)} ${n(y1)}`
        : `L${n(x0)} ${n(y0 + down * laneHalf)}L${n(x1)} ${n(y1 - down * laneHalf)}L${n(x1)} ${n(y1)}`;
    last = { x: x1, y: y1 };
  }

  const ticks = linearTicks(lowMs, highMs, Math.max(3, Math.floor((plotRight - plotLeft) / 110)))
    .filter((ms) => x(trace.totalMs) - x(ms) > 44 || ms > trace.totalMs)
    .map((ms) => ({ x: x(ms), text: formatNumber(ms, Number.isInteger(ms) ? 0 : 1) }));

  return {
    width,
    height,
    plotLeft,
    lanes,
    bands,
    stretches,
    labels: labelsOf(
      stretches,
      trace,
      { selected: options.selected ?? null, raw, laneHalf },
      { left: plotLeft, right: width - 4, bottom: height },
    ),
    ticks,
    totalX: x(trace.totalMs),
    zeroX: x(0),
    critical,
    laneHalf,
    dense: stretches.length > 150,
    hiddenDevices: allDevices - lanes.length,
  };
}

const n = (value: number): string => value.toFixed(1);
/** Geist at 11 px, measured: wide enough for any run of digits */
const textWidth = (text: string): number => text.length * 6.1;

/** The longest speak first; a label that finds no free place stays away, for the ledger has every figure. */
function labelsOf(
  stretches: readonly Stretch[],
  trace: Pick<TraceView, 'totalMs'>,
  { selected, raw, laneHalf }: { selected: number | null; raw: boolean; laneHalf: number },
  room: { left: number; right: number; bottom: number },
): Label[] {
  const boxes: Rect[] = stretches
    .filter((stretch) => !stretch.network && Math.abs(stretch.x1 - stretch.x0) > 5)
    .map((stretch) => ({
      x: Math.min(stretch.x0, stretch.x1),
      y: stretch.y0 - laneHalf,
      width: Math.abs(stretch.x1 - stretch.x0),
      height: laneHalf * 2,
    }));
  const taken: Rect[] = [...boxes];
  // ribbons as a row of small squares: bare words keep off them, pills have a ground of their own
  const ribbons = stretches
    .filter((stretch) => stretch.network && stretch.onPath)
    .slice(0, 60)
    .flatMap(({ index, x0, x1, y0, y1 }) => {
      const count = Math.min(40, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / 10));
      return Array.from({ length: count + 1 }, (_, at) => ({
        index,
        rect: { x: x0 + ((x1 - x0) * at) / count - 6, y: y0 + ((y1 - y0) * at) / count - 6, width: 12, height: 12 },
      }));
    });
  const offPathCount = stretches.filter((stretch) => !stretch.onPath).length;
  const labels: Label[] = [];
  const place = (index: number, rects: { rect: Rect; pill: boolean }[]) =>
    rects.find(
      ({ rect, pill }) =>
        rect.x >= room.left &&
        rect.x + rect.width <= room.right &&
        rect.y + rect.height <= room.bottom &&
        taken.every((other) => !overlap(rect, other)) &&
        (pill || ribbons.every((ribbon) => ribbon.index === index || !overlap(rect, ribbon.rect))),
    );
  const weight = (stretch: Stretch) => (stretch.index === selected ? Number.POSITIVE_INFINITY : stretch.line.ms);
  const ranked = stretches
    .toSorted((a, b) => Number(b.onPath) - Number(a.onPath) || weight(b) - weight(a))
    .slice(0, 60);
  for (const stretch of ranked) {
    const { line, x0, x1, y0, y1, network, onPath, negative } = stretch;
    if (stretch.index !== selected && line.ms < trace.totalMs * (network ? 0.012 : 0.02) && !negative) continue;
    // a fan of thirty names nobody: the ledger of the main branch and the Spans view do
    if (!onPath && offPathCount > 10 && stretch.index !== selected) continue;
    const figure = formatLedger(raw ? line.rawMs : line.ms);
    let text = figure;
    let bound = '';
    const choices: { rect: Rect; pill: boolean }[] = [];
    if (network && y0 !== y1) {
      bound = raw ? 'raw' : (formatBound(line.ms, line.boundMs) ?? '');
      const width = textWidth(`${figure} ${bound}`) + 18;
      const pillAt = (t: number) => ({
        pill: true,
        rect: { x: x0 + (x1 - x0) * t - width / 2, y: y0 + (y1 - y0) * t - 9, width, height: 18 },
      });
      const besideAt = (t: number, side: 1 | -1) => ({
        pill: false,
        rect: {
          x: x0 + (x1 - x0) * t + (side === 1 ? 9 : -9 - width + 16),
          y: y0 + (y1 - y0) * t - 8,
          width: width - 16,
          height: 16,
        },
      });
      const pills = [0.5, 0.42, 0.58, 0.35, 0.65].map(pillAt);
      const beside = [besideAt(0.5, 1), besideAt(0.5, -1), besideAt(0.3, 1), besideAt(0.7, -1)];
      choices.push(...(Math.abs(x1 - x0) < 36 ? [...beside, ...pills] : [...pills, ...beside]));
    } else {
      text = onPath
        ? `${line.service || line.where} ${figure}`
        : `${line.service || line.where} ${figure}, off the critical path`;
      const width = textWidth(text) + 4;
      const middle = (x0 + x1) / 2;
      for (const left of [middle - width / 2, x0, x1 - width]) {
        choices.push({ pill: false, rect: { x: left, y: y0 + laneHalf + 3, width, height: 15 } });
      }
      choices.push({ pill: false, rect: { x: middle - width / 2, y: y0 - laneHalf - 18, width, height: 15 } });
    }
    const found = place(stretch.index, choices);
    if (!found) continue;
    taken.push(found.rect);
    labels.push({
      index: stretch.index,
      text,
      bound,
      x: found.rect.x,
      y: found.rect.y,
      width: found.rect.width,
      pill: found.pill,
      onPath,
    });
  }
  return labels;
}
