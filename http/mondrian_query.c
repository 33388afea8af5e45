/* The parameters of `aggregate` as a query and the form of its answer. */
#include "http/mondrian.h"

#include "base/list.h"
#include "query/canonical.h"
#include "slice/property.h"

#include <string.h>

struct reading {
    const vc_cube *cube;
    vc_arena *arena;
    vc_query query;
    vc_mondrian_form form;
    vc_list axes, places, conditions, measures, havings, properties, columns;
    bool is_descending;
    const vc_parameter *order;
};

/* ---- names of parameters ---- */

vc_str vc_mondrian_parameter_name(vc_str name)
{
    size_t at = name.size;
    if (at < 2 || name.data[at - 1] != ']') return name;
    for (at--; at > 0 && name.data[at - 1] >= '0' && name.data[at - 1] <= '9';)
        at--;
    return at > 0 && name.data[at - 1] == '[' ? (vc_str){name.data, at - 1} : name;
}

vc_status vc_mondrian_check_parameters(const vc_request *request, const char *const *known,
                                       vc_arena *arena, vc_error *error)
{
    vc_request plain = *request;
    vc_parameter *parameters = VC_ARENA_NEW(arena, vc_parameter, request->nparameters + 1);
    if (parameters == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < request->nparameters; i++)
        parameters[i].name = vc_mondrian_parameter_name(request->parameters[i].name);
    plain.parameters = parameters;
    return vc_request_check_parameters(&plain, known, error);
}

static vc_status fail_at(const vc_parameter *parameter, size_t offset, vc_error *error,
                         const char *found, const char *expected)
{
    char name[64];
    vc_str plain = vc_mondrian_parameter_name(parameter->name);
    snprintf(name, sizeof name, "%.*s", VC_FMT(plain));
    vc_fail(error, VC_BAD_INPUT, "bad_parameter", "found '%s', expected %s", found, expected);
    vc_error_at_offset(error, name, offset);
    return VC_BAD_INPUT;
}

