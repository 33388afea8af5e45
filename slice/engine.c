/* The whole of a query: plan, rows of each grouping, shape, and the result that all of it becomes.
 */
#include "slice/engine.h"

#include "base/nearest.h"
#include "dimensions/members.h"
#include "slice/narrow.h"
#include "slice/other.h"
#include "slice/plan.h"

#include <string.h>

struct answering {
    vc_plan *plan;
    vc_arena *arena;
    vc_result *result;
    vc_rows *detail;
    vc_rows *summary;
    vc_rows **totals; /* [ntotals of the query] */
    uint32_t *order;  /* [nshown] detail rows in the order of the answer */
    bool is_whole;    /* all detail rows are shown, or stand for in a row of others */
    size_t nfound;    /* detail rows before offset and limit */
    size_t nshown;
    uint32_t **member_of; /* [naxes][ngroups] place in the axis' table of members, or VC_NONE */
    vc_notice *notices;
    size_t nnotices, max_notices;
};

/* ---- rows ---- */

static vc_status total_mask(const vc_plan *plan, const vc_total *total, uint32_t *mask_out,
                            vc_error *error)
{
    *mask_out = 0;
    for (size_t i = 0; i < total->ndimensions; i++) {
        size_t axis = 0;
        while (axis < plan->naxes && !vc_axis_is_named(&plan->axes[axis], total->dimensions[i]))
            axis++;
        if (axis == plan->naxes) {
            vc_status status =
                vc_fail(error, VC_NOT_FOUND, "unknown_dimension",
                        "totals name '%.*s', which is not drilled", VC_FMT(total->dimensions[i]));
            return vc_error_at_place(error, status, total->place);
        }
        *mask_out |= 1u << axis;
    }
    return VC_OK;
}

static vc_status compute_totals(struct answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    vc_status status = VC_OK;
    for (size_t i = 0; i < plan->query->ntotals && status == VC_OK; i++) {
        uint32_t mask;
        status = total_mask(plan, &plan->query->totals[i], &mask, error);
        if (status == VC_OK && mask == 0)
            in->totals[i] = in->summary;
        else if (status == VC_OK)
            status = vc_stitch(plan, mask, true, in->detail, &in->totals[i], error);
    }
    return status;
}

/* Totals of what limit, top and having leave: of the facts of the combinations that are shown. */
static vc_status compute_visible_totals(struct answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    vc_status status = VC_OK;
    size_t naxes = plan->naxes;
    if (in->is_whole || naxes == 0) return compute_totals(in, error);
    uint32_t *groups = vc_arena_alloc(plan->arena, (in->nshown * naxes + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->nshown * naxes; i++)
        groups[i] =
            vc_rows_group(plan, in->detail, in->detail->keys[in->order[i / naxes]], i % naxes);
    for (size_t i = 0; i < query->ntotals && status == VC_OK; i++) {
        vc_narrowing narrowing = {.axes = in->detail->kept,
                                  .groups = groups,
                                  .count = in->nshown,
                                  .cut_axis = SIZE_MAX,
                                  .place = query->totals[i].place};
        vc_plan *narrowed;
        status = total_mask(plan, &query->totals[i], &narrowing.kept, error);
        if (status == VC_OK) status = vc_plan_narrow(plan, &narrowing, &narrowed, error);
        if (status == VC_OK)
            status = vc_stitch(narrowed, narrowing.kept, true, NULL, &in->totals[i], error);
    }
    return status;
}

/* What a top's row of others would read, at most. */
static vc_status explain_others(struct answering *in, const vc_top *top, vc_error *error)
{
    vc_plan *plan = in->plan;
    vc_rows *others;
    for (size_t axis = 0; axis < plan->naxes && top->has_other; axis++)
        if (vc_str_equal(plan->axes[axis].ref.dimension, top->dimension))
            return vc_stitch(plan, in->detail->kept & ~(1u << axis), true, NULL, &others, error);
    return VC_OK;
}

static vc_status compute_rows(struct answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    uint32_t all = plan->naxes == 0 ? 0 : (uint32_t)((1u << plan->naxes) - 1);
    vc_status status = vc_stitch(plan, all, query->is_sparse, NULL, &in->detail, error);
    if (status == VC_OK && all == 0)
        in->summary = in->detail;
    else if (status == VC_OK)
        status = vc_stitch(plan, 0, true, in->detail, &in->summary, error);
    in->totals = VC_ARENA_NEW(in->arena, vc_rows *, query->ntotals + 1);
    if (in->totals == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < query->ntops && status == VC_OK && plan->is_dry; i++)
        status = explain_others(in, &query->tops[i], error);
    if (status == VC_OK && query->totals_visible && !plan->is_dry) return VC_OK;
    return status == VC_OK ? compute_totals(in, error) : status;
}

/* Without sparse: `nonempty` names dimensions whose members without any value are left out. */
static vc_status drop_empty(struct answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    vc_rows *rows = in->detail;
    for (size_t i = 0; i < query->nnonempty; i++) {
        size_t axis = 0;
        while (axis < plan->naxes && !vc_axis_is_named(&plan->axes[axis], query->nonempty[i].name))
            axis++;
        if (axis == plan->naxes) {
            vc_status status = vc_fail(error, VC_NOT_FOUND, "unknown_dimension",
                                       "nonempty names '%.*s', which is not drilled",
                                       VC_FMT(query->nonempty[i].name));
            return vc_error_at_place(error, status, query->nonempty[i].place);
        }
        uint64_t *has =
            VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(plan->axes[axis].ngroups) + 1);
        if (has == NULL) return vc_no_memory(error);
        for (size_t row = 0; row < rows->nrows; row++)
            if (vc_row_has_value(plan, &rows->cells[row * plan->nmeasures]))
                vc_bit_set(has, vc_rows_group(plan, rows, rows->keys[row], axis));
        size_t kept = 0;
        for (size_t row = 0; row < rows->nrows; row++) {
            if (!vc_bit_get(has, vc_rows_group(plan, rows, rows->keys[row], axis))) continue;
            rows->keys[kept] = rows->keys[row];
            memmove(&rows->cells[kept * plan->nmeasures], &rows->cells[row * plan->nmeasures],
                    plan->nmeasures * sizeof *rows->cells);
            kept++;
        }
        rows->nrows = kept;
    }
    return VC_OK;
}

