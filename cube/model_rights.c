/* A cube as a role sees it (semantics, section 16).
 *
 * What may be seen is found out on the whole cube: the cuts of the role as bits over its
 * dimensions, and from there, through the bindings, as bits over the leaves of every source. Then
 * the cube is made again from sources of which only these leaves are there (restrict.c). So nothing
 * above knows that something is missing.
 */
#include "cube/cut.h"
#include "cube/model_virtual.h"
#include "cube/restrict.h"

#include "base/bits.h"
#include "base/nearest.h"

#include <string.h>

struct seeing {
    vc_model *model; /* of the role */
    vc_arena *arena;
    const vc_rights *rights;
    const vc_cube *whole;
    uint64_t **permitted; /* [ndimensions] bits of leaves; NULL: all */
    uint64_t ***leaves;   /* [nsources][dimensions of the source] likewise, of the source */
    bool *is_unseen;      /* [nsources] */
    vc_shown_source *shown;
    size_t nshown;
};

/* From a source to what it is in the cube nested around it; false: it is of no nested cube. */
static bool go_inside(const vc_cube **cube, size_t *source)
{
    const vc_cube *nested = (*cube)->sources[*source].nested;
    if (nested == NULL) return false;
    *source = (*cube)->sources[*source].nested_source;
    *cube = nested;
    return true;
}

/* ---- sets of leaves ---- */

static vc_status meet(struct seeing *in, uint64_t **set, const uint64_t *bits, uint32_t nleaves,
                      vc_error *error)
{
    size_t nwords = vc_bits_words(nleaves);
    bool is_new = *set == NULL;
    if (is_new) *set = VC_ARENA_NEW(in->arena, uint64_t, nwords + 1);
    if (*set == NULL) return vc_no_memory(error);
    for (size_t w = 0; w < nwords; w++)
        (*set)[w] = is_new ? bits[w] : (*set)[w] & bits[w];
    return VC_OK;
}

static vc_status meet_nothing(struct seeing *in, uint64_t **set, uint32_t nleaves, vc_error *error)
{
    *set = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(nleaves) + 1);
    return *set == NULL ? vc_no_memory(error) : VC_OK;
}

/* ---- cuts ---- */

/* The leaves that the cut of a right leaves of each dimension of a cube. What cannot be looked up,
 * or matches nothing, leaves nothing: a restriction that does not fit denies all (16 e).
 *
 * bits_out  [ndimensions]; NULL where nothing is said */
static vc_status cut_cube(struct seeing *in, const vc_cube *cube, const vc_right *right,
                          uint64_t **bits_out, vc_error *error)
{
    vc_list list = {0};
    vc_error ignored = {0};
    bool fits = true;
    const vc_source_text text = {.text = right->cut, .where = "cut"};
    if (right->cut.size == 0) return VC_OK;
    vc_status status = vc_cut_parse(text, in->arena, &list, error);
    for (size_t i = 0; i < list.count && status == VC_OK; i++) {
        const vc_condition *condition = ((vc_condition *const *)list.items)[i];
        size_t d;
        uint64_t *bits;
        vc_status found = vc_cube_find_dimension(cube, condition->dimref.dimension, &d, &ignored);
        if (found == VC_OK)
            found = vc_condition_evaluate(cube, &cube->dimensions[d], condition, in->arena, &bits,
                                          &ignored);
        if (found == VC_NO_MEMORY) return vc_no_memory(error);
        fits &= found == VC_OK;
        if (found == VC_OK && vc_condition_restricts(condition))
            status = meet(in, &bits_out[d], bits, cube->dimensions[d].dimension->nleaves, error);
    }
    for (size_t d = 0; d < cube->ndimensions && status == VC_OK && !fits; d++)
        status = meet_nothing(in, &bits_out[d], cube->dimensions[d].dimension->nleaves, error);
    return status;
}

/* ---- from a cube's dimensions to its sources' ---- */

