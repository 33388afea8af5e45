/* Tests of time dimensions: ranges of days, on levels whose keys are periods. */
#include "http/cubejs_parts.h"

static vc_status fail_at(vc_body_node node, vc_status status, vc_error *error)
{
    return vc_error_at_place(error, status, vc_body_node_place(node));
}

static vc_status fail_bounds(const vc_cubejs_catalog *catalog, size_t dimension, vc_place place,
                             vc_error *error)
{
    const vc_cubejs_time_level *finest = vc_cubejs_finest_time(catalog, dimension);
    vc_fail(error, VC_IMPOSSIBLE, "unsupported",
            "the range begins or ends within a %s, and the facts of '%.*s' know no part of one: a "
            "range must begin with a %s and end with one",
            vc_cubejs_part_name(finest->part), VC_FMT(catalog->cube->dimensions[dimension].name),
            vc_cubejs_part_name(finest->part));
    return vc_error_at_place(error, VC_IMPOSSIBLE, place);
}

static bool is_on_bounds(const vc_cubejs_range *range, vc_time_part part)
{
    return (!range->has_first || vc_cubejs_period_of(range->first, part).first == range->first) &&
           (!range->has_end || vc_cubejs_period_of(range->end, part).first == range->end);
}

static vc_dimref time_dimref(const vc_cubejs_catalog *catalog, const vc_cubejs_time_level *time,
                             vc_place place)
{
    const vc_cube_dimension *outer = &catalog->cube->dimensions[time->dimension];
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[time->hierarchy];
    vc_dimref dimref = {
        .dimension = outer->name, .level = hierarchy->levels[time->level].name, .place = place};
    if (time->hierarchy > 0) dimref.hierarchy = hierarchy->name;
    return dimref;
}

/* The key of the period that a day is in, in the arena. Days that no key can have are moved to the
 * first or the last that one can. */
static vc_status new_key(int64_t day, vc_time_part part, vc_arena *arena, vc_str *key_out,
                         vc_error *error)
{
    char text[VC_TIME_KEY_BYTES];
    if (!vc_cubejs_key_of(day, part, text))
        return vc_fail(error, VC_BAD_INPUT, "bad_value",
                       "the range lies outside of the years 0000 to 9999");
    *key_out = vc_arena_str(arena, vc_str_of(text));
    return vc_str_is_null(*key_out) ? vc_no_memory(error) : VC_OK;
}

vc_status vc_cubejs_range_condition(const vc_cubejs_catalog *catalog, size_t dimension,
                                    const vc_cubejs_range *range, vc_place place, vc_arena *arena,
                                    vc_condition **condition_out, vc_error *error)
{
    /* Weeks are tried after months, which they are no part of. */
    static const vc_time_part parts[] = {VC_TIME_YEAR, VC_TIME_QUARTER, VC_TIME_MONTH, VC_TIME_WEEK,
                                         VC_TIME_DAY};
    const vc_cubejs_time_level *time = NULL;
    vc_cubejs_reading in = {.catalog = catalog, .arena = arena};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && time == NULL; i++)
        if (is_on_bounds(range, parts[i])) time = vc_cubejs_find_time(catalog, dimension, parts[i]);
    if (time == NULL) return fail_bounds(catalog, dimension, place, error);
    vc_str *keys = VC_ARENA_NEW(arena, vc_str, 2);
    vc_item *item = VC_ARENA_NEW(arena, vc_item, 1);
    if (keys == NULL || item == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    *item = (vc_item){.kind = VC_ITEM_RANGE, .keys = keys, .end_keys = keys + 1};
    if (range->has_first) status = new_key(range->first, time->part, arena, &keys[0], error);
    if (status == VC_OK && range->has_end)
        status = new_key(range->end - 1, time->part, arena, &keys[1], error);
    if (status != VC_OK) return vc_error_at_place(error, status, place);
    item->nkeys = range->has_first;
    item->nend_keys = range->has_end;
    *condition_out = vc_cubejs_new_items(&in, time_dimref(catalog, time, place), item, 1, place);
    return *condition_out == NULL ? vc_no_memory(error) : VC_OK;
}

/* What is no date is neither in a range nor outside of it. */
static vc_condition *but_dated(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                               vc_condition *condition)
{
    vc_list both = {0};
    vc_place place = vc_body_node_place(of->node);
    vc_item *item = VC_ARENA_NEW(in->arena, vc_item, 1);
    if (item == NULL) return NULL;
    *item = (vc_item){.kind = VC_ITEM_NOT_NULL};
    const vc_cubejs_time_level *finest = vc_cubejs_finest_time(in->catalog, of->member->number);
    vc_dimref dimref = time_dimref(in->catalog, finest, place);
    if (!vc_cubejs_add_condition(&both, in->arena, vc_cubejs_negate(in->arena, condition)) ||
        !vc_cubejs_add_condition(&both, in->arena, vc_cubejs_new_items(in, dimref, item, 1, place)))
        return NULL;
    return vc_cubejs_new_group(in->arena, VC_CONDITION_AND, &both, place);
}

