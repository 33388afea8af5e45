// jsonstat-toolkit reads our JSON-stat datasets.
import JSONstat from 'jsonstat-toolkit';
import { aggregate, assert, check, done, url } from './lib/check.mjs';

const question = { drilldown: 'geo:region|date:year', cut: 'date:2018-2020', measures: 'pop,gdp' };

await check('a dataset has the numbers of the records', async () => {
  const { cells } = await aggregate('world', question);
  const query = new URLSearchParams({ ...question, format: 'jsonstat' });
  const dataset = await JSONstat(`${url}/v1/cubes/world/aggregate?${query}`);
  assert.equal(dataset.class, 'dataset');
  assert.equal(dataset.length, dataset.id.length);
  assert.deepEqual(dataset.role.time.length, 1);
  let nvalues = 0;
  for (const cell of cells) {
    const at = { geo: cell['geo.region'], date: cell['date.year'] };
    for (const measure of ['pop', 'gdp']) {
      const coordinates = {};
      for (const id of dataset.id)
        coordinates[id] = id.startsWith('geo') ? at.geo : id.startsWith('date') ? at.date : measure;
      assert.equal(dataset.Data(coordinates).value, cell[measure], JSON.stringify(coordinates));
      nvalues++;
    }
  }
  assert.ok(nvalues >= 30, `${nvalues} values compared`);
});

done();
