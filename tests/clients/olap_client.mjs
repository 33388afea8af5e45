// @datawheel/olap-client lists cubes, drills, cuts and reads members through the dialect of
// mondrian-rest. What it gets is compared with our own API.
import { Client, Format, MondrianDataSource } from '@datawheel/olap-client';
import { aggregate, assert, check, done, get, url } from './lib/check.mjs';

const base = `${url}/mondrian-rest/`;
const client = await Client.fromURL(base);

async function ask(cube, build, format = Format.jsonrecords) {
  const query = (await client.getCube(cube)).query.setFormat(format);
  build(query);
  return client.execQuery(query);
}

// The rows of both by the key of one level, each as an array of its measures.
function compare(data, cells, level, column, measures) {
  const ours = new Map(cells.map((cell) => [cell[level], measures.map((m) => cell[m])]));
  const theirs = new Map(data.map((row) => [row[`ID ${column}`], measures.map((m) => row[m])]));
  assert.deepEqual(theirs, ours);
  assert.equal(data.length, cells.length);
}

await check('the server is known for what it is', async () => {
  assert.ok(client.datasource instanceof MondrianDataSource);
  const status = await client.checkStatus();
  assert.equal(status.online, true);
});

await check('all cubes, with their dimensions, levels and measures', async () => {
  const cubes = await client.getCubes();
  const { cubes: ours } = await get('/v1/cubes');
  assert.deepEqual(cubes.map((c) => c.name).sort(), ours.map((c) => c.name).sort());
  const world = cubes.find((c) => c.name === 'world');
  const model = await get('/v1/cubes/world');
  assert.equal(world.getAnnotation('caption'), model.label); // the client keeps no caption of a cube
  assert.deepEqual(world.measures.map((m) => [m.name, m.caption]),
    model.measures.map((m) => [m.name, m.label]));
  assert.deepEqual(world.dimensions.map((d) => d.name), model.dimensions.map((d) => d.name));
  for (const dimension of model.dimensions) {
    const found = world.dimensionsByName[dimension.name];
    assert.equal(found.getAnnotation('caption'), dimension.label);
    assert.deepEqual(found.hierarchies.map((h) => [h.name, h.levels.map((l) => l.name)]),
      dimension.hierarchies.map((h) => [h.name, h.levels.map((l) => l.name)]));
  }
  assert.equal(world.timeDimension.name, 'date');
  const names = [...world.levelIterator].map((l) => l.fullName);
  assert.equal(new Set(names).size, names.length, 'full names tell levels apart');
  assert.equal(world.measuresByName.pop.aggregatorType, 'UNKNOWN'); // the last of a year does not add up
  assert.equal(world.measuresByName.gdp.aggregatorType, 'SUM');
});

await check('a drilldown', async () => {
  const { cells } = await aggregate('world', { drilldown: 'geo:country', measures: 'pop,gdp', cut: 'date:2020' });
  const { data } = await ask('world', (q) => q.addDrilldown('region').addDrilldown('[date].[year]')
    .addMeasure('pop').addMeasure('gdp').setOption('nonempty', true));
  assert.ok(data.length > 100);
  const one = await ask('world', (q) => q.addDrilldown('[geo].[country]').addMeasure('pop').addMeasure('gdp')
    .addCut('[date].[year]', [2020]).setOption('nonempty', true));
  compare(one.data, cells, 'geo.country', 'country', ['pop', 'gdp']);
  const { cells: both } = await aggregate('world', { drilldown: 'geo:region|date:year', measures: 'pop,gdp' });
  const key = (r) => JSON.stringify(r);
  assert.deepEqual(new Set(data.map((r) => key([r['ID region'], r['ID year'], r.pop, r.gdp]))),
    new Set(both.map((c) => key([c['geo.region'], c['date.year'], c.pop, c.gdp]))));
});

await check('without nonempty every combination, with the reason of a null', async () => {
  const { cells } = await aggregate('world', { drilldown: 'geo:country', measures: 'cpop', sparse: 'false' });
  const { data } = await ask('world', (q) => q.addDrilldown('[geo].[country]').addMeasure('cpop'));
  compare(data, cells, 'geo.country', 'country', ['cpop']);
  const nulls = data.filter((r) => r.cpop === null);
  assert.ok(nulls.length > 0);
  assert.deepEqual(nulls.map((r) => r._status), cells.filter((c) => c.cpop === null).map((c) => c._status));
});

