// @cubejs-client/core, unmodified, talks to /cubejs-api/v1: its pivots have the numbers of our own
// answers.
import cube, { ResultSet } from '@cubejs-client/core';
import { aggregate, assert, check, done, get, url } from './lib/check.mjs';

const api = cube('a token that nobody looks at', { apiUrl: `${url}/cubejs-api/v1` });

// What a query fails with.
async function failure(query, options) {
  try {
    await api.load(query, options);
  } catch (error) {
    return { status: error.status, message: error.toString(), response: error.response };
  }
  throw new Error(`no failure: ${JSON.stringify(query)}`);
}

// Cells of a native answer as a map from a key to a number.
function byKey(cells, key, measure) {
  return new Map(cells.map((cell) => [String(cell[key]), cell[measure]]));
}

// ---- meta ----

await check('meta: cubes, members, types, hierarchies', async () => {
  const meta = await api.meta();
  const names = (await get('/v1/cubes')).cubes.map(({ name }) => name);
  assert.equal(meta.cubes.length, names.length);
  const world = meta.cubesMap.world;
  assert.equal(world.measures['world.pop'].aggType, 'sum');
  assert.equal(world.measures['world.urban'].format, 'percent');
  assert.equal(world.dimensions['world.date'].type, 'time');
  assert.equal(world.dimensions['world.geo_country'].shortTitle, 'Country');
  assert.equal(meta.defaultTimeDimensionNameFor('world.pop'), 'world.date');
  assert.equal(meta.resolveMember('world.geo_region', 'dimensions').title.length > 0, true);
  const operators = meta.filterOperatorsForMember('world.date', 'dimensions').map((o) => o.name);
  assert.ok(operators.includes('inDateRange'));
  const shop = meta.cubes.find(({ name }) => name === 'shop');
  const date = shop.hierarchies.find(({ name }) => name === 'shop.date_std');
  assert.deepEqual(date.levels, ['shop.date_year', 'shop.date_quarter', 'shop.date_month', 'shop.date_day']);
  assert.deepEqual(meta.meta.vcube.failed, []);
});

await check('meta: every name is one of its kind, with one dot', async () => {
  const { cubes } = await api.meta();
  for (const one of cubes) {
    const all = [...one.measures, ...one.dimensions].map(({ name }) => name);
    assert.equal(new Set(all).size, all.length, one.name);
    for (const name of all) assert.match(name, /^[A-Za-z0-9_]+\.[A-Za-z0-9_]+$/);
  }
});

await check('meta: what would be called the same gets names of its own', async () => {
  const { cubesMap } = await api.meta();
  const odd = Object.values(cubesMap.tricky_names.dimensions);
  const alike = odd.filter(({ name }) => name.startsWith('tricky_names.place_city'));
  assert.equal(alike.length, 2);
  for (const { name } of alike) assert.match(name, /^tricky_names\.place_city_[0-9a-f]{8}$/);
  assert.ok(cubesMap.tricky_names.measures['tricky_names.mean_amount']);
});

// ---- load ----

await check('load: dimensions and measures, the numbers of /aggregate', async () => {
  const result = await api.load({ measures: ['world.pop', 'world.cpop'], dimensions: ['world.geo_country'],
    timeDimensions: [{ dimension: 'world.date', dateRange: ['2020-01-01', '2020-12-31'] }] });
  const native = await aggregate('world', { drilldown: 'geo:country', measures: 'pop,cpop', cut: 'date:2020' });
  const rows = result.tablePivot();
  assert.equal(rows.length, native.cells.length);
  assert.ok(rows.length > 200);
  const pop = byKey(native.cells, 'geo.country', 'pop');
  const cpop = byKey(native.cells, 'geo.country', 'cpop');
  for (const row of result.rawData()) {
    assert.equal(row['world.pop'], pop.get(row['world.geo_country']));
    assert.equal(row['world.cpop'], cpop.get(row['world.geo_country']));
  }
  // Cube's order where none is given: the first measure, the greatest first.
  assert.equal(rows[0]['world.geo_country'], 'CHN');
});

