#include "report/pivot_parts.h"
#include "report/try.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void vc_heads_put_axis(vc_heads *heads, const vc_result_axis *axis, bool is_by_member)
{
    heads->axes[heads->naxes++] = (vc_heads_axis){
        .dimension = axis->dimension, .nlevels = axis->nlevels, .is_by_member = is_by_member};
    heads->depth += axis->nlevels;
}

void vc_heads_release(vc_heads *heads)
{
    for (size_t a = 0; a < heads->naxes; a++)
        vc_strmap_release(&heads->axes[a].ways);
    vc_strmap_release(&heads->nodes);
    vc_buffer_release(&heads->heads);
    vc_buffer_release(&heads->ways);
    vc_buffer_release(&heads->leaves);
    vc_buffer_release(&heads->paths);
    vc_buffer_release(&heads->totals);
}

/* ---- members by their way down ---- */

/* Of one answer: a number for each member of a dimension and each of its levels. */
typedef struct axis_ways {
    const vc_result_axis *axis; /* of the answer; NULL: it does not have the dimension */
    size_t number;              /* of the axis */
    uint32_t *ways;             /* [nmembers * nlevels] */
} axis_ways;

/* What is no member of the dimension may be called as one that is. Where the levels above are not
 * shown, two members below different parents may have one key: their numbers differ. */
static char mark_of(const vc_result_member *member)
{
    return member->is_other ? 'o' : member->is_synthetic ? 's' : member->is_calculated ? 'c' : 'm';
}

static vc_status put_ways(vc_heads_axis *of, const vc_result_axis *axis, uint32_t *ways,
                          vc_error *error)
{
    vc_buffer path = {0};
    vc_status status = VC_OK;
    for (size_t m = 0; m < axis->nmembers && status == VC_OK; m++) {
        const vc_result_member *member = &axis->members[m];
        vc_buffer_clear(&path);
        for (size_t l = 0; l < axis->nlevels && status == VC_OK; l++) {
            vc_str key = member->keys[l];
            char mark = l + 1 == axis->nlevels ? mark_of(member) : 'm';
            vc_buffer_printf(&path, "%c%c%zu:", mark, vc_str_is_null(key) ? '0' : '1', key.size);
            vc_buffer_put_str(&path, key);
            if (of->nlevels == 1) vc_buffer_printf(&path, "%" PRIu32, member->number);
            uint32_t way =
                vc_strmap_put(&of->ways, (vc_str){.data = path.data, .size = path.size}, NULL);
            if (way == VC_STRMAP_NONE || path.failed) status = vc_no_memory(error);
            ways[m * axis->nlevels + l] = way;
        }
    }
    vc_buffer_release(&path);
    return status;
}

static vc_status find_ways(vc_heads_axis *of, const vc_result *result, vc_arena *scratch,
                           axis_ways *out, vc_error *error)
{
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        if (!vc_str_equal(axis->dimension, of->dimension)) continue;
        *out = (axis_ways){.axis = axis, .number = a};
        out->ways = VC_ARENA_NEW(scratch, uint32_t, axis->nmembers * axis->nlevels + 1);
        if (out->ways == NULL) return vc_no_memory(error);
        return put_ways(of, axis, out->ways, error);
    }
    return VC_OK;
}

/* ---- the tree ---- */

typedef struct adding {
    const vc_result *result;
    vc_heads *heads;
    bool is_upper;
    axis_ways *ways; /* [naxes] */
    uint32_t *nodes; /* [depth] of the row at hand */
    bool *totals;    /* [depth] */
} adding;

static vc_str keep_text(vc_arena *arena, vc_str text, bool *has_failed)
{
    vc_str kept = vc_arena_str(arena, text);
    *has_failed |= vc_str_is_null(kept) && !vc_str_is_null(text);
    return kept;
}

