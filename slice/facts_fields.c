/* What is told of a fact: keys and labels of its dimensions, where it falls, its columns. */
#include "slice/facts_parts.h"

#include "cube/text_column.h"

#include <string.h>

enum field_of { OF_LEVEL_KEY, OF_LEVEL_LABEL, OF_LEAF_KEY, OF_ATTRIBUTE, OF_COLUMN, OF_OUTER };

struct field {
    enum field_of of;
    size_t dimension; /* of the source; OF_OUTER: of the cube */
    const vc_level *level;
    const vc_attribute *attribute;
    size_t column; /* of the source's measure columns */
    vc_namer namer;
    vc_telling_once once; /* OF_OUTER */
    bool is_list;         /* leaves may have several: of their places */
};

struct vc_fact_teller {
    const vc_plan *plan;
    vc_arena *arena;
    const vc_cube_source *source;
    const vc_source_cube *cube;
    const vc_snapshot *snapshot;
    vc_fact_field *fields;
    struct field *how;
    size_t nfields, max_fields;
    vc_texts *dictionaries;             /* [ncolumns] */
    uint32_t *leaves;                   /* [ndimensions] of the fact at hand */
    uint32_t **place_offsets, **places; /* [ndimensions] of each leaf; NULL: one each */
};

/* ---- look-up ---- */

static void add(vc_fact_teller *teller, vc_fact_field field, struct field how)
{
    for (size_t i = 0; i < teller->nfields; i++)
        if (vc_str_equal(teller->fields[i].name, field.name)) return;
    if (teller->nfields == teller->max_fields) return;
    teller->fields[teller->nfields] = field;
    teller->how[teller->nfields++] = how;
}

static vc_str name_of(const vc_fact_teller *teller, size_t dimension, vc_str part, const char *end)
{
    return vc_arena_printf(teller->arena, "%.*s.%.*s%s",
                           VC_FMT(teller->cube->dimension_names[dimension]), VC_FMT(part), end);
}

/* Do the places of some leaf differ on the level? */
static bool has_several(const vc_fact_teller *teller, size_t number, const vc_level *level)
{
    const vc_dimension *dimension = teller->cube->dimensions[number];
    for (uint32_t leaf = vc_dimension_count_leaves(dimension); leaf < dimension->nleaves; leaf++)
        if (vc_numbers_get(level->leaf_members, leaf) !=
            vc_numbers_get(level->leaf_members, vc_leaf_first(dimension, leaf)))
            return true;
    return false;
}

static void add_level(vc_fact_teller *teller, size_t dimension, const vc_level *level)
{
    bool is_list = has_several(teller, dimension, level);
    add(teller,
        (vc_fact_field){.name = name_of(teller, dimension, level->name, ""),
                        .kind = is_list                         ? VC_FACT_LIST
                                : level->key_type == VC_KEY_INT ? VC_FACT_NUMBER
                                                                : VC_FACT_TEXT},
        (struct field){
            .of = OF_LEVEL_KEY, .dimension = dimension, .level = level, .is_list = is_list});
}

static void add_label(vc_fact_teller *teller, size_t dimension, const vc_level *level)
{
    bool is_list = has_several(teller, dimension, level);
    add(teller,
        (vc_fact_field){.name = name_of(teller, dimension, level->name, "_label"),
                        .kind = is_list ? VC_FACT_LIST : VC_FACT_TEXT},
        (struct field){
            .of = OF_LEVEL_LABEL, .dimension = dimension, .level = level, .is_list = is_list});
}

static void add_attribute(vc_fact_teller *teller, size_t number, vc_str name,
                          const vc_attribute *attribute)
{
    const vc_hierarchy *hierarchies = teller->cube->dimensions[number]->hierarchies;
    bool is_list =
        attribute->hierarchy >= 0 &&
        has_several(teller, number, &hierarchies[attribute->hierarchy].levels[attribute->level]);
    add(teller,
        (vc_fact_field){.name = name_of(teller, number, name, ""),
                        .kind = is_list ? VC_FACT_LIST : VC_FACT_TEXT},
        (struct field){
            .of = OF_ATTRIBUTE, .dimension = number, .attribute = attribute, .is_list = is_list});
}

