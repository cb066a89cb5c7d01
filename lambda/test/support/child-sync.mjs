/** One run of sync as a process, to be killed. */
import { run } from '../../src/sync/run.mjs';
import { invocationOf } from './lab.mjs';

const invocation = invocationOf(JSON.parse(/** @type {string} */ (process.argv[2])));
const answer = await run(invocation);
console.log(JSON.stringify({ answer, maxRss: process.resourceUsage().maxRSS }));
