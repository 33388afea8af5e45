#include "query/clauses.h"

#include "query/operator.h"

bool vc_direction_find(vc_str name, bool *is_descending_out)
{
    *is_descending_out = vc_str_is(name, "desc");
    return *is_descending_out || vc_str_is(name, "asc");
}

vc_status vc_name_refs_parse(vc_source_text source, const char *what, vc_arena *arena,
                             vc_list *refs, vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_name_ref *ref = VC_LIST_NEW(refs, arena, vc_name_ref);
        if (ref == NULL) return vc_no_memory(error);
        ref->place = vc_scan_place(&scan, scan.at);
        vc_status status = vc_scan_name(&scan, ",|", what, &ref->name);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, ',') || vc_scan_take(&scan, '|'));
    return VC_OK;
}

vc_status vc_names_parse(vc_source_text source, const char *what, vc_arena *arena, vc_list *names,
                         vc_error *error)
{
    vc_list refs = {0};
    vc_status status = vc_name_refs_parse(source, what, arena, &refs, error);
    for (size_t i = 0; i < refs.count && status == VC_OK; i++) {
        vc_str *name = VC_LIST_NEW(names, arena, vc_str);
        if (name == NULL) return vc_no_memory(error);
        *name = ((const vc_name_ref *)refs.items)[i].name;
    }
    return status;
}

vc_status vc_measures_parse(vc_source_text source, vc_arena *arena, vc_list *measures,
                            vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_measure_ref *measure = VC_LIST_NEW(measures, arena, vc_measure_ref);
        if (measure == NULL) return vc_no_memory(error);
        measure->place = vc_scan_place(&scan, scan.at);
        vc_status status = vc_scan_name(&scan, ",|", "the name of a measure", &measure->name);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, ',') || vc_scan_take(&scan, '|'));
    return VC_OK;
}

/* [":" value *( ";" value )] */
static vc_status parse_values(vc_scan *scan, vc_having *having)
{
    if (!vc_scan_take(scan, ':')) return VC_OK;
    vc_list values = {0};
    do {
        size_t first = scan->at;
        vc_str word;
        vc_status status = vc_scan_word(scan, ";|:", &word);
        if (status != VC_OK) return status;
        double *value = VC_LIST_NEW(&values, scan->arena, double);
        if (value == NULL) return vc_no_memory(scan->error);
        if (vc_parse_double(word, '.', value) != VC_PARSE_OK)
            return vc_scan_fail(scan, first, "a finite number");
    } while (vc_scan_take(scan, ';'));
    having->values = values.items;
    having->nvalues = values.count;
    return VC_OK;
}

static vc_status parse_test(vc_scan *scan, vc_having *having)
{
    having->place = vc_scan_place(scan, scan->at);
    vc_status status = vc_scan_name(scan, ":|;", "a measure", &having->measure);
    if (status != VC_OK) return status;
    if (!vc_scan_take(scan, ':')) return vc_scan_fail(scan, scan->at, "':' and an operator");
    size_t first = scan->at;
    vc_str word;
    status = vc_scan_name(scan, ":|;", "an operator", &word);
    if (status != VC_OK) return status;
    const vc_operator_info *info;
    status = vc_operator_find(word, true, &info, scan->error);
    if (status != VC_OK) return vc_error_at_place(scan->error, status, vc_scan_place(scan, first));
    having->op = info->measure_operator;
    status = parse_values(scan, having);
    if (status != VC_OK) return status;
    status = vc_operator_check_values(info, having->nvalues, scan->error);
    if (status != VC_OK) return vc_error_at_place(scan->error, status, vc_scan_place(scan, first));
    return VC_OK;
}

vc_status vc_having_parse(vc_source_text source, vc_arena *arena, vc_list *havings, vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_having *having = VC_LIST_NEW(havings, arena, vc_having);
        if (having == NULL) return vc_no_memory(error);
        vc_status status = parse_test(&scan, having);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, '|'));
    return vc_scan_is_end(&scan) ? VC_OK : vc_scan_fail(&scan, scan.at, "'|' or the end");
}

/* [":" ("asc" / "desc")], and then the end of the part. */
static vc_status parse_direction(vc_scan *scan, bool *is_descending)
{
    if (vc_scan_take(scan, ':')) {
        size_t first = scan->at;
        vc_str word;
        vc_status status = vc_scan_word(scan, "|:,", &word);
        if (status != VC_OK) return status;
        if (!vc_direction_find(word, is_descending))
            return vc_scan_fail(scan, first, "'asc' or 'desc'");
    }
    if (vc_scan_is_end(scan) || vc_scan_peek(scan) == '|') return VC_OK;
    return vc_scan_fail(scan, scan->at, "'|' or the end");
}

