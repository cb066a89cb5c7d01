/**
 * `npm test`: the type check, then the whole suite on Node.js 18 (the npm package `node`; it is what runs on Lambda), and beside it a part of it on Node.js 24 and on the machine's own Node.js,
 * as a smoke test. `npm test -- mapping sessions` runs the files whose path contains one of the words, `npm test -- '!timed'` all others. What is in test/timed runs when nothing else does. A file that fails is run once more
 * when nothing else runs, and the output says so: a machine that is busy with something else must not look like a fault.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTemplates } from '../test/support/clusters.mjs';
import { keep } from '../test/support/keep.mjs';
import { prepareMoto } from '../test/support/moto.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** In an npm script `node` may be the package's (node_modules/.bin comes first on the path): npm says which one runs npm. */
const OWN = process.env['npm_node_execpath'] ?? process.execPath;
const [NODE_18, NODE_24] = ['node', 'node-24'].map((name) => join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node'));

/** Files at the same time: every one of them starts servers, and waits for half of its time. */
const AT_ONCE = Math.max(2, Math.min(8, 2 * availableParallelism()));

/** Of memory, for the servers' files. */
const NEEDED_BYTES = 8 * 2 ** 30;

/** What measures times: these files run one after the other, when the others are done. */
const TIMED = /^test\/timed\//;

/** What touches the runtime itself: modules, streams, buffers, cryptography, the drivers. On Node.js 24 the handlers out of their zips as well, from begin to end. */
const SMOKE = /^test\/(?:lib|pg)\//;
const WHOLE = /^test\/sync\/handlers\.test/;

/** The longest are begun first, so that the last minute does not belong to one of them alone. */
const LONGEST = ['control/gone', 'sync/kill', 'split/', 'sync/constraints', 'sync/behaviour', 'sync/moments', 'control/', 'sync/', 'sessions/'];

const asked = process.argv.slice(2);
const words = asked.filter((word) => !word.startsWith('!'));
const without = asked.filter((word) => word.startsWith('!')).map((word) => word.slice(1));

/** For one file: the longest takes two minutes on a machine of its own. What is asked for by name may be made to last for hours. */
const PATIENCE_MS = (words.length === 0 ? 12 : 24 * 60) * 60_000;

const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.mjs') && (words.length === 0 || words.some((word) => file.includes(word))) && !without.some((word) => file.includes(word)))
  .map((file) => join('test', file))
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));

if (NODE_18 === undefined || NODE_24 === undefined || !existsSync(NODE_18) || !existsSync(NODE_24)) {
  console.error('Node.js 18 and 24 are not installed: `npm ci` installs them, unless install scripts are turned off');
  process.exit(1);
}
const folder = inMemory() ?? tmpdir();
const [templates, binaries] = [mkdtempSync(join(folder, 'migration-templates-')), mkdtempSync(join(tmpdir(), 'migration-binaries-'))];
for (const made of [templates, binaries]) chmodSync(made, 0o755); // PostgreSQL runs as another user
const removed = [keep(templates), keep(binaries)];
const check = run(OWN, [join('node_modules', 'typescript', 'bin', 'tsc'), '--project', 'tsconfig.json']);
makeTemplates(templates, binaries, 2);
const [checked, moto] = await Promise.all([check, prepareMoto()]);
if (checked.code !== 0) {
  process.stdout.write(checked.output);
  process.exit(1);
}
console.log(`types: checked; running ${files.length} files of tests`);
const environment = { ...moto, PG_DIRECTORY: folder, PG_TEMPLATES: templates, PG_BINARIES: binaries, NODE_OPTIONS: '--no-warnings' };
const began = Date.now();
/** @typedef {{node: string, version: string, files: string[], totals: Record<'tests' | 'pass' | 'fail' | 'skipped', number>, passed: boolean}} Suite */
const none = () => ({ tests: 0, pass: 0, fail: 0, skipped: 0 });
/** @type {Suite[]} */
const suites = [{ node: NODE_18, version: await versionOf(NODE_18), files, totals: none(), passed: true }];
for (const node of [NODE_24, OWN]) {
  const version = await versionOf(node);
  const smoke = files.filter((file) => SMOKE.test(file) || (node === NODE_24 && WHOLE.test(file)));
  if (smoke.length > 0 && suites.every((suite) => suite.version !== version)) suites.push({ node, version, files: smoke, totals: none(), passed: true });
}