static void add_leaf_key(vc_fact_teller *teller, size_t dimension)
{
    add(teller, (vc_fact_field){.name = name_of(teller, dimension, VC_STR("key"), "")},
        (struct field){.of = OF_LEAF_KEY, .dimension = dimension});
}

/* As little as tells a leaf from others. */
static void add_dimension(vc_fact_teller *teller, size_t number)
{
    const vc_dimension *dimension = teller->cube->dimensions[number];
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    if (dimension->ndoubles > 0) { /* where it stands is told by in.DIM */
        add_leaf_key(teller, number);
        return;
    }
    vc_namer namer = vc_namer_of(dimension);
    for (unsigned l = 0; namer.has_paths && l + 1 < main->nlevels; l++)
        add_level(teller, number, &main->levels[l]);
    add_level(teller, number, lowest);
    if (lowest->has_labels) add_label(teller, number, lowest);
    if (namer.has_leaf_keys) add_leaf_key(teller, number);
}

static void add_outer(vc_fact_teller *teller, size_t dimension)
{
    const vc_cube_dimension *outer = &teller->plan->cube->dimensions[dimension];
    add(teller,
        (vc_fact_field){.name = vc_arena_printf(teller->arena, "in.%.*s", VC_FMT(outer->name)),
                        .kind = VC_FACT_LIST},
        (struct field){
            .of = OF_OUTER, .dimension = dimension, .namer = vc_namer_of(outer->dimension)});
}

static void add_column(vc_fact_teller *teller, size_t number, vc_str name)
{
    const vc_fact_column *column = &teller->cube->columns[number];
    add(teller,
        (vc_fact_field){.name = name,
                        .kind = column->is_dictionary ? VC_FACT_TEXT : VC_FACT_VALUE,
                        .type = column->type,
                        .scale = column->scale},
        (struct field){.of = OF_COLUMN, .column = number});
}

/* A column goes by the first measure that reads it. */
static bool shows_column(const vc_fact_teller *teller, size_t column)
{
    const vc_cube *cube = teller->plan->cube;
    return vc_cube_shows_column(cube, (size_t)(teller->source - cube->sources), column);
}

static void add_columns(vc_fact_teller *teller)
{
    const vc_cube_def *definition = &teller->cube->definition->as.cube;
    for (size_t c = 0; c < teller->cube->ncolumns; c++) {
        vc_str name = teller->cube->columns[c].name;
        for (size_t m = definition->nmeasures; m-- > 0;)
            if (teller->cube->measure_columns[m] == (int)c) name = definition->measures[m].name;
        if (shows_column(teller, c)) add_column(teller, c, name);
    }
}

static void add_all(vc_fact_teller *teller)
{
    for (size_t d = 0; d < teller->cube->ndimensions; d++)
        add_dimension(teller, d);
    for (size_t d = 0; d < teller->plan->cube->ndimensions; d++)
        if (teller->source->bindings[d].kind == VC_BIND_RELATION) add_outer(teller, d);
    add_columns(teller);
}

static bool find_dimension(const vc_source_cube *cube, vc_str name, size_t *dimension_out)
{
    for (size_t d = 0; d < cube->ndimensions; d++)
        if (vc_str_equal(cube->dimension_names[d], name)) {
            *dimension_out = d;
            return true;
        }
    return false;
}

static bool find_level(const vc_dimension *dimension, vc_str name, const vc_level **level_out)
{
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++)
            if (vc_str_equal(dimension->hierarchies[h].levels[l].name, name)) {
                *level_out = &dimension->hierarchies[h].levels[l];
                return true;
            }
    return false;
}

/* "city.country", "city.city_label", "city.key", "city.capital" */
static bool add_part(vc_fact_teller *teller, size_t number, vc_str part)
{
    const vc_dimension *dimension = teller->cube->dimensions[number];
    const vc_level *level;
    vc_str stem = {.data = part.data, .size = part.size > 6 ? part.size - 6 : 0};
    if (find_level(dimension, part, &level)) {
        add_level(teller, number, level);
        return true;
    }
    if (vc_str_ends_with(part, VC_STR("_label")) && find_level(dimension, stem, &level)) {
        add_label(teller, number, level);
        return true;
    }
    const vc_attribute *attribute = vc_dimension_find_attribute(dimension, part);
    if (attribute != NULL) {
        add_attribute(teller, number, part, attribute);
        return true;
    }
    if (!vc_str_is(part, "key") || dimension->leaf_keys.count == 0) return false;
    add_leaf_key(teller, number);
    return true;
}

