/* Rows: the axes, the cells of a grouping, having, top and order. */
#include "tests/slice/oracle_parts.h"

#include <string.h>

/* ---- axes ---- */

static void group_axis(struct asking *in, unsigned a)
{
    const vc_dimref *ref = &in->query->axes[a].dimref;
    unsigned d = in->axes[a] = oracle_find_dimension(in->oracle, ref->dimension);
    const struct dimension *dimension = &in->oracle->dimensions[d];
    int target = oracle_find_target(dimension->stored, ref->level);
    unsigned level = in->levels[a] = target < 0 ? 0 : (unsigned)target - INDEX_LEVEL;
    in->groups[a] = VC_ARENA_NEW(in->arena, uint32_t, dimension->nslots + 1);
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        in->groups[a][i] = dimension->member_of[level][i];
    uint32_t nmembers = dimension->members[level];
    in->ngroups[a] = nmembers;
    for (uint32_t slot = dimension->nleaves; slot < dimension->nslots; slot++) {
        const struct synthetic *synthetic = &dimension->synthetics[slot - dimension->nleaves];
        unsigned b = 0;
        while (dimension->bucket_sources[b] != synthetic->source)
            b++;
        bool each =
            dimension->bucket_has_members[b] && (dimension->stored->nlevels == 1 || level > 0);
        const char *key = each ? synthetic->key : dimension->bucket_keys[b];
        bool is_new =
            each || slot == dimension->nleaves ||
            dimension->synthetics[slot - 1 - dimension->nleaves].source != synthetic->source;
        if (is_new) in->synthetic_keys[a][in->ngroups[a]++ - nmembers] = key;
        in->groups[a][slot] = in->ngroups[a] - 1;
    }
}

unsigned oracle_group_keys(const struct oracle *oracle, const vc_query *query, unsigned axis,
                           uint32_t group, vc_str *keys_out, bool *is_synthetic_out)
{
    struct asking in = {.oracle = (struct oracle *)oracle, .query = query};
    vc_arena arena = {0};
    in.arena = &arena;
    group_axis(&in, axis);
    const struct dimension *dimension = &oracle->dimensions[in.axes[axis]];
    unsigned level = in.levels[axis];
    *is_synthetic_out = group >= dimension->members[level];
    memset(keys_out, 0, (level + 1) * sizeof *keys_out);
    if (*is_synthetic_out)
        keys_out[level] = vc_str_of(in.synthetic_keys[axis][group - dimension->members[level]]);
    else
        for (uint32_t i = 0; i < dimension->nleaves; i++)
            for (unsigned l = 0; dimension->member_of[level][i] == group && l <= level; l++)
                keys_out[l] = vc_str_of(oracle_key(dimension, i, l));
    vc_arena_release(&arena);
    return level + 1;
}

struct rows {
    struct oracle_row *items;
    size_t count, capacity;
};

static bool row_has_value(const struct asking *in, const struct oracle_cell *cells)
{
    for (unsigned i = 0; i < in->nasked; i++) {
        const struct oracle_cell *cell = &cells[in->asked[i]];
        if (!cell->is_null &&
            !(oracle_is_count(&in->oracle->measures[in->asked[i]]) && cell->value == 0))
            return true;
    }
    return false;
}

static void add_row(const struct asking *in, struct rows *rows, const uint32_t *groups,
                    bool is_sparse)
{
    bool is_done[MEASURES] = {false}, has_facts = false;
    struct oracle_cell *cells = VC_ARENA_NEW(in->arena, struct oracle_cell, MEASURES);
    for (unsigned m = 0; m < in->oracle->nmeasures; m++)
        if (in->is_wanted[m]) oracle_fill_cell(in, m, groups, cells, is_done, &has_facts);
    if (is_sparse && !(has_facts && row_has_value(in, cells))) return;
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity * 2 + 16;
        struct oracle_row *items = VC_ARENA_NEW(in->arena, struct oracle_row, rows->capacity);
        if (rows->count > 0) memcpy(items, rows->items, rows->count * sizeof *items);
        rows->items = items;
    }
    struct oracle_row *row = &rows->items[rows->count++];
    row->cells = cells;
    for (unsigned a = 0; a < in->naxes; a++) {
        row->groups[a] = in->kept >> a & 1 ? groups[a] : NOWHERE;
        row->grouping = row->grouping << 1 | !(in->kept >> a & 1);
    }
}

