#include "query/canonical.h"

#include "base/buffer.h"

#include <stdlib.h>

/* Letters, digits, spaces, "_" and all of UTF-8 beyond ASCII stand for themselves; anything else
 * that is part of a name or a key gets a backslash, so it cannot be a delimiter. */
static void put_text(vc_buffer *buffer, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_plain = byte >= 0x80 || byte == '_' || byte == ' ' ||
                        (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= 'A' && byte <= 'Z');
        if (!is_plain) vc_buffer_put_char(buffer, '\\');
        vc_buffer_put_char(buffer, (char)byte);
    }
}

/* A text that may be absent, behind its delimiter. */
static void put_optional(vc_buffer *buffer, char delimiter, vc_str text)
{
    if (vc_str_is_null(text)) return;
    vc_buffer_put_char(buffer, delimiter);
    put_text(buffer, text);
}

static void put_dimref(vc_buffer *buffer, const vc_dimref *dimref, char before_level)
{
    put_text(buffer, dimref->dimension);
    put_optional(buffer, '@', dimref->hierarchy);
    put_optional(buffer, before_level, dimref->level);
}

static void put_path(vc_buffer *buffer, const vc_str *keys, size_t nkeys)
{
    for (size_t i = 0; i < nkeys; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        put_text(buffer, keys[i]);
    }
}

/* An item as in a cut; what a cut cannot say stands in parentheses, which are escaped in keys. */
static void put_item(vc_buffer *buffer, const vc_item *item)
{
    static const char *const words[] = {
        [VC_ITEM_ALL] = "()",
        [VC_ITEM_NULL] = "(null)",
        [VC_ITEM_NOT_NULL] = "(set)",
        [VC_ITEM_CONTAINS] = "(contains)",
        [VC_ITEM_STARTS_WITH] = "(starts)",
        [VC_ITEM_ENDS_WITH] = "(ends)",
        [VC_ITEM_MEMBER_SET] = "#",
    };
    bool is_relative = item->kind == VC_ITEM_CHILDREN || item->kind == VC_ITEM_DESCENDANTS;
    if (is_relative && item->nkeys == 0)
        vc_buffer_put_text(buffer, "()");
    else if (!is_relative && item->kind != VC_ITEM_PATH && item->kind != VC_ITEM_RANGE)
        vc_buffer_put_text(buffer, words[item->kind]);
    if (item->text_of != VC_TEXT_OF_BOTH)
        vc_buffer_put_text(buffer, item->text_of == VC_TEXT_OF_KEY ? "(key)" : "(label)");
    put_path(buffer, item->keys, item->nkeys);
    if (item->kind == VC_ITEM_CHILDREN) vc_buffer_put_text(buffer, "/children");
    if (item->kind == VC_ITEM_DESCENDANTS) {
        vc_buffer_put_text(buffer, "/descendants");
        put_optional(buffer, ':', item->level);
    }
    if (item->kind == VC_ITEM_RANGE) {
        if (item->excludes_first) vc_buffer_put_char(buffer, '!');
        vc_buffer_put_char(buffer, '-');
        if (item->excludes_end) vc_buffer_put_char(buffer, '!');
        put_path(buffer, item->end_keys, item->nend_keys);
    }
}

/* ---- parts in any order: written one by one, sorted, each once ---- */

static vc_str take_part(vc_buffer *buffer, vc_arena *arena)
{
    vc_buffer_text(buffer); /* so that an empty part is a text as well */
    vc_str part = {0};
    if (!buffer->failed)
        part = vc_arena_str(arena, (vc_str){.data = buffer->data, .size = buffer->size});
    return part;
}

static int compare_parts(const void *a, const void *b)
{
    return vc_str_compare(*(const vc_str *)a, *(const vc_str *)b);
}

/* Join parts that mean the same in any order. An absent part makes the buffer fail. */
static void put_sorted(vc_buffer *buffer, vc_str *parts, size_t nparts, const char *delimiter)
{
    if (nparts > 1) qsort(parts, nparts, sizeof *parts, compare_parts);
    for (size_t i = 0; i < nparts; i++) {
        if (vc_str_is_null(parts[i])) buffer->failed = true;
        if (i > 0 && vc_str_equal(parts[i], parts[i - 1])) continue;
        if (i > 0) vc_buffer_put_text(buffer, delimiter);
        vc_buffer_put_str(buffer, parts[i]);
    }
}