await check('cuts by one member, by several, above the drilldown, and in another hierarchy', async () => {
  const one = await ask('world', (q) => q.addDrilldown('[geo].[country]').addMeasure('gdp')
    .addCut('region', ['Europe']).addCut('year', [2020]).setOption('sparse', true));
  const ours = await aggregate('world', { drilldown: 'geo:country', measures: 'gdp', cut: 'geo:Europe|date:2020' });
  compare(one.data, ours.cells, 'geo.country', 'country', ['gdp']);
  const several = await ask('world', (q) => q.addDrilldown('year').addMeasure('gdp')
    .addCut('[geo].[country]', ['FRA', 'DEU', 'CIV']).addCut('year', [2018, 2020]));
  const three = await aggregate('world',
    { drilldown: 'date:year', measures: 'gdp', cut: 'geo.country:FRA;DEU;CIV|date:2018;2020' });
  compare(several.data, three.cells, 'date.year', 'year', ['gdp']);
  const world = await client.getCube('world');
  const level = world.dimensionsByName.geo.hierarchiesByName.income.levels[0];
  const { data } = await ask('world', (q) => q.addDrilldown(level).addMeasure('gdp').addCut('year', [2020])
    .setOption('nonempty', true));
  const income = await aggregate('world', { drilldown: 'geo@income:income_group', measures: 'gdp', cut: 'date:2020' });
  compare(data, income.cells, 'geo@income.income_group', 'income_group', ['gdp']);
});

await check('measures of several sources, and joined ones', async () => {
  const measures = ['pop', 'cpop', 'capital_pop', 'urban', 'fx_rate'];
  const { data } = await ask('world', (q) => {
    q.addDrilldown('[geo].[country]').addCut('year', [2015]).setOption('nonempty', true);
    measures.forEach((m) => q.addMeasure(m));
  });
  const { cells } = await aggregate('world', { drilldown: 'geo:country', measures: measures.join(), cut: 'date:2015' });
  compare(data, cells, 'geo.country', 'country', measures);
});

await check('parents', async () => {
  const { data } = await ask('world', (q) => q.addDrilldown('[geo].[country]').addMeasure('gdp')
    .addCut('[geo].[country]', ['FRA', 'JPN']).addCut('year', [2020]).setOption('parents', true));
  const { cells } = await aggregate('world', {
    drilldown: 'geo:country', measures: 'gdp', cut: 'geo.country:FRA;JPN|date:2020', parents: 'true' });
  assert.deepEqual(data.map((r) => [r['ID region'], r.region, r['ID subregion'], r['ID country'], r.country, r.gdp]),
    cells.map((c) => [c['geo.region'], c['geo.region_label'], c['geo.subregion'], c['geo.country'],
      c['geo.country_label'], c.gdp]));
});

await check('properties and captions', async () => {
  const { data } = await ask('world', (q) => q.addDrilldown('[geo].[country]').addMeasure('gdp')
    .addCut('region', ['Oceania']).addCut('year', [2020]).setOption('nonempty', true)
    .addProperty({ level: 'country', property: 'capital' }).addProperty({ level: 'country', property: 'cities.name' })
    .addCaption({ level: 'country', property: 'iso2' }));
  const { cells } = await aggregate('world', { drilldown: 'geo:country', measures: 'gdp',
    cut: 'geo:Oceania|date:2020', properties: 'capital,iso2,cities.name' });
  assert.deepEqual(data.map((r) => [r['ID country'], r.country, r.capital, r['cities.name']]),
    cells.map((c) => [c['geo.country'], c['geo.iso2'], c['geo.capital'], c['cities.name']]));
});

await check('order, limit and offset', async () => {
  const build = (q) => q.addDrilldown('[geo].[country]').addMeasure('gdp').addCut('year', [2020])
    .setOption('nonempty', true).setSorting('gdp', 'desc').setPagination(5, 2);
  const { data } = await ask('world', build);
  const { cells } = await aggregate('world', { drilldown: 'geo:country', measures: 'gdp', cut: 'date:2020',
    order: 'gdp:desc', limit: 5, offset: 2 });
  assert.deepEqual(data.map((r) => r['ID country']), cells.map((c) => c['geo.country']));
});

await check('filters by measures', async () => {
  const { data } = await ask('world', (q) => q.addDrilldown('[geo].[country]').addMeasure('gdp').addCut('year', [2020])
    .addFilter('gdp', ['gt', 1e12]).addFilter('pop', ['lte', 60000000.5]).setOption('nonempty', true));
  const { cells } = await aggregate('world', { drilldown: 'geo:country', measures: 'gdp', cut: 'date:2020',
    having: 'gdp:gt:1000000000000|pop:lte:60000000.5' });
  assert.ok(cells.length > 2);
  compare(data, cells, 'geo.country', 'country', ['gdp']);
});

await check('members of a level, with properties, children and other captions', async () => {
  const world = await client.getCube('world');
  const level = world.getLevel('[geo].[country]');
  const members = await client.getMembers(level, { member_properties: ['capital'] });
  const { members: ours } = await get('/v1/cubes/world/dimensions/geo/members?level=country&limit=10000');
  assert.deepEqual(members.map((m) => [m.key, m.caption]), ours.map((m) => [m.key, m.label]));
  const france = members.find((m) => m.key === 'FRA');
  assert.deepEqual(france.ancestors.map((m) => m.key), ['Western Europe', 'Europe']);
  const coded = await client.getMembers(level, { caption: 'iso2' });
  assert.equal(coded.find((m) => m.key === 'FRA').caption, 'FR');
  const regions = await client.getMembers(world.getLevel('region'), { children: true });
  const subregions = await get('/v1/cubes/world/dimensions/geo/members?level=subregion');
  assert.equal(regions.flatMap((m) => m.children).length, subregions.total);
  const years = await client.getMembers({ cube: 'world', level: 'year' });
  const { members: ourYears } = await get('/v1/cubes/world/dimensions/date/members');
  assert.deepEqual(years.map((m) => m.key), ourYears.map((m) => m.key));
});

