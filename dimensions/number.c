/* Numbering: rows to members, rows to leaves.
 *
 * Everything is a stable counting sort. The members of a level are the distinct pairs (parent,
 * key): rows sorted by key and then by the parent's number stand in the order of these pairs, and
 * within a pair in load order, so that the first row of a run decides what "the first" decides. An
 * order column sorts the members once more, by their place and then by parent.
 */
#include "dimensions/build.h"
#include "dimensions/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory for sorting; `items` is what is being sorted. */
typedef struct sorter {
    uint32_t *items, *scratch; /* [nrows] */
    uint32_t *keys;            /* [nrows] the key of item number i, not of place i */
    uint32_t *counts;          /* [ncounts] */
} sorter;

static bool sorter_init(sorter *by, const vc_build *build)
{
    size_t nkeys = build->nrows;
    for (unsigned c = 0; c < build->spec->ncolumns; c++)
        if (build->columns[c].nvalues > nkeys) nkeys = build->columns[c].nvalues;
    size_t room = (size_t)build->nrows + 1;
    by->items = malloc(room * sizeof *by->items);
    by->scratch = malloc(room * sizeof *by->scratch);
    by->keys = malloc(room * sizeof *by->keys);
    by->counts = malloc((nkeys + 2) * sizeof *by->counts);
    return by->items != NULL && by->scratch != NULL && by->keys != NULL && by->counts != NULL;
}

static void sorter_release(sorter *by)
{
    free(by->items);
    free(by->scratch);
    free(by->keys);
    free(by->counts);
}

/* Sort the items by keys[item], each < nkeys; equals stay in their order. */
static void sort_items(sorter *by, uint32_t nitems, const uint32_t *keys, uint32_t nkeys)
{
    memset(by->counts, 0, ((size_t)nkeys + 1) * sizeof *by->counts);
    for (uint32_t i = 0; i < nitems; i++)
        by->counts[keys[i] + 1]++;
    for (uint32_t key = 0; key < nkeys; key++)
        by->counts[key + 1] += by->counts[key];
    for (uint32_t i = 0; i < nitems; i++)
        by->scratch[by->counts[keys[by->items[i]]]++] = by->items[i];
    uint32_t *sorted = by->scratch;
    by->scratch = by->items;
    by->items = sorted;
}

/* The same by the places of codes in a column's order, nulls last. */
static void sort_items_by_codes(sorter *by, uint32_t nitems, const uint32_t *codes,
                                const vc_build_column *column)
{
    for (uint32_t i = 0; i < nitems; i++)
        by->keys[i] = vc_build_column_rank(column, codes[i]);
    sort_items(by, nitems, by->keys, column->nvalues + 1);
}

/* ---- levels ---- */

/* A level with its arrays still open to be written, with room for all members that there can be. */
typedef struct draft {
    uint32_t nmembers;
    uint32_t *parents, *key_codes, *order_codes, *label_codes, *member_of_row;
} draft;

static uint32_t *new_array(const vc_build *build, size_t count, bool *is_good)
{
    uint32_t *values = vc_arena_alloc(build->arena, count * sizeof *values);
    *is_good = *is_good && values != NULL;
    return values;
}

static bool draft_init(draft *level, const vc_build *build, const vc_level_spec *spec,
                       const vc_build_level *above)
{
    bool is_good = true;
    uint64_t most = (uint64_t)build->columns[spec->key_column].nvalues + 1; /* and null */
    if (above != NULL) most *= above->nmembers;
    size_t room = most < build->nrows ? (size_t)most : build->nrows;
    *level = (draft){.key_codes = new_array(build, room, &is_good),
                     .member_of_row = new_array(build, build->nrows, &is_good)};
    if (above != NULL) level->parents = new_array(build, room, &is_good);
    if (spec->label_column >= 0) level->label_codes = new_array(build, room, &is_good);
    if (spec->order_column >= 0) level->order_codes = new_array(build, room, &is_good);
    return is_good;
}

static void note_label_conflict(vc_build *build, const vc_level_spec *spec, uint32_t key,
                                vc_str first, vc_str second)
{
    vc_str key_text =
        key == VC_NONE ? VC_STR("null") : build->columns[spec->key_column].values[key];
    vc_dimension_report *report = build->report;
    if (report->nlabel_conflicts++ > 0) return;
    snprintf(report->label_conflict, sizeof report->label_conflict,
             "level '%.*s': '%.*s' is labelled '%.*s' and '%.*s'",
             VC_FMT(vc_text_shorten(spec->name, 32)), VC_FMT(vc_text_shorten(key_text, 32)),
             VC_FMT(vc_text_shorten(first, 40)), VC_FMT(vc_text_shorten(second, 40)));
}

