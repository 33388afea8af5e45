/* What a reader must know of an answer: notices, and the coverage of its joins. */
#include "slice/answer.h"

#include <string.h>

static void add_notice(vc_answering *in, vc_notice notice)
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

/* The same of any source that is joined by the binding of this one: those of a nested cube. */
static bool uses_join(const vc_plan *plan, size_t source, size_t dimension)
{
    const struct vc_nested_join *join = plan->cube->sources[source].bindings[dimension].nested_join;
    if (uses_source(plan, source)) return true;
    for (size_t s = 0; join != NULL && s < plan->cube->nsources; s++)
        if (plan->cube->sources[s].bindings[dimension].nested_join == join && uses_source(plan, s))
            return true;
    return false;
}

/* Leaves that a partial index leaves out on purpose: said apart, so that real gaps show. */
static vc_status count_not_indexed(void *context, vc_arena *arena, const void **count_out,
                                   vc_error *error)
{
    const vc_relation *relation = context;
    uint64_t *count = VC_ARENA_NEW(arena, uint64_t, 1);
    if (count == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < relation->nunmatched; i++)
        if (strcmp(relation->unmatched[i].why, VC_NOT_IN_INDEX) == 0)
            *count += relation->unmatched[i].nleaves;
    *count_out = count;
    return VC_OK;
}

