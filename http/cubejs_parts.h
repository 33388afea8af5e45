/* Inside the dialect of Cube: filters while they are read. */
#ifndef HTTP_CUBEJS_PARTS_H
#define HTTP_CUBEJS_PARTS_H

#include "http/cubejs.h"

typedef enum vc_cubejs_test_id {
    VC_CUBEJS_TEST_EQUALS,
    VC_CUBEJS_TEST_CONTAINS,
    VC_CUBEJS_TEST_STARTS_WITH,
    VC_CUBEJS_TEST_ENDS_WITH,
    VC_CUBEJS_TEST_GT,
    VC_CUBEJS_TEST_GTE,
    VC_CUBEJS_TEST_LT,
    VC_CUBEJS_TEST_LTE,
    VC_CUBEJS_TEST_SET,
    VC_CUBEJS_TEST_IN_DATE_RANGE,
    VC_CUBEJS_TEST_BEFORE,
    VC_CUBEJS_TEST_BEFORE_OR_ON,
    VC_CUBEJS_TEST_AFTER,
    VC_CUBEJS_TEST_AFTER_OR_ON,
    VC_CUBEJS_TEST_MEASURE_FILTER,
} vc_cubejs_test_id;

typedef struct vc_cubejs_operator {
    const char *name;
    vc_cubejs_test_id id;
    bool is_negated;
} vc_cubejs_operator;

typedef struct vc_cubejs_reading {
    const vc_cubejs_catalog *catalog;
    int64_t today;
    vc_arena *arena;
    bool *is_relative;
} vc_cubejs_reading;

typedef struct vc_cubejs_test { /* one filter, looked up */
    const vc_cubejs_member *member;
    const vc_cubejs_operator *how;
    vc_body_node node, values; /* values.json NULL: none */
    size_t nvalues;
} vc_cubejs_test;

/* VC_IMPOSSIBLE, code "unsupported": the operator is not for such a member. */
vc_status vc_cubejs_fail_operator(const vc_cubejs_test *of, vc_error *error);

/* VC_BAD_INPUT, code "bad_value", unless there are that many values. */
vc_status vc_cubejs_need_values(const vc_cubejs_test *of, size_t min, size_t max, vc_error *error);

/* A value as text; absent for null. VC_BAD_INPUT, code "bad_type". */
vc_status vc_cubejs_get_value(const vc_cubejs_reading *in, const vc_cubejs_test *of, size_t i,
                              vc_body_node *node_out, vc_str *text_out, vc_error *error);

/* Conditions in the arena; NULL when out of memory, also when a part is NULL. */
vc_condition *vc_cubejs_new_items(const vc_cubejs_reading *in, vc_dimref dimref, vc_item *items,
                                  size_t nitems, vc_place place);
vc_condition *vc_cubejs_new_group(vc_arena *arena, vc_condition_kind kind,
                                  const vc_list *conditions, vc_place place);
vc_condition *vc_cubejs_negate(vc_arena *arena, vc_condition *condition);

/* Add to a list of `vc_condition *`. False when out of memory, or when the condition is NULL. */
bool vc_cubejs_add_condition(vc_list *conditions, vc_arena *arena, vc_condition *condition);

/* The condition of a test on a level, a label or an attribute; of one on a time dimension. */
vc_status vc_cubejs_read_members(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                                 vc_condition **condition_out, vc_error *error);
vc_status vc_cubejs_read_time(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                              vc_condition **condition_out, vc_error *error);

#endif
