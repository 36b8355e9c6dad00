import { landSvg } from '#components/fleet-map/map-geometry.ts';

/** /land.svg?centre&scale&shift: the outline behind the fleet map. It depends on its address alone, so it is kept for ever. */
export function GET(request: Request): Response {
  const query = new URL(request.url).searchParams;
  const number = (name: string, low: number, high: number): number => {
    const value = Number(query.get(name) ?? Number.NaN);
    return Number.isFinite(value) && value >= low && value <= high ? value : Number.NaN;
  };
  const frame = {
    centre: number('centre', -180, 180),
    scale: number('scale', 10, 1_000_000),
    shift: number('shift', -10_000_000, 10_000_000),
  };
  if (Object.values(frame).some(Number.isNaN)) {
    return new Response('wanted centre, scale and shift as numbers', { status: 400 });
  }
  return new Response(landSvg(frame), {
    headers: { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=31536000, immutable' },
  });
}
