/* How facts count through a join: by weights, or by one partner each; and what holds below the
 * joined grain. */
#include "cube/model_virtual.h"

#include "dimensions/renumber.h"

#include <math.h>
#include <string.h>

/* ---- weights ---- */

static size_t count_pairs(const vc_relation *relation)
{
    return relation->units != NULL ? relation->nleaves : relation->offsets[relation->nleaves];
}

static bool has_weights(const vc_relation *relation)
{
    for (size_t i = 0; i < count_pairs(relation); i++)
        if ((relation->units == NULL || relation->units[i] != VC_NONE) && relation->weights[i] != 1)
            return true;
    return false;
}

/* Each joined leaf in equal parts to its units. */
static vc_status weigh_equally(vc_arena *arena, const vc_relation *relation,
                               const vc_relation **relation_out, vc_error *error)
{
    vc_relation *weighed = VC_ARENA_NEW(arena, vc_relation, 1);
    double *weights = vc_arena_alloc(arena, (count_pairs(relation) + 1) * sizeof *weights);
    if (weighed == NULL || weights == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        uint32_t first = relation->offsets[leaf], end = relation->offsets[leaf + 1];
        for (uint32_t i = first; i < end; i++)
            weights[i] = 1 / (double)(end - first);
    }
    *weighed = *relation;
    weighed->weights = weights;
    *relation_out = weighed;
    return VC_OK;
}

static vc_status apply_weights(vc_virtual_builder *builder, const vc_source_def *definition,
                               const vc_relation *relation, vc_join_mode *mode_out,
                               const vc_relation **relation_out, vc_error *error)
{
    const vc_join_def *join = &definition->join;
    *relation_out = relation;
    *mode_out = join->mode;
    if (!relation->has_fanout) return VC_OK;
    *mode_out = VC_MODE_WEIGHTED;
    if (has_weights(relation)) return VC_OK;
    if (join->on_fanout == VC_FANOUT_WEIGHTED)
        return weigh_equally(builder->arena, relation, relation_out, error);
    vc_status status =
        vc_fail(error, VC_IMPOSSIBLE, "missing_weights",
                "members of the joined cube belong to several members of the primary, and no "
                "crosswalk says with which weights; map the keys by a crosswalk with weights, or "
                "share equally by \"on_fanout\": \"weighted\"");
    return vc_model_place(builder->definition, definition->pointer, "/join/mode", status, error);
}

/* ---- lookups ---- */

/* Where each joined leaf stands when one of several is picked: the lower, the better. */
struct ranks {
    const vc_index *index;
    uint32_t *values; /* [nleaves] value in the index; VC_NONE: none */
    double *numbers;  /* [values of the index], when all are numbers; else NULL */
    bool takes_most;
    vc_numbers places; /* of leaves, for those that are equal: by their lowest member */
};

static vc_status read_numbers(const vc_index *index, vc_arena *arena, double **numbers_out,
                              vc_error *error)
{
    double *numbers = vc_arena_alloc(arena, ((size_t)index->values.count + 1) * sizeof *numbers);
    if (numbers == NULL) return vc_no_memory(error);
    *numbers_out = numbers;
    for (uint32_t value = 0; value < index->values.count; value++)
        if (vc_parse_double(vc_texts_get(&index->values, value), '.', &numbers[value]) !=
            VC_PARSE_OK)
            *numbers_out = NULL;
    return VC_OK;
}

/* Is leaf a to be picked before b? A leaf without a value comes last, then they go by their order,
 * so that it does not matter in which order they were loaded. */
static bool comes_before(const struct ranks *ranks, uint32_t a, uint32_t b)
{
    uint32_t x = ranks->values[a], y = ranks->values[b];
    if (x == y) return vc_numbers_get(ranks->places, a) < vc_numbers_get(ranks->places, b);
    if (x == VC_NONE || y == VC_NONE) return y == VC_NONE;
    if (ranks->numbers != NULL && ranks->numbers[x] != ranks->numbers[y])
        return (ranks->numbers[x] < ranks->numbers[y]) != ranks->takes_most;
    if (ranks->numbers != NULL) return x < y;
    return (x < y) != ranks->takes_most; /* values stand in the order of their bytes */
}

