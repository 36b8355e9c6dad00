import type { Target } from '#lib/domain/delivery.ts';
import type { AlertMail } from '#lib/wire/alert-mail.ts';
import { type Guard, placeOf } from './guard.ts';
import { NotSent } from './outcome.ts';

type MailTarget = Extract<Target, { kind: 'email' }>;

/** smtps:// speaks TLS from the first byte; smtp:// goes over to it by STARTTLS, and without only where the target allows it. */
export async function sendMail(target: MailTarget, mail: AlertMail, guard: Guard, signal: AbortSignal): Promise<void> {
  const place = placeOf(new URL(target.url));
  // only where there is a target for it: it takes longer to load than all the rest of delivery
  const { createTransport } = await import('nodemailer');
  const connection = await guard.connect(place, signal);
  // the transport hears of a connection that is closed before it says hello only after half a minute
  const cut = new Promise<never>((_, failed) =>
    connection.once('close', () => failed(new NotSent('the connection was cut off'))),
  );
  const transport = createTransport({
    host: place.host,
    connection,
    secure: place.tls,
    secured: place.tls,
    requireTLS: !place.tls && !target.allowPlaintext,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(target.login && { auth: { user: target.login.user, pass: target.login.password } }),
  });
  try {
    const { from, to } = target;
    const headers = { 'Auto-Submitted': 'auto-generated' };
    await Promise.race([transport.sendMail({ ...mail, from, to, headers }), cut]);
  } catch (error) {
    throw refused(error as MailError);
  } finally {
    transport.close();
    connection.destroy();
  }
}

interface MailError extends Error {
  code?: string;
  /** what the connection itself said */
  originalCode?: string;
  responseCode?: number;
}

function refused(error: MailError): Error {
  if (error.code === 'ETLS') return new NotSent('its mail server offers no TLS that can be trusted');
  if (error.responseCode === undefined) return Object.assign(error, { code: error.originalCode ?? error.code });
  if (error.code === 'EAUTH') return new NotSent(`answered ${error.responseCode}: the login was refused`);
  // [RFC 5321 4.2.1] 5yz: the same again will fail again
  return new NotSent(`answered ${error.responseCode}`, { isFinal: error.responseCode >= 500 });
}
