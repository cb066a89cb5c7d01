/**
 * One execution environment of a function, as Lambda has it: the code is loaded once, then each line of standard input is an invocation
 * `{id, event, arn, end}`. What the function writes is its log; answers go to the file descriptor `DATA_PLANE_ANSWERS`, one line each:
 * `{ready: true}` or `{init: error}` first, then `{id, payload}` or `{id, error}`.
 */
'use strict';
const { createInterface } = require('node:readline');
const { writeSync } = require('node:fs');
const { join } = require('node:path');

const ANSWERS = Number(process.env.DATA_PLANE_ANSWERS);
delete process.env.DATA_PLANE_ANSWERS;
const tell = (message) => {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let at = 0; at < line.length; ) {
    try {
      at += writeSync(ANSWERS, line, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
};

/** An error as Lambda's Node.js runtime answers it. @param {unknown} error */
const shown = (error) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };

process.on('uncaughtException', (error) => {
  tell({ fatal: shown(error) });
  process.exit(129);
});
process.on('unhandledRejection', (reason) => {
  const why = shown(reason);
  tell({ fatal: { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: `${why.errorType}: ${why.errorMessage}`, trace: why.trace } });
  process.exit(128);
});

const [file, name] = /^(.*)\.([^.]+)$/.exec(process.env._HANDLER ?? '')?.slice(1) ?? [];
let handler;
try {
  handler = require(join(process.env.LAMBDA_TASK_ROOT, file))[name];
  if (typeof handler !== 'function') throw Object.assign(new Error(`${process.env._HANDLER} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  tell({ ready: true });
} catch (error) {
  tell({ init: shown(error) });
  process.exit(1);
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, event, arn, end } = JSON.parse(line);
  const { AWS_LAMBDA_FUNCTION_NAME: functionName, AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memoryLimitInMB } = process.env;
  const { AWS_LAMBDA_LOG_GROUP_NAME: logGroupName, AWS_LAMBDA_LOG_STREAM_NAME: logStreamName } = process.env;
  const context = {
    awsRequestId: id, invokedFunctionArn: arn, functionName, functionVersion: '$LATEST', memoryLimitInMB, logGroupName, logStreamName,
    callbackWaitsForEmptyEventLoop: true, getRemainingTimeInMillis: () => Math.max(0, end - Date.now()),
  };
  try {
    const answer = await handler(event, context);
    tell({ id, payload: JSON.stringify(answer) ?? 'null' });
  } catch (error) {
    tell({ id, error: shown(error) });
  }
});