/* All combinations of groups with a selected slot, the first axis slowest. */
static void combine(const struct asking *in, struct rows *rows, uint32_t *groups, unsigned axis,
                    bool is_sparse)
{
    if (axis == in->naxes) {
        add_row(in, rows, groups, is_sparse);
        return;
    }
    if (!(in->kept >> axis & 1)) {
        combine(in, rows, groups, axis + 1, is_sparse);
        return;
    }
    unsigned d = in->axes[axis];
    for (uint32_t g = 0; g < in->ngroups[axis]; g++) {
        bool is_visible = false;
        for (uint32_t slot = 0; slot < in->oracle->dimensions[d].nslots; slot++)
            is_visible |= in->groups[axis][slot] == g && in->selected[d][slot];
        groups[axis] = g;
        if (is_visible) combine(in, rows, groups, axis + 1, is_sparse);
    }
}

static struct rows make_rows(struct asking *in, uint32_t kept, bool is_sparse)
{
    struct rows rows = {0};
    uint32_t groups[ORACLE_AXES] = {0};
    oracle_prepare(in, kept);
    combine(in, &rows, groups, 0, is_sparse && kept != 0);
    return rows;
}

static unsigned find_measure(const struct oracle *oracle, vc_str name)
{
    unsigned m = 0;
    while (!vc_str_is(name, oracle->measures[m].name))
        m++;
    return m;
}

static bool passes(const struct oracle_cell *cell, const vc_having *having)
{
    bool is_any = false;
    if (having->op == VC_OP_SET || having->op == VC_OP_NOT_SET)
        return cell->is_null == (having->op == VC_OP_NOT_SET);
    if (cell->is_null) return false;
    for (size_t i = 0; i < having->nvalues; i++) {
        long double value = having->values[i];
        is_any |= having->op == VC_OP_GT   ? cell->value > value
                  : having->op == VC_OP_GE ? cell->value >= value
                  : having->op == VC_OP_LT ? cell->value < value
                  : having->op == VC_OP_LE ? cell->value <= value
                                           : cell->value == value;
    }
    return having->op == VC_OP_NE ? !is_any : is_any;
}

/* Descending by members: nulls and buckets are last all the same. */
static int compare_descending(const struct asking *in, unsigned axis, uint32_t x, uint32_t y)
{
    vc_str mine[WORLD_LEVELS], others[WORLD_LEVELS];
    bool is_synthetic_x, is_synthetic_y;
    unsigned nkeys = oracle_group_keys(in->oracle, in->query, axis, x, mine, &is_synthetic_x);
    oracle_group_keys(in->oracle, in->query, axis, y, others, &is_synthetic_y);
    if (is_synthetic_x || is_synthetic_y) return (x > y) - (x < y);
    for (unsigned i = 0; i < nkeys; i++)
        if ((mine[i].data == NULL) != (others[i].data == NULL))
            return mine[i].data == NULL ? 1 : -1;
        else if (mine[i].data != NULL && !vc_str_equal(mine[i], others[i]))
            break;
    return (x < y) - (x > y);
}

static int compare_rows(const struct asking *in, const struct oracle_row *x,
                        const struct oracle_row *y)
{
    for (size_t i = 0; i < in->query->norders; i++) {
        const vc_order *order = &in->query->orders[i];
        unsigned axis = 0;
        int compared;
        while (axis < in->naxes &&
               !vc_str_equal(in->query->axes[axis].dimref.dimension, order->name))
            axis++;
        if (axis < in->naxes) {
            compared = (x->groups[axis] > y->groups[axis]) - (x->groups[axis] < y->groups[axis]);
            if (order->is_descending)
                compared = compare_descending(in, axis, x->groups[axis], y->groups[axis]);
        } else {
            unsigned m = find_measure(in->oracle, order->name);
            const struct oracle_cell *a = &x->cells[m], *b = &y->cells[m];
            if (a->is_null || b->is_null)
                compared = (int)a->is_null - (int)b->is_null;
            else
                compared = ((a->value > b->value) - (a->value < b->value)) *
                           (order->is_descending ? -1 : 1);
        }
        if (compared != 0) return compared;
    }
    return 0;
}

/* nonempty: a member stays when some row of it has a value. */
static void drop_empty(const struct asking *in, struct rows *rows)
{
    for (size_t n = 0; n < in->query->nnonempty; n++) {
        unsigned axis = 0;
        size_t kept = 0;
        while (!vc_str_equal(in->query->axes[axis].dimref.dimension, in->query->nonempty[n].name))
            axis++;
        bool *has_value = VC_ARENA_NEW(in->arena, bool, in->ngroups[axis] + 1);
        for (size_t i = 0; i < rows->count; i++)
            has_value[rows->items[i].groups[axis]] |= row_has_value(in, rows->items[i].cells);
        for (size_t i = 0; i < rows->count; i++)
            if (has_value[rows->items[i].groups[axis]]) rows->items[kept++] = rows->items[i];
        rows->count = kept;
    }
}

