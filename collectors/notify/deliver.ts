import type { Notification } from '#lib/domain/alert.ts';
import type { Target } from '#lib/domain/delivery.ts';
import type { EpochMillis } from '#lib/domain/units.ts';
import { alertMail } from '#lib/wire/alert-mail.ts';
import { alertMqtt } from '#lib/wire/alert-mqtt.ts';
import { alertmanagerWebhook } from '#lib/wire/alertmanager-webhook.ts';
import { ntfyMessage } from '#lib/wire/ntfy-message.ts';
import { pagerdutyEvent } from '#lib/wire/pagerduty-event.ts';
import { slackMessage } from '#lib/wire/slack-message.ts';
import type { Guard } from './guard.ts';
import { post } from './http-post.ts';
import { sendMail } from './mail.ts';
import { publish } from './mqtt-publish.ts';

/** One attempt; resolves when the target took the message, throws why it did not. */
export type Deliver = (target: Target, notification: Notification, signal: AbortSignal) => Promise<void>;

/** The one place that knows all kinds of targets. */
export function deliverOver(way: {
  guard: Guard;
  publicUrl: string;
  /** of a broker by its name in hopscope.yaml; null: there is none */
  brokerUrl: (name: string) => string | null;
  nowMs: () => EpochMillis;
}): Deliver {
  const { guard, publicUrl, brokerUrl, nowMs } = way;
  return (target, notification, signal) => {
    const send = (url: string, body: unknown, token: string | null = null) => {
      const headers = {
        'idempotency-key': headerValue(notification.key),
        ...(token && { authorization: `Bearer ${token}` }),
      };
      return post({ url, headers, body: JSON.stringify(body) }, guard, signal, nowMs());
    };
    switch (target.kind) {
      case 'webhook':
        return send(target.url, alertmanagerWebhook(notification, publicUrl), target.token);
      case 'slack':
        return send(target.url, slackMessage(notification, publicUrl));
      case 'pagerduty':
        return send(target.url, pagerdutyEvent(notification, target.routingKey, publicUrl));
      case 'ntfy': {
        const { url, body } = ntfyMessage(notification, target.url, publicUrl);
        return send(url, body, target.token);
      }
      case 'email':
        return sendMail(target, alertMail(notification, publicUrl), guard, signal);
      case 'mqtt': {
        const body = JSON.stringify(alertMqtt(notification, publicUrl));
        return publish(target, { key: notification.key, topic: target.topic, body }, brokerUrl, guard, signal);
      }
    }
  };
}

const headerValue = (text: string): string => text.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
