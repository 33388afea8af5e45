/* The model: the cubes of one snapshot, opened and resolved, ready to be asked.
 *
 * Source cubes and virtual cubes are one thing here: a vc_cube has sources, dimensions, and for
 * each source and dimension a *binding*, which says how the source's facts find their place along
 * it. A source cube is a vc_cube with one source whose bindings are all identities. The slicing
 * engine knows nothing else of joins.
 *
 * Along a dimension the cube has *slots*: the leaves of the dimension, then its synthetic leaves
 * (the buckets of unmatched keys of right and full joins). A binding takes a leaf of the source to
 * a unit of the dimension, or to a synthetic slot, or nowhere.
 *
 * Threads: vc_model_cube may be called from many threads; cubes are immutable. The model keeps its
 * snapshot open, so it is replaced when the epoch advances (vc_model_acquire).
 */
#ifndef CUBE_MODEL_H
#define CUBE_MODEL_H

#include "cube/definition.h"
#include "cube/expr.h"
#include "cube/rights.h"
#include "cube/source.h"
#include "mapping/relation.h"

typedef struct vc_model vc_model;

typedef enum vc_binding_kind {
    VC_BIND_NONE = 0, /* the source does not have the dimension: it is private to others */
    VC_BIND_IDENTITY, /* the source's leaves are the dimension's */
    VC_BIND_RELATION,
} vc_binding_kind;

/* How a source of a nested cube is counted through a join of that cube, where units alone do not
 * tell it: its leaves belong to *points*, the slots of the nested cube's dimension (of a composite
 * key the tuples of its leaves, then the slots of the nested cube's buckets), and points to units.
 */
typedef struct vc_through {
    const vc_relation *points; /* leaves of the source -> points, with weights if the nested cube's
                                  join has them */
    const vc_relation *join; /* points -> units; only the first join->nleaves points match at all */
    uint32_t *slots;         /* [points->nunits] of the points without a unit, VC_NONE where they
                                are dropped; NULL: no buckets */
    bool is_by_point; /* a lookup finds points, each with the value of all its leaves; otherwise a
                         leaf counts in a group once for each point that the group has of it */
} vc_through;

typedef struct vc_binding {
    vc_binding_kind kind;
    size_t source_dimension;     /* which dimension (fact column) of the source cube */
    const vc_relation *relation; /* VC_BIND_RELATION */
    /* A composite key over several dimensions of the source: `relation` is of these tuples, in
     * place of the leaves of one dimension. NULL: of source_dimension alone. */
    const vc_tuples *tuples;
    const size_t *components; /* [tuples->ncomponents] dimensions of the source, the first one is
                                 source_dimension */
    vc_str to_name;           /* of the source's dimension; of several "currency, date" */
    vc_str
        time_name; /* the component by whose time keys are read; absent: they do not depend on it */
    /* VC_BIND_RELATION with a bucket: the synthetic slot of each unmatched leaf, [nleaves of the
     * relation], VC_NONE elsewhere; NULL when unmatched leaves are dropped. */
    const uint32_t *synthetic_slots;
    vc_join_kind join_kind;
    vc_unmatched unmatched;
    bool refuses_fanout; /* on_fanout: error */
    vc_str
        join_alias; /* whose join it is: the source's, or that of the nested cube it is part of */
    /* A join of a nested cube, which `relation` goes through: units <- leaves of the nested cube's
     * dimension; of a join that exposes its members, the relation to the members above them. By it
     * members have partners or not. NULL: `relation` is the join. */
    const vc_relation *join_relation;
    const struct vc_nested_join *nested_join; /* likewise: its points, for buckets */
    const uint32_t *unmatched_points; /* likewise: [nleaves of the relation] the lowest point of
                                         each leaf that has no unit, VC_NONE */
    vc_through *through;              /* NULL: `relation` says it all */
    bool is_follower;                 /* another source of the nested cube stands for its join */
    /* VC_MODE_SET; VC_MODE_WEIGHTED: the relation has weights; VC_MODE_LOOKUP: no unit of the
     * relation has several leaves. */
    vc_join_mode mode;
    vc_finer finer;        /* of a relation whose units are larger than a leaf */
    const double *weights; /* [leaves of the dimension] by which a unit's value is allocated; NULL:
                              in equal parts */
    /* The dimension was put together of those of several sources (`common`), has a level more than
     * the source's (`exposed`), or leaves with several places: the relation only says which numbers
     * a leaf has in it. Nothing is unmatched, and a member without facts is empty. */
    bool is_united;
} vc_binding;

/* Is the source joined along the dimension? Then there is coverage to speak of. */
static inline bool vc_binding_is_joined(const vc_binding *binding)
{
    return binding->kind == VC_BIND_RELATION && !binding->is_united && !binding->is_follower;
}

