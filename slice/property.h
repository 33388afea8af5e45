/* Properties: what attributes say of the members of a dimension of a cube.
 *
 * An attribute of the dimension itself says of a member what its leaves have. An attribute of a
 * joined dimension, `alias.attribute`, says what the joined leaves have that the member leads to,
 * T(m) of the semantics; a bucket leads to the leaves that match nothing. Members that joins hide
 * say nothing. No pair of the relation has more to say than another: weights, `finer` and policies,
 * which are about measures, change nothing.
 *
 * Threads: pure; results are in the caller's arena and point into the model.
 */
#ifndef SLICE_PROPERTY_H
#define SLICE_PROPERTY_H

#include "cube/model.h"
#include "dimensions/members.h"
#include "slice/plan.h"
#include "slice/result.h"

typedef struct vc_property {
    vc_str asked;           /* the name it was found by */
    size_t place;           /* in the list of dimensions it was looked for in */
    size_t cube_dimension;  /* of the cube: whose members have it */
    vc_str alias;           /* of the source; absent: the dimension's own */
    vc_str joined_name;     /* of the joined dimension; absent: the dimension's own */
    const vc_dimension *of; /* whose attribute it is */
    const vc_attribute *attribute;
    /* Of a joined dimension: */
    const vc_relation *relation; /* NULL: its leaves are the dimension's own */
    const vc_tuples *tuples;     /* the relation is of tuples, and `of` is this component of them */
    size_t component;
    const uint64_t *visible;         /* [leaves of the relation] bits; NULL: all are members */
    const uint32_t *synthetic_slots; /* of leaves that match nothing; NULL: */
    uint32_t bucket_slot;            /* all of them in one; VC_NONE: nowhere */
} vc_property;

/* Look up a name of a property among dimensions of a cube: "capital" and "geo.capital", an
 * attribute of the dimension itself; "cities.mayor", of a joined dimension by the alias of the
 * source, or "cities.city.mayor" where the source has several that have the attribute; "city.mayor"
 * by the name of the joined dimension. What the dimension itself has comes first.
 *
 * dimensions      [ndimensions] of the cube: the drilled ones
 * properties_out  [*nproperties_out] in the arena: more than one only when several of the
 *                 dimensions have an attribute of that name of their own
 *
 * VC_NOT_FOUND "unknown_attribute", with candidates; VC_IMPOSSIBLE "ambiguous_attribute", with the
 * names that tell them apart. */
vc_status vc_property_find(const vc_cube *cube, const size_t *dimensions, size_t ndimensions,
                           vc_str name, vc_arena *arena, const vc_property **properties_out,
                           size_t *nproperties_out, vc_error *error);

/* All properties of joined dimensions that members of a dimension have, one by one, in the order of
 * the sources. properties_out [*nproperties_out] in the arena. */
vc_status vc_property_list(const vc_cube *cube, size_t dimension, vc_arena *arena,
                           const vc_property **properties_out, size_t *nproperties_out,
                           vc_error *error);

/* Whose properties are asked for. */
typedef struct vc_property_members {
    unsigned hierarchy;
    const vc_member_ref *members; /* [nmembers] members of the dimension */
    size_t nmembers;
    size_t nplaces;         /* and then others: buckets */
    const uint32_t *places; /* [nslots of the dimension] whose a slot is: 0..nplaces-1, VC_NONE */
} vc_property_members;

/* Say who the leaves are of members that do not overlap, all of one level or not. members
 * [nmembers] is borrowed; places, in the arena, has room for slots behind the leaves, which are
 * nobody's so far. */
vc_status vc_property_place(const vc_cube *cube, size_t dimension, unsigned hierarchy,
                            const vc_member_ref *members, size_t nmembers, vc_arena *arena,
                            vc_property_members *out, uint32_t **places_out, vc_error *error);

typedef struct vc_property_values {
    const uint32_t *offsets; /* [nplaces + 1] into codes; no value is null */
    const uint32_t *codes;   /* into attribute->values: ascending, which is by bytes */
    bool is_multi;           /* some place has several */
} vc_property_values;

/* The values of a property, each once per member.
 *
 * max_values  more than these are not listed: VC_LIMIT "limit_cells"
 *
 * O(leaves of the dimension + pairs of the relation), and the memory of what is listed. */
vc_status vc_property_read(const vc_cube *cube, const vc_property *property,
                           const vc_property_members *members, uint64_t max_values, vc_arena *arena,
                           vc_property_values *values_out, vc_error *error);

/* The texts of all places, which are [nplaces] in the arena. The plan is asked meanwhile (NULL:
 * not). VC_NO_MEMORY, VC_CANCELLED. */
vc_status vc_property_texts(const vc_plan *plan, const vc_property *property,
                            const vc_property_values *values, size_t nplaces, vc_arena *arena,
                            const vc_result_values **texts_out, vc_error *error);

/* Does some leaf of the dimension (or member of the level that the join is at) have several values
 * of a property of a joined dimension? One look at each joined leaf, until one has. */
vc_status vc_property_is_multi(const vc_property *property, bool *is_multi_out, vc_error *error);

#endif
