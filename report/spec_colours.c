/* How the measures of a section are shown: "labels", "formats" and "colours". */
#include "base/nearest.h"
#include "report/palette.h"
#include "report/spec_parts.h"

#include <string.h>

typedef struct measure_list {
    vc_spec_reading *in;
    vc_list items; /* vc_spec_measure */
} measure_list;

static vc_spec_measure *get_measure(measure_list *list, const char *name)
{
    vc_spec_measure *items = list->items.items;
    for (size_t i = 0; i < list->items.count; i++)
        if (vc_str_is(items[i].name, name)) return &items[i];
    vc_spec_measure *item = VC_LIST_NEW(&list->items, list->in->arena, vc_spec_measure);
    if (item != NULL) item->name = vc_arena_str(list->in->arena, vc_str_of(name));
    return item;
}

static vc_status read_format(measure_list *list, vc_spec_measure *measure, vc_body_node node)
{
    vc_number_format unused;
    TRY(vc_body_node_name(node, "a number format", list->in->arena, &measure->pattern,
                          list->in->error));
    if (vc_number_format_parse(measure->pattern, &unused)) return VC_OK;
    return vc_spec_fail(list->in, node, measure->pattern, NULL,
                        "a number format as '#,##0' or '0.0%'");
}

/* "#f4c7c3" */
static vc_status read_colour(measure_list *list, vc_body_node node, uint32_t *colour_out)
{
    static const char digits[] = "0123456789abcdef";
    vc_str text = vc_json_str(node.json);
    if (vc_str_is_null(text)) return vc_body_node_fail_type(node, "a colour", list->in->error);
    *colour_out = 0;
    bool is_good = text.size == 7 && text.data[0] == '#';
    for (size_t i = 1; is_good && i < text.size; i++) {
        char lower =
            text.data[i] >= 'A' && text.data[i] <= 'F' ? (char)(text.data[i] + 32) : text.data[i];
        const char *digit = lower == '\0' ? NULL : strchr(digits, lower);
        is_good = digit != NULL;
        if (is_good) *colour_out = *colour_out * 16 + (uint32_t)(digit - digits);
    }
    return is_good ? VC_OK : vc_spec_fail(list->in, node, text, NULL, "a colour as '#f4c7c3'");
}

/* "< 0", ">= 1e6" */
static vc_status read_test(measure_list *list, vc_body_node node, vc_colour_rule *rule)
{
    static const struct {
        const char *sign;
        vc_operator op;
    } signs[] = {{"<=", VC_OP_LE}, {">=", VC_OP_GE}, {"!=", VC_OP_NE}, {"==", VC_OP_EQ},
                 {"=", VC_OP_EQ},  {"<", VC_OP_LT},  {">", VC_OP_GT}};
    vc_str text = vc_json_str(node.json);
    if (vc_str_is_null(text)) return vc_body_node_fail_type(node, "a text", list->in->error);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        vc_str sign = vc_str_of(signs[i].sign), trimmed = vc_str_trim(text);
        if (!vc_str_starts_with(trimmed, sign)) continue;
        vc_str number = {.data = trimmed.data + sign.size, .size = trimmed.size - sign.size};
        rule->op = signs[i].op;
        if (vc_parse_double(vc_str_trim(number), '.', &rule->value) == VC_PARSE_OK) return VC_OK;
        break;
    }
    return vc_spec_fail(list->in, node, text, NULL, "a comparison with a number, as '< 0'");
}

static vc_status read_rules(measure_list *list, vc_body_node node, vc_spec_measure *measure)
{
    static const char *const known[] = {"if", "fill", NULL};
    vc_spec_reading *in = list->in;
    size_t count = json_array_size(node.json);
    vc_colour_rule *rules = VC_ARENA_NEW(in->arena, vc_colour_rule, count);
    if (rules == NULL) return vc_no_memory(in->error);
    for (size_t i = 0; i < count; i++) {
        vc_body_node item, test, fill;
        TRY(vc_body_node_element(node, i, in->arena, &item, in->error));
        if (!json_is_object(item.json)) return vc_body_node_fail_type(item, "a rule", in->error);
        TRY(vc_body_node_check_keys(item, known, in->error));
        TRY(vc_body_node_field(item, "if", in->arena, &test, in->error));
        TRY(vc_body_node_field(item, "fill", in->arena, &fill, in->error));
        if (test.json == NULL) return vc_body_node_fail_missing(item, "if", in->error);
        if (fill.json == NULL) return vc_body_node_fail_missing(item, "fill", in->error);
        TRY(read_test(list, test, &rules[i]));
        TRY(read_colour(list, fill, &rules[i].fill));
    }
    measure->colouring =
        (vc_colouring){.kind = VC_COLOURING_RULES, .rules = rules, .nrules = count};
    return VC_OK;
}

