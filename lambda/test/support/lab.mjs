/** Two servers with a database each, and invocations of sync and verify between them, without AWS. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { cutover } from '../../src/control/cutover.mjs';
import { finish } from '../../src/control/finish.mjs';
import { plan } from '../../src/control/plan.mjs';
import { prepare } from '../../src/control/prepare.mjs';
import { status as controlStatus } from '../../src/control/status.mjs';
import { reversed } from '../../src/lib/config.mjs';
import { Deadline } from '../../src/lib/deadline.mjs';
import { BusyError } from '../../src/sync/lock.mjs';
import { run } from '../../src/sync/run.mjs';
import { verify } from '../../src/verify/run.mjs';
import { status as manageStatus, stop as manageStop, watchSlot } from '../../src/sync/manage.mjs';
import { invocationOf } from './invocation.mjs';
import { FAST, SUPERUSER, startServer } from './postgres.mjs';


/**
 * @typedef {import('./postgres.mjs').Server} Server
 * @typedef {Partial<typeof import('../../src/sync/tuning.mjs').TUNING>} Tuning
 * @typedef {{mapping: unknown, tuning?: Tuning, seconds?: number, hashKey?: Buffer}} Options
 */

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const NO_AWS = fileURLToPath(new URL('no-aws.cjs', import.meta.url));
const AWS = ['dynamodb', 'secrets-manager', 'ssm'];

export class Lab {
  /** @param {Server} blue @param {Server} green @param {string} database */
  constructor(blue, green, database) {
    this.blue = blue;
    this.green = green;
    this.database = database;
    /** Who connects, where it is not the superuser. @type {{source?: {username: string, password: string}, target?: {username: string, password: string}}} */
    this.logins = {};
    /** Every line that was logged. @type {string[]} */
    this.lines = [];
  }

  /** @param {Record<string, string>} [settings] @param {Record<string, string>} [environment] */
  static async start(settings = FAST, environment = {}) {
    const [blue, green] = await Promise.all([startServer(settings, environment), startServer(settings, environment)]);
    return new Lab(blue, green, 'pay');
  }

  /** A fresh pair of databases on the same servers. @param {string} database @param {string} blueDdl @param {string} [greenDdl] */
  async fresh(database, blueDdl, greenDdl = blueDdl) {
    await Promise.all([this.blue.createDatabase(database, blueDdl), this.green.createDatabase(database, greenDdl)]);
    return new Lab(this.blue, this.green, database);
  }

  async remove() {
    await Promise.all([this.blue.remove(), this.green.remove()]);
  }

  /** @param {string} sql */
  onBlue(sql) {
    return this.blue.query(this.database, sql);
  }

  /** @param {string} sql */
  onGreen(sql) {
    return this.green.query(this.database, sql);
  }

  /** What a child needs to know, or an invocation is made of. @param {Options} options */
  parts({ mapping, tuning, seconds = 300 }) {
    const end = (/** @type {Server} */ server, /** @type {'source' | 'target'} */ role) => ({
      role, host: server.host, port: server.port, database: this.database, secretArn: role,
    });
    return {
      config: { source: end(this.blue, 'source'), target: end(this.green, 'target') },
      logins: { source: { username: SUPERUSER, password: this.blue.password }, target: { username: SUPERUSER, password: this.green.password }, ...this.logins },
      mapping, tuning, seconds,
    };
  }

  /** @param {Options} options */
  invocation(options) {
    return invocationOf(this.parts(options), options.hashKey, (line) => this.lines.push(line));
  }

  /** @param {Options} options */
  run(options) {
    return run(this.invocation(options));
  }

  /** @param {Options} options */
  status(options) {
    return manageStatus(this.invocation(options));
  }

  /** @param {Options} options */
  stop(options) {
    return manageStop(this.invocation(options));
  }

  /** What is measured after a failure. @param {Options} options */
  async watched(options) {
    const invocation = this.invocation(options);
    await watchSlot(invocation);
    return Object.fromEntries(invocation.metrics.values);
  }

