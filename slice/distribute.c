/* From classes to groups: the last step of a pass whose facts count in parts.
 *
 * The scan has added up the facts of each class of leaves, exactly (shares.c). Here each of its
 * cells is taken apart into *entries*, one for each group that has a share of it, with the product
 * of the shares over all such dimensions; the entries of a group are then put together in the order
 * of the cells' keys, so that the bytes do not depend on the number of threads. What a cell has
 * whole is added as it was counted; only parts become doubles.
 */
#include "slice/accumulator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct entry {     /* a cell's share of a group */
    uint64_t key;  /* of the group: a cell key of the table */
    double weight; /* product of the shares */
    uint32_t cell; /* place in the cells in order */
    bool is_estimated;
};

struct ordered { /* a cell with facts */
    uint64_t key;
    uint32_t slot;
};

struct distributing {
    const vc_plan *plan;
    const vc_pass *pass;
    const vc_table *table;
    const vc_cells *cells;
    const vc_plan_measure **measures; /* [naccumulators] one that reads it */
    struct ordered *ordered;          /* [nordered] ascending by key */
    size_t nordered;
    struct entry *entries;
    size_t nentries, capacity;
    uint64_t max_entries;
};

/* ---- entries ---- */

static int compare_ordered(const void *a, const void *b)
{
    uint64_t x = ((const struct ordered *)a)->key, y = ((const struct ordered *)b)->key;
    return (x > y) - (x < y);
}

static vc_status order_cells(struct distributing *in, vc_error *error)
{
    const uint64_t *facts = vc_cells_facts(in->cells);
    size_t count = vc_cells_count(in->cells);
    in->ordered = calloc(count + 1, sizeof *in->ordered);
    if (in->ordered == NULL) return vc_no_memory(error);
    for (uint32_t slot = 0; slot < count; slot++)
        if (facts[slot] > 0)
            in->ordered[in->nordered++] =
                (struct ordered){.key = vc_cells_key(in->cells, slot), .slot = slot};
    if (!vc_cells_is_dense(in->cells))
        qsort(in->ordered, in->nordered, sizeof *in->ordered, compare_ordered);
    return VC_OK;
}

static vc_status add_entry(struct distributing *in, struct entry entry, vc_error *error)
{
    char need[VC_NUMBER_TEXT];
    if (in->nentries == in->capacity) {
        size_t capacity = in->capacity == 0 ? 1024 : 2 * in->capacity;
        if (in->nentries >= in->max_entries) {
            vc_format_bytes(need, in->plan->options->limits.max_memory_bytes);
            return vc_fail(error, VC_LIMIT, "limit_memory",
                           "sharing out joined facts needs more memory than the limit of %s; drill "
                           "fewer dimensions, cut more, or raise the limit (--max-memory)",
                           need);
        }
        struct entry *entries = realloc(in->entries, capacity * sizeof *entries);
        if (entries == NULL) return vc_no_memory(error);
        in->entries = entries;
        in->capacity = capacity;
    }
    in->entries[in->nentries++] = entry;
    return VC_OK;
}

/* The group, or the class, of a cell key on a step of the table of classes. */
static uint32_t group_of_step(const vc_table *classes, size_t step, uint64_t key)
{
    return vc_table_group(classes, classes->steps[step].axis, key);
}

/* Add the entries of a cell, from a dimension with shares on. */
static vc_status share_cell(struct distributing *in, size_t number, struct entry entry,
                            vc_error *error)
{
    const vc_table *table = in->table;
    vc_status status = VC_OK;
    if (number == table->nshares) return add_entry(in, entry, error);
    const vc_shares *shares = table->shares[number];
    size_t step = 0; /* over-restricted steps are replaced in place, so the dimension tells it */
    while (table->classes->steps[step].dimension != shares->dimension)
        step++;
    uint32_t class = group_of_step(table->classes, step, in->ordered[entry.cell].key);
    for (uint32_t i = shares->offsets[class]; i < shares->offsets[class + 1] && status == VC_OK;
         i++) {
        const vc_share *share = &shares->items[i];
        struct entry part = entry;
        part.weight *= share->weight;
        part.is_estimated |= share->is_estimated;
        if (shares->axis != SIZE_MAX)
            part.key += (share->group - table->firsts[shares->axis]) * table->strides[shares->axis];
        status = share_cell(in, number + 1, part, error);
    }
    return status;
}

