/* The properties that a query asks for, in its answer. */
#include "slice/answer.h"
#include "slice/sort.h"

#include <stdlib.h>
#include <string.h>

vc_status vc_answer_find_properties(vc_answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    size_t dimensions[VC_MAX_AXES];
    if (query->nproperties == 0) return VC_OK;
    for (size_t axis = 0; axis < plan->naxes; axis++)
        dimensions[axis] = plan->axes[axis].dimension;
    vc_property *all = VC_ARENA_NEW(in->arena, vc_property, query->nproperties * (plan->naxes + 1));
    if (all == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < query->nproperties; i++) {
        const vc_property *found;
        size_t nfound;
        const vc_name_ref *ref = &query->properties[i];
        vc_status status = vc_property_find(plan->cube, dimensions, plan->naxes, ref->name,
                                            in->arena, &found, &nfound, error);
        if (status != VC_OK) return vc_error_at_place(error, status, ref->place);
        for (size_t k = 0; k < nfound; k++)
            all[in->nproperties++] = found[k];
    }
    in->properties = all;
    return VC_OK;
}

static int compare_groups(const void *a, const void *b, void *context)
{
    (void)context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The groups of the answer's members with those of members of the dimension first, wherever
 * calculated ones stand among them; and the place of each group of the axis in that. */
static vc_status order_groups(const vc_answering *in, size_t number, const uint32_t *groups,
                              size_t nmembers, uint32_t **ordered_out, uint32_t **place_of_out,
                              vc_error *error)
{
    const vc_axis *axis = &in->plan->axes[number];
    uint32_t *ordered = vc_arena_alloc(in->arena, (nmembers + 1) * sizeof *ordered);
    uint32_t *place_of = vc_arena_alloc(in->arena, ((size_t)axis->ngroups + 1) * sizeof *place_of);
    if (ordered == NULL || place_of == NULL) return vc_no_memory(error);
    memcpy(ordered, groups, nmembers * sizeof *ordered);
    if (axis->ranks != NULL) {
        vc_status status =
            vc_sort(in->plan, ordered, nmembers, sizeof *ordered, compare_groups, NULL, error);
        if (status != VC_OK) return status;
    }
    memset(place_of, 0xFF, ((size_t)axis->ngroups + 1) * sizeof *place_of);
    for (size_t i = 0; i < nmembers; i++)
        place_of[ordered[i]] = (uint32_t)i;
    *ordered_out = ordered;
    *place_of_out = place_of;
    return VC_OK;
}

/* Who the slots of an axis' dimension are, among the members that the answer shows. */
static vc_status place_slots(const vc_answering *in, size_t number, const uint32_t *groups,
                             const uint32_t *place_of, size_t nmembers, vc_property_members *out,
                             vc_error *error)
{
    const vc_axis *axis = &in->plan->axes[number];
    uint32_t nslots = in->plan->cube->dimensions[axis->dimension].nslots;
    uint32_t *places = vc_arena_alloc(in->arena, ((size_t)nslots + 1) * sizeof *places);
    vc_member_ref *members = VC_ARENA_NEW(in->arena, vc_member_ref, nmembers + 1);
    if (places == NULL || members == NULL) return vc_no_memory(error);
    *out = (vc_property_members){
        .hierarchy = axis->hierarchy, .members = members, .nplaces = nmembers, .places = places};
    while (out->nmembers < nmembers && groups[out->nmembers] < axis->stored->nmembers) {
        members[out->nmembers] =
            (vc_member_ref){.level = axis->level, .member = groups[out->nmembers]};
        out->nmembers++;
    }
    for (uint32_t slot = 0; slot < nslots; slot++) {
        uint32_t group = vc_axis_group(axis, slot);
        places[slot] = group == VC_NONE ? VC_NONE : place_of[group];
    }
    return VC_OK;
}

/* "geo.capital", or as the query says it for what is joined. */
static vc_str column_name(const vc_answering *in, const vc_property *property,
                          const vc_result_axis *out)
{
    if (!vc_str_is_null(property->alias)) return property->asked;
    return vc_arena_printf(in->arena, "%.*s.%.*s", VC_FMT(out->ref),
                           VC_FMT(property->attribute->name));
}

static bool is_listed(const vc_result_axis *out, vc_str name)
{
    for (size_t i = 0; i < out->nproperties; i++)
        if (vc_str_equal(out->properties[i].name, name)) return true;
    return false;
}

/* The values of one property, property `number` of the axis. */
static vc_status fill(vc_answering *in, const vc_property *property,
                      const vc_property_members *members, size_t number, size_t stride,
                      vc_result_values *values, bool *is_multi_out, vc_error *error)
{
    uint64_t limit = in->plan->options->limits.max_cells, left = limit - in->nvalues;
    vc_property_values read;
    vc_status status =
        vc_property_read(in->plan->cube, property, members, left < UINT32_MAX ? left : UINT32_MAX,
                         in->arena, &read, error);
    if (status == VC_OK) status = vc_plan_check(in->plan, error);
    if (status != VC_OK) return status;
    const vc_result_values *texts;
    status =
        vc_property_texts(in->plan, property, &read, members->nplaces, in->arena, &texts, error);
    if (status == VC_OK) status = vc_plan_check(in->plan, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < members->nplaces; i++)
        values[i * stride + number] = texts[i];
    in->nvalues += read.offsets[members->nplaces];
    *is_multi_out = read.is_multi;
    return VC_OK;
}

vc_status vc_answer_properties(vc_answering *in, size_t axis, const uint32_t *groups,
                               vc_result_axis *out, vc_result_member *members, vc_error *error)
{
    vc_property_members of;
    vc_result_property *properties =
        VC_ARENA_NEW(in->arena, vc_result_property, in->nproperties + 1);
    const vc_property **found = VC_ARENA_NEW(in->arena, const vc_property *, in->nproperties + 1);
    if (properties == NULL || found == NULL) return vc_no_memory(error);
    out->properties = properties;
    for (size_t i = 0; i < in->nproperties; i++) {
        const vc_property *property = &in->properties[i];
        vc_str name = property->place == axis ? column_name(in, property, out) : VC_STR("");
        if (property->place != axis || is_listed(out, name)) continue;
        found[out->nproperties] = property;
        properties[out->nproperties++] =
            (vc_result_property){.name = name, .source = property->alias};
    }
    vc_result_values *values =
        VC_ARENA_NEW(in->arena, vc_result_values, out->nmembers * out->nproperties + 1);
    if (values == NULL) return vc_no_memory(error);
    uint32_t *ordered = NULL, *place_of = NULL;
    vc_status status = order_groups(in, axis, groups, out->nmembers, &ordered, &place_of, error);
    if (status == VC_OK) status = vc_plan_check(in->plan, error);
    if (status == VC_OK)
        status = place_slots(in, axis, ordered, place_of, out->nmembers, &of, error);
    for (size_t p = 0; p < out->nproperties && status == VC_OK; p++) {
        status = vc_plan_check(in->plan, error);
        if (status == VC_OK)
            status = fill(in, found[p], &of, p, out->nproperties, values, &properties[p].is_multi,
                          error);
    }
    for (size_t i = 0; i < out->nmembers && status == VC_OK; i++)
        members[i].properties = values + place_of[groups[i]] * out->nproperties;
    return status;
}

/* A member's values stand in each of its rows, so few members can be a long answer. */
vc_status vc_answer_check_properties(const vc_answering *in, vc_error *error)
{
    const vc_result *result = in->result;
    uint64_t limit = in->plan->options->limits.max_cells, total = 0;
    for (size_t row = 0; row < result->nrows && in->nvalues > 0; row++) {
        vc_status status = vc_plan_look(in->plan, row, error);
        if (status != VC_OK) return status;
        for (size_t a = 0; a < result->naxes; a++) {
            uint32_t member = result->coords[row * result->naxes + a];
            for (size_t p = 0; member != VC_NONE && p < result->axes[a].nproperties; p++)
                total += result->axes[a].members[member].properties[p].count;
        }
    }
    if (total <= limit) return VC_OK;
    vc_status status =
        vc_fail(error, VC_LIMIT, "limit_cells",
                "the rows have %llu values of properties, the limit is %llu: cut, or drill less",
                (unsigned long long)total, (unsigned long long)limit);
    return vc_error_at_place(error, status, in->plan->query->properties[0].place);
}