vc_status vc_mondrian_read_flag(const vc_parameter *parameter, bool *flag_out, vc_error *error)
{
    static const char *const yes[] = {"true", "1", "yes", "on"}, *const no[] = {"false", "0", "no",
                                                                                "off"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (vc_str_is(parameter->value, yes[i]) || vc_str_is(parameter->value, no[i])) {
            *flag_out = vc_str_is(parameter->value, yes[i]);
            return VC_OK;
        }
    vc_str value = parameter->value;
    char found[40];
    snprintf(found, sizeof found, "%.*s", (int)(value.size > 32 ? 32 : value.size), value.data);
    return fail_at(parameter, 0, error, found, "true or false");
}

/* ---- lists ---- */

typedef vc_status put_function(struct reading *in, vc_source_text source, vc_error *error);

static vc_status put_drilldown(struct reading *in, vc_source_text source, vc_error *error)
{
    vc_mdx_name name;
    vc_mondrian_ref ref;
    vc_status status = vc_mdx_name_parse(source, in->arena, &name, error);
    if (status == VC_OK) status = vc_mondrian_resolve_level(in->cube, &name, &ref, error);
    if (status != VC_OK) return status;
    const vc_cube_dimension *outer = &in->cube->dimensions[ref.dimension];
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[ref.hierarchy];
    vc_axis_ref *axis = VC_LIST_NEW(&in->axes, in->arena, vc_axis_ref);
    vc_mondrian_axis *form = VC_LIST_NEW(&in->places, in->arena, vc_mondrian_axis);
    if (axis == NULL || form == NULL) return vc_no_memory(error);
    axis->dimref = (vc_dimref){
        .dimension = outer->name, .level = hierarchy->levels[ref.level].name, .place = name.place};
    if (ref.hierarchy > 0) axis->dimref.hierarchy = hierarchy->name;
    *form = (vc_mondrian_axis){.outer = outer, .hierarchy = ref.hierarchy, .level = ref.level};
    return VC_OK;
}

static vc_status put_cut(struct reading *in, vc_source_text source, vc_error *error)
{
    vc_condition *condition;
    vc_status status = vc_mondrian_cut_read(in->cube, source, in->arena, &condition, error);
    vc_condition **slot =
        status == VC_OK ? VC_LIST_NEW(&in->conditions, in->arena, vc_condition *) : NULL;
    if (status == VC_OK && slot == NULL) return vc_no_memory(error);
    if (status == VC_OK) *slot = condition;
    return status;
}

/* A measure by its name, or as "[Measures].[pop]". */
static vc_status find_measure(struct reading *in, vc_source_text source, vc_str *name_out,
                              vc_error *error)
{
    size_t number;
    vc_mdx_name name;
    vc_error ignored = {0};
    vc_place place = {.where = source.where, .offset = source.base};
    vc_status status = vc_cube_find_measure(in->cube, source.text, &number, error);
    if (status != VC_OK && vc_str_starts_with(source.text, VC_STR("[Measures].")) &&
        vc_mdx_name_parse(source, in->arena, &name, &ignored) == VC_OK && name.nparts == 2)
        status = vc_cube_find_measure(in->cube, name.parts[1].text, &number, error);
    if (status != VC_OK) return vc_error_at_place(error, status, place);
    *name_out = in->cube->measures[number].name;
    return VC_OK;
}

static vc_status put_measure(struct reading *in, vc_source_text source, vc_error *error)
{
    vc_str name;
    vc_status status = find_measure(in, source, &name, error);
    vc_measure_ref *ref =
        status == VC_OK ? VC_LIST_NEW(&in->measures, in->arena, vc_measure_ref) : NULL;
    if (status == VC_OK && ref == NULL) return vc_no_memory(error);
    if (status != VC_OK) return status;
    *ref = (vc_measure_ref){.name = name, .place = {.where = source.where, .offset = source.base}};
    return VC_OK;
}

/* ---- filters ---- */

/* Where the last operator of "GDP per head >= 5" is; names may have such characters, numbers not.
 */
static bool find_operator(vc_str text, size_t *first_out, size_t *end_out, vc_operator *op_out)
{
    static const struct {
        const char *text;
        vc_operator op;
    } operators[] = {{">=", VC_OP_GE}, {"<=", VC_OP_LE}, {"<>", VC_OP_NE},
                     {">", VC_OP_GT},  {"<", VC_OP_LT},  {"=", VC_OP_EQ}};
    for (size_t end = text.size; end > 0; end--) {
        if (strchr("<>=", text.data[end - 1]) == NULL || text.data[end - 1] == '\0') continue;
        for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
            size_t size = strlen(operators[i].text);
            if (size > end || memcmp(text.data + end - size, operators[i].text, size) != 0)
                continue;
            *first_out = end - size;
            *end_out = end;
            *op_out = operators[i].op;
            return true;
        }
    }
    return false;
}

static vc_status put_filter(struct reading *in, vc_source_text source, vc_error *error)
{
    size_t first, end;
    vc_operator op;
    vc_str text = source.text;
    double *value = VC_ARENA_NEW(in->arena, double, 1);
    if (value == NULL) return vc_no_memory(error);
    bool is_good = find_operator(text, &first, &end, &op);
    vc_str number = is_good ? vc_str_trim((vc_str){text.data + end, text.size - end}) : text;
    if (!is_good || vc_parse_double(number, '.', value) != VC_PARSE_OK) {
        vc_fail(error, VC_BAD_INPUT, "syntax",
                "found '%.*s', expected a measure, one of > >= < <= = <> and a number",
                (int)(text.size > 100 ? 100 : text.size), text.data);
        vc_error_at_offset(error, source.where, source.base);
        return VC_BAD_INPUT;
    }
    vc_source_text measure = source;
    measure.text = vc_str_trim((vc_str){text.data, first});
    vc_having having = {.op = op,
                        .values = value,
                        .nvalues = 1,
                        .place = {.where = source.where, .offset = source.base}};
    vc_status status = find_measure(in, measure, &having.measure, error);
    vc_having *slot = status == VC_OK ? VC_LIST_NEW(&in->havings, in->arena, vc_having) : NULL;
    if (status == VC_OK && slot == NULL) return vc_no_memory(error);
    if (status == VC_OK) *slot = having;
    return status;
}

/* ---- properties ---- */

/* A property as asked, before it is known which dimensions are drilled. */
struct property {
    vc_source_text source;
    bool is_caption;
};

