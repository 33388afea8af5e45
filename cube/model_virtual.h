/* A virtual cube while it is put together. Private to the cube/model_*.c that build virtual cubes:
 *
 *     model_virtual.c     the order of the parts; names; sources
 *     model_join.c        `on`: relations        model_join_check.c  what a join declares, verified
 *     model_times.c       keys that are read at the time of the facts
 *     model_mode.c        weights, picks, and what holds below the joined grain
 *     model_common.c      `common`, shared and private dimensions
 *     model_unite.c       one dimension of several with different members
 *     model_expose.c      joined members as a level (the dimension: model_expose_build.c)
 *     model_buckets.c     buckets of unmatched keys, visible members
 *     model_policies.c    unrelated, fix
 *     model_stands.c      where values stand along dimensions of others
 *     model_nested.c      virtual cubes as sources: their places, their joins
 *     model_points.c      the members of a nested cube that a join of it goes through
 *     model_compose.c     relations through them
 *     model_nested_same.c dimensions of nested cubes that are common without a join
 *     model_nested_fix.c  fixes of nested cubes, and of their measures
 */
#ifndef CUBE_MODEL_VIRTUAL_H
#define CUBE_MODEL_VIRTUAL_H

#include "cube/model_parts.h"

typedef struct vc_virtual_part { /* a source of the definition */
    const vc_source_def *definition;
    const vc_cube *cube; /* a nested virtual cube; NULL: a source cube */
    size_t first, count; /* its sources among the builder's */
    size_t *outer; /* nested: [ndimensions of cube] the place of each here, the first one where it
                      is joined twice; SIZE_MAX: none yet */
} vc_virtual_part;

/* A source of a nested cube as seen from a join of that cube. */
typedef struct vc_nested_reach {
    size_t source; /* of the nested cube */
    const vc_tuples *tuples;
    const size_t *components;
    size_t source_dimension;
    vc_str to_name;
    const vc_relation *points; /* its leaves (tuples) -> points; no fates, no coverage */
    vc_join_mode mode;         /* how the nested cube counts its facts on the way */
} vc_nested_reach;

/* A nested cube's side of a join along one dimension: its dimension, or several for a composite
 * key. What a join matches are *points*: leaves of the one dimension, or tuples of leaves that
 * facts have; behind them stand the slots of the nested cube's own buckets, which match nothing. */
typedef struct vc_nested_join {
    const vc_virtual_part *part;
    const size_t *numbers; /* [n] dimensions of the nested cube */
    size_t n;
    const vc_tuples *tuples;     /* n > 1 */
    uint32_t nmatching, npoints; /* leaves or tuples; with the slots of buckets */
    vc_nested_reach *reaches;    /* [nsources of the nested cube] */
} vc_nested_join;

typedef struct vc_virtual_builder {
    vc_model *model;
    vc_arena *arena;
    const vc_definition *definition;
    const vc_virtual_def *virtual_cube; /* the definition's, with the sources of nested cubes in
                                           their place */
    vc_virtual_part *parts;             /* [nparts] */
    size_t nparts, nflat;
    unsigned depth; /* of the deepest nested cube */
    vc_cube *cube;
    vc_cube_source *sources;
    vc_cube_dimension *dimensions;
    size_t ndimensions, max_dimensions;
    bool **is_bound; /* [nsources][ndimensions of the source]: has its place already */
} vc_virtual_builder;

/* ---- model_virtual.c ---- */

/* The name of a source's dimension in the virtual cube, by the source's "dimensions". */
vc_str vc_virtual_outer_name(const vc_source_def *source, vc_str name);

/* The dimension of that name; ndimensions when there is none yet. */
size_t vc_virtual_find_outer(const vc_virtual_builder *builder, vc_str name);

/* The same; VC_NOT_FOUND, "unknown_dimension", with candidates. */
vc_status vc_virtual_get_outer(const vc_virtual_builder *builder, vc_str name,
                               size_t *dimension_out, vc_error *error);

/* Give a source's dimension its place. relation NULL: by identity. */
void vc_virtual_bind(vc_virtual_builder *builder, size_t source, size_t source_dimension,
                     size_t dimension, const vc_relation *relation);

/* A new dimension of the virtual cube, owned by the source and bound to it by identity. Returns its
 * number. */
size_t vc_virtual_add_dimension(vc_virtual_builder *builder, size_t source, size_t source_dimension,
                                vc_str name);

/* ---- model_join.c, model_join_check.c ---- */