static bool has_other(const vc_query *query)
{
    for (size_t i = 0; i < query->ntops; i++)
        if (query->tops[i].has_other) return true;
    return false;
}

static vc_status shape_rows(struct answering *in, vc_error *error)
{
    const vc_query *query = in->plan->query;
    vc_status status = drop_empty(in, error);
    if (status != VC_OK) return status;
    size_t nrows = in->detail->nrows, nothers = 0;
    status = vc_shape(in->plan, &in->detail, &in->order, &in->nfound, error);
    if (status != VC_OK) return status;
    uint64_t offset = query->offset < in->nfound ? query->offset : in->nfound;
    uint64_t left = in->nfound - offset;
    in->order += offset;
    in->nshown = query->limit < left ? (size_t)query->limit : (size_t)left;
    for (size_t i = 0; i < in->nshown; i++)
        nothers += vc_row_is_other(in->plan, in->detail, in->order[i]);
    in->is_whole = in->nshown == in->nfound && in->nfound - nothers == nrows;
    if (has_other(query)) in->is_whole = in->nshown == in->nfound && query->nhavings == 0;
    if (!query->totals_visible) return VC_OK;
    if (nothers > 0 && !in->is_whole)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "totals of the visible rows, when they show the others of a top and having "
                       "or limit leaves rows out");
    return compute_visible_totals(in, error);
}

/* ---- axes of the result ---- */

static const vc_hierarchy *axis_hierarchy(const vc_plan *plan, const vc_axis *axis)
{
    return &plan->cube->dimensions[axis->dimension].dimension->hierarchies[axis->hierarchy];
}

static vc_status describe_levels(struct answering *in, const vc_axis *axis, vc_result_axis *out,
                                 vc_error *error)
{
    const vc_hierarchy *hierarchy = axis_hierarchy(in->plan, axis);
    unsigned first = in->plan->query->has_parents ? 0 : axis->level;
    vc_result_level *levels = VC_ARENA_NEW(in->arena, vc_result_level, axis->level + 1 - first);
    if (levels == NULL) return vc_no_memory(error);
    out->dimension = axis->ref.dimension;
    out->ref = axis->ref.dimension;
    if (axis->hierarchy > 0)
        out->ref = vc_arena_printf(in->arena, "%.*s@%.*s", VC_FMT(axis->ref.dimension),
                                   VC_FMT(hierarchy->name));
    out->label = in->plan->cube->dimensions[axis->dimension].label;
    out->is_time = in->plan->cube->dimensions[axis->dimension].dimension->is_time;
    for (unsigned l = first; l <= axis->level; l++) {
        vc_result_level *level = &levels[out->nlevels++];
        level->name = hierarchy->levels[l].name;
        level->key_type = hierarchy->levels[l].key_type;
        level->key_name =
            vc_arena_printf(in->arena, "%.*s.%.*s", VC_FMT(out->ref), VC_FMT(level->name));
        level->label_name = vc_arena_printf(in->arena, "%.*s_label", VC_FMT(level->key_name));
        if (level->label_name.data == NULL) return vc_no_memory(error);
    }
    out->levels = levels;
    return VC_OK;
}

