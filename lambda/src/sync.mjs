import { PermanentError } from './lib/errors.mjs';
import { Secrets } from './lib/secrets.mjs';
import { invoke } from './sync/invoke.mjs';
import { status, stop } from './sync/manage.mjs';
import { run } from './sync/run.mjs';

const secrets = new Secrets();
const ACTIONS = { run, status, stop };

/**
 * Copies the payment database from blue to green and keeps it up to date. README.md documents events and answers.
 * @param {{action?: string}} event
 * @param {import('./sync/invoke.mjs').LambdaContext} [context]
 */
export const handler = (event, context) =>
  invoke('sync', event, context, secrets, async (invocation) => {
    const action = event?.action;
    if (action !== 'run' && action !== 'status' && action !== 'stop')
      throw new PermanentError('EVENT', 'the event names no known action', { hint: 'it takes {"action": "run"}, {"action": "status"} or {"action": "stop"}' });
    return await ACTIONS[action](invocation);
  });
