/* What is shown of a pair of indexes: the join is resolved as it would be in a virtual cube, and
 * the facts of both cubes are read once. */
#include "slice/additive.h"
#include "slice/plan.h"
#include "slice/suggest_parts.h"

#include <math.h>
#include <string.h>

enum { /* groups of leaves: their fates */
       MATCHED = VC_FATE_MATCHED,
       UNMATCHED = VC_FATE_UNMATCHED,
       EXCLUDED = VC_FATE_EXCLUDED,
       NGROUPS
};

struct detailing {
    vc_model *model;
    const vc_engine_options *options;
    vc_arena *arena; /* of the answer */
    vc_arena work;
    const vc_suggest *suggest;
    const vc_suggest_candidate *candidate;
    size_t nexamples;
    const vc_relation *relation;
    uint32_t *partners; /* [values of the primary's index] a joined leaf, or VC_NONE */
    uint32_t *value_of_unit;
    uint32_t *value_of_leaf;
};

/* ---- the relation ---- */

static vc_status resolve(struct detailing *in, vc_error *error)
{
    const vc_suggest_candidate *candidate = in->candidate;
    vc_normalizer *from = NULL, *to = NULL;
    vc_status status = vc_pairing_normalizers(&candidate->from->side, &candidate->to->side,
                                              &candidate->pairing, &from, &to, error);
    vc_relation_pair pair = {.from = candidate->from->side.index,
                             .to = candidate->to->side.index,
                             .from_leaves = candidate->from->outer->visible,
                             .normalize_from = from,
                             .normalize_to = to};
    if (status == VC_OK)
        status =
            vc_relation_resolve(candidate->from->outer->dimension, candidate->to->outer->dimension,
                                &pair, 1, &in->work, &in->relation, error);
    vc_normalizer_free(from);
    vc_normalizer_free(to);
    return status;
}

/* ---- keys that meet, and keys that do not ---- */

static uint32_t *new_numbers(vc_arena *arena, size_t count)
{
    uint32_t *numbers = vc_arena_alloc(arena, (count + 1) * sizeof *numbers);
    if (numbers != NULL) memset(numbers, 0xFF, (count + 1) * sizeof *numbers);
    return numbers;
}

static vc_status find_partners(struct detailing *in, vc_error *error)
{
    const vc_index *from = in->candidate->from->side.index;
    in->value_of_unit = new_numbers(&in->work, in->relation->nunits);
    in->partners = new_numbers(&in->work, from->values.count);
    if (in->value_of_unit == NULL || in->partners == NULL) return vc_no_memory(error);
    for (uint32_t value = 0; value < from->values.count; value++)
        for (uint32_t i = vc_numbers_get(from->offsets, value);
             i < vc_numbers_get(from->offsets, value + 1); i++)
            in->value_of_unit[from->members[i]] = value;
    for (uint32_t leaf = 0; leaf < in->relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(in->relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++) {
            uint32_t value = in->value_of_unit[units[i]];
            if (in->partners[value] == VC_NONE) in->partners[value] = leaf;
        }
    }
    return vc_index_leaf_values(in->candidate->to->outer->dimension, in->candidate->to->side.index,
                                &in->work, &in->value_of_leaf, error);
}

/* Of the primary's keys: how many meet, and examples of both. */
static vc_status list_from(struct detailing *in, vc_suggest_pair *pair, vc_error *error)
{
    const vc_index *from = in->candidate->from->side.index, *to = in->candidate->to->side.index;
    vc_str *missing = VC_ARENA_NEW(in->arena, vc_str, in->nexamples + 1);
    vc_suggest_match *matches = VC_ARENA_NEW(in->arena, vc_suggest_match, in->nexamples + 1);
    if (missing == NULL || matches == NULL) return vc_no_memory(error);
    pair->from.nmatched = 0;
    for (uint32_t value = 0; value < from->values.count; value++) {
        vc_str key = vc_texts_get(&from->values, value);
        if (in->partners[value] == VC_NONE) {
            if (pair->from.nunmatched < in->nexamples) missing[pair->from.nunmatched++] = key;
            continue;
        }
        pair->from.nmatched++;
        if (pair->nmatches == in->nexamples) continue;
        uint32_t partner = in->value_of_leaf[in->partners[value]];
        matches[pair->nmatches++] =
            (vc_suggest_match){.from = key, .to = vc_texts_get(&to->values, partner)};
    }
    pair->from.unmatched = missing;
    pair->matches = matches;
    return VC_OK;
}

