import type { Finding } from '../domain/alert.ts';
import { capital, spokenFor } from '../domain/alert-words.ts';
import type { SpoolStatus } from '../domain/collector-report.ts';
import { silentWords, spokenCollector, waitingItems } from '../domain/collector-words.ts';
import { type Look, quietFinding } from './look.ts';

/** Our own parts, here and in collectors of their own: why they are not ready, in their own words; books that do not add up; what waits. */
export async function ownFindings(look: Look): Promise<Finding[]> {
  const rule = look.inForce['own-health'];
  const check: Check = (id, name, isBad, words) => {
    const subject = { kind: 'self' as const, id, name };
    const about = { rule: rule.id, subject, sinceMs: look.nowMs, parts: [{ ...subject }] };
    return isBad
      ? quietFinding({ ...about, state: 'bad', severity: rule.severity, ...words })
      : quietFinding({ ...about, state: 'fine' });
  };
  const found = [
    ...look.status.reasons().map((reason) => notReady(check, idOf(reason), `Hopscope: ${reason}.`)),
    spoolFinding(look, check, 'spool', look.status.spool(), 0, 'What was received'),
    await booksFinding(look, check),
    ...collectorFindings(look, check),
  ];
  const standing = new Set(found.map(({ subject }) => subject.id));
  const past = look.open.filter(({ rule: of, subject }) => of === rule.id && !standing.has(subject.id));
  return [...past.map(({ subject }) => check(subject.id, subject.name, false, {})), ...found];
}

type Check = (id: string, name: string, isBad: boolean, words: Partial<Finding>) => Finding;

const idOf = (reason: string): string => reason.slice(0, 200);

const notReady = (check: Check, id: string, title: string): Finding =>
  check(id, 'readiness', true, {
    title,
    sentence: 'What arrives while this lasts may be seen late, or not at all.',
    wayOut: 'The status page shows which part it is; its log says why.',
  });

/** Of collectors in other processes. Who was stopped in order is no trouble; who is silent is one, and nobody knows the rest of it. */
function collectorFindings(look: Look, check: Check): Finding[] {
  return look.status.collectors().flatMap((heard) => {
    const { report, state, heardMs } = heard;
    const own = (what: string): string => idOf(`${what} of ${report.collectorId}`);
    const name = spokenCollector(report);
    const open = look.open.filter(({ rule, subject }) => rule === 'own-health' && subject.id.endsWith(own('')));
    const asBefore = open.map(({ subject }) => ({
      ...check(subject.id, subject.name, false, {}),
      state: 'cannot-tell' as const,
    }));
    if (state === 'stopped') return [];
    if (state === 'unsure') return asBefore;
    if (state === 'silent') {
      const silence = check(own('silence'), name, true, {
        sinceMs: heardMs,
        title: `${capital(silentWords(heard, look.nowMs))}.`,
        sentence: 'What it receives is not seen here, if it still receives; what is in its spool stays there.',
        wayOut: `See whether ${report.host || 'its host'} runs, and whether the collector there reaches the store.`,
      });
      return [silence, ...asBefore.filter(({ subject }) => subject.id !== silence.subject.id)];
    }
    return [
      ...report.reasons.map((reason) =>
        notReady(check, own(idOf(reason).slice(0, 120)), `${capital(name)}: ${reason}.`),
      ),
      // its clock tells how long it had waited when it said so
      spoolFinding(
        look,
        check,
        own('spool'),
        { ...report.spool, items: waitingItems(report) },
        look.nowMs - report.atMs,
        `What ${name} received`,
      ),
    ];
  });
}

function spoolFinding(
  look: Look,
  check: Check,
  id: string,
  { items, waitingSinceMs }: SpoolStatus,
  clockOffMs: number,
  what: string,
): Finding {
  const behindS = waitingSinceMs === null ? 0 : (look.nowMs - clockOffMs - waitingSinceMs) / 1000;
  const limitS = look.inForce['own-health'].threshold ?? 120;
  return check(id, 'spool', behindS > limitS, {
    title: `${what} is ${spokenFor(behindS * 1000)} behind. It may be ${spokenFor(limitS * 1000)}.`,
    sentence: `${capital(items.toLocaleString('en-US'))} items are acknowledged and wait for the store.`,
    wayOut: 'See whether the disk is slow or full, or more arrives than this machine can store.',
    figure: { unit: 's', was: 0, is: behindS, bound: 0, threshold: limitS, requests: null },
  });
}

async function booksFinding({ store }: Look, check: Check): Promise<Finding> {
  const { received, stored, duplicate, rejected } = await store.books();
  const residual = received - stored - duplicate - rejected;
  return check('books', 'books', residual !== 0, {
    title: `The books do not add up: ${residual.toLocaleString('en-US')} items are unaccounted for.`,
    sentence: `Received ${received}, stored ${stored}, duplicate ${duplicate}, rejected ${rejected}.`,
    wayOut: 'Keep the data directory as it is and report this: it is a fault of Hopscope.',
    figure: { unit: 'count', was: 0, is: residual, bound: 0, threshold: 0, requests: null },
  });
}