/* What the groups of a cell on the ordinary axes say of its key in the table. */
static uint64_t base_key(const struct distributing *in, uint64_t key)
{
    const vc_table *table = in->table;
    uint64_t base = 0;
    for (size_t s = 0; s < table->nsteps; s++) {
        const vc_step *step = &table->steps[s];
        if (step->stride == 0) continue;
        base += (group_of_step(table->classes, s, key) - table->firsts[step->axis]) *
                table->strides[step->axis];
    }
    return base;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static vc_status make_entries(struct distributing *in, vc_error *error)
{
    enum { LOOKS = 1 << 12 }; /* cells between two looks at the clock */
    vc_status status = order_cells(in, error);
    for (size_t i = 0; i < in->nordered && status == VC_OK; i++) {
        struct entry entry = {
            .key = base_key(in, in->ordered[i].key), .weight = 1, .cell = (uint32_t)i};
        if (i % LOOKS == 0) status = vc_plan_check(in->plan, error);
        if (status == VC_OK) status = share_cell(in, 0, entry, error);
    }
    if (status == VC_OK && in->nentries > 1)
        qsort(in->entries, in->nentries, sizeof *in->entries, compare_entries);
    return status;
}

/* ---- parts of sums ---- */

struct tally {
    __int128 exact;         /* of cells taken whole */
    double sum, correction; /* of parts, and of floats */
    uint64_t exact_count;
    double count, count_correction;
    uint64_t nvalues; /* non-null ones, whole or not */
    bool is_partial;
};

static void add_part(struct tally *tally, const vc_accumulator_spec *spec, vc_over over,
                     const vc_accumulator *from, double weight)
{
    bool is_float = spec->type == VC_VALUE_FLOAT || over == VC_OVER_AVG;
    bool has_sum = spec->aggregator != VC_AGG_COUNT;
    tally->nvalues += from->count;
    tally->is_partial |= weight != 1;
    if (weight == 1)
        tally->exact_count += from->count;
    else
        vc_sum_add(&tally->count, &tally->count_correction, weight * (double)from->count);
    if (!has_sum || from->count == 0) return;
    if (is_float) {
        vc_sum_add(&tally->sum, &tally->correction, weight * from->as.f.sum);
        vc_sum_add(&tally->sum, &tally->correction, weight * from->as.f.correction);
    } else if (weight == 1) {
        tally->exact += from->as.sum;
    } else {
        vc_sum_add(&tally->sum, &tally->correction, weight * (double)from->as.sum);
    }
}

/* A weighted average carries two sums, and both are of parts. */
static void add_weighted_part(struct tally *tally, const vc_accumulator_spec *spec,
                              const vc_moments *from, double weight)
{
    long double sum, weights;
    if (from->count == 0) return;
    vc_moments_read_weighted(spec, from, &sum, &weights);
    tally->nvalues += from->count;
    tally->is_partial = true; /* doubles, whole or not */
    vc_sum_add(&tally->sum, &tally->correction, weight * (double)sum);
    vc_sum_add(&tally->count, &tally->count_correction, weight * (double)weights);
}

static double tally_count(struct tally *tally)
{
    if (tally->exact_count > 0)
        vc_sum_add(&tally->count, &tally->count_correction, (double)tally->exact_count);
    tally->exact_count = 0;
    return tally->count + tally->count_correction;
}

static double tally_sum(struct tally *tally)
{
    if (tally->exact != 0) vc_sum_add(&tally->sum, &tally->correction, (double)tally->exact);
    tally->exact = 0;
    return tally->sum + tally->correction;
}

/* Sums, counts and averages of parts: the answer is a double. */
static vc_status finish_parts(const struct distributing *in, size_t number, struct tally *tally,
                              vc_cell *cell, vc_error *error)
{
    const vc_accumulator_spec *spec = &in->pass->accumulators[number];
    const vc_source_cube *source = in->plan->cube->sources[in->pass->source].cube;
    double scale = 1, divisor;
    *cell = (vc_cell){0};
    if (spec->column >= 0 && spec->type == VC_VALUE_DECIMAL)
        scale = (double)vc_pow10(source->columns[spec->column].scale);
    switch (spec->aggregator) {
    case VC_AGG_COUNT: cell->as.f = tally_count(tally); return VC_OK;
    case VC_AGG_SUM:
        if (tally->nvalues == 0) *cell = vc_cell_null(VC_REASON_NULL);
        if (tally->nvalues > 0) cell->as.f = tally_sum(tally) / scale;
        break;
    default: /* averages, weighted or not: nothing else is let through to here */
        if (tally->nvalues == 0) *cell = vc_cell_null(VC_REASON_NULL);
        if (tally->nvalues == 0) return VC_OK;
        if (!tally->is_partial && spec->type != VC_VALUE_FLOAT) { /* as without shares */
            cell->as.f = (double)((long double)tally->exact /
                                  ((long double)tally->exact_count * (long double)scale));
            return VC_OK;
        }
        divisor = tally_count(tally);
        if (divisor == 0) *cell = vc_cell_null(VC_REASON_UNDEFINED);
        if (divisor != 0) cell->as.f = tally_sum(tally) / (divisor * scale);
    }
    return cell->is_null || isfinite(cell->as.f)
               ? VC_OK
               : vc_measure_fail_overflow(in->measures[number], error);
}

static vc_status add_up_parts(const struct distributing *in, size_t number,
                              const struct entry *entries, size_t count, vc_cell *cell,
                              vc_error *error)
{
    const vc_accumulator_spec *spec = &in->pass->accumulators[number];
    struct tally tally = {0};
    bool is_estimated = false;
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = in->ordered[entries[i].cell].slot;
        if (spec->aggregator == VC_AGG_WEIGHTED_AVG) {
            add_weighted_part(&tally, spec, vc_cells_read_moments(in->cells, number, slot),
                              entries[i].weight);
        } else {
            vc_accumulator from = vc_cells_read(in->cells, number, slot);
            add_part(&tally, spec, in->pass->over, &from, entries[i].weight);
        }
        is_estimated |= entries[i].is_estimated;
    }
    vc_status status = finish_parts(in, number, &tally, cell, error);
    if (is_estimated && !cell->is_null) cell->reason = VC_REASON_ALLOCATED;
    return status;
}