// Every level of every cube, its labels and its granularities: rows in order, keys and numbers.
await check('load: every level of every cube has the numbers of /aggregate', async () => {
  const granularityOf = { 4: 'year', 10: 'day' };
  let nlevels = 0;
  let ntimes = 0;
  for (const one of (await api.meta()).cubes) {
    const measures = one.measures.slice(0, 4);
    for (const member of one.dimensions) {
      if (member.meta.level === undefined || member.meta.path || one.name === 'city_facts') continue;
      const { dimension, hierarchy, level } = member.meta;
      const native = await get('/v1/query', { method: 'POST', headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ cube: one.meta.cube, measures: measures.map(({ meta }) => meta.measure),
          dimensions: [{ dim: `${dimension.replace(/[@.\\]/g, '\\$&')}@${hierarchy.replace(/[@.\\]/g, '\\$&')}`, level }] }) });
      const key = Object.keys(native.cells[0] ?? {}).find((name) => name.endsWith(member.meta.label ? '_label' : `.${level}`));
      const expected = native.cells.map((cell) => [cell[key], ...measures.map(({ meta }) => cell[meta.measure])]);
      const load = (query) => api.load({ measures: measures.map(({ name }) => name), order: [], ...query });
      const keyOf = one.dimensions.find(({ meta }) => meta.dimension === dimension && meta.hierarchy === hierarchy && meta.level === level).name;
      const rows = (await load({ dimensions: member.name === keyOf ? [keyOf] : [keyOf, member.name] })).rawData();
      assert.deepEqual(rows.map((row) => [row[member.name], ...measures.map(({ name }) => row[name])]), expected, member.name);
      nlevels++;
      const time = one.dimensions.find(({ type, meta }) => type === 'time' && meta.dimension === dimension);
      const granularity = granularityOf[String(expected[0]?.[0]).length];
      if (!time?.meta.granularities.includes(granularity) || level === 'fyear') continue;
      const dated = (await load({ timeDimensions: [{ dimension: time.name, granularity }] })).rawData();
      assert.deepEqual(dated.map((row) => [row[`${time.name}.${granularity}`]?.slice(0, String(expected[0][0]).length) ?? null,
        ...measures.map(({ name }) => row[name])]), expected.map(([k, ...rest]) => [k === null ? null : String(k), ...rest]), time.name);
      ntimes++;
    }
  }
  assert.ok(nlevels > 80, `${nlevels} levels`);
  assert.ok(ntimes >= 8, `${ntimes} times`);
});

await check('load: levels of one hierarchy beside each other, with labels', async () => {
  const result = await api.load({ measures: ['world.pop'],
    dimensions: ['world.geo_region', 'world.geo_country', 'world.geo_country_label'],
    filters: [{ member: 'world.date_year', operator: 'equals', values: ['2020'] }] });
  const france = result.rawData().find((row) => row['world.geo_country'] === 'FRA');
  assert.equal(france['world.geo_region'], 'Europe');
  assert.equal(france['world.geo_country_label'], 'France');
  const pivot = result.tablePivot({ x: ['world.geo_region'], y: ['world.geo_country', 'world.geo_country_label', 'measures'] });
  assert.equal(pivot.length, 5);
});

await check('load: a label alone where labels tell members apart, an attribute likewise', async () => {
  const labels = await api.load({ measures: ['world.pop'], dimensions: ['world.geo_country_label'],
    filters: [{ member: 'world.date_year', operator: 'equals', values: [2020] }], limit: 1 });
  assert.deepEqual(labels.tablePivot().map((row) => row['world.geo_country_label']), ['China']);
  const codes = await api.load({ measures: ['world.pop'], dimensions: ['world.geo_country', 'world.geo_iso2'],
    filters: [{ member: 'world.geo_iso2', operator: 'equals', values: ['FR', 'DE'] },
      { member: 'world.date_year', operator: 'equals', values: [2020] }] });
  assert.deepEqual(codes.rawData().map((row) => [row['world.geo_country'], row['world.geo_iso2']]), [['DEU', 'DE'], ['FRA', 'FR']]);
});

await check('load: numbers that are equal in every pivot', async () => {
  const result = await api.load({ measures: ['sales.revenue'], dimensions: ['sales.product_category', 'sales.store_region'] });
  const native = await aggregate('sales', { drilldown: 'product:category|store:region', measures: 'revenue' });
  const table = result.tablePivot({ x: ['sales.product_category'], y: ['sales.store_region', 'measures'] });
  const chart = result.chartPivot({ x: ['sales.product_category'], y: ['sales.store_region', 'measures'] });
  let ncompared = 0;
  for (const cell of native.cells) {
    const row = table.find((r) => r['sales.product_category'] === cell['product.category']);
    const point = chart.find((p) => p.x === cell['product.category']);
    const key = `${cell['store.region']},sales.revenue`;
    assert.equal(row[key], cell.revenue);
    assert.equal(point[key], cell.revenue);
    ncompared++;
  }
  assert.ok(ncompared >= 12);
  assert.equal(table.length * 2, ncompared);
  const series = result.seriesNames({ x: ['sales.product_category'], y: ['sales.store_region', 'measures'] });
  assert.deepEqual(series.map(({ key }) => key).sort(), ['North,sales.revenue', 'South,sales.revenue']);
  assert.ok(series.every(({ shortTitle }) => shortTitle.endsWith('Revenue')));
  const columns = result.tableColumns();
  assert.deepEqual(columns.map(({ key, type }) => [key, type]),
    [['sales.product_category', 'string'], ['sales.store_region', 'string'], ['sales.revenue', 'number']]);
});