static vc_str condition_text(const vc_condition *condition, vc_arena *arena);

static void put_items(vc_buffer *buffer, const vc_condition *condition, vc_arena *arena)
{
    vc_str *parts = VC_ARENA_NEW(arena, vc_str, condition->nitems);
    if (parts == NULL) {
        buffer->failed = true;
        return;
    }
    vc_buffer part = {0};
    for (size_t i = 0; i < condition->nitems; i++) {
        vc_buffer_clear(&part);
        put_item(&part, &condition->items[i]);
        parts[i] = take_part(&part, arena);
    }
    vc_buffer_release(&part);
    put_dimref(buffer, &condition->dimref, '.');
    vc_buffer_put_char(buffer, ':');
    put_sorted(buffer, parts, condition->nitems, ";");
}

static void put_conditions(vc_buffer *buffer, vc_condition *const *conditions, size_t nconditions,
                           const char *delimiter, vc_arena *arena)
{
    vc_str *parts = VC_ARENA_NEW(arena, vc_str, nconditions);
    if (parts == NULL) {
        buffer->failed = true;
        return;
    }
    for (size_t i = 0; i < nconditions; i++)
        parts[i] = condition_text(conditions[i], arena);
    put_sorted(buffer, parts, nconditions, delimiter);
}

/* As deep as the condition, which the parsers bound. */
static vc_str condition_text(const vc_condition *condition, vc_arena *arena)
{
    vc_buffer buffer = {0};
    switch (condition->kind) {
    case VC_CONDITION_ITEMS: put_items(&buffer, condition, arena); break;
    case VC_CONDITION_NOT:
        vc_buffer_put_char(&buffer, '!');
        put_conditions(&buffer, condition->children, condition->nchildren, "", arena);
        break;
    case VC_CONDITION_AND:
    case VC_CONDITION_OR:
        vc_buffer_put_char(&buffer, '(');
        put_conditions(&buffer, condition->children, condition->nchildren,
                       condition->kind == VC_CONDITION_AND ? "&" : "|", arena);
        vc_buffer_put_char(&buffer, ')');
        break;
    }
    vc_str text = take_part(&buffer, arena);
    vc_buffer_release(&buffer);
    return text;
}

static void put_having(vc_buffer *buffer, const vc_having *having)
{
    static const char *const names[] = {"eq", "ne", "gt", "ge", "lt", "le", "set", "notSet"};
    put_text(buffer, having->measure);
    vc_buffer_put_char(buffer, ':');
    vc_buffer_put_text(buffer, names[having->op]);
    for (size_t i = 0; i < having->nvalues; i++) {
        vc_buffer_put_char(buffer, i == 0 ? ':' : ';');
        vc_buffer_put_double(buffer, having->values[i]);
    }
}

static void put_havings(vc_buffer *buffer, const vc_query *query, vc_arena *arena)
{
    vc_str *parts = VC_ARENA_NEW(arena, vc_str, query->nhavings);
    if (parts == NULL) {
        buffer->failed = true;
        return;
    }
    vc_buffer part = {0};
    for (size_t i = 0; i < query->nhavings; i++) {
        vc_buffer_clear(&part);
        put_having(&part, &query->havings[i]);
        parts[i] = take_part(&part, arena);
    }
    vc_buffer_release(&part);
    put_sorted(buffer, parts, query->nhavings, "|");
}

/* ---- parts whose order matters ---- */

static void put_measure(vc_buffer *buffer, const vc_measure_ref *measure)
{
    put_text(buffer, measure->name);
    put_optional(buffer, '=', measure->expr);
    put_optional(buffer, '#', measure->format);
    put_optional(buffer, '@', measure->unit);
    if (measure->has_solve_order) vc_buffer_printf(buffer, "!%d", measure->solve_order);
}

static void put_total(vc_buffer *buffer, const vc_total *total)
{
    if (total->ndimensions == 0) vc_buffer_put_text(buffer, "()");
    put_path(buffer, total->dimensions, total->ndimensions);
}

static void put_order(vc_buffer *buffer, const vc_order *order)
{
    put_text(buffer, order->name);
    vc_buffer_put_text(buffer, order->is_descending ? ":desc" : ":asc");
}