/* Resolve all pairs of a source's `on` and bind its dimensions. */
vc_status vc_virtual_join_source(vc_virtual_builder *builder, size_t source, vc_error *error);

/* The dimension whose time the keys of a relation are read at (model_times.c): the one that a step
 * names by "time"; without a name the joined cube's time dimension, if it has just one, and some
 * key is another one then.
 *
 * pairs       [npairs] with their normalisers; by_time false: only a named one, and that is an
 * error times_out   its periods; component is the dimension of the source. NULL: keys do not depend
 * on it
 *
 * VC_NOT_FOUND "unknown_dimension"; VC_BAD_INPUT "bad_value" where its keys are no dates;
 * VC_IMPOSSIBLE "unsupported". Errors have no place. */
vc_status vc_virtual_find_times(vc_virtual_builder *builder, const vc_source_cube *cube,
                                const vc_relation_pair *pairs, size_t npairs, bool by_time,
                                const vc_relation_times **times_out, vc_error *error);

/* Does a source whose own the dimension is show a part of it only, by what a role may see? */
bool vc_sources_cut(const vc_cube_source *sources, size_t nsources, size_t dimension);

/* Along a dimension of which a role sees a part, what a join does not match is hidden, too: it
 * becomes excluded, and is in no count. relation is in/out. */
vc_status vc_virtual_close(const vc_virtual_builder *builder, size_t dimension,
                           const vc_relation **relation, vc_error *error);

/* A unit's key, for messages. */
vc_str vc_virtual_unit_key(const vc_relation *relation, const vc_dimension *dimension,
                           uint32_t unit);

/* cardinality, on_fanout, min_coverage. VC_IMPOSSIBLE, codes of the same names ("fanout",
 * "low_coverage"). field_out: which of them, as a pointer below the source. is_partial: what a
 * role sees of a cube that was checked. */
vc_status vc_virtual_check_join(const vc_join_def *join, const vc_relation *relation,
                                const vc_dimension *primary, bool is_partial,
                                const char **field_out, vc_error *error);

/* ---- model_mode.c ---- */

/* The relation of a join by its mode: with weights, or with one partner picked for each unit. The
 * result is `relation` itself where nothing changes.
 *
 * definition  the source's
 * joined    its dimension; NULL when the key lies in several: in those of
 * tuples
 * mode_out  how facts count through it
 *
 * VC_IMPOSSIBLE: "missing_weights", "cardinality" (a lookup that finds several). Errors have their
 * place. */
vc_status vc_virtual_apply_mode(vc_virtual_builder *builder, const vc_source_def *definition,
                                const vc_dimension *primary, const vc_dimension *joined,
                                const vc_tuples *tuples, const vc_relation *relation,
                                vc_join_mode *mode_out, const vc_relation **relation_out,
                                vc_error *error);

/* `finer` and `allocate` of the pairs of one relation, of which `first` is the first, put into the
 * binding, which is otherwise made. VC_IMPOSSIBLE: "weights_sum", "fanout"; VC_NOT_FOUND:
 * "unknown_index". */
vc_status vc_virtual_apply_finer(vc_virtual_builder *builder, const vc_source_def *definition,
                                 size_t first, const vc_cube_dimension *dimension,
                                 vc_binding *binding, vc_error *error);

/* What holds below the units of a binding that is no join of its own.
 *
 * allocate_by  the attribute of weights; absent: equal parts */
vc_status vc_virtual_set_finer(vc_virtual_builder *builder, vc_finer finer, vc_str allocate_by,
                               const vc_cube_dimension *dimension, vc_binding *binding,
                               vc_error *error);

/* ---- model_expose.c, model_expose_build.c ---- */

/* Give the dimensions the levels that joins expose, once all sources are bound. The stored
 * dimensions stay as they are. Cost: that of building a dimension of so many leaves. VC_IMPOSSIBLE
 * "unsupported", VC_BAD_INPUT "duplicate_name" (the level's name is taken), VC_LIMIT
 * "limit_levels". */
vc_status vc_virtual_expose(vc_virtual_builder *builder, vc_error *error);

/* What is put below the members of a dimension. */
typedef struct vc_exposing {
    const vc_dimension *primary, *joined;
    vc_str alias, name, label; /* of the join; of the level */
    const vc_relation
        *relation;   /* leaves of the primary, or of its lowest level <- joined leaves */
    vc_arena *arena; /* of the result */
} vc_exposing;

/* Build the dimension with the level.
 *
 * rests_out  [leaves of the primary] the leaf that each one's rest became
 * leaves_out [pairs of the relation, leaf by leaf] the leaf of each */
