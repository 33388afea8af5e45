/* Of what a value is made: the source's own cells, and the check that together they are the cell.
 *
 * The pass is scanned once more by the same steps, now grouped by the leaves of the dimensions that
 * are mapped or cut. What each part accumulated is kept exactly and put together at the end, which
 * for averages is sum and count, not the mean of means. Where no such way leads from parts to the
 * value (medians, distinct values, a leaf that is another one for each combination), parts say how
 * many facts they have, and the value is computed again from the facts (lineage_facts.c).
 */
#include "slice/lineage_parts.h"

#include "base/list.h"
#include "slice/naming.h"
#include "slice/table.h"

#include <math.h>
#include <stdlib.h>

struct part {
    uint64_t key;
    vc_accumulator accumulator;
    vc_cell value;
    uint64_t facts;
    double size; /* of the value, for the order */
    double weight;
};

struct parting {
    const vc_tracing *in;
    const vc_plan_measure *measure;
    vc_pass pass; /* with the one accumulator */
    vc_accumulator_spec spec;
    const vc_cube_source *source;
    uint16_t *columns; /* [ncolumns] by which parts are told apart */
    size_t ncolumns;
    vc_table table;
    const vc_table *from; /* of the cell */
    vc_list parts;
    bool has_values;
    bool from_facts; /* parts do not make the value, its facts do */
};

/* ---- by what ---- */

static void add_column(struct parting *in, size_t column)
{
    for (size_t i = 0; i < in->ncolumns; i++)
        if (in->columns[i] == column) return;
    if (in->ncolumns < VC_MAX_AXES) in->columns[in->ncolumns++] = (uint16_t)column;
}

static vc_status choose_columns(struct parting *in, vc_error *error)
{
    const vc_plan *plan = in->in->plan;
    in->columns = VC_ARENA_NEW(in->in->arena, uint16_t, VC_MAX_AXES);
    if (in->columns == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        const vc_binding *binding = &in->source->bindings[d];
        if (in->pass.mode == VC_MODE_LOOKUP && !vc_binding_has_shares(&in->pass, binding)) continue;
        if (binding->kind == VC_BIND_RELATION && binding->tuples != NULL)
            for (size_t c = 0; c < binding->tuples->ncomponents; c++)
                add_column(in, binding->components[c]);
        else if (binding->kind == VC_BIND_RELATION ||
                 (binding->kind == VC_BIND_IDENTITY && plan->selections[d].is_cut))
            add_column(in, binding->source_dimension);
    }
    return VC_OK;
}

/* The same where parts count by weights. */
static const char *choose_shared_way(const struct parting *in, bool *is_checked_out)
{
    if (in->pass.mode != VC_MODE_LOOKUP)
        return in->spec.aggregator == VC_AGG_AVG
                   ? "the weighted sums of the parts over their weighted counts"
                   : "the values of the parts, each times its weight, are added up";
    switch (in->pass.reaggregate) {
    case VC_REAGGREGATE_SUM: return "looked up values, each as often as it was found, added up";
    case VC_REAGGREGATE_AVG: return "the mean of the looked up values, each as often as found";
    case VC_REAGGREGATE_MIN: return "the smallest of the looked up values";
    case VC_REAGGREGATE_MAX: return "the largest of the looked up values";
    default: *is_checked_out = false; return "looked up, and not put together";
    }
}

/* How parts make the value. */
static const char *choose_way(struct parting *in, bool *is_checked_out)
{
    bool is_one_leaf = in->pass.over == VC_OVER_NONE || in->pass.over == VC_OVER_LAST ||
                       in->pass.over == VC_OVER_FIRST;
    *is_checked_out = is_one_leaf;
    in->has_values = is_one_leaf;
    in->pass.over = VC_OVER_NONE; /* what it leaves is in the steps */
    bool is_plain =
        in->spec.aggregator <= VC_AGG_COUNT_DISTINCT; /* a part has a value of its own */
    if (in->from->classes != NULL && is_one_leaf && is_plain)
        return choose_shared_way(in, is_checked_out);
    switch (is_one_leaf ? in->spec.aggregator : VC_AGG_NONE) {
    case VC_AGG_SUM: return "the values of the parts are added up";
    case VC_AGG_COUNT: return "the counts of the parts are added up";
    case VC_AGG_MIN: return "the smallest of the parts";
    case VC_AGG_MAX: return "the largest of the parts";
    case VC_AGG_AVG: return "the sums of the parts over their counts";
    case VC_AGG_COUNT_DISTINCT:
        *is_checked_out = false;
        in->from_facts = true;
        return "distinct values are counted once over all parts, so parts do not add up";
    default:
        *is_checked_out = in->has_values = false;
        in->from_facts = in->from->classes == NULL;
        in->spec = (vc_accumulator_spec){
            .aggregator = VC_AGG_COUNT, .column = -1, .distinct_dimension = -1};
        return "computed from all facts at once, not from parts";
    }
}

