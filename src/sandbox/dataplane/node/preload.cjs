/** Names that the data plane serves have loopback addresses: those of its file `names.json`. All others are looked up as ever. */
'use strict';
const dns = require('node:dns');
const { readFileSync, statSync } = require('node:fs');

const file = process.env.DATA_PLANE_NAMES;
delete process.env.DATA_PLANE_NAMES;
const system = dns.lookup;
let read = { at: -1, addresses: {} };

/** @param {string} name */
function known(name) {
  const at = statSync(file).mtimeMs;
  if (at !== read.at) read = { at, addresses: JSON.parse(readFileSync(file, 'utf8')).addresses };
  return read.addresses[String(name).toLowerCase().replace(/\.$/, '')];
}

dns.lookup = function lookup(name, options, callback) {
  const done = callback ?? options;
  let address;
  try {
    address = known(name);
  } catch {
    address = undefined; // no file yet: no name is served
  }
  if (address === undefined) return Reflect.apply(system, dns, arguments);
  const all = typeof options === 'object' && options !== null && options.all;
  process.nextTick(() => (all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)));
  return {};
};
dns.promises.lookup = (name, options) =>
  new Promise((resolve, reject) => {
    dns.lookup(name, options ?? {}, (error, address, family) => (error ? reject(error) : resolve(Array.isArray(address) ? address : { address, family })));
  });
