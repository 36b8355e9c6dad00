import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { calmFleet, fleet } from '../fixtures/fleet.ts';
import { FleetBoard } from './fleet-board.tsx';
import { headline } from './headline.ts';

const text = (html: string) => html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

describe('the fleet page', () => {
  const html = renderToStaticMarkup(<FleetBoard view={fleet} table={false} />);

  it('opens with one heading that is the verdict', () => {
    expect(html.match(/<h1/g)).toHaveLength(1);
    expect(text(html.slice(html.indexOf('<h1'), html.indexOf('</h1>')))).toContain(
      '2 hops over budget. Button press takes 105 ms of 10 ms.',
    );
  });

  it('links each label on the map to the worst hop, and keeps the range as asked', () => {
    expect(html).toContain('href="/hops/aa00000000000001?from=now-1h&amp;to=now"');
  });

  it('says the verdict of each pair in words, not by colour alone', () => {
    expect(html).toMatch(/aria-label="San Francisco to Ashburn: cannot tell, p95 34 ±.38 ms/);
    expect(html).toMatch(/aria-label="San Francisco to Funabashi: noticeable, p95 63\.3 {2}ms, half of a round trip/);
  });

  it('names every device and why one is not well', () => {
    expect(html).toContain('degraded, hot: CPU at 91 % for 12 min');
    expect(text(html)).toMatch(/pi-sf last seen 4 min ago/);
  });

  it('holds the same facts as a table, within-site hops included', () => {
    const table = renderToStaticMarkup(<FleetBoard view={fleet} table={true} />);
    expect(table.match(/<th scope="row"/g)!.length).toBeGreaterThanOrEqual(fleet.edges.length);
    expect(text(table)).toContain('Funabashi within the site');
    expect(table).toContain('/api/v1/fleet?from=now-1h&amp;to=now&amp;format=csv');
  });

  it('says what was looked at when nothing needs a decision', () => {
    expect(headline(calmFleet)).toEqual({
      mark: 'ok',
      lead: 'Nothing needs a decision.',
      rest: '38 hops within budget.',
    });
    const calm = text(renderToStaticMarkup(<FleetBoard view={calmFleet} table={false} />));
    expect(calm).toMatch(/button press 7\.0 ms of 10 ms Leave/);
  });

  it('does not say that silence takes time', () => {
    const [worst] = fleet.decisions;
    const silent = {
      ...worst!,
      title: 'Sim sync',
      figure: '9 requests',
      of: 'unanswered',
      verdict: 'unanswered' as const,
    };
    expect(headline({ ...fleet, decisions: [silent] }).rest).toBe('Sim sync: 9 requests unanswered.');
  });

  it('lists a fleet without coordinates instead of drawing an empty sea', () => {
    const nowhere = { ...fleet, sites: fleet.sites.map((site) => ({ ...site, lat: null, lon: null })) };
    const page = text(renderToStaticMarkup(<FleetBoard view={nowhere} table={false} />));
    expect(page).toContain('Between sites');
    expect(page).toContain('give them lat and lon in hopscope.yaml');
  });
});
