/** Waits until the test that started it ends or dies (its end of the pipe closes), then removes server and directory. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const directory = /** @type {string} */ (process.argv[2]);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => {});
process.stdin.resume();
process.stdin.once('error', clean);
process.stdin.once('end', clean);

async function clean() {
  const pid = postmaster();
  if (pid !== undefined) {
    signalled(pid, 'SIGQUIT');
    for (let attempt = 0; attempt < 100 && signalled(pid, 0); attempt += 1) await sleep(50);
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

function postmaster() {
  try {
    return Number(readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]) || undefined;
  } catch {
    return undefined;
  }
}

/** @param {number} pid @param {NodeJS.Signals | 0} signal */
function signalled(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
