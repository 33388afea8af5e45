// Checks of one test: each is counted, all are run, and what failed is told.
import assert from 'node:assert/strict';

let passed = 0;
let failed = 0;

// Run a function; what it throws is a failure of this check alone.
export async function check(name, run) {
  try {
    await run();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n  ${String(error?.message ?? error).replaceAll('\n', '\n  ')}`);
  }
}

// The last line of a test, which tests/reports/run adds up.
export function done() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

export { assert };