static vc_status read_scale(measure_list *list, vc_body_node node, vc_spec_measure *measure)
{
    static const char *const known[] = {"scale", "low", "middle", "high", NULL};
    static const char *const names[] = {"sequential", "diverging", NULL};
    vc_spec_reading *in = list->in;
    vc_colouring *colouring = &measure->colouring;
    vc_body_node scale = node;
    if (json_is_object(node.json)) {
        TRY(vc_body_node_check_keys(node, known, in->error));
        TRY(vc_body_node_field(node, "scale", in->arena, &scale, in->error));
        if (scale.json == NULL) return vc_body_node_fail_missing(node, "scale", in->error);
        TRY(vc_spec_read_number(in, node, "low", &measure->has_low, &colouring->low));
        TRY(vc_spec_read_number(in, node, "middle", &measure->has_middle, &colouring->middle));
        TRY(vc_spec_read_number(in, node, "high", &measure->has_high, &colouring->high));
    }
    vc_str name = vc_json_str(scale.json);
    if (vc_str_is_null(name))
        return vc_body_node_fail_type(scale, "the name of a scale, or a list of rules", in->error);
    if (!vc_str_is(name, names[0]) && !vc_str_is(name, names[1]))
        return vc_spec_fail(in, scale, name, names, "'sequential' or 'diverging'");
    colouring->kind = vc_str_is(name, names[0]) ? VC_COLOURING_SCALE : VC_COLOURING_DIVERGING;
    if (measure->has_low && measure->has_high && colouring->low >= colouring->high)
        return vc_spec_fail_field(in, node, "low",
                                  vc_json_scalar_text(in->arena, json_object_get(node.json, "low")),
                                  NULL, "a number below 'high'");
    return VC_OK;
}

vc_status vc_spec_read_measures(vc_spec_reading *in, vc_body_node section, vc_spec_section *out)
{
    measure_list list = {.in = in};
    vc_body_node labels, formats, colours;
    const char *name;
    json_t *value;
    TRY(vc_spec_read_object(in, section, "labels", &labels));
    TRY(vc_spec_read_object(in, section, "formats", &formats));
    TRY(vc_spec_read_object(in, section, "colours", &colours));
    json_object_foreach((json_t *)labels.json, name, value)
    {
        vc_spec_measure *measure = get_measure(&list, name);
        if (measure == NULL) return vc_no_memory(in->error);
        TRY(vc_spec_read_str(in, labels, name, "a text", &measure->label));
    }
    json_object_foreach((json_t *)formats.json, name, value)
    {
        vc_body_node node = {.json = value,
                             .pointer =
                                 vc_arena_printf(in->arena, "%s/%s", formats.pointer, name).data};
        vc_spec_measure *measure = get_measure(&list, name);
        if (measure == NULL || node.pointer == NULL) return vc_no_memory(in->error);
        TRY(read_format(&list, measure, node));
    }
    json_object_foreach((json_t *)colours.json, name, value)
    {
        vc_body_node node = {.json = value,
                             .pointer =
                                 vc_arena_printf(in->arena, "%s/%s", colours.pointer, name).data};
        vc_spec_measure *measure = get_measure(&list, name);
        if (measure == NULL || node.pointer == NULL) return vc_no_memory(in->error);
        measure->has_colouring = true;
        TRY(json_is_array(value) ? read_rules(&list, node, measure)
                                 : read_scale(&list, node, measure));
    }
    out->measures = list.items.items;
    out->nmeasures = list.items.count;
    return VC_OK;
}