vc_status vc_virtual_build_exposed(const vc_exposing *exposing, const vc_dimension **dimension_out,
                                   uint32_t **rests_out, uint32_t **leaves_out, vc_error *error);

/* ---- model_common.c ---- */

vc_status vc_virtual_bind_common(vc_virtual_builder *builder, const vc_common_def *common,
                                 vc_error *error);

/* Where the leaves of a dimension are in a united one. */
typedef struct vc_united_place {
    int level;       /* of its main hierarchy, when the dimension ends there; -1: they are leaves */
    uint32_t *units; /* [leaves of the dimension] members of the level, or leaves */
} vc_united_place;

/* Put the members of dimensions together in one (model_unite.c).
 *
 * dimensions  [count]
 * names       [count] for messages: "sales.date"
 * places      [count] set; in the arena
 *
 * VC_IMPOSSIBLE: "unsupported" where their levels have no order or nobody says where a member
 * belongs, "ambiguous_key" where it could belong to several; VC_LIMIT "limit_levels"; VC_BAD_INPUT
 * as of vc_dimension_builder. */
vc_status vc_virtual_unite(const vc_dimension *const *dimensions, const vc_str *names, size_t count,
                           vc_arena *arena, const vc_dimension **united_out,
                           vc_united_place *places, vc_error *error);

/* Place the dimensions of a source that no join and no `common` has placed: shared by name and
 * file, else private. */
vc_status vc_virtual_place_rest(vc_virtual_builder *builder, size_t source, vc_error *error);

/* Once all are placed: which dimensions are private; each source must have a common one. */
vc_status vc_virtual_check_common(vc_virtual_builder *builder, vc_error *error);

/* ---- model_buckets.c ---- */

/* The text of an unmatched leaf in its synthetic key: its own key, else its lowest level's. */
vc_str vc_virtual_leaf_text(const vc_dimension *dimension, uint32_t leaf);

/* The synthetic slots of a dimension, once all sources are bound to it. */
vc_status vc_virtual_make_buckets(vc_virtual_builder *builder, size_t dimension, vc_error *error);

/* The slots that inner and right joins leave. */
vc_status vc_virtual_find_visible(vc_virtual_builder *builder, size_t dimension, vc_error *error);

/* ---- model_nested.c ---- */

/* From the definition's sources to parts and the sources of all of them. */
vc_status vc_virtual_expand(vc_virtual_builder *builder, vc_error *error);

const vc_virtual_part *vc_virtual_part_of(const vc_virtual_builder *builder, size_t source);

/* Join a nested cube: its sources are bound through both relations. */
vc_status vc_virtual_join_nested(vc_virtual_builder *builder, vc_virtual_part *part,
                                 vc_error *error);

/* Where a dimension comes from a virtual cube that is the primary: bits of the leaves that are
 * members there. Others join those only. NULL: all leaves are, or it is no such dimension. */
const uint64_t *vc_virtual_inner_leaves(const vc_virtual_builder *builder, size_t dimension);

/* Take over the dimensions of a nested cube that no join has placed. */
vc_status vc_virtual_place_nested(vc_virtual_builder *builder, vc_virtual_part *part,
                                  vc_error *error);

/* ---- model_points.c ---- */

/* Does a source of the nested cube have all dimensions of the key? */
bool vc_nested_has_all(const vc_nested_join *join, size_t source);

/* Find the points of a join of which part, numbers and n are set. For a composite key the facts are
 * read. VC_LIMIT "limit_tuples"; VC_IMPOSSIBLE "unsupported". */
vc_status vc_nested_find_points(vc_model *model, vc_nested_join *join, vc_error *error);

/* The points of a source that has all dimensions of the key, put into its reach.
 *
 * outer  points -> units
 *
 * VC_IMPOSSIBLE "unsupported" where the source stands above the leaves that `outer` tells apart. */
vc_status vc_nested_reach_points(vc_model *model, const vc_nested_join *join, size_t source,
                                 const vc_relation *outer, vc_error *error);

/* What a point is called, in the arena: a leaf's key, those of a tuple "GBP, 2020", a bucket's. */
vc_str vc_nested_point_text(const vc_nested_join *join, uint32_t point, vc_arena *arena);

/* ---- model_nested_same.c ---- */

/* The name of the dimension file; absent: the cube's own. */
vc_str vc_virtual_shared_name(const vc_source_cube *cube, size_t dimension);

