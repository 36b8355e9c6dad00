import type { IncomingMessage } from 'node:http';
import type { hostCheck } from '../host-names.ts';

export interface Refusal {
  status: 403 | 421;
  title: string;
  detail: string;
}

/**
 * Closed by default (design.md section 11): a Host that is neither a loopback name nor a configured one is refused, which
 * stops DNS rebinding; a request that changes state needs the same Origin, or none at all (curl, devices).
 */
export function refusalOf(request: IncomingMessage, isOurs: ReturnType<typeof hostCheck>): Refusal | null {
  const host = request.headers.host;
  if (!isOurs(host)) {
    return {
      status: 421,
      title: 'Misdirected request',
      detail: `Found the host "${host ?? ''}", wanted localhost or one of web.hostNames in hopscope.yaml.`,
    };
  }
  const method = request.method ?? 'GET';
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return null;
  const origin = request.headers.origin;
  if (origin !== undefined && hostOfOrigin(origin) !== host?.toLowerCase()) {
    return {
      status: 403,
      title: 'Foreign origin',
      detail: `Found the origin "${origin}", wanted this site's own or none.`,
    };
  }
  // where a browser says no origin it still says from whose page the request comes
  const site = request.headers['sec-fetch-site'];
  if (origin === undefined && (site === 'cross-site' || site === 'same-site')) {
    return {
      status: 403,
      title: 'Foreign origin',
      detail: `Found a request from the page of another site (Sec-Fetch-Site: ${site}), wanted one of this site's own or of no page.`,
    };
  }
  return null;
}

function hostOfOrigin(origin: string): string | null {
  try {
    return new URL(origin).host.toLowerCase();
  } catch {
    return null;
  }
}