/* The units of a relation of which every leaf may be seen: what stands at a whole of which a part
 * is hidden would tell of that part. */
static vc_status find_whole_units(struct seeing *in, const vc_relation *relation,
                                  const vc_dimension *dimension, const uint64_t *permitted,
                                  uint64_t **units_out, vc_error *error)
{
    *units_out = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (*units_out == NULL) return vc_no_memory(error);
    if (relation->level < 0) {
        for (uint32_t leaf = 0; leaf < relation->nunits; leaf++)
            if (vc_bit_get(permitted, leaf)) vc_bit_set(*units_out, leaf);
        return VC_OK;
    }
    const vc_level *level = &dimension->hierarchies[relation->hierarchy].levels[relation->level];
    vc_bits_set_range(*units_out, 0, relation->nunits);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        if (!vc_bit_get(permitted, leaf))
            vc_bit_clear(*units_out, vc_numbers_get(level->leaf_members, leaf));
    return VC_OK;
}

/* Of tuples, the leaves of each component that are in one that may be seen. */
static vc_status see_tuples(struct seeing *in, const vc_binding *binding, const uint64_t *seen,
                            const vc_source_cube *source, uint64_t **leaves, vc_error *error)
{
    const vc_tuples *tuples = binding->tuples;
    vc_status status = VC_OK;
    for (size_t c = 0; c < tuples->ncomponents && status == VC_OK; c++) {
        size_t number = binding->components[c];
        uint32_t nleaves = source->dimensions[number]->nleaves;
        uint64_t *bits = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(nleaves) + 1);
        if (bits == NULL) return vc_no_memory(error);
        for (uint32_t t = 0; t < tuples->count; t++)
            if (vc_bit_get(seen, t)) vc_bit_set(bits, vc_tuples_leaf(tuples, c, t));
        vc_dimension_mark_places(source->dimensions[number], bits);
        status = meet(in, &leaves[number], bits, nleaves, error);
    }
    return status;
}

/* What a source has at the permitted leaves of one dimension of its cube. */
static vc_status see_through(struct seeing *in, const vc_cube *cube, size_t s, size_t dimension,
                             const uint64_t *permitted, uint64_t **leaves, vc_error *error)
{
    const vc_cube_source *source = &cube->sources[s];
    const vc_binding *binding = &source->bindings[dimension];
    const vc_dimension *outer = cube->dimensions[dimension].dimension;
    uint64_t *units;
    if (binding->kind == VC_BIND_NONE) return VC_OK;
    if (binding->kind == VC_BIND_IDENTITY)
        return meet(in, &leaves[binding->source_dimension], permitted, outer->nleaves, error);
    const vc_relation *relation = binding->relation;
    uint64_t *seen = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(relation->nleaves) + 1);
    if (seen == NULL) return vc_no_memory(error);
    vc_status status = find_whole_units(in, relation, outer, permitted, &units, error);
    for (uint32_t leaf = 0; leaf < relation->nleaves && status == VC_OK; leaf++) {
        const uint32_t *of;
        size_t n = vc_relation_units(relation, leaf, &of);
        for (size_t i = 0; i < n; i++)
            if (vc_bit_get(units, of[i])) vc_bit_set(seen, leaf);
    }
    if (status != VC_OK) return status;
    if (binding->tuples != NULL) return see_tuples(in, binding, seen, source->cube, leaves, error);
    /* Places of one leaf lead to the places they are; else a leaf is known by all of them. */
    const vc_dimension *own = source->cube->dimensions[binding->source_dimension];
    if (binding->is_united && own->fingerprint == outer->fingerprint)
        return meet(in, &leaves[binding->source_dimension], permitted, outer->nleaves, error);
    vc_dimension_mark_places(source->cube->dimensions[binding->source_dimension], seen);
    return meet(in, &leaves[binding->source_dimension], seen, relation->nleaves, error);
}