await check('load: order, limit, offset, total', async () => {
  const query = { measures: ['sales.revenue'], dimensions: ['sales.product'], order: { 'sales.revenue': 'desc' }, limit: 5, total: true };
  const native = await aggregate('sales', { drilldown: 'product:product', measures: 'revenue', order: 'revenue:desc' });
  const keys = native.cells.map((cell) => cell['product.product']);
  const first = await api.load(query);
  assert.deepEqual(first.rawData().map((row) => row['sales.product']), keys.slice(0, 5));
  assert.equal(first.totalRows(), native.meta.total_cell_count);
  const second = await api.load({ ...query, offset: 5 });
  assert.deepEqual(second.rawData().map((row) => row['sales.product']), keys.slice(5, 10));
  const least = await api.load({ ...query, order: [['sales.revenue', 'asc']], limit: 1 });
  assert.equal(least.rawData()[0]['sales.product'], keys.at(-1));
  const members = await api.load({ ...query, order: [['sales.product_category', 'desc'], ['sales.product', 'desc']],
    dimensions: ['sales.product_category', 'sales.product'], limit: 100 });
  const categories = members.rawData().map((row) => row['sales.product_category']);
  assert.deepEqual(categories, [...categories].sort().reverse());
});

await check('load: dimensions without measures are the members that have facts', async () => {
  const result = await api.load({ dimensions: ['sales.store_region', 'sales.store_city'] });
  const native = await aggregate('sales', { drilldown: 'store:city', parents: true });
  assert.deepEqual(result.tablePivot(), native.cells.map((cell) => (
    { 'sales.store_region': cell['store.region'], 'sales.store_city': cell['store.city'] })));
});

await check('load: compact and columnar answers are the same rows', async () => {
  const query = { measures: ['sales.revenue', 'sales.lines'], dimensions: ['sales.store_city'],
    timeDimensions: [{ dimension: 'sales.date', granularity: 'year' }] };
  const plain = (await api.load(query)).rawData();
  assert.ok(plain.length > 4);
  assert.deepEqual((await api.load(query, {}, undefined, 'compact')).rawData(), plain);
  assert.deepEqual((await api.load(query, {}, undefined, 'columnar')).rawData(), plain);
});

await check('load: GET and POST give the same', async () => {
  const query = { measures: ['sales.revenue'], dimensions: ['sales.store_city'] };
  const posting = cube({ apiUrl: `${url}/cubejs-api/v1`, method: 'POST' });
  assert.deepEqual((await posting.load(query)).serialize(), (await api.load(query)).serialize());
  const long = { ...query, filters: [{ member: 'sales.product', operator: 'notEquals',
    values: (await aggregate('sales', { drilldown: 'product:product' })).cells.map((cell) => cell['product.product']).slice(1) }] };
  assert.ok(JSON.stringify(long).length > 600);
  assert.ok((await api.load(long)).rawData().length > 0);
  const plain = await get(`/cubejs-api/v1/load?query=${encodeURIComponent(JSON.stringify(query))}`);
  assert.deepEqual(new ResultSet(plain).tablePivot(), (await api.load(query)).tablePivot());
});

await check('load: what a result says of itself can be stored', async () => {
  const result = await api.load({ measures: ['sales.revenue'], dimensions: ['sales.store_city'] });
  assert.deepEqual(ResultSet.deserialize(result.serialize()).tablePivot(), result.tablePivot());
});

// ---- filters ----