/* Do two rows agree on the first n axes? */
static bool same_groups(const struct oracle_row *x, const struct oracle_row *y, unsigned n)
{
    return memcmp(x->groups, y->groups, n * sizeof x->groups[0]) == 0;
}

/* How many candidates of the same combination are better than this one? */
static size_t count_better(const vc_top *top, unsigned axis, unsigned measure,
                           const struct oracle_row *candidates, size_t count, size_t at)
{
    const struct oracle_cell *mine = &candidates[at].cells[measure];
    size_t nbetter = 0;
    for (size_t i = 0; i < count; i++) {
        const struct oracle_cell *other = &candidates[i].cells[measure];
        if (i == at || !same_groups(&candidates[i], &candidates[at], axis)) continue;
        int order = (int)other->is_null - (int)mine->is_null;
        if (order == 0 && !mine->is_null)
            order = ((other->value > mine->value) - (other->value < mine->value)) *
                    (top->is_ascending ? 1 : -1);
        nbetter += order < 0 || (order == 0 && i < at);
    }
    return nbetter;
}

/* The n best members of an axis per combination of those before it, among those with a row left. */
static void apply_top(struct asking *in, const vc_top *top, struct rows *rows)
{
    unsigned axis = 0, measure = find_measure(in->oracle, top->measure);
    size_t kept = 0, ncandidates = 0;
    while (!vc_str_equal(in->query->axes[axis].dimref.dimension, top->dimension))
        axis++;
    struct rows grain = make_rows(in, (2u << axis) - 1, false);
    for (size_t i = 0; i < grain.count; i++) {
        bool is_in = false;
        for (size_t r = 0; r < rows->count; r++)
            is_in |= same_groups(&grain.items[i], &rows->items[r], axis + 1);
        if (is_in) grain.items[ncandidates++] = grain.items[i];
    }
    for (size_t r = 0; r < rows->count; r++)
        for (size_t i = 0; i < ncandidates; i++)
            if (same_groups(&grain.items[i], &rows->items[r], axis + 1) &&
                count_better(top, axis, measure, grain.items, ncandidates, i) < top->count)
                rows->items[kept++] = rows->items[r];
    rows->count = kept;
}

static void shape(struct asking *in, struct rows *rows)
{
    const vc_query *query = in->query;
    size_t kept = 0;
    drop_empty(in, rows);
    for (size_t i = 0; i < rows->count; i++) {
        bool is_good = true;
        for (size_t h = 0; h < query->nhavings; h++)
            is_good &=
                passes(&rows->items[i].cells[find_measure(in->oracle, query->havings[h].measure)],
                       &query->havings[h]);
        if (is_good) rows->items[kept++] = rows->items[i];
    }
    rows->count = kept;
    for (size_t t = 0; t < query->ntops; t++)
        apply_top(in, &query->tops[t], rows);
    for (size_t i = 1; i < rows->count; i++) /* stable: ties stay in member order */
        for (size_t j = i; j > 0 && compare_rows(in, &rows->items[j], &rows->items[j - 1]) < 0;
             j--) {
            struct oracle_row swap = rows->items[j];
            rows->items[j] = rows->items[j - 1];
            rows->items[j - 1] = swap;
        }
}

/* ---- the whole ---- */

static void want(struct asking *in, unsigned m)
{
    if (in->is_wanted[m]) return;
    in->is_wanted[m] = true;
    if (in->oracle->measures[m].formula == FORMULA_NONE) return;
    want(in, in->oracle->measures[m].a);
    want(in, in->oracle->measures[m].b);
}

/* Does some leaf of a source belong to several groups of the axis of a dimension? */
static bool has_several(const struct asking *in, unsigned s, unsigned d)
{
    const struct place *place = &in->oracle->sources[s].places[d];
    uint32_t ngroups = in->ngroups[oracle_axis_of(in, d)];
    uint32_t nleaves = (uint32_t)in->oracle->sources[s].cube->dimensions[place->of]->nleaves;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        unsigned count = 0;
        for (uint32_t g = 0; g < ngroups; g++)
            count += in->allowed[s][d][g][leaf];
        if (count > 1) return true;
    }
    return false;
}

/* Two drilled dimensions that are mapped onto the one along which a measure is semi-additive, with
 * leaves of that in several groups of both: which leaf counts then differs from group to group of
 * either. */