vc_status vc_order_parse(vc_source_text source, vc_arena *arena, vc_list *orders, vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_order *order = VC_LIST_NEW(orders, arena, vc_order);
        if (order == NULL) return vc_no_memory(error);
        order->place = vc_scan_place(&scan, scan.at);
        vc_status status = vc_scan_name(&scan, "|:,", "a measure or a level", &order->name);
        if (status == VC_OK) status = parse_direction(&scan, &order->is_descending);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, '|'));
    return VC_OK;
}

static vc_status parse_count(vc_scan *scan, uint64_t *count_out)
{
    size_t first = scan->at;
    vc_str word;
    int64_t count = 0;
    vc_status status = vc_scan_word(scan, ":|", &word);
    if (status != VC_OK) return status;
    if (vc_parse_int(word, &count) != VC_PARSE_OK || count < 1)
        return vc_scan_fail(scan, first, "how many members, a whole number from 1");
    *count_out = (uint64_t)count;
    return VC_OK;
}

/* [":" ("asc" / "desc")] [":other"], and then the end of the part. */
static vc_status parse_rest_of_top(vc_scan *scan, vc_top *top)
{
    bool is_descending = true, found;
    vc_str word = {0};
    size_t first = scan->at;
    const char *expected = "'asc', 'desc' or 'other'";
    vc_status status = VC_OK;
    if (vc_scan_take(scan, ':')) {
        first = scan->at;
        status = vc_scan_word(scan, "|:,", &word);
        if (status == VC_OK && vc_direction_find(word, &found)) {
            is_descending = found;
            word = (vc_str){0};
            expected = "'other'";
            first = scan->at;
            if (vc_scan_take(scan, ':')) {
                first = scan->at;
                status = vc_scan_word(scan, "|:,", &word);
            }
        }
    }
    if (status != VC_OK) return status;
    top->is_ascending = !is_descending;
    top->has_other = vc_str_is(word, "other");
    if (word.data != NULL && !top->has_other) return vc_scan_fail(scan, first, expected);
    if (vc_scan_is_end(scan) || vc_scan_peek(scan) == '|') return VC_OK;
    return vc_scan_fail(scan, scan->at, "'|' or the end");
}

static vc_status parse_best(vc_scan *scan, vc_top *top)
{
    top->place = vc_scan_place(scan, scan->at);
    vc_status status = parse_count(scan, &top->count);
    if (status != VC_OK) return status;
    if (!vc_scan_take(scan, ':')) return vc_scan_fail(scan, scan->at, "':' and a dimension");
    status = vc_scan_name(scan, ":|", "the name of a dimension", &top->dimension);
    if (status != VC_OK) return status;
    if (!vc_scan_take(scan, ':')) return vc_scan_fail(scan, scan->at, "':' and a measure");
    status = vc_scan_name(scan, ":|", "the name of a measure", &top->measure);
    return status == VC_OK ? parse_rest_of_top(scan, top) : status;
}

vc_status vc_top_parse(vc_source_text source, vc_arena *arena, vc_list *tops, vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_top *top = VC_LIST_NEW(tops, arena, vc_top);
        if (top == NULL) return vc_no_memory(error);
        vc_status status = parse_best(&scan, top);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, '|'));
    return VC_OK;
}

static vc_status parse_total(vc_scan *scan, vc_total *total)
{
    total->place = vc_scan_place(scan, scan->at);
    vc_list names = {0};
    size_t first = scan->at;
    if (vc_scan_take_text(scan, "()") && (vc_scan_is_end(scan) || vc_scan_peek(scan) == '|'))
        return VC_OK;
    scan->at = first;
    do {
        vc_str *name = VC_LIST_NEW(&names, scan->arena, vc_str);
        if (name == NULL) return vc_no_memory(scan->error);
        vc_status status = vc_scan_name(scan, ",|", "the name of a dimension, or '()'", name);
        if (status != VC_OK) return status;
    } while (vc_scan_take(scan, ','));
    total->dimensions = names.items;
    total->ndimensions = names.count;
    return VC_OK;
}

vc_status vc_totals_parse(vc_source_text source, vc_arena *arena, vc_list *totals, vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_total *total = VC_LIST_NEW(totals, arena, vc_total);
        if (total == NULL) return vc_no_memory(error);
        vc_status status = parse_total(&scan, total);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, '|'));
    return VC_OK;
}