await check('filters: every operator on members', async () => {
  const base = { measures: ['sales.lines'], dimensions: ['sales.store_city'] };
  const all = (await aggregate('sales', { drilldown: 'store:city', measures: 'lines' })).cells.map((cell) => cell['store.city']);
  const cities = async (operator, values, member = 'sales.store_city') =>
    (await api.load({ ...base, order: [], filters: [{ member, operator, ...(values ? { values } : {}) }] }))
      .rawData().map((row) => row['sales.store_city']);
  const where = (test) => all.filter(test);
  assert.deepEqual(await cities('equals', [all[0], all[1]]), where((c) => c === all[0] || c === all[1]));
  assert.deepEqual(await cities('notEquals', [all[0]]), where((c) => c !== all[0]));
  assert.deepEqual(await cities('contains', ['PORT']), where((c) => c.toLowerCase().includes('port')));
  assert.deepEqual(await cities('notContains', ['port']), where((c) => !c.toLowerCase().includes('port')));
  assert.deepEqual(await cities('startsWith', ['east']), where((c) => c.startsWith('East')));
  assert.deepEqual(await cities('notStartsWith', ['East']), where((c) => !c.startsWith('East')));
  assert.deepEqual(await cities('endsWith', ['field']), where((c) => c.endsWith('field')));
  assert.deepEqual(await cities('notEndsWith', ['field']), where((c) => !c.endsWith('field')));
  assert.deepEqual(await cities('gt', ['F']), where((c) => c > 'F'));
  assert.deepEqual(await cities('lte', ['F']), where((c) => c <= 'F'));
  assert.deepEqual(await cities('set'), all);
  assert.deepEqual(await cities('notSet'), []);
});

await check('filters: labels and keys are two things', async () => {
  const query = (filter) => api.load({ measures: ['world.pop'], dimensions: ['world.geo_country', 'world.geo_country_label'],
    filters: [filter, { member: 'world.date_year', operator: 'equals', values: ['2020'] }] });
  const labels = await query({ member: 'world.geo_country_label', operator: 'equals', values: ['France', 'Germany'] });
  assert.deepEqual(labels.rawData().map((row) => row['world.geo_country']), ['DEU', 'FRA']);
  const keys = await query({ member: 'world.geo_country', operator: 'contains', values: ['ran'] });
  assert.ok(keys.rawData().every((row) => row['world.geo_country'].includes('RAN')));
  const texts = await query({ member: 'world.geo_country_label', operator: 'contains', values: ['ran'] });
  assert.ok(texts.rawData().length >= 2);
  assert.ok(texts.rawData().every((row) => row['world.geo_country_label'].toLowerCase().includes('ran')));
  const states = await query({ member: 'world.geo_country_label', operator: 'contains', values: ['usa'] });
  assert.ok(!states.rawData().some((row) => row['world.geo_country'] === 'USA'));
});

await check('filters: of measures, and in groups', async () => {
  const result = await api.load({ measures: ['sales.revenue'], dimensions: ['sales.product'],
    filters: [{ member: 'sales.revenue', operator: 'gte', values: ['2000'] },
      { or: [{ member: 'sales.product_category', operator: 'equals', values: ['Sweets'] },
        { and: [{ member: 'sales.product_category', operator: 'equals', values: ['Coffee & tea'] },
          { member: 'sales.product_brand', operator: 'set' }] }] }] });
  const native = await get('/v1/query', { method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ cube: 'sales', drilldown: 'product:product', measures: ['revenue'], cut: 'product:Sweets;Coffee & tea',
      having: 'revenue:gte:2000', order: 'revenue:desc' }) });
  assert.ok(native.cells.length > 0);
  assert.deepEqual(result.rawData().map((row) => [row['sales.product'], row['sales.revenue']]),
    native.cells.map((cell) => [cell['product.product'], cell.revenue]));
});

await check('filters: the ones on time', async () => {
  const months = async (operator, values) =>
    (await api.load({ measures: ['sales.lines'], timeDimensions: [{ dimension: 'sales.date', granularity: 'month' }],
      filters: [{ member: 'sales.date', operator, values }] })).rawData().map((row) => row['sales.date.month'].slice(0, 7));
  const all = (await aggregate('sales', { drilldown: 'date:month', measures: 'lines' })).cells.map((cell) => cell['date.month']);
  assert.deepEqual(await months('inDateRange', ['2024-03-01', '2024-05-31']), ['2024-03', '2024-04', '2024-05']);
  assert.deepEqual(await months('notInDateRange', ['2024-02-01', '2025-02-28']), all.filter((m) => m < '2024-02' || m > '2025-02'));
  assert.deepEqual(await months('beforeDate', ['2024-03-01']), all.filter((m) => m < '2024-03'));
  assert.deepEqual(await months('beforeOrOnDate', ['2024-03-31']), all.filter((m) => m <= '2024-03'));
  assert.deepEqual(await months('afterDate', ['2025-01-31']), all.filter((m) => m > '2025-01'));
  assert.deepEqual(await months('afterOrOnDate', ['2025-02-01']), all.filter((m) => m >= '2025-02'));
  const oneDay = await api.load({ measures: ['sales.revenue'], filters: [{ member: 'sales.date', operator: 'equals', values: ['2024-06-03'] }] });
  const native = await aggregate('sales', { cut: 'date:2024\\-06\\-03', measures: 'revenue' });
  assert.equal(oneDay.rawData()[0]['sales.revenue'], native.summary.revenue);
});

