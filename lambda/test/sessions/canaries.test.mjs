/** The sessions function as a process of its own, driven into every error; everything it writes is searched. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CANARIES, assertNoCanary } from '../support/canaries.mjs';
import { awsEnvironment } from '../support/moto.mjs';

const HANDLER = fileURLToPath(new URL('../../src/sessions.mjs', import.meta.url));

/** A DynamoDB that answers as it is told, and quotes the request in its errors. */
let reply = { status: 200, type: '', more: {} };
/** Of the last request: its signature is a secret too. */
let headers = '';
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    if (reply.status === 0) return void request.socket.destroy();
    response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.0' });
    headers = JSON.stringify(request.headers);
    const error = reply.type === 'SignatureDoesNotMatch' ? { __type: reply.type, message: `The canonical string should have been ${headers}${body}` } : { __type: `com.amazonaws.dynamodb.v20120810#${reply.type}`, message: `refused: ${body}`, Message: body, ...reply.more };
    response.end(reply.status === 200 ? '{}' : JSON.stringify(error));
  });
});
before(() => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined))));
after(() => void server.close());

const image = { session_id: { S: CANARIES.token }, card: { S: CANARIES.pan }, spaced: { S: CANARIES.panSpaced }, holder: { S: CANARIES.name }, [CANARIES.cvv]: { S: CANARIES.password }, version: { N: CANARIES.pan } };
const record = (/** @type {string} */ eventName, /** @type {object} */ more = {}) => ({
  eventName, dynamodb: { Keys: { session_id: { S: CANARIES.token } }, SequenceNumber: '42', NewImage: image, OldImage: image, ...more },
});

/** @param {unknown} event @param {Record<string, string>} [environment] @param {number} [remainingMs] @returns {Promise<{output: string, answer: any}>} */
function invoke(event, environment = {}, remainingMs = 60_000) {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const script = `import { handler } from ${JSON.stringify(HANDLER)};
    const context = { awsRequestId: 'canary', getRemainingTimeInMillis: () => ${remainingMs} };
    const answer = await handler(JSON.parse(process.env.EVENT), context).catch((error) => ({ errorType: error.name, errorMessage: error.message, ...error, stack: error.stack, cause: error.cause }));
    console.log('ANSWER ' + JSON.stringify(answer));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...awsEnvironment(`http://127.0.0.1:${port}`), TARGET_TABLE: 'sessions-green', SOURCE_TABLE: 'sessions-blue', LOG_LEVEL: 'debug', EVENT: JSON.stringify(event), NODE_OPTIONS: '--no-warnings', ...environment },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.once('close', () => resolve({ output, answer: JSON.parse(output.split('ANSWER ')[1] ?? 'null') })));
}

const CANCELLED = { CancellationReasons: [{ Code: 'ValidationError', Message: CANARIES.pan, Item: image }, { Code: 'None' }] };

/** @type {[string, typeof reply, unknown, RegExp][]} */
const CASES = [
  ['success', { status: 200, type: '', more: {} }, { Records: [record('INSERT'), record('REMOVE')] }, /"written":2/],
  ['refused', { status: 400, type: 'ValidationException', more: {} }, { Records: [record('MODIFY')] }, /"code":"AWS_REFUSED"/],
  ['no permission', { status: 400, type: 'AccessDeniedException', more: {} }, { Records: [record('MODIFY')] }, /lacks a permission/],
  ['the signature is refused, and quoted', { status: 403, type: 'SignatureDoesNotMatch', more: {} }, { Records: [record('MODIFY')] }, /AWS answered SignatureDoesNotMatch.*the signature is not accepted/],
  ['the same for copy', { status: 403, type: 'SignatureDoesNotMatch', more: {} }, { action: 'copy' }, /AWS answered SignatureDoesNotMatch.*the signature is not accepted/],
  ['throttled to the end', { status: 400, type: 'ThrottlingException', more: {} }, { Records: [record('REMOVE')] }, /retrying a session/],
  ['out of order', { status: 500, type: 'InternalServerError', more: {} }, { Records: [record('INSERT')] }, /retrying a session/],
  ['cancelled', { status: 400, type: 'TransactionCanceledException', more: CANCELLED }, { Records: [record('INSERT')] }, /DynamoDB refused the session \(ValidationError\)/],
  ['connection lost', { status: 0, type: '', more: {} }, { Records: [record('INSERT')] }, /retrying a session.*AWS_UNREACHABLE/],
  ['no image', { status: 200, type: '', more: {} }, { Records: [record('INSERT', { NewImage: undefined })] }, /STREAM_VIEW/],
  ['another event', { status: 200, type: '', more: {} }, { Records: [{ Sns: image }] }, /none of a DynamoDB stream/],
  ['no event', { status: 200, type: '', more: {} }, image, /holds no Records/],
  ['a malformed item', { status: 200, type: '', more: {} }, { Records: [record('INSERT', { NewImage: { x: null, y: CANARIES.pan } })] }, /"code":"EVENT"/],
];

test('no session, token or card number is written, whatever happens', async () => {
  for (const [what, told, event, expected] of CASES) {
    reply = told;
    // What is tried again goes on to the end of the time.
    const { output, answer } = await invoke(event, {}, expected.source.includes('retrying') ? 8_000 : 60_000);
    assert.match(output, expected, `${what}:\n${output}`);
    assertNoCanary(output, what);
    const signature = /Signature=([0-9a-f]+)/.exec(headers)?.[1] ?? '-';
    assert.ok(!output.includes(signature) && !/AWS4-HMAC|x-amz-date|AKIA/i.test(output), `${what}: headers were written`);
    assert.ok(answer !== null, what);
    for (const line of output.split('\n').filter((text) => text.startsWith('{'))) assert.ok(JSON.parse(line));
  }
});

test('a secret in the wrong variable is not written either', async () => {
  const { output } = await invoke({ Records: [] }, { TARGET_TABLE: CANARIES.password, LOG_LEVEL: CANARIES.password });
  assert.match(output, /TARGET_TABLE is not the name of a DynamoDB table/);
  assertNoCanary(output, 'environment');
  reply = { status: 200, type: '', more: {} };
  const variables = ['STATE_TABLE', 'SOURCE_TABLE', 'HASH_KEY_SECRET_ARN', 'VERSION_ATTRIBUTE', 'TIME_ATTRIBUTE', 'TTL_ATTRIBUTE'];
  /** @type {[string, unknown][]} */
  const events = [[CANARIES.password, { Records: [record('INSERT'), record('REMOVE')] }], [CANARIES.pan, { action: 'copy', segments: CANARIES.pan }]];
  for (const [canary, event] of events) {
    const { output: all } = await invoke(event, Object.fromEntries(variables.map((name) => [name, canary])));
    assert.match(all, /HASH_KEY_SECRET_ARN is not the ARN of a secret/);
    assertNoCanary(all, `all variables, ${canary}`);
  }
});