static vc_status notice_unmatched(vc_answering *in, size_t source, size_t dimension,
                                  vc_error *error)
{
    const vc_cube *cube = in->plan->cube;
    const vc_binding *binding = &cube->sources[source].bindings[dimension];
    const vc_coverage *counts = &binding->relation->coverage;
    uint64_t nunmatched = counts->members - counts->members_matched - counts->excluded;
    vc_str alias = binding->join_alias, name = cube->dimensions[dimension].name;
    const void *counted; /* kept with the model: what is unmatched may be half a million keys */
    vc_status status = vc_model_memo(in->plan->model, binding->relation, 0, count_not_indexed,
                                     (void *)binding->relation, &counted, error);
    if (status != VC_OK) return status;
    uint64_t nleft_out = *(const uint64_t *)counted;
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
    return VC_OK;
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

static bool is_shown(const vc_answering *in, size_t axis, uint32_t group)
{
    return vc_answer_place(in, axis, group) != VC_NONE;
}

/* Does one of the groups [n] belong to the row of others, and another one is shown? */
static bool is_shared_with_others(const vc_answering *in, size_t axis, const uint32_t *groups,
                                  uint32_t n, size_t nshown)
{
    const vc_axis *of = &in->plan->axes[axis];
    if (of->others == NULL || !is_shown(in, axis, of->ngroups - 1)) return false;
    for (uint32_t i = 0; i < n; i++)
        if (vc_bit_get(of->others, groups[i]) && nshown > is_shown(in, axis, groups[i]))
            return true;
    return false;
}

/* Marks a group; returns how many it marked. */
static size_t mark(uint64_t *shared, uint32_t group)
{
    bool is_new = !vc_bit_get(shared, group);
    vc_bit_set(shared, group);
    return is_new;
}

/* Mark those of groups [n] of one leaf that are shown, if they are several, the row of others among
 * them. Returns how many were not marked before. */
static size_t mark_groups(const vc_answering *in, size_t axis, const uint32_t *groups, uint32_t n,
                          uint64_t *shared)
{
    size_t nshown = 0, nmarked = 0;
    for (uint32_t i = 0; i < n; i++)
        nshown += is_shown(in, axis, groups[i]);
    bool with_others = is_shared_with_others(in, axis, groups, n, nshown);
    if (with_others) nmarked += mark(shared, in->plan->axes[axis].ngroups - 1);
    if (nshown + with_others < 2) return nmarked;
    for (uint32_t i = 0; i < n; i++)
        if (is_shown(in, axis, groups[i])) nmarked += mark(shared, groups[i]);
    return nmarked;
}

/* Mark the groups shown in the answer that share a leaf with another one shown. Leaves whose set of
 * groups is numbered need no look of their own: they are many more. Mostly the first sets mark all
 * there are. */
static void mark_shared(const vc_answering *in, size_t axis, const vc_step *step, uint64_t *shared)
{
    bool has_sets = step->nsets > 0;
    const uint32_t *offsets = has_sets ? step->set_offsets : step->offsets;
    const uint32_t *targets = has_sets ? step->set_targets : step->targets;
    uint32_t count = has_sets ? step->nsets : step->nleaves;
    size_t nleft = 0;
    for (uint32_t group = 0; group < in->plan->axes[axis].ngroups; group++)
        nleft += is_shown(in, axis, group) && !vc_bit_get(shared, group);
    for (uint32_t i = 0; i < count && nleft > 0; i++)
        nleft -= mark_groups(in, axis, targets + offsets[i], offsets[i + 1] - offsets[i], shared);
}

/* The same where a nested cube counts in parts, or looks up, and several of this cube's members
 * have one of its members. */
static vc_status mark_shared_points(const vc_answering *in, size_t axis, const vc_binding *binding,
                                    uint64_t *shared, vc_error *error)
{
    const vc_axis *of = &in->plan->axes[axis];
    const vc_relation *join = binding->through->join;
    uint32_t *seen = VC_ARENA_NEW(in->arena, uint32_t, (size_t)of->ngroups + 1);
    if (seen == NULL) return vc_no_memory(error);
    for (uint32_t point = 0; point < join->nleaves && join->level < 0; point++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(join, point, &units);
        uint32_t first = VC_NONE;
        for (size_t i = 0; i < nunits; i++) {
            uint32_t group = vc_axis_group(of, units[i]);
            if (group == VC_NONE || seen[group] == point + 1 || !is_shown(in, axis, group))
                continue;
            seen[group] = point + 1;
            if (first == VC_NONE) {
                first = group;
                continue;
            }
            vc_bit_set(shared, first);
            vc_bit_set(shared, group);
        }
    }
    return VC_OK;
}

/* Members of this answer that share facts of a source, in whatever pass over it. */
static vc_status notice_overlap(vc_answering *in, size_t source, size_t axis, vc_error *error)
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
        const vc_binding *binding = &plan->cube->sources[source].bindings[of->dimension];
        bool is_through = plan->passes[p].source == source && binding->through != NULL &&
                          binding->mode == plan->passes[p].mode && !binding->through->is_by_point &&
                          binding->through->join->weights == NULL;
        vc_status status =
            is_through ? mark_shared_points(in, axis, binding, shared, error) : VC_OK;
        if (status != VC_OK) return status;
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
static void notice_repeats(vc_answering *in)
{
    const vc_result *result = in->result;
    vc_str list = {0};
    uint64_t nrepeated = 0;
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (!(in->repeats != NULL && in->repeats[m]) && !is_repeated(result, m)) continue;
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
static vc_status notice_weights(vc_answering *in, size_t source, size_t dimension, vc_error *error)
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
static void notice_defaults(vc_answering *in)
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
static void notice_left_out(vc_answering *in)
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

/* Which calculated members the answer stands at, one description each. */
static vc_status list_calculated(vc_answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    vc_result_calculated *list =
        VC_ARENA_NEW(in->arena, vc_result_calculated, plan->ncalculated + 1);
    if (list == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->ncalculated; i++) {
        const vc_calculated *member = &plan->calculated[i];
        const vc_selection *selection = &plan->selections[member->dimension];
        bool is_used = selection->named != NULL && vc_bit_get(selection->named, i);
        for (size_t axis = 0; axis < plan->naxes; axis++)
            for (size_t c = 0;
                 plan->axes[axis].is_shown != NULL && c < plan->axes[axis].ncalculated; c++)
                is_used |= plan->axes[axis].is_shown[c] && plan->axes[axis].calculated[c] == i;
        if (!is_used) continue;
        list[in->result->ncalculated++] =
            (vc_result_calculated){.dimension = plan->cube->dimensions[member->dimension].name,
                                   .name = member->name,
                                   .label = member->label,
                                   .expr = member->definition->expr,
                                   .solve_order = member->definition->solve_order,
                                   .keeps_unit = member->keeps_unit,
                                   .unit = member->definition->unit,
                                   .format = member->definition->format};
    }
    in->result->calculated = list;
    return VC_OK;
}

/* What is shown beside others, and in none of their totals. */
static vc_status notice_calculated(vc_answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_result *result = in->result;
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        vc_str name = plan->cube->dimensions[d].name;
        vc_str *members = VC_ARENA_NEW(in->arena, vc_str, 20);
        size_t count = 0;
        if (members == NULL) return vc_no_memory(error);
        for (size_t i = 0; i < result->ncalculated; i++) {
            if (!vc_str_equal(result->calculated[i].dimension, name)) continue;
            if (count < 20) members[count] = result->calculated[i].name;
            count++;
        }
        if (count == 0) continue;
        bool is_alone = plan->selections[d].is_calculated && count == 1;
        add_notice(in, (vc_notice){.code = "calculated",
                                   .dimension = name,
                                   .has_count = true,
                                   .count = count,
                                   .members = members,
                                   .nmembers = count < 20 ? count : 20,
                                   .message = vc_arena_printf(
                                       in->arena,
                                       is_alone ? "a calculated member of '%.*s' is asked for"
                                                : "calculated members of '%.*s' are in no total",
                                       VC_FMT(name))});
    }
    return VC_OK;
}

vc_status vc_answer_notices(vc_answering *in, vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_cube *cube = plan->cube;
    in->max_notices = 3 * cube->nsources * (cube->ndimensions + 1) +
                      cube->nsources * (plan->naxes + 1) + plan->nasked + 2 * cube->ndimensions + 2;
    in->notices = VC_ARENA_NEW(in->arena, vc_notice, in->max_notices);
    if (in->notices == NULL) return vc_no_memory(error);
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions; d++) {
            if (!vc_binding_is_joined(&cube->sources[s].bindings[d]) || !uses_join(plan, s, d) ||
                cube->sources[s].is_unseen)
                continue;
            vc_status status = notice_unmatched(in, s, d, error);
            if (status == VC_OK) status = notice_weights(in, s, d, error);
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
    vc_status status = plan->ncalculated > 0 ? list_calculated(in, error) : VC_OK;
    if (status == VC_OK && in->result->ncalculated > 0) status = notice_calculated(in, error);
    if (status != VC_OK) return status;
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
vc_status vc_answer_coverage(vc_answering *in, vc_error *error)
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