await check('one member', async () => {
  const world = await client.getCube('world');
  const member = await client.getMember(world.getLevel('[geo].[country]'), 'CIV');
  assert.equal(member.caption, 'Côte d’Ivoire');
  await assert.rejects(client.getMember(world.getLevel('[geo].[country]'), 'NIX'), /Can't find member with key 'NIX'/);
});

await check('every member can be cut by its key and by its full name, whatever is in it', async () => {
  const cube = await client.getCube('odd names');
  const level = cube.getLevel({ hierarchy: 'x, y', level: 'key' });
  const [sum] = cube.measures;
  const members = await client.getMembers(level, { member_properties: ['note'] });
  const { cells } = await aggregate('odd names', { drilldown: 'a\\.b [c]:key' });
  assert.equal(members.length, cells.length);
  const found = [];
  for (const member of members) {
    const byKey = await ask('odd names', (q) => q.addMeasure(sum).addDrilldown(level).addCut(level, [member.key]));
    assert.equal(byKey.data.length, 1, member.key);
    const parameters = new URLSearchParams({ 'measures[]': sum.name, 'cut[]': member.fullName });
    const answer = await fetch(`${base}cubes/odd%20names/aggregate.jsonrecords?${parameters}`);
    assert.deepEqual((await answer.json()).data, [{ [sum.name]: byKey.data[0][sum.name] }], member.fullName);
    found.push([member.key, byKey.data[0][sum.name]]);
  }
  assert.deepEqual(found, cells.map((c) => [c['a.b [c].key'] ?? '#null', c['n > 1 & more']]));
});

await check('names that would stand for two columns are full ones', async () => {
  const { data } = await ask('odd names', (q) => q.addDrilldown({ hierarchy: 'x, y', level: 'key' }).addMeasure('ID key')
    .addMeasure('n > 1 & more').addProperty({ level: 'key', property: 'note' }).setOption('parents', true)
    .addFilter('n > 1 & more', ['gt', 4096]));
  assert.deepEqual(data, [{ 'ID group & more': null, 'group & more': null, 'ID [a.b [c]]].[key]': null, key: null,
    note: 'fourteen', 'ID key': 1, 'n > 1 & more': 8192 }]);
});

await check('csv', async () => {
  const { data } = await ask('world', (q) => q.addDrilldown('region').addMeasure('gdp').addCut('year', [2020])
    .setOption('nonempty', true), Format.csv);
  const { cells } = await aggregate('world', { drilldown: 'geo:region', measures: 'gdp', cut: 'date:2020' });
  assert.equal(data, ['ID region,region,gdp', ...cells.map((c) => `${c['geo.region']},${c['geo.region_label']},${c.gdp}`), '']
    .join('\r\n'));
});

await check('the cellset', async () => {
  const { data } = await ask('world', (q) => q.addDrilldown('region').addDrilldown('year').addMeasure('pop').addMeasure('gdp')
    .addCut('year', [2019, 2020]).setOption('nonempty', true).setOption('debug', true), Format.json);
  const { cells } = await aggregate('world', { drilldown: 'geo:region|date:year', measures: 'pop,gdp', cut: 'date:2019;2020' });
  assert.deepEqual(data.axes[0].members.map((m) => m.name), ['pop', 'gdp']);
  assert.deepEqual(data.cell_keys, cells.map((c) => [c['geo.region'], c['date.year']]));
  assert.deepEqual(data.values, cells.map((c) => [c.pop, c.gdp]));
  assert.deepEqual(data.cell_coordinates.map(([r, y]) => [data.axes[1].members[r].key, data.axes[2].members[y].key]),
    data.cell_keys);
  assert.match(data.query, /^cube=world&/);
});

await check('what cannot be done is an error that says why', async () => {
  const fails = async (path, status, pattern) => {
    const response = await fetch(`${base}cubes/${path}`);
    const { error } = await response.json();
    assert.equal(response.status, status, `${path}: ${error}`);
    assert.match(error, pattern);
  };
  await fails('worlds', 404, /no cube/);
  await fails('world/aggregate.jsonrecords?drilldown[]=[geo].[contry]', 404, /no level 'contry'/);
  await fails('world/aggregate.jsonrecords?cut[]=[geo].[country].%26[FRA', 400, /found the end/);
  await fails('world/aggregate.jsonrecords?measures[]=money', 404, /no measure 'money'/);
  await fails('world/aggregate.jsonrecords?drilldown[]=[geo].[country]&order=[geo].[country].[capital]', 422, /ordered by a measure/);
  await fails('world/aggregate.jsonrecords?drill[]=[geo]', 400, /unknown parameter 'drill'/);
  await fails('world/aggregate.xls', 404, /nothing at/);
});

done();
