/* Only what is told by leaf number changes: every array by leaf is permuted, every list of leaves
 * is mapped and sorted. The rest of the image follows from what is written (image_write.c). */
#include "dimensions/renumber.h"

#include "dimensions/build.h"
#include "dimensions/order.h"

#include <stdlib.h>
#include <string.h>

/* Doubles come last, wherever they stand: then the order is what has to be looked at. */
static bool has_order(const vc_dimension *dimension)
{
    const uint32_t *order;
    vc_arena arena = {0};
    bool is_same = vc_dimension_order_leaves(dimension, &arena, &order, NULL) == VC_OK;
    for (uint32_t leaf = 0; is_same && leaf < dimension->nleaves; leaf++)
        is_same = order[leaf] == leaf;
    vc_arena_release(&arena);
    return is_same;
}

bool vc_dimension_is_depth_first(const vc_dimension *dimension)
{
    if (dimension->ndoubles > 0) return has_order(dimension);
    const vc_hierarchy *main = &dimension->hierarchies[0];
    for (unsigned l = 0; l < main->nlevels; l++)
        if (!main->levels[l].is_contiguous) return false;
    return true;
}

/* ---- the order ---- */

/* By what leaves of one member are told apart. */
typedef struct leaf_order {
    const vc_texts *keys; /* NULL: by columns */
    unsigned ncolumns;
    const vc_leaf_column *columns;
    bool *are_numeric; /* [ncolumns], or one for the keys */
    uint32_t *places;  /* [nleaves] in the order of loading, which tells places of one leaf apart;
                          NULL: none has several */
} leaf_order;

static int compare_leaves(const void *left, const void *right, void *context)
{
    const leaf_order *by = context;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    int order = 0;
    if (by->keys != NULL) {
        order = vc_key_compare(vc_texts_get(by->keys, a), vc_texts_get(by->keys, b),
                               by->are_numeric[0]);
        if (order != 0 || by->places == NULL) return order;
        return (by->places[a] > by->places[b]) - (by->places[a] < by->places[b]);
    }
    for (unsigned c = 0; order == 0 && c < by->ncolumns; c++)
        order = vc_key_compare(vc_leaf_column_get(&by->columns[c], a),
                               vc_leaf_column_get(&by->columns[c], b), by->are_numeric[c]);
    return order;
}

/* As columns are when they are built (column.c): ordered as numbers when all values are some. */
static bool are_all_numbers(const vc_texts *values)
{
    for (uint32_t i = 0; i < values->count; i++) {
        vc_str text = vc_texts_get(values, i);
        if (!vc_str_is_null(text) && !vc_str_is_number(text)) return false;
    }
    return true;
}

static vc_status start_order(const vc_dimension *dimension, vc_arena *arena, leaf_order *by,
                             vc_error *error)
{
    vc_dimension_rows rows = {0};
    bool has_keys = dimension->leaf_keys.count > 0;
    vc_status status = VC_OK;
    if (has_keys) by->keys = &dimension->leaf_keys;
    if (!has_keys || dimension->ndoubles > 0)
        status = vc_dimension_read_rows(dimension, arena, &rows, error);
    if (status != VC_OK) return status;
    if (dimension->ndoubles > 0) {
        by->places = vc_arena_alloc(arena, (size_t)dimension->nleaves * sizeof *by->places);
        if (by->places == NULL) return vc_no_memory(error);
        for (uint32_t i = 0; i < dimension->nleaves; i++)
            by->places[rows.load_order[i]] = i;
    }
    by->columns = rows.columns;
    by->ncolumns = rows.ncolumns;
    by->are_numeric = VC_ARENA_NEW(arena, bool, (size_t)rows.ncolumns + 1);
    if (by->are_numeric == NULL) return vc_no_memory(error);
    if (has_keys) by->are_numeric[0] = are_all_numbers(by->keys);
    for (unsigned c = 0; c < rows.ncolumns; c++)
        by->are_numeric[c] = are_all_numbers(&rows.columns[c].values);
    return VC_OK;
}

/* Leaves by their member of the level, as they are numbered within a member. firsts_out
 * [nmembers + 1] is where the leaves of each member begin. */