/* ---- the table ---- */

/* The steps of the cell, and one more for each column, which tells its leaves apart. VC_LIMIT when
 * there are too many combinations. */
static vc_status make_table(struct parting *in, const vc_table *from, vc_error *error)
{
    vc_arena *arena = in->in->arena;
    vc_step *steps = VC_ARENA_NEW(arena, vc_step, from->nsteps + in->ncolumns + 1);
    if (steps == NULL) return vc_no_memory(error);
    in->table = (vc_table){.steps = steps, .nsteps = from->nsteps, .ncells = 1};
    for (size_t i = 0; i < from->nsteps; i++) {
        steps[i] = from->steps[i];
        steps[i].stride = 0; /* of classes */
        steps[i].groups = steps[i].offsets = steps[i].targets = NULL;
        steps[i].nsets = 0;
    }
    for (size_t i = 0; i < in->ncolumns; i++) {
        uint32_t nleaves = in->source->cube->dimensions[in->columns[i]]->nleaves;
        uint32_t *groups = vc_arena_alloc(arena, ((size_t)nleaves + 1) * sizeof *groups);
        if (groups == NULL) return vc_no_memory(error);
        for (uint32_t leaf = 0; leaf < nleaves; leaf++)
            groups[leaf] = leaf;
        in->table.spans[i] = nleaves > 0 ? nleaves : 1;
        in->table.strides[i] = in->table.ncells;
        steps[in->table.nsteps++] = (vc_step){.column = in->columns[i],
                                              .nleaves = nleaves,
                                              .end = nleaves,
                                              .npassing = nleaves,
                                              .stride = in->table.ncells,
                                              .groups = groups,
                                              .is_ordered = true,
                                              .axis = i,
                                              .dimension = SIZE_MAX};
        if (__builtin_mul_overflow(in->table.ncells, (uint64_t)in->table.spans[i],
                                   &in->table.ncells) ||
            in->table.ncells > UINT64_MAX / 4)
            return vc_fail(error, VC_LIMIT, "limit_cells", "too many combinations of members");
    }
    return VC_OK;
}

/* ---- accumulators ---- */

static void merge_extreme(const vc_accumulator_spec *spec, vc_accumulator *into,
                          const vc_accumulator *from)
{
    bool is_max = spec->aggregator == VC_AGG_MAX, is_float = spec->type == VC_VALUE_FLOAT;
    bool is_less =
        is_float ? from->as.fextreme < into->as.fextreme : from->as.extreme < into->as.extreme;
    bool is_more =
        is_float ? from->as.fextreme > into->as.fextreme : from->as.extreme > into->as.extreme;
    if (into->count == 0 || (is_max ? is_more : is_less)) into->as = from->as;
}

static void merge(const vc_accumulator_spec *spec, vc_accumulator *into, const vc_accumulator *from)
{
    if (from->count == 0) return;
    if (spec->aggregator == VC_AGG_MIN || spec->aggregator == VC_AGG_MAX) {
        merge_extreme(spec, into, from);
    } else if (spec->aggregator == VC_AGG_SUM || spec->aggregator == VC_AGG_AVG) {
        if (spec->type == VC_VALUE_FLOAT) {
            vc_sum_add(&into->as.f.sum, &into->as.f.correction, from->as.f.sum);
            into->as.f.correction += from->as.f.correction;
        } else {
            into->as.sum += from->as.sum;
        }
    }
    into->count += from->count;
}

static vc_status value_of(const struct parting *in, const vc_accumulator *from, vc_cell *cell,
                          vc_error *error)
{
    if (in->has_values) return vc_accumulator_cell(in->in->plan, in->measure, from, cell, error);
    *cell = (vc_cell){.is_null = true};
    return VC_OK;
}

/* ---- weights ---- */

/* The joined leaf of a part in a dimension along which facts count in parts; VC_NONE: parts are too
 * large to tell. */