/* Which groups of the axis occur in the answer, in member order. */
static vc_status collect_groups(struct answering *in, size_t axis, uint32_t **groups_out,
                                size_t *ngroups_out, vc_error *error)
{
    const vc_plan *plan = in->plan;
    uint32_t ngroups = plan->axes[axis].ngroups;
    uint32_t *member_of = vc_arena_alloc(in->arena, ((size_t)ngroups + 1) * sizeof *member_of);
    if (member_of == NULL) return vc_no_memory(error);
    memset(member_of, 0xFF, ((size_t)ngroups + 1) * sizeof *member_of);
    for (size_t i = 0; i < in->nshown; i++)
        member_of[vc_rows_group(plan, in->detail, in->detail->keys[in->order[i]], axis)] = 0;
    for (size_t t = 0; t < plan->query->ntotals; t++) {
        const vc_rows *rows = in->totals[t];
        for (size_t row = 0; (rows->kept >> axis & 1) && row < rows->nrows; row++)
            member_of[vc_rows_group(plan, rows, rows->keys[row], axis)] = 0;
    }
    uint32_t *groups = vc_arena_alloc(in->arena, ((size_t)ngroups + 1) * sizeof *groups);
    size_t count = 0;
    if (groups == NULL) return vc_no_memory(error);
    for (uint32_t group = 0; group < ngroups; group++)
        if (member_of[group] == 0) {
            member_of[group] = (uint32_t)count;
            groups[count++] = group;
        }
    in->member_of[axis] = member_of;
    *groups_out = groups;
    *ngroups_out = count;
    return VC_OK;
}

static vc_status describe_member(struct answering *in, const vc_axis *axis, uint32_t group,
                                 const vc_result_axis *out, vc_result_member *member,
                                 vc_error *error)
{
    const vc_hierarchy *hierarchy = axis_hierarchy(in->plan, axis);
    vc_str *keys = VC_ARENA_NEW(in->arena, vc_str, out->nlevels);
    vc_str *labels = VC_ARENA_NEW(in->arena, vc_str, out->nlevels);
    if (keys == NULL || labels == NULL) return vc_no_memory(error);
    member->keys = keys;
    member->labels = labels;
    if (group >= axis->stored->nmembers) { /* keys of the levels above a bucket are null */
        member->is_other = axis->has_other && group == axis->ngroups - 1;
        member->is_synthetic = !member->is_other;
        keys[out->nlevels - 1] = labels[out->nlevels - 1] =
            axis->synthetic_keys[group - axis->stored->nmembers];
        return VC_OK;
    }
    unsigned level = axis->level;
    for (size_t i = out->nlevels; i-- > 0; level--) {
        keys[i] = vc_texts_get(&hierarchy->levels[level].keys, group); /* null: hidden, perhaps */
        labels[i] = vc_texts_get(&hierarchy->levels[level].labels, group);
        if (level > 0) group = vc_numbers_get(hierarchy->levels[level].parents, group);
    }
    return VC_OK;
}

/* Is a property of the query one of this axis? "geo.capital", or "capital" alone where the
 * dimension has it. */
static const vc_attribute *find_property(const vc_plan *plan, const vc_axis *axis, vc_str name)
{
    const vc_dimension *dimension = plan->cube->dimensions[axis->dimension].dimension;
    vc_str prefix = axis->ref.dimension;
    if (name.size > prefix.size + 1 && vc_str_starts_with(name, prefix) &&
        name.data[prefix.size] == '.')
        name = (vc_str){.data = name.data + prefix.size + 1, .size = name.size - prefix.size - 1};
    return vc_dimension_find_attribute(dimension, name);
}

static vc_status add_properties(struct answering *in, const vc_axis *axis, const uint32_t *groups,
                                vc_result_axis *out, vc_result_member *members, vc_error *error)
{
    const vc_query *query = in->plan->query;
    const vc_dimension *dimension = in->plan->cube->dimensions[axis->dimension].dimension;
    vc_str *names = VC_ARENA_NEW(in->arena, vc_str, query->nproperties + 1);
    const vc_attribute **attributes =
        VC_ARENA_NEW(in->arena, const vc_attribute *, query->nproperties + 1);
    if (names == NULL || attributes == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < query->nproperties; i++) {
        const vc_attribute *attribute = find_property(in->plan, axis, query->properties[i].name);
        if (attribute == NULL) continue;
        attributes[out->nproperties] = attribute;
        names[out->nproperties++] =
            vc_arena_printf(in->arena, "%.*s.%.*s", VC_FMT(out->ref), VC_FMT(attribute->name));
    }
    out->property_names = names;
    size_t nreal = 0;
    while (nreal < out->nmembers && groups[nreal] < axis->stored->nmembers)
        nreal++;
    uint32_t *codes = vc_arena_alloc(in->arena, (nreal + 1) * sizeof *codes);
    vc_str *values = VC_ARENA_NEW(in->arena, vc_str, out->nmembers * out->nproperties + 1);
    if (codes == NULL || values == NULL) return vc_no_memory(error);
    for (size_t p = 0; p < out->nproperties; p++) {
        vc_status status =
            vc_member_properties(dimension, axis->hierarchy, axis->level, attributes[p], groups,
                                 nreal, in->arena, codes, error);
        if (status != VC_OK) return status;
        for (size_t i = 0; i < nreal; i++)
            if (codes[i] != VC_NONE && codes[i] != VC_MANY)
                values[i * out->nproperties + p] = vc_texts_get(&attributes[p]->values, codes[i]);
    }
    for (size_t i = 0; i < out->nmembers; i++)
        members[i].properties = values + i * out->nproperties;
    return VC_OK;
}

