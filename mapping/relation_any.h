/* A join of any kind while it is resolved; only relation.c and relation_describe.c include it. */
#ifndef MAPPING_RELATION_ANY_H
#define MAPPING_RELATION_ANY_H

#include "base/strmap.h"
#include "mapping/relation_parts.h"

/* The normalised keys of each distinct value of one index. */
struct vc_value_keys {
    uint32_t *offsets; /* [nvalues + 1] into keys */
    uint32_t *keys;    /* numbers shared by both sides */
    double *weights;   /* of the keys; NULL: not asked for */
    uint8_t *states;   /* [nvalues] vc_key_state of the first key that is not OK, else OK */
    bool *is_excluded; /* [nvalues] */
};

/* For each unit of a side its distinct keys. */
struct vc_resolver_side {
    const vc_dimension *dimension;
    int hierarchy, level; /* what a unit is; -1, -1 a leaf */
    uint32_t nunits;
    uint32_t *offsets; /* [nunits + 1] into keys */
    uint32_t *keys;
    double *weights; /* of the keys, products over the components; NULL: not asked for */
    /* [npairs][nunits] value of the unit in the index, VC_NONE when it is not in it */
    uint32_t **values;
    struct vc_value_keys *value_keys; /* [npairs] */
};

struct vc_resolver {
    vc_arena *arena;       /* of the result */
    vc_arena work;         /* of what is only needed on the way */
    vc_strmap *components; /* [npairs] normalised text -> number */
    vc_strmap tuples;      /* numbers of the components -> number of the composite key */
    const vc_relation_pair *pairs;
    size_t npairs;
    bool is_weighted;
    const uint64_t *seen; /* bits of the primary's units that have keys; NULL: all */
    struct vc_resolver_side primary, joined;
};

/* Values of a side of a pair: of its index, or the one constant. */
static inline uint32_t vc_resolver_count_values(const vc_index *index)
{
    return index == NULL ? 1 : index->values.count;
}

/* Fates of leaves, coverage, the list of what did not match; collisions and duplicates. */
vc_status vc_resolver_describe(struct vc_resolver *resolver, vc_relation *relation,
                               vc_error *error);

#endif