typedef struct vc_synthetic {
    vc_str key; /* "(unmatched:cities)" or "cities:Atlantis" */
    size_t source;
    bool is_bucket; /* the bucket itself */
} vc_synthetic;

/* The synthetic leaves of one join: slots [first, end). In "bucket" mode there is one, the bucket.
 * In "members" mode there is one per unmatched joined leaf, and `bucket` names them together. */
typedef struct vc_bucket {
    size_t source;
    vc_str key; /* "(unmatched:cities)" */
    uint32_t first, end;
    bool has_members;
} vc_bucket;

/* The members of a joined cube, which are a level below the primary's members ("expose_as_level").
 * The leaves of the dimension are these, under each member that they belong to; and each member has
 * one leaf more, its *rest*, which is none of them and has no member at the level. So facts that
 * stand at the member are never those of a part of it, however few parts there are. */
typedef struct vc_exposed {
    vc_str alias, level;
    const uint64_t *rests; /* [nleaves] bits */
} vc_exposed;

typedef struct vc_cube_dimension {
    vc_str name, label;
    const vc_dimension *dimension;
    uint32_t nslots; /* leaves + synthetic */
    uint32_t nsynthetic;
    const vc_synthetic *synthetics; /* [nsynthetic], slot nleaves + i */
    size_t nbuckets;
    const vc_bucket *buckets;
    const uint64_t *visible; /* [nslots] bits: members after inner and right joins; NULL: all */
    size_t owner;            /* source it comes from */
    bool is_private;         /* only the owner has it */
    bool is_aggregatable;
    vc_str default_member;         /* a path; absent: All */
    const uint64_t *default_slots; /* [nslots] bits of its leaves; NULL: there is none */
    const vc_exposed *exposed;     /* NULL: the dimension is as it was loaded */
} vc_cube_dimension;

typedef struct vc_cube_fix { /* a selection of one source's dimension, always applied */
    size_t source_dimension;
    const uint64_t *leaves; /* bits over the source's leaves */
} vc_cube_fix;

/* Where values stand along a dimension that their source does not have (VC_UNRELATED_FIX). */
typedef struct vc_standing {
    size_t dimension;       /* of the cube */
    vc_str member;          /* key or path, as written */
    const uint64_t *leaves; /* [nleaves of the dimension] bits, of several places the first; none:
                               no cell has all of it. NULL: nothing is said */
} vc_standing;

typedef struct vc_cube_source {
    vc_str alias;
    const vc_source_cube *cube;
    vc_binding *bindings;          /* [ndimensions of the vc_cube] */
    const vc_unrelated *unrelated; /* [ndimensions]: what this source's measures show when that
                              private dimension of another source is cut or drilled */
    const vc_standing *stands;     /* [ndimensions] where, by VC_UNRELATED_FIX; NULL: none */
    vc_cube_fix *fixes;
    size_t nfixes;
    vc_join_mode mode; /* VC_MODE_WEIGHTED, VC_MODE_LOOKUP when some binding is so */
    vc_reaggregate reaggregate;
    const vc_source_def *definition; /* NULL for a source cube asked by itself */
    const struct vc_cube *nested;    /* the virtual cube that it is a part of; NULL */
    size_t nested_source;            /* its number there */
    vc_str nested_alias;             /* the alias of that cube */
    vc_join_mode nested_mode;        /* of the join of that cube; DEFAULT: it has none */
    const size_t *nested_dimensions; /* [ndimensions of that cube] the place of each here */
    bool is_unseen;   /* whoever asks may see nothing of it: no facts, and it is told of nowhere */
    bool is_withheld; /* of its columns, only those of measures that may be seen */
} vc_cube_source;

/* A measure that can be asked. Base measures aggregate facts of one source; calculated ones are
 * expressions over other measures of the cube, which may be hidden. */
typedef struct vc_cube_measure {
    vc_str name, label, unit, format;
    bool is_hidden;           /* a source's measure that only an expression needs; or withheld: */
    bool is_withheld;         /* who asks may not see it, only what is computed of it */
    vc_aggregator aggregator; /* VC_AGG_NONE: calculated */
    vc_value_type type;       /* of the answer: int, decimal(scale), float */
    unsigned scale;
    size_t source;
    int column;             /* of vc_source_cube.columns; -1: none */
    int weight_column;      /* of VC_AGG_WEIGHTED_AVG; -1: none */
    double quantile;        /* of VC_AGG_QUANTILE and VC_AGG_MEDIAN */
    int distinct_dimension; /* source dimension whose leaves are counted; -1: none */
    vc_over over;
    size_t over_dimension; /* of the source */
    vc_cube_fix *fixes;    /* replaces the source's fixes for these dimensions */
    size_t nfixes;
    vc_str where;              /* as written, and what it leaves: */
    const vc_cube_fix *wheres; /* facts that count at all, beside all fixes; measures with the same
                                  ones have the same array */
    size_t nwheres;
    vc_unrelated unrelated;    /* VC_UNRELATED_DEFAULT: the source's policy */
    const vc_standing *stands; /* [nstands] go before those of the source */
    size_t nstands;
    vc_join_mode mode;          /* how it counts joined facts: its source's, or VC_MODE_SET */
    vc_reaggregate reaggregate; /* with VC_MODE_LOOKUP; never DEFAULT then */
    const vc_expr *expr;        /* calculated: */
    const int *solve_order;     /* after calculated members with a lower one; NULL: before all */
    const size_t *operands;     /* measures, in the order of vc_expr_names */
    size_t noperands;
    const size_t *call_dimensions; /* of the cube, in the order of vc_expr_calls */
} vc_cube_measure;

