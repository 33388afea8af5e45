/* From members and leaves of rows to the flat arrays of a dimension. */
#include "dimensions/build.h"

#include <string.h>

/* ---- texts ---- */

vc_texts vc_build_texts(const vc_str *values, uint32_t count, vc_arena *arena)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += vc_str_is_null(values[i]) ? 1 : values[i].size;
    uint64_t *offsets = vc_arena_alloc(arena, ((size_t)count + 1) * sizeof *offsets);
    char *bytes = vc_arena_alloc(arena, size);
    if (offsets == NULL || bytes == NULL) return (vc_texts){0};
    uint64_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        offsets[i] = at;
        if (vc_str_is_null(values[i])) {
            bytes[at++] = (char)0xFF;
        } else {
            if (values[i].size > 0) memcpy(bytes + at, values[i].data, values[i].size);
            at += values[i].size;
        }
    }
    offsets[count] = at;
    return (vc_texts){.count = count,
                      .nstored = count,
                      .offset_bytes = sizeof *offsets,
                      .offsets = offsets,
                      .bytes = bytes};
}

/* The texts that codes of a column stand for, at most one per row. Where the code is null,
 * `otherwise` (which may be NULL) has the code of another column to use instead. */
typedef struct coded {
    const vc_build_column *column;
    const uint32_t *codes;
} coded;

static vc_texts coded_texts(const vc_build *build, coded wanted, const coded *otherwise,
                            uint32_t count)
{
    vc_str *values = build->scratch;
    size_t number = (size_t)(wanted.column - build->columns);
    bool is_whole = number < build->rows.ncolumns; /* those of ragged levels are not kept */
    for (uint32_t i = 0; i < count && is_whole; i++)
        is_whole = wanted.codes[i] != VC_NONE;
    if (is_whole) { /* the texts are those of the column: only which one each is */
        vc_texts texts = build->rows.columns[number].values;
        texts.count = count;
        texts.places = vc_numbers_of(wanted.codes);
        return texts;
    }
    for (uint32_t i = 0; i < count; i++) {
        const coded *from = wanted.codes[i] == VC_NONE && otherwise != NULL ? otherwise : &wanted;
        uint32_t code = from->codes[i];
        values[i] = code == VC_NONE ? (vc_str){0} : from->column->values[code];
    }
    return vc_build_texts(values, count, build->arena);
}

/* ---- by leaf ---- */

/* What rows have, leaf by leaf. NULL when out of memory. */
static const uint32_t *by_leaf(const vc_build *build, const uint32_t *values_of_row)
{
    uint32_t *values = vc_arena_alloc(build->arena, build->nrows * sizeof *values);
    for (uint32_t row = 0; values != NULL && row < build->nrows; row++)
        values[build->leaf_of_row[row]] = values_of_row[row];
    return values;
}

static bool assemble_columns(vc_build *build)
{
    vc_dimension *dimension = build->dimension;
    const vc_dimension_spec *spec = build->spec;
    vc_dimension_rows *rows = &build->rows;
    rows->load_order = build->leaf_of_row;
    rows->ncolumns = spec->ncolumns;
    rows->columns = VC_ARENA_NEW(build->arena, vc_leaf_column, spec->ncolumns);
    if (rows->columns == NULL) return false;
    for (unsigned c = 0; c < spec->ncolumns; c++) {
        const vc_build_column *from = &build->columns[c];
        vc_leaf_column *column = &rows->columns[c];
        column->name = spec->column_names[c];
        column->values = vc_build_texts(from->values, from->nvalues, build->arena);
        column->codes = vc_numbers_of(by_leaf(build, from->codes));
        if (column->values.bytes == NULL || column->codes.data == NULL) return false;
    }
    dimension->key_name = VC_STR("");
    if (spec->key_column < 0) return true;
    dimension->key_name = spec->column_names[spec->key_column];
    const vc_build_column *key = &build->columns[spec->key_column];
    coded keys = {.column = key, .codes = vc_build_array(rows->columns[spec->key_column].codes)};
    dimension->leaf_keys = coded_texts(build, keys, NULL, build->nrows);
    return dimension->leaf_keys.bytes != NULL;
}

/* The last numbers are further places of leaves before them. */
static bool assemble_doubles(vc_build *build)
{
    vc_dimension *dimension = build->dimension;
    uint32_t *firsts = vc_arena_alloc(build->arena, (size_t)build->ndoubles * sizeof *firsts);
    uint32_t nowned = build->nrows - build->ndoubles;
    for (unsigned h = 0; h < build->spec->nhierarchies; h++)
        dimension->has_places |= build->spec->hierarchies[h].has_several_parents;
    if (build->ndoubles == 0) return true;
    if (firsts == NULL) return false;
    for (uint32_t row = 0; row < build->nrows; row++)
        if (build->leaf_of_row[row] >= nowned)
            firsts[build->leaf_of_row[row] - nowned] = build->leaf_of_row[build->first_of_row[row]];
    dimension->ndoubles = build->ndoubles;
    dimension->firsts = vc_numbers_of(firsts);
    return true;
}