static vc_status describe_axis(struct answering *in, size_t number, vc_result_axis *out,
                               vc_error *error)
{
    const vc_axis *axis = &in->plan->axes[number];
    uint32_t *groups = NULL;
    vc_status status = describe_levels(in, axis, out, error);
    if (status == VC_OK) status = collect_groups(in, number, &groups, &out->nmembers, error);
    if (status != VC_OK) return status;
    vc_result_member *members = VC_ARENA_NEW(in->arena, vc_result_member, out->nmembers + 1);
    if (members == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < out->nmembers && status == VC_OK; i++)
        status = describe_member(in, axis, groups[i], out, &members[i], error);
    out->members = members;
    if (status == VC_OK && in->plan->query->nproperties > 0)
        status = add_properties(in, axis, groups, out, members, error);
    return status;
}

static vc_status fail_property(const vc_plan *plan, const vc_name_ref *ref, vc_error *error)
{
    vc_nearest nearest;
    vc_str name = ref->name, plain = name; /* without the dimension in front of it */
    for (size_t axis = 0; axis < plan->naxes; axis++) {
        vc_str prefix = plan->axes[axis].ref.dimension;
        if (name.size > prefix.size && vc_str_starts_with(name, prefix) &&
            name.data[prefix.size] == '.')
            plain =
                (vc_str){.data = name.data + prefix.size + 1, .size = name.size - prefix.size - 1};
    }
    vc_nearest_init(&nearest, plain);
    for (size_t axis = 0; axis < plan->naxes; axis++) {
        const vc_dimension *dimension =
            plan->cube->dimensions[plan->axes[axis].dimension].dimension;
        for (size_t i = 0; i < dimension->nattributes; i++)
            vc_nearest_offer(&nearest, dimension->attributes[i].name);
    }
    vc_fail(error, VC_NOT_FOUND, "unknown_attribute",
            "no drilled dimension has an attribute '%.*s'", VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return vc_error_at_place(error, VC_NOT_FOUND, ref->place);
}

/* A property that no drilled dimension has is a mistake, not an empty column. */
static vc_status check_properties(const struct answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    for (size_t i = 0; i < plan->query->nproperties; i++) {
        bool is_known = false;
        const vc_name_ref *ref = &plan->query->properties[i];
        for (size_t axis = 0; axis < plan->naxes; axis++)
            is_known |= find_property(plan, &plan->axes[axis], ref->name) != NULL;
        if (!is_known) return fail_property(plan, ref, error);
    }
    return VC_OK;
}

static vc_status describe_axes(struct answering *in, vc_error *error)
{
    size_t naxes = in->plan->naxes;
    vc_result_axis *axes = VC_ARENA_NEW(in->arena, vc_result_axis, naxes + 1);
    in->member_of = VC_ARENA_NEW(in->arena, uint32_t *, naxes + 1);
    if (axes == NULL || in->member_of == NULL) return vc_no_memory(error);
    vc_status status = check_properties(in, error);
    for (size_t i = 0; i < naxes && status == VC_OK; i++)
        status = describe_axis(in, i, &axes[i], error);
    in->result->axes = axes;
    in->result->naxes = naxes;
    return status;
}

/* ---- the table of the result ---- */

struct table { /* what is being filled */
    uint32_t *coords;
    vc_cell *cells;
    uint32_t *grouping;
    size_t nrows;
};

static void add_row(struct answering *in, struct table *table, const vc_rows *rows, size_t row,
                    uint32_t grouping)
{
    const vc_plan *plan = in->plan;
    for (size_t axis = 0; axis < plan->naxes; axis++)
        table->coords[table->nrows * plan->naxes + axis] =
            (rows->kept >> axis & 1)
                ? in->member_of[axis][vc_rows_group(plan, rows, rows->keys[row], axis)]
                : VC_NONE;
    memcpy(&table->cells[table->nrows * plan->nasked], &rows->cells[row * plan->nmeasures],
           plan->nasked * sizeof *table->cells);
    table->grouping[table->nrows++] = grouping;
}

/* The bit mask of a grouping: the first axis is the highest bit, 1 is rolled up. */
static uint32_t grouping_of(const vc_plan *plan, uint32_t kept)
{
    uint32_t grouping = 0;
    for (size_t axis = 0; axis < plan->naxes; axis++)
        grouping = grouping << 1 | !(kept >> axis & 1);
    return grouping;
}

static vc_status fill_table(struct answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_result *result = in->result;
    size_t nrows = in->nshown;
    for (size_t i = 0; i < plan->query->ntotals; i++)
        nrows += in->totals[i]->nrows;
    struct table table = {.coords = VC_ARENA_NEW(in->arena, uint32_t, nrows * plan->naxes + 1),
                          .cells = VC_ARENA_NEW(in->arena, vc_cell, nrows * plan->nasked + 1),
                          .grouping = VC_ARENA_NEW(in->arena, uint32_t, nrows + 1)};
    if (table.coords == NULL || table.cells == NULL || table.grouping == NULL)
        return vc_no_memory(error);
    for (size_t i = 0; i < in->nshown; i++)
        add_row(in, &table, in->detail, in->order[i], 0);
    result->ndetail_rows = in->nshown;
    for (size_t i = 0; i < plan->query->ntotals; i++)
        for (size_t row = 0; row < in->totals[i]->nrows; row++)
            add_row(in, &table, in->totals[i], row, grouping_of(plan, in->totals[i]->kept));
    result->nrows = nrows;
    result->coords = table.coords;
    result->cells = table.cells;
    result->grouping = table.grouping;
    result->summary = in->summary->cells;
    result->total_cell_count = in->nfound;
    result->is_truncated = plan->query->offset + in->nshown < in->nfound;
    return VC_OK;
}

static vc_status describe_measures(struct answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_result_measure *measures = VC_ARENA_NEW(in->arena, vc_result_measure, plan->nasked + 1);
    if (measures == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->nasked; i++) {
        const vc_plan_measure *from = &plan->measures[i];
        measures[i] = (vc_result_measure){
            .name = from->name,
            .label = from->label,
            .unit = from->unit,
            .format = from->format,
            .type = from->type,
            .scale = from->scale,
            .source = from->source_alias,
            .aggregator = from->expr != NULL ? VC_AGG_NONE : from->measure->aggregator,
            .is_calculated = from->expr != NULL};
    }
    in->result->measures = measures;
    in->result->nmeasures = plan->nasked;
    return VC_OK;
}

/* ---- notices ---- */

static void add_notice(struct answering *in, vc_notice notice)
{
    if (in->nnotices < in->max_notices) in->notices[in->nnotices++] = notice;
}

/* Is the source read by the query? */
static bool uses_source(const vc_plan *plan, size_t source)
{
    for (size_t i = 0; i < plan->npasses; i++)
        if (plan->passes[i].source == source) return true;
    return false;
}

/* Leaves that a partial index leaves out on purpose: said apart, so that real gaps show. */
static uint64_t count_not_indexed(const vc_relation *relation)
{
    uint64_t count = 0;
    for (size_t i = 0; i < relation->nunmatched; i++)
        if (strcmp(relation->unmatched[i].why, VC_NOT_IN_INDEX) == 0)
            count += relation->unmatched[i].nleaves;
    return count;
}

static void notice_unmatched(struct answering *in, size_t source, size_t dimension)
{
    const vc_cube *cube = in->plan->cube;
    const vc_binding *binding = &cube->sources[source].bindings[dimension];
    const vc_coverage *counts = &binding->relation->coverage;
    uint64_t nunmatched = counts->members - counts->members_matched - counts->excluded;
    vc_str alias = binding->join_alias, name = cube->dimensions[dimension].name;
    uint64_t nleft_out = count_not_indexed(binding->relation);
    vc_str apart = VC_STR("");
    if (nleft_out == nunmatched)
        apart = VC_STR(", all because the index leaves them out");
    else if (nleft_out > 0)
        apart = vc_arena_printf(in->arena, ", %llu because the index leaves them out",
                                (unsigned long long)nleft_out);
    if (nunmatched > 0 && binding->synthetic_slots == NULL)
        add_notice(
            in, (vc_notice){.code = "unmatched",
                            .source = alias,
                            .dimension = name,
                            .has_count = true,
                            .count = nunmatched,
                            .message = vc_arena_printf(
                                in->arena,
                                "%llu of %llu members of '%.*s' match no member of '%.*s' and "
                                "are in no total%.*s",
                                (unsigned long long)nunmatched, (unsigned long long)counts->members,
                                VC_FMT(alias), VC_FMT(name), VC_FMT(apart))});
    if (counts->excluded > 0)
        add_notice(in,
                   (vc_notice){.code = "excluded",
                               .source = alias,
                               .dimension = name,
                               .has_count = true,
                               .count = counts->excluded,
                               .message = vc_arena_printf(
                                   in->arena,
                                   "%llu members of '%.*s' are aggregates of others and are left "
                                   "out of every total",
                                   (unsigned long long)counts->excluded, VC_FMT(alias))});
}

/* The ragged step that leads to the groups of an axis; NULL when each leaf has one. */
static const vc_step *find_ragged(const vc_table *table, size_t axis)
{
    for (size_t i = 0; i < table->nsteps; i++) {
        const vc_step *step = &table->steps[i];
        if (step->offsets != NULL && step->stride > 0 && step->axis == axis) return step;
    }
    return NULL;
}

/* Mark the groups shown in the answer that share a leaf with another one shown. */
static void mark_shared(const struct answering *in, size_t axis, const vc_step *step,
                        uint64_t *shared)
{
    for (uint32_t leaf = 0; leaf < step->nleaves; leaf++) {
        size_t nshown = 0;
        for (int round = 0; round < 2; round++)
            for (uint32_t t = step->offsets[leaf]; t < step->offsets[leaf + 1]; t++) {
                if (in->member_of[axis][step->targets[t]] == VC_NONE) continue;
                if (round == 0)
                    nshown++;
                else if (nshown > 1)
                    vc_bit_set(shared, step->targets[t]);
            }
    }
}

/* Members of this answer that share facts of a source, in whatever pass over it. */
static vc_status notice_overlap(struct answering *in, size_t source, size_t axis, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_axis *of = &plan->axes[axis];
    vc_str alias = plan->cube->sources[source].alias;
    uint64_t *shared = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(of->ngroups) + 1);
    if (shared == NULL) return vc_no_memory(error);
    for (size_t p = 0; p < plan->npasses; p++) {
        const vc_step *step =
            plan->passes[p].source == source ? find_ragged(in->detail->tables[p], axis) : NULL;
        if (step != NULL) mark_shared(in, axis, step, shared);
    }
    size_t nshared = vc_bits_count(shared, of->ngroups), nlisted = 0;
    if (nshared == 0) return VC_OK;
    vc_str *members = VC_ARENA_NEW(in->arena, vc_str, 20);
    if (members == NULL) return vc_no_memory(error);
    for (uint32_t group = 0; group < of->ngroups && nlisted < 20; group++)
        if (vc_bit_get(shared, group))
            members[nlisted++] = group < of->stored->nmembers
                                     ? vc_texts_get(&of->stored->keys, group)
                                     : of->synthetic_keys[group - of->stored->nmembers];
    add_notice(in,
               (vc_notice){.code = "overlap",
                           .source = alias,
                           .dimension = plan->cube->dimensions[of->dimension].name,
                           .has_count = true,
                           .count = nshared,
                           .members = members,
                           .nmembers = nlisted,
                           .message = vc_arena_printf(
                               in->arena,
                               "%zu members share facts of '%.*s': their sum is more than their "
                               "total",
                               nshared, VC_FMT(alias))});
    return VC_OK;
}

