/* A join by a composite key whose components lie in several dimensions of the joined cube.
 *
 * Tuples of leaves take the place of joined leaves: for each pair an index is made over tuples,
 * which has the values of the pair's own index, and the join is resolved like any other. A tuple
 * has all leaves of its components or it is not there, so nothing is ever a cross product.
 */
#include "mapping/relation_parts.h"

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

vc_status vc_relation_resolve_tuples(const vc_dimension *primary, const vc_tuples *tuples,
                                     const vc_relation_pair *pairs, size_t npairs, bool is_weighted,
                                     vc_arena *arena, const vc_relation **relation_out,
                                     vc_error *error)
{
    vc_arena work = {0};
    vc_dimension joined = {.nleaves = tuples->count}; /* all that is asked of it */
    vc_relation_pair *over = VC_ARENA_NEW(&work, vc_relation_pair, npairs);
    vc_index *indexes = VC_ARENA_NEW(&work, vc_index, npairs);
    vc_relation *relation = VC_ARENA_NEW(arena, vc_relation, 1);
    vc_status status =
        over == NULL || indexes == NULL || relation == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < npairs && status == VC_OK; i++) {
        over[i] = pairs[i];
        if (pairs[i].to == NULL) continue;
        status = index_tuples(tuples, &pairs[i], &work, &indexes[i], error);
        over[i].to = &indexes[i];
    }
    if (status == VC_OK)
        status = vc_relation_resolve_any(primary, &joined, over, npairs, is_weighted, arena,
                                         relation, error);
    vc_arena_release(&work);
    if (status == VC_OK) *relation_out = relation;
    return status;
}
