import type { Notification } from '../domain/alert.ts';
import { alertText, cut, plainText } from './alert-text.ts';

/** The body of a Slack incoming webhook: blocks, and all of it again as text for whoever knows no blocks (Mattermost, a watch). */
export function slackMessage(notification: Notification, publicUrl: string) {
  const { headline, sentence, facts, links } = alertText(notification, publicUrl);
  const icon = notification.status === 'resolved' ? '✅' : icons[notification.alert.severity];
  return {
    text: escaped(`${icon} ${plainText({ headline, sentence, facts, links })}`),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(`${icon} ${headline}`, 150), emoji: true } },
      ...(sentence === '' ? [] : [{ type: 'section', text: marked(escaped(sentence)) }]),
      {
        type: 'section',
        text: marked(wholeLines(facts.map(({ label, text }) => `*${label}* ${escaped(text)}`))),
      },
      ...(links.length === 0
        ? []
        : [
            {
              type: 'context',
              elements: [marked(links.map(({ label, url }) => `<${escaped(url)}|${escaped(label)}>`).join('   '))],
            },
          ]),
    ],
  };
}

/** verbatim: no name becomes a link, a channel or a shout */
const marked = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });

const icons = { critical: '🔴', warning: '🟠', info: '🔵' };

/** The three characters Slack reads as its own. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** As many as Slack takes in one section; half an escape would spoil it. */
function wholeLines(lines: string[], atMost = 3_000): string {
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > atMost) break;
    kept.push(line);
  }
  return kept.join('\n');
}
