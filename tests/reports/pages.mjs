// Every page of HTML as its readers have it: light and dark, on a desk and on a phone, printed.
//
// axe-core finds nothing; nothing is loaded but the page itself; nothing is said on the console, as a
// browser does of what the page's own policy forbids; the page is never wider than its window; and
// what is wider than a phone can be scrolled to with a keyboard.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';
import { assert, check, done } from './lib/check.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LARGE = 300_000; // bytes of a page, beyond which axe takes minutes: its parts are in others
const SAMPLE = 6; // pages of one folder of a sweep

function pagesOf(folder) {
  const all = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const pages = all.filter((entry) => entry.isFile() && entry.name.endsWith('.html'));
  const step = folder.endsWith('fixtures') ? 1 : Math.max(1, Math.floor(pages.length / SAMPLE));
  return [
    ...pages.filter((_, i) => i % step === 0).map((entry) => join(folder, entry.name)),
    ...all.filter((entry) => entry.isDirectory()).flatMap((entry) => pagesOf(join(folder, entry.name))),
  ];
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});

async function open(path, width, scheme) {
  const page = await browser.newPage();
  const problems = [];
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(path).href) problems.push(`asks for ${request.url()}`);
  });
  page.on('console', (message) => problems.push(`says ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`fails: ${error.message}`));
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setViewport({ width, height: 900 });
  await page.goto(pathToFileURL(path).href);
  return { page, problems };
}

// What axe finds, a line each, with the elements.
async function violations(page) {
  await page.evaluate(() => document.querySelectorAll('details').forEach((part) => { part.open = true; }));
  const session = await page.createCDPSession();
  await session.send('Page.setBypassCSP', { enabled: true });
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.slice(0, 5)
    .map((node) => `${node.html.slice(0, 160)}\n    ${node.failureSummary.replaceAll('\n', '\n    ')}`).join('\n  ')}`);
}

// By how much the page is wider than its window, and boxes that scroll and cannot be reached.
function layout() {
  const root = document.documentElement;
  const boxes = [...document.querySelectorAll('body *')].filter((part) =>
    part.scrollWidth > part.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(part).overflowX));
  return {
    excess: root.scrollWidth - root.clientWidth,
    unreachable: boxes.filter((part) => part.tabIndex < 0).map((part) => part.outerHTML.slice(0, 120)),
  };
}

for (const path of pagesOf(process.env.REPORTS_FOLDER)) {
  const name = basename(path);
  for (const scheme of ['light', 'dark']) {
    for (const width of [1280, 360]) {
      const { page, problems } = await open(path, width, scheme);
      await check(`${name}, ${scheme}, ${width} px: nothing is loaded or run, nothing is too wide`, async () => {
        assert.deepEqual(problems, []);
        assert.deepEqual(await page.evaluate(layout), { excess: 0, unreachable: [] });
      });
      if (statSync(path).size <= LARGE) {
        await check(`${name}, ${scheme}, ${width} px: axe`, async () => {
          assert.equal((await violations(page)).join('\n'), '');
        });
      }
      await page.close();
    }
  }
}
await browser.close();
done();
