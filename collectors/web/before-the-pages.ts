import type { ServerResponse } from 'node:http';
import type { PageHandler } from './server.ts';

const lookAgainSeconds = 2;

/** Answers until the pages can: the process lives, is not ready, and what it waits for is said in words. */
export function beforeThePages(waitsFor: ReadonlySet<string>): PageHandler {
  return async (request, response) => {
    const path = request.url?.split('?')[0];
    const reasons = [...waitsFor];
    if (path === '/healthz') return sendJson(response, 200, { status: 'ok' });
    if (path === '/readyz') return sendJson(response, 503, { ready: false, reasons, warnings: [] });
    response.setHeader('Retry-After', String(lookAgainSeconds));
    if (!request.headers.accept?.includes('text/html'))
      return sendJson(
        response,
        503,
        { type: 'about:blank', title: 'Hopscope is starting', status: 503, detail: reasons.join('; ') },
        'application/problem+json',
      );
    response.writeHead(503, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end(waitingPage(reasons, String(request.headers['x-nonce'] ?? '')));
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** Needs no script and no stylesheet of the pages, which may not be there yet; its colours are those of app/globals.css. */
function waitingPage(reasons: string[], nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${lookAgainSeconds}">
<title>Hopscope is starting</title>
<style nonce="${nonce}">
:root { color-scheme: light dark; --bg: #f4f6f8; --panel: #ffffff; --line: #e0e5ea; --ink: #12171c; --ink2: #45505b }
@media (prefers-color-scheme: dark) { :root { --bg: #0a0c0f; --panel: #101418; --line: #222932; --ink: #edf0f3; --ink2: #b0b9c3 } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 36rem; margin: 1rem; padding: 1.25rem 1.5rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px }
h1 { margin: 0 0 .5rem; font-size: 1.125rem; font-weight: 600 }
p { margin: .5rem 0 0; overflow-wrap: anywhere }
p:last-child { color: var(--ink2) }
</style>
</head>
<body>
<main>
<h1>Hopscope is starting</h1>
${reasons.map((reason) => `<p>${escaped(sentenceOf(reason))}</p>`).join('\n')}
<p>This page looks again every ${lookAgainSeconds} seconds.</p>
</main>
</body>
</html>
`;
}

const sentenceOf = (reason: string): string =>
  `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${/[.?!]$/.test(reason) ? '' : '.'}`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
