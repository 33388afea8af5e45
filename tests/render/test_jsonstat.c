#include "tests/render/sample.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

/* A dataset read back; NULL where the rendering said that keys are ambiguous. */
static json_t *render_dataset(const vc_result *result, bool is_pretty)
{
    vc_buffer buffer = {0};
    vc_error error = {0};
    vc_render_options options = {.is_pretty = is_pretty};
    vc_status status = render_status(&buffer, result, VC_FORMAT_JSONSTAT, &options, &error);
    json_t *json = NULL;
    if (status == VC_OK) {
        json_error_t where;
        json = json_loadb(buffer.data, buffer.size, JSON_REJECT_DUPLICATES, &where);
        cr_assert_not_null(json, "%s\n%s", where.text, vc_buffer_text(&buffer));
    } else {
        cr_assert_eq(status, VC_IMPOSSIBLE);
        cr_assert_str_eq(error.code, "ambiguous_key");
        cr_assert_eq(buffer.size, 0);
    }
    vc_buffer_release(&buffer);
    return json;
}

static json_t *category_of(const json_t *dataset, const char *dimension)
{
    json_t *dimensions = json_object_get(dataset, "dimension");
    return json_object_get(json_object_get(dimensions, dimension), "category");
}

/* The positions of the categories that stand for members: neither parents nor All. */
static size_t list_member_positions(const json_t *category, size_t *positions)
{
    const json_t *index = json_object_get(category, "index");
    const json_t *child = json_object_get(category, "child");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(index); i++) {
        const char *id = json_string_value(json_array_get(index, i));
        if (json_object_get(child, id) == NULL) positions[count++] = i;
    }
    return count;
}

/* Where a row stands in the grid, from what the dataset says of its categories. */
static size_t index_of_row(const vc_result *result, const json_t *dataset, size_t row)
{
    size_t index = 0;
    for (size_t a = 0; a < result->naxes; a++) {
        const json_t *category = category_of(
            dataset, json_string_value(json_array_get(json_object_get(dataset, "id"), a)));
        size_t size = json_array_size(json_object_get(category, "index")), positions[64];
        size_t npositions = list_member_positions(category, positions);
        uint32_t member = result->coords[row * result->naxes + a];
        size_t place = member == VC_NONE ? npositions - 1 : member;
        cr_assert_lt(place, npositions);
        index = index * size + positions[place];
    }
    return index * result->nmeasures;
}

static const json_t *value_at(const json_t *values, size_t index)
{
    if (json_is_array(values)) return json_array_get(values, index);
    char key[24];
    snprintf(key, sizeof key, "%zu", index);
    return json_object_get(values, key);
}

static void check_cell(const vc_result_measure *measure, const vc_cell *cell, const json_t *dataset,
                       size_t index)
{
    char key[24];
    snprintf(key, sizeof key, "%zu", index);
    const json_t *value = value_at(json_object_get(dataset, "value"), index);
    const json_t *status = json_object_get(json_object_get(dataset, "status"), key);
    cr_assert_not_null(value);
    cr_assert_eq(json_is_null(value), cell->is_null);
    if (!cell->is_null && measure->type == VC_VALUE_INT)
        cr_assert_eq(json_integer_value(value), cell->as.i);
    if (!cell->is_null && measure->type == VC_VALUE_FLOAT)
        cr_assert_eq(json_number_value(value), cell->as.f);
    cr_assert_eq(status == NULL ? 0 : json_string_value(status)[0], cell->reason);
}

static bool is_repeated_later(const vc_result *result, size_t row)
{
    size_t width = result->naxes * sizeof *result->coords;
    for (size_t later = row + 1; later < result->nrows; later++)
        if (memcmp(&result->coords[row * result->naxes], &result->coords[later * result->naxes],
                   width) == 0)
            return true;
    return false;
}

/* Rows that a real answer cannot have are taken away: those of equal coordinates, but the last. */
static void drop_repeated(vc_result *result, vc_arena *arena)
{
    uint32_t *coords = VC_ARENA_NEW(arena, uint32_t, result->nrows * result->naxes + 1);
    vc_cell *cells = VC_ARENA_NEW(arena, vc_cell, result->nrows * result->nmeasures + 1);
    size_t nrows = 0, ndetail = 0;
    for (size_t row = 0; row < result->nrows; row++) {
        if (is_repeated_later(result, row)) continue;
        memcpy(&coords[nrows * result->naxes], &result->coords[row * result->naxes],
               result->naxes * sizeof *coords);
        memcpy(&cells[nrows * result->nmeasures], &result->cells[row * result->nmeasures],
               result->nmeasures * sizeof *cells);
        nrows++;
        ndetail += row < result->ndetail_rows;
    }
    result->coords = coords;
    result->cells = cells;
    result->nrows = nrows;
    result->ndetail_rows = ndetail;
}