/* A measure of the virtual cube, of the source cube, or a column of its file. */
static bool add_named_column(vc_fact_teller *teller, vc_str name)
{
    const vc_cube *outer = teller->plan->cube;
    const vc_cube_def *definition = &teller->cube->definition->as.cube;
    for (size_t m = 0; m < outer->nmeasures; m++) {
        const vc_cube_measure *measure = &outer->measures[m];
        if (vc_str_equal(measure->name, name) && measure->expr == NULL && measure->column >= 0 &&
            &outer->sources[measure->source] == teller->source &&
            shows_column(teller, (size_t)measure->column)) {
            add_column(teller, (size_t)measure->column, name);
            return true;
        }
    }
    for (size_t m = 0; m < definition->nmeasures; m++)
        if (vc_str_equal(definition->measures[m].name, name) &&
            teller->cube->measure_columns[m] >= 0 &&
            shows_column(teller, (size_t)teller->cube->measure_columns[m])) {
            add_column(teller, (size_t)teller->cube->measure_columns[m], name);
            return true;
        }
    for (size_t c = 0; c < teller->cube->ncolumns; c++)
        if (vc_str_equal(teller->cube->columns[c].name, name) && shows_column(teller, c)) {
            add_column(teller, c, name);
            return true;
        }
    return false;
}

static bool add_named(vc_fact_teller *teller, vc_str name)
{
    size_t dimension;
    vc_str rest = name, head = vc_str_split(&rest, '.');
    if (find_dimension(teller->cube, name, &dimension)) {
        add_dimension(teller, dimension);
        return true;
    }
    if (!vc_str_is_null(rest) && find_dimension(teller->cube, head, &dimension) &&
        add_part(teller, dimension, rest))
        return true;
    if (!vc_str_is_null(rest) && vc_str_is(head, "in"))
        for (size_t d = 0; d < teller->plan->cube->ndimensions; d++)
            if (vc_str_equal(teller->plan->cube->dimensions[d].name, rest) &&
                teller->source->bindings[d].kind == VC_BIND_RELATION) {
                add_outer(teller, d);
                return true;
            }
    return add_named_column(teller, name);
}

static void offer_part(vc_str dimension, vc_str part, vc_arena *arena, vc_nearest *nearest)
{
    vc_str name = vc_arena_printf(arena, "%.*s.%.*s", VC_FMT(dimension), VC_FMT(part));
    if (name.data != NULL) vc_nearest_offer(nearest, name);
}

static void offer_dimension(vc_str name, const vc_dimension *dimension, vc_arena *arena,
                            vc_nearest *nearest)
{
    vc_nearest_offer(nearest, name);
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++)
            offer_part(name, dimension->hierarchies[h].levels[l].name, arena, nearest);
    for (unsigned a = 0; a < dimension->nattributes; a++)
        offer_part(name, dimension->attributes[a].name, arena, nearest);
}

void vc_fact_fields_offer(const vc_cube *cube, size_t source, vc_arena *arena, vc_nearest *nearest)
{
    const vc_source_cube *stored = cube->sources[source].cube;
    for (size_t d = 0; d < stored->ndimensions; d++)
        offer_dimension(stored->dimension_names[d], stored->dimensions[d], arena, nearest);
    for (size_t d = 0; d < cube->ndimensions; d++)
        if (cube->sources[source].bindings[d].kind == VC_BIND_RELATION)
            offer_part(VC_STR("in"), cube->dimensions[d].name, arena, nearest);
    for (size_t m = 0; m < cube->nmeasures; m++)
        if (cube->measures[m].expr == NULL && cube->measures[m].source == source &&
            cube->measures[m].column >= 0 &&
            vc_cube_shows_column(cube, source, (size_t)cube->measures[m].column))
            vc_nearest_offer(nearest, cube->measures[m].name);
    for (size_t m = 0; m < stored->definition->as.cube.nmeasures; m++)
        if (stored->measure_columns[m] >= 0 &&
            vc_cube_shows_column(cube, source, (size_t)stored->measure_columns[m]))
            vc_nearest_offer(nearest, stored->definition->as.cube.measures[m].name);
}

