/* A join by a composite key whose components lie in several dimensions of the joined cube.
 *
 * Tuples of leaves take the place of joined leaves: for each pair an index is made over tuples,
 * which has the values of the pair's own index, and the join is resolved like any other. A tuple
 * has all leaves of its components or it is not there, so nothing is ever a cross product.
 */
#include "mapping/relation_parts.h"
#include "mapping/relation_places.h"

#include <string.h>

/* The index of a pair, over tuples. Values that no tuple has stay in it, without members. */
static vc_status index_tuples(const vc_tuples *tuples, const vc_relation_pair *pair,
                              vc_arena *arena, vc_index *index, vc_error *error)
{
    uint32_t *values = NULL, nvalues = pair->to->values.count;
    vc_status status =
        vc_index_leaf_values(tuples->dimensions[pair->component], pair->to, arena, &values, error);
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nvalues + 2);
    uint32_t *members = vc_arena_alloc(arena, ((size_t)tuples->count + 1) * sizeof *members);
    if (status != VC_OK) return status;
    if (offsets == NULL || members == NULL) return vc_no_memory(error);
    for (uint32_t tuple = 0; tuple < tuples->count; tuple++) {
        uint32_t value = values[vc_tuples_leaf(tuples, pair->component, tuple)];
        if (value != VC_NONE) offsets[value + 2]++;
    }
    for (uint32_t value = 0; value < nvalues; value++)
        offsets[value + 1] += offsets[value];
    for (uint32_t tuple = 0; tuple < tuples->count; tuple++) {
        uint32_t value = values[vc_tuples_leaf(tuples, pair->component, tuple)];
        if (value != VC_NONE) members[offsets[value + 1]++] = tuple;
    }
    *index = *pair->to;
    index->hierarchy = index->level = -1;
    index->offsets = vc_numbers_of(offsets);
    index->members = members;
    return VC_OK;
}

/* The period of each tuple. */
static vc_status time_tuples(const vc_tuples *tuples, const vc_relation_times *times,
                             vc_arena *arena, vc_relation_when *when, vc_error *error)
{
    uint32_t *period_of = VC_ARENA_NEW(arena, uint32_t, (size_t)tuples->count + 1);
    if (period_of == NULL) return vc_no_memory(error);
    for (uint32_t tuple = 0; tuple < tuples->count; tuple++)
        period_of[tuple] = times->period_of[vc_tuples_leaf(tuples, times->component, tuple)];
    *when = (vc_relation_when){
        .period_of = period_of, .periods = times->periods, .nperiods = times->nperiods};
    return VC_OK;
}

static bool differ(const vc_tuples *tuples, size_t except, uint32_t a, uint32_t b)
{
    for (size_t c = 0; c < tuples->ncomponents; c++)
        if (c != except && vc_tuples_leaf(tuples, c, a) != vc_tuples_leaf(tuples, c, b))
            return true;
    return false;
}

/* Has a unit several members of the joined cube, not one at several times? */
static vc_status find_fanin(const vc_tuples *tuples, size_t component, vc_relation *relation,
                            vc_arena *work, vc_error *error)
{
    uint32_t *first = vc_arena_alloc(work, ((size_t)relation->nunits + 1) * sizeof *first);
    if (first == NULL) return vc_no_memory(error);
    memset(first, 0xFF, (size_t)relation->nunits * sizeof *first);
    relation->has_unit_fanin = false;
    for (uint32_t tuple = 0; tuple < tuples->count; tuple++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, tuple, &units);
        for (size_t i = 0; i < nunits; i++) {
            if (first[units[i]] == VC_NONE) first[units[i]] = tuple;
            relation->has_unit_fanin |= differ(tuples, component, first[units[i]], tuple);
        }
    }
    return VC_OK;
}

/* A tuple has one value of each index; a leaf under several parents may have several. */
static vc_status check_places(const vc_tuples *tuples, const vc_relation_pair *pair,
                              vc_error *error)
{
    const vc_dimension *dimension = tuples->dimensions[pair->component];
    if (dimension->ndoubles == 0 || pair->to->hierarchy < 0) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "a composite key over several dimensions by the level of '%.*s', whose members "
                   "may stand under several parents",
                   VC_FMT(dimension->name));
}

