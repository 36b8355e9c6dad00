import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { HopscopeError } from '#lib/errors.ts';
import { lookAtSpool, spoolIsInUse } from '#lib/spool/look.ts';
import { lookAtStore } from '#lib/store/look.ts';
import { command, say, settings } from './command.ts';

// Copies everything a Hopscope is made of into an empty folder, and reads the copy back. The product must not be running: its spool and
// its store are two files that belong together. To restore: npm start -- --data FOLDER.

command(async (argv) => {
  const at = argv.indexOf('--to');
  const target = at < 0 ? undefined : argv[at + 1];
  if (!target) throw new HopscopeError('config', 'found no folder to copy to, wanted npm run backup -- --to FOLDER');
  const config = settings(argv.toSpliced(at, 2));
  const to = resolve(target);
  if (spoolIsInUse(config.dataDir)) {
    throw new HopscopeError(
      'data-dir',
      `${config.dataDir} is in use by a running Hopscope: stop it, copy, start it again`,
    );
  }
  if (existsSync(to) && readdirSync(to).length > 0) {
    throw new HopscopeError('data-dir', `${to}: found files in it, wanted a folder that is empty or not there`);
  }
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const store = storeFile(config.store);
  const files = filesOf(config.dataDir, store, config.file);
  let bytes = 0;
  for (const file of files) bytes += copied(file, join(to, basename(file)));
  syncFolder(to);
  const looks = [
    ...lookAtSpool(to),
    ...(store === null ? [] : await lookAtStore(`duckdb:${join(to, basename(store))}`)),
  ];
  for (const { sentence } of looks) say(sentence);
  if (store === null) say('The rows on the QuestDB server are not in this copy: back them up there.');
  if (looks.some(({ wrong }) => wrong)) {
    say(`The copy in ${to} is NOT good.`);
    return 1;
  }
  say(`${files.length} files, ${Math.ceil(bytes / 1024 ** 2)} MiB. To go on from it: npm start -- --data ${to}`);
  return 0;
});

function storeFile(url: string): string | null {
  return url.startsWith('duckdb:') ? resolve(url.slice('duckdb:'.length)) : null;
}

/** Everything in the folder, but for what was set aside, locks and what is made anew at a start. */
function filesOf(dataDir: string, store: string | null, configFile: string | null): string[] {
  const own = existsSync(dataDir) ? readdirSync(dataDir, { withFileTypes: true }) : [];
  const wanted = own
    .filter((entry) => entry.isFile() && !/\.damaged-|\.(lock|new|tmp)$|-shm$/.test(entry.name))
    .map(({ name }) => join(dataDir, name));
  const stores = store === null ? [] : [store, `${store}.wal`];
  const all = [...wanted, ...stores, ...(configFile ? [configFile] : [])];
  return [...new Set(all)].filter((file) => existsSync(file));
}

function copied(from: string, to: string): number {
  copyFileSync(from, to);
  const fd = openSync(to, 'r+');
  fsyncSync(fd);
  closeSync(fd);
  return statSync(to).size;
}

function syncFolder(dir: string): void {
  const fd = openSync(dir, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
