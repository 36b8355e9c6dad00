import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The arrows of the house: which room may import which. A forbidden arrow fails with the sentence a colleague would say.
 * Test files may reach further, to bring up real peers.
 */
const root = resolve(import.meta.dirname, '..');

interface Room {
  /** folder or file prefix, relative to the root; the longest match is a file's room */
  at: string;
  rooms: string[];
  packages: RegExp;
  sentence: string;
}

const nodeBuiltIn = /^node:/;
const none = /^$/;
const packagesOf = (...names: string[]): RegExp => new RegExp(`^(?:${names.join('|')})(?:/|$)`);

const house: Room[] = [
  { at: 'lib/domain', rooms: ['lib/domain'], packages: none, sentence: 'the nouns are pure: pass in what they need' },
  {
    at: 'lib/wire',
    rooms: ['lib/wire', 'lib/domain'],
    packages: packagesOf('zod', '@bufbuild/protobuf', 'node:zlib', 'node:buffer'),
    sentence: 'lib/wire turns foreign bytes into our nouns and knows nothing behind it',
  },
  {
    at: 'lib/store',
    rooms: ['lib/store', 'lib/domain', 'lib/errors.ts', 'lib/moment.ts'],
    packages: packagesOf('@duckdb/node-api', 'pg', 'node:[a-z_/]+'),
    sentence: 'a store knows the nouns and its driver, not who asks',
  },
  {
    at: 'lib/spool',
    rooms: ['lib/spool', 'lib/domain', 'lib/errors.ts'],
    packages: nodeBuiltIn,
    sentence: 'the spool keeps bytes; what they mean is lib/wire',
  },
  {
    at: 'lib/state',
    rooms: ['lib/state', 'lib/domain', 'lib/errors.ts'],
    packages: packagesOf('node:fs', 'node:path', 'node:sqlite'),
    sentence: 'the state keeps what people decided and what is going on; who judges it is elsewhere',
  },
  {
    at: 'lib/alerts',
    rooms: [
      'lib/alerts',
      'lib/domain',
      'lib/views',
      'lib/store/store.ts',
      'lib/store/path-store.ts',
      'lib/state/state.ts',
      'lib/errors.ts',
    ],
    packages: none,
    sentence: 'alerts are judged out of the store and the read models of the pages; who sends them is a collector',
  },
  {
    at: 'lib/audit',
    rooms: ['lib/audit', 'lib/domain', 'lib/store/store.ts', 'lib/store/audit-store.ts', 'lib/errors.ts'],
    packages: none,
    sentence: 'the audit judges through the store interface; SQL lives in lib/store',
  },
  {
    at: 'lib/views',
    rooms: [
      'lib/views',
      'lib/domain',
      'lib/store/store.ts',
      'lib/store/path-store.ts',
      'lib/state/state.ts',
      'lib/errors.ts',
      'lib/moment.ts',
    ],
    packages: packagesOf('zod'),
    sentence: 'views read the store interface and shape what they find; no driver, no React',
  },
  {
    at: 'lib/work',
    rooms: ['lib/work', 'lib/domain', 'lib/views', 'lib/state/state.ts', 'lib/errors.ts'],
    packages: packagesOf('zod', 'node:crypto'),
    sentence: 'what people do changes the state by its interface, as far as the views let them see',
  },
  {
    at: 'lib/config',
    rooms: ['lib/config', 'lib/domain', 'lib/errors.ts'],
    packages: packagesOf('zod', 'yaml', 'node:[a-z_/]+'),
    sentence: 'settings are read once, by themselves',
  },
  { at: 'lib/errors.ts', rooms: [], packages: none, sentence: 'errors depend on nothing' },
  { at: 'lib/moment.ts', rooms: [], packages: none, sentence: 'a moment depends on nothing' },
  { at: 'lib/prometheus-text.ts', rooms: ['lib/domain'], packages: none, sentence: 'a text format depends on nothing' },
  { at: 'lib/clock.ts', rooms: ['lib/domain'], packages: none, sentence: 'the clock depends on nothing' },
  {
    at: 'collectors/demo-fleet',
    rooms: ['collectors/demo-fleet'],
    packages: /^(?!#|next|react)/,
    sentence: 'the demo fleet is a stranger: it talks to the wire alone',
  },
  {
    at: 'collectors/main.ts',
    rooms: ['collectors', 'lib'],
    packages: packagesOf('node:[a-z_/]+'),
    sentence: 'main.ts puts the parts together',
  },
  {
    at: 'collectors/program',
    rooms: ['collectors', 'lib'],
    packages: packagesOf('next', 'node:[a-z_/]+'),
    sentence: 'a part of the program joins what the rooms offer, and knows no wire and no SQL',
  },
  {
    at: 'collectors/commands',
    rooms: ['collectors', 'lib'],
    packages: packagesOf('mqtt', 'node:[a-z_/]+'),
    sentence: 'a command puts the parts together once, and says what came of it',
  },
  {
    at: 'collectors',
    rooms: [
      'collectors',
      'lib/domain',
      'lib/wire',
      'lib/spool',
      'lib/store/store.ts',
      'lib/state/state.ts',
      'lib/config.ts',
      'lib/errors.ts',
      'lib/clock.ts',
      'lib/prometheus-text.ts',
    ],
    packages: packagesOf('mqtt', 'aedes', 'nodemailer', '@grpc/grpc-js', 'node:[a-z_0-9/]+'),
    sentence: 'collectors receive, call lib/wire and append; no rule, no SQL, no React',
  },
  {
    at: 'components',
    rooms: ['components', 'lib/domain'],
    packages: packagesOf(
      'react',
      'next',
      'recharts',
      'd3-geo',
      'topojson-client',
      'world-atlas',
      'lucide-react',
      'geist',
    ),
    sentence: 'components draw what they are given; ask lib/views for it',
  },
  {
    at: 'app/_server.ts',
    rooms: ['app', 'lib'],
    packages: packagesOf('server-only', 'next', 'react'),
    sentence: 'the single door from pages to lib',
  },
  {
    at: 'app',
    rooms: ['app', 'components', 'lib/views', 'lib/work', 'lib/domain', 'lib/errors.ts', 'lib/prometheus-text.ts'],
    packages: packagesOf('react', 'next', 'zod', 'geist'),
    sentence: 'a page asks one view and hands props down',
  },
  {
    at: 'e2e',
    rooms: ['e2e'],
    packages: /^(?!#)/,
    sentence: 'people and their clients enter by the wire, never through a room of the house',
  },
  {
    at: 'e2e/bench/questdb-ceiling.ts',
    rooms: ['e2e', 'lib/store/questdb', 'lib/wire', 'lib/domain', 'lib/clock.ts'],
    packages: /^(?!#)/,
    sentence: 'this bench measures one part of the house alone',
  },
];

interface Arrow {
  file: string;
  target: string;
  typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !/\.(test|contract)\.tsx?$/.test(file) && !file.includes('/gen/') && !file.includes('fixtures/'));
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

function arrowsOf(file: string): Arrow[] {
  const text = readFileSync(join(root, file), 'utf8');
  const arrows: Arrow[] = [];
  for (const match of text.matchAll(importPattern)) {
    const specifier = match[2] ?? match[3] ?? '';
    const target = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier))
      : specifier.startsWith('#')
        ? specifier.slice(1)
        : specifier;
    arrows.push({ file, target, typeOnly: match[1] !== undefined });
  }
  return arrows;
}

const within = (target: string, room: string): boolean =>
  target === room || target.startsWith(`${room}/`) || target.startsWith(`${room}.`);

function roomOf(file: string): Room | undefined {
  return house.filter((room) => within(file, room.at)).sort((a, b) => b.at.length - a.at.length)[0];
}

const isOwn = (target: string): boolean => /^(lib|app|components|collectors|e2e)\//.test(target);

function forbidden({ file, target, typeOnly }: Arrow): string | null {
  const room = roomOf(file);
  if (!room) return `${file} stands in no room: house.md says where things live`;
  if (!isOwn(target)) {
    return target.startsWith('.') || room.packages.test(target) || /\.(css|json|svg)$/.test(target)
      ? null
      : `${file} imports the package ${target}: ${room.sentence}`;
  }
  if (room.rooms.some((allowed) => within(target, allowed))) return null;
  // components see the shapes of views, never their code; pages the shape of a configuration
  if (typeOnly && room.at === 'components' && within(target, 'lib/views')) return null;
  if (typeOnly && room.at === 'lib/views' && within(target, 'lib/config.ts')) return null;
  if (typeOnly && room.at === 'collectors' && target === 'lib/views/status-source.ts') return null;
  return `${file} imports ${target}: ${room.sentence}`;
}

describe('the house', () => {
  const files = ['lib', 'collectors', 'components', 'app', 'e2e'].flatMap(sourceFiles);

  it('has files to look at', () => expect(files.length).toBeGreaterThan(20));

  it('has only the arrows its table allows', () => {
    expect(
      files
        .flatMap(arrowsOf)
        .map(forbidden)
        .filter((sentence) => sentence !== null),
    ).toEqual([]);
  });

  it('reads the environment in lib/config.ts alone', () => {
    const readers = files.filter(
      (file) =>
        /^(lib|app|components|collectors)\//.test(file) &&
        !file.startsWith('collectors/demo-fleet/') &&
        file !== 'lib/config.ts' &&
        file !== 'collectors/main.ts' &&
        file !== 'collectors/commands/command.ts' &&
        /process\.env/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(readers, 'settings come in as arguments; lib/config.ts reads them').toEqual([]);
  });

  it('notices a forbidden arrow', () => {
    expect(forbidden({ file: 'components/x.tsx', target: 'lib/store/store.ts', typeOnly: false })).toContain(
      'ask lib/views for it',
    );
    expect(forbidden({ file: 'lib/domain/x.ts', target: 'node:fs', typeOnly: false })).toContain('pure');
  });
});