/* Is a dimension of the nested cube of the same file as one that is there? */
bool vc_nested_shares(const vc_virtual_builder *builder, const vc_virtual_part *part, size_t number,
                      size_t dimension);

/* Bind the sources of a nested cube to a dimension that means the same as its dimension `number`.
 *
 * place  of the nested cube's dimension in it; NULL: leaves are found by key */
vc_status vc_nested_bind_same(vc_virtual_builder *builder, vc_virtual_part *part, size_t number,
                              size_t dimension, const vc_united_place *place, vc_error *error);

/* The relation of a dimension's leaves to their place in another: all match. In the arena. */
vc_status vc_virtual_relate_place(vc_arena *arena, const vc_dimension *dimension,
                                  const vc_dimension *outer, const vc_united_place *place,
                                  const vc_relation **relation_out, vc_error *error);

/* ---- model_compose.c ---- */

/* A relation without the leaves that the nested cube hides; itself where none are hidden. */
vc_status vc_nested_hide(vc_arena *arena, const vc_cube_dimension *inner,
                         const vc_relation *relation, const vc_relation **relation_out,
                         vc_error *error);

/* Take a source through the join: its relation, what is unmatched, and how it counts are put into
 * the binding, of which the columns are set.
 *
 * outer  points -> units, as the join's mode left it
 * mode   of the join
 *
 * VC_IMPOSSIBLE: "missing_weights", "unsupported". */
vc_status vc_nested_compose(vc_arena *arena, const vc_nested_join *join,
                            const vc_nested_reach *reach, const vc_relation *outer,
                            vc_join_mode mode, vc_binding *binding, vc_error *error);

/* ---- model_nested_fix.c ---- */

vc_status vc_virtual_fix_nested(vc_virtual_builder *builder, const vc_virtual_part *part,
                                vc_error *error);

/* The policy of a nested cube for one of its sources and a dimension; VC_UNRELATED_DEFAULT when it
 * does not know the dimension. */
vc_unrelated vc_virtual_inner_policy(const vc_virtual_builder *builder, size_t source,
                                     size_t dimension);

/* ---- model_policies.c ---- */

/* Policies that speak of nothing are errors. */
vc_status vc_virtual_check_privates(vc_virtual_builder *builder, vc_error *error);

/* What a source's measures show when a private dimension of others is cut or drilled. */
vc_status vc_virtual_set_unrelated(vc_virtual_builder *builder, size_t source, vc_error *error);

vc_status vc_virtual_fix_sources(vc_virtual_builder *builder, vc_error *error);

/* ---- model_stands.c ---- */

/* The members that the policies "fix" of the cube, and of a nested cube, have for a source whose
 * policies are set. Errors have their place. */
vc_status vc_virtual_stand(vc_virtual_builder *builder, size_t source, vc_error *error);

/* Does a `fix` of a source name a dimension that only others have, so that it says where its own
 * values stand? Then this is kept, and *is_standing_out. VC_BAD_INPUT, "bad_value", where no policy
 * asks for it. Without a place. */
vc_status vc_virtual_stand_source(vc_virtual_builder *builder, size_t source, const vc_fix_def *fix,
                                  bool *is_standing_out, vc_error *error);

/* Each policy "fix" must have a member for each source that it is for. */
vc_status vc_virtual_check_stands(const vc_virtual_builder *builder, vc_error *error);

/* Does a policy of the definition speak of a dimension of the cube? */
bool vc_virtual_is_about(const vc_virtual_builder *builder, const vc_private_def *policy,
                         size_t dimension);

/* ---- model_stands.c ---- */

/* The member at which values stand. VC_NOT_FOUND, "unknown_member", with candidates. */
vc_status vc_virtual_find_standing(vc_model *model, const vc_cube_dimension *dimensions,
                                   size_t dimension, vc_str member, vc_standing *standing_out,
                                   vc_error *error);

/* Does a fix of a source name a dimension that only others have, so that it says where its values
 * stand? Then *is_standing_out, and it is known. VC_BAD_INPUT, "bad_value", where no policy asks
 * for it. */
vc_status vc_virtual_stand_source(vc_virtual_builder *builder, size_t source, const vc_fix_def *fix,
                                  bool *is_standing_out, vc_error *error);

/* Each policy "fix" must have a member for each source that it is for. */
vc_status vc_virtual_check_stands(const vc_virtual_builder *builder, vc_error *error);

/* A dimension without an All must be fixed, by the source or by each of its measures. */
vc_status vc_virtual_check_aggregatable(const vc_virtual_builder *builder, vc_error *error);

#endif