/* ---- what the role says ---- */

/* The leaves of a dimension of a virtual cube that its owner shows, by what a right on the owner's
 * own cube says. */
static vc_status inherit_owner(struct seeing *in, size_t s, size_t source_dimension,
                               const uint64_t *bits, vc_error *error)
{
    const vc_cube_source *source = &in->whole->sources[s];
    vc_status status = VC_OK;
    for (size_t d = 0; d < in->whole->ndimensions && status == VC_OK; d++) {
        const vc_cube_dimension *outer = &in->whole->dimensions[d];
        if (outer->owner != s || source->bindings[d].kind == VC_BIND_NONE ||
            source->bindings[d].source_dimension != source_dimension ||
            !vc_cube_source_is_own(in->whole, source, d))
            continue;
        status = meet(in, &in->permitted[d], bits, outer->dimension->nleaves, error);
    }
    return status;
}

/* Rights on the source cube itself. */
static vc_status see_source(struct seeing *in, size_t s, vc_error *error)
{
    const vc_source_cube *source = in->whole->sources[s].cube;
    const vc_right *right = vc_rights_find(in->rights, source->name);
    const vc_cube *cube;
    if (right == NULL) {
        in->is_unseen[s] = true;
        return VC_OK;
    }
    if (right->cut.size == 0) return VC_OK;
    uint64_t **bits = VC_ARENA_NEW(in->arena, uint64_t *, source->ndimensions + 1);
    if (bits == NULL) return vc_no_memory(error);
    vc_status status = vc_model_cube(vc_model_whole(in->model), source->name, &cube, error);
    if (status == VC_OK) status = cut_cube(in, cube, right, bits, error);
    for (size_t d = 0; d < source->ndimensions && status == VC_OK; d++) {
        if (bits[d] == NULL) continue;
        status = meet(in, &in->leaves[s][d], bits[d], source->dimensions[d]->nleaves, error);
        if (status == VC_OK && in->whole->is_virtual)
            status = inherit_owner(in, s, d, bits[d], error);
    }
    return status;
}

/* The same, by what a right on a nested cube says of one of its dimensions. */
static vc_status inherit_nested(struct seeing *in, size_t s, const vc_cube_dimension *inner,
                                const uint64_t *bits, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t d = 0; d < in->whole->ndimensions && status == VC_OK; d++) {
        const vc_cube_dimension *outer = &in->whole->dimensions[d];
        bool is_inside = in->whole->sources[outer->owner].nested == in->whole->sources[s].nested;
        if (is_inside && outer->dimension == inner->dimension)
            status = meet(in, &in->permitted[d], bits, outer->dimension->nleaves, error);
    }
    return status;
}

/* Rights on the virtual cubes that a source is reached through, from the outside in. */
static vc_status see_nested(struct seeing *in, size_t s, vc_error *error)
{
    const vc_cube *nested = in->whole;
    vc_status status = VC_OK;
    for (size_t at = s; status == VC_OK && go_inside(&nested, &at);) {
        const vc_right *right = vc_rights_find(in->rights, nested->name);
        if (right == NULL) {
            in->is_unseen[s] = true;
            return VC_OK;
        }
        uint64_t **bits = VC_ARENA_NEW(in->arena, uint64_t *, nested->ndimensions + 1);
        if (bits == NULL) return vc_no_memory(error);
        status = cut_cube(in, nested, right, bits, error);
        for (size_t e = 0; e < nested->ndimensions && status == VC_OK; e++) {
            if (bits[e] == NULL) continue;
            status = see_through(in, nested, at, e, bits[e], in->leaves[s], error);
            if (status == VC_OK)
                status = inherit_nested(in, s, &nested->dimensions[e], bits[e], error);
        }
    }
    return status;
}