static bool sort_by_member(const vc_dimension *dimension, const vc_level *level, vc_arena *arena,
                           uint32_t **order_out, uint32_t **firsts_out)
{
    uint32_t *order = vc_arena_alloc(arena, dimension->nleaves * sizeof *order);
    uint32_t *firsts = VC_ARENA_NEW(arena, uint32_t, (size_t)level->nmembers + 2);
    if (order == NULL || firsts == NULL) return false;
    uint32_t *next = firsts + 1; /* becomes firsts as leaves are placed */
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        next[vc_numbers_get(level->leaf_members, leaf) + 1]++;
    for (uint32_t m = 1; m < level->nmembers; m++)
        next[m] += next[m - 1];
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        order[next[vc_numbers_get(level->leaf_members, leaf)]++] = leaf;
    *order_out = order;
    *firsts_out = firsts;
    return true;
}

/* Leaves keep their order among each other, and so do doubles. */
static vc_status put_doubles_last(const vc_dimension *dimension, uint32_t *order, vc_error *error)
{
    uint32_t count = vc_dimension_count_leaves(dimension), nleaves = 0, ndoubles = 0;
    uint32_t *doubles = malloc((size_t)dimension->ndoubles * sizeof *doubles);
    if (doubles == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        if (order[i] < count)
            order[nleaves++] = order[i];
        else
            doubles[ndoubles++] = order[i];
    memcpy(order + nleaves, doubles, ndoubles * sizeof *doubles);
    free(doubles);
    return VC_OK;
}

vc_status vc_dimension_order_leaves(const vc_dimension *dimension, vc_arena *arena,
                                    const uint32_t **order_out, vc_error *error)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    uint32_t *order, *firsts;
    leaf_order by = {0};
    if (!sort_by_member(dimension, lowest, arena, &order, &firsts)) return vc_no_memory(error);
    for (uint32_t m = 0; m < lowest->nmembers; m++) {
        uint32_t count = firsts[m + 1] - firsts[m];
        if (count < 2) continue;
        vc_status status =
            by.are_numeric == NULL ? start_order(dimension, arena, &by, error) : VC_OK;
        if (status != VC_OK) return status;
        qsort_r(order + firsts[m], count, sizeof *order, compare_leaves, &by);
    }
    *order_out = order;
    return dimension->ndoubles == 0 ? VC_OK : put_doubles_last(dimension, order, error);
}

/* ---- the image ---- */

typedef struct renumbering {
    const vc_dimension *from;
    vc_dimension *to;
    vc_dimension_rows rows;
    vc_arena *arena;
    const uint32_t *order;  /* [nleaves] the leaf that gets each number */
    const uint32_t *leaves; /* [nleaves] the number that each leaf gets */
    bool is_out_of_memory;
} renumbering;

static void *take_memory(renumbering *work, size_t count, size_t size)
{
    void *memory = vc_arena_alloc(work->arena, count * size);
    work->is_out_of_memory |= memory == NULL;
    return memory;
}

/* What leaves have, by their new numbers. */
static vc_numbers permute(renumbering *work, vc_numbers numbers)
{
    uint32_t nleaves = work->from->nleaves;
    uint32_t *values = take_memory(work, nleaves, sizeof *values);
    for (uint32_t leaf = 0; values != NULL && leaf < nleaves; leaf++)
        values[leaf] = vc_numbers_get(numbers, work->order[leaf]);
    return vc_numbers_of(values);
}

static void renumber_doubles(renumbering *work)
{
    const vc_dimension *from = work->from;
    uint32_t count = vc_dimension_count_leaves(from);
    if (from->ndoubles == 0) return;
    uint32_t *firsts = take_memory(work, from->ndoubles, sizeof *firsts);
    for (uint32_t i = 0; firsts != NULL && i < from->ndoubles; i++)
        firsts[i] = work->leaves[vc_leaf_first(from, work->order[count + i])];
    work->to->firsts = vc_numbers_of(firsts);
}

static void renumber_level(renumbering *work, vc_level *level)
{
    uint32_t nleaves = work->from->nleaves;
    level->leaf_members = permute(work, level->leaf_members);
    const uint32_t *members = level->leaf_members.data;
    uint32_t *firsts = take_memory(work, (size_t)level->nmembers + 1, sizeof *firsts);
    if (work->is_out_of_memory) return;
    level->is_contiguous = true;
    for (uint32_t leaf = 1; leaf < nleaves && level->is_contiguous; leaf++)
        level->is_contiguous = members[leaf - 1] <= members[leaf];
    if (!level->is_contiguous) return;
    for (uint32_t leaf = nleaves; leaf-- > 0;)
        firsts[members[leaf]] = leaf;
    firsts[level->nmembers] = nleaves;
    level->first_leaf = vc_numbers_of(firsts);
}