static bool is_repeated(const vc_result *result, size_t measure)
{
    if (result->summary[measure].reason == VC_REASON_REPEATED) return true;
    for (size_t row = 0; row < result->nrows; row++)
        if (result->cells[row * result->nmeasures + measure].reason == VC_REASON_REPEATED)
            return true;
    return false;
}

/* Does some join of the cube repeat what stands above the asked level? */
static bool repeats_below_grain(const vc_cube *cube)
{
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions; d++)
            if (cube->sources[s].bindings[d].finer == VC_FINER_REPEAT) return true;
    return false;
}

/* One notice for all measures that are repeated. */
static void notice_repeats(struct answering *in)
{
    const vc_result *result = in->result;
    vc_str list = {0};
    uint64_t nrepeated = 0;
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (!is_repeated(result, m)) continue;
        list = vc_arena_printf(in->arena, "%.*s%s'%.*s'", VC_FMT(list), nrepeated++ > 0 ? ", " : "",
                               VC_FMT(result->measures[m].name));
    }
    if (nrepeated > 0)
        add_notice(
            in, (vc_notice){.code = "repeat",
                            .has_count = true,
                            .count = nrepeated,
                            .message = vc_arena_printf(
                                in->arena,
                                "repeated over dimensions they do not have%s, so do not add "
                                "them up: %.*s",
                                repeats_below_grain(in->plan->cube) ? ", or below their grain" : "",
                                VC_FMT(list))});
}