/* ---- levels ---- */

/* Members sorted by the bytes of their keys, nulls last. */
static const uint32_t *sort_by_key(const vc_build *build, const vc_build_column *key,
                                   const vc_build_level *level)
{
    uint32_t *sorted = vc_arena_alloc(build->arena, level->nmembers * sizeof *sorted);
    uint32_t *ends = VC_ARENA_NEW(build->arena, uint32_t, (size_t)key->nvalues + 2);
    if (sorted == NULL || ends == NULL) return NULL;
    for (uint32_t m = 0; m < level->nmembers; m++)
        ends[(level->key_codes[m] == VC_NONE ? key->nvalues : level->key_codes[m]) + 1]++;
    for (uint32_t code = 0; code <= key->nvalues; code++)
        ends[code + 1] += ends[code];
    for (uint32_t m = 0; m < level->nmembers; m++)
        sorted[ends[level->key_codes[m] == VC_NONE ? key->nvalues : level->key_codes[m]]++] = m;
    return sorted;
}

/* Where the run of each owner begins in an ascending list of owners, each of which occurs. */
static const uint32_t *first_of_each(const vc_build *build, const uint32_t *owners, uint32_t count,
                                     uint32_t nowners)
{
    uint32_t *firsts = vc_arena_alloc(build->arena, ((size_t)nowners + 1) * sizeof *firsts);
    if (firsts == NULL) return NULL;
    for (uint32_t i = count; i-- > 0;)
        firsts[owners[i]] = i;
    firsts[nowners] = count;
    return firsts;
}

static bool ascends(const uint32_t *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (values[i] < values[i - 1]) return false;
    return true;
}

static bool assemble_level(vc_build *build, const vc_level_spec *spec, const vc_build_level *from,
                           const vc_build_level *below, vc_level *level)
{
    const vc_build_column *key = &build->columns[spec->key_column];
    coded keys = {.column = key, .codes = from->key_codes};
    *level = (vc_level){.name = spec->name,
                        .label = spec->label.size == 0 ? spec->name : spec->label,
                        .key_type = spec->key_type,
                        .is_numeric = key->is_numeric,
                        .is_ordered_by_column = spec->order_column >= 0,
                        .has_labels = spec->label_column >= 0,
                        .is_ragged = spec->skip != VC_SKIP_NEVER,
                        .nmembers = from->nmembers,
                        .parents = vc_numbers_of(from->parents)};
    level->keys = coded_texts(build, keys, NULL, from->nmembers);
    level->labels = level->keys;
    if (level->has_labels) {
        coded labels = {.column = &build->columns[spec->label_column], .codes = from->label_codes};
        level->labels = coded_texts(build, labels, &keys, from->nmembers);
    }
    const uint32_t *leaf_members = by_leaf(build, from->member_of_row), *first_leaf;
    level->leaf_members = vc_numbers_of(leaf_members);
    level->by_key = vc_numbers_of(sort_by_key(build, key, from));
    bool is_good = level->keys.bytes != NULL && level->labels.bytes != NULL &&
                   leaf_members != NULL && level->by_key.data != NULL;
    if (is_good && below != NULL) {
        level->first_child = first_of_each(build, below->parents, below->nmembers, from->nmembers);
        is_good = level->first_child != NULL;
    }
    level->is_contiguous = is_good && ascends(leaf_members, build->nrows);
    if (level->is_contiguous) {
        first_leaf = first_of_each(build, leaf_members, build->nrows, from->nmembers);
        level->first_leaf = vc_numbers_of(first_leaf);
        is_good = first_leaf != NULL;
    }
    return is_good;
}

