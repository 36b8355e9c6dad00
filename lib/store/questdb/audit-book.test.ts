import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AuditBook } from './audit-book.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hopscope-book-'));
  path = join(folder, 'questdb-audit.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(storeId = 'store'): void {
  const book = new AuditBook(path, storeId);
  book.begin();
  book.run('INSERT INTO cursors VALUES (?, ?)', 'collector-1', 7);
  book.commit();
  book.close();
}

const changed = (sql: string): void => {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
};

const cursors = (storeId = 'store'): unknown[] => {
  const book = new AuditBook(path, storeId);
  const rows = book.all('SELECT * FROM cursors');
  book.close();
  return rows;
};

it('the book is found again, also one from before it had a version', () => {
  write();
  expect(cursors()).toEqual([{ collector: 'collector-1', seq: 7n }]);
  changed('PRAGMA user_version = 0');
  expect(cursors()).toEqual([{ collector: 'collector-1', seq: 7n }]);
});

it.each<[string, () => void, string]>([
  [
    'of another version',
    () => changed('PRAGMA user_version = 99; ALTER TABLE cursors RENAME COLUMN seq TO place'),
    'of-version-99',
  ],
  ['that is damaged', () => writeFileSync(path, 'no database'.repeat(1_000)), 'damaged'],
  ['of other tables', () => changed(`UPDATE meta SET value = 'other'`), 'of-other'],
])('a book %s is set aside, and a new one begun', (_, spoil, suffix) => {
  write();
  spoil();
  expect(cursors()).toEqual([]);
  expect(readdirSync(folder)).toContain(`questdb-audit.sqlite.${suffix}`);
  write();
  expect(cursors()).toHaveLength(1);
});