static vc_status see_all(struct seeing *in, const vc_right *right, vc_error *error)
{
    const vc_cube *whole = in->whole;
    vc_status status = VC_OK;
    if (whole->is_virtual) status = cut_cube(in, whole, right, in->permitted, error);
    for (size_t s = 0; s < whole->nsources && status == VC_OK; s++) {
        status = see_source(in, s, error);
        if (status == VC_OK) status = see_nested(in, s, error);
    }
    for (size_t s = 0; s < whole->nsources && status == VC_OK; s++) {
        const vc_source_cube *source = whole->sources[s].cube;
        for (size_t d = 0; d < whole->ndimensions && status == VC_OK; d++)
            if (in->permitted[d] != NULL)
                status = see_through(in, whole, s, d, in->permitted[d], in->leaves[s], error);
        for (size_t d = 0; d < source->ndimensions && status == VC_OK && in->is_unseen[s]; d++)
            status = meet_nothing(in, &in->leaves[s][d], source->dimensions[d]->nleaves, error);
    }
    return status;
}

/* ---- the sources that are left ---- */

/* Two aliases of one cube share what is seen of it, which is what either sees: along a dimension
 * that is cut the joins lead the rest nowhere. */
static vc_status unite_aliases(struct seeing *in, size_t s, vc_error *error)
{
    const vc_source_cube *source = in->whole->sources[s].cube;
    for (size_t other = s + 1; other < in->whole->nsources; other++) {
        if (!vc_str_equal(in->whole->sources[other].cube->name, source->name)) continue;
        for (size_t d = 0; d < source->ndimensions; d++) {
            uint64_t *bits = in->leaves[s][d];
            const uint64_t *more = in->leaves[other][d];
            size_t nwords = vc_bits_words(source->dimensions[d]->nleaves);
            if (bits != NULL && more == NULL) in->leaves[s][d] = NULL;
            if (bits == NULL || more == NULL) continue;
            uint64_t *both = VC_ARENA_NEW(in->arena, uint64_t, nwords + 1);
            if (both == NULL) return vc_no_memory(error);
            for (size_t w = 0; w < nwords; w++)
                both[w] = bits[w] | more[w];
            in->leaves[s][d] = both;
        }
    }
    return VC_OK;
}

static vc_status show_source(struct seeing *in, size_t s, vc_error *error)
{
    const vc_source_cube *source = in->whole->sources[s].cube;
    bool is_cut = false;
    for (size_t i = 0; i < in->nshown; i++)
        if (vc_str_equal(in->shown[i].name, source->name)) return VC_OK;
    vc_status status = unite_aliases(in, s, error);
    for (size_t d = 0; d < source->ndimensions; d++)
        is_cut |= in->leaves[s][d] != NULL;
    if (status != VC_OK || !is_cut) return status;
    vc_shown_source *shown = &in->shown[in->nshown];
    shown->name = source->name;
    status = vc_source_cube_restrict(source, vc_model_snapshot(in->model),
                                     (const uint64_t *const *)in->leaves[s], in->arena,
                                     &shown->cube, error);
    if (status == VC_OK) in->nshown++;
    return status;
}

/* ---- measures ---- */

/* Do two base measures read the same facts in the same way? */
static bool is_same_measure(const vc_cube_measure *a, const vc_cube_measure *b)
{
    return a->aggregator == b->aggregator && a->column == b->column &&
           a->weight_column == b->weight_column && a->distinct_dimension == b->distinct_dimension &&
           a->quantile == b->quantile;
}

/* May a base measure of a source be seen, by the measures that a right on `cube` lists? */
static bool is_listed(const vc_cube *cube, const vc_right *right, const vc_source_cube *source,
                      const vc_cube_measure *measure)
{
    if (right == NULL) return false;
    if (!right->has_measures) return true;
    for (size_t m = 0; m < cube->nmeasures; m++) {
        const vc_cube_measure *of = &cube->measures[m];
        if (of->expr != NULL || cube->sources[of->source].cube != source ||
            !is_same_measure(of, measure))
            continue;
        for (size_t i = 0; i < right->nmeasures; i++)
            if (vc_str_equal(right->measures[i], of->name)) return true;
    }
    return false;
}

