import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PeerCertificate } from 'node:tls';
import { HopscopeError } from '#lib/errors.ts';
import type { QuestDbTls } from './address.ts';

/** What a TLS connection is opened with. That certificates are checked is said aloud: a variable of Node could switch it off. */
export function trustOf(tls: QuestDbTls | null): { rejectUnauthorized: true; ca?: string } | null {
  if (tls === null) return null;
  return { rejectUnauthorized: true, ...(tls.caFile !== null && { ca: authorities(tls.caFile) }) };
}

function authorities(file: string): string {
  const wrong = (found: string, cause: unknown): HopscopeError =>
    new HopscopeError(
      'config',
      `store: ca=${file} ${found}, wanted a file with the certificate of an authority as PEM`,
      {
        cause,
      },
    );
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(`could not be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  try {
    // Node passes over what is no certificate without a word
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw wrong('holds none', error);
  }
}

/** How pg and OpenSSL say that the other side knows no TLS. */
const notTls = /does not support SSL|establishing an SSL connection|wrong version number|packet length too long/;

/** Why TLS did not come about, in a sentence; null when something else went wrong. */
export function tlsTrouble(error: unknown, where: string, host: string): string | null {
  const { code = '', message, cert } = error as NodeJS.ErrnoException & { cert?: PeerCertificate };
  const shows = (found: string, wanted: string) =>
    `store: QuestDB at ${where} shows a certificate ${found}, wanted ${wanted}`;
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return shows(`for ${cert?.subjectaltname ?? 'nobody'}`, `one for ${host}`);
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return shows('that is not valid today', 'one that is, by both clocks');
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return shows(
        `of an unknown authority (${code})`,
        'one of an authority of ?ca=FILE, or without it of a public one',
      );
  }
  if (notTls.test(message))
    return `store: QuestDB at ${where} speaks without TLS, wanted with TLS: put a proxy that ends TLS before it, or write questdb://`;
  if (code.startsWith('CERT_')) return shows(`that does not count (${code})`, 'one that does');
  return null;
}
