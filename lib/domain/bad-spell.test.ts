import { expect, it } from 'vitest';
import { badSpellOf } from './bad-spell.ts';

/** One moment a second: x bad, . not. */
const drawn = (line: string) => {
  const spell = badSpellOf([...line].map((mark, i) => ({ atMs: i, isBad: mark === 'x' })));
  return spell && line.slice(spell.fromMs, spell.toMs + 1);
};

it.each([
  ['..........', null],
  ['....xxxxxx', 'xxxxxx'],
  ['x.........................xxxxx', 'xxxxx'],
  ['....xx.xxx', 'xx.xxx'],
  ['....xxxxxx............', 'xxxxxx'],
  ['...x....................', 'x'],
  ['xxx..............................xxxxxxxx', 'xxxxxxxx'],
  ['..x.............x', 'x'],
])('%s was bad in %s', (line, spell) => expect(drawn(line)).toBe(spell));

it('of no moments there is none', () => expect(badSpellOf([])).toBeNull());

it('counts what was bad in it', () => {
  expect(badSpellOf([...'..xx.x'].map((mark, i) => ({ atMs: i, isBad: mark === 'x' })))).toEqual({
    fromMs: 2,
    toMs: 5,
    bad: 3,
  });
});
