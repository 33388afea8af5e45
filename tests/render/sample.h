/* Results made by hand, for the tests of render/. */
#ifndef TESTS_RENDER_SAMPLE_H
#define TESTS_RENDER_SAMPLE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "render/render.h"

/* The golden example, left join: five countries with total row, one unmatched, coverage, notices;
 * every type of measure, a property, a null label. */
vc_result sample_golden(vc_arena *arena);

/* Two axes with parents, integer keys, a null member, a bucket, two grouping sets, all reasons. */
vc_result sample_wide(vc_arena *arena);

/* No dimensions: one row, equal to the summary. */
vc_result sample_total(vc_arena *arena);

/* A result of random shape with nasty texts. */
vc_result sample_random(vc_arena *arena, unsigned *seed);

vc_status render_status(vc_buffer *buffer, const vc_result *result, vc_render_format format,
                        const vc_render_options *options, vc_error *error);

/* Render into a buffer, or fail the test. */
void render_into(vc_buffer *buffer, const vc_result *result, vc_render_format format,
                 const vc_render_options *options);

/* Compare with tests/data/render/<name>, and print what came when it differs. */
void assert_golden(const char *name, vc_buffer *actual);

#endif