static vc_status put_one(struct reading *in, vc_source_text source, bool is_caption,
                         vc_error *error)
{
    struct property *property = VC_LIST_NEW(&in->properties, in->arena, struct property);
    if (property == NULL) return vc_no_memory(error);
    *property = (struct property){source, is_caption};
    return VC_OK;
}

static vc_status put_property(struct reading *in, vc_source_text source, vc_error *error)
{
    return put_one(in, source, false, error);
}

static vc_status put_caption(struct reading *in, vc_source_text source, vc_error *error)
{
    return put_one(in, source, true, error);
}

/* The axis of a dimension; naxes when it is not drilled. */
static size_t find_axis(const struct reading *in, size_t dimension)
{
    const vc_mondrian_axis *axes = in->places.items;
    size_t axis = 0;
    while (axis < in->places.count && axes[axis].outer != &in->cube->dimensions[dimension])
        axis++;
    return axis;
}

static vc_status fail_property(const struct property *property, vc_error *error, vc_status status,
                               const char *code, const char *message)
{
    vc_fail(error, status, code, "%s", message);
    vc_error_at_offset(error, property->source.where, property->source.base);
    return status;
}

/* Does the text begin with the full name of a level of the hierarchy, and a dot? Then it is of that
 * level, and the rest, whatever is in it, is the name of a property. */
static bool begins_with_level(const struct reading *in, vc_str text, size_t dimension,
                              unsigned hierarchy, vc_buffer *name, vc_str *rest_out)
{
    const vc_cube_dimension *outer = &in->cube->dimensions[dimension];
    const vc_hierarchy *of = &outer->dimension->hierarchies[hierarchy];
    for (unsigned l = 0; l < of->nlevels; l++) {
        vc_buffer_clear(name);
        vc_mondrian_put_level(name, outer->name, outer->dimension, hierarchy, of->levels[l].name);
        vc_buffer_put_char(name, '.');
        if (name->failed || !vc_str_starts_with(text, (vc_str){name->data, name->size})) continue;
        *rest_out = (vc_str){text.data + name->size, text.size - name->size};
        return true;
    }
    return false;
}

/* The dimension and the name of the property in "[geo].[country].iso2", with or without brackets
 * around the name. Clients put no brackets there, so it may have any character. */
static vc_status split_property(struct reading *in, const struct property *property,
                                size_t *dimension_out, vc_str *column_out, vc_error *error)
{
    vc_mdx_name name;
    vc_mondrian_ref ref;
    vc_buffer buffer = {0};
    vc_source_text source = property->source;
    bool is_found = false;
    for (size_t d = 0; d < in->cube->ndimensions && !is_found; d++)
        for (unsigned h = 0; h < in->cube->dimensions[d].dimension->nhierarchies && !is_found; h++)
            if (begins_with_level(in, source.text, d, h, &buffer, column_out)) {
                *dimension_out = d;
                is_found = true;
            }
    bool failed = buffer.failed;
    vc_buffer_release(&buffer);
    if (failed) return vc_no_memory(error);
    if (is_found && (column_out->size == 0 || column_out->data[0] != '[')) return VC_OK;
    vc_status status = vc_mdx_name_parse(source, in->arena, &name, error);
    if (status == VC_OK) status = vc_mondrian_resolve(in->cube, &name, &ref, error);
    if (status != VC_OK) return status;
    if (ref.nread >= name.nparts)
        return fail_property(property, error, VC_BAD_INPUT, "syntax",
                             "found no property behind the level");
    const vc_mdx_part *first = &name.parts[ref.nread];
    *dimension_out = ref.dimension;
    *column_out = ref.nread + 1 == name.nparts ? first->text
                                               : (vc_str){source.text.data + first->offset,
                                                          source.text.size - first->offset};
    return VC_OK;
}