static uint32_t joined_leaf(const struct parting *in, const vc_binding *binding, uint64_t key)
{
    size_t ncomponents = binding->tuples == NULL ? 1 : binding->tuples->ncomponents;
    uint64_t code = 0;
    uint32_t leaf = VC_NONE, number;
    for (size_t c = 0; c < ncomponents; c++) {
        size_t column =
            binding->tuples == NULL ? binding->source_dimension : binding->components[c];
        size_t at = 0;
        while (at < in->ncolumns && in->columns[at] != column)
            at++;
        if (at == in->ncolumns) return VC_NONE;
        leaf = vc_table_group(&in->table, at, key);
        if (binding->tuples != NULL)
            vc_tuples_add_component(binding->tuples, c, &leaf, 0, 1, &code);
    }
    if (binding->tuples == NULL) return leaf;
    vc_tuples_find(binding->tuples, &code, 1, &number);
    return number;
}

static double weigh_class(const vc_shares *shares, uint32_t class)
{
    double weight = 0;
    for (uint32_t item = shares->offsets[class]; item < shares->offsets[class + 1]; item++)
        weight += shares->items[item].weight;
    return weight;
}

/* A lookup that found a member of a nested cube has the value of all that member's leaves: of sums
 * that is the sum of its parts. */
static bool adds_up_by_points(const struct parting *in)
{
    return in->pass.reaggregate == VC_REAGGREGATE_SUM &&
           (in->spec.aggregator == VC_AGG_SUM || in->spec.aggregator == VC_AGG_COUNT);
}

/* How much of the part counts; false when that cannot be told. */
static bool weigh(const struct parting *in, struct part *part)
{
    bool is_known = true;
    part->weight = 1;
    for (size_t i = 0; in->from->classes != NULL && i < in->from->nshares; i++) {
        const vc_shares *shares = in->from->shares[i];
        const vc_step *step = &shares->step;
        const vc_binding *binding = &in->source->bindings[shares->dimension];
        uint32_t leaf = joined_leaf(in, binding, part->key);
        double weight = 0;
        if (leaf == VC_NONE || !vc_step_passes(step, leaf)) return false;
        if (binding->through != NULL && binding->through->is_by_point)
            is_known &= adds_up_by_points(in);
        if (step->offsets == NULL) weight = weigh_class(shares, step->groups[leaf]);
        for (uint32_t t = step->offsets == NULL ? 0 : step->offsets[leaf];
             step->offsets != NULL && t < step->offsets[leaf + 1]; t++)
            weight += weigh_class(shares, step->targets[t]);
        part->weight *= weight;
    }
    return is_known;
}

/* What the values of parts are, which may be integers where the measure is a double. */
static vc_value_type type_of_parts(const struct parting *in, unsigned *scale_out)
{
    const vc_accumulator_spec *spec = &in->spec;
    *scale_out = 0;
    if (spec->aggregator == VC_AGG_COUNT || spec->aggregator == VC_AGG_COUNT_DISTINCT)
        return VC_VALUE_INT;
    if (spec->aggregator == VC_AGG_AVG || spec->type == VC_VALUE_FLOAT) return VC_VALUE_FLOAT;
    if (spec->type == VC_VALUE_DECIMAL) *scale_out = in->source->cube->columns[spec->column].scale;
    return spec->type;
}

/* The value of a part as a number, not scaled. */
static double number_of(const struct parting *in, const vc_cell *cell)
{
    unsigned scale;
    vc_value_type type = type_of_parts(in, &scale);
    return type == VC_VALUE_FLOAT ? cell->as.f : (double)cell->as.i / (double)vc_pow10(scale);
}

/* ---- collect ---- */

static double size_of(const struct parting *in, const struct part *part)
{
    if (!in->has_values) return (double)part->facts;
    return part->value.is_null ? -1 : fabs(number_of(in, &part->value) * part->weight);
}

static vc_status collect(struct parting *in, vc_cells *cells, vc_lineage_source *out,
                         vc_error *error)
{
    const uint64_t *facts = vc_cells_facts(cells);
    for (size_t slot = 0; slot < vc_cells_count(cells); slot++) {
        if (facts[slot] == 0) continue;
        struct part *part = VC_LIST_NEW(&in->parts, in->in->arena, struct part);
        if (part == NULL) return vc_no_memory(error);
        part->key = vc_cells_key(cells, (uint32_t)slot);
        part->facts = facts[slot];
        part->accumulator = vc_cells_read(cells, 0, (uint32_t)slot);
        vc_status status = value_of(in, &part->accumulator, &part->value, error);
        if (status != VC_OK) return status;
        out->is_checked &= weigh(in, part);
        part->size = size_of(in, part);
    }
    return VC_OK;
}

