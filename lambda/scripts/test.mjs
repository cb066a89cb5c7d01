/**
 * `npm test`: the type check, then the whole suite on the machine's own Node.js and on Node.js 18 (the npm package `node`), both at
 * the same time, and after them a part of it on Node.js 24, as a smoke test. `npm test -- mapping sessions` runs the files whose path
 * contains one of the words.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareMoto } from '../test/support/moto.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** In an npm script `node` may be the package's (node_modules/.bin comes first on the path): npm says which one runs npm. */
const OWN = process.env['npm_node_execpath'] ?? process.execPath;
const [NODE_18, NODE_24] = ['node', 'node-24'].map((name) => join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node'));

/** Files at the same time, for each Node.js: every one of them starts servers. */
const AT_ONCE = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)));

/** What touches the runtime itself: modules, streams, buffers, cryptography, the drivers, the bundles. */
const SMOKE = /^test\/(?:lib|mapping|pg|sessions)\/|^test\/build|^test\/sync\/(?:handlers|types|verify)\.test/;

const words = process.argv.slice(2);
const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.mjs') && (words.length === 0 || words.some((word) => file.includes(word))))
  .map((file) => join('test', file))
  .sort();

if (NODE_18 === undefined || NODE_24 === undefined || !existsSync(NODE_18) || !existsSync(NODE_24)) {
  console.error('Node.js 18 and 24 are not installed: `npm ci` installs them, unless install scripts are turned off');
  process.exit(1);
}
const checked = await run(OWN, [join('node_modules', 'typescript', 'bin', 'tsc'), '--project', 'tsconfig.json']);
if (checked.code !== 0) {
  process.stdout.write(checked.output);
  process.exit(1);
}
console.log(`types: checked; running ${files.length} files of tests`);

const environment = await prepareMoto();
const suites = [...new Set([OWN, NODE_18])].map((node) => suite(node, environment, files));
const results = await Promise.all(suites);
const smoke = files.filter((file) => SMOKE.test(file));
if (smoke.length > 0) results.push(await suite(NODE_24, environment, smoke));
process.exit(results.includes(false) ? 1 : 0);

/** @param {string} node @param {Record<string, string>} more @param {string[]} chosen files */
async function suite(node, more, chosen) {
  const version = (await run(node, ['--version'])).output.trim();
  const started = Date.now();
  const { code, output } = await run(node, ['--test', `--test-concurrency=${AT_ONCE}`, ...chosen], { ...more, NODE_OPTIONS: '--no-warnings' });
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const totals = [...output.matchAll(/^(?:#|ℹ) (tests|pass|fail|skipped) (\d+)/gm)].map(([, what, n]) => `${what} ${n}`);
  if (code !== 0 || words.length > 0) process.stdout.write(output);
  console.log(`node ${version} (${relative(ROOT, node)}): ${totals.join(', ')}, ${seconds} s${code === 0 ? '' : ': FAILED'}`);
  return code === 0;
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
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
