import { PermanentError } from './lib/errors.mjs';
import { Secrets } from './lib/secrets.mjs';
import { invoke } from './sync/invoke.mjs';
import { canary } from './control/canary.mjs';
import { cutover } from './control/cutover.mjs';
import { finish } from './control/finish.mjs';
import { hashKey } from './control/hash-key.mjs';
import { plan } from './control/plan.mjs';
import { prepare } from './control/prepare.mjs';
import { status } from './control/status.mjs';

/**
 * @typedef {import('./sync/context.mjs').Invocation} Invocation
 * @typedef {{action?: string, reverse?: unknown, accept?: unknown, release?: unknown}} Event
 */

const secrets = new Secrets();

/** @type {Record<string, (invocation: Invocation, event: Event) => Promise<object>>} */
const ACTIONS = {
  plan, status, canary, 'hash-key': hashKey,
  prepare: (invocation, { accept }) => prepare(invocation, accept),
  cutover: (invocation, { reverse }) => cutover(invocation, flag('reverse', reverse)),
  finish: (invocation, { release }) => finish(invocation, flag('release', release)),
};

/** @param {string} name @param {unknown} value */
function flag(name, value) {
  if (value === undefined || value === null || typeof value === 'boolean') return value === true;
  throw new PermanentError('EVENT', `the event's "${name}" is neither true nor false`, { hint: 'leave it out, or give true' });
}

/**
 * Decides which side takes the writes, and keeps the way back open. README.md documents events and answers.
 * @param {Event} event
 * @param {import('./sync/invoke.mjs').LambdaContext} [context]
 */
export const handler = (event, context) =>
  invoke('control', event, context, secrets, async (invocation) => {
    const action = Object.hasOwn(ACTIONS, event?.action ?? '') ? ACTIONS[event.action ?? ''] : undefined;
    if (action === undefined) throw new PermanentError('EVENT', 'the event names no known action', { hint: `it takes {"action": ...} with one of ${Object.keys(ACTIONS).join(', ')}` });
    if (invocation.config.direction === 'reverse') throw new PermanentError('CONFIG', 'DIRECTION is for sync alone: control knows both directions', { hint: 'remove the variable' });
    return await action(invocation, event);
  });
