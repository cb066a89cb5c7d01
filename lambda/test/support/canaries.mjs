import assert from 'node:assert/strict';

/** Values that must be in no log line, metric, error or answer. Plant them in rows, secrets and sessions. */
export const CANARIES = {
  pan: '4929123456781234',
  panSpaced: '4929 1234 5678 1235',
  cvv: 'cvv-canary-737',
  password: 'Canary-Pa55w0rd!',
  name: 'Kanarienvögel Æther',
  token: 'session-canary-7f3e9b',
};

/**
 * Searches everything that was written for the canaries: as they are, without separators, in hex, base64 and as JSON writes them.
 * @param {string} written @param {string} where
 */
export function assertNoCanary(written, where) {
  const squeezed = written.replace(/[\s-]/g, '');
  for (const [kind, canary] of Object.entries(CANARIES)) {
    const shapes = [canary, JSON.stringify(canary).slice(1, -1), escape(canary), encodeURIComponent(canary), Buffer.from(canary).toString('hex'), Buffer.from(canary).toString('base64').replace(/=+$/, '')];
    for (const shape of shapes) assert.ok(!written.includes(shape), `${where}: the ${kind} was written`);
    const digits = canary.replace(/\D/g, '');
    if (digits.length >= 12) assert.ok(!squeezed.includes(digits), `${where}: the digits of the ${kind} were written`);
  }
}