static vc_status rank_leaves(const vc_dimension *joined, const vc_join_def *join, vc_arena *work,
                             struct ranks *ranks, vc_error *error)
{
    const vc_hierarchy *main = &joined->hierarchies[0];
    const uint32_t *order;
    *ranks = (struct ranks){.takes_most = join->pick == VC_PICK_MAX};
    vc_status status = vc_dimension_find_index(joined, join->pick_by, &ranks->index, error);
    if (status == VC_OK)
        status = vc_index_leaf_values(joined, ranks->index, work, &ranks->values, error);
    if (status == VC_OK) status = read_numbers(ranks->index, work, &ranks->numbers, error);
    if (status != VC_OK) return status;
    ranks->places = main->levels[main->nlevels - 1].leaf_members;
    if (main->levels[main->nlevels - 1].nmembers == joined->nleaves) return VC_OK;
    status = vc_dimension_order_leaves(joined, work, &order, error);
    uint32_t *places = vc_arena_alloc(work, ((size_t)joined->nleaves + 1) * sizeof *places);
    if (status == VC_OK && places == NULL) status = vc_no_memory(error);
    for (uint32_t i = 0; status == VC_OK && i < joined->nleaves; i++)
        places[order[i]] = i;
    ranks->places = vc_numbers_of(places);
    return status;
}

/* The same of tuples, by an attribute of one of their dimensions. They stand in the order of their
 * members. */
static vc_status rank_tuples(const vc_tuples *tuples, const vc_join_def *join, vc_arena *work,
                             struct ranks *ranks, vc_error *error)
{
    vc_status status = VC_NOT_FOUND;
    uint32_t *places = vc_arena_alloc(work, ((size_t)tuples->count + 1) * sizeof *places);
    uint32_t *values = vc_arena_alloc(work, ((size_t)tuples->count + 1) * sizeof *values);
    if (places == NULL || values == NULL) return vc_no_memory(error);
    *ranks = (struct ranks){.takes_most = join->pick == VC_PICK_MAX, .values = values};
    size_t component = 0;
    for (; component < tuples->ncomponents; component++) { /* the first that has it */
        status = vc_dimension_find_index(tuples->dimensions[component], join->pick_by,
                                         &ranks->index, error);
        if (status != VC_NOT_FOUND) break;
    }
    uint32_t *of_leaf;
    if (status == VC_OK)
        status = vc_index_leaf_values(tuples->dimensions[component], ranks->index, work, &of_leaf,
                                      error);
    if (status == VC_OK) status = read_numbers(ranks->index, work, &ranks->numbers, error);
    for (uint32_t tuple = 0; status == VC_OK && tuple < tuples->count; tuple++) {
        places[tuple] = tuple;
        values[tuple] = of_leaf[vc_tuples_leaf(tuples, component, tuple)];
    }
    ranks->places = vc_numbers_of(places);
    return status;
}

/* The relation with only the picked leaf of each unit. Coverage stays: what was not picked did
 * match. */
static vc_status keep_picked(vc_arena *arena, const vc_relation *relation, const uint32_t *picked,
                             const vc_relation **relation_out, vc_error *error)
{
    vc_relation *kept = VC_ARENA_NEW(arena, vc_relation, 1);
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)relation->nleaves + 1);
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, count_pairs(relation) + 1);
    size_t ntargets = 0;
    if (kept == NULL || offsets == NULL || targets == NULL) return vc_no_memory(error);
    *kept = *relation;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++)
            if (picked[units[i]] == leaf) targets[ntargets++] = units[i];
        offsets[leaf + 1] = (uint32_t)ntargets;
    }
    kept->units = NULL;
    kept->offsets = offsets;
    kept->targets = targets;
    kept->has_unit_fanin = false;
    *relation_out = kept;
    return VC_OK;
}

