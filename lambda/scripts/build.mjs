/**
 * `npm run build`: each function as a zip under dist/, the same bytes on every machine and in every folder: fixed names, order, times
 * and modes, and a compressor that is part of the lock file and not of Node.js. The AWS SDK is the Lambda runtime's.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { zipSync } from 'fflate';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The handler of each is `<name>.handler`. */
export const FUNCTIONS = ['control', 'sessions', 'sync', 'verify'];

/** Read from the local time of a zip: made from local parts, it is midnight in every zone. */
const MTIME = new Date(1980, 0, 1);
/** A regular file that everybody may read: Lambda runs as another user. */
const MODE = (0o100644 << 16) >>> 0;
const UNIX = 3;

/**
 * CommonJS, since `require` finds the runtime's SDK by NODE_PATH in every version of Node.js; names stay, so that a stack is readable.
 * @param {string} name @returns {Promise<Uint8Array>}
 */
async function bundle(name) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join('src', `${name}.mjs`)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node18',
    tsconfigRaw: '{}',
    external: ['@aws-sdk/*', '@smithy/*', 'pg-native'],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    charset: 'utf8',
    write: false,
    logLevel: 'warning',
  });
  const [file] = outputFiles;
  if (file === undefined || outputFiles.length > 1) throw new Error(`${name}: one file was expected`);
  return file.contents;
}

/** @param {string} out the folder, which is emptied first */
export async function buildAll(out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const built = [];
  for (const name of FUNCTIONS) {
    const zip = zipSync({ [`${name}.js`]: [await bundle(name), { mtime: MTIME, attrs: MODE, os: UNIX, level: 9 }] });
    const file = join(out, `${name}.zip`);
    writeFileSync(file, zip);
    built.push({ file, bytes: zip.length, sha256: createHash('sha256').update(zip).digest('hex') });
  }
  return built;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { file, bytes, sha256 } of await buildAll(join(ROOT, 'dist'))) console.log(`${relative(ROOT, file)}  ${bytes} bytes  sha256 ${sha256}`);
}