static void put_top(vc_buffer *buffer, const vc_top *top)
{
    vc_buffer_put_int(buffer, (int64_t)top->count);
    put_optional(buffer, ':', top->dimension);
    put_optional(buffer, ':', top->measure);
    vc_buffer_put_text(buffer, top->is_ascending ? ":asc" : ":desc");
    if (top->has_other) vc_buffer_put_text(buffer, ":other");
}

static void put_calculated(vc_buffer *buffer, const vc_calculated_def *member)
{
    put_text(buffer, member->dim);
    put_optional(buffer, '@', member->hierarchy);
    put_optional(buffer, ':', member->name);
    put_optional(buffer, '=', member->expr);
    put_optional(buffer, '(', member->label);
    put_optional(buffer, '/', member->parent);
    put_optional(buffer, '.', member->level);
    put_optional(buffer, '$', member->unit);
    put_optional(buffer, '#', member->format);
    put_optional(buffer, '?', member->description);
    vc_buffer_printf(buffer, "!%d", member->solve_order);
}

static void put_lists(vc_buffer *buffer, const vc_query *query)
{
    for (size_t i = 0; i < query->ncalculated; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&calculated=" : "|");
        put_calculated(buffer, &query->calculated[i]);
    }
    for (size_t i = 0; i < query->naxes; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&drilldown=" : "|");
        put_dimref(buffer, &query->axes[i].dimref, ':');
    }
    for (size_t i = 0; i < query->nmeasures; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&measures=" : "|");
        put_measure(buffer, &query->measures[i]);
    }
    for (size_t i = 0; i < query->ntotals; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&totals=" : "|");
        put_total(buffer, &query->totals[i]);
    }
    for (size_t i = 0; i < query->norders; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&order=" : "|");
        put_order(buffer, &query->orders[i]);
    }
    for (size_t i = 0; i < query->ntops; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&top=" : "|");
        put_top(buffer, &query->tops[i]);
    }
    for (size_t i = 0; i < query->nproperties; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&properties=" : "|");
        put_text(buffer, query->properties[i].name);
    }
    for (size_t i = 0; i < query->nnonempty; i++) {
        vc_buffer_put_text(buffer, i == 0 ? "&nonempty=" : "|");
        put_text(buffer, query->nonempty[i].name);
    }
}

static void put_named(vc_buffer *buffer, const char *name, vc_str text)
{
    if (vc_str_is_null(text)) return;
    vc_buffer_put_text(buffer, name);
    put_text(buffer, text);
}

static void put_scalars(vc_buffer *buffer, const vc_query *query)
{
    if (query->limit != UINT64_MAX) vc_buffer_printf(buffer, "&limit=%ju", (uintmax_t)query->limit);
    if (query->offset != 0) vc_buffer_printf(buffer, "&offset=%ju", (uintmax_t)query->offset);
    if (!query->is_sparse) vc_buffer_put_text(buffer, "&sparse=false");
    if (query->has_parents) vc_buffer_put_text(buffer, "&parents=true");
    if (query->totals_visible) vc_buffer_put_text(buffer, "&totals_scope=visible");
    if (query->wants_explain) vc_buffer_put_text(buffer, "&explain=true");
    if (query->has_bom) vc_buffer_put_text(buffer, "&bom=true");
    if (query->has_status) vc_buffer_put_text(buffer, "&status=true");
    put_named(buffer, "&format=", query->format);
    if (!vc_str_is(query->header, "names")) put_named(buffer, "&header=", query->header);
    put_named(buffer, "&at=", query->at);
}

vc_str vc_query_canonical(const vc_query *query, vc_arena *arena)
{
    vc_buffer buffer = {0};
    vc_buffer_put_text(&buffer, "cube=");
    put_text(&buffer, query->cube);
    if (query->nconditions > 0) {
        vc_buffer_put_text(&buffer, "&cut=");
        put_conditions(&buffer, query->conditions, query->nconditions, "|", arena);
    }
    if (query->nhavings > 0) {
        vc_buffer_put_text(&buffer, "&having=");
        put_havings(&buffer, query, arena);
    }
    put_lists(&buffer, query);
    put_scalars(&buffer, query);
    vc_str text = take_part(&buffer, arena);
    vc_buffer_release(&buffer);
    return text;
}