/* The units that find several leaves, at most five, and how many they are. */
static vc_status fail_lookup(const vc_relation *relation, const vc_dimension *primary,
                             const uint32_t *counts, vc_arena *work, vc_error *error)
{
    vc_str list = VC_STR("");
    size_t nseveral = 0;
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        if (counts[unit] > 1 && nseveral++ < 5)
            list =
                vc_arena_printf(work, "%.*s%s'%.*s' (%u)", VC_FMT(list), nseveral > 1 ? ", " : "",
                                VC_FMT(vc_virtual_unit_key(relation, primary, unit)), counts[unit]);
    return vc_fail(error, VC_IMPOSSIBLE, "cardinality",
                   "a lookup must find one member, but %zu members of the primary find several: "
                   "%.*s%s; say which by \"pick\": \"first_by:ATTRIBUTE\" or "
                   "\"max:ATTRIBUTE\"",
                   nseveral, VC_FMT(list), nseveral > 5 ? ", ..." : "");
}

static vc_status pick_leaves(vc_arena *arena, const vc_join_def *join, const vc_dimension *primary,
                             const vc_dimension *joined, const vc_tuples *tuples,
                             const vc_relation *relation, vc_arena *work,
                             const vc_relation **relation_out, vc_error *error)
{
    struct ranks ranks;
    uint32_t *picked = vc_arena_alloc(work, ((size_t)relation->nunits + 1) * sizeof *picked);
    uint32_t *counts = VC_ARENA_NEW(work, uint32_t, (size_t)relation->nunits + 1);
    if (picked == NULL || counts == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    if (join->pick != VC_PICK_ERROR)
        status = joined != NULL ? rank_leaves(joined, join, work, &ranks, error)
                                : rank_tuples(tuples, join, work, &ranks, error);
    if (status != VC_OK) return status;
    memset(picked, 0xFF, (size_t)relation->nunits * sizeof *picked);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++) {
            uint32_t *best = &picked[units[i]];
            counts[units[i]]++;
            if (*best == VC_NONE ||
                (join->pick != VC_PICK_ERROR && comes_before(&ranks, leaf, *best)))
                *best = leaf;
        }
    }
    if (!relation->has_unit_fanin) return VC_OK;
    if (join->pick == VC_PICK_ERROR) return fail_lookup(relation, primary, counts, work, error);
    return keep_picked(arena, relation, picked, relation_out, error);
}

/* What counts in parts counts by units, which a leaf with several places would be several of. */
static vc_status check_places(const vc_virtual_builder *builder, const vc_source_def *definition,
                              const vc_dimension *primary, const vc_relation *relation,
                              vc_error *error)
{
    if (primary->ndoubles == 0 || relation->level >= 0) return VC_OK;
    vc_status status =
        vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                "a weighted join or a lookup onto the leaves of '%.*s', which may stand under "
                "several parents; join a level above them, or by \"mode\": \"set\"",
                VC_FMT(primary->name));
    return vc_model_place(builder->definition, definition->pointer, "/join/mode", status, error);
}

vc_status vc_virtual_apply_mode(vc_virtual_builder *builder, const vc_source_def *definition,
                                const vc_dimension *primary, const vc_dimension *joined,
                                const vc_tuples *tuples, const vc_relation *relation,
                                vc_join_mode *mode_out, const vc_relation **relation_out,
                                vc_error *error)
{
    const vc_join_def *join = &definition->join;
    vc_arena work = {0};
    *mode_out = join->mode;
    *relation_out = relation;
    vc_status status = VC_OK;
    if (relation->weights != NULL)
        status = apply_weights(builder, definition, relation, mode_out, relation_out, error);
    if (status == VC_OK && *mode_out != VC_MODE_SET)
        status = check_places(builder, definition, primary, relation, error);
    if (status != VC_OK || join->mode != VC_MODE_LOOKUP || relation->weights != NULL) return status;
    status = pick_leaves(builder->arena, join, primary, joined, tuples, relation, &work,
                         relation_out, error);
    vc_arena_release(&work);
    return vc_model_place(builder->definition, definition->pointer, "/join/pick", status, error);
}