/* ---- lookups ---- */

/* How many units of the selection lie in the row's groups, or how many of them find a leaf. */
static uint64_t count_units(const vc_table *table, uint64_t key, bool are_matched)
{
    uint64_t product = 1;
    for (size_t i = 0; i < table->nshares; i++) {
        const vc_shares *shares = table->shares[i];
        if (!shares->is_lookup) continue;
        uint32_t group = shares->axis == SIZE_MAX ? 0 : vc_table_group(table, shares->axis, key);
        product *= are_matched ? shares->nmatched[group] : shares->nunits[group];
    }
    return product;
}

struct looked_up { /* values of units put together */
    __int128 exact;
    double sum, correction;
    vc_cell least, most;
    uint64_t count;
};

static void add_value(struct looked_up *to, const vc_cell *value, bool is_double, uint64_t times)
{
    if (is_double)
        vc_sum_add(&to->sum, &to->correction, (double)times * value->as.f);
    else
        to->exact += (__int128)value->as.i * (__int128)times;
    bool is_less =
        to->count == 0 || (is_double ? value->as.f < to->least.as.f : value->as.i < to->least.as.i);
    bool is_more =
        to->count == 0 || (is_double ? value->as.f > to->most.as.f : value->as.i > to->most.as.i);
    if (is_less) to->least = *value;
    if (is_more) to->most = *value;
    to->count += times;
}

