// apache-arrow reads our stream: types and values are those of the records.
import { DataType, tableFromIPC } from 'apache-arrow';
import { aggregate, assert, check, done, url } from './lib/check.mjs';

async function read(cube, parameters) {
  const query = new URLSearchParams({ ...parameters, format: 'arrow' });
  const response = await fetch(`${url}/v1/cubes/${encodeURIComponent(cube)}/aggregate?${query}`);
  assert.equal(response.headers.get('content-type'), 'application/vnd.apache.arrow.stream');
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  return { table, columns: Object.fromEntries(table.schema.fields.map((field) => [field.name, field.type])) };
}

// A value as JSON has it: decimals are read as their digits, exactly.
function plain(value, type) {
  if (value === null) return null;
  if (DataType.isDecimal(type)) {
    const negative = value[3] >> 31 !== 0;
    let whole = value.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
    if (negative) whole -= 1n << 128n;
    const digits = (whole < 0n ? -whole : whole).toString().padStart(type.scale + 1, '0');
    const text = type.scale === 0 ? digits : `${digits.slice(0, -type.scale)}.${digits.slice(-type.scale)}`;
    return Number((negative ? '-' : '') + text);
  }
  if (DataType.isList(type)) return [...value];
  return typeof value === 'bigint' ? Number(value) : value;
}

// Total rows have no keys of what is rolled up; a list of one is a text in a record.
function wanted(value, type) {
  if (value === undefined || value === null) return null;
  return DataType.isList(type) ? [].concat(value) : value;
}

async function compare(cube, parameters, least) {
  const { table, columns } = await read(cube, parameters);
  const { cells } = await aggregate(cube, parameters);
  assert.equal(table.numRows, cells.length);
  assert.ok(cells.length >= least, `${cells.length} rows`);
  for (const name of Object.keys(cells[0]).filter((n) => !n.startsWith('_'))) {
    const column = table.getChild(name);
    assert.ok(column, name);
    cells.forEach((cell, row) => assert.deepEqual(plain(column.get(row), columns[name]), wanted(cell[name], columns[name]), `${name}, row ${row}`));
  }
  for (const name of Object.keys(columns).filter((n) => n.endsWith('_status')))
    cells.forEach((cell, row) => assert.equal(table.getChild(name).get(row) ?? undefined,
      cell._status?.[name.replace(/_status$/, '')], `${name}, row ${row}`));
  return columns;
}

await check('texts, integers, decimals and doubles, with nulls', async () => {
  const columns = await compare('world',
    { drilldown: 'geo:country', cut: 'date:2020', measures: 'pop,gdp,life,cpop,urban,fx_rate' }, 200);
  assert.ok(DataType.isInt(columns.pop) && columns.pop.bitWidth === 64);
  assert.ok(DataType.isDecimal(columns.gdp) && columns.gdp.scale === 2);
  assert.ok(DataType.isFloat(columns.life));
  assert.ok(DataType.isUtf8(columns['geo.country']));
});

await check('total rows, and parents', async () => {
  await compare('world', { drilldown: 'geo:subregion|date:year', cut: 'date:2018-2020', measures: 'gdp', totals: 'geo|()', parents: 'true' }, 60);
});

await check('properties of several values are lists', async () => {
  const columns = await compare('world',
    { drilldown: 'geo:country', cut: 'geo:Oceania', measures: 'cpop', properties: 'cities.feature_code,capital' }, 5);
  assert.ok(DataType.isList(columns['cities.feature_code']));
});

await check('several batches, integers as keys, and what is about all of it', async () => {
  const parameters = { drilldown: 'geo:country|date:year', measures: 'gdp,co2', sparse: 'false' };
  const { table } = await read('world', parameters);
  const { cells, summary } = await aggregate('world', parameters);
  assert.equal(table.numRows, cells.length);
  const metadata = table.schema.metadata;
  assert.deepEqual(JSON.parse(metadata.get('vcube.summary')), summary);
  assert.equal(JSON.parse(metadata.get('vcube.meta')).cube, 'world');
});

await check('no rows', async () => {
  const { table } = await read('world', { drilldown: 'geo:country', measures: 'gdp', cut: 'date:2020', having: 'gdp:lt:0' });
  assert.equal(table.numRows, 0);
});

done();