/* May the facts behind a base measure be seen, by the rights on its source and on the cubes on the
 * way there? Judged on the whole cube. */
static vc_status judge_base(struct seeing *in, const vc_cube_measure *measure, bool *may_out,
                            vc_error *error)
{
    const vc_cube *cube = in->whole, *stored;
    size_t s = measure->source;
    const vc_source_cube *source = cube->sources[s].cube;
    *may_out = !in->is_unseen[s];
    if (!*may_out || !in->whole->is_virtual) return VC_OK;
    vc_status status = vc_model_cube(vc_model_whole(in->model), source->name, &stored, error);
    if (status != VC_OK) return status;
    *may_out = is_listed(stored, vc_rights_find(in->rights, source->name), source, measure);
    while (*may_out && go_inside(&cube, &s))
        *may_out = is_listed(cube, vc_rights_find(in->rights, cube->name), source, measure);
    return VC_OK;
}

static bool is_named(const vc_right *right, vc_str name)
{
    for (size_t i = 0; i < right->nmeasures; i++)
        if (vc_str_equal(right->measures[i], name)) return true;
    return !right->has_measures;
}

/* Hide measures: those that the role may not see, and those that are computed from facts that it
 * may not see. One that it may see may be computed from others of the cube that it may not: it is a
 * result that was released. The measures of the cube that was made are those of the whole one. */
static vc_status hide_measures(struct seeing *in, const vc_right *right, vc_cube *cube,
                               vc_error *error)
{
    const vc_cube *whole = in->whole;
    vc_cube_measure *measures = VC_ARENA_NEW(in->arena, vc_cube_measure, cube->nmeasures + 1);
    bool *may = VC_ARENA_NEW(in->arena, bool, whole->nmeasures + 1);
    vc_status status = measures == NULL || may == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t m = 0; m < whole->nmeasures && status == VC_OK; m++) {
        const vc_cube_measure *measure = &whole->measures[m];
        may[m] = true;
        if (measure->expr == NULL) status = judge_base(in, measure, &may[m], error);
    }
    for (bool is_more = true; is_more && status == VC_OK;) { /* operands stand anywhere */
        is_more = false;
        for (size_t m = 0; m < whole->nmeasures; m++)
            for (size_t i = 0; i < whole->measures[m].noperands && may[m]; i++)
                is_more |= !(may[m] = may[whole->measures[m].operands[i]]);
    }
    for (size_t m = 0; m < cube->nmeasures && status == VC_OK; m++) {
        /* Made of one definition, both have the same measures in the same order. */
        bool is_there = m < whole->nmeasures && may[m] &&
                        vc_str_equal(whole->measures[m].name, cube->measures[m].name);
        measures[m] = cube->measures[m];
        measures[m].is_withheld = !is_there || !is_named(right, measures[m].name);
        measures[m].is_hidden |= measures[m].is_withheld;
    }
    cube->measures = measures;
    return status;
}

/* ---- the whole ---- */

/* Does a right on the cube, on the source or on a cube on the way there list measures? */
static bool lists_measures(const struct seeing *in, const vc_right *right, size_t s)
{
    const vc_cube *cube = in->whole;
    const vc_right *of = vc_rights_find(in->rights, cube->sources[s].cube->name);
    bool lists = right->has_measures || (of != NULL && of->has_measures);
    while (!lists && go_inside(&cube, &s)) {
        of = vc_rights_find(in->rights, cube->name);
        lists = of != NULL && of->has_measures;
    }
    return lists;
}