static vc_status put_head(vc_heads *heads, const vc_result_axis *axis, size_t level,
                          const uint32_t *member, bool is_below_total, vc_error *error)
{
    vc_grid_head head = {.text = is_below_total ? VC_STR("") : VC_STR("Total"), .is_total = true};
    bool has_failed = false;
    const uint32_t no_leaf = VC_NONE;
    if (member != NULL) {
        const vc_result_member *m = &axis->members[*member];
        vc_str key = m->keys[level], label = m->labels[level];
        bool is_named = !vc_str_is_null(label) && label.size > 0,
             is_last = level + 1 == axis->nlevels;
        head = (vc_grid_head){.key = keep_text(heads->arena, key, &has_failed),
                              .text = is_named ? keep_text(heads->arena, label, &has_failed)
                                      : vc_str_is_null(key) ? VC_STR("(no key)")
                                                            : (vc_str){0},
                              .is_marked =
                                  is_last && (m->is_synthetic || m->is_other || m->is_calculated)};
        if (vc_str_is_null(head.text)) head.text = head.key;
    }
    vc_buffer_put(&heads->heads, &head, sizeof head);
    vc_buffer_put(&heads->leaves, &no_leaf, sizeof no_leaf);
    return has_failed || heads->heads.failed || heads->leaves.failed || heads->ways.failed
               ? vc_no_memory(error)
               : VC_OK;
}

static vc_status put_leaf(adding *in, uint32_t node, vc_error *error)
{
    vc_heads *heads = in->heads;
    ((uint32_t *)heads->leaves.data)[node] = (uint32_t)heads->nleaves++;
    vc_buffer_put(&heads->paths, in->nodes, heads->depth * sizeof *in->nodes);
    vc_buffer_put(&heads->totals, in->totals, heads->depth * sizeof *in->totals);
    return heads->paths.failed || heads->totals.failed ? vc_no_memory(error) : VC_OK;
}

/* The leaf of a row: down the tree, unit by unit; where the answer has no member it is a total. */
static vc_status put_row(adding *in, size_t row, uint32_t *leaf_out, vc_error *error)
{
    vc_heads *heads = in->heads;
    uint32_t parent = VC_NONE;
    size_t unit = 0;
    bool is_new = false;
    for (size_t a = 0; a < heads->naxes; a++) {
        const axis_ways *ways = &in->ways[a];
        size_t nlevels = ways->axis != NULL ? ways->axis->nlevels : 0;
        const uint32_t *member =
            ways->axis == NULL ? NULL : &in->result->coords[row * in->result->naxes + ways->number];
        if (member != NULL && *member == VC_NONE) member = NULL;
        for (size_t l = 0; l < heads->axes[a].nlevels; l++, unit++) {
            bool is_there = member != NULL && l < nlevels;
            uint32_t pair[2] = {parent, is_there ? ways->ways[*member * nlevels + l] : VC_NONE};
            vc_str key = {.data = (const char *)pair, .size = sizeof pair};
            if (is_there && in->is_upper && vc_strmap_find(&heads->nodes, key) == VC_STRMAP_NONE) {
                *leaf_out = VC_NONE;
                return VC_OK;
            }
            parent = vc_strmap_put(&heads->nodes, key, &is_new);
            if (parent == VC_STRMAP_NONE) return vc_no_memory(error);
            in->nodes[unit] = parent;
            in->totals[unit] = !is_there;
            if (is_new) {
                vc_buffer_put(&heads->ways, &pair[1], sizeof pair[1]);
                TRY(put_head(heads, ways->axis, l, is_there ? member : NULL,
                             unit > 0 && in->totals[unit - 1], error));
            }
        }
    }
    uint32_t *leaf = (uint32_t *)heads->leaves.data + parent;
    if (*leaf == VC_NONE) {
        TRY(put_leaf(in, parent, error));
        leaf = (uint32_t *)heads->leaves.data + parent;
    }
    *leaf_out = *leaf;
    return VC_OK;
}

