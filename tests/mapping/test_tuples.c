/* Tuples, found by a table of all codes and by hash. */
#include "mapping/tuples.h"

#include "base/buffer.h"
#include "dimensions/builder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct axis {
    vc_dimension_builder *builder;
    vc_buffer image;
    vc_arena arena;
    const vc_dimension *dimension;
};

/* Leaves 0, 1, ... below nleaves, loaded backwards; a number is the place of its leaf. */
static void build(struct axis *axis, uint32_t nleaves)
{
    static const vc_str columns[] = {{.data = "id", .size = 2}};
    static const vc_level_spec levels[] = {{.name = {.data = "id", .size = 2},
                                            .label = {.data = "id", .size = 2},
                                            .label_column = -1,
                                            .order_column = -1,
                                            .key_type = VC_KEY_INT}};
    static const vc_hierarchy_spec hierarchies[] = {{.name = {.data = "std", .size = 3},
                                                     .label = {.data = "std", .size = 3},
                                                     .nlevels = 1,
                                                     .levels = levels}};
    static const vc_dimension_spec spec = {.name = {.data = "d", .size = 1},
                                           .label = {.data = "d", .size = 1},
                                           .ncolumns = 1,
                                           .column_names = columns,
                                           .key_column = -1,
                                           .nhierarchies = 1,
                                           .hierarchies = hierarchies};
    const uint32_t *leaf_of_row;
    vc_dimension_report report;
    vc_error error = {0};
    *axis = (struct axis){0};
    cr_assert_eq(vc_dimension_builder_new(&spec, NULL, &axis->builder, &error), VC_OK);
    for (uint32_t i = nleaves; i-- > 0;) {
        char text[16];
        uint32_t row;
        snprintf(text, sizeof text, "%u", i);
        vc_str key = vc_str_of(text);
        cr_assert_eq(vc_dimension_builder_add(axis->builder, &key, &row, &error), VC_OK);
    }
    cr_assert_eq(
        vc_dimension_builder_finish(axis->builder, &axis->image, &leaf_of_row, &report, &error),
        VC_OK);
    cr_assert_eq(vc_dimension_open((vc_str){axis->image.data, axis->image.size}, &axis->arena,
                                   &axis->dimension, &error),
                 VC_OK);
}

static void release(struct axis *axis)
{
    vc_dimension_builder_free(axis->builder);
    vc_arena_release(&axis->arena);
    vc_buffer_release(&axis->image);
}

static uint64_t code_of(const vc_tuples *tuples, uint32_t a, uint32_t b)
{
    uint64_t code = 0;
    uint32_t zero = 0;
    vc_tuples_add_component(tuples, 0, &zero, a, 1, &code);
    vc_tuples_add_component(tuples, 1, &zero, b, 1, &code);
    return code;
}

/* Pairs (i * 7 mod n, i * i mod n), added from the last to the first and twice, are numbered in the
 * order of their leaves and found again; others are not there. */
static void check(uint32_t nleaves, uint32_t npairs, uint64_t nrows, bool is_dense)
{
    struct axis axes[2];
    vc_tuples *tuples;
    vc_error error = {0};
    build(&axes[0], nleaves);
    build(&axes[1], nleaves);
    const vc_dimension *dimensions[] = {axes[0].dimension, axes[1].dimension};
    cr_assert_eq(vc_tuples_new(dimensions, 2, nrows, &tuples, &error), VC_OK);
    cr_assert_eq(tuples->dense != NULL, is_dense);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = npairs; i-- > 0;) {
            uint64_t code = code_of(tuples, i * 7 % nleaves, (uint32_t)((uint64_t)i * i % nleaves));
            cr_assert_eq(vc_tuples_add(tuples, &code, 1, &error), VC_OK);
        }
    cr_assert_eq(vc_tuples_finish(tuples, &error), VC_OK);
    bool *is_there = calloc((size_t)nleaves * nleaves, sizeof *is_there);
    uint32_t count = 0;
    for (uint32_t i = 0; i < npairs; i++)
        is_there[(size_t)(i * 7 % nleaves) * nleaves + (uint64_t)i * i % nleaves] = true;
    for (uint32_t a = 0; a < nleaves; a++)
        for (uint32_t b = 0; b < nleaves; b++) {
            uint64_t code = code_of(tuples, a, b);
            uint32_t number;
            vc_tuples_find(tuples, &code, 1, &number);
            if (!is_there[(size_t)a * nleaves + b]) {
                cr_assert_eq(number, VC_NONE);
                continue;
            }
            cr_assert_eq(number, count, "(%u, %u) is %u, not %u", a, b, number, count);
            cr_assert_eq(vc_tuples_leaf(tuples, 0, number), a);
            cr_assert_eq(vc_tuples_leaf(tuples, 1, number), b);
            count++;
        }
    cr_assert_eq(tuples->count, count);
    free(is_there);
    vc_tuples_free(tuples);
    release(&axes[0]);
    release(&axes[1]);
}

Test(tuples, dense)
{
    check(20, 50, 50, true);
}

Test(tuples, hashed)
{
    check(1000, 60000, 100, false); /* grows twice */
}

Test(tuples, no_facts)
{
    check(3, 0, 0, true);
}

Test(tuples, too_many)
{
    struct axis axis;
    vc_tuples *tuples;
    vc_error error = {0};
    build(&axis, 1000);
    const vc_dimension *dimensions[7];
    for (int i = 0; i < 7; i++)
        dimensions[i] = axis.dimension;
    cr_assert_eq(vc_tuples_new(dimensions, 7, 10, &tuples, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "limit_tuples");
    release(&axis);
}