  /** @param {Options} options @param {string[]} [tables] */
  verify(options, tables) {
    return verify(this.invocation(options), tables);
  }

  /** From green to blue. @param {Options} options */
  backwards(options) {
    const invocation = this.invocation(options);
    return { ...invocation, config: reversed(invocation.config) };
  }

  /** @param {Options} options */
  runBack(options) {
    return run(this.backwards(options));
  }

  /** @param {Options} options */
  plan(options) {
    return plan(this.invocation(options));
  }

  /** @param {Options} options @param {string[]} [accept] */
  prepare(options, accept) {
    return prepare(this.invocation(options), accept);
  }

  /** @param {Options} options @param {boolean} [reverse] @returns {Promise<any>} */
  cutover(options, reverse = false) {
    return cutover(this.invocation(options), reverse);
  }

  /** @param {Options} options */
  sides(options) {
    return controlStatus(this.invocation(options));
  }

  /** @param {Options} options @param {boolean} [release] */
  finish(options, release = false) {
    return finish(this.invocation(options), release);
  }

  /** Runs until green is up to date. @param {Options} options */
  async untilSynced(options) {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const answer = await this.run(options).catch((error) => {
        if (error instanceof BusyError) return undefined; // a killed run's backend, on a busy machine
        throw error;
      });
      if (answer?.status === 'synced') return answer;
    }
    throw new Error('never up to date');
  }

  /** Starts a run as a process of its own. @param {Options} options @param {{whole?: boolean}} [more] */
  spawnRun(options, more) {
    return this.spawn('run', options, more);
  }

  /**
   * `whole`: with the AWS SDK, as on Lambda, where memory or time is measured. It is never called here, and to load it takes longer than all the rest.
   * @param {'run' | 'cutover' | 'prepare' | 'streams'} does @param {Options} options @param {{back?: boolean, accept?: string[], whole?: boolean, halt?: import('./halt.mjs').Halt}} [more] @param {Record<string, string>} [environment]
   */
  spawn(does, options, { whole = false, ...more } = {}, environment = {}) {
    const child = spawn(process.execPath, [this.#child(whole), JSON.stringify({ ...this.parts(options), does, ...more })], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    let output = '';
    child.stdout.on('data', (block) => (output += block));
    child.stderr.on('data', (block) => (output += block));
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })));
    /** Waits until it has written this, or has ended. @param {RegExp} pattern @returns {Promise<void>} */
    const said = (pattern) =>
      new Promise((resolve) => {
        const look = () => pattern.test(output) && resolve();
        child.stdout.on('data', look);
        child.once('close', () => resolve());
        look();
      });
    /** Waits until it has stopped itself. */
    const stopped = async () => {
      while (child.exitCode === null && child.signalCode === null && !/^.*\) T/.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    return { child, said, stopped, output: () => output, ended: /** @type {Promise<{code: number | null, signal: string | null, output: string}>} */ (ended) };
  }

  /** The program as one file, as on Lambda: a hundred files take four times as long to load. */
  #child(/** @type {boolean} */ whole) {
    const file = join(this.blue.directory, `child-${whole ? 'whole' : 'lean'}.mjs`);
    if (!existsSync(file))
      buildSync({
        entryPoints: [CHILD], outfile: file, bundle: true, platform: 'node', format: 'esm', target: 'node18', external: [...(whole ? ['@aws-sdk/*', '@smithy/*'] : []), 'pg-native'], logLevel: 'warning',
        ...(!whole && { alias: Object.fromEntries(AWS.map((name) => [`@aws-sdk/client-${name}`, NO_AWS])) }),
        banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      });
    return file;
  }
}

/** Time that is up after so many questions whether some is left. */
export class Steps extends Deadline {
  /** @param {number} steps */
  constructor(steps) {
    super(Date.now() + 300_000);
    this.steps = steps;
  }

  /** @param {number} [ms] @override */
  allows(ms = 1) {
    return ms <= 1 || (this.steps -= 1) >= 0;
  }
}
