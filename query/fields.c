#include "query/fields.h"

#include "query/clauses.h"
#include "query/grammar.h"

#include <stdio.h>

typedef vc_status (*put_function)(vc_query_builder *builder, vc_source_text source,
                                  vc_error *error);

struct vc_query_field {
    const char *name;
    bool repeats;
    put_function put;
};

/* ---- lists ---- */

static vc_status put_cut(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_cut_parse(source, builder->arena, &builder->conditions, error);
}

static vc_status put_drilldown(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_drilldown_parse(source, builder->arena, &builder->axes, error);
}

static vc_status put_measures(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_measures_parse(source, builder->arena, &builder->measures, error);
}

static vc_status put_having(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_having_parse(source, builder->arena, &builder->havings, error);
}

static vc_status put_order(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_order_parse(source, builder->arena, &builder->orders, error);
}

static vc_status put_top(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_top_parse(source, builder->arena, &builder->tops, error);
}

static vc_status put_totals(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_totals_parse(source, builder->arena, &builder->totals, error);
}

static vc_status put_properties(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_name_refs_parse(source, "the name of an attribute", builder->arena,
                              &builder->properties, error);
}

static vc_status put_nonempty(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return vc_name_refs_parse(source, "the name of a dimension", builder->arena, &builder->nonempty,
                              error);
}

/* ---- scalars ---- */

static vc_status fail_value(vc_source_text source, const char *expected, vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "bad_parameter", "found '%.*s', expected %s", VC_FMT(source.text),
            expected);
    vc_place place = {.where = source.where, .offset = source.base};
    return vc_error_at_place(error, VC_BAD_INPUT, place);
}

static vc_status read_count(vc_source_text source, uint64_t *count_out, vc_error *error)
{
    int64_t count = 0;
    if (vc_parse_int(source.text, &count) != VC_PARSE_OK || count < 0)
        return fail_value(source, "a whole number from 0", error);
    *count_out = (uint64_t)count;
    return VC_OK;
}

/* One of two words: sets *flag_out for `yes`, clears it for `no`. */
static vc_status read_choice(vc_source_text source, const char *yes, const char *no, bool *flag_out,
                             vc_error *error)
{
    bool is_yes = vc_str_is(source.text, yes);
    if (!is_yes && !vc_str_is(source.text, no)) {
        char expected[64];
        snprintf(expected, sizeof expected, "'%s' or '%s'", yes, no);
        return fail_value(source, expected, error);
    }
    *flag_out = is_yes;
    return VC_OK;
}

static vc_status read_text(vc_query_builder *builder, vc_source_text source, const char *expected,
                           vc_str *text_out, vc_error *error)
{
    if (source.text.size == 0) return fail_value(source, expected, error);
    *text_out = vc_arena_str(builder->arena, source.text);
    return vc_str_is_null(*text_out) ? vc_no_memory(error) : VC_OK;
}

static vc_status put_limit(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_count(source, &builder->query.limit, error);
}

static vc_status put_offset(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_count(source, &builder->query.offset, error);
}

static vc_status put_sparse(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_choice(source, "true", "false", &builder->query.is_sparse, error);
}

static vc_status put_parents(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_choice(source, "true", "false", &builder->query.has_parents, error);
}

static vc_status put_explain(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_choice(source, "true", "false", &builder->query.wants_explain, error);
}

static vc_status put_bom(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_choice(source, "true", "false", &builder->query.has_bom, error);
}

static vc_status put_status(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_choice(source, "true", "false", &builder->query.has_status, error);
}

static vc_status put_totals_scope(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_choice(source, "visible", "all", &builder->query.totals_visible, error);
}

static vc_status put_cache(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_choice(source, "off", "on", &builder->query.no_cache, error);
}

static vc_status put_at(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_text(builder, source, "the id of a snapshot", &builder->query.at, error);
}

static vc_status put_format(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    return read_text(builder, source, "the name of a format", &builder->query.format, error);
}

static vc_status put_header(vc_query_builder *builder, vc_source_text source, vc_error *error)
{
    if (!vc_str_is(source.text, "names") && !vc_str_is(source.text, "labels") &&
        !vc_str_is(source.text, "none"))
        return fail_value(source, "'names', 'labels' or 'none'", error);
    return read_text(builder, source, "a kind of header", &builder->query.header, error);
}

static const vc_query_field fields[] = {
    {"drilldown", true, put_drilldown},
    {"cut", true, put_cut},
    {"measures", true, put_measures},
    {"having", true, put_having},
    {"order", true, put_order},
    {"limit", false, put_limit},
    {"offset", false, put_offset},
    {"top", true, put_top},
    {"totals", true, put_totals},
    {"totals_scope", false, put_totals_scope},
    {"nonempty", true, put_nonempty},
    {"sparse", false, put_sparse},
    {"parents", false, put_parents},
    {"properties", true, put_properties},
    {"format", false, put_format},
    {"header", false, put_header},
    {"bom", false, put_bom},
    {"status", false, put_status},
    {"explain", false, put_explain},
    {"at", false, put_at},
    {"cache", false, put_cache},
};

enum { NFIELDS = sizeof fields / sizeof fields[0] };

void vc_query_builder_init(vc_query_builder *builder, vc_arena *arena)
{
    *builder = (vc_query_builder){.arena = arena, .query = vc_query_default()};
}

vc_query vc_query_builder_finish(vc_query_builder *builder)
{
    vc_query query = builder->query;
    query.measures = builder->measures.items;
    query.nmeasures = builder->measures.count;
    query.axes = builder->axes.items;
    query.naxes = builder->axes.count;
    query.conditions = builder->conditions.items;
    query.nconditions = builder->conditions.count;
    query.havings = builder->havings.items;
    query.nhavings = builder->havings.count;
    query.totals = builder->totals.items;
    query.ntotals = builder->totals.count;
    query.orders = builder->orders.items;
    query.norders = builder->orders.count;
    query.tops = builder->tops.items;
    query.ntops = builder->tops.count;
    query.properties = builder->properties.items;
    query.nproperties = builder->properties.count;
    query.calculated = builder->calculated.items;
    query.ncalculated = builder->calculated.count;
    query.nonempty = builder->nonempty.items;
    query.nnonempty = builder->nonempty.count;
    return query;
}

const vc_query_field *vc_query_field_find(vc_str name)
{
    for (size_t i = 0; i < NFIELDS; i++)
        if (vc_str_is(name, fields[i].name)) return &fields[i];
    return NULL;
}

bool vc_query_field_repeats(const vc_query_field *field)
{
    return field->repeats;
}

const char *vc_query_field_name(size_t number)
{
    return number < NFIELDS ? fields[number].name : NULL;
}

vc_status vc_query_field_put(const vc_query_field *field, vc_query_builder *builder,
                             vc_source_text source, vc_error *error)
{
    return field->put(builder, source, error);
}
