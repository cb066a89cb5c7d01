/**
 * A process with the functions in it, as Lambda runs them. Each line of standard input is one invocation: {file, event, environment, seconds}. The function's code is loaded anew for it (a cold
 * start), the AWS SDK, which is the runtime's, is not. After what the function writes comes a line `ANSWER` with its answer.
 */
const { createInterface } = require('node:readline');

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    const { file, event, environment, seconds } = JSON.parse(line);
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, environment);
    delete require.cache[require.resolve(file)];
    const end = Date.now() + seconds * 1000;
    const answer = await require(file).handler(event, { awsRequestId: 'test-1', getRemainingTimeInMillis: () => end - Date.now() });
    process.stdout.write(`ANSWER ${JSON.stringify(answer)}\n`);
  }
})();