/* Find it, ask for it, and say what its column is. */
static vc_status read_property(struct reading *in, const struct property *property,
                               vc_mondrian_property *out, vc_error *error)
{
    size_t dimension;
    vc_status status = split_property(in, property, &dimension, &out->column, error);
    if (status != VC_OK) return status;
    out->axis = find_axis(in, dimension);
    if (out->axis == in->places.count)
        return fail_property(property, error, VC_IMPOSSIBLE, "unsupported",
                             "the property is of a dimension that is not drilled down");
    out->full = property->source.text;
    const vc_cube_dimension *outer = &in->cube->dimensions[dimension];
    const vc_mondrian_axis *axis = (const vc_mondrian_axis *)in->places.items + out->axis;
    const vc_property *found;
    size_t nfound;
    status =
        vc_property_find(in->cube, &dimension, 1, out->column, in->arena, &found, &nfound, error);
    if (status != VC_OK) {
        vc_error_at_offset(error, property->source.where, property->source.base);
        return status;
    }
    /* As the result calls it. */
    bool is_own = vc_str_is_null(found->alias);
    out->name = is_own && axis->hierarchy > 0
                    ? vc_arena_printf(in->arena, "%.*s@%.*s.%.*s", VC_FMT(outer->name),
                                      VC_FMT(outer->dimension->hierarchies[axis->hierarchy].name),
                                      VC_FMT(found->attribute->name))
                : is_own ? vc_arena_printf(in->arena, "%.*s.%.*s", VC_FMT(outer->name),
                                           VC_FMT(found->attribute->name))
                         : out->column;
    vc_name_ref *asked = VC_LIST_NEW(&in->columns, in->arena, vc_name_ref);
    if (asked == NULL || vc_str_is_null(out->name)) return vc_no_memory(error);
    asked->name = is_own ? vc_arena_printf(in->arena, "%.*s.%.*s", VC_FMT(outer->name),
                                           VC_FMT(found->attribute->name))
                         : out->column;
    asked->place = (vc_place){.where = property->source.where, .offset = property->source.base};
    return vc_str_is_null(asked->name) ? vc_no_memory(error) : VC_OK;
}

static vc_status read_properties(struct reading *in, vc_error *error)
{
    const struct property *asked = in->properties.items;
    vc_mondrian_axis *axes = in->places.items;
    vc_mondrian_property *shown =
        VC_ARENA_NEW(in->arena, vc_mondrian_property, in->properties.count + 1);
    if (shown == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->properties.count; i++) {
        vc_mondrian_property property = {0};
        vc_status status = read_property(in, &asked[i], &property, error);
        if (status != VC_OK) return status;
        if (asked[i].is_caption)
            axes[property.axis].caption = property.name;
        else
            shown[in->form.nproperties++] = property;
    }
    in->form.properties = shown;
    return VC_OK;
}

/* ---- order ---- */

/* A measure, or a level for the order of its members. */
static vc_status read_order(struct reading *in, vc_error *error)
{
    vc_mdx_name name;
    vc_mondrian_ref ref = {0};
    vc_error other = {0};
    const vc_axis_ref *axes = in->axes.items;
    vc_source_text source = {.text = in->order->value, .where = "order"};
    vc_order *order = VC_ARENA_NEW(in->arena, vc_order, 1);
    if (order == NULL) return vc_no_memory(error);
    *order = (vc_order){.is_descending = in->is_descending, .place = {.where = "order"}};
    in->query.orders = order;
    in->query.norders = 1;
    vc_status status = find_measure(in, source, &order->name, error);
    if (status == VC_OK) {
        for (size_t a = 0; a < in->axes.count; a++)
            if (vc_str_equal(axes[a].dimref.dimension, order->name))
                return vc_error_at_place(error,
                                         vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                                                 "the measure has the name of a dimension that is "
                                                 "drilled down, so the order cannot name it"),
                                         order->place);
        return VC_OK;
    }
    if (vc_mdx_name_parse(source, in->arena, &name, &other) != VC_OK || name.nparts < 2 ||
        vc_str_is(name.parts[0].text, "Measures") ||
        vc_mondrian_resolve(in->cube, &name, &ref, &other) != VC_OK)
        return status; /* of the measure */
    size_t axis = find_axis(in, ref.dimension);
    if (axis < in->axes.count && ref.has_level && ref.nread == name.nparts) {
        order->name = axes[axis].dimref.dimension;
        return VC_OK;
    }
    vc_fail(error, VC_IMPOSSIBLE, "unsupported",
            "rows are ordered by a measure, or by a level that is drilled down, which is the order "
            "of its members; not by a property");
    return vc_error_at_place(error, VC_IMPOSSIBLE, order->place);
}

/* ---- all ---- */

static const struct {
    const char *name;
    put_function *put;
} lists[] = {{"drilldown", put_drilldown}, {"cut", put_cut},        {"measures", put_measure},
             {"filter", put_filter},       {"filters", put_filter}, {"properties", put_property},
             {"caption", put_caption}};