static vc_status scan(struct parting *in, vc_lineage_source *out, vc_error *error)
{
    const vc_table *from = in->from->classes != NULL ? in->from->classes : in->from;
    vc_scan_stats stats;
    vc_cells *cells = NULL;
    vc_status status = make_table(in, from, error);
    if (status == VC_OK)
        status = vc_scan_run(in->in->plan, &in->pass, &in->table, &cells, &stats, error);
    if (status == VC_OK) status = collect(in, cells, out, error);
    vc_cells_free(cells);
    return status;
}

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

/* ---- tell ---- */

static vc_status name_part(const struct parting *in, const vc_namer *namers,
                           const struct part *part, vc_lineage_part *out, vc_error *error)
{
    vc_str *keys = VC_ARENA_NEW(in->in->arena, vc_str, in->ncolumns + 1);
    vc_str *labels = VC_ARENA_NEW(in->in->arena, vc_str, in->ncolumns + 1);
    if (keys == NULL || labels == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->ncolumns; i++)
        keys[i] = vc_namer_leaf(&namers[i], vc_table_group(&in->table, i, part->key), in->in->arena,
                                &labels[i]);
    *out = (vc_lineage_part){
        .keys = keys,
        .labels = labels,
        .value = part->value,
        .facts = part->facts,
        .weight = part->weight,
        .counts_for = part->value.is_null ? 0 : number_of(in, &part->value) * part->weight};
    return VC_OK;
}

static vc_status list_parts(struct parting *in, vc_lineage_source *out, vc_error *error)
{
    vc_arena *arena = in->in->arena;
    struct part *parts = in->parts.items;
    vc_namer *namers = VC_ARENA_NEW(arena, vc_namer, in->ncolumns + 1);
    vc_str *by = VC_ARENA_NEW(arena, vc_str, in->ncolumns + 1);
    vc_lineage_part *listed = VC_ARENA_NEW(arena, vc_lineage_part, in->in->limit + 1);
    vc_accumulator rest = {0};
    vc_status status = VC_OK;
    if (namers == NULL || by == NULL || listed == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->ncolumns; i++) {
        namers[i] = vc_namer_of_facts(in->source->cube->dimensions[in->columns[i]]);
        by[i] = in->source->cube->dimension_names[in->columns[i]];
    }
    if (in->parts.count > 1) qsort(parts, in->parts.count, sizeof *parts, compare_parts);
    for (size_t i = 0; i < in->parts.count && status == VC_OK; i++) {
        out->nfacts += parts[i].facts;
        if (i < in->in->limit) {
            status = name_part(in, namers, &parts[i], &listed[out->nlisted++], error);
            continue;
        }
        merge(&in->spec, &rest, &parts[i].accumulator);
        out->rest.facts += parts[i].facts;
        if (in->has_values && !parts[i].value.is_null)
            out->rest.counts_for += number_of(in, &parts[i].value) * parts[i].weight;
    }
    out->part_type = type_of_parts(in, &out->part_scale);
    out->has_weights = in->from->classes != NULL;
    out->by = by;
    out->nby = in->ncolumns;
    out->nparts = in->parts.count;
    out->parts = listed;
    out->rest.value = (vc_cell){.is_null = true};
    if (status == VC_OK && out->rest.facts > 0 && in->from->classes == NULL &&
        in->spec.aggregator != VC_AGG_COUNT_DISTINCT)
        status = value_of(in, &rest, &out->rest.value, error);
    return status;
}

/* ---- the check ---- */

static bool same_value(const vc_plan_measure *measure, const vc_cell *a, const vc_cell *b)
{
    if (a->is_null != b->is_null) return false;
    if (a->is_null) return true;
    if (measure->type != VC_VALUE_FLOAT) return a->as.i == b->as.i;
    /* Doubles are added up in another order here. */
    return fabs(a->as.f - b->as.f) <= 1e-9 * (fabs(a->as.f) + fabs(b->as.f));
}

