/* Operators by name: the long names of bodies, the short ones of URLs, one table for both.
 *
 * Measures are compared (`having`), members are selected (`filters`); some operators do only one.
 * Threads: pure.
 */
#ifndef QUERY_OPERATOR_H
#define QUERY_OPERATOR_H

#include "base/status.h"
#include "slice/query.h"

typedef enum vc_operator_id {
    VC_OPERATOR_EQUALS,
    VC_OPERATOR_NOT_EQUALS,
    VC_OPERATOR_GT,
    VC_OPERATOR_GTE,
    VC_OPERATOR_LT,
    VC_OPERATOR_LTE,
    VC_OPERATOR_SET,
    VC_OPERATOR_NOT_SET,
    VC_OPERATOR_IN_DATE_RANGE,
    VC_OPERATOR_CONTAINS,
    VC_OPERATOR_STARTS_WITH,
    VC_OPERATOR_ENDS_WITH,
} vc_operator_id;

typedef struct vc_operator_info {
    const char *name;       /* "notEquals" */
    const char *short_name; /* "ne"; NULL: none */
    vc_operator_id id;
    bool is_for_measures;
    vc_operator measure_operator; /* where is_for_measures */
    unsigned min_values, max_values;
} vc_operator_info;

/* By either name. VC_BAD_INPUT, code "unknown_operator", with the list of names and candidates.
 *
 * is_for_measures  leave out the operators that only members have */
vc_status vc_operator_find(vc_str name, bool is_for_measures, const vc_operator_info **info_out,
                           vc_error *error);

/* Is that many values right? VC_BAD_INPUT, code "bad_value", otherwise. */
vc_status vc_operator_check_values(const vc_operator_info *info, size_t nvalues, vc_error *error);

#endif
