#include "query/grammar.h"

static vc_status parse_group(vc_scan *scan, vc_axis_ref *axis)
{
    vc_status status = vc_dimref_scan(scan, VC_CUT_RESERVED, &axis->dimref);
    if (status != VC_OK) return status;
    bool has_level = !vc_str_is_null(axis->dimref.level);
    if (!has_level && vc_scan_take(scan, ':'))
        status = vc_scan_name(scan, VC_CUT_RESERVED, "the name of a level", &axis->dimref.level);
    if (status != VC_OK || vc_scan_is_end(scan) || vc_scan_peek(scan) == '|') return status;
    return vc_scan_fail(scan, scan->at,
                        !vc_str_is_null(axis->dimref.level) ? "'|' or the end"
                                                            : "':' and a level, '|' or the end");
}

vc_status vc_drilldown_parse(vc_source_text source, vc_arena *arena, vc_list *axes, vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_axis_ref *axis = VC_LIST_NEW(axes, arena, vc_axis_ref);
        if (axis == NULL) return vc_no_memory(error);
        vc_status status = parse_group(&scan, axis);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, '|'));
    return VC_OK;
}
