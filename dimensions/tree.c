/* Ragged and parent-child hierarchies become even ones, by columns that are derived from the
 * table's: each level gets a key column of its own, in which rows that have no member there are
 * null. From there on a null key is a member like any, only that it is hidden.
 */
#include "dimensions/build.h"
#include "dimensions/order.h"

#include <stdio.h>
#include <string.h>

typedef struct evening { /* what is being made */
    vc_build *build;
    vc_hierarchy_spec *hierarchies;
    vc_build_column *columns;
    unsigned ncolumns, capacity;
} evening;

/* A column with the dictionary of another and codes of its own; its number. */
static vc_status add_column(evening *work, unsigned dictionary, const uint32_t *codes,
                            unsigned *column_out, vc_error *error)
{
    if (work->ncolumns == work->capacity) {
        unsigned capacity = work->capacity * 2 + 8;
        vc_build_column *columns = VC_ARENA_NEW(work->build->arena, vc_build_column, capacity);
        if (columns == NULL) return vc_no_memory(error);
        memcpy(columns, work->columns, work->ncolumns * sizeof *columns);
        work->columns = columns;
        work->capacity = capacity;
    }
    *column_out = work->ncolumns++;
    work->columns[*column_out] = work->columns[dictionary];
    work->columns[*column_out].codes = codes;
    return vc_build_column_rank_used(&work->columns[*column_out], work->build->nrows,
                                     work->build->arena, error);
}

static uint32_t *new_codes(const evening *work, vc_error *error)
{
    uint32_t *codes = vc_arena_alloc(work->build->arena, work->build->nrows * sizeof *codes);
    if (codes == NULL) vc_no_memory(error);
    return codes;
}

/* ---- levels that skip ---- */

static bool is_blank(vc_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t') return false;
    return true;
}

/* The keys of a level, null where it has no member. above [nrows]: the key of each row's member
 * above, kept up to date. */
static vc_status skip_level(evening *work, vc_level_spec *level, vc_str *above, vc_error *error)
{
    const vc_build_column *keys = &work->columns[level->key_column];
    uint32_t *codes = level->skip == VC_SKIP_NEVER ? NULL : new_codes(work, error);
    if (level->skip != VC_SKIP_NEVER && codes == NULL) return VC_NO_MEMORY;
    for (uint32_t row = 0; row < work->build->nrows; row++) {
        uint32_t code = keys->codes[row];
        vc_str key = code == VC_NONE ? (vc_str){0} : keys->values[code];
        bool is_missing =
            level->skip != VC_SKIP_NEVER &&
            (is_blank(key) || (level->skip == VC_SKIP_PARENT && !vc_str_is_null(above[row]) &&
                               vc_str_equal(key, above[row])));
        if (codes != NULL) codes[row] = is_missing ? VC_NONE : code;
        if (!is_missing) above[row] = key;
    }
    if (codes == NULL) return VC_OK;
    return add_column(work, level->key_column, codes, &level->key_column, error);
}

static vc_status make_skipping(evening *work, vc_hierarchy_spec *hierarchy, vc_error *error)
{
    vc_arena *arena = work->build->arena;
    vc_level_spec *levels = VC_ARENA_NEW(arena, vc_level_spec, hierarchy->nlevels);
    vc_str *above = VC_ARENA_NEW(arena, vc_str, (size_t)work->build->nrows + 1);
    if (levels == NULL || above == NULL) return vc_no_memory(error);
    memcpy(levels, hierarchy->levels, hierarchy->nlevels * sizeof *levels);
    hierarchy->levels = levels;
    vc_status status = VC_OK;
    for (unsigned l = 0; status == VC_OK && l < hierarchy->nlevels; l++)
        status = skip_level(work, &levels[l], above, error);
    return status;
}

/* ---- trees ---- */

typedef struct tree {
    const evening *work;
    const vc_hierarchy_spec *hierarchy;
    const vc_build_column *keys, *parent_keys;
    bool tells_lost;   /* no other hierarchy with the same parents has told already */
    uint32_t *parents; /* [nrows] row of the parent; VC_NONE for a root */
    uint32_t *levels;  /* [nrows]; VC_NONE while not known */
    uint32_t *order;   /* [nrows] rows, parents before those below them */
} tree;