/* Joined leaves whose weights do not add up to 1: their facts are not all in a total, or more than
 * once. */
static vc_status notice_weights(struct answering *in, size_t source, size_t dimension,
                                vc_error *error)
{
    const vc_cube *cube = in->plan->cube;
    const vc_relation *relation = cube->sources[source].bindings[dimension].relation;
    uint64_t nwrong = 0;
    bool is_read = false;
    for (size_t p = 0; p < in->plan->npasses; p++)
        is_read |=
            in->plan->passes[p].source == source && in->plan->passes[p].mode == VC_MODE_WEIGHTED;
    if (!is_read || cube->sources[source].bindings[dimension].mode != VC_MODE_WEIGHTED)
        return VC_OK;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        size_t first = relation->units != NULL ? leaf : relation->offsets[leaf];
        double sum = 0;
        for (size_t i = 0; i < nunits; i++)
            sum += relation->weights[first + i];
        nwrong += nunits > 0 && !(sum >= 1 - 1e-9 && sum <= 1 + 1e-9);
    }
    if (nwrong == 0) return VC_OK;
    vc_str alias = cube->sources[source].alias;
    vc_str message = vc_arena_printf(in->arena,
                                     "the weights of %llu members of '%.*s' do not add up to 1, so "
                                     "totals are not those of the source",
                                     (unsigned long long)nwrong, VC_FMT(alias));
    if (message.data == NULL) return vc_no_memory(error);
    add_notice(in, (vc_notice){.code = "weights",
                               .source = alias,
                               .dimension = cube->dimensions[dimension].name,
                               .has_count = true,
                               .count = nwrong,
                               .message = message});
    return VC_OK;
}