static vc_status finish_lookup(const struct distributing *in, size_t number,
                               const struct looked_up *from, uint64_t nunits, vc_cell *cell,
                               vc_error *error)
{
    const vc_accumulator_spec *spec = &in->pass->accumulators[number];
    const vc_source_cube *source = in->plan->cube->sources[in->pass->source].cube;
    bool is_double = vc_accumulator_has_doubles(spec, in->pass->over);
    long double scale = 1;
    *cell = (vc_cell){0};
    if (!is_double && !vc_is_count(spec->aggregator) && spec->type == VC_VALUE_DECIMAL)
        scale = (long double)vc_pow10(source->columns[spec->column].scale);
    switch (in->pass->reaggregate) {
    case VC_REAGGREGATE_SUM:
        if (is_double) cell->as.f = from->sum + from->correction;
        if (is_double && !isfinite(cell->as.f))
            return vc_measure_fail_overflow(in->measures[number], error);
        if (is_double) return VC_OK;
        if (from->exact > INT64_MAX || from->exact < INT64_MIN)
            return vc_measure_fail_overflow(in->measures[number], error);
        cell->as.i = (int64_t)from->exact;
        return VC_OK;
    case VC_REAGGREGATE_AVG:
        if (is_double)
            cell->as.f = (from->sum + from->correction) / (double)from->count;
        else
            cell->as.f = (double)((long double)from->exact / ((long double)from->count * scale));
        return isfinite(cell->as.f) ? VC_OK : vc_measure_fail_overflow(in->measures[number], error);
    case VC_REAGGREGATE_MIN: *cell = from->least; return VC_OK;
    case VC_REAGGREGATE_MAX: *cell = from->most; return VC_OK;
    default: /* none */
        *cell = nunits == 1 ? from->most : vc_cell_null(VC_REASON_UNDEFINED);
        return VC_OK;
    }
}

static vc_status put_together(const struct distributing *in, size_t number,
                              const struct entry *entries, size_t count, vc_cell *cell,
                              vc_error *error)
{
    const vc_accumulator_spec *spec = &in->pass->accumulators[number];
    struct looked_up values = {0};
    bool is_undefined = false;
    uint64_t key = entries[0].key, nwithout;
    for (size_t i = 0; i < count; i++) {
        vc_cell value;
        vc_status status = vc_cells_value(in->plan, in->measures[number], in->cells,
                                          in->ordered[entries[i].cell].slot, &value, error);
        if (status != VC_OK) return status;
        is_undefined |= value.is_null && value.reason == VC_REASON_UNDEFINED;
        if (!value.is_null)
            add_value(&values, &value, vc_accumulator_has_doubles(spec, in->pass->over),
                      (uint64_t)entries[i].weight);
    }
    /* Units that find a leaf without facts here have a count of 0. */
    nwithout = vc_is_count(spec->aggregator) ? count_units(in->table, key, true) - values.count : 0;
    if (nwithout > 0) add_value(&values, &(vc_cell){0}, false, nwithout);
    if (values.count == 0) {
        *cell = vc_cell_null(is_undefined ? VC_REASON_UNDEFINED : VC_REASON_NULL);
        return VC_OK;
    }
    return finish_lookup(in, number, &values, count_units(in->table, key, false), cell, error);
}

/* ---- the whole ---- */