typedef struct vc_cube {
    vc_str name, label;
    unsigned depth; /* of virtual cubes over each other; 0: a source cube */
    const vc_definition *definition;
    vc_str definition_hash;
    bool is_virtual;
    size_t ndimensions;
    const vc_cube_dimension *dimensions;
    size_t nsources; /* the primary first */
    const vc_cube_source *sources;
    size_t nmeasures;
    const vc_cube_measure *measures; /* operands stand before what uses them */
    size_t ncalculated;              /* members: its own, and those of the owners of dimensions */
    const vc_calculated *calculated;
    bool is_partial; /* as a role sees it, which may not see all (vc_model_restrict) */
} vc_cube;

/* Are the source's leaves those of the cube's dimension, in one place or several? */
static inline bool vc_cube_source_is_own(const vc_cube *cube, const vc_cube_source *source,
                                         size_t dimension)
{
    const vc_binding *binding = &source->bindings[dimension];
    return binding->kind == VC_BIND_IDENTITY ||
           (binding->is_united && source->cube->dimensions[binding->source_dimension] ==
                                      cube->dimensions[dimension].dimension);
}

/* ---- the model of a snapshot ---- */

/* A model over a snapshot. is_owned: the model closes the snapshot when it is freed. */
vc_status vc_model_new(vc_snapshot *snapshot, bool is_owned, vc_model **model_out, vc_error *error);
void vc_model_free(vc_model *model); /* NULL is fine */
vc_snapshot *vc_model_snapshot(const vc_model *model);

/* A cube of the model, opened and resolved at the first call and kept. Cost of the first call for a
 * virtual cube: reading its sources' dimensions and resolving its joins.
 * Errors: unknown_cube; those of a definition that does not fit the stored cubes
 * (unknown_dimension, unknown_index, unknown_measure, definition_cycle, low_coverage, cardinality,
 * fanout, ...), with the place in the definition. */
vc_status vc_model_cube(vc_model *model, vc_str name, const vc_cube **cube_out, vc_error *error);

/* The cubes of the snapshot that have been opened so far, in no order.
 *
 * after  the one before; NULL: gives the first
 *
 * NULL at the end. */
const vc_cube *vc_model_next_opened(vc_model *model, const vc_cube *after);

/* Let the model know a virtual cube that the snapshot does not have, a variant of one that it has,
 * and open it: from here on it is asked like any other. Nothing is stored. The same text again is
 * the same cube.
 *
 * text  the definition, as JSON
 *
 * VC_CONFLICT, code "duplicate_name", when there is another cube of that name; errors of reading
 * and of opening it, as of vc_definition_parse and vc_model_cube. */
vc_status vc_model_add(vc_model *model, vc_str text, const vc_cube **cube_out, vc_error *error);

/* Something that is computed from a cube once per model and kept with it: `compute` is called the
 * first time a key and a variant are asked for, and makes it in the model's memo arena. Others who
 * ask for any memo meanwhile wait. A failure is not kept. */
vc_status vc_model_memo(vc_model *model, const void *key, uint64_t variant,
                        vc_status (*compute)(void *context, vc_arena *arena, const void **value_out,
                                             vc_error *error),
                        void *context, const void **value_out, vc_error *error);

/* What a base measure shows when a dimension that its source does not have is cut or drilled; never
 * DEFAULT. standing_out: with VC_UNRELATED_FIX, where its values stand, else NULL. */
vc_unrelated vc_cube_unrelated(const vc_cube *cube, const vc_cube_measure *measure,
                               size_t dimension, const vc_standing **standing_out);
const char *vc_unrelated_name(vc_unrelated unrelated); /* "null", "repeat", "error", "fix" */

/* VC_NOT_FOUND, codes "unknown_dimension" and "unknown_measure" ("forbidden" of a cube that is
 * shown in part), with candidates. */
vc_status vc_cube_find_dimension(const vc_cube *cube, vc_str name, size_t *dimension_out,
                                 vc_error *error);