// ---- time ----

await check('time: every granularity, dates as Cube writes them', async () => {
  const expected = {
    year: ['2023-01-01', '2024-01-01', '2025-01-01'],
    quarter: ['2023-10-01', '2024-01-01', '2024-04-01', '2025-01-01'],
    month: ['2023-12-01', '2024-01-01', '2024-02-01', '2024-03-01', '2024-06-01', '2025-01-01'],
    week: ['2023-12-25', '2024-01-01', '2024-01-15', '2024-02-26', '2024-03-25', '2024-06-24', '2024-12-30'],
    day: ['2023-12-30', '2023-12-31', '2024-01-01', '2024-01-15', '2024-02-29', '2024-03-31', '2024-06-30', '2025-01-01'],
  };
  for (const [granularity, days] of Object.entries(expected)) {
    const result = await api.load({ measures: ['visits.visits'], timeDimensions: [{ dimension: 'visits.day', granularity }] });
    assert.deepEqual(result.rawData().map((row) => row[`visits.day.${granularity}`]), days.map((day) => `${day}T00:00:00.000`));
    assert.equal(result.rawData().reduce((sum, row) => sum + row['visits.visits'], 0), 36);
  }
});

await check('time: missing dates are filled by the client', async () => {
  const result = await api.load({ measures: ['visits.visits'],
    timeDimensions: [{ dimension: 'visits.day', granularity: 'month', dateRange: ['2023-12-01', '2024-06-30'] }] });
  assert.deepEqual(result.tablePivot().map((row) => [row['visits.day.month'].slice(0, 7), row['visits.visits']]),
    [['2023-12', 7], ['2024-01', 7], ['2024-02', 7], ['2024-03', 1], ['2024-04', 0], ['2024-05', 0], ['2024-06', 6]]);
  assert.equal(result.tablePivot({ fillMissingDates: false }).length, 5);
  const weeks = await api.load({ measures: ['visits.visits'],
    timeDimensions: [{ dimension: 'visits.day', granularity: 'week', dateRange: ['2023-12-25', '2024-01-21'] }] });
  assert.deepEqual(weeks.chartPivot().map(({ x, ...rest }) => [x.slice(0, 10), rest['visits.visits']]),
    [['2023-12-25', 7], ['2024-01-01', 5], ['2024-01-08', 0], ['2024-01-15', 2]]);
  const days = await api.load({ measures: ['visits.visits'],
    timeDimensions: [{ dimension: 'visits.day', granularity: 'day', dateRange: ['2023-12-30', '2024-01-02'] }] });
  assert.deepEqual(days.tablePivot().map((row) => row['visits.visits']), [4, 3, 5, 0]);
});

await check('time: the pivot by time and a dimension', async () => {
  const result = await api.load({ measures: ['sales.revenue'], dimensions: ['sales.store_region'],
    timeDimensions: [{ dimension: 'sales.date', granularity: 'quarter', dateRange: ['2024-01-01', '2024-12-31'] }] });
  const native = await aggregate('sales', { drilldown: 'date:quarter|store:region', measures: 'revenue', cut: 'date:2024' });
  const chart = result.chartPivot();
  assert.equal(chart.length, 4);
  for (const cell of native.cells) {
    const month = 3 * Number(cell['date.quarter'].slice(-1)) - 2;
    const point = chart.find(({ x }) => x === `2024-${String(month).padStart(2, '0')}-01T00:00:00.000`);
    assert.equal(point[`${cell['store.region']},sales.revenue`], cell.revenue);
  }
  assert.equal(result.series().length, 2);
});

await check('time: a granularity among the dimensions, two at once, and with keys', async () => {
  const result = await api.load({ measures: ['sales.lines'], dimensions: ['sales.date.month', 'sales.date_year'],
    timeDimensions: [{ dimension: 'sales.date', granularity: 'quarter' }], limit: 1 });
  assert.deepEqual(Object.keys(result.rawData()[0]).sort(),
    ['sales.date', 'sales.date.month', 'sales.date.quarter', 'sales.date_year', 'sales.lines']);
});

