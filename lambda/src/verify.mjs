import { Secrets } from './lib/secrets.mjs';
import { invoke } from './sync/invoke.mjs';
import { verify } from './verify/run.mjs';

const secrets = new Secrets();

/**
 * Compares blue and green at one moment and answers a verdict. README.md documents events and answers.
 * @param {{tables?: unknown}} event
 * @param {import('./sync/invoke.mjs').LambdaContext} [context]
 */
export const handler = (event, context) => invoke('verify', event, context, secrets, (invocation) => verify(invocation, event?.tables ?? undefined));