Test(jsonstat, random_results_read_back)
{
    unsigned seed = 20261123;
    int nread = 0, nsparse = 0, nparents = 0;
    for (int round = 0; round < 3000; round++) {
        vc_arena arena = {0};
        vc_result result = sample_random(&arena, &seed);
        drop_repeated(&result, &arena);
        json_t *dataset = render_dataset(&result, round % 2 == 0);
        /* A single dimension is in the order of the rows: another test. */
        if (dataset != NULL && result.naxes != 1) {
            const json_t *values = json_object_get(dataset, "value");
            size_t npoints = 1;
            for (size_t i = 0; i <= result.naxes; i++)
                npoints *=
                    (size_t)json_integer_value(json_array_get(json_object_get(dataset, "size"), i));
            if (json_is_array(values)) cr_assert_eq(json_array_size(values), npoints);
            if (json_is_object(values))
                cr_assert_eq(json_object_size(values), result.nrows * result.nmeasures);
            for (size_t row = 0; row < result.nrows; row++)
                for (size_t m = 0; m < result.nmeasures; m++)
                    check_cell(&result.measures[m], &result.cells[row * result.nmeasures + m],
                               dataset, index_of_row(&result, dataset, row) + m);
            nread++;
            nsparse += json_is_object(values);
            for (size_t a = 0; a < result.naxes; a++)
                nparents += result.axes[a].nlevels > 1;
        }
        json_decref(dataset);
        vc_arena_release(&arena);
    }
    cr_assert_gt(nread, 500, "%d", nread);
    cr_assert_gt(nsparse, 200, "%d", nsparse);
    cr_assert_gt(nparents, 200, "%d", nparents);
}

/* The order that was asked for is the order of the categories. */
Test(jsonstat, one_dimension_is_in_the_order_of_the_rows)
{
    vc_arena arena = {0};
    vc_result result = sample_golden(&arena);
    uint32_t *coords = VC_ARENA_NEW(&arena, uint32_t, result.nrows);
    memcpy(coords, result.coords, result.nrows * sizeof *coords);
    coords[0] = result.coords[4];
    coords[4] = result.coords[0];
    result.coords = coords;
    json_t *dataset = render_dataset(&result, false);
    const json_t *index = json_object_get(category_of(dataset, "country"), "index");
    static const char *const expected[] = {"JP", "DE", "US", "XK", "FR", "()"};
    cr_assert_eq(json_array_size(index), 6);
    for (size_t i = 0; i < 6; i++)
        cr_assert_str_eq(json_string_value(json_array_get(index, i)), expected[i]);
    json_decref(dataset);
    vc_arena_release(&arena);
}

/* Two Springfields: with the levels above them they are two categories, without an error. */
Test(jsonstat, equal_keys_are_told_apart_by_their_paths)
{
    vc_arena arena = {0};
    static const vc_str illinois[] = {{"Illinois", 8}, {"Springfield", 11}};
    static const vc_str ohio[] = {{"Ohio, the", 9}, {"Springfield", 11}};
    vc_result_member members[] = {{.keys = illinois, .labels = illinois},
                                  {.keys = ohio, .labels = ohio}};
    vc_result_level levels[] = {{.name = VC_STR("state")}, {.name = VC_STR("city")}};
    vc_result_axis axis = {.dimension = VC_STR("geo"),
                           .ref = VC_STR("geo"),
                           .nlevels = 2,
                           .levels = levels,
                           .nmembers = 2,
                           .members = members};
    vc_result result = sample_golden(&arena);
    uint32_t coords[] = {0, 1};
    result.axes = &axis;
    result.coords = coords;
    result.nrows = result.ndetail_rows = 2;
    json_t *dataset = render_dataset(&result, false);
    cr_assert_not_null(dataset);
    json_t *category = category_of(dataset, "geo");
    char *text = json_dumps(json_object_get(category, "child"), JSON_COMPACT | JSON_SORT_KEYS);
    cr_assert_str_eq(text, "{\"Illinois\":[\"Illinois,Springfield\"],"
                           "\"Ohio\\\\, the\":[\"Ohio\\\\, the,Springfield\"]}");
    free(text);
    json_decref(dataset);

    axis.nlevels = 1;
    axis.levels = levels + 1;
    members[0].keys = members[0].labels = illinois + 1;
    members[1].keys = members[1].labels = ohio + 1;
    cr_assert_null(render_dataset(&result, false));
    vc_arena_release(&arena);
}