vc_status vc_heads_add(vc_heads *heads, const vc_result *result, bool is_upper,
                       uint32_t *leaf_of_out, vc_error *error)
{
    vc_arena scratch = {0};
    vc_status status = VC_OK;
    if (heads->depth == 0) { /* one row (column), whatever the answer */
        heads->nleaves = 1;
        memset(leaf_of_out, 0, result->nrows * sizeof *leaf_of_out);
        return VC_OK;
    }
    adding in = {.result = result,
                 .heads = heads,
                 .is_upper = is_upper,
                 .ways = VC_ARENA_NEW(&scratch, axis_ways, heads->naxes),
                 .nodes = VC_ARENA_NEW(&scratch, uint32_t, heads->depth),
                 .totals = VC_ARENA_NEW(&scratch, bool, heads->depth)};
    if (in.ways == NULL || in.nodes == NULL || in.totals == NULL) status = vc_no_memory(error);
    for (size_t a = 0; a < heads->naxes && status == VC_OK; a++)
        status = find_ways(&heads->axes[a], result, &scratch, &in.ways[a], error);
    for (size_t row = 0; row < result->nrows && status == VC_OK; row++)
        status = put_row(&in, row, &leaf_of_out[row], error);
    vc_arena_release(&scratch);
    return status;
}

/* ---- their order ---- */

static bool is_by_member(const vc_heads *heads, size_t unit)
{
    size_t a = 0;
    while (unit >= heads->axes[a].nlevels)
        unit -= heads->axes[a++].nlevels;
    return heads->axes[a].is_by_member;
}

static int compare_leaves(const void *a, const void *b, void *context)
{
    const vc_heads *heads = context;
    const uint32_t *paths = (const uint32_t *)heads->paths.data;
    const uint32_t *ways = (const uint32_t *)heads->ways.data;
    const bool *totals = (const bool *)heads->totals.data;
    size_t one = *(const uint32_t *)a * heads->depth, other = *(const uint32_t *)b * heads->depth;
    for (size_t u = 0; u < heads->depth; u++) {
        if (totals[one + u] != totals[other + u]) return totals[one + u] ? 1 : -1;
        uint32_t x = paths[one + u], y = paths[other + u];
        if (x == y) continue;
        return is_by_member(heads, u) ? (ways[x] < ways[y] ? -1 : 1) : x < y ? -1 : 1;
    }
    return 0;
}

vc_status vc_heads_sort(vc_heads *heads, vc_error *error)
{
    if (heads->depth == 0) heads->nleaves = 1;
    heads->order = VC_ARENA_NEW(heads->arena, uint32_t, heads->nleaves + 1);
    heads->place = VC_ARENA_NEW(heads->arena, uint32_t, heads->nleaves + 1);
    if (heads->order == NULL || heads->place == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < heads->nleaves; i++)
        heads->order[i] = (uint32_t)i;
    qsort_r(heads->order, heads->nleaves, sizeof *heads->order, compare_leaves, heads);
    for (size_t i = 0; i < heads->nleaves; i++)
        heads->place[heads->order[i]] = (uint32_t)i;
    return VC_OK;
}

/* ---- writing ---- */

bool vc_heads_is_total(const vc_heads *heads, size_t place)
{
    const bool *totals = (const bool *)heads->totals.data;
    return heads->depth > 0 && totals[(heads->order[place] + 1) * heads->depth - 1];
}

void vc_heads_write(const vc_heads *heads, size_t unit, vc_grid_head *out, size_t step)
{
    const uint32_t *paths = (const uint32_t *)heads->paths.data;
    size_t first = 0;
    for (size_t i = 0; i < heads->nleaves; i++) {
        uint32_t node = paths[heads->order[i] * heads->depth + unit];
        if (i > 0 && paths[heads->order[first] * heads->depth + unit] == node) {
            out[first * step].span++;
            out[i * step] = (vc_grid_head){.span = 0};
            continue;
        }
        out[i * step] = ((const vc_grid_head *)heads->heads.data)[node];
        out[i * step].span = 1;
        first = i;
    }
}
