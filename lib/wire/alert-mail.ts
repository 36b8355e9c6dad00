import type { Notification } from '../domain/alert.ts';
import { alertText, plainText } from './alert-text.ts';

export interface AlertMail {
  subject: string;
  text: string;
  html: string;
  /** the same for the same message: a mailbox that gets it twice shows it once */
  messageId: string;
  /** what is said of one alert is one conversation */
  references: string;
}

export function alertMail(notification: Notification, publicUrl: string): AlertMail {
  const text = alertText(notification, publicUrl);
  const { alert, status, key } = notification;
  return {
    subject: `${status === 'resolved' ? '' : `[${alert.severity}] `}${text.headline}`,
    text: `${plainText(text)}\n`,
    html: page(
      `<h1 style="font-size:20px;margin:0 0 8px">${escaped(text.headline)}</h1>`,
      text.sentence === '' ? '' : `<p style="margin:0 0 12px">${escaped(text.sentence)}</p>`,
      `<table style="border-collapse:collapse">${text.facts
        .map(
          ({ label, text: fact }) =>
            `<tr><td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">${escaped(label)}</td><td style="padding:2px 0">${escaped(fact)}</td></tr>`,
        )
        .join('')}</table>`,
      text.links
        .map(({ label, url }) => `<p style="margin:12px 0"><a href="${escaped(url)}">${escaped(label)}</a></p>`)
        .join(''),
    ),
    messageId: `<${idOf(key)}@hopscope>`,
    references: `<${idOf(alert.id)}@hopscope>`,
  };
}

const page = (...parts: string[]): string =>
  `<!doctype html><html lang="en"><body style="font:16px/1.5 sans-serif;color:#111">${parts.join('')}</body></html>`;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!);

/** What may stand left of the @ of a Message-ID [RFC 5322 3.6.4]. */
const idOf = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, (c) => `=${c.codePointAt(0)!.toString(16)}`);
