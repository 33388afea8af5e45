/* Trees in which a row may have several parents: its key stands in several rows of the table, one
 * for each. All that is below it is then below each of them, so a row gets a copy for every further
 * way there is from it to the top; a copy is a place of the same leaf. From there on every row has
 * one parent, as in any tree.
 */
#include "dimensions/build.h"
#include "dimensions/order.h"

#include <stdio.h>
#include <string.h>

enum { MIN_LIMIT = 1 << 24 }; /* rows that a tree may become, however small it is */

typedef struct placing {
    vc_build *build;
    const vc_build_column *keys, *parent_keys;
    uint32_t *children; /* rows by the code of their parent's key, roots behind them */
    uint32_t *first;    /* [nvalues of keys + 2] into children */
    /* Places, parents before those below them; their number is their place here: */
    uint32_t *rows, *parents;
    uint32_t nplaces, capacity;
} placing;

void vc_build_note_lost(vc_build *build, vc_str parent, vc_str key)
{
    vc_dimension_report *report = build->report;
    if (report->nlost_parents++ > 0) return;
    snprintf(report->lost_parent, sizeof report->lost_parent, "'%.*s', the parent of '%.*s'",
             VC_FMT(vc_text_shorten(parent, 48)), VC_FMT(vc_text_shorten(key, 48)));
}

static vc_str row_key(const placing *at, uint32_t row)
{
    return at->keys->values[at->keys->codes[row]];
}

/* The code of the parent's key; that of no key for a root. */
static uint32_t parent_code(const placing *at, uint32_t row, bool tells_lost)
{
    uint32_t code = at->parent_keys->codes[row];
    if (code == VC_NONE || at->parent_keys->values[code].size == 0) return at->keys->nvalues;
    vc_str parent = at->parent_keys->values[code];
    uint32_t key = vc_build_column_find(at->keys, parent);
    if (key == VC_NONE && tells_lost) vc_build_note_lost(at->build, parent, row_key(at, row));
    return key == VC_NONE || key == at->keys->codes[row] ? at->keys->nvalues : key;
}

static vc_status list_children(placing *at, vc_error *error)
{
    vc_arena *arena = at->build->arena;
    uint32_t nrows = at->build->nrows, nkeys = at->keys->nvalues;
    uint32_t *parents = vc_arena_alloc(arena, ((size_t)nrows + 1) * sizeof *parents);
    at->children = vc_arena_alloc(arena, ((size_t)nrows + 1) * sizeof *at->children);
    at->first = VC_ARENA_NEW(arena, uint32_t, (size_t)nkeys + 3);
    if (parents == NULL || at->children == NULL || at->first == NULL) return vc_no_memory(error);
    uint32_t *next = at->first + 1;
    for (uint32_t row = 0; row < nrows; row++) {
        parents[row] = parent_code(at, row, true);
        next[parents[row] + 1]++;
    }
    for (uint32_t code = 0; code <= nkeys; code++)
        next[code + 1] += next[code];
    for (uint32_t row = 0; row < nrows; row++)
        at->children[next[parents[row]]++] = row;
    return VC_OK;
}

static vc_status fail_cycle(const placing *at, uint32_t row, vc_error *error)
{
    return vc_fail(error, VC_BAD_INPUT, "parent_cycle",
                   "dimension '%.*s': the parents of '%.*s' lead back to it",
                   VC_FMT(at->build->spec->name), VC_FMT(vc_text_shorten(row_key(at, row), 48)));
}

/* Is the key that of a place on the way up? */
static vc_status check_way(const placing *at, uint32_t row, uint32_t parent, vc_error *error)
{
    unsigned depth = 1;
    for (uint32_t up = parent; up != VC_NONE; up = at->parents[up], depth++)
        if (at->keys->codes[at->rows[up]] == at->keys->codes[row])
            return fail_cycle(at, row, error);
    if (depth <= VC_MAX_LEVELS) return VC_OK;
    return vc_fail(error, VC_LIMIT, "limit_levels",
                   "dimension '%.*s': the tree is more than %d levels deep at '%.*s'",
                   VC_FMT(at->build->spec->name), VC_MAX_LEVELS,
                   VC_FMT(vc_text_shorten(row_key(at, row), 48)));
}

static vc_status add_place(placing *at, uint32_t row, uint32_t parent, vc_error *error)
{
    vc_status status = check_way(at, row, parent, error);
    if (status != VC_OK) return status;
    uint32_t most = at->build->nrows < MIN_LIMIT / 4 ? MIN_LIMIT : at->build->nrows * 4;
    if (at->nplaces == most)
        return vc_fail(error, VC_LIMIT, "limit_places",
                       "dimension '%.*s': there are more than %u ways down to its %u rows",
                       VC_FMT(at->build->spec->name), most, at->build->nrows);
    if (at->nplaces == at->capacity) {
        uint32_t capacity = at->capacity * 2 + at->build->nrows + 64;
        uint32_t *rows = vc_arena_alloc(at->build->arena, capacity * sizeof *rows);
        uint32_t *parents = vc_arena_alloc(at->build->arena, capacity * sizeof *parents);
        if (rows == NULL || parents == NULL) return vc_no_memory(error);
        if (at->nplaces > 0) memcpy(rows, at->rows, at->nplaces * sizeof *rows);
        if (at->nplaces > 0) memcpy(parents, at->parents, at->nplaces * sizeof *parents);
        at->rows = rows;
        at->parents = parents;
        at->capacity = capacity;
    }
    at->rows[at->nplaces] = row;
    at->parents[at->nplaces++] = parent;
    return VC_OK;
}