vc_status vc_cube_find_measure(const vc_cube *cube, vc_str name, size_t *measure_out,
                               vc_error *error);

/* The sources that a name means, a bit for each: the alias of one, or that of a nested cube for all
 * of its sources, or the way to one through nested cubes, "n.world.cities". VC_NOT_FOUND,
 * "unknown_source", with candidates. */
vc_status vc_cube_find_sources(const vc_cube *cube, vc_str name, uint64_t *sources_out,
                               vc_error *error);

/* The member sets of a dimension: those of the cube's definition, then those of the source the
 * dimension comes from whose names are not taken.
 * sets_out  [nsets], in the arena */
vc_status vc_cube_list_sets(const vc_cube *cube, const vc_cube_dimension *dimension,
                            vc_arena *arena, const vc_set_def ***sets_out, size_t *nsets_out,
                            vc_error *error);

/* The member set of that name for a dimension: of the cube's definition, or of that of the source
 * the dimension comes from. VC_NOT_FOUND, code "unknown_set", with candidates. */
vc_status vc_cube_find_set(const vc_cube *cube, const vc_cube_dimension *dimension, vc_str name,
                           const vc_set_def **set_out, vc_error *error);

/* Do the member sets of the cube's own definition name what is there? VC_NOT_FOUND,
 * "unknown_dimension", and errors of vc_condition_evaluate, at their place in the definition. */
vc_status vc_cube_check_sets(const vc_cube *cube, vc_error *error);

/* What the cube's own definition says of a measure, beside what the model keeps; NULL when it says
 * nothing: measures of a source need not be named by a virtual cube. */
const vc_measure_def *vc_cube_find_measure_def(const vc_cube *cube, vc_str name);

/* The dimensions of the cube that the functions over members in an expression go along, in the
 * order of vc_expr_calls, in the arena.
 *
 * source  whose measure it is, and whose names of dimensions it uses; SIZE_MAX: the cube's own
 *
 * VC_NOT_FOUND, codes "unknown_dimension", "unknown_hierarchy", "unknown_level", with candidates;
 * VC_IMPOSSIBLE "unsupported" where not exactly one dimension of the cube stands for the source's.
 */
vc_status vc_cube_bind_calls(const vc_cube *cube, size_t source, const vc_expr *expr,
                             vc_arena *arena, const size_t **dimensions_out, vc_error *error);

/* ---- what a role may see ---- */

/* The model as somebody with these rights sees it (semantics, section 16): its cubes are what they
 * would be if the store held nothing else, and those that may not be seen are unknown. What hides
 * behind rights on a virtual cube is hidden in each of its sources, forward through its joins: of a
 * joined source only what leads to a visible member is there, so nothing is unmatched along a
 * dimension that is cut. A member of a joined source that leads to a member of the primary of which
 * a part is hidden is hidden, too.
 *
 * rights       NULL: everything; `whole` itself is returned
 * model_out    kept with `whole`, freed with it, the same for equal rights
 *
 * The first question for a cube costs vc_source_cube_restrict for each source that is restricted.
 * VC_NO_MEMORY. Threads: as vc_model_cube. */
vc_status vc_model_restrict(vc_model *whole, const vc_rights *rights, vc_model **model_out,
                            vc_error *error);

/* NULL: everything may be seen. */
const vc_rights *vc_model_rights(const vc_model *model);

/* The stored cubes that may be asked by name, in the order of names. In the arena. Errors of
 * vc_snapshot_list. */
vc_status vc_model_list(const vc_model *model, vc_arena *arena, vc_object **objects_out,
                        size_t *nobjects_out, vc_error *error);

/* May the expression of a calculated measure be shown? Not where it names a measure that is hidden
 * from who asks. */
bool vc_cube_shows_expr(const vc_cube *cube, const vc_cube_measure *measure);

/* May the values of a column of a source's facts be shown, one by one? Not where they are in no
 * measure that who asks may see. */
bool vc_cube_shows_column(const vc_cube *cube, size_t source, size_t column);

/* ---- models over time: for a server ---- */

typedef struct vc_model_cache vc_model_cache;

vc_status vc_model_cache_new(vc_store *store, vc_model_cache **cache_out, vc_error *error);
void vc_model_cache_free(vc_model_cache *cache);

/* The model of the newest epoch, shared and counted; give it back with vc_model_release. An older
 * model is freed when nobody has it any more. */
vc_status vc_model_acquire(vc_model_cache *cache, vc_model **model_out, vc_error *error);
void vc_model_release(vc_model_cache *cache, vc_model *model);

/* Drop the cached model if it is not of the newest epoch and nobody uses it; call now and then on
 * an idle server, so that old pages can be reused. */
void vc_model_cache_tick(vc_model_cache *cache);

#endif