vc_status vc_relation_resolve_tuples(const vc_dimension *primary, const vc_tuples *tuples,
                                     const vc_relation_pair *pairs, size_t npairs,
                                     const vc_relation_times *times, bool is_weighted,
                                     vc_arena *arena, const vc_relation **relation_out,
                                     vc_error *error)
{
    vc_arena work = {0};
    vc_relation_when when;
    vc_dimension joined = {.nleaves = tuples->count}; /* all that is asked of it */
    vc_relation_pair *over = VC_ARENA_NEW(&work, vc_relation_pair, npairs);
    vc_index *indexes = VC_ARENA_NEW(&work, vc_index, npairs);
    vc_relation *relation = VC_ARENA_NEW(arena, vc_relation, 1);
    vc_status status =
        over == NULL || indexes == NULL || relation == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < npairs && status == VC_OK; i++) {
        over[i] = pairs[i];
        if (pairs[i].to == NULL) continue;
        status = check_places(tuples, &pairs[i], error);
        if (status != VC_OK) break;
        status = index_tuples(tuples, &pairs[i], &work, &indexes[i], error);
        over[i].to = &indexes[i];
    }
    if (status == VC_OK && times != NULL) status = time_tuples(tuples, times, &work, &when, error);
    if (status == VC_OK)
        status =
            vc_relation_resolve_any(primary, &joined, over, npairs, times == NULL ? NULL : &when,
                                    is_weighted, arena, relation, error);
    if (status == VC_OK) status = vc_relation_fold_places(primary, &joined, arena, relation, error);
    if (status == VC_OK && times != NULL)
        status = find_fanin(tuples, times->component, relation, &work, error);
    vc_arena_release(&work);
    if (status == VC_OK) *relation_out = relation;
    return status;
}

/* ---- does the time matter? ---- */

static bool is_same_list(const vc_key_list *a, const vc_key_list *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; i < a->count && is_same; i++)
        is_same = a->keys[i].state == b->keys[i].state && a->keys[i].weight == b->keys[i].weight &&
                  vc_str_equal(a->keys[i].text, b->keys[i].text);
    return is_same;
}

static vc_status text_depends(const vc_normalizer *normalizer, vc_str text,
                              const vc_period *periods, size_t nperiods, bool *depends_out,
                              vc_error *error)
{
    vc_arena work = {0};
    vc_key_list base = {0}, then = {0};
    vc_status status = vc_normalizer_apply(normalizer, text, &work, &base, error);
    for (size_t p = 0; status == VC_OK && base.depends_on_time && p < nperiods && !*depends_out;
         p++) {
        status = vc_normalizer_apply_at(normalizer, text, &periods[p], &work, &then, error);
        *depends_out |= status == VC_OK && !is_same_list(&base, &then);
    }
    vc_arena_release(&work);
    return status;
}

static vc_status side_depends(const vc_normalizer *normalizer, const vc_index *index,
                              vc_str constant, const vc_period *periods, size_t nperiods,
                              bool *depends_out, vc_error *error)
{
    uint32_t nvalues = index == NULL ? 1 : index->values.count;
    vc_status status = VC_OK;
    if (normalizer == NULL || !vc_normalizer_reads_time(normalizer)) return VC_OK;
    for (uint32_t value = 0; value < nvalues && status == VC_OK && !*depends_out; value++)
        status =
            text_depends(normalizer, index == NULL ? constant : vc_texts_get(&index->values, value),
                         periods, nperiods, depends_out, error);
    return status;
}

vc_status vc_relation_depends_on_time(const vc_relation_pair *pairs, size_t npairs,
                                      const vc_period *periods, size_t nperiods, bool *depends_out,
                                      vc_error *error)
{
    vc_status status = VC_OK;
    *depends_out = false;
    for (size_t i = 0; i < npairs && status == VC_OK; i++) {
        status = side_depends(pairs[i].normalize_from, pairs[i].from, pairs[i].from_constant,
                              periods, nperiods, depends_out, error);
        if (status == VC_OK)
            status = side_depends(pairs[i].normalize_to, pairs[i].to, pairs[i].to_constant, periods,
                                  nperiods, depends_out, error);
    }
    return status;
}