/* The days that "beforeDate" and its like leave. A date alone is a whole day. */
static vc_status read_one_sided(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                                vc_cubejs_range *range, vc_error *error)
{
    vc_body_node node;
    vc_str text;
    int64_t day;
    vc_cubejs_moment moment;
    vc_status status = vc_cubejs_need_values(of, 1, 1, error);
    if (status == VC_OK) status = vc_cubejs_get_value(in, of, 0, &node, &text, error);
    if (status != VC_OK) return status;
    if (vc_str_is_null(text)) return vc_body_node_fail_type(node, "a date", error);
    status = vc_cubejs_moment_read(text, &day, &moment, error);
    if (status != VC_OK) return fail_at(node, status, error);
    vc_cubejs_test_id id = of->how->id;
    bool is_before = id == VC_CUBEJS_TEST_BEFORE || id == VC_CUBEJS_TEST_BEFORE_OR_ON;
    bool wants_begin = id == VC_CUBEJS_TEST_BEFORE || id == VC_CUBEJS_TEST_AFTER_OR_ON;
    if (moment != VC_CUBEJS_DATE && wants_begin != (moment == VC_CUBEJS_BEGIN)) {
        vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                "'%s' goes by whole days: write the date without a time of day", of->how->name);
        return fail_at(node, VC_IMPOSSIBLE, error);
    }
    int64_t bound = wants_begin ? day : day + 1;
    *range = is_before ? (vc_cubejs_range){.has_end = true, .end = bound}
                       : (vc_cubejs_range){.has_first = true, .first = bound};
    return VC_OK;
}

/* Days that equal one of the values: each a range of a day. */
static vc_status read_days(const vc_cubejs_reading *in, const vc_cubejs_test *of, vc_list *ranges,
                           vc_error *error)
{
    vc_status status = vc_cubejs_need_values(of, 1, SIZE_MAX, error);
    for (size_t i = 0; i < of->nvalues && status == VC_OK; i++) {
        vc_body_node node;
        vc_str text;
        vc_cubejs_moment moment;
        vc_cubejs_range *range = VC_LIST_NEW(ranges, in->arena, vc_cubejs_range);
        if (range == NULL) return vc_no_memory(error);
        status = vc_cubejs_get_value(in, of, i, &node, &text, error);
        if (status != VC_OK) return status;
        if (vc_str_is_null(text)) return vc_body_node_fail_type(node, "a date", error);
        status = vc_cubejs_moment_read(text, &range->first, &moment, error);
        if (status == VC_OK && moment == VC_CUBEJS_END)
            status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                             "'%.*s' is the end of a day; a day is written as its date or its "
                             "beginning",
                             VC_FMT(text));
        if (status != VC_OK) return fail_at(node, status, error);
        range->has_first = range->has_end = true;
        range->end = range->first + 1;
    }
    return status;
}

/* One range: a pair of dates in `values`, or words as the only one. */
static vc_status read_range(const vc_cubejs_reading *in, const vc_cubejs_test *of, vc_list *ranges,
                            vc_error *error)
{
    vc_cubejs_range *range = VC_LIST_NEW(ranges, in->arena, vc_cubejs_range);
    if (range == NULL) return vc_no_memory(error);
    vc_status status = vc_cubejs_need_values(of, 1, 2, error);
    if (status != VC_OK) return status;
    return vc_cubejs_range_read(of->values, in->today, in->arena, range, in->is_relative, error);
}

vc_status vc_cubejs_read_time(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                              vc_condition **condition_out, vc_error *error)
{
    vc_list ranges = {0}, any = {0};
    vc_place place = vc_body_node_place(of->node);
    vc_status status;
    vc_cubejs_test_id id = of->how->id;
    if (id == VC_CUBEJS_TEST_SET) { /* of the most exact level */
        const vc_cubejs_time_level *finest = vc_cubejs_finest_time(in->catalog, of->member->number);
        vc_item *item = VC_ARENA_NEW(in->arena, vc_item, 1);
        if (item == NULL) return vc_no_memory(error);
        status = vc_cubejs_need_values(of, 0, 0, error);
        if (status != VC_OK) return status;
        item->kind = of->how->is_negated ? VC_ITEM_NULL : VC_ITEM_NOT_NULL;
        *condition_out =
            vc_cubejs_new_items(in, time_dimref(in->catalog, finest, place), item, 1, place);
        return *condition_out == NULL ? vc_no_memory(error) : VC_OK;
    }
    if (id == VC_CUBEJS_TEST_EQUALS) {
        status = read_days(in, of, &ranges, error);
    } else if (id == VC_CUBEJS_TEST_IN_DATE_RANGE) {
        status = read_range(in, of, &ranges, error);
    } else if (id >= VC_CUBEJS_TEST_BEFORE && id <= VC_CUBEJS_TEST_AFTER_OR_ON) {
        vc_cubejs_range *range = VC_LIST_NEW(&ranges, in->arena, vc_cubejs_range);
        status = range == NULL ? vc_no_memory(error) : read_one_sided(in, of, range, error);
    } else {
        return vc_cubejs_fail_operator(of, error);
    }
    for (size_t i = 0; i < ranges.count && status == VC_OK; i++) {
        vc_condition *condition;
        status = vc_cubejs_range_condition(in->catalog, of->member->number,
                                           (const vc_cubejs_range *)ranges.items + i, place,
                                           in->arena, &condition, error);
        if (status == VC_OK && !vc_cubejs_add_condition(&any, in->arena, condition))
            status = vc_no_memory(error);
    }
    if (status != VC_OK) return status;
    *condition_out = vc_cubejs_new_group(in->arena, VC_CONDITION_OR, &any, place);
    if (*condition_out != NULL && of->how->is_negated)
        *condition_out = id == VC_CUBEJS_TEST_EQUALS ? vc_cubejs_negate(in->arena, *condition_out)
                                                     : but_dated(in, of, *condition_out);
    return *condition_out == NULL ? vc_no_memory(error) : VC_OK;
}
