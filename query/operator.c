#include "query/operator.h"

#include "base/nearest.h"

#include <limits.h>
#include <stdio.h>

static const vc_operator_info operators[] = {
    {"equals", "eq", VC_OPERATOR_EQUALS, true, VC_OP_EQ, 1, UINT_MAX},
    {"notEquals", "ne", VC_OPERATOR_NOT_EQUALS, true, VC_OP_NE, 1, UINT_MAX},
    {"gt", NULL, VC_OPERATOR_GT, true, VC_OP_GT, 1, 1},
    {"gte", "ge", VC_OPERATOR_GTE, true, VC_OP_GE, 1, 1},
    {"lt", NULL, VC_OPERATOR_LT, true, VC_OP_LT, 1, 1},
    {"lte", "le", VC_OPERATOR_LTE, true, VC_OP_LE, 1, 1},
    {"set", NULL, VC_OPERATOR_SET, true, VC_OP_SET, 0, 0},
    {"notSet", NULL, VC_OPERATOR_NOT_SET, true, VC_OP_NOT_SET, 0, 0},
    {"inDateRange", NULL, VC_OPERATOR_IN_DATE_RANGE, false, 0, 2, 2},
    {"contains", NULL, VC_OPERATOR_CONTAINS, false, 0, 1, UINT_MAX},
    {"startsWith", NULL, VC_OPERATOR_STARTS_WITH, false, 0, 1, UINT_MAX},
    {"endsWith", NULL, VC_OPERATOR_ENDS_WITH, false, 0, 1, UINT_MAX},
};

enum { NOPERATORS = sizeof operators / sizeof operators[0] };

static vc_status fail_unknown(vc_str name, bool is_for_measures, vc_error *error)
{
    char list[160] = "";
    size_t used = 0;
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < NOPERATORS; i++) {
        if (is_for_measures && !operators[i].is_for_measures) continue;
        vc_nearest_offer(&nearest, vc_str_of(operators[i].name));
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                                 operators[i].name);
    }
    vc_fail(error, VC_BAD_INPUT, "unknown_operator",
            "unknown operator '%.*s' for %s; expected one of: %s", VC_FMT(name),
            is_for_measures ? "a measure" : "members", list);
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

vc_status vc_operator_find(vc_str name, bool is_for_measures, const vc_operator_info **info_out,
                           vc_error *error)
{
    for (size_t i = 0; i < NOPERATORS; i++) {
        const vc_operator_info *info = &operators[i];
        if (is_for_measures && !info->is_for_measures) continue;
        if (!vc_str_is(name, info->name) &&
            (info->short_name == NULL || !vc_str_is(name, info->short_name)))
            continue;
        *info_out = info;
        return VC_OK;
    }
    return fail_unknown(name, is_for_measures, error);
}

vc_status vc_operator_check_values(const vc_operator_info *info, size_t nvalues, vc_error *error)
{
    if (nvalues >= info->min_values && nvalues <= info->max_values) return VC_OK;
    static const char *const counts[] = {"no value", "exactly one value", "exactly two values"};
    return vc_fail(
        error, VC_BAD_INPUT, "bad_value", "operator '%s' takes %s, found %zu", info->name,
        info->max_values == UINT_MAX ? "at least one value" : counts[info->max_values], nvalues);
}
