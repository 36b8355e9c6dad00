import { type ArcSample, mapHeight, mapWidth, type Point } from './map-geometry.ts';

/** Places words on the map so that they do not stand on each other. All in map units; no DOM, no measuring. */

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top));

const holds = (box: Box, point: Point): boolean =>
  point.x >= box.left && point.x <= box.left + box.width && point.y >= box.top && point.y <= box.top + box.height;

const outside = (box: Box): number => {
  const edge = 3;
  return (
    Math.max(0, edge - box.left) +
    Math.max(0, edge - box.top) +
    Math.max(0, box.left + box.width - (mapWidth - edge)) +
    Math.max(0, box.top + box.height - (mapHeight - edge))
  );
};

const letterWidth = 5.9;
export const pillHeight = 22;
const pillWidth = (text: string): number => text.length * letterWidth + 34;
export const markerRadius = 13;

const around = (point: Point, reach: number): Box => ({
  left: point.x - reach,
  top: point.y - reach,
  width: 2 * reach,
  height: 2 * reach,
});

export interface SiteLabel {
  id: string;
  align: 'start' | 'end' | 'center';
  box: Box;
}

/** Outward from the fleet's centre, below before above, clear of arcs, markers and labels already placed. */
export function placeSiteLabels(
  sites: readonly { id: string; at: Point; lines: string[] }[],
  arcs: readonly (readonly ArcSample[])[],
): SiteLabel[] {
  const centre = {
    x: sites.reduce((sum, site) => sum + site.at.x, 0) / sites.length,
    y: sites.reduce((sum, site) => sum + site.at.y, 0) / sites.length,
  };
  const placed: SiteLabel[] = [];
  for (const site of sites) {
    const width = Math.max(...site.lines.map((line, index) => line.length * (index === 0 ? 7 : 4.9)));
    const height = 18 + (site.lines.length - 1) * 15;
    const outward = { x: site.at.x - centre.x, y: site.at.y - centre.y };
    const length = Math.hypot(outward.x, outward.y) || 1;
    const candidates = (['start', 'end', 'center'] as const).flatMap((align) =>
      (['below', 'above', 'beside'] as const)
        .filter((row) => row !== 'beside' || align !== 'center')
        .map((row) => {
          const left =
            align === 'start' ? site.at.x + 14 : align === 'end' ? site.at.x - 14 - width : site.at.x - width / 2;
          const top =
            row === 'below'
              ? site.at.y + (align === 'center' ? 16 : 8)
              : row === 'above'
                ? site.at.y - height - (align === 'center' ? 16 : 8)
                : site.at.y - height / 2;
          const box = { left, top, width, height };
          const way = {
            x: align === 'start' ? 1 : align === 'end' ? -1 : 0,
            y: row === 'below' ? 0.5 : row === 'above' ? -0.7 : 0,
          };
          const outwardness = (way.x * outward.x + way.y * outward.y) / length;
          const cost =
            outside(box) * 20 +
            placed.reduce((sum, other) => sum + overlap(box, other.box), 0) * 2 +
            sites.reduce((sum, other) => sum + (other === site ? 0 : overlap(box, around(other.at, markerRadius))), 0) *
              2 +
            arcs.reduce((sum, arc) => sum + arc.filter((point) => point.visible && holds(box, point)).length, 0) * 14 +
            (row === 'below' ? 0 : row === 'beside' ? 14 : 30) +
            (align === 'center' ? 20 : 0) -
            outwardness * 16;
          return { align, box, cost };
        }),
    );
    const best = candidates.reduce((a, b) => (b.cost < a.cost ? b : a));
    placed.push({ id: site.id, align: best.align, box: best.box });
  }
  return placed;
}

export interface Pill {
  id: string;
  x: number;
  y: number;
}

/**
 * At the middle of the path, moved along it (0.35 to 0.65) until it clears pills, labels and sites; an arc shorter
 * than its own label lets it float beside.
 */
export function placePills(
  arcs: readonly { id: string; text: string; samples: readonly ArcSample[] }[],
  labels: readonly SiteLabel[],
  markers: readonly Point[],
  tags: readonly Box[],
): Pill[] {
  const placed: Box[] = [];
  const pills: Pill[] = [];
  for (const arc of arcs) {
    const width = pillWidth(arc.text);
    const shown = arc.samples.filter((sample) => sample.visible);
    const length = shown.length < 2 ? 1 : Math.hypot(shown[0]!.x - shown.at(-1)!.x, shown[0]!.y - shown.at(-1)!.y);
    const candidates = shown.flatMap((sample, index) => {
      if (index % 4 !== 0) return [];
      const [before, after] = [shown[Math.max(0, index - 1)]!, shown[Math.min(shown.length - 1, index + 1)]!];
      const direction = Math.atan2(after.y - before.y, after.x - before.x);
      return [0, -26, 26, -40].map((offset) => {
        const x = sample.x + Math.sin(direction) * -offset * (Math.cos(direction) < 0 ? -1 : 1);
        const y = sample.y + Math.abs(Math.cos(direction)) * offset;
        const box = { left: x - width / 2, top: y - pillHeight / 2, width, height: pillHeight };
        const roomy = { left: box.left - 6, top: box.top - 4, width: width + 12, height: pillHeight + 8 };
        const off = Math.max(0, Math.abs(sample.t - 0.5) - 0.15);
        const cost =
          outside(box) * 12 +
          placed.reduce((sum, other) => sum + overlap(roomy, other), 0) +
          labels.reduce((sum, label) => sum + overlap(roomy, label.box), 0) +
          tags.reduce((sum, tag) => sum + overlap(roomy, tag), 0) +
          markers.reduce((sum, marker) => sum + overlap(roomy, around(marker, markerRadius)), 0) * 1.5 +
          Math.abs(sample.t - 0.5) * 60 +
          off * 400 +
          Math.abs(offset) * 3.2 +
          // a label as long as its arc would hide the dashes that say what it is
          (offset === 0 && width > 0.4 * length ? (width / length) * 160 : 0) +
          // another arc's line under the label makes it look like that arc's
          arcs.reduce(
            (sum, other) =>
              sum + (other === arc ? 0 : other.samples.filter((point) => point.visible && holds(box, point)).length),
            0,
          ) *
            9;
        return { x, y, box, cost };
      });
    });
    if (candidates.length === 0) continue;
    const best = candidates.reduce((a, b) => (b.cost < a.cost ? b : a));
    placed.push(best.box);
    pills.push({ id: arc.id, x: best.x, y: best.y });
  }
  return pills;
}