static vc_str row_key(const tree *of, uint32_t row)
{
    return of->keys->values[of->keys->codes[row]];
}

static void note_lost(const tree *of, uint32_t row)
{
    vc_build_note_lost(of->work->build, of->parent_keys->values[of->parent_keys->codes[row]],
                       row_key(of, row));
}

static vc_status find_parents(tree *of, vc_error *error)
{
    uint32_t nrows = of->work->build->nrows;
    if (of->hierarchy->has_several_parents) { /* places.c has found them */
        memcpy(of->parents, of->work->build->parents_of_rows, nrows * sizeof *of->parents);
        return VC_OK;
    }
    uint32_t *row_of_key = new_codes(of->work, error);
    if (row_of_key == NULL) return VC_NO_MEMORY;
    for (uint32_t row = 0; row < nrows; row++)
        row_of_key[of->keys->codes[row]] = row;
    for (uint32_t row = 0; row < nrows; row++) {
        uint32_t code = of->parent_keys->codes[row];
        of->parents[row] = VC_NONE;
        if (code == VC_NONE || of->parent_keys->values[code].size == 0) continue;
        uint32_t key = vc_build_column_find(of->keys, of->parent_keys->values[code]);
        if (key == VC_NONE && of->tells_lost)
            note_lost(of, row);
        else if (key == VC_NONE)
            continue;
        else if (key != of->keys->codes[row])
            of->parents[row] = row_of_key[key];
    }
    return VC_OK;
}

static vc_status fail_cycle(const tree *of, uint32_t row, vc_error *error)
{
    char path[160];
    size_t size = 0;
    uint32_t at = row;
    do {
        int more = snprintf(path + size, sizeof path - size, "%.*s -> ",
                            VC_FMT(vc_text_shorten(row_key(of, at), 24)));
        at = of->parents[at];
        if (more < 0 || (size += (size_t)more) >= sizeof path - 40) break;
    } while (at != row);
    return vc_fail(error, VC_BAD_INPUT, "parent_cycle",
                   "dimension '%.*s': the parents of '%.*s' lead back to it: %s%.*s",
                   VC_FMT(of->work->build->spec->name),
                   VC_FMT(vc_text_shorten(row_key(of, row), 48)), path,
                   VC_FMT(vc_text_shorten(row_key(of, at), 24)));
}

/* The number of the level that a row declares to be of. */
static vc_status read_level(const tree *of, uint32_t row, uint32_t *level_out, vc_error *error)
{
    const vc_build_column *column = &of->work->columns[of->hierarchy->level_column];
    uint32_t code = column->codes[row];
    vc_str name = code == VC_NONE ? VC_STR("") : column->values[code];
    for (unsigned l = 0; l < of->hierarchy->nlevels; l++)
        if (vc_str_equal(of->hierarchy->levels[l].name, name)) {
            *level_out = l;
            return VC_OK;
        }
    vc_fail(error, VC_BAD_INPUT, "parent_level",
            "dimension '%.*s': '%.*s' is of level '%.*s', which hierarchy '%.*s' does not have",
            VC_FMT(of->work->build->spec->name), VC_FMT(vc_text_shorten(row_key(of, row), 48)),
            VC_FMT(vc_text_shorten(name, 48)), VC_FMT(of->hierarchy->name));
    for (unsigned l = 0; l < of->hierarchy->nlevels; l++)
        vc_error_add_candidate(error, of->hierarchy->levels[l].name.data,
                               of->hierarchy->levels[l].name.size);
    return VC_BAD_INPUT;
}