/* From the roots down, a depth after the other. */
static vc_status list_places(placing *at, vc_error *error)
{
    uint32_t nkeys = at->keys->nvalues;
    vc_status status = VC_OK;
    for (uint32_t i = at->first[nkeys]; status == VC_OK && i < at->first[nkeys + 1]; i++)
        status = add_place(at, at->children[i], VC_NONE, error);
    for (uint32_t place = 0; status == VC_OK && place < at->nplaces; place++) {
        uint32_t code = at->keys->codes[at->rows[place]];
        for (uint32_t i = at->first[code]; status == VC_OK && i < at->first[code + 1]; i++)
            status = add_place(at, at->children[i], place, error);
    }
    return status;
}

/* The rows of the table keep their numbers, each for the first place of it; the others follow.
 * row_of_place_out [nplaces] */
static vc_status number_places(placing *at, uint32_t **row_of_place_out, vc_error *error)
{
    uint32_t nrows = at->build->nrows, next = nrows;
    uint32_t *numbers =
        vc_arena_alloc(at->build->arena, ((size_t)at->nplaces + 1) * sizeof *numbers);
    bool *is_seen = VC_ARENA_NEW(at->build->arena, bool, (size_t)nrows + 1);
    if (numbers == NULL || is_seen == NULL) return vc_no_memory(error);
    for (uint32_t place = 0; place < at->nplaces; place++) {
        uint32_t row = at->rows[place];
        numbers[place] = is_seen[row] ? next++ : row;
        is_seen[row] = true;
    }
    for (uint32_t row = 0; row < nrows; row++) /* what no root leads to goes round in a circle */
        if (!is_seen[row]) return fail_cycle(at, row, error);
    *row_of_place_out = numbers;
    return VC_OK;
}

/* Make the copies: every column of the table, and which row of a leaf is its first. */
static vc_status copy_rows(placing *at, const uint32_t *numbers, vc_error *error)
{
    vc_build *build = at->build;
    unsigned ncolumns = build->spec->ncolumns;
    vc_build_column *columns = VC_ARENA_NEW(build->arena, vc_build_column, ncolumns);
    uint32_t *first_of_row =
        vc_arena_alloc(build->arena, ((size_t)at->nplaces + 1) * sizeof *first_of_row);
    uint32_t *parents = vc_arena_alloc(build->arena, ((size_t)at->nplaces + 1) * sizeof *parents);
    if (columns == NULL || first_of_row == NULL || parents == NULL) return vc_no_memory(error);
    memcpy(columns, build->columns, ncolumns * sizeof *columns);
    for (unsigned c = 0; c < ncolumns; c++) {
        uint32_t *codes = vc_arena_alloc(build->arena, ((size_t)at->nplaces + 1) * sizeof *codes);
        if (codes == NULL) return vc_no_memory(error);
        for (uint32_t place = 0; place < at->nplaces; place++)
            codes[numbers[place]] = build->columns[c].codes[at->rows[place]];
        columns[c].codes = codes;
    }
    for (uint32_t place = 0; place < at->nplaces; place++) {
        uint32_t parent = at->parents[place];
        first_of_row[numbers[place]] = build->first_of_row[at->rows[place]];
        parents[numbers[place]] = parent == VC_NONE ? VC_NONE : numbers[parent];
    }
    build->columns = columns;
    build->first_of_row = first_of_row;
    build->parents_of_rows = parents;
    build->nrows = at->nplaces;
    return VC_OK;
}

vc_status vc_build_make_places(vc_build *build, vc_error *error)
{
    const vc_hierarchy_spec *tree = NULL;
    uint32_t *numbers = NULL;
    for (unsigned h = 0; h < build->spec->nhierarchies; h++) {
        const vc_hierarchy_spec *hierarchy = &build->spec->hierarchies[h];
        if (hierarchy->is_parent_child && hierarchy->has_several_parents) tree = hierarchy;
    }
    if (tree == NULL) return VC_OK;
    placing at = {.build = build,
                  .keys = &build->columns[build->spec->key_column],
                  .parent_keys = &build->columns[tree->parent_column]};
    vc_status status = list_children(&at, error);
    if (status == VC_OK) status = list_places(&at, error);
    if (status == VC_OK) status = number_places(&at, &numbers, error);
    return status == VC_OK ? copy_rows(&at, numbers, error) : status;
}