await check('time: ranges in words, of today', async () => {
  const year = new Date().getUTCFullYear();
  const result = await api.load({ measures: ['world.pop'],
    timeDimensions: [{ dimension: 'world.date', granularity: 'year', dateRange: 'last 3 years' }] });
  assert.deepEqual(result.query().timeDimensions[0].dateRange, [`${year - 3}-01-01T00:00:00.000`, `${year - 1}-12-31T23:59:59.999`]);
  const day = 86400000;
  const today = new Date(new Date().toISOString().slice(0, 10)).getTime();
  const date = (days) => new Date(today + days * day).toISOString().slice(0, 10);
  const weekday = (new Date(today).getUTCDay() + 6) % 7;
  const ranges = { today: [0, 0], yesterday: [-1, -1], tomorrow: [1, 1], 'last 7 days': [-7, -1], 'this week': [-weekday, 6 - weekday],
    'next 2 weeks': [7 - weekday, 20 - weekday], 'from yesterday to today': [-1, 0] };
  for (const [words, [first, last]] of Object.entries(ranges)) {
    const { normalizedQueries } = await api.dryRun({ measures: ['visits.visits'], timeDimensions: [{ dimension: 'visits.day', dateRange: words }] });
    assert.deepEqual(normalizedQueries[0].timeDimensions[0].dateRange, [`${date(first)}T00:00:00.000`, `${date(last)}T23:59:59.999`], words);
  }
});

await check('time: fiscal years are no years', async () => {
  const result = await api.load({ measures: ['tricky_names.amount'], timeDimensions: [{ dimension: 'tricky_names.when', granularity: 'year' }] });
  assert.deepEqual(result.rawData().map((row) => [row['tricky_names.when.year'], row['tricky_names.amount']]),
    [['2023-01-01T00:00:00.000', 3], ['2024-01-01T00:00:00.000', 36], [null, 17]]);
  const fiscal = await api.load({ measures: ['tricky_names.amount'], dimensions: ['tricky_names.when_fyear'], order: [] });
  assert.deepEqual(fiscal.rawData().map((row) => row['tricky_names.amount']), [26, 30]);
  // What is no date is neither in a range nor outside of it.
  const outside = await api.load({ measures: ['tricky_names.amount'], filters: [{ member: 'tricky_names.when', operator: 'notInDateRange', values: ['2024-01-01', '2024-01-31'] }] });
  assert.deepEqual(outside.rawData(), [{ 'tricky_names.amount': 34 }]);
});

// ---- drilling, several queries ----

await check('drill-down: the rows of a cell add up to it', async () => {
  const result = await api.load({ measures: ['sales.revenue'], dimensions: ['sales.store_region'],
    timeDimensions: [{ dimension: 'sales.date', granularity: 'month', dateRange: ['2024-01-01', '2024-03-31'] }] });
  const [point] = result.chartPivot();
  const query = result.drillDown({ xValues: [point.x], yValues: ['North', 'sales.revenue'] });
  assert.deepEqual(query.dimensions, ['sales.product', 'sales.store', 'sales.date_day']);
  const rows = (await api.load(query)).rawData();
  const sum = rows.reduce((total, row) => total + Math.round(row['sales.revenue'] * 100), 0);
  assert.ok(rows.length > 10);
  assert.equal(sum / 100, point['North,sales.revenue']);
});

await check('drill-down: a joined measure down to what its source knows', async () => {
  const result = await api.load({ measures: ['shop.units'], timeDimensions: [{ dimension: 'shop.date', granularity: 'quarter', dateRange: ['2024-01-01', '2024-12-31'] }] });
  const [point] = result.chartPivot();
  const query = result.drillDown({ xValues: [point.x] });
  assert.deepEqual(query.dimensions, ['shop.product', 'shop.date_month']);
  const rows = (await api.load(query)).rawData();
  assert.ok(rows.every((row) => row['shop.units'] !== null));
  const last = rows.filter((row) => row['shop.date_month'] === '2024-03').reduce((sum, row) => sum + row['shop.units'], 0);
  assert.equal(last, point['shop.units']);
});

await check('drill-down: through members that have no key', async () => {
  const result = await api.load({ measures: ['visits.visits'], dimensions: ['visits.country'] });
  const query = result.drillDown({ xValues: [null] });
  assert.deepEqual((await api.load(query)).rawData().map((row) => [row['visits.country'], row['visits.visits']]), [[null, 1]]);
});