static bool assemble_hierarchies(vc_build *build)
{
    const vc_dimension_spec *spec = build->spec;
    vc_dimension *dimension = build->dimension;
    dimension->nhierarchies = spec->nhierarchies;
    dimension->hierarchies = VC_ARENA_NEW(build->arena, vc_hierarchy, spec->nhierarchies);
    bool is_good = dimension->hierarchies != NULL;
    for (unsigned h = 0; is_good && h < spec->nhierarchies; h++) {
        const vc_hierarchy_spec *from = &spec->hierarchies[h];
        vc_hierarchy *hierarchy = &dimension->hierarchies[h];
        hierarchy->name = from->name;
        hierarchy->label = from->label.size == 0 ? from->name : from->label;
        hierarchy->nlevels = from->nlevels;
        hierarchy->is_parent_child = from->is_parent_child;
        hierarchy->levels = VC_ARENA_NEW(build->arena, vc_level, from->nlevels);
        is_good = hierarchy->levels != NULL;
        for (unsigned l = 0; is_good && l < from->nlevels; l++) {
            const vc_build_level *below = l + 1 < from->nlevels ? &build->levels[h][l + 1] : NULL;
            is_good = assemble_level(build, &from->levels[l], &build->levels[h][l], below,
                                     &hierarchy->levels[l]);
            hierarchy->is_ragged |= hierarchy->levels[l].is_ragged;
        }
    }
    return is_good;
}

/* ---- attributes ---- */

static vc_status fail_conflict(const vc_build *build, const vc_attribute_spec *spec,
                               uint32_t member, uint32_t first, uint32_t second, vc_error *error)
{
    const vc_hierarchy *hierarchy = &build->dimension->hierarchies[spec->hierarchy];
    const vc_str *values = build->columns[spec->column].values;
    vc_str path = vc_member_path(hierarchy, (unsigned)spec->level, member, build->arena);
    return vc_fail(error, VC_BAD_INPUT, "attribute_conflict",
                   "dimension '%.*s': attribute '%.*s' belongs to the level '%.*s', but its member "
                   "'%.*s' has rows with '%.*s' and with '%.*s'",
                   VC_FMT(build->spec->name), VC_FMT(spec->name),
                   VC_FMT(hierarchy->levels[spec->level].name), VC_FMT(path), VC_FMT(values[first]),
                   VC_FMT(values[second]));
}

/* The one value that the rows of each member have. */
static vc_status assemble_level_attribute(const vc_build *build, const vc_attribute_spec *spec,
                                          vc_attribute *attribute, vc_error *error)
{
    const vc_build_level *level = &build->levels[spec->hierarchy][spec->level];
    const vc_level *owner = &build->dimension->hierarchies[spec->hierarchy].levels[spec->level];
    const uint32_t *codes_of_row = build->columns[spec->column].codes;
    uint32_t *codes = vc_arena_alloc(build->arena, level->nmembers * sizeof *codes);
    if (codes == NULL) return vc_no_memory(error);
    for (uint32_t m = 0; m < level->nmembers; m++)
        codes[m] = VC_NONE;
    for (uint32_t row = 0; row < build->nrows; row++) {
        uint32_t member = level->member_of_row[row], code = codes_of_row[row];
        if (code == VC_NONE || code == codes[member] || vc_member_is_hidden(owner, member))
            continue;
        if (codes[member] != VC_NONE)
            return fail_conflict(build, spec, member, codes[member], code, error);
        codes[member] = code;
    }
    attribute->codes = vc_numbers_of(codes);
    return VC_OK;
}

static vc_status assemble_attributes(vc_build *build, vc_error *error)
{
    const vc_dimension_spec *spec = build->spec;
    vc_dimension *dimension = build->dimension;
    dimension->nattributes = spec->nattributes;
    dimension->attributes = VC_ARENA_NEW(build->arena, vc_attribute, spec->nattributes);
    if (dimension->attributes == NULL) return vc_no_memory(error);
    for (unsigned a = 0; a < spec->nattributes; a++) {
        const vc_attribute_spec *from = &spec->attributes[a];
        vc_attribute *attribute = &dimension->attributes[a];
        *attribute = (vc_attribute){.name = from->name,
                                    .hierarchy = from->hierarchy,
                                    .level = from->level,
                                    .values = build->rows.columns[from->column].values,
                                    .codes = build->rows.columns[from->column].codes};
        if (from->hierarchy < 0) continue;
        vc_status status = assemble_level_attribute(build, from, attribute, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

vc_status vc_build_assemble(vc_build *build, vc_error *error)
{
    vc_dimension *dimension = VC_ARENA_NEW(build->arena, vc_dimension, 1);
    if (dimension == NULL) return vc_no_memory(error);
    build->dimension = dimension;
    dimension->name = build->spec->name;
    dimension->label = build->spec->label.size == 0 ? build->spec->name : build->spec->label;
    dimension->is_time = build->spec->is_time;
    dimension->nleaves = build->nrows;
    build->scratch = vc_arena_alloc(build->arena, ((size_t)build->nrows + 1) * sizeof(vc_str));
    if (build->scratch == NULL) return vc_no_memory(error);
    if (!assemble_columns(build) || !assemble_doubles(build) || !assemble_hierarchies(build))
        return vc_no_memory(error);
    return assemble_attributes(build, error);
}
