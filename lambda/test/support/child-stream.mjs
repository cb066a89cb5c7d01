/** Runs of one stream, one after the other, as a process to be killed: {"back": true} from green to blue. */
import { reversed } from '../../src/lib/config.mjs';
import { run } from '../../src/sync/run.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { invocationOf } from './lab.mjs';

const { back, ...parts } = JSON.parse(process.argv[2] ?? '{}');
for (;;) {
  const invocation = invocationOf(parts, undefined, () => {});
  const config = back === true ? reversed(invocation.config) : invocation.config;
  try {
    await run(/** @type {any} */ ({ ...invocation, config, deadline: new Deadline(Date.now() + 20_000) }));
  } catch (error) {
    console.log(`${back === true ? 'back' : 'forward'}: ${error} ${JSON.stringify(/** @type {any} */ (error).code)}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 150));
}