await check('compareDateRange: a series for each range', async () => {
  const result = await api.load({ measures: ['sales.revenue'], timeDimensions: [{ dimension: 'sales.date', granularity: 'month',
    compareDateRange: [['2024-01-01', '2024-03-31'], ['2025-01-01', '2025-03-31']] }] });
  const native = await aggregate('sales', { drilldown: 'date:month', measures: 'revenue' });
  const revenue = byKey(native.cells, 'date.month', 'revenue');
  const series = result.seriesNames();
  assert.equal(series.length, 2);
  const chart = result.chartPivot();
  assert.deepEqual(chart.map((point) => point[series[0].key]), ['2024-01', '2024-02', '2024-03'].map((m) => revenue.get(m)));
  assert.deepEqual(chart.map((point) => point[series[1].key]), ['2025-01', '2025-02', '2025-03'].map((m) => revenue.get(m)));
  assert.equal(result.decompose().length, 2);
});

await check('blending: queries of two cubes over one time', async () => {
  const timeDimensions = (dimension) => [{ dimension, granularity: 'month', dateRange: ['2024-01-01', '2024-06-30'] }];
  const result = await api.load([
    { measures: ['sales.revenue'], timeDimensions: timeDimensions('sales.date') },
    { measures: ['visits.visits'], timeDimensions: timeDimensions('visits.day') }]);
  const chart = result.chartPivot();
  assert.equal(chart.length, 6);
  assert.deepEqual(chart.map((point) => point['visits.visits']), [7, 7, 1, 0, 0, 6]);
  const native = await aggregate('sales', { drilldown: 'date:month', measures: 'revenue', cut: 'date:2024\\-Q1;2024\\-Q2' });
  assert.deepEqual(chart.map((point) => point['sales.revenue']), native.cells.map((cell) => cell.revenue));
});

// ---- nulls, paths ----

await check('nulls: each with its reason beside the data', async () => {
  const query = { measures: ['shop.revenue', 'shop.units', 'shop.target'], dimensions: ['shop.product_category'],
    timeDimensions: [{ dimension: 'shop.date', granularity: 'day', dateRange: ['2024-06-03', '2024-06-03'] }], order: [] };
  const result = await api.load(query);
  const native = await aggregate('shop', { drilldown: 'date:day|product:category', cut: 'date:2024\\-06\\-03', measures: 'revenue,units,target' });
  const { status } = result.serialize().loadResponse.results[0].vcube;
  const rows = result.rawData();
  assert.equal(rows.length, native.cells.length);
  let nreasons = 0;
  for (const cell of native.cells) {
    const number = rows.findIndex((row) => row['shop.product_category'] === cell['product.category']);
    for (const measure of ['revenue', 'units', 'target']) {
      assert.equal(rows[number][`shop.${measure}`], cell[measure]);
      assert.equal(status[number]?.[`shop.${measure}`], cell._status?.[measure]);
      nreasons += cell._status?.[measure] !== undefined;
    }
  }
  assert.ok(nreasons > 0);
  assert.equal(result.serialize().loadResponse.results[0].vcube.meta.cube, 'shop');
});

await check('paths: members whose keys others have, too', async () => {
  const cities = (await api.meta()).cubes.find(({ name }) => name === 'tricky_names').dimensions.find(({ meta }) => meta.level === 'city').name;
  const load = (filters = []) => api.load({ measures: ['tricky_names.amount'], dimensions: [cities], order: [], filters });
  const values = (result) => result.rawData().map((row) => [row[cities], row['tricky_names.amount']]);
  const all = [['Ile-de-France,Paris', 7], ['Ile-de-France,', 11], ['Texas,Austin', 5], ['Texas,Paris', 3], ['Texas,Salt\\, Flats', 13], [',', 17]];
  assert.deepEqual(values(await load()), all);
  for (const [path, amount] of all) {
    const one = await load([{ member: cities, operator: 'equals', values: [path] }]);
    assert.deepEqual(values(one), [[path, amount]]);
  }
  assert.deepEqual(values(await load([{ member: cities, operator: 'notEquals', values: ['Texas,Paris', 'Ile-de-France,'] }])).length, 4);
  assert.deepEqual(values(await load([{ member: cities, operator: 'equals', values: ['Paris'] }])), [all[0], all[3]]);
});

// ---- errors ----