static void renumber_hierarchies(renumbering *work)
{
    vc_dimension *to = work->to;
    to->hierarchies = take_memory(work, to->nhierarchies, sizeof *to->hierarchies);
    for (unsigned h = 0; !work->is_out_of_memory && h < to->nhierarchies; h++) {
        const vc_hierarchy *from = &work->from->hierarchies[h];
        vc_hierarchy *hierarchy = &to->hierarchies[h];
        *hierarchy = *from;
        hierarchy->levels = take_memory(work, from->nlevels, sizeof *hierarchy->levels);
        if (work->is_out_of_memory) return;
        memcpy(hierarchy->levels, from->levels, from->nlevels * sizeof *from->levels);
        for (unsigned l = 0; !work->is_out_of_memory && l < from->nlevels; l++)
            renumber_level(work, &hierarchy->levels[l]);
    }
}

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The members of an index are leaves here, ascending for each value. */
static void renumber_index(renumbering *work, vc_index *index)
{
    uint32_t count = vc_numbers_get(index->offsets, index->values.count);
    uint32_t *members = take_memory(work, (size_t)count + 1, sizeof *members);
    if (members == NULL) return;
    for (uint32_t i = 0; i < count; i++)
        members[i] = work->leaves[index->members[i]];
    for (uint32_t value = 0; value < index->values.count; value++) {
        uint32_t first = vc_numbers_get(index->offsets, value);
        uint32_t end = vc_numbers_get(index->offsets, value + 1);
        if (end - first > 1) qsort(members + first, end - first, sizeof *members, compare_numbers);
    }
    index->members = members;
}

static void renumber_look_ups(renumbering *work)
{
    vc_dimension *to = work->to;
    to->attributes = take_memory(work, to->nattributes, sizeof *to->attributes);
    to->indexes = take_memory(work, to->nindexes, sizeof *to->indexes);
    if (work->is_out_of_memory) return;
    for (unsigned a = 0; a < to->nattributes; a++) {
        to->attributes[a] = work->from->attributes[a];
        if (to->attributes[a].hierarchy < 0)
            to->attributes[a].codes = permute(work, to->attributes[a].codes);
    }
    for (unsigned i = 0; i < to->nindexes; i++) {
        to->indexes[i] = work->from->indexes[i];
        if (to->indexes[i].hierarchy < 0) renumber_index(work, &to->indexes[i]);
    }
}

static void renumber_rows(renumbering *work)
{
    uint32_t nleaves = work->from->nleaves;
    uint32_t *load_order = take_memory(work, nleaves, sizeof *load_order);
    for (uint32_t i = 0; load_order != NULL && i < nleaves; i++)
        load_order[i] = work->leaves[work->rows.load_order[i]];
    work->rows.load_order = load_order;
    for (unsigned c = 0; c < work->rows.ncolumns; c++)
        work->rows.columns[c].codes = permute(work, work->rows.columns[c].codes);
}

static vc_status find_numbers(renumbering *work, vc_error *error)
{
    uint32_t nleaves = work->from->nleaves;
    vc_status status = vc_dimension_order_leaves(work->from, work->arena, &work->order, error);
    if (status != VC_OK) return status;
    uint32_t *leaves = take_memory(work, nleaves, sizeof *leaves);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < nleaves; i++)
        leaves[work->order[i]] = i;
    work->leaves = leaves;
    return VC_OK;
}

vc_status vc_dimension_renumber(const vc_dimension *dimension, vc_arena *arena, vc_buffer *image,
                                const uint32_t **leaves_out, vc_error *error)
{
    vc_dimension to = *dimension;
    renumbering work = {.from = dimension, .to = &to, .arena = arena};
    vc_status status = find_numbers(&work, error);
    if (status == VC_OK) status = vc_dimension_read_rows(dimension, arena, &work.rows, error);
    if (status != VC_OK) return status;
    if (to.leaf_keys.count > 0) to.leaf_keys.places = permute(&work, to.leaf_keys.places);
    renumber_doubles(&work);
    renumber_hierarchies(&work);
    renumber_look_ups(&work);
    renumber_rows(&work);
    if (work.is_out_of_memory) return vc_no_memory(error);
    status = vc_dimension_write(&to, &work.rows, NULL, image, error);
    if (status == VC_OK) status = vc_dimension_check((vc_str){image->data, image->size}, error);
    *leaves_out = work.leaves;
    return status;
}
