#include "cube/cut.h"

#include <string.h>

static const char reserved[] = VC_CUT_RESERVED;

vc_status vc_dimref_scan(vc_scan *scan, const char *stops, vc_dimref *dimref)
{
    *dimref = (vc_dimref){.place = vc_scan_place(scan, scan->at)};
    vc_status status = vc_scan_name(scan, stops, "the name of a dimension", &dimref->dimension);
    if (status == VC_OK && vc_scan_take(scan, '@'))
        status = vc_scan_name(scan, stops, "the name of a hierarchy", &dimref->hierarchy);
    if (status == VC_OK && vc_scan_take(scan, '.'))
        status = vc_scan_name(scan, stops, "the name of a level or an index", &dimref->level);
    return status;
}

/* A path, which is never empty: where nothing is written it is one empty key. */
static vc_status parse_path(vc_scan *scan, bool is_single_key, const vc_str **keys_out,
                            size_t *nkeys_out)
{
    vc_list keys = {0};
    do {
        if (keys.count > 0 && is_single_key)
            return vc_scan_fail(scan, scan->at - 1,
                                "one key, because a level or an index is named ('\\,' is a comma "
                                "inside a key)");
        vc_str *key = VC_LIST_NEW(&keys, scan->arena, vc_str);
        if (key == NULL) return vc_no_memory(scan->error);
        vc_status status = vc_scan_word(scan, reserved, key);
        if (status != VC_OK) return status;
    } while (vc_scan_take(scan, ','));
    *keys_out = keys.items;
    *nkeys_out = keys.count;
    return VC_OK;
}

/* An item, or one of its parts, ends where a delimiter or the text's end comes. */
static bool is_at_item_end(const vc_scan *scan)
{
    char byte = vc_scan_peek(scan);
    return vc_scan_is_end(scan) || byte == ';' || byte == '|';
}

/* Step over "()" unless it is only the beginning of a key. */
static bool take_all(vc_scan *scan)
{
    size_t first = scan->at;
    if (!vc_scan_take_text(scan, "()")) return false;
    if (vc_scan_is_end(scan) || strchr(reserved, vc_scan_peek(scan)) != NULL) return true;
    scan->at = first;
    return false;
}

/* Behind the "-". */
static vc_status parse_range_end(vc_scan *scan, bool is_single_key, vc_item *item)
{
    size_t dash = scan->at - 1;
    item->kind = VC_ITEM_RANGE;
    if (!is_at_item_end(scan))
        return parse_path(scan, is_single_key, &item->end_keys, &item->nend_keys);
    if (item->nkeys > 0) return VC_OK;
    return vc_scan_fail(scan, dash, "a range with at least one end ('\\-' is a '-' inside a key)");
}

/* Behind the "/". */
static vc_status parse_relatives(vc_scan *scan, vc_item *item)
{
    if (vc_scan_take_text(scan, "children")) {
        item->kind = VC_ITEM_CHILDREN;
        return VC_OK;
    }
    if (!vc_scan_take_text(scan, "descendants"))
        return vc_scan_fail(scan, scan->at,
                            "'children' or 'descendants' ('\\/' is a slash inside a key)");
    item->kind = VC_ITEM_DESCENDANTS;
    if (!vc_scan_take(scan, ':')) return VC_OK;
    return vc_scan_name(scan, reserved, "the name of a level", &item->level);
}

static vc_status parse_item(vc_scan *scan, bool is_single_key, vc_item *item)
{
    item->place = vc_scan_place(scan, scan->at);
    if (vc_scan_take(scan, '#')) {
        item->kind = VC_ITEM_MEMBER_SET;
        vc_str *name = VC_ARENA_NEW(scan->arena, vc_str, 1);
        if (name == NULL) return vc_no_memory(scan->error);
        item->keys = name;
        item->nkeys = 1;
        return vc_scan_name(scan, reserved, "the name of a member set", name);
    }
    if (take_all(scan)) {
        item->kind = VC_ITEM_ALL;
        return vc_scan_take(scan, '/') ? parse_relatives(scan, item) : VC_OK;
    }
    item->kind = VC_ITEM_PATH;
    if (vc_scan_take(scan, '-')) return parse_range_end(scan, is_single_key, item);
    vc_status status = parse_path(scan, is_single_key, &item->keys, &item->nkeys);
    if (status != VC_OK) return status;
    if (vc_scan_take(scan, '-')) return parse_range_end(scan, is_single_key, item);
    if (vc_scan_take(scan, '/')) return parse_relatives(scan, item);
    return VC_OK;
}

static vc_status parse_selection(vc_scan *scan, vc_condition *condition)
{
    bool is_single_key = !vc_str_is_null(condition->dimref.level);
    vc_list items = {0};
    do {
        vc_item *item = VC_LIST_NEW(&items, scan->arena, vc_item);
        if (item == NULL) return vc_no_memory(scan->error);
        vc_status status = parse_item(scan, is_single_key, item);
        if (status != VC_OK) return status;
        if (!is_at_item_end(scan))
            return vc_scan_fail(scan, scan->at,
                                "';', '|' or the end (inside a key it needs a '\\' before it)");
    } while (vc_scan_take(scan, ';'));
    condition->items = items.items;
    condition->nitems = items.count;
    return VC_OK;
}

/* Wrap a condition into its negation. NULL when out of memory. */
static vc_condition *negate(vc_arena *arena, vc_condition *child, vc_place place)
{
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    vc_condition **children = VC_ARENA_NEW(arena, vc_condition *, 1);
    if (condition == NULL || children == NULL) return NULL;
    children[0] = child;
    *condition = (vc_condition){.kind = VC_CONDITION_NOT,
                                .dimref = child->dimref,
                                .children = children,
                                .nchildren = 1,
                                .place = place};
    return condition;
}

static vc_status parse_dimcut(vc_scan *scan, vc_condition **condition_out)
{
    vc_place place = vc_scan_place(scan, scan->at);
    bool is_negated = vc_scan_take(scan, '!');
    vc_condition *condition = VC_ARENA_NEW(scan->arena, vc_condition, 1);
    if (condition == NULL) return vc_no_memory(scan->error);
    condition->kind = VC_CONDITION_ITEMS;
    condition->place = place;
    vc_status status = vc_dimref_scan(scan, reserved, &condition->dimref);
    if (status != VC_OK) return status;
    if (!vc_scan_take(scan, ':'))
        return vc_scan_fail(scan, scan->at, "':' and the members to cut by");
    status = parse_selection(scan, condition);
    if (status != VC_OK) return status;
    if (is_negated) condition = negate(scan->arena, condition, place);
    *condition_out = condition;
    return condition != NULL ? VC_OK : vc_no_memory(scan->error);
}

vc_status vc_cut_parse(vc_source_text source, vc_arena *arena, vc_list *conditions, vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    do {
        vc_condition **condition = VC_LIST_NEW(conditions, arena, vc_condition *);
        if (condition == NULL) return vc_no_memory(error);
        vc_status status = parse_dimcut(&scan, condition);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, '|'));
    return VC_OK; /* a selection ends at '|' or at the end only */
}

vc_status vc_dimref_parse(vc_source_text source, vc_arena *arena, vc_dimref *dimref_out,
                          vc_error *error)
{
    vc_scan scan = {.source = source, .arena = arena, .error = error};
    vc_status status = vc_dimref_scan(&scan, "@.", dimref_out);
    if (status == VC_OK && !vc_scan_is_end(&scan))
        status = vc_scan_fail(&scan, scan.at, "the end of the dimension's reference");
    return status;
}
