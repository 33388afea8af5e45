/* How joined facts count: modes of joins and measures, and what holds below the joined grain. */
#include "cube/definition_parts.h"

#include <string.h>

static const vc_word reaggregates[] = {
    {"none", VC_REAGGREGATE_NONE, NULL}, {"sum", VC_REAGGREGATE_SUM, NULL},
    {"avg", VC_REAGGREGATE_AVG, NULL},   {"min", VC_REAGGREGATE_MIN, NULL},
    {"max", VC_REAGGREGATE_MAX, NULL},   {NULL, 0, NULL}};

/* ---- joins ---- */

/* "error", "first_by:ATTRIBUTE" or "max:ATTRIBUTE". */
static vc_status read_pick(const vc_node *object, vc_join_def *join)
{
    static const struct {
        const char *prefix;
        vc_pick pick;
    } picks[] = {{"first_by:", VC_PICK_FIRST_BY}, {"max:", VC_PICK_MAX}};
    vc_node node = vc_node_field(object, "pick");
    vc_str text = VC_STR("error");
    vc_status status = vc_field_text(object, "pick", &text);
    if (status != VC_OK || vc_str_is(text, "error")) return status;
    for (size_t i = 0; i < sizeof picks / sizeof picks[0]; i++) {
        vc_str prefix = vc_str_of(picks[i].prefix);
        if (!vc_str_starts_with(text, prefix) || text.size == prefix.size) continue;
        join->pick = picks[i].pick;
        join->pick_by = (vc_str){.data = text.data + prefix.size, .size = text.size - prefix.size};
        return VC_OK;
    }
    return vc_node_fail(&node, "bad_value",
                        "expected \"error\", \"first_by:ATTRIBUTE\" or \"max:ATTRIBUTE\", found "
                        "\"%.*s\"",
                        VC_FMT(text));
}

/* What speaks of lookups means nothing in another join. */
static vc_status check_lookup_only(const vc_node *object)
{
    static const char *const fields[] = {"pick", "reaggregate"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        vc_node node = vc_node_field(object, fields[i]);
        if (node.json != NULL)
            return vc_node_fail(&node, "bad_value",
                                "'%s' is for joins of the mode \"lookup\"; this one is not",
                                fields[i]);
    }
    return VC_OK;
}

vc_status vc_read_mode(const vc_node *object, vc_join_def *join)
{
    static const vc_word modes[] = {{"set", VC_MODE_SET, NULL},
                                    {"weighted", VC_MODE_WEIGHTED, NULL},
                                    {"lookup", VC_MODE_LOOKUP, NULL},
                                    {NULL, 0, NULL}};
    int mode = VC_MODE_SET, reaggregate = VC_REAGGREGATE_NONE;
    vc_status status;
    if ((status = vc_field_choice(object, "mode", modes, &mode)) != VC_OK) return status;
    join->mode = (vc_join_mode)mode;
    if (join->mode != VC_MODE_LOOKUP) return check_lookup_only(object);
    vc_node fanout = vc_node_field(object, "on_fanout");
    if (join->on_fanout == VC_FANOUT_WEIGHTED)
        return vc_node_fail(&fanout, "bad_value",
                            "a lookup has no weights: each member shows the value of its partner");
    if ((status = read_pick(object, join)) != VC_OK ||
        (status = vc_field_choice(object, "reaggregate", reaggregates, &reaggregate)) != VC_OK)
        return status;
    join->reaggregate = (vc_reaggregate)reaggregate;
    return VC_OK;
}

/* ---- pairs ---- */

/* "equal", the name of an attribute, or {"weights": ATTRIBUTE}. */
static vc_status read_allocate(const vc_node *object, vc_str *allocate_by)
{
    static const char *const known[] = {"weights", NULL};
    vc_node node = vc_node_field(object, "allocate");
    if (json_is_object(node.json)) {
        vc_status status = vc_node_object(&node, known);
        if (status == VC_OK) status = vc_field_need(&node, "weights");
        return status == VC_OK ? vc_field_text(&node, "weights", allocate_by) : status;
    }
    vc_str text;
    vc_status status = vc_node_text(&node, &text);
    if (status == VC_OK && !vc_str_is(text, "equal")) *allocate_by = text;
    return status;
}

