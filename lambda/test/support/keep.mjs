import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const KEEPER = fileURLToPath(new URL('keeper.sh', import.meta.url));

/**
 * A process of its own that removes a folder, and the PostgreSQL server that runs in it, when this process has ended, however it ended.
 * @param {string} directory @returns {() => Promise<void>} does it now
 */
export function keep(directory) {
  const keeper = spawn('sh', [KEEPER, directory], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
  keeper.unref();
  /** @type {import('node:net').Socket} */ (keeper.stdin).unref();
  return async () => {
    const gone = new Promise((resolve) => keeper.once('exit', resolve));
    keeper.ref();
    keeper.stdin.end();
    await gone;
  };
}