/* Is some measure read at the default member? */
static bool is_defaulted(const vc_plan *plan, size_t dimension)
{
    for (size_t i = 0; i < plan->npasses; i++) {
        const vc_binding *binding =
            &plan->cube->sources[plan->passes[i].source].bindings[dimension];
        if (binding->kind != VC_BIND_NONE &&
            !vc_pass_is_fixed(plan, &plan->passes[i], binding->source_dimension))
            return true;
    }
    return false;
}

/* A selection that the query does not say must be told. */
static void notice_defaults(struct answering *in)
{
    for (size_t d = 0; d < in->plan->cube->ndimensions; d++) {
        const vc_cube_dimension *outer = &in->plan->cube->dimensions[d];
        if (!in->plan->selections[d].is_default || !is_defaulted(in->plan, d)) continue;
        add_notice(in, (vc_notice){.code = "default",
                                   .dimension = outer->name,
                                   .message = vc_arena_printf(
                                       in->arena,
                                       "'%.*s' is at its default member '%.*s'; cut or drill it to "
                                       "see others",
                                       VC_FMT(outer->name), VC_FMT(outer->default_member))});
    }
}

/* Measures that cannot be counted in parts, when all were asked for. */
static void notice_left_out(struct answering *in)
{
    const vc_plan *plan = in->plan;
    size_t nlisted = plan->nleft_out < 20 ? plan->nleft_out : 20;
    if (plan->nleft_out > 0)
        add_notice(in, (vc_notice){.code = "not_additive",
                                   .has_count = true,
                                   .count = plan->nleft_out,
                                   .members = plan->left_out,
                                   .nmembers = nlisted,
                                   .message = VC_STR("measures that cannot be counted in parts "
                                                     "are left out")});
}

static vc_status add_notices(struct answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_cube *cube = plan->cube;
    in->max_notices = 3 * cube->nsources * (cube->ndimensions + 1) +
                      cube->nsources * (plan->naxes + 1) + plan->nasked + cube->ndimensions + 2;
    in->notices = VC_ARENA_NEW(in->arena, vc_notice, in->max_notices);
    if (in->notices == NULL) return vc_no_memory(error);
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions && uses_source(plan, s); d++) {
            if (!vc_binding_is_joined(&cube->sources[s].bindings[d])) continue;
            notice_unmatched(in, s, d);
            vc_status status = notice_weights(in, s, d, error);
            if (status != VC_OK) return status;
        }
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t axis = 0; axis < plan->naxes && uses_source(plan, s); axis++) {
            vc_status status = notice_overlap(in, s, axis, error);
            if (status != VC_OK) return status;
        }
    notice_repeats(in);
    notice_left_out(in);
    notice_defaults(in);
    if (in->result->is_truncated)
        add_notice(
            in, (vc_notice){.code = "truncated",
                            .has_count = true,
                            .count = in->nfound,
                            .message = vc_arena_printf(
                                in->arena, "rows %llu to %llu of %zu are shown",
                                (unsigned long long)plan->query->offset + 1,
                                (unsigned long long)plan->query->offset + in->nshown, in->nfound)});
    in->result->notices = in->notices;
    in->result->nnotices = in->nnotices;
    return VC_OK;
}

/* Is a source read that lies behind the join, or does the join decide which members there are? */
static bool depends_on(const vc_plan *plan, const vc_result_coverage *join)
{
    for (size_t s = 0; s < plan->cube->nsources; s++) {
        const vc_cube_source *source = &plan->cube->sources[s];
        if (!uses_source(plan, s) && source->definition->join.kind == VC_JOIN_LEFT) continue;
        for (size_t d = 0; d < plan->cube->ndimensions; d++)
            if (source->bindings[d].kind == VC_BIND_RELATION &&
                vc_str_equal(source->bindings[d].join_alias, join->source) &&
                vc_str_equal(plan->cube->dimensions[d].name, join->dimension))
                return true;
    }
    return false;
}

/* The coverage of the joins that the answer depends on: of the sources it reads, and of those that
 * decide which members there are. */
static vc_status add_coverage(struct answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_result_coverage *all;
    size_t nall, nkept = 0;
    vc_status status =
        vc_engine_coverage(plan->model, plan->cube, plan->options, in->arena, &all, &nall, error);
    if (status != VC_OK) return status;
    vc_result_coverage *kept = VC_ARENA_NEW(in->arena, vc_result_coverage, nall + 1);
    if (kept == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nall; i++)
        if (depends_on(plan, &all[i])) kept[nkept++] = all[i];
    in->result->coverage = kept;
    in->result->ncoverage = nkept;
    return VC_OK;
}

