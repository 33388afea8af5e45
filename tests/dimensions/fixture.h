/* Dimensions for tests, from tables written as text. */
#ifndef TESTS_DIMENSIONS_FIXTURE_H
#define TESTS_DIMENSIONS_FIXTURE_H

#include "dimensions/builder.h"
#include "dimensions/members.h"

/* A dimension that was built, and what building it said. */
typedef struct fixture {
    vc_status status; /* of the first step that failed */
    vc_error error;
    vc_dimension_builder *builder;
    vc_buffer image;
    vc_arena arena;
    const vc_dimension *dimension; /* NULL unless status is VC_OK */
    const uint32_t *leaf_of_row;
    uint32_t nrows;
    uint32_t row_of_line[64]; /* of the table */
    vc_dimension_report report;
} fixture;

/* rows  lines of cells between commas; "~" is null, and an empty cell the empty text */
void fixture_build(fixture *made, const vc_dimension_spec *spec, const vc_dimension *older,
                   const char *rows);
void fixture_release(fixture *made);

/* The members of a level as "path path path", nulls as nothing between commas. */
const char *fixture_members(fixture *made, unsigned hierarchy, unsigned level);

/* The leaves of a dimension with keys as "key key key". */
const char *fixture_leaves(fixture *made);

/* What an index has for a value, as "3 5"; "" when nothing. */
const char *fixture_indexed(fixture *made, const char *index, const char *value);

/* Find a member by a path written with commas and no escapes. */
vc_status fixture_find(fixture *made, unsigned hierarchy, const char *path,
                       vc_member_ref *member_out);

/* Read everything in the dimension, so that a sanitizer sees whatever lies outside. */
uint64_t fixture_walk(const vc_dimension *dimension);

/* Are the first `count` numbers these? */
bool fixture_are(vc_numbers numbers, const uint32_t *expected, uint32_t count);

#endif