static vc_status mark_sources(struct seeing *in, const vc_right *right, vc_cube *cube,
                              vc_error *error)
{
    vc_cube_source *sources = VC_ARENA_NEW(in->arena, vc_cube_source, cube->nsources + 1);
    if (sources == NULL) return vc_no_memory(error);
    for (size_t s = 0; s < cube->nsources; s++) {
        sources[s] = cube->sources[s];
        sources[s].is_unseen = in->is_unseen[s];
        sources[s].is_withheld = lists_measures(in, right, s);
    }
    cube->sources = sources;
    return VC_OK;
}

static void free_model(void *model)
{
    vc_model_free(model);
}

static vc_status make_again(struct seeing *in, vc_str name, vc_cube *cube, vc_error *error)
{
    vc_model *partial;
    const vc_cube *made;
    vc_status status =
        vc_model_new_partial(vc_model_whole(in->model), in->shown, in->nshown, &partial, error);
    if (status != VC_OK) return status;
    if (!vc_model_own(in->model, partial, free_model)) {
        vc_model_free(partial);
        return vc_no_memory(error);
    }
    status = vc_model_cube(partial, name, &made, error);
    if (status == VC_OK) *cube = *made;
    return status;
}

/* Hide the leaves of a joined source that match nothing along a dimension that is cut: members that
 * are made of facts may be gone with these, and then what led to them is gone for all other joins
 * of the source, too. is_more is set when there are such. */
static vc_status hide_unmatched(struct seeing *in, const vc_cube *cube, size_t s, size_t dimension,
                                bool *is_more, vc_error *error)
{
    const vc_binding *binding = &cube->sources[s].bindings[dimension];
    const vc_source_cube *shown = cube->sources[s].cube;
    size_t number = binding->source_dimension;
    bool is_joined =
        vc_binding_is_joined(binding) && binding->tuples == NULL && binding->nested_join == NULL;
    for (size_t other = 0; other < cube->nsources; other++) /* they share what is seen */
        is_joined &= other == s || !vc_str_equal(cube->sources[other].cube->name, shown->name);
    if (!is_joined || !vc_sources_cut(cube->sources, cube->nsources, dimension) || in->is_unseen[s])
        return VC_OK;
    uint32_t nstored = vc_source_cube_stored_leaves(shown, number);
    const vc_dimension *whole = in->whole->sources[s].cube->dimensions[number];
    uint64_t *bits = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(nstored) + 1);
    if (bits == NULL) return vc_no_memory(error);
    for (uint32_t stored = 0; stored < nstored; stored++) {
        uint32_t leaf = vc_source_cube_leaf(shown, number, vc_leaf_first(whole, stored));
        if (leaf == VC_NONE) continue;
        if (binding->relation->fates[leaf] == VC_FATE_MATCHED)
            vc_bit_set(bits, stored);
        else
            *is_more = true;
    }
    return meet(in, &in->leaves[s][number], bits, nstored, error);
}

/* Show the sources, and make the cube of them. Once is enough nearly always. */
static vc_status make_seen(struct seeing *in, vc_str name, vc_cube *cube, vc_error *error)
{
    enum { MOST = 8 };
    vc_status status = VC_OK;
    bool is_more = true;
    for (int times = 0; times < MOST && is_more && status == VC_OK; times++) {
        is_more = false;
        in->nshown = 0;
        for (size_t s = 0; status == VC_OK && s < in->whole->nsources; s++)
            status = show_source(in, s, error);
        if (status == VC_OK && in->nshown == 0) *cube = *in->whole;
        if (status != VC_OK || in->nshown == 0) return status;
        status = make_again(in, name, cube, error);
        for (size_t s = 0; s < in->whole->nsources; s++)
            for (size_t d = 0; d < in->whole->ndimensions && status == VC_OK; d++)
                status = hide_unmatched(in, cube, s, d, &is_more, error);
    }
    return status;
}