static vc_status place_row(tree *of, uint32_t row, vc_error *error)
{
    uint32_t parent = of->parents[row], level = parent == VC_NONE ? 0 : of->levels[parent] + 1;
    if (of->hierarchy->level_column >= 0) {
        uint32_t least = level;
        vc_status status = read_level(of, row, &level, error);
        if (status != VC_OK) return status;
        if (level < least)
            return vc_fail(error, VC_BAD_INPUT, "parent_level",
                           "dimension '%.*s': '%.*s' is of level '%.*s', which is not below the "
                           "level of its parent '%.*s'",
                           VC_FMT(of->work->build->spec->name),
                           VC_FMT(vc_text_shorten(row_key(of, row), 48)),
                           VC_FMT(of->hierarchy->levels[level].name),
                           VC_FMT(vc_text_shorten(row_key(of, parent), 48)));
    }
    if (level >= VC_MAX_LEVELS)
        return vc_fail(error, VC_LIMIT, "limit_levels",
                       "dimension '%.*s': the tree is more than %d levels deep at '%.*s'",
                       VC_FMT(of->work->build->spec->name), VC_MAX_LEVELS,
                       VC_FMT(vc_text_shorten(row_key(of, row), 48)));
    of->levels[row] = level;
    return VC_OK;
}

/* Find the level of every row, from the roots down: each row is walked up from until a row that is
 * placed, and the walk is then placed in the other direction. O(nrows). */
static vc_status place_rows(tree *of, vc_error *error)
{
    enum { ON_THE_WAY = VC_NONE - 1 };
    uint32_t nrows = of->work->build->nrows, nplaced = 0;
    uint32_t *walk = new_codes(of->work, error);
    if (walk == NULL) return VC_NO_MEMORY;
    for (uint32_t row = 0; row < nrows; row++)
        of->levels[row] = VC_NONE;
    for (uint32_t row = 0; row < nrows; row++) {
        uint32_t nwalked = 0, at = row;
        for (; at != VC_NONE && of->levels[at] == VC_NONE; at = of->parents[at]) {
            of->levels[at] = ON_THE_WAY;
            walk[nwalked++] = at;
        }
        if (at != VC_NONE && of->levels[at] == ON_THE_WAY) return fail_cycle(of, at, error);
        while (nwalked > 0) {
            at = walk[--nwalked];
            vc_status status = place_row(of, at, error);
            if (status != VC_OK) return status;
            of->order[nplaced++] = at;
        }
    }
    return VC_OK;
}

/* The codes of a column at the ancestors of rows: null where a row has none at the level. */
static vc_status add_ancestors(evening *work, const uint32_t *ancestors, int column,
                               unsigned *column_out, vc_error *error)
{
    uint32_t *codes = new_codes(work, error);
    if (codes == NULL) return VC_NO_MEMORY;
    const uint32_t *own = work->columns[column].codes;
    for (uint32_t row = 0; row < work->build->nrows; row++)
        codes[row] = ancestors[row] == VC_NONE ? VC_NONE : own[ancestors[row]];
    return add_column(work, (unsigned)column, codes, column_out, error);
}

/* "level3" after "level1", "member3" after "member". */
static vc_status name_level(evening *work, const vc_hierarchy_spec *hierarchy, unsigned number,
                            vc_level_spec *level, vc_error *error)
{
    vc_str stem = level->name;
    while (stem.size > 1 && stem.data[stem.size - 1] >= '0' && stem.data[stem.size - 1] <= '9')
        stem.size--;
    level->name = vc_arena_printf(work->build->arena, "%.*s%u", VC_FMT(stem), number + 1);
    level->label = level->name;
    if (level->name.data == NULL) return vc_no_memory(error);
    for (unsigned l = 0; l < hierarchy->nlevels; l++)
        if (vc_str_equal(hierarchy->levels[l].name, level->name))
            return vc_fail(error, VC_BAD_INPUT, "bad_dimension",
                           "hierarchy '%.*s' of dimension '%.*s' is %u levels deep, and the last "
                           "would be called '%.*s' like another",
                           VC_FMT(hierarchy->name), VC_FMT(work->build->spec->name), number + 1,
                           VC_FMT(level->name));
    return VC_OK;
}