await check('errors: a sentence, HTTP 400, the nearest names', async () => {
  const cases = [
    [{ measures: ['world.popp'] }, /no member 'world.popp'.*'world\.pop'/],
    [{ measures: ['wrld.pop'] }, /no cube 'wrld'.*'world'/],
    [{ measures: ['world.pop', 'sales.revenue'] }, /one cube/],
    [{}, /asks for measures/],
    [{ measures: ['world.geo_country'] }, /is a dimension, no measure/],
    [{ measures: ['world.pop'], ungrouped: true }, /ungrouped/],
    [{ measures: ['world.pop'], segments: ['world.big'] }, /segments/],
    [{ measures: ['world.pop'], timezone: 'Europe/Paris' }, /Europe\/Paris.*UTC/],
    [{ measures: ['world.pop'], lmit: 3 }, /lmit/],
    [{ measures: ['world.pop'], timeDimensions: [{ dimension: 'world.date', granularity: 'month' }] }, /no level of the granularity 'month'.*'year'/],
    [{ measures: ['sales.lines'], timeDimensions: [{ dimension: 'sales.date', granularity: 'hour' }] }, /granularity 'hour'/],
    [{ measures: ['world.pop'], timeDimensions: [{ dimension: 'world.date', dateRange: ['2020-03-01', '2020-12-31'] }] }, /within a year/],
    [{ measures: ['sales.lines'], timeDimensions: [{ dimension: 'sales.date', dateRange: ['2024-03-01T12:00:00.000', '2024-12-31'] }] }, /time of day/],
    [{ measures: ['sales.lines'], timeDimensions: [{ dimension: 'sales.date', dateRange: 'a while ago' }] }, /no range of dates/],
    [{ measures: ['sales.lines'], timeDimensions: [{ dimension: 'sales.date', dateRange: ['2024-12-31', '2024-01-01'] }] }, /ends before/],
    [{ measures: ['sales.lines'], timeDimensions: [{ dimension: 'sales.store', granularity: 'day' }] }, /no time dimension.*'sales.date'/],
    [{ measures: ['sales.lines'], filters: [{ member: 'sales.store_city', operator: 'is', values: ['x'] }] }, /unknown operator 'is'/],
    [{ measures: ['sales.lines'], filters: [{ member: 'sales.store_city', operator: 'equals', values: ['Nortport'] }] }, /no member with the city 'Nortport'/],
    [{ measures: ['sales.lines'], filters: [{ member: 'sales.store_city', operator: 'beforeDate', values: ['2024-01-01'] }] }, /not for a level/],
    [{ measures: ['sales.lines'], filters: [{ or: [{ member: 'sales.store_city', operator: 'set' }, { member: 'sales.product', operator: 'set' }] }] }, /within one dimension/],
    [{ measures: ['sales.lines'], filters: [{ or: [{ member: 'sales.lines', operator: 'gt', values: [1] }, { member: 'sales.product', operator: 'set' }] }] }, /is a measure/],
    [{ measures: ['sales.lines'], dimensions: ['sales.store_city'], order: { 'sales.product': 'asc' } }, /none of what the query asks for/],
    [{ measures: ['city_facts.population'], dimensions: ['city_facts.city_label'] }, /ask for 'city_facts.city' beside it/],
    [{ measures: ['sales.lines'], dimensions: ['sales.product_brand'] }, /ask for 'sales.product' beside it/],
    [{ measures: ['visits.visits'], dimensions: ['visits.day_weekly_week', 'visits.day_month'] }, /different hierarchies/],
    [[{ measures: ['sales.lines'] }, { measures: ['visits.visits'] }], /blended by time/],
  ];
  for (const [query, pattern] of cases) {
    const { status, message, response } = await failure(query);
    assert.equal(status, 400, JSON.stringify(query));
    assert.match(message, pattern, JSON.stringify(query));
    assert.equal(typeof response.code, 'string');
  }
  await assert.rejects(() => api.sql({ measures: ['sales.lines'] }), /SQL/);
});

await check('kept: an equal query is answered 304, and from memory', async () => {
  const query = { measures: ['sales.revenue'], dimensions: ['sales.store_city'] };
  const address = `${url}/cubejs-api/v1/load?query=${encodeURIComponent(JSON.stringify(query))}&queryType=multi`;
  const first = await fetch(address);
  await first.text();
  const again = await fetch(address, { headers: { 'If-None-Match': first.headers.get('etag') } });
  assert.equal(again.status, 304);
  const second = await fetch(address);
  await second.text();
  assert.match(second.headers.get('server-timing') ?? '', /hit/);
});

done();
