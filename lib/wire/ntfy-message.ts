import type { Notification } from '../domain/alert.ts';
import { alertText, cut } from './alert-text.ts';

/** What ntfy takes as JSON at the root of its server; the topic is the last part of the target's path. */
export function ntfyMessage(notification: Notification, targetUrl: string, publicUrl: string) {
  const { headline, sentence, facts, links } = alertText(notification, publicUrl);
  const isOver = notification.status === 'resolved';
  const { severity } = notification.alert;
  const root = new URL(targetUrl);
  const topic = decodeURIComponent(root.pathname.split('/').at(-1)!);
  root.pathname = root.pathname.slice(0, root.pathname.lastIndexOf('/') + 1);
  return {
    url: root.href,
    body: {
      topic,
      title: cut(headline, 250),
      // longer than 4,096 bytes would come as a file
      message: cutBytes(
        [...(sentence === '' ? [] : [sentence, '']), ...facts.map((f) => `${f.label}: ${f.text}`)].join('\n'),
      ),
      tags: [isOver ? 'white_check_mark' : tags[severity], severity],
      priority: isOver ? 3 : priorities[severity],
      ...(links[0] && { click: links[0].url }),
      actions: links.slice(0, 3).map(({ label, url }) => ({ action: 'view', label, url })),
    },
  };
}

const tags = { critical: 'rotating_light', warning: 'warning', info: 'information_source' };
const priorities = { critical: 5, warning: 4, info: 2 };

function cutBytes(text: string, bytesAtMost = 4_000): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= bytesAtMost) return text;
  // a letter that was cut in two at the end is left out
  return `${new TextDecoder().decode(bytes.subarray(0, bytesAtMost), { stream: true })}…`;
}
