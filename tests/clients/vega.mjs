// vega-lite compiles the specifications of docs/examples/vega-lite.html, and vega draws them as SVG with
// the data of the server.
import { readFileSync } from 'node:fs';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { assert, check, done, url } from './lib/check.mjs';

const page = readFileSync(`${process.env.VCUBE_ROOT}/docs/examples/vega-lite.html`, 'utf8');
const specs = [...page.matchAll(/<script type="application\/json" data-chart="(\w+)">\n(.*?)<\/script>/gs)]
  .map(([, name, text]) => [name, JSON.parse(text)]);

const silent = { level: () => silent, error: fail, warn: fail, info: () => silent, debug: () => silent };
function fail(...message) {
  throw new Error(message.join(' '));
}

async function draw(spec) {
  spec.data.url = spec.data.url.replace('http://127.0.0.1:8080', url);
  assert.ok(spec.data.url.startsWith(url));
  const sized = { ...spec, width: 600 };
  const compiled = vegaLite.compile(sized, { logger: silent }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logger: silent });
  await view.runAsync();
  const svg = await view.toSVG();
  const answer = await fetch(spec.data.url);
  assert.equal(answer.status, 200);
  return { svg, view, answer };
}

await check('the page has its charts', () => {
  assert.deepEqual(specs.map(([name]) => name), ['gdp', 'life', 'capitals']);
  for (const [name] of specs) assert.ok(page.includes(`id="${name}"`), name);
});

const charts = Object.fromEntries(specs);

await check('areas by region', async () => {
  const { svg, answer } = await draw(charts.gdp);
  const lines = (await answer.text()).trim().split('\r\n');
  assert.equal(lines.length, 1 + 5 * 31);
  for (const region of ['Africa', 'Americas', 'Asia', 'Europe', 'Oceania'])
    assert.match(svg, new RegExp(`>${region}</text>`));
  assert.equal([...svg.matchAll(/aria-roledescription="area mark"/g)].length, 5);
});

await check('a dot for each country that has both numbers', async () => {
  const { svg, answer } = await draw(charts.life);
  const { cells } = await answer.json();
  const shown = cells.filter((c) => c.gdp_per_head !== null && c.life !== null);
  assert.ok(shown.length > 150, `${shown.length} countries`);
  assert.equal([...svg.matchAll(/aria-roledescription="circle"/g)].length, shown.length);
});

await check('a bar for each capital, longest first', async () => {
  const { svg, answer } = await draw(charts.capitals);
  const { cells } = await answer.json();
  assert.equal(cells.length, 15);
  assert.equal([...svg.matchAll(/aria-roledescription="bar"/g)].length, 15);
  const places = cells.map((c) => svg.indexOf(`>${c['geo.country_label']}</text>`));
  assert.ok(places.every((place, i) => place > (places[i - 1] ?? 0)), String(places));
});

done();