/* ---- the whole ---- */

vc_engine_options vc_engine_defaults(const vc_engine_options *options)
{
    vc_engine_options filled = options == NULL ? (vc_engine_options){0} : *options;
    if (filled.limits.max_cells == 0) filled.limits.max_cells = 5000000;
    if (filled.limits.max_time_ms == 0) filled.limits.max_time_ms = 30000;
    if (filled.limits.max_memory_bytes == 0) filled.limits.max_memory_bytes = VC_DEFAULT_MAX_MEMORY;
    return filled;
}

static vc_status fill_options(const vc_engine_options *options, const vc_query *query,
                              vc_engine_options *filled_out, vc_error *error)
{
    *filled_out = vc_engine_defaults(options);
    for (size_t i = 0; i < query->ntops; i++)
        if (query->tops[i].has_other && query->ntops > 1) {
            vc_status status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                                       "a top that shows the others does not go with another top");
            return vc_error_at_place(error, status, query->tops[i].place);
        }
    return VC_OK;
}

static void release_rows(const struct answering *in)
{
    if (in->plan == NULL) return;
    vc_frames_release(in->plan);
    vc_rows_release(in->detail);
    vc_rows_release(in->summary);
    for (size_t i = 0; in->totals != NULL && i < in->plan->query->ntotals; i++)
        vc_rows_release(in->totals[i]);
}

vc_status vc_engine_explain(vc_model *model, const vc_query *query,
                            const vc_engine_options *options, vc_arena *arena,
                            const vc_explain **explain_out, vc_error *error)
{
    vc_engine_options filled;
    struct answering in = {.arena = arena};
    vc_status status = fill_options(options, query, &filled, error);
    uint64_t begin = vc_plan_now();
    if (status == VC_OK) status = vc_plan_make(model, query, &filled, arena, &in.plan, error);
    if (status != VC_OK) return status;
    in.plan->is_dry = true;
    status = vc_plan_explain(in.plan, error);
    if (status == VC_OK) status = compute_rows(&in, error);
    release_rows(&in);
    if (status != VC_OK) return status;
    in.plan->explain->ns.plan = in.plan->explain->ns.total = vc_plan_now() - begin;
    *explain_out = in.plan->explain;
    return VC_OK;
}

/* Where the time went: what is not scanning is planning, stitching or shaping. */
static void tell_times(const struct answering *in, uint64_t begin, uint64_t planned,
                       uint64_t computed)
{
    vc_explain *explain = in->plan->explain;
    if (explain == NULL) return;
    explain->ns.plan = planned - begin;
    explain->ns.scan = in->plan->scan_ns;
    explain->ns.stitch = computed - planned - in->plan->scan_ns;
    explain->ns.shape = vc_plan_now() - computed;
    explain->ns.total = vc_plan_now() - begin;
    in->result->explain = explain;
}

static vc_status answer(struct answering *in, uint64_t begin, vc_error *error)
{
    vc_status status = VC_OK;
    uint64_t planned = vc_plan_now();
    if (in->plan->query->wants_explain) status = vc_plan_explain(in->plan, error);
    if (status == VC_OK) status = compute_rows(in, error);
    uint64_t computed = vc_plan_now();
    if (status == VC_OK) status = shape_rows(in, error);
    if (status == VC_OK) status = describe_axes(in, error);
    if (status == VC_OK) status = describe_measures(in, error);
    if (status == VC_OK) status = fill_table(in, error);
    if (status == VC_OK) status = add_notices(in, error);
    if (status == VC_OK && in->plan->cube->is_virtual) status = add_coverage(in, error);
    if (status == VC_OK) tell_times(in, begin, planned, computed);
    return status;
}

vc_status vc_engine_run(vc_model *model, const vc_query *query, const vc_engine_options *options,
                        vc_arena *arena, const vc_result **result_out, vc_error *error)
{
    vc_engine_options filled;
    uint64_t begin = vc_plan_now();
    struct answering in = {.arena = arena, .result = VC_ARENA_NEW(arena, vc_result, 1)};
    if (in.result == NULL) return vc_no_memory(error);
    vc_status status = fill_options(options, query, &filled, error);
    if (status == VC_OK) status = vc_plan_make(model, query, &filled, arena, &in.plan, error);
    if (status == VC_OK) status = answer(&in, begin, error);
    release_rows(&in);
    if (status != VC_OK) return status;
    in.result->cube = in.plan->cube->name;
    in.result->is_virtual = in.plan->cube->is_virtual;
    in.result->definition_hash = in.plan->cube->definition_hash;
    in.result->snapshot = vc_str_of(vc_snapshot_id(vc_model_snapshot(model)));
    *result_out = in.result;
    return VC_OK;
}