static vc_status make_level(evening *work, const tree *of, unsigned number, uint32_t *ancestors,
                            vc_level_spec *level, vc_error *error)
{
    const vc_hierarchy_spec *from = of->hierarchy;
    unsigned column, template = number < from->nlevels ? number : from->nlevels - 1;
    *level = from->levels[template];
    level->skip = VC_SKIP_BLANK;
    vc_status status =
        number < from->nlevels ? VC_OK : name_level(work, from, number, level, error);
    for (uint32_t i = 0; i < work->build->nrows; i++) {
        uint32_t row = of->order[i];
        if (of->levels[row] <= number)
            ancestors[row] = of->levels[row] == number ? row : VC_NONE;
        else
            ancestors[row] = of->parents[row] == VC_NONE ? VC_NONE : ancestors[of->parents[row]];
    }
    if (status == VC_OK)
        status = add_ancestors(work, ancestors, work->build->spec->key_column, &level->key_column,
                               error);
    if (status == VC_OK && level->label_column >= 0) {
        status = add_ancestors(work, ancestors, level->label_column, &column, error);
        level->label_column = (int)column;
    }
    if (status == VC_OK && level->order_column >= 0) {
        status = add_ancestors(work, ancestors, level->order_column, &column, error);
        level->order_column = (int)column;
    }
    return status;
}

static vc_status make_tree(evening *work, vc_hierarchy_spec *hierarchy, vc_error *error)
{
    const vc_hierarchy_spec from = *hierarchy;
    tree of = {.work = work,
               .hierarchy = &from,
               .keys = &work->columns[work->build->spec->key_column],
               .parent_keys = &work->columns[from.parent_column],
               .tells_lost = true,
               .parents = new_codes(work, error),
               .levels = new_codes(work, error),
               .order = new_codes(work, error)};
    uint32_t *ancestors = new_codes(work, error);
    if (of.parents == NULL || of.levels == NULL || of.order == NULL || ancestors == NULL)
        return VC_NO_MEMORY;
    for (const vc_hierarchy_spec *other = work->hierarchies; other < hierarchy; other++)
        if (other->is_parent_child && other->parent_column == from.parent_column)
            of.tells_lost = false;
    vc_status status = find_parents(&of, error);
    if (status == VC_OK) status = place_rows(&of, error);
    if (status != VC_OK) return status;
    unsigned nlevels = from.nlevels;
    for (uint32_t row = 0; row < work->build->nrows; row++)
        if (of.levels[row] >= nlevels) nlevels = of.levels[row] + 1;
    vc_level_spec *levels = VC_ARENA_NEW(work->build->arena, vc_level_spec, nlevels);
    if (levels == NULL) return vc_no_memory(error);
    for (unsigned l = 0; status == VC_OK && l < nlevels; l++)
        status = make_level(work, &of, l, ancestors, &levels[l], error);
    hierarchy->levels = levels;
    hierarchy->nlevels = nlevels;
    return status;
}

/* ---- the whole ---- */

static bool is_even(const vc_hierarchy_spec *hierarchy)
{
    for (unsigned l = 0; l < hierarchy->nlevels; l++)
        if (hierarchy->levels[l].skip != VC_SKIP_NEVER) return false;
    return !hierarchy->is_parent_child;
}

vc_status vc_build_make_even(vc_build *build, vc_error *error)
{
    const vc_dimension_spec *spec = build->spec;
    bool are_even = true;
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        are_even &= is_even(&spec->hierarchies[h]);
    if (are_even) return VC_OK;
    evening work = {.build = build,
                    .hierarchies =
                        VC_ARENA_NEW(build->arena, vc_hierarchy_spec, spec->nhierarchies),
                    .columns = VC_ARENA_NEW(build->arena, vc_build_column, spec->ncolumns),
                    .ncolumns = spec->ncolumns,
                    .capacity = spec->ncolumns};
    vc_dimension_spec *even = VC_ARENA_NEW(build->arena, vc_dimension_spec, 1);
    if (work.hierarchies == NULL || work.columns == NULL || even == NULL)
        return vc_no_memory(error);
    memcpy(work.columns, build->columns, spec->ncolumns * sizeof *work.columns);
    vc_status status = VC_OK;
    for (unsigned h = 0; status == VC_OK && h < spec->nhierarchies; h++) {
        work.hierarchies[h] = spec->hierarchies[h];
        if (work.hierarchies[h].is_parent_child)
            status = make_tree(&work, &work.hierarchies[h], error);
        else if (!is_even(&work.hierarchies[h]))
            status = make_skipping(&work, &work.hierarchies[h], error);
    }
    *even = *spec;
    even->hierarchies = work.hierarchies;
    build->spec = even;
    build->columns = work.columns;
    return status;
}