/* Examples of the joined cube's keys that meet nothing, but not those of aggregates. */
static vc_status list_to(struct detailing *in, vc_suggest_pair *pair, vc_error *error)
{
    vc_str *missing = VC_ARENA_NEW(in->arena, vc_str, in->nexamples + 1);
    if (missing == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->relation->nunmatched; i++) {
        const vc_unmatched_key *key = &in->relation->unmatched[i];
        if (pair->to.nunmatched == in->nexamples) break;
        if (key->is_excluded || key->key.size == 0) continue;
        vc_str copy = vc_arena_str(in->arena, key->key); /* the relation goes with the work */
        if (copy.data == NULL) return vc_no_memory(error);
        missing[pair->to.nunmatched++] = copy;
    }
    pair->to.unmatched = missing;
    return VC_OK;
}

/* ---- facts ---- */

/* Sums and counts of the facts that fall on each group of a dimension's leaves, as the source is
 * fixed. groups [nleaves] */
static vc_status scan_groups(struct detailing *in, const vc_cube *cube, size_t dimension,
                             uint32_t nleaves, const uint32_t *groups, const vc_pass *pass,
                             vc_cells **cells_out, vc_error *error)
{
    const vc_cube_source *source = &cube->sources[pass->source];
    vc_plan plan = {.model = in->model,
                    .cube = cube,
                    .options = in->options,
                    .arena = &in->work,
                    .deadline_ns = UINT64_MAX};
    vc_step *steps = VC_ARENA_NEW(&in->work, vc_step, source->nfixes + 1);
    uint64_t *passing = VC_ARENA_NEW(&in->work, uint64_t, vc_bits_words(nleaves) + 1);
    if (steps == NULL || passing == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        vc_bit_set(passing, leaf);
    steps[0] = (vc_step){.column = (uint16_t)source->bindings[dimension].source_dimension,
                         .nleaves = nleaves,
                         .stride = 1,
                         .groups = groups,
                         .dimension = SIZE_MAX};
    vc_step_set_passing(&steps[0], passing);
    vc_steps_put_fixes(source, steps + 1);
    vc_table table = {.steps = steps, .nsteps = source->nfixes + 1, .ncells = NGROUPS};
    table.strides[0] = 1;
    table.spans[0] = NGROUPS;
    vc_scan_stats stats;
    return vc_scan_run(&plan, pass, &table, cells_out, &stats, error);
}

/* The source whose facts have the leaves of the dimension themselves; NULL: of a dimension that was
 * put together of several there is none. */
static const vc_cube_source *find_owner(const vc_cube *cube, size_t dimension)
{
    const vc_cube_source *owner = &cube->sources[cube->dimensions[dimension].owner];
    return vc_cube_source_is_own(cube, owner, dimension) ? owner : NULL;
}

/* Facts of aggregates count for neither. */
static void count_slots(const vc_cells *cells, vc_suggest_side *side)
{
    side->has_facts = true;
    for (size_t slot = 0; slot < vc_cells_count(cells); slot++) {
        uint64_t nfacts = vc_cells_facts(cells)[slot];
        uint64_t group = vc_cells_key(cells, (uint32_t)slot);
        if (nfacts == 0 || group == EXCLUDED) continue;
        side->nfacts += nfacts;
        if (group == MATCHED) side->nfacts_matched += nfacts;
    }
}

static vc_status count_from(struct detailing *in, const uint32_t *groups, vc_suggest_side *side,
                            vc_error *error)
{
    const vc_cube *cube = in->suggest->primary;
    size_t dimension = in->candidate->from->dimension;
    const vc_cube_source *owner = find_owner(cube, dimension);
    vc_cells *cells = NULL;
    if (owner == NULL) return VC_OK;
    vc_pass pass = {.source = (size_t)(owner - cube->sources)};
    vc_status status =
        scan_groups(in, cube, dimension, cube->dimensions[dimension].dimension->nleaves, groups,
                    &pass, &cells, error);
    if (status != VC_OK) return status;
    count_slots(cells, side);
    vc_cells_free(cells);
    return VC_OK;
}

/* The group of each leaf of the primary: a place of it is below a unit that found something, or
 * none is. */
static vc_status group_from(struct detailing *in, uint32_t **groups_out, vc_error *error)
{
    const vc_dimension *dimension = in->candidate->from->outer->dimension;
    const vc_relation *relation = in->relation;
    uint32_t *groups = new_numbers(&in->work, dimension->nleaves);
    if (groups == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        groups[leaf] = UNMATCHED;
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t unit = leaf;
        if (relation->level >= 0)
            unit = vc_numbers_get(
                dimension->hierarchies[relation->hierarchy].levels[relation->level].leaf_members,
                leaf);
        uint32_t value = in->value_of_unit[unit];
        if (value != VC_NONE && in->partners[value] != VC_NONE)
            groups[vc_leaf_first(dimension, leaf)] = MATCHED;
    }
    *groups_out = groups;
    return VC_OK;
}

static vc_status group_to(struct detailing *in, uint32_t **groups_out, vc_error *error)
{
    uint32_t *groups = new_numbers(&in->work, in->relation->nleaves);
    if (groups == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < in->relation->nleaves; leaf++)
        groups[leaf] = in->relation->fates[leaf];
    *groups_out = groups;
    return VC_OK;
}

/* ---- shares of value ---- */

/* The name that the measure has in a virtual cube of both that lists none. */
static vc_str name_of(struct detailing *in, vc_str name)
{
    const vc_cube *primary = in->suggest->primary;
    for (size_t m = 0; m < primary->nmeasures; m++)
        if (!primary->measures[m].is_hidden && vc_str_equal(primary->measures[m].name, name))
            return vc_arena_printf(in->arena, "%.*s_%.*s", VC_FMT(in->suggest->alias),
                                   VC_FMT(name));
    return name;
}

static vc_status choose_measures(struct detailing *in, vc_pass *pass, vc_value_share *shares,
                                 vc_error *error)
{
    const vc_cube *cube = in->suggest->joined;
    pass->accumulators = VC_ARENA_NEW(&in->work, vc_accumulator_spec, cube->nmeasures + 1);
    if (pass->accumulators == NULL) return vc_no_memory(error);
    for (size_t m = 0; m < cube->nmeasures; m++) {
        const vc_cube_measure *measure = &cube->measures[m];
        if (!vc_measure_is_additive(measure, pass->source)) continue;
        shares[pass->naccumulators].measure = name_of(in, measure->name);
        pass->accumulators[pass->naccumulators++] = vc_additive_spec(cube, measure);
    }
    return VC_OK;
}

/* What falls on each group of the joined cube's leaves: its facts, and the sums of all measures
 * [naccumulators][NGROUPS], by one scan. */
static vc_status sum_groups(struct detailing *in, const uint32_t *groups, const vc_pass *pass,
                            vc_suggest_side *side, double *sums, vc_error *error)
{
    vc_cells *cells = NULL;
    vc_status status = scan_groups(in, in->suggest->joined, in->candidate->to->dimension,
                                   in->relation->nleaves, groups, pass, &cells, error);
    if (status != VC_OK) return status;
    count_slots(cells, side);
    for (size_t slot = 0; slot < vc_cells_count(cells); slot++) {
        if (vc_cells_facts(cells)[slot] == 0) continue;
        uint64_t group = vc_cells_key(cells, (uint32_t)slot);
        for (size_t a = 0; a < pass->naccumulators; a++) {
            vc_accumulator found = vc_cells_read(cells, a, (uint32_t)slot);
            sums[a * NGROUPS + group] += vc_additive_number(&pass->accumulators[a], &found);
        }
    }
    vc_cells_free(cells);
    return VC_OK;
}

static vc_status weigh(struct detailing *in, const uint32_t *groups, vc_suggest_pair *pair,
                       vc_error *error)
{
    const vc_cube *cube = in->suggest->joined;
    const vc_cube_source *owner = find_owner(cube, in->candidate->to->dimension);
    vc_value_share *shares = VC_ARENA_NEW(in->arena, vc_value_share, cube->nmeasures + 1);
    double *sums = VC_ARENA_NEW(&in->work, double, NGROUPS *(cube->nmeasures + 1));
    if (shares == NULL || sums == NULL) return vc_no_memory(error);
    if (owner == NULL) return VC_OK;
    vc_pass pass = {.source = (size_t)(owner - cube->sources)};
    vc_status status = choose_measures(in, &pass, shares, error);
    if (status == VC_OK) status = sum_groups(in, groups, &pass, &pair->to, sums, error);
    for (size_t a = 0; a < pass.naccumulators && status == VC_OK; a++) {
        double part = sums[a * NGROUPS + MATCHED], whole = part + sums[a * NGROUPS + UNMATCHED];
        shares[a].is_known = whole != 0 && isfinite(part / whole);
        shares[a].share = shares[a].is_known ? part / whole : 0;
    }
    pair->coverage.shares = shares;
    pair->coverage.nshares = pass.naccumulators;
    return status;
}

/* ---- all of it ---- */

static vc_suggest_side side_of(const vc_suggest_index *from, uint32_t nexcluded)
{
    const vc_pairing_side *side = &from->side;
    return (vc_suggest_side){.kind = from->kind,
                             .is_declared = !side->index->is_implicit,
                             .is_unique = vc_profile_is_unique(&side->profile),
                             .nkeys = side->profile.nvalues,
                             .nmembers = side->profile.nmembers,
                             .nexcluded = nexcluded};
}

vc_status vc_suggest_write_on(const vc_suggest_candidate *candidate, vc_arena *arena,
                              vc_suggest_on *on, vc_error *error)
{
    vc_buffer steps = {0};
    *on = (vc_suggest_on){.dim = candidate->from->outer->name,
                          .index = candidate->from->side.index->name,
                          .to_dim = candidate->to->outer->name,
                          .to_index = candidate->to->side.index->name};
    vc_pairing_put_steps(&candidate->from->side, &candidate->to->side, &candidate->pairing, &steps);
    if (steps.size > 0)
        on->normalize = vc_arena_str(arena, (vc_str){.data = steps.data, .size = steps.size});
    bool has_failed = steps.failed || (steps.size > 0 && on->normalize.data == NULL);
    vc_buffer_release(&steps);
    return has_failed ? vc_no_memory(error) : VC_OK;
}

static vc_status describe(struct detailing *in, vc_suggest_pair *pair, vc_error *error)
{
    const vc_suggest_candidate *candidate = in->candidate;
    *pair = (vc_suggest_pair){.from = side_of(candidate->from, candidate->pairing.from_excluded),
                              .to = side_of(candidate->to, candidate->pairing.to_excluded),
                              .manner = vc_pairing_manner(&candidate->pairing),
                              .word = vc_pairing_word(&candidate->pairing),
                              .score = candidate->score,
                              .is_time = candidate->is_time,
                              .is_shared = candidate->is_shared,
                              .is_by_name = candidate->is_by_name,
                              .is_chosen = candidate->is_chosen,
                              .has_many_from = in->relation->has_fanout,
                              .has_many_to = in->relation->has_unit_fanin};
    pair->to.nmatched = (uint32_t)in->relation->coverage.keys_matched;
    pair->coverage = (vc_result_coverage){.source = in->suggest->alias,
                                          .dimension = candidate->from->outer->name,
                                          .counts = in->relation->coverage};
    return vc_suggest_write_on(candidate, in->arena, &pair->on, error);
}

static vc_status read_facts(struct detailing *in, vc_suggest_pair *pair, vc_error *error)
{
    uint32_t *from = NULL, *to = NULL;
    vc_status status = group_from(in, &from, error);
    if (status == VC_OK) status = group_to(in, &to, error);
    if (status == VC_OK) status = count_from(in, from, &pair->from, error);
    return status == VC_OK ? weigh(in, to, pair, error) : status;
}

vc_status vc_suggest_detail(vc_model *model, const vc_suggest *suggest,
                            const vc_suggest_candidate *candidate, const vc_suggest_query *query,
                            const vc_engine_options *options, vc_arena *arena,
                            vc_suggest_pair *pair, vc_error *error)
{
    struct detailing in = {.model = model,
                           .options = options,
                           .arena = arena,
                           .suggest = suggest,
                           .candidate = candidate,
                           .nexamples = query->nexamples};
    vc_status status = resolve(&in, error);
    if (status == VC_OK) status = find_partners(&in, error);
    if (status == VC_OK) status = describe(&in, pair, error);
    if (status == VC_OK) status = list_from(&in, pair, error);
    if (status == VC_OK) status = list_to(&in, pair, error);
    if (status == VC_OK) status = read_facts(&in, pair, error);
    vc_arena_release(&in.work);
    return status;
}
