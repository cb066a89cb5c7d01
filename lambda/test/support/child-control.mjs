/** A cutover as a process of its own, to be killed. */
import { cutover } from '../../src/control/cutover.mjs';
import { invocationOf } from './lab.mjs';

const { reverse, ...parts } = JSON.parse(process.argv[2] ?? '{}');
console.log(JSON.stringify(await cutover(/** @type {any} */ (invocationOf(parts)), reverse)));
