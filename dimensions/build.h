/* A dimension being numbered: what the steps of vc_dimension_builder_finish pass on.
 *
 *     columns      column.c    every column becomes a dictionary and codes
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
    const vc_dimension *older;     /* or NULL; its leaves are the first rows, in their load order */
    const vc_dimension_rows *older_rows;
    vc_arena *arena;
    uint32_t nrows;
    const vc_build_column *columns; /* [spec->ncolumns], then those of ragged levels */
    const vc_build_clash *clashes;  /* [nclashes] one per row and column at most */
    uint32_t nclashes;
    vc_str *scratch; /* [nrows + 1] texts, for whoever needs them for a moment */
    vc_build_level *levels[VC_MAX_HIERARCHIES];
    const uint32_t *leaf_of_row; /* [nrows] */
    vc_dimension *dimension;     /* all its numbers are of 4 bytes */
    vc_dimension_rows rows;
    vc_dimension_report *report;
} vc_build;

/* Give ragged levels, and the levels of parent-child hierarchies, columns of their own, in which
 * the key is null where a row has no member. Nothing is done when there are none. */
vc_status vc_build_make_even(vc_build *build, vc_error *error);

/* Members of all levels of all hierarchies. O(nrows) per level. */
vc_status vc_build_number_levels(vc_build *build, vc_error *error);

/* The numbers of the leaves: those of the older dimension keep theirs, new ones follow depth first
 * through the main hierarchy. */
vc_status vc_build_number_leaves(vc_build *build, vc_error *error);

/* The dimension without its indexes. */
vc_status vc_build_assemble(vc_build *build, vc_error *error);

/* Its indexes, declared and implicit. */
vc_status vc_build_indexes(vc_build *build, vc_error *error);

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
 * image  replaced */
vc_status vc_dimension_write(const vc_dimension *dimension, const vc_dimension_rows *rows,
                             vc_buffer *image, vc_error *error);

#endif
