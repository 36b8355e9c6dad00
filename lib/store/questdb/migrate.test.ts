import { expect, it } from 'vitest';
import { versionTrouble } from './migrate.ts';

it.each(['9.3', '9.3.4', '9.10.0', '10.0'])('takes a QuestDB %s', (version) => {
  expect(versionTrouble(version)).toBeNull();
});

it.each(['8.3.3', '9.2.9', ''])('refuses a QuestDB "%s", and says which it wants', (version) => {
  expect(versionTrouble(version)).toMatch(/found QuestDB .* wanted 9\.3 or newer/);
});
