import { describe, expect, it } from 'vitest';
import type { Alert } from '../domain/alert.ts';
import { brokerGone, notificationOf, rackBack, rackMoved } from '../domain/fixtures/alerts.ts';
import { slackMessage } from './slack-message.ts';

const publicUrl = 'https://hop.example.org';
const messageOf = (alert: Alert) => slackMessage(notificationOf(alert), publicUrl);

describe('the body for a Slack webhook', () => {
  it('has a header, what is behind it, the facts and the links, and all of it as text too', () => {
    const { text, blocks } = messageOf(rackMoved);
    expect(blocks).toEqual([
      {
        type: 'header',
        text: { type: 'plain_text', text: '🔴 Button press takes 105 ms. Budget is 10 ms.', emoji: true },
      },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: 'factory-events answers from Ashburn instead of Hannover. The network itself is normal.',
          verbatim: true,
        },
      },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: expect.stringContaining('*Since* 2026-06-01 14:02:00 UTC\n*Measured* was 8.2 ms, is 105 ms ± 1.3 ms'),
          verbatim: true,
        },
      },
      {
        type: 'context',
        elements: [
          {
            type: 'mrkdwn',
            text: expect.stringContaining('<https://hop.example.org/alerts/01jrackmoved|Open the alert>'),
            verbatim: true,
          },
        ],
      },
    ]);
    expect(text).toContain('🔴 Button press takes 105 ms. Budget is 10 ms.\n');
    expect(text).toContain('Way out: Move factory-events back to Hannover');
  });

  it('tells by its first sign how bad it is, and that it is over', () => {
    expect([rackMoved, brokerGone, rackBack].map((alert) => [...messageOf(alert).text][0])).toEqual(['🔴', '🟠', '✅']);
  });

  it('lets no name make a link, a mention or a shout', () => {
    const name = '<!channel> <https://evil.example|the alert> & *co*';
    const { text, blocks } = messageOf({
      ...rackMoved,
      title: name,
      sentence: name,
      subject: { ...rackMoved.subject, name },
    });
    const safe = '&lt;!channel&gt; &lt;https://evil.example|the alert&gt; &amp; *co*';
    expect(text.split('\n').slice(0, 2)).toEqual([`🔴 ${safe}`, safe]);
    expect(blocks[1]).toMatchObject({ text: { text: safe } });
    expect(blocks[2]).toMatchObject({ text: { text: expect.stringContaining(`*Hop* ${safe}\n`) } });
    // plain text knows no marks
    expect(blocks[0]).toMatchObject({ text: { type: 'plain_text', text: `🔴 ${name}` } });
  });

  it('stays within what Slack takes, without half an escape', () => {
    const endless = '<'.repeat(5_000);
    const { blocks } = messageOf({
      ...rackMoved,
      title: endless,
      sentence: endless,
      wayOut: endless,
      subject: { ...rackMoved.subject, name: endless },
    });
    const texts = JSON.parse(JSON.stringify(blocks)) as { type: string; text?: { text: string } }[];
    const [header, sentence, facts] = texts.map(({ text }) => text?.text ?? '');
    expect([...header!].length).toBeLessThanOrEqual(150);
    for (const marked of [sentence!, facts!]) {
      expect(marked.length).toBeLessThanOrEqual(3_000);
      expect(marked.replaceAll('&lt;', '')).not.toContain('&');
    }
  });
});
