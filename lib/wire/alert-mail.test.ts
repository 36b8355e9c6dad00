import { describe, expect, it } from 'vitest';
import { notificationOf, rackBack, rackMoved } from '../domain/fixtures/alerts.ts';
import { alertMail } from './alert-mail.ts';

const publicUrl = 'https://hop.example.org';

describe('a mail', () => {
  it('says everything as plain text and as simple HTML', () => {
    const { subject, text, html } = alertMail(notificationOf(rackMoved), publicUrl);
    expect(subject).toBe('[critical] Button press takes 105 ms. Budget is 10 ms.');
    for (const part of [
      'line-button@hannover → factory-events',
      '214 affected so far',
      'Snapshot v42',
      'saves 96 ms',
    ]) {
      expect(text).toContain(part);
      expect(html).toContain(part);
    }
    expect(html).toContain('<a href="https://hop.example.org/alerts/01jrackmoved">Open the alert</a>');
    expect(alertMail(notificationOf(rackBack), publicUrl).subject).toBe(
      'Resolved: Button press takes 105 ms. Budget is 10 ms.',
    );
  });

  it('lets no name become HTML or a header of its own', () => {
    const title = '<img src=x onerror="alert(1)">\r\nBcc: all@example.org';
    const { subject, html } = alertMail(notificationOf({ ...rackMoved, title }), publicUrl);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(html).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; Bcc: all@example.org');
    expect(html).not.toContain('<img');
  });

  it('is the same mail when it is sent again, and one conversation with what follows', () => {
    const [firing, over] = [rackMoved, rackBack].map((alert) => alertMail(notificationOf(alert), publicUrl));
    expect(alertMail(notificationOf(rackMoved), publicUrl)).toEqual(firing);
    expect(firing!.messageId).toBe('<01jrackmoved=3afiring@hopscope>');
    expect(over!.messageId).not.toBe(firing!.messageId);
    expect(over!.references).toBe(firing!.references);
  });
});