static vc_status start(struct seeing *in, vc_error *error)
{
    size_t n = in->whole->nsources;
    in->permitted = VC_ARENA_NEW(in->arena, uint64_t *, in->whole->ndimensions + 1);
    in->leaves = VC_ARENA_NEW(in->arena, uint64_t **, n + 1);
    in->is_unseen = VC_ARENA_NEW(in->arena, bool, n + 1);
    in->shown = VC_ARENA_NEW(in->arena, vc_shown_source, n + 1);
    if (in->permitted == NULL || in->leaves == NULL || in->is_unseen == NULL || in->shown == NULL)
        return vc_no_memory(error);
    for (size_t s = 0; s < n; s++) {
        in->leaves[s] =
            VC_ARENA_NEW(in->arena, uint64_t *, in->whole->sources[s].cube->ndimensions + 1);
        if (in->leaves[s] == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

/* Does the role see all of a cube, and of all that it is made of? */
static bool sees_all(const struct seeing *in, const vc_right *right)
{
    bool all = vc_right_is_whole(right);
    for (size_t s = 0; s < in->whole->nsources; s++) {
        const vc_right *of = vc_rights_find(in->rights, in->whole->sources[s].cube->name);
        all &= of != NULL && !of->has_measures && of->cut.size == 0;
        const vc_cube *cube = in->whole;
        for (size_t at = s; go_inside(&cube, &at);) {
            of = vc_rights_find(in->rights, cube->name);
            all &= of != NULL && !of->has_measures && of->cut.size == 0;
        }
    }
    return all;
}

/* As of a cube that is not there; the nearest names are those of cubes that may be read. */
static vc_status fail_unknown(vc_model *model, vc_str name, vc_error *error)
{
    vc_object *objects = NULL;
    size_t nobjects = 0;
    vc_arena work = {0};
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    vc_status status =
        vc_snapshot_list(vc_model_snapshot(model), VC_KIND_CUBE, &work, &objects, &nobjects, error);
    for (size_t i = 0; i < nobjects && status == VC_OK; i++)
        if (vc_rights_may_read(vc_model_rights(model), objects[i].name))
            vc_nearest_offer(&nearest, objects[i].name);
    if (status == VC_OK) {
        status =
            vc_fail(error, VC_NOT_FOUND, "unknown_cube", "there is no cube '%.*s'", VC_FMT(name));
        vc_nearest_report(&nearest, error);
    }
    vc_arena_release(&work);
    return status;
}

vc_status vc_model_open_restricted(vc_model *model, vc_str name, vc_cube *cube, vc_error *error)
{
    vc_error why = {0};
    const vc_rights *rights = vc_model_rights(model);
    struct seeing in = {.model = model, .arena = vc_model_arena(model), .rights = rights};
    if (!vc_rights_may_read(rights, name)) return fail_unknown(model, name, error);
    const vc_right *right = vc_rights_find(rights, name);
    vc_status status = vc_model_cube(vc_model_whole(model), name, &in.whole, &why);
    if (status == VC_NOT_FOUND && strcmp(why.code, "unknown_cube") == 0 && why.file[0] == '\0')
        return fail_unknown(model, name, error);
    if (status == VC_OK && sees_all(&in, right)) {
        *cube = *in.whole;
        return VC_OK;
    }
    if (status == VC_OK) status = start(&in, &why);
    if (status == VC_OK) status = see_all(&in, right, &why);
    if (status == VC_OK) status = make_seen(&in, name, cube, &why);
    if (status == VC_OK) status = mark_sources(&in, right, cube, &why);
    if (status == VC_OK) status = hide_measures(&in, right, cube, &why);
    cube->is_partial = true;
    if (status == VC_OK) return VC_OK;
    if (status == VC_NO_MEMORY || status == VC_CORRUPT || status == VC_STORAGE) {
        if (error != NULL) *error = why;
        return status;
    }
    /* What is wrong might tell of what is hidden. */
    return vc_fail(error, VC_IMPOSSIBLE, "forbidden",
                   "cube '%.*s' cannot be shown with the rights of this role", VC_FMT(name));
}
