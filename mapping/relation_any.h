/* A join of any kind while it is resolved; only relation.c, relation_keys.c and
 * relation_describe.c include it. */
#ifndef MAPPING_RELATION_ANY_H
#define MAPPING_RELATION_ANY_H

#include "base/strmap.h"
#include "mapping/relation_parts.h"

/* The normalised keys of each distinct value of one index. */
struct vc_value_keys {
    uint32_t nvalues;   /* variants included */
    uint32_t *offsets;  /* [nvalues + 1] into keys */
    uint32_t *keys;     /* numbers shared by both sides */
    double *weights;    /* of the keys; NULL: not asked for */
    uint8_t *states;    /* [nvalues] vc_key_state of the first key that is not OK, else OK */
    bool *is_excluded;  /* [nvalues] */
    uint32_t *variants; /* [values of the index] the variant of the first period, the others follow;
                           VC_NONE: it has none. NULL: no value has any */
    uint32_t *bases;    /* [(nvalues - values of the index) / periods] whose variants they are */
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
    const uint64_t *seen;         /* bits of the primary's units that have keys; NULL: all */
    const vc_relation_when *when; /* NULL: keys do not depend on the time */
    vc_strmap
        *timed; /* [npairs] number of a component and period -> number of a key of that time */
    struct vc_resolver_side primary, joined;
};

struct vc_key_numbers { /* a growing array in the work arena */
    uint32_t *items;
    size_t count, capacity;
};

struct vc_key_weights { /* likewise */
    double *items;
    size_t count, capacity;
};

/* False when out of memory. */
bool vc_key_numbers_add(vc_arena *arena, struct vc_key_numbers *numbers, uint32_t item);
bool vc_key_weights_add(vc_arena *arena, struct vc_key_weights *weights, double item);

/* Values of a side of a pair: of its index, or the one constant. */
static inline uint32_t vc_resolver_count_values(const vc_index *index)
{
    return index == NULL ? 1 : index->values.count;
}

/* Numbers of keys of one component are below. */
uint32_t vc_resolver_count_keys(const struct vc_resolver *resolver, size_t pair);

/* The number of the component that a key of no time in particular is. */
static inline uint32_t vc_resolver_component(const struct vc_resolver *resolver, uint32_t key)
{
    return resolver->when == NULL ? key : key / 2;
}

/* Step 1: the keys of the values of one side of a pair, the primary's before the joined ones. */
vc_status vc_resolver_number_values(struct vc_resolver *resolver, size_t pair, bool is_primary,
                                    struct vc_value_keys *out, vc_error *error);

/* Fates of leaves, coverage, the list of what did not match; collisions and duplicates. */
vc_status vc_resolver_describe(struct vc_resolver *resolver, vc_relation *relation,
                               vc_error *error);

#endif