/* ---- below the joined grain ---- */

/* The weight of each leaf: the number that an attribute says, that of a level's member shared
 * equally by its leaves; null is 0. */
static vc_status read_weights(const vc_dimension *dimension, vc_str attribute, vc_arena *arena,
                              vc_arena *work, double **weights_out, vc_error *error)
{
    const vc_index *index;
    uint32_t *values, *counts = NULL;
    vc_status status = vc_dimension_find_index(dimension, attribute, &index, error);
    if (status == VC_OK) status = vc_index_leaf_values(dimension, index, work, &values, error);
    if (status != VC_OK) return status;
    double *weights = VC_ARENA_NEW(arena, double, (size_t)dimension->nleaves + 1);
    if (weights == NULL) return vc_no_memory(error);
    const vc_level *level = index->hierarchy < 0
                                ? NULL
                                : &dimension->hierarchies[index->hierarchy].levels[index->level];
    if (level != NULL) {
        counts = VC_ARENA_NEW(work, uint32_t, (size_t)level->nmembers + 1);
        if (counts == NULL) return vc_no_memory(error);
        for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
            counts[vc_numbers_get(level->leaf_members, leaf)]++;
    }
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        if (values[leaf] == VC_NONE) continue;
        vc_str text = vc_texts_get(&index->values, values[leaf]);
        if (vc_parse_double(text, '.', &weights[leaf]) != VC_PARSE_OK || weights[leaf] < 0)
            return vc_fail(error, VC_IMPOSSIBLE, "bad_number",
                           "the weight '%.*s' of '%.*s' is not a number of at least 0",
                           VC_FMT(text), VC_FMT(attribute));
        if (level != NULL) weights[leaf] /= counts[vc_numbers_get(level->leaf_members, leaf)];
    }
    *weights_out = weights;
    return VC_OK;
}

/* A unit with a partner whose leaves have no weight between them would lose its value. */
static vc_status check_weights(const vc_dimension *dimension, const vc_relation *relation,
                               const double *weights, vc_arena *work, vc_error *error)
{
    const vc_numbers unit_of =
        dimension->hierarchies[relation->hierarchy].levels[relation->level].leaf_members;
    double *sums = VC_ARENA_NEW(work, double, (size_t)relation->nunits + 1);
    vc_str list = VC_STR("");
    size_t nempty = 0;
    if (sums == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        sums[vc_numbers_get(unit_of, leaf)] += weights[leaf];
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        for (size_t i = 0; i < nunits; i++) {
            if (sums[units[i]] > 0 && isfinite(sums[units[i]])) continue;
            sums[units[i]] = 1; /* is listed once */
            if (nempty++ < 5)
                list = vc_arena_printf(work, "%.*s%s'%.*s'", VC_FMT(list), nempty > 1 ? ", " : "",
                                       VC_FMT(vc_virtual_unit_key(relation, dimension, units[i])));
        }
    }
    if (nempty == 0) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "weights_sum",
                   "the weights below a member must add up to more than 0; of %zu %s they do not: "
                   "%.*s%s",
                   nempty, nempty == 1 ? "member" : "members", VC_FMT(list),
                   nempty > 5 ? ", ..." : "");
}

/* Where members of a join are a level, the rest of a member has a part of its value only when it is
 * all that the unit has.
 *
 * weights  [nleaves] in/out; those of the rests are 0, or, is_equal, 1 */
