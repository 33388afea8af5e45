/* How the hierarchies of several dimensions become those of one. Private to cube/model_unite*.c.
 *
 * The levels of all main hierarchies are put into one order; a dimension need not have them all:
 * one of days and one of months make a hierarchy of years, months and days, of which the second
 * knows no days. Other hierarchies are taken when all have them alike. The members of all are
 * *nodes*: two members are one node when their keys agree on the level and on all levels above that
 * both have.
 */
#ifndef CUBE_MODEL_UNITE_H
#define CUBE_MODEL_UNITE_H

#include "base/strmap.h"
#include "dimensions/dimension.h"

typedef struct vc_unite_node {
    vc_str key;        /* absent: null, or nobody knows it */
    uint32_t parent;   /* node of the level right above; VC_NONE at the top */
    uint32_t *members; /* [ndimensions] which of a dimension's it is, or VC_NONE */
} vc_unite_node;

typedef struct vc_unite_level {
    vc_str name;
    size_t first;     /* the first dimension that has it */
    int *at;          /* [ndimensions] which level it is there; -1: it has none such */
    bool is_below;    /* some dimension ends above it: where it has members, the level has none */
    uint32_t **nodes; /* [ndimensions] of each member; NULL where it has none */
} vc_unite_level;

typedef struct vc_unite_hierarchy {
    unsigned *of; /* [ndimensions] which hierarchy it is there */
    unsigned nlevels;
    vc_unite_level levels[VC_MAX_LEVELS];
} vc_unite_hierarchy;

typedef struct vc_uniting {
    const vc_dimension *const *dimensions;
    const vc_str *names; /* [ndimensions] for messages: "sales.date" */
    size_t ndimensions;
    vc_arena *arena; /* of the result */
    vc_arena work;
    bool has_same_levels; /* all have all levels of the main hierarchy */
    vc_unite_hierarchy hierarchies[VC_MAX_HIERARCHIES];
    unsigned nhierarchies;
    vc_unite_node *nodes;
    size_t nnodes, max_nodes;
    vc_strmap known; /* level, parent and key -> node */
} vc_uniting;

/* The level of a dimension that is one of the hierarchy's; NULL when it has none such. */
const vc_level *vc_unite_level_of(const vc_uniting *in, unsigned hierarchy, unsigned level,
                                  size_t dimension);

/* The number of the lowest level that a dimension has of a hierarchy. */
unsigned vc_unite_lowest(const vc_uniting *in, unsigned hierarchy, size_t dimension);

/* The node of a leaf on a level; VC_NONE below what the dimension has. */
uint32_t vc_unite_node_of(const vc_uniting *in, unsigned hierarchy, unsigned level,
                          size_t dimension, uint32_t leaf);

/* The first dimension that has a node, itself or above it; SIZE_MAX: none. */
size_t vc_unite_first(const vc_uniting *in, uint32_t node);

/* Put the hierarchies together: of `in` dimensions, names, ndimensions and arenas are set.
 *
 * VC_IMPOSSIBLE: "unsupported" where levels have no common order, or nobody says below what a
 * member belongs; "ambiguous_key" where a member could be several of another dimension. */
vc_status vc_unite_hierarchies(vc_uniting *in, vc_error *error);

#endif