/** @typedef {{suite: Suite, file: string}} Job */
const jobs = suites.flatMap((suite) => suite.files.map((file) => ({ suite, file }))).sort((a, b) => rank(a.file) - rank(b.file));
/** @type {Job[]} */
const again = [];
const together = jobs.filter(({ file }) => !TIMED.test(file));
await Promise.all(Array.from({ length: AT_ONCE }, () => work(together)));
await work(jobs.filter(({ file }) => TIMED.test(file)));
for (const { suite, file } of again) {
  console.log(`once more, alone: ${file}`);
  const { code, output } = await once({ suite, file });
  count(suite, output);
  suite.passed &&= code === 0;
}
for (const { node, version, totals, passed } of suites)
  console.log(`node ${version} (${relative(ROOT, node)}): ${Object.entries(totals).map(([what, n]) => `${what} ${n}`).join(', ')}${passed ? '' : ': FAILED'}`);
await Promise.all(removed.map((remove) => remove()));
console.log(`${((Date.now() - began) / 1000).toFixed(0)} s${processorSeconds()}`);
process.exit(suites.every(({ passed }) => passed) ? 0 : 1);

/** A database of a test is a few hundred files, which are made and removed in a tenth of the time where they need no disk. @returns {string | undefined} a folder in memory, where there is enough of that */
function inMemory() {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    const [, available = '0'] = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    return Math.min(bavail * bsize, Number(available) * 1024) > NEEDED_BYTES ? '/dev/shm' : undefined;
  } catch {
    return undefined; // another system
  }
}

/** Where a file stands in the order. @param {string} file */
function rank(file) {
  const at = LONGEST.findIndex((path) => file.startsWith(`test/${path}`));
  return at < 0 ? LONGEST.length : at;
}

/** Of all processes that this one has started and that have ended, with all that those have started. */
function processorSeconds() {
  try {
    const [, , , , , , , , , , , , , user = '0', system = '0'] = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /, '').split(' ');
    return `, ${((Number(user) + Number(system)) / 100).toFixed(0)} s of the processors`;
  } catch {
    return ''; // another system
  }
}

/** @param {string} node */
async function versionOf(node) {
  return (await run(node, ['--version'])).output.trim();
}

/** Takes one job after the other, as others may do with the same list. @param {Job[]} list */
async function work(list) {
  for (let job = list.shift(); job !== undefined; job = list.shift()) {
    const { code, output } = await once(job);
    if (code === 0) count(job.suite, output);
    else again.push(job);
  }
}

/** @param {Job} job */
async function once({ suite, file }) {
  const started = Date.now();
  const { code, output } = await run(suite.node, [file], environment);
  if (words.length > 0 || code !== 0) process.stdout.write(output);
  console.log(`${code === 0 ? 'ok' : 'FAILED'} ${file} ${((Date.now() - started) / 1000).toFixed(0)} s${suite === suites[0] ? '' : ` (node ${suite.version})`}`);
  return { code, output };
}

/** @param {Suite} suite @param {string} output */
function count({ totals }, output) {
  for (const [, what, n] of output.matchAll(/^(?:#|ℹ) (tests|pass|fail|skipped) (\d+)/gm)) totals[/** @type {keyof Suite['totals']} */ (what)] += Number(n);
}

/**
 * @param {string} command @param {string[]} args @param {Record<string, string>} [more]
 * @returns {Promise<{code: number | null, output: string}>}
 */
function run(command, args, more = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    // A test that failed may leave something at work that never ends.
    const limit = setTimeout(() => {
      output += `\n(ended by force: it was not done after ${PATIENCE_MS / 60_000} minutes)\n`;
      child.kill('SIGKILL');
    }, PATIENCE_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    });
  });
}
