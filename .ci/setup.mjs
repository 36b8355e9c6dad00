// Runs before `npm start`, `npm run dev` and `npm test`, on a machine that may have nothing but Node 20: built-ins only.
//   node .ci/setup.mjs            installs the dependencies when package-lock.json changed
//   node .ci/setup.mjs --build    and builds the pages when their sources changed
//   node .ci/setup.mjs --test     and gets Chromium, Mosquitto and a QuestDB server, which the tests drive for real
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wants = new Set(process.argv.slice(2));

const fail = (sentence) => {
  console.error(`hopscope: ${sentence}`);
  process.exit(1);
};

const say = (sentence) => console.error(`hopscope: ${sentence}`);

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (done.error) fail(`could not run ${command}: ${done.error.message}`);
  if (done.status !== 0)
    fail(`"${command} ${args.join(' ')}" ended with ${done.status ?? done.signal}; its output is above`);
}

function stampMatches(file, value) {
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

function stamp(file, value) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, value);
}

const major = Number(process.versions.node.split('.')[0]);
if (major < 20) fail(`found Node ${process.versions.node}, wanted Node 20 or newer`);

installDependencies();
if (wants.has('--build')) buildPages();
if (wants.has('--test')) {
  getTestPrograms();
  run(process.execPath, [join(root, '.ci', 'questdb.mjs')]);
}

function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const file = join(root, 'node_modules', '.hopscope-installed');
  if (stampMatches(file, lock)) return;
  say('installing dependencies (once, about a minute) ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: process.platform === 'win32' });
  stamp(file, lock);
}

function buildPages() {
  const sources = [
    'app',
    'components',
    'lib',
    'public',
    'package-lock.json',
    'next.config.ts',
    'tsconfig.json',
    'postcss.config.mjs',
  ];
  const digest = createHash('sha256');
  for (const source of sources) addTree(digest, join(root, source));
  const value = digest.digest('hex');
  const file = join(root, '.next', 'hopscope-built');
  if (stampMatches(file, value)) return;
  say('building the pages (once for each change, about half a minute) ...');
  // the node of our own dependencies: the one that ran this script may be older than Next wants
  const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  run(
    existsSync(node) ? node : process.execPath,
    [join(root, 'node_modules', 'next', 'dist', 'bin', 'next'), 'build'],
    {
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
    },
  );
  stamp(file, value);
}

function addTree(digest, path) {
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) addTree(digest, join(path, name));
  } else if (!/\.test\.tsx?$/.test(path)) {
    digest.update(path.slice(root.length)).update(readFileSync(path));
  }
}

function getTestPrograms() {
  const missing = [
    { program: 'chromium', found: () => existsSync('/usr/bin/chromium') },
    { program: 'mosquitto', found: () => existsSync('/usr/sbin/mosquitto') },
    { program: 'mosquitto-clients', found: () => existsSync('/usr/bin/mosquitto_pub') },
    // a disk whose power is cut: a file system of its own, and the one system call Node has no name for
    { program: 'e2fsprogs', found: () => existsSync('/usr/sbin/mkfs.ext4') || existsSync('/sbin/mkfs.ext4') },
    { program: 'python3', found: () => existsSync('/usr/bin/python3') },
    // makes single system calls fail
    { program: 'strace', found: () => existsSync('/usr/bin/strace') },
    { program: 'openssl', found: () => existsSync('/usr/bin/openssl') },
  ]
    .filter(({ found }) => !found())
    .map(({ program }) => program);
  if (missing.length === 0) return;
  const byHand = `apt-get install -y ${missing.join(' ')}`;
  const debianRoot = existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
  if (!debianRoot) fail(`the tests need ${missing.join(', ')}, which are not here; run: sudo ${byHand}`);
  say(`getting ${missing.join(', ')} for the tests ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-q'], { stdio: ['ignore', 'ignore', 'inherit'], env });
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
