/**
 * `npm test`: the type check, then the whole suite on Node.js 18 (the npm package `node`; it is what runs on Lambda), and after it
 * a part of it on the machine's own Node.js and on Node.js 24, as a smoke test. `npm test -- mapping sessions` runs the files whose
 * path contains one of the words. What is in test/timed runs when nothing else does. A file that fails is run once more when nothing else runs, and the output says so: a machine
 * that is busy with something else must not look like a fault.
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

/** Files at the same time: every one of them starts servers. */
const AT_ONCE = Math.max(1, Math.min(4, availableParallelism()));

/** What measures times: these files run one after the other, when the others are done. */
const TIMED = /^test\/timed\//;

/** What touches the runtime itself: modules, streams, buffers, cryptography, the drivers. */
const SMOKE = /^test\/(?:lib|pg)\/|^test\/sync\/(?:handlers|types)\.test/;

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
const smoke = files.filter((file) => SMOKE.test(file));
const results = [await suite(NODE_18, environment, files)];
for (const node of [OWN, NODE_24]) if (smoke.length > 0) results.push(await suite(node, environment, smoke));
process.exit(results.includes(false) ? 1 : 0);

/** @param {string} node @param {Record<string, string>} more @param {string[]} chosen files */
async function suite(node, more, chosen) {
  const version = (await run(node, ['--version'])).output.trim();
  const started = Date.now();
  const totals = { tests: 0, pass: 0, fail: 0, skipped: 0 };
  /** @param {string} file */
  const one = async (file) => {
    const began = Date.now();
    const { code, output } = await run(node, ['--test', file], { ...more, NODE_OPTIONS: '--no-warnings' });
    if (words.length > 0 || code !== 0) process.stdout.write(output);
    console.log(`${code === 0 ? 'ok' : 'FAILED'} ${file} ${((Date.now() - began) / 1000).toFixed(0)} s`);
    return { code, output };
  };
  /** @param {string} output */
  const count = (output) => {
    for (const [, what, n] of output.matchAll(/^(?:#|ℹ) (tests|pass|fail|skipped) (\d+)/gm)) totals[/** @type {keyof typeof totals} */ (what)] += Number(n);
  };
  const left = chosen.filter((file) => !TIMED.test(file));
  /** @type {string[]} */
  const again = [];
  const worker = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const { code, output } = await one(file);
      if (code === 0) count(output);
      else again.push(file);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const file of chosen.filter((file) => TIMED.test(file))) {
    const { code, output } = await one(file);
    if (code === 0) count(output);
    else again.push(file);
  }
  let passed = true;
  for (const file of again) {
    console.log(`once more, alone: ${file}`);
    const { code, output } = await one(file);
    count(output);
    passed &&= code === 0;
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const shown = Object.entries(totals).map(([what, n]) => `${what} ${n}`);
  console.log(`node ${version} (${relative(ROOT, node)}): ${shown.join(', ')}, ${seconds} s${passed ? '' : ': FAILED'}`);
  return passed;
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