/* For each row the label that came after its own; NULL when none did, or out of memory. */
static const vc_str *find_clashes(const vc_build *build, const vc_level_spec *spec, bool *is_good)
{
    vc_str *second = NULL;
    for (uint32_t i = 0; i < build->nclashes; i++) {
        const vc_build_clash *clash = &build->clashes[i];
        if (spec->label_column < 0 || clash->column != (unsigned)spec->label_column) continue;
        if (second == NULL) second = VC_ARENA_NEW(build->arena, vc_str, (size_t)build->nrows + 1);
        if (second == NULL) {
            *is_good = false;
            break;
        }
        second[clash->row] = clash->text;
    }
    return second;
}

/* Cut the rows, sorted by (parent, key) and then in load order, into members. second: labels that
 * came after those of the rows, or NULL. */
static void cut_members(vc_build *build, const vc_level_spec *spec, const uint32_t *parent_of_row,
                        const uint32_t *rows, const vc_str *second, draft *level)
{
    const uint32_t *keys = build->columns[spec->key_column].codes;
    const vc_build_column *label_column =
        level->label_codes == NULL ? NULL : &build->columns[spec->label_column];
    const uint32_t *labels = label_column == NULL ? NULL : label_column->codes;
    const uint32_t *orders =
        level->order_codes == NULL ? NULL : build->columns[spec->order_column].codes;
    uint32_t member = 0;
    bool has_conflict = false;
    for (uint32_t i = 0; i < build->nrows; i++) {
        uint32_t row = rows[i];
        uint32_t parent = parent_of_row == NULL ? 0 : parent_of_row[row];
        bool is_first = i == 0 || keys[rows[i - 1]] != keys[row] ||
                        (parent_of_row != NULL && parent_of_row[rows[i - 1]] != parent);
        if (is_first) {
            member = level->nmembers++;
            has_conflict = false;
            level->key_codes[member] = keys[row];
            if (parent_of_row != NULL) level->parents[member] = parent;
            if (labels != NULL) level->label_codes[member] = VC_NONE;
            if (orders != NULL) level->order_codes[member] = VC_NONE;
        }
        level->member_of_row[row] = member;
        if (spec->skip != VC_SKIP_NEVER && keys[row] == VC_NONE)
            continue; /* hidden: nothing of it */
        if (orders != NULL && level->order_codes[member] == VC_NONE)
            level->order_codes[member] = orders[row];
        if (labels == NULL || labels[row] == VC_NONE) continue;
        if (level->label_codes[member] == VC_NONE) level->label_codes[member] = labels[row];
        vc_str first = label_column->values[level->label_codes[member]];
        vc_str other = label_column->values[labels[row]];
        if (second != NULL && !vc_str_is_null(second[row]) && vc_str_equal(other, first))
            other = second[row];
        if (has_conflict || vc_str_equal(first, other)) continue;
        has_conflict = true;
        note_label_conflict(build, spec, keys[row], first, other);
    }
}