static vc_status fill_rows(const struct distributing *in, vc_spread *spread, vc_error *error)
{
    size_t naccumulators = in->pass->naccumulators, nrows = 0;
    for (size_t i = 0; i < in->nentries; i++)
        nrows += i == 0 || in->entries[i].key != in->entries[i - 1].key;
    uint64_t *keys = vc_arena_alloc(in->plan->arena, (nrows + 1) * sizeof *keys);
    vc_cell *cells = VC_ARENA_NEW(in->plan->arena, vc_cell, nrows * naccumulators + 1);
    if (keys == NULL || cells == NULL) return vc_no_memory(error);
    for (size_t first = 0, end; first < in->nentries; first = end) {
        end = first + 1;
        while (end < in->nentries && in->entries[end].key == in->entries[first].key)
            end++;
        vc_cell *row = &cells[spread->nrows * naccumulators];
        for (size_t a = 0; a < naccumulators; a++) {
            vc_status status = (in->pass->mode == VC_MODE_LOOKUP ? put_together : add_up_parts)(
                in, a, &in->entries[first], end - first, &row[a], error);
            if (status != VC_OK) return status;
        }
        keys[spread->nrows++] = in->entries[first].key;
    }
    spread->keys = keys;
    spread->cells = cells;
    return VC_OK;
}

vc_status vc_distribute(const vc_plan *plan, size_t pass, const vc_table *table,
                        const vc_cells *cells, const vc_spread **spread_out, vc_error *error)
{
    struct distributing in = {.plan = plan,
                              .pass = &plan->passes[pass],
                              .table = table,
                              .cells = cells,
                              .max_entries =
                                  plan->options->limits.max_memory_bytes / sizeof(struct entry)};
    vc_spread *spread = VC_ARENA_NEW(plan->arena, vc_spread, 1);
    in.measures = VC_ARENA_NEW(plan->arena, const vc_plan_measure *, in.pass->naccumulators + 1);
    if (spread == NULL || in.measures == NULL) return vc_no_memory(error);
    for (size_t m = 0; m < plan->nmeasures; m++)
        if (plan->measures[m].expr == NULL && plan->measures[m].pass == pass)
            in.measures[plan->measures[m].accumulator] = &plan->measures[m];
    vc_status status = make_entries(&in, error);
    if (status == VC_OK) status = fill_rows(&in, spread, error);
    free(in.ordered);
    free(in.entries);
    *spread_out = spread;
    return status;
}

/* The place of a key; nrows when it is not there. */
static size_t find_row(const vc_spread *spread, uint64_t key)
{
    size_t first = 0, end = spread->nrows;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (spread->keys[middle] < key)
            first = middle + 1;
        else
            end = middle;
    }
    return first < spread->nrows && spread->keys[first] == key ? first : spread->nrows;
}

vc_cell vc_spread_cell(const vc_plan *plan, const vc_plan_measure *measure, const vc_table *table,
                       const vc_spread *spread, const uint32_t *groups, bool *has_facts_out)
{
    const vc_pass *pass = &plan->passes[measure->pass];
    const vc_accumulator_spec *spec = &pass->accumulators[measure->accumulator];
    uint64_t key = 0;
    bool is_inside = true;
    for (size_t i = 0; i < plan->naxes; i++) {
        if (table->strides[i] == 0) continue;
        is_inside &= groups[i] - table->firsts[i] < table->spans[i];
        key += (groups[i] - table->firsts[i]) * table->strides[i];
    }
    size_t row = is_inside ? find_row(spread, key) : spread->nrows;
    *has_facts_out = row < spread->nrows;
    if (*has_facts_out) return spread->cells[row * pass->naccumulators + measure->accumulator];
    if (!vc_is_count(spec->aggregator)) return vc_cell_null(VC_REASON_EMPTY);
    if (is_inside && pass->mode == VC_MODE_LOOKUP && pass->reaggregate == VC_REAGGREGATE_NONE &&
        count_units(table, key, false) != 1)
        return vc_cell_null(VC_REASON_UNDEFINED);
    return (vc_cell){0};
}