static const char *const known[] = {"drilldown", "cut",     "measures", "nonempty",   "distinct",
                                    "parents",   "sparse",  "debug",    "properties", "caption",
                                    "filter",    "filters", "order",    "order_desc", "limit",
                                    "offset",    NULL};

static vc_status put_scalar(struct reading *in, const vc_parameter *parameter, vc_str name,
                            vc_error *error)
{
    bool flag = false;
    if (vc_str_is(name, "limit") || vc_str_is(name, "offset")) return VC_OK;
    if (vc_str_is(name, "order")) {
        if (parameter->value.size > 0) in->order = parameter;
        return VC_OK;
    }
    vc_status status = vc_mondrian_read_flag(parameter, &flag, error);
    if (status != VC_OK) return status;
    if (vc_str_is(name, "nonempty") || vc_str_is(name, "sparse")) in->query.is_sparse |= flag;
    if (vc_str_is(name, "parents")) in->form.has_parents = flag;
    if (vc_str_is(name, "debug")) in->form.is_debug = flag;
    if (vc_str_is(name, "order_desc")) in->is_descending = flag;
    return VC_OK; /* distinct: rows are distinct */
}

static vc_status put(struct reading *in, const vc_parameter *parameter, vc_error *error)
{
    vc_str name = vc_mondrian_parameter_name(parameter->name);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (!vc_str_is(name, lists[i].name)) continue;
        vc_source_text source = {.text = parameter->value, .where = lists[i].name};
        return parameter->value.size == 0 ? VC_OK : lists[i].put(in, source, error);
    }
    return put_scalar(in, parameter, name, error);
}

static vc_status read_page(struct reading *in, const vc_request *request, vc_error *error)
{
    vc_status status =
        vc_request_count(request, "limit", UINT64_MAX, INT64_MAX, &in->query.limit, error);
    if (status == VC_OK)
        status = vc_request_count(request, "offset", 0, INT64_MAX, &in->query.offset, error);
    return status;
}

/* Without measures the first one. */
static vc_status choose_measure(struct reading *in, vc_error *error)
{
    for (size_t m = 0; m < in->cube->nmeasures && in->measures.count == 0; m++) {
        if (in->cube->measures[m].is_hidden) continue;
        vc_measure_ref *ref = VC_LIST_NEW(&in->measures, in->arena, vc_measure_ref);
        if (ref == NULL) return vc_no_memory(error);
        *ref = (vc_measure_ref){.name = in->cube->measures[m].name};
    }
    return VC_OK;
}

vc_status vc_mondrian_query_read(const vc_request *request, const vc_cube *cube, vc_arena *arena,
                                 vc_query *query_out, vc_mondrian_form *form_out, vc_error *error)
{
    struct reading in = {.cube = cube, .arena = arena, .query = vc_query_default()};
    in.query.cube = cube->name;
    in.query.is_sparse = false;
    in.form.kind = form_out->kind;
    vc_status status = vc_mondrian_check_parameters(request, known, arena, error);
    for (size_t i = 0; i < request->nparameters && status == VC_OK; i++)
        status = put(&in, &request->parameters[i], error);
    if (status == VC_OK) status = read_page(&in, request, error);
    if (status == VC_OK) status = read_properties(&in, error);
    if (status == VC_OK) status = choose_measure(&in, error);
    if (status == VC_OK && in.order != NULL) status = read_order(&in, error);
    if (status != VC_OK) return status;
    in.query.axes = in.axes.items;
    in.query.naxes = in.axes.count;
    in.query.conditions = in.conditions.items;
    in.query.nconditions = in.conditions.count;
    in.query.measures = in.measures.items;
    in.query.nmeasures = in.measures.count;
    in.query.havings = in.havings.items;
    in.query.nhavings = in.havings.count;
    in.query.properties = in.columns.items;
    in.query.nproperties = in.columns.count;
    in.query.has_parents = in.form.has_parents || in.form.kind == VC_MONDRIAN_JSON;
    in.form.axes = in.places.items;
    in.form.naxes = in.places.count;
    in.form.question = vc_query_canonical(&in.query, arena);
    if (vc_str_is_null(in.form.question)) return vc_no_memory(error);
    *query_out = in.query;
    *form_out = in.form;
    return VC_OK;
}