/* values[i] becomes what values[items[i]] was. */
static void permute(uint32_t *values, const uint32_t *items, uint32_t count, uint32_t *scratch)
{
    if (values == NULL) return;
    memcpy(scratch, values, count * sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        values[i] = scratch[items[i]];
}

/* Siblings by their order value; they stand by key so far, and stay so where the value is equal. */
static void order_members(vc_build *build, const vc_level_spec *spec, uint32_t nparents, sorter *by,
                          draft *level)
{
    uint32_t nmembers = level->nmembers;
    for (uint32_t i = 0; i < nmembers; i++)
        by->items[i] = i;
    sort_items_by_codes(by, nmembers, level->order_codes, &build->columns[spec->order_column]);
    if (level->parents != NULL) sort_items(by, nmembers, level->parents, nparents);
    for (uint32_t i = 0; i < nmembers; i++)
        by->keys[by->items[i]] = i;
    for (uint32_t row = 0; row < build->nrows; row++)
        level->member_of_row[row] = by->keys[level->member_of_row[row]];
    permute(level->parents, by->items, nmembers, by->scratch);
    permute(level->key_codes, by->items, nmembers, by->scratch);
    permute(level->label_codes, by->items, nmembers, by->scratch);
}

static bool number_level(vc_build *build, const vc_level_spec *spec, const vc_build_level *above,
                         sorter *by, vc_build_level *level_out)
{
    draft level;
    if (!draft_init(&level, build, spec, above)) return false;
    const vc_build_column *key = &build->columns[spec->key_column];
    for (uint32_t row = 0; row < build->nrows; row++)
        by->items[row] = row;
    sort_items_by_codes(by, build->nrows, key->codes, key);
    if (above != NULL) sort_items(by, build->nrows, above->member_of_row, above->nmembers);
    bool is_good = true;
    const vc_str *second = find_clashes(build, spec, &is_good);
    if (!is_good) return false;
    cut_members(build, spec, above == NULL ? NULL : above->member_of_row, by->items, second,
                &level);
    if (level.order_codes != NULL)
        order_members(build, spec, above == NULL ? 0 : above->nmembers, by, &level);
    *level_out = (vc_build_level){.nmembers = level.nmembers,
                                  .parents = level.parents,
                                  .key_codes = level.key_codes,
                                  .label_codes = level.label_codes,
                                  .member_of_row = level.member_of_row};
    return true;
}

vc_status vc_build_number_levels(vc_build *build, vc_error *error)
{
    sorter by;
    bool is_good = sorter_init(&by, build);
    for (unsigned h = 0; is_good && h < build->spec->nhierarchies; h++) {
        const vc_hierarchy_spec *hierarchy = &build->spec->hierarchies[h];
        vc_build_level *levels = VC_ARENA_NEW(build->arena, vc_build_level, hierarchy->nlevels);
        is_good = levels != NULL;
        for (unsigned l = 0; is_good && l < hierarchy->nlevels; l++)
            is_good = number_level(build, &hierarchy->levels[l], l == 0 ? NULL : &levels[l - 1],
                                   &by, &levels[l]);
        build->levels[h] = levels;
    }
    sorter_release(&by);
    return is_good ? VC_OK : vc_no_memory(error);
}

/* ---- leaves ---- */

/* Rows in the order of the lowest members of the main hierarchy, then by the key; where there is
 * none by the columns from left to right, so that the order of loading does not matter. */
static void sort_rows(const vc_build *build, sorter *by)
{
    const vc_dimension_spec *spec = build->spec;
    const vc_build_level *lowest = &build->levels[0][spec->hierarchies[0].nlevels - 1];
    for (uint32_t row = 0; row < build->nrows; row++)
        by->items[row] = row;
    if (spec->key_column >= 0) {
        const vc_build_column *key = &build->columns[spec->key_column];
        sort_items_by_codes(by, build->nrows, key->codes, key);
    } else {
        for (unsigned c = spec->ncolumns; c-- > 0;)
            sort_items_by_codes(by, build->nrows, build->columns[c].codes, &build->columns[c]);
    }
    sort_items(by, build->nrows, lowest->member_of_row, lowest->nmembers);
}

/* Rows of which the leaf had a row before. */
static bool is_double(const vc_build *build, uint32_t row)
{
    return build->first_of_row != NULL && build->first_of_row[row] != row;
}

vc_status vc_build_number_leaves(vc_build *build, vc_error *error)
{
    uint32_t nrows = build->nrows, next = 0;
    uint32_t *leaf_of_row = vc_arena_alloc(build->arena, nrows * sizeof *leaf_of_row);
    sorter by;
    if (!sorter_init(&by, build) || leaf_of_row == NULL) {
        sorter_release(&by);
        return vc_no_memory(error);
    }
    sort_rows(build, &by);
    for (uint32_t row = 0; row < build->nolder_rows; row++)
        if (!is_double(build, row)) {
            leaf_of_row[row] = build->older_rows->load_order[row];
            next++;
        }
    uint32_t nolder = next;
    for (uint32_t i = 0; i < nrows; i++)
        if (by.items[i] >= build->nolder_rows && !is_double(build, by.items[i]))
            leaf_of_row[by.items[i]] = next++;
    build->ndoubles = nrows - next;
    build->report->nnew_leaves = next - nolder;
    for (uint32_t i = 0; i < nrows; i++)
        if (is_double(build, by.items[i])) leaf_of_row[by.items[i]] = next++;
    sorter_release(&by);
    build->leaf_of_row = leaf_of_row;
    return VC_OK;
}
