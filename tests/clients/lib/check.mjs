// Checks of one client test: each is counted, all are run, and what failed is told.
import assert from 'node:assert/strict';

export const url = process.env.VCUBE_URL;
if (!url) throw new Error('VCUBE_URL is not set: tests/clients/run sets it');

let passed = 0;
let failed = 0;

// Run a function; what it throws is a failure of this check alone.
export async function check(name, run) {
  try {
    await run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n  ${String(error?.stack ?? error).replaceAll('\n', '\n  ')}`);
  }
}

// The last line of a test, which tests/clients/run adds up.
export function done() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

// An answer of our own API, parsed; what is not 200 is an error.
export async function get(path, options) {
  const response = await fetch(url + path, options);
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${path}: HTTP ${response.status} ${body}`);
  return JSON.parse(body);
}

// GET /v1/cubes/{cube}/aggregate.
export function aggregate(cube, parameters) {
  return get(`/v1/cubes/${encodeURIComponent(cube)}/aggregate?${new URLSearchParams(parameters)}`);
}

export { assert };
