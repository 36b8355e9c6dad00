import type { Finding } from '../domain/alert.ts';
import { capital, spokenFor } from '../domain/alert-words.ts';
import { type Look, quietFinding } from './look.ts';

/** Our own parts: why we are not ready, in their own words; books that do not add up; what waits for the store. */
export async function ownFindings(look: Look): Promise<Finding[]> {
  const rule = look.inForce['own-health'];
  const check = (id: string, name: string, isBad: boolean, words: Partial<Finding>): Finding => {
    const subject = { kind: 'self' as const, id, name };
    const about = { rule: rule.id, subject, sinceMs: look.nowMs, parts: [{ ...subject }] };
    return isBad
      ? quietFinding({ ...about, state: 'bad', severity: rule.severity, ...words })
      : quietFinding({ ...about, state: 'fine' });
  };
  const reasons = look.status.reasons();
  const spool = look.status.spool();
  const behindS = spool.waitingSinceMs === null ? 0 : (look.nowMs - spool.waitingSinceMs) / 1000;
  const limitS = rule.threshold ?? 120;
  const past = look.open.filter(
    ({ rule: of, subject }) =>
      of === rule.id && !isStanding(subject.id) && !reasons.some((reason) => idOf(reason) === subject.id),
  );
  return [
    ...past.map(({ subject }) => check(subject.id, subject.name, false, {})),
    ...reasons.map((reason) =>
      check(idOf(reason), 'readiness', true, {
        title: `Hopscope: ${reason}.`,
        sentence: 'What arrives while this lasts may be seen late, or not at all.',
        wayOut: 'The status page shows which part it is; its log says why.',
      }),
    ),
    check('spool', 'spool', behindS > limitS, {
      title: `What was received is ${spokenFor(behindS * 1000)} behind. It may be ${spokenFor(limitS * 1000)}.`,
      sentence: `${capital(spool.items.toLocaleString('en-US'))} items are acknowledged and wait for the store.`,
      wayOut: 'See whether the disk is slow or full, or more arrives than this machine can store.',
      figure: { unit: 's', was: 0, is: behindS, bound: 0, threshold: limitS, requests: null },
    }),
    await booksFinding(look, check),
  ];
}

const idOf = (reason: string): string => reason.slice(0, 200);
const isStanding = (id: string): boolean => id === 'spool' || id === 'books';

async function booksFinding(
  { store }: Look,
  check: (id: string, name: string, isBad: boolean, words: Partial<Finding>) => Finding,
): Promise<Finding> {
  const { received, stored, duplicate, rejected } = await store.books();
  const residual = received - stored - duplicate - rejected;
  return check('books', 'books', residual !== 0, {
    title: `The books do not add up: ${residual.toLocaleString('en-US')} items are unaccounted for.`,
    sentence: `Received ${received}, stored ${stored}, duplicate ${duplicate}, rejected ${rejected}.`,
    wayOut: 'Keep the data directory as it is and report this: it is a fault of Hopscope.',
    figure: { unit: 'count', was: 0, is: residual, bound: 0, threshold: 0, requests: null },
  });
}