static vc_status weigh_rests(const vc_cube_dimension *outer, const vc_relation *relation,
                             bool is_equal, double *weights, vc_arena *work, vc_error *error)
{
    const vc_dimension *dimension = outer->dimension;
    const vc_hierarchy *of = &dimension->hierarchies[is_equal ? 0 : relation->hierarchy];
    unsigned level = is_equal ? of->nlevels - 2 : (unsigned)relation->level;
    const vc_numbers unit_of = of->levels[level].leaf_members;
    bool *has_parts = VC_ARENA_NEW(work, bool, (size_t)of->levels[level].nmembers + 1);
    if (has_parts == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        if (!vc_bit_get(outer->exposed->rests, leaf))
            has_parts[vc_numbers_get(unit_of, leaf)] = true;
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        if (vc_bit_get(outer->exposed->rests, leaf))
            weights[leaf] = !has_parts[vc_numbers_get(unit_of, leaf)];
    return VC_OK;
}

static vc_status make_weights(vc_virtual_builder *builder, vc_str attribute,
                              const vc_cube_dimension *outer, vc_binding *binding, vc_arena *work,
                              vc_error *error)
{
    const vc_dimension *dimension = outer->dimension;
    bool is_equal = attribute.data == NULL;
    double *weights = NULL;
    vc_status status = VC_OK;
    if (is_equal && outer->exposed == NULL) return VC_OK;
    if (is_equal) {
        weights = VC_ARENA_NEW(builder->arena, double, (size_t)dimension->nleaves + 1);
        if (weights == NULL) return vc_no_memory(error);
        for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
            weights[leaf] = 1;
    } else {
        status = read_weights(dimension, attribute, builder->arena, work, &weights, error);
    }
    if (status == VC_OK && outer->exposed != NULL)
        status = weigh_rests(outer, binding->relation, is_equal, weights, work, error);
    if (status != VC_OK) return status;
    binding->weights = weights;
    return is_equal ? VC_OK : check_weights(dimension, binding->relation, weights, work, error);
}

/* field_out: what is wrong, as a field of the pair. */
static vc_status allocate(vc_virtual_builder *builder, vc_str attribute,
                          const vc_cube_dimension *dimension, vc_binding *binding,
                          const char **field_out, vc_error *error)
{
    vc_arena work = {0};
    *field_out = "/finer";
    if (binding->mode == VC_MODE_SET && binding->relation->has_fanout)
        return vc_fail(error, VC_IMPOSSIBLE, "fanout",
                       "members of the primary share keys, so parts of a value would fall on "
                       "several of them; allocate it with \"on_fanout\": \"weighted\"");
    *field_out = "/allocate";
    vc_status status = make_weights(builder, attribute, dimension, binding, &work, error);
    vc_arena_release(&work);
    return status;
}

vc_status vc_virtual_set_finer(vc_virtual_builder *builder, vc_finer finer, vc_str allocate_by,
                               const vc_cube_dimension *dimension, vc_binding *binding,
                               vc_error *error)
{
    const char *field;
    binding->finer = finer;
    if (finer != VC_FINER_ALLOCATE) return VC_OK;
    return allocate(builder, allocate_by, dimension, binding, &field, error);
}

vc_status vc_virtual_apply_finer(vc_virtual_builder *builder, const vc_source_def *definition,
                                 size_t first, const vc_cube_dimension *dimension,
                                 vc_binding *binding, vc_error *error)
{
    const vc_join_def *join = &definition->join;
    const vc_on_def *chosen = NULL;
    for (size_t i = first; i < join->non; i++) {
        const vc_on_def *on = &join->on[i];
        if (!vc_str_equal(on->dim, join->on[first].dim) || on->finer == VC_FINER_NULL) continue;
        if (chosen != NULL &&
            (on->finer != chosen->finer || !vc_str_equal(on->allocate_by, chosen->allocate_by))) {
            vc_status status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                                       "the pairs of one key must say the same of what is finer");
            return vc_model_place(builder->definition, on->pointer, "/finer", status, error);
        }
        chosen = on;
    }
    /* Where units are leaves nothing is finer. */
    if (chosen == NULL || binding->relation->level < 0) return VC_OK;
    binding->finer = chosen->finer;
    if (chosen->finer != VC_FINER_ALLOCATE) return VC_OK;
    const char *field = "/finer";
    vc_status status;
    if (join->mode == VC_MODE_LOOKUP)
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "a lookup shows the value of its partner; it cannot be allocated");
    else
        status = allocate(builder, chosen->allocate_by, dimension, binding, &field, error);
    return vc_model_place(builder->definition, chosen->pointer, field, status, error);
}
