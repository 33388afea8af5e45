// jsonstat-toolkit reads our JSON-stat datasets: values, reasons, roles, labels, units, totals, children.
import JSONstat from 'jsonstat-toolkit';
import { aggregate, assert, check, done, url } from './lib/check.mjs';

async function read(cube, parameters) {
  const query = new URLSearchParams({ ...parameters, format: 'jsonstat' });
  const dataset = await JSONstat(`${url}/v1/cubes/${encodeURIComponent(cube)}/aggregate?${query}`);
  assert.equal(dataset.class, 'dataset');
  assert.equal(dataset.length, dataset.id.length);
  return dataset;
}

// Each cell of the records at its coordinates: value and reason. `levels` names the key of each dimension.
async function compare(cube, parameters, levels, measures) {
  const dataset = await read(cube, parameters);
  const { cells } = await aggregate(cube, parameters);
  const seen = { values: 0, nulls: 0, reasons: new Set() };
  for (const cell of cells)
    for (const measure of measures) {
      const coordinates = { measure };
      for (const [dimension, level] of Object.entries(levels)) {
        const key = cell[`${dimension}.${level}`];
        coordinates[dimension] = key === undefined ? '()' : key === null ? '' : String(key);
      }
      const at = dataset.Data(coordinates);
      assert.ok(at, JSON.stringify(coordinates));
      assert.equal(at.value, cell[measure], JSON.stringify(coordinates));
      assert.equal(at.status ?? undefined, cell._status?.[measure], JSON.stringify(coordinates));
      if (cell[measure] === null) seen.nulls++;
      seen.values++;
      if (at.status) seen.reasons.add(at.status);
    }
  return { dataset, cells, ...seen };
}

await check('values, roles, labels and units of two dimensions', async () => {
  const { dataset, values } = await compare('world',
    { drilldown: 'geo:region|date:year', cut: 'date:2018-2020', measures: 'pop,gdp' }, { geo: 'region', date: 'year' }, ['pop', 'gdp']);
  assert.ok(values >= 30, `${values} values compared`);
  assert.deepEqual(dataset.role.time, ['date']);
  assert.deepEqual(dataset.role.metric, ['measure']);
  assert.deepEqual(dataset.id, ['geo', 'date', 'measure']);
  assert.equal(dataset.Dimension('geo').label, 'Geography');
  assert.equal(dataset.Dimension('measure').Category('pop').label, 'Population');
  assert.equal(dataset.Dimension('measure').Category('pop').unit.label, 'persons');
  assert.equal(dataset.Dimension('measure').Category('gdp').unit.decimals, 2);
});

await check('nulls have their reasons, and labels are those of the members', async () => {
  const { dataset, cells, nulls, reasons } = await compare('world',
    { drilldown: 'geo:country', cut: 'date:2020', measures: 'pop,cpop,capital_pop,fx_rate' },
    { geo: 'country' }, ['pop', 'cpop', 'capital_pop', 'fx_rate']);
  assert.ok(nulls > 10 && reasons.has('u'), `${nulls} nulls, ${[...reasons]}`);
  const geo = dataset.Dimension('geo');
  for (const cell of cells) assert.equal(geo.Category(cell['geo.country']).label, cell['geo.country_label']);
});

await check('below the grain, and repeated', async () => {
  const { reasons } = await compare('shop', { drilldown: 'product:product', cut: 'date:2025\\-03', measures: 'revenue,target' },
    { product: 'product' }, ['revenue', 'target']);
  assert.ok(reasons.has('g'), String([...reasons]));
});

await check('totals', async () => {
  const { dataset, cells } = await compare('world',
    { drilldown: 'geo:region|date:year', cut: 'date:2018-2020', measures: 'gdp', totals: 'geo|date|()' },
    { geo: 'region', date: 'year' }, ['gdp']);
  const { summary } = await aggregate('world', { measures: 'gdp', cut: 'date:2018-2020' });
  assert.equal(dataset.Data({ geo: '()', date: '()', measure: 'gdp' }).value, summary.gdp);
  assert.equal(dataset.Dimension('geo').Category('()').label, 'All');
  assert.equal(cells.length, dataset.size[0] * dataset.size[1]);
});

await check('members above, with their children', async () => {
  const dataset = await read('world', { drilldown: 'geo:country', cut: 'geo:Oceania|date:2020', measures: 'gdp', parents: 'true' });
  const { category } = dataset.__tree__.dimension.geo;
  assert.ok(category.child.Oceania.includes('Polynesia'));
  assert.ok(category.child.Polynesia.includes('WSM'));
});

await check('a sparse answer: what has no row is no value', async () => {
  const { dataset, cells } = await compare('visits', { drilldown: 'page|country', measures: 'visits' },
    { page: 'page', country: 'country' }, ['visits']);
  assert.ok(cells.length < dataset.size[0] * dataset.size[1], 'some combinations have no row');
});

await check('as a table', async () => {
  const dataset = await read('world', { drilldown: 'geo:region', cut: 'date:2020', measures: 'pop' });
  const table = dataset.toTable({ type: 'arrobj' });
  const { cells } = await aggregate('world', { drilldown: 'geo:region', cut: 'date:2020', measures: 'pop' });
  assert.deepEqual(table.map((row) => row.value), cells.map((c) => c.pop));
});

done();
