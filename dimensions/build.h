/* A dimension being numbered: what the steps of vc_dimension_builder_finish pass on.
 *
 *     columns      column.c    every column becomes a dictionary and codes
 *     rows         places.c    a row of a tree for each place of it
 *     spec         tree.c      ragged and parent-child hierarchies become even ones
 *     levels       number.c    members of each level, in member order
 *     leaves       number.c    leaf_of_row
 *     dimension    assemble.c  the flat arrays by leaf and by member, attributes
 *     indexes      index.c
 *     image        image_write.c, rows.c
 *
 * Internal to dimensions. Everything lives in the builder's arena.
 */
#ifndef DIMENSIONS_BUILD_H
#define DIMENSIONS_BUILD_H

#include "dimensions/builder.h"
#include "dimensions/column.h"

#include <assert.h>

typedef struct vc_build_level {
    uint32_t nmembers;
    const uint32_t *parents;       /* [nmembers]; NULL at the top */
    const uint32_t *key_codes;     /* [nmembers] codes of the key column */
    const uint32_t *label_codes;   /* [nmembers] codes of the label column; NULL without one */
    const uint32_t *member_of_row; /* [nrows] */
} vc_build_level;

/* A row was there already, with another label. */
typedef struct vc_build_clash {
    uint32_t row;
    unsigned column;
    vc_str text;
} vc_build_clash;

typedef struct vc_build {
    const vc_dimension_spec *spec; /* its levels may stand on columns behind its ncolumns */
    const vc_dimension *older;     /* or NULL; its rows are the first ones, in their load order */
    const vc_dimension_rows *older_rows;
    uint32_t nolder_rows;
    vc_arena *arena;
    uint32_t nrows;
    /* Where leaves may stand under several parents, else NULL: */
    const uint32_t *first_of_row;    /* [nrows] the first row of the same leaf */
    const uint32_t *parents_of_rows; /* [nrows] in trees: the row above, VC_NONE for a root; else
                                        NULL */
    const vc_build_column *columns;  /* [spec->ncolumns], then those of ragged levels */
    const vc_build_clash *clashes;   /* [nclashes] one per row and column at most */
    uint32_t nclashes;
    vc_str *scratch; /* [nrows + 1] texts, for whoever needs them for a moment */
    vc_build_level *levels[VC_MAX_HIERARCHIES];
    const uint32_t *leaf_of_row; /* [nrows] */
    uint32_t ndoubles;
    vc_dimension *dimension; /* all its numbers are of 4 bytes */
    vc_dimension_rows rows;
    vc_dimension_report *report;
} vc_build;

/* In trees where a row may have several parents, itself or further up: a row for each place that it
 * has. VC_BAD_INPUT "parent_cycle"; VC_LIMIT "limit_levels", "limit_places". */
vc_status vc_build_make_places(vc_build *build, vc_error *error);

/* A row whose parent is not there: counted, and the first one told. */
void vc_build_note_lost(vc_build *build, vc_str parent, vc_str key);

/* Give ragged levels, and the levels of parent-child hierarchies, columns of their own, in which
 * the key is null where a row has no member. Nothing is done when there are none. */
vc_status vc_build_make_even(vc_build *build, vc_error *error);

/* Members of all levels of all hierarchies. O(nrows) per level. */
vc_status vc_build_number_levels(vc_build *build, vc_error *error);

/* The numbers of the leaves: those of the older dimension keep theirs, new ones follow depth first
 * through the main hierarchy, and then all doubles, older ones too. */
vc_status vc_build_number_leaves(vc_build *build, vc_error *error);

/* The dimension without its indexes. */
vc_status vc_build_assemble(vc_build *build, vc_error *error);

/* Its indexes, declared and implicit. */
vc_status vc_build_indexes(vc_build *build, vc_error *error);

/* What the columns of a table are there for. */
typedef struct vc_build_roles {
    bool *is_rider; /* [ncolumns] tells no rows apart: labels and order values where there is no key
                       column, or where a key may stand in several rows all that leads to no leaf */
    bool has_riders;
    bool has_places; /* a key may stand in several rows, */
    bool *is_free;   /* [ncolumns] which may differ in these, */
    bool *is_owned;  /* [ncolumns] but not within a member: an attribute of its level */
} vc_build_roles;

/* false when out of memory. (spec.c) */
bool vc_build_find_roles(const vc_dimension_spec *spec, vc_arena *arena, vc_build_roles *roles);

/* Does a column say where a leaf stands: a level's key, a parent? */
bool vc_build_leads_to_leaf(const vc_dimension_spec *spec, unsigned column);

/* VC_BAD_INPUT, "bad_dimension", "unknown_attribute", "bad_index". */
vc_status vc_build_check_spec(const vc_dimension_spec *spec, vc_error *error);

/* Can every index of the spec be made? (Asked before there are rows.) */
vc_status vc_build_check_indexes(const vc_dimension_spec *spec, vc_error *error);

/* Values as texts of an image. NULL in `bytes` when out of memory. An absent value stays absent. */
vc_texts vc_build_texts(const vc_str *values, uint32_t count, vc_arena *arena);

/* An array of vc_numbers that are of 4 bytes. */
static inline const uint32_t *vc_build_array(vc_numbers numbers)
{
    assert(numbers.width == sizeof(uint32_t));
    return numbers.data;
}

/* Write the image of a dimension, which need not itself be in an image, and set its fingerprint.
 * crew   whose threads share the work; NULL: none
 * image  replaced */
vc_status vc_dimension_write(const vc_dimension *dimension, const vc_dimension_rows *rows,
                             vc_crew *crew, vc_buffer *image, vc_error *error);

#endif
