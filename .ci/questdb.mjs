// Gets the QuestDB server that tests and bench run against, once, and prints the path of its jar: built-ins only.
//   node .ci/questdb.mjs                    gets Java and the server where they are missing
//   node .ci/questdb.mjs DIR HTTP PG        ... and runs the server on these two loopback ports until it is stopped, its data in DIR
//   ... --with-stdin                        and no longer than whoever holds its standard input
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// another one is for tests of what is said of it
const version = process.env.QUESTDB_VERSION ?? '9.3.4';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, 'node_modules', '.cache', 'questdb');
const jar = join(cache, `questdb-${version}.jar`);

const fail = (sentence) => {
  console.error(`hopscope: ${sentence}`);
  process.exit(1);
};

const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

getJava();
getJar();
const [dir, httpPort, pgPort, tie] = process.argv.slice(2);
if (dir) runServer(dir, httpPort, pgPort);
else console.log(jar);

function javaMajor() {
  const said = spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '';
  return Number(/version "(\d+)/.exec(said)?.[1] ?? 0);
}

function getJava() {
  const missing = [
    javaMajor() >= 17 ? null : 'openjdk-17-jre-headless',
    existsSync(jar) || works('mvn', '-v') ? null : 'maven',
  ].filter(Boolean);
  if (missing.length === 0) return;
  const install = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !works('apt-get', '--version'))
    fail(`the tests of the QuestDB store need Java 17 and Maven; install them with: ${install}`);
  works('apt-get', 'update');
  const done = spawnSync('sh', ['-c', install], {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (done.status !== 0) fail(`"${install}" ended with ${done.status}; its output is above`);
}

function getJar() {
  if (existsSync(jar)) return;
  const under = `${cache}.${process.pid}`;
  mkdirSync(under, { recursive: true });
  const done = spawnSync(
    'mvn',
    ['-q', '-B', 'dependency:copy', `-Dartifact=org.questdb:questdb:${version}`, `-DoutputDirectory=${under}`],
    { cwd: under, stdio: ['ignore', 2, 2] },
  );
  if (done.status !== 0) fail(`Maven could not get org.questdb:questdb:${version}; its output is above`);
  // several tests may ask for it at once: the name appears when the file is whole
  mkdirSync(cache, { recursive: true });
  renameSync(join(under, `questdb-${version}.jar`), jar);
}

function runServer(dir, httpPort, pgPort) {
  mkdirSync(join(dir, 'conf'), { recursive: true });
  const settings = {
    'http.bind.to': `127.0.0.1:${httpPort}`,
    'pg.net.bind.to': `127.0.0.1:${pgPort}`,
    'http.min.enabled': 'false',
    'line.tcp.enabled': 'false',
    'line.auto.create.new.tables': 'false',
    'line.auto.create.new.columns': 'false',
    'telemetry.enabled': 'false',
    'shared.worker.count': '2',
    'cairo.commit.mode': 'sync',
    // its threads look for work 7,000 times before they rest: six of them, more than a core for a few thousand spans a second
    'shared.worker.nap.threshold': '30',
    'wal.apply.worker.yield.threshold': '10',
    'wal.apply.worker.nap.threshold': '30',
  };
  // QUESTDB_name.of.setting=value in the environment
  for (const [name, value] of Object.entries(process.env))
    if (/^QUESTDB_.*\./.test(name)) settings[name.slice('QUESTDB_'.length)] = value;
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(dir, 'conf', 'server.conf'), lines.join(''));
  // a line for each commit is a tenth of its work, and nobody reads them here
  const quiet = { QDB_LOG_W_STDOUT_LEVEL: 'ERROR' };
  const heap = process.env.QUESTDB_HEAP ?? '1g';
  // it holds many files of each table open
  const java = ['java', `-Xmx${heap}`, '-p', jar, '-m', 'io.questdb/io.questdb.ServerMain', '-d', dir];
  const server = spawn('sh', ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh', ...java], {
    stdio: ['ignore', 'ignore', 2],
    env: { ...quiet, ...process.env },
  });
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.kill(signal));
  if (tie === '--with-stdin') {
    process.stdin.resume();
    process.stdin.on('end', () => server.kill('SIGKILL'));
  }
  // kill -9 of the server, asked for by a test: its own signal, since ours could not be handed on
  process.on('SIGUSR2', () => server.kill('SIGKILL'));
  server.on('exit', (code) => process.exit(code ?? 0));
}