/* ---- make ---- */

static vc_status prepare_outer(vc_fact_teller *teller, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < teller->nfields && status == VC_OK; i++)
        if (teller->how[i].of == OF_OUTER)
            status = vc_telling_once_init(&teller->how[i].namer, teller->arena,
                                          &teller->how[i].once, error);
    return status;
}

static vc_status open_dictionaries(vc_fact_teller *teller, vc_error *error)
{
    const vc_source_cube *cube = teller->cube;
    for (size_t i = 0; i < teller->nfields; i++) {
        size_t column = teller->how[i].column;
        vc_str bytes;
        if (teller->how[i].of != OF_COLUMN || !cube->columns[column].is_dictionary) continue;
        vc_status status = vc_snapshot_bytes(
            teller->snapshot, cube->object_id, cube->generation,
            (uint16_t)(VC_COLUMN_DICTIONARY + cube->columns[column].column - VC_COLUMN_MEASURE),
            teller->arena, &bytes, error);
        if (status == VC_OK)
            status =
                vc_text_column_open(bytes, "a dictionary", &teller->dictionaries[column], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

static size_t count_fields(const vc_fact_teller *teller, size_t nasked)
{
    size_t count = teller->plan->cube->ndimensions + teller->cube->ncolumns + nasked;
    for (size_t d = 0; d < teller->cube->ndimensions; d++)
        count += VC_MAX_LEVELS + 2;
    return count + nasked * (VC_MAX_LEVELS + 2);
}

static vc_status list_places(vc_fact_teller *teller, vc_error *error)
{
    size_t ndimensions = teller->cube->ndimensions;
    vc_status status = VC_OK;
    teller->place_offsets = VC_ARENA_NEW(teller->arena, uint32_t *, ndimensions + 1);
    teller->places = VC_ARENA_NEW(teller->arena, uint32_t *, ndimensions + 1);
    if (teller->place_offsets == NULL || teller->places == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < ndimensions && status == VC_OK; d++)
        if (teller->cube->dimensions[d]->ndoubles > 0)
            status = vc_dimension_list_places(teller->cube->dimensions[d], teller->arena,
                                              &teller->place_offsets[d], &teller->places[d], error);
    return status;
}

vc_status vc_fact_teller_new(const vc_plan *plan, size_t source, const vc_facts_query *query,
                             bool *is_known, vc_arena *arena, vc_fact_teller **teller_out,
                             vc_error *error)
{
    vc_fact_teller *teller = VC_ARENA_NEW(arena, vc_fact_teller, 1);
    if (teller == NULL) return vc_no_memory(error);
    *teller = (vc_fact_teller){.plan = plan,
                               .arena = arena,
                               .source = &plan->cube->sources[source],
                               .cube = plan->cube->sources[source].cube,
                               .snapshot = vc_model_snapshot(plan->model)};
    teller->max_fields = count_fields(teller, query->nfields);
    teller->fields = VC_ARENA_NEW(arena, vc_fact_field, teller->max_fields);
    teller->how = VC_ARENA_NEW(arena, struct field, teller->max_fields);
    teller->dictionaries = VC_ARENA_NEW(arena, vc_texts, teller->cube->ncolumns + 1);
    teller->leaves = VC_ARENA_NEW(arena, uint32_t, teller->cube->ndimensions + 1);
    if (teller->fields == NULL || teller->how == NULL || teller->dictionaries == NULL ||
        teller->leaves == NULL)
        return vc_no_memory(error);
    vc_status listed = list_places(teller, error);
    if (listed != VC_OK) return listed;
    if (query->nfields == 0) add_all(teller);
    for (size_t i = 0; i < query->nfields; i++)
        if (add_named(teller, query->fields[i])) is_known[i] = true;
    for (size_t i = 0; i < teller->nfields; i++)
        if (teller->fields[i].name.data == NULL) return vc_no_memory(error);
    *teller_out = teller;
    vc_status status = prepare_outer(teller, error);
    return status == VC_OK ? open_dictionaries(teller, error) : status;
}

const vc_fact_field *vc_fact_teller_fields(const vc_fact_teller *teller, size_t *nfields_out)
{
    *nfields_out = teller->nfields;
    return teller->fields;
}

/* ---- read ---- */

int64_t vc_fact_int(const vc_chunk *chunk, uint32_t row)
{
    uint32_t block = row / VC_BLOCK_ROWS;
    return (int64_t)((uint64_t)chunk->blocks[block].min +
                     vc_packed_get(vc_chunk_block_data(chunk, block), chunk->blocks[block].width,
                                   row % VC_BLOCK_ROWS));
}

static vc_status fail_damaged(const vc_fact_teller *teller, uint32_t segment, vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "storage_damaged",
                   "cube '%.*s', segment %u: a fact lies where nothing can be",
                   VC_FMT(teller->cube->name), segment);
}

static vc_status read_leaves(vc_fact_teller *teller, uint32_t segment, uint32_t row,
                             vc_error *error)
{
    for (size_t d = 0; d < teller->cube->ndimensions; d++) {
        const vc_chunk *chunk;
        vc_status status = vc_source_cube_view(teller->cube, teller->snapshot, (uint16_t)d, segment,
                                               &chunk, error);
        if (status != VC_OK) return status;
        if (row >= chunk->nrows || chunk->type != VC_CHUNK_INT)
            return fail_damaged(teller, segment, error);
        int64_t leaf = vc_fact_int(chunk, row);
        if (leaf < 0 || leaf >= (int64_t)vc_source_cube_stored_leaves(teller->cube, d))
            return fail_damaged(teller, segment, error);
        teller->leaves[d] = vc_source_cube_leaf(teller->cube, d, (uint32_t)leaf);
    }
    return VC_OK;
}

static void put_text(vc_fact_cell *cell, vc_str text)
{
    cell->is_null = vc_str_is_null(text);
    cell->as.text = text;
}

/* The joined leaf, or tuple of leaves, that the fact lies on; VC_NONE: of no relation. */
static uint32_t joined_leaf(const vc_fact_teller *teller, const vc_binding *binding)
{
    uint64_t code = 0;
    uint32_t number;
    if (binding->tuples == NULL) return teller->leaves[binding->source_dimension];
    for (size_t c = 0; c < binding->tuples->ncomponents; c++)
        vc_tuples_add_component(binding->tuples, c, &teller->leaves[binding->components[c]], 0, 1,
                                &code);
    vc_tuples_find(binding->tuples, &code, 1, &number);
    return number;
}

/* The members that the fact counts for: units of the primary, or a bucket's. */
static vc_status read_outer(const vc_fact_teller *teller, struct field *field, vc_fact_cell *cell,
                            vc_error *error)
{
    const vc_binding *binding = &teller->source->bindings[field->dimension];
    const vc_cube_dimension *outer = &teller->plan->cube->dimensions[field->dimension];
    uint32_t leaf = joined_leaf(teller, binding);
    const uint32_t *units = NULL;
    if (leaf == VC_NONE) return VC_OK;
    size_t nunits = vc_relation_units(binding->relation, leaf, &units);
    vc_str *items = VC_ARENA_NEW(teller->arena, vc_str, nunits + 1);
    if (items == NULL) return vc_no_memory(error);
    size_t nitems = 0;
    vc_telling_once_next(&field->once);
    for (size_t i = 0; i < nunits; i++)
        if (binding->relation->level >= 0 || !vc_telling_once_is_told(&field->once, units[i]))
            items[nitems++] =
                vc_namer_unit(&field->namer, binding->relation, units[i], teller->arena, NULL);
    if (nunits == 0 && binding->synthetic_slots != NULL &&
        binding->synthetic_slots[leaf] != VC_NONE)
        items[nitems++] = vc_namer_slot(&field->namer, outer, binding->synthetic_slots[leaf],
                                        teller->arena, NULL);
    cell->as.list.items = items;
    cell->as.list.nitems = nitems;
    return VC_OK;
}

static vc_status read_column(const vc_fact_teller *teller, const struct field *field,
                             uint32_t segment, uint32_t row, vc_fact_cell *cell, vc_error *error)
{
    const vc_fact_column *column = &teller->cube->columns[field->column];
    const vc_chunk *chunk;
    vc_status status =
        vc_source_cube_view(teller->cube, teller->snapshot, column->column, segment, &chunk, error);
    if (status != VC_OK) return status;
    if (row >= chunk->nrows) return fail_damaged(teller, segment, error);
    cell->is_null = !vc_chunk_has(chunk, row);
    if (cell->is_null) return VC_OK;
    if (chunk->type == VC_CHUNK_FLOAT) {
        cell->as.f = ((const double *)chunk->data)[row];
        return VC_OK;
    }
    int64_t value = vc_fact_int(chunk, row);
    if (!column->is_dictionary) {
        cell->as.i = value;
        return VC_OK;
    }
    const vc_texts *texts = &teller->dictionaries[field->column];
    if (value < 0 || value >= (int64_t)texts->count) return fail_damaged(teller, segment, error);
    put_text(cell, vc_texts_get(texts, (uint32_t)value));
    return VC_OK;
}

/* What a number of a leaf has; the key of a level, its label or an attribute. */
static vc_str text_of(const vc_fact_teller *teller, const struct field *field, uint32_t leaf)
{
    const vc_attribute *attribute = field->attribute;
    if (field->of == OF_LEVEL_KEY)
        return vc_texts_get(&field->level->keys, vc_numbers_get(field->level->leaf_members, leaf));
    if (field->of == OF_LEVEL_LABEL)
        return vc_texts_get(&field->level->labels,
                            vc_numbers_get(field->level->leaf_members, leaf));
    const vc_dimension *dimension = teller->cube->dimensions[field->dimension];
    if (field->of == OF_LEAF_KEY) return vc_texts_get(&dimension->leaf_keys, leaf);
    if (attribute->hierarchy >= 0)
        leaf = vc_numbers_get(
            dimension->hierarchies[attribute->hierarchy].levels[attribute->level].leaf_members,
            leaf);
    uint32_t code = vc_numbers_get(attribute->codes, leaf);
    return code == VC_NONE ? (vc_str){0} : vc_texts_get(&attribute->values, code);
}

/* All that the places of a leaf have, each once; nothing is not listed. */
static vc_status read_places(const vc_fact_teller *teller, const struct field *field,
                             vc_fact_cell *cell, vc_error *error)
{
    uint32_t leaf = teller->leaves[field->dimension];
    const uint32_t *offsets = teller->place_offsets[field->dimension];
    uint32_t first = offsets[leaf], end = offsets[leaf + 1];
    vc_str *items = VC_ARENA_NEW(teller->arena, vc_str, (size_t)(end - first) + 1);
    size_t nitems = 0;
    if (items == NULL) return vc_no_memory(error);
    for (uint32_t i = first; i < end; i++) {
        vc_str text = text_of(teller, field, teller->places[field->dimension][i]);
        size_t at = 0;
        while (at < nitems && vc_str_compare(items[at], text) < 0)
            at++;
        if (vc_str_is_null(text) || (at < nitems && vc_str_equal(items[at], text))) continue;
        memmove(items + at + 1, items + at, (nitems++ - at) * sizeof *items);
        items[at] = text;
    }
    cell->as.list.items = items;
    cell->as.list.nitems = nitems;
    return VC_OK;
}

static vc_status read_field(const vc_fact_teller *teller, struct field *field, uint32_t segment,
                            uint32_t row, vc_fact_cell *cell, vc_error *error)
{
    if (field->of == OF_COLUMN) return read_column(teller, field, segment, row, cell, error);
    if (field->of == OF_OUTER) return read_outer(teller, field, cell, error);
    if (field->is_list) return read_places(teller, field, cell, error);
    put_text(cell, text_of(teller, field, teller->leaves[field->dimension]));
    return VC_OK;
}

vc_status vc_fact_teller_tell(vc_fact_teller *teller, uint32_t segment, uint32_t row,
                              vc_fact_cell *cells, vc_error *error)
{
    vc_status status = read_leaves(teller, segment, row, error);
    for (size_t i = 0; i < teller->nfields && status == VC_OK; i++)
        status = read_field(teller, &teller->how[i], segment, row, &cells[i], error);
    return status;
}