static vc_status read_finer(const vc_node *object, vc_finer *finer_out, vc_str *allocate_by)
{
    static const vc_word words[] = {{"null", VC_FINER_NULL, NULL},
                                    {"repeat", VC_FINER_REPEAT, NULL},
                                    {"allocate", VC_FINER_ALLOCATE, NULL},
                                    {NULL, 0, NULL}};
    vc_node allocate = vc_node_field(object, "allocate");
    int finer = allocate.json != NULL ? VC_FINER_ALLOCATE : VC_FINER_NULL;
    vc_status status = vc_field_choice(object, "finer", words, &finer);
    if (status != VC_OK) return status;
    *finer_out = (vc_finer)finer;
    if (allocate.json == NULL) return VC_OK;
    if (finer != VC_FINER_ALLOCATE)
        return vc_node_fail(&allocate, "bad_value",
                            "'allocate' goes with \"finer\": \"allocate\", found another one");
    return read_allocate(object, allocate_by);
}

vc_status vc_read_finer(const vc_node *object, vc_on_def *on)
{
    return read_finer(object, &on->finer, &on->allocate_by);
}

/* ---- members as a level ---- */

/* The dimension below which the members stand: one along which the join is. */
static vc_status find_exposed(const vc_node *node, const vc_join_def *join, vc_expose_def *expose)
{
    vc_str only = join->on[0].dim;
    bool has_several = false, is_found = expose->dim.data == NULL;
    for (size_t i = 0; i < join->non; i++) {
        has_several |= !vc_str_equal(join->on[i].dim, only);
        is_found |= vc_str_equal(join->on[i].dim, expose->dim);
    }
    if (expose->dim.data == NULL && has_several)
        return vc_node_fail(node, "missing_field",
                            "the join is along several dimensions: say by 'dim' below which of "
                            "them its members are a level");
    if (!is_found)
        return vc_node_fail(node, "bad_value",
                            "the join is not along '%.*s', the dimension below which its members "
                            "are to be a level",
                            VC_FMT(expose->dim));
    if (expose->dim.data == NULL) expose->dim = only;
    return VC_OK;
}

vc_status vc_read_expose(const vc_node *object, vc_join_def *join)
{
    static const char *const known[] = {"name", "label", "dim", "finer", "allocate", NULL};
    vc_node node = vc_node_field(object, "expose_as_level");
    vc_expose_def *expose = &join->expose;
    vc_status status = VC_OK;
    if (node.json == NULL || json_is_false(node.json)) return VC_OK;
    if (!json_is_true(node.json) && !json_is_object(node.json))
        return vc_node_fail_type(&node, "true, false, or an object");
    expose->is_asked = true;
    expose->pointer = vc_node_pointer(&node);
    if (expose->pointer.data == NULL) return vc_no_memory(node.reader->error);
    if (json_is_object(node.json) &&
        ((status = vc_node_object(&node, known)) != VC_OK ||
         (status = vc_field_name(&node, "name", &expose->name)) != VC_OK ||
         (status = vc_field_label(&node, "label", &expose->label)) != VC_OK ||
         (status = vc_field_name(&node, "dim", &expose->dim)) != VC_OK ||
         (status = read_finer(&node, &expose->finer, &expose->allocate_by)) != VC_OK))
        return status;
    if (join->mode == VC_MODE_LOOKUP)
        return vc_node_fail(&node, "bad_value",
                            "a lookup shows the value of one partner at the member itself: its "
                            "members are no level below");
    return find_exposed(&node, join, expose);
}

/* ---- measures ---- */

vc_status vc_read_measure_mode(const vc_node *object, vc_measure_def *measure)
{
    static const vc_word modes[] = {{"set", VC_MODE_SET, NULL}, {NULL, 0, NULL}};
    int mode = VC_MODE_DEFAULT, reaggregate = VC_REAGGREGATE_DEFAULT;
    vc_status status;
    if ((status = vc_field_choice(object, "mode", modes, &mode)) != VC_OK ||
        (status = vc_field_choice(object, "reaggregate", reaggregates, &reaggregate)) != VC_OK)
        return status;
    measure->mode = (vc_join_mode)mode;
    measure->reaggregate = (vc_reaggregate)reaggregate;
    return VC_OK;
}
