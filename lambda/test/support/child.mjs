/**
 * One call as a process of its own, to be killed or measured: {"does": ..., "back": true, ...}. `back` is from green to blue. `streams` is one run after the other, for as long as it is let. With `halt` it stops itself at a place in
 * its work (halt.mjs).
 */
import { cutover } from '../../src/control/cutover.mjs';
import { prepare } from '../../src/control/prepare.mjs';
import { reversed } from '../../src/lib/config.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { run } from '../../src/sync/run.mjs';
import { halting } from './halt.mjs';
import { invocationOf } from './invocation.mjs';

const { does, back = false, accept, halt, ...parts } = JSON.parse(process.argv[2] ?? '{}');
/** @type {import('../../src/sync/context.mjs').Invocation} */
const invocation = invocationOf(parts, undefined, does === 'streams' ? () => {} : undefined);
if (halt !== undefined) halting(invocation, parts, halt);
if (back && does !== 'cutover') invocation.config = reversed(invocation.config);

const WORK = {
  run: () => run(invocation),
  cutover: () => cutover(invocation, back),
  prepare: () => prepare(invocation, accept),
  streams: async () => {
    for (;;) {
      await run({ ...invocation, deadline: new Deadline(Date.now() + 20_000) }).catch((error) => console.log(`${back ? 'back' : 'forward'}: ${error} ${JSON.stringify(error.code)}`));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  },
};
const answer = await WORK[/** @type {keyof typeof WORK} */ (does)]();
console.log(JSON.stringify({ answer, maxRss: process.resourceUsage().maxRSS }));