static bool is_over_twice(struct asking *in, const struct measure *measure)
{
    unsigned naxes = 0, nseveral = 0;
    if (measure->stored->over != VC_OVER_LAST && measure->stored->over != VC_OVER_FIRST)
        return false;
    for (unsigned d = 0; d < in->oracle->ndimensions; d++) {
        const struct place *place = &in->oracle->sources[measure->source].places[d];
        naxes += place->is_there && place->of == measure->stored->over_dimension &&
                 oracle_axis_of(in, d) >= 0;
    }
    if (naxes < 2) return false;
    oracle_prepare(in, in->kept);
    for (unsigned d = 0; d < in->oracle->ndimensions; d++) {
        const struct place *place = &in->oracle->sources[measure->source].places[d];
        nseveral += place->is_there && place->of == measure->stored->over_dimension &&
                    oracle_axis_of(in, d) >= 0 && has_several(in, measure->source, d);
    }
    return nseveral > 1;
}

static const char *plan_measures(struct asking *in)
{
    const vc_query *query = in->query;
    for (size_t i = 0; i < query->nmeasures; i++)
        in->asked[in->nasked++] = find_measure(in->oracle, query->measures[i].name);
    for (unsigned m = 0; query->nmeasures == 0 && m < in->oracle->nnamed; m++)
        in->asked[in->nasked++] = m;
    for (unsigned i = 0; i < in->nasked; i++)
        want(in, in->asked[i]);
    for (size_t i = 0; i < query->nhavings; i++)
        want(in, find_measure(in->oracle, query->havings[i].measure));
    for (size_t i = 0; i < query->ntops; i++)
        want(in, find_measure(in->oracle, query->tops[i].measure));
    for (size_t i = 0; i < query->norders; i++) {
        bool is_axis = false;
        for (unsigned a = 0; a < in->naxes; a++)
            is_axis |= vc_str_equal(query->axes[a].dimref.dimension, query->orders[i].name);
        if (!is_axis) want(in, find_measure(in->oracle, query->orders[i].name));
    }
    in->kept = (1u << in->naxes) - 1;
    for (unsigned m = 0; m < in->oracle->nmeasures; m++) {
        const struct measure *measure = &in->oracle->measures[m];
        if (!in->is_wanted[m] || measure->formula != FORMULA_NONE) continue;
        for (unsigned d = 0; d < in->oracle->ndimensions; d++)
            if (!in->oracle->sources[measure->source].places[d].is_there &&
                oracle_is_asked(in, d) &&
                oracle_policy_of(in->oracle, measure, d) == VC_UNRELATED_ERROR)
                return "unrelated";
    }
    for (unsigned m = 0; m < in->oracle->nmeasures; m++)
        if (in->is_wanted[m] && in->oracle->measures[m].formula == FORMULA_NONE &&
            is_over_twice(in, &in->oracle->measures[m]))
            return "unsupported";
    return NULL;
}

struct oracle_answer *oracle_ask(struct oracle *oracle, const vc_query *query, vc_arena *arena)
{
    struct oracle_answer *answer = VC_ARENA_NEW(arena, struct oracle_answer, 1);
    struct asking *in = VC_ARENA_NEW(arena, struct asking, 1);
    *in = (struct asking){
        .oracle = oracle, .query = query, .arena = arena, .naxes = (unsigned)query->naxes};
    answer->error = oracle_select_all(in);
    if (answer->error != NULL) return answer;
    for (unsigned a = 0; a < in->naxes; a++)
        group_axis(in, a);
    answer->error = plan_measures(in);
    if (answer->error != NULL) return answer;
    struct rows detail = make_rows(in, (1u << in->naxes) - 1, query->is_sparse);
    shape(in, &detail);
    answer->nfound = detail.count;
    size_t offset = query->offset < detail.count ? (size_t)query->offset : detail.count;
    answer->ndetail = detail.count - offset;
    if (query->limit < answer->ndetail) answer->ndetail = (size_t)query->limit;
    struct rows all = {.items = detail.items + offset, .count = answer->ndetail};
    for (size_t t = 0; t < query->ntotals; t++) {
        uint32_t kept = 0;
        for (size_t i = 0; i < query->totals[t].ndimensions; i++)
            for (unsigned a = 0; a < in->naxes; a++)
                if (vc_str_equal(query->axes[a].dimref.dimension, query->totals[t].dimensions[i]))
                    kept |= 1u << a;
        struct rows total = make_rows(in, kept, true);
        struct oracle_row *items =
            VC_ARENA_NEW(arena, struct oracle_row, all.count + total.count + 1);
        if (all.count > 0) memcpy(items, all.items, all.count * sizeof *items);
        if (total.count > 0) memcpy(items + all.count, total.items, total.count * sizeof *items);
        all = (struct rows){.items = items, .count = all.count + total.count};
    }
    answer->rows = all.items;
    answer->nrows = all.count;
    answer->summary = make_rows(in, 0, false).items[0].cells;
    return answer;
}