/* Parts with their weights: as doubles, which is what they are then. */
static double put_shares_together(const struct parting *in)
{
    const struct part *parts = in->parts.items;
    bool is_lookup = in->pass.mode == VC_MODE_LOOKUP;
    bool is_min = is_lookup && in->pass.reaggregate == VC_REAGGREGATE_MIN;
    bool is_max = is_lookup && in->pass.reaggregate == VC_REAGGREGATE_MAX;
    bool is_mean =
        is_lookup ? in->pass.reaggregate == VC_REAGGREGATE_AVG : in->spec.aggregator == VC_AGG_AVG;
    double sum = 0, correction = 0, weights = 0, least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < in->parts.count; i++) {
        if (parts[i].value.is_null) continue;
        double value = number_of(in, &parts[i].value), weight = parts[i].weight;
        if (is_mean && !is_lookup) weight *= (double)parts[i].accumulator.count;
        vc_sum_add(&sum, &correction, value * weight);
        weights += weight;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    if (is_min || is_max) return is_min ? least : most;
    return is_mean ? (sum + correction) / weights : sum + correction;
}

static void check_shares(const struct parting *in, vc_lineage_source *out)
{
    const vc_cell *cell = &out->cell;
    double expected = in->measure->type == VC_VALUE_FLOAT ? cell->as.f
                      : in->measure->type == VC_VALUE_INT
                          ? (double)cell->as.i
                          : (double)cell->as.i / (double)vc_pow10(in->measure->scale);
    double again = put_shares_together(in);
    out->adds_up = cell->is_null || fabs(again - expected) <= 1e-9 * (1 + fabs(expected));
    out->again = *cell;
}

static vc_status check(const struct parting *in, vc_lineage_source *out, vc_error *error)
{
    const struct part *parts = in->parts.items;
    vc_accumulator all = {0};
    for (size_t i = 0; i < in->parts.count; i++)
        merge(&in->spec, &all, &parts[i].accumulator);
    if (in->parts.count == 0) {
        out->again = out->cell; /* nothing is nothing */
        out->adds_up = out->cell.is_null || out->cell.as.i == 0;
        return VC_OK;
    }
    if (in->from->classes != NULL) {
        check_shares(in, out);
        return VC_OK;
    }
    vc_status status = value_of(in, &all, &out->again, error);
    if (in->measure->type == VC_VALUE_FLOAT && !out->again.is_null)
        out->again.as.f = number_of(in, &out->again);
    out->adds_up = status == VC_OK && same_value(in->measure, &out->again, &out->cell);
    return status;
}

/* The same facts once more, in one cell. */
static vc_status check_facts(struct parting *in, vc_lineage_source *out, vc_error *error)
{
    in->ncolumns = 0;
    vc_status status = make_table(in, in->from, error);
    if (status == VC_OK) status = vc_trace_again(in->in, &in->table, out, error);
    out->from_facts = out->is_checked;
    out->adds_up = out->is_checked && same_value(in->measure, &out->again, &out->cell);
    return status;
}

vc_status vc_trace_parts(const vc_tracing *tracing, vc_lineage_source *out, vc_error *error)
{
    const vc_plan *plan = tracing->plan;
    const vc_plan_measure *measure = &plan->measures[tracing->measure];
    struct parting in = {.in = tracing,
                         .measure = measure,
                         .pass = plan->passes[measure->pass],
                         .spec = plan->passes[measure->pass].accumulators[measure->accumulator]};
    in.from = tracing->grain->tables[measure->pass];
    in.source = &plan->cube->sources[in.pass.source];
    out->putting = choose_way(&in, &out->is_checked);
    in.pass.accumulators = &in.spec;
    in.pass.naccumulators = 1;
    /* Where nothing may be read, there are no parts; where it says nothing together, there are. */
    if (out->cell.is_null && out->cell.reason != VC_REASON_NULL &&
        out->cell.reason != VC_REASON_UNDEFINED) {
        out->is_checked = false;
        return VC_OK;
    }
    vc_status status = choose_columns(&in, error);
    if (status != VC_OK) return status;
    vc_error limit = {0};
    status = scan(&in, out, &limit);
    while (status == VC_LIMIT && in.ncolumns > 0) { /* fewer parts, then, and larger ones */
        in.ncolumns--;
        in.parts = (vc_list){0};
        status = scan(&in, out, &limit);
    }
    if (status != VC_OK) {
        if (error != NULL) *error = limit;
        return status;
    }
    status = list_parts(&in, out, error);
    if (status == VC_OK && in.from_facts) return check_facts(&in, out, error);
    return status == VC_OK && out->is_checked ? check(&in, out, error) : status;
}
