/**
 * AWS for tests: the moto server (Secrets Manager, SSM, DynamoDB with its streams) on a free loopback port. It is a Python
 * program; `MOTO_PYTHON` names an interpreter that has it, otherwise it is installed once into the cache folder, from the
 * hash-pinned list beside this file: a copy of the deployer's own, so that this folder can be tested alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const REQUIREMENTS = fileURLToPath(new URL('moto-requirements.txt', import.meta.url));

/** Makes sure that there is a moto to start; answers the environment that tells the tests where. */
export async function prepareMoto() {
  const given = process.env['MOTO_PYTHON'];
  return { MOTO_PYTHON: given ?? (await install()) };
}

async function install() {
  const pinned = readFileSync(REQUIREMENTS);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'deployer');
  const folder = join(cache, `lambda-venv-${createHash('sha256').update(pinned).digest('hex').slice(0, 12)}`);
  const python = join(folder, 'bin', 'python');
  const complete = join(folder, '.complete');
  const lock = `${folder}.lock`;
  mkdirSync(cache, { recursive: true });
  while (!existsSync(complete)) {
    try {
      mkdirSync(lock);
    } catch {
      if (takeOver(lock)) continue;
      await sleep(500); // another run installs it
      continue;
    }
    try {
      writeFileSync(join(lock, 'pid'), String(process.pid));
      console.log(`installing the moto server into ${folder} (once)`);
      rmSync(folder, { recursive: true, force: true });
      mustRun('python3', ['-m', 'venv', folder]);
      mustRun(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes', '-r', REQUIREMENTS]);
      writeFileSync(complete, '');
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return python;
}

/** A lock whose owner died in the middle. @param {string} lock */
function takeOver(lock) {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') return false;
    rmSync(lock, { recursive: true, force: true });
    return true;
  }
}

/** @param {string} command @param {string[]} args */
function mustRun(command, args) {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${done.stderr} ${done.error ?? ''}`);
}

/** Credentials that moto takes as they come, and no others by mistake. @param {string} endpoint */
export const awsEnvironment = (endpoint) => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'for-moto-only',
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** The client options for the same. @param {string} endpoint */
export const awsClient = (endpoint) => ({
  endpoint,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'for-moto-only' },
});

/** The server ends with its standard input, so that none is left behind by a test that was killed. */
const SERVE = `
import os, sys, threading
from moto.server import main
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
main(sys.argv[1:])
`;

/** @returns {Promise<{endpoint: string, stop: () => Promise<void>}>} */
export async function startMoto() {
  const { MOTO_PYTHON: python } = await prepareMoto();
  // A port that was free may be another program's by now.
  for (let attempt = 1; ; attempt += 1) {
    const moto = await startOnce(python);
    if (moto !== undefined) return moto;
    if (attempt === 5) throw new Error('the moto server did not start');
  }
}

/** @param {string} python @returns {Promise<{endpoint: string, stop: () => Promise<void>} | undefined>} undefined: it has ended, or does not answer */
async function startOnce(python) {
  const port = await freePort();
  const server = spawn(python, ['-c', SERVE, '-H', '127.0.0.1', '-p', String(port)], { stdio: ['pipe', 'ignore', 'ignore'] });
  server.unref();
  /** @type {import('node:net').Socket} */ (server.stdin).unref();
  const endpoint = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + 60_000; server.exitCode !== null || !(await answers(endpoint)); await sleep(50))
    if (server.exitCode !== null || Date.now() > end) {
      server.kill('SIGKILL');
      return undefined;
    }
  return {
    endpoint,
    stop: async () => {
      server.ref();
      const gone = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await gone;
    },
  };
}

/** @param {string} endpoint */
async function answers(endpoint) {
  try {
    return (await fetch(`${endpoint}/moto-api/`)).ok;
  } catch {
    return false;
  }
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
