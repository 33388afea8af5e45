/* Tests of members: on levels, labels and attributes. */
#include "http/cubejs_parts.h"

#include "base/nearest.h"
#include "dimensions/path.h"

static vc_status fail_at(vc_body_node node, vc_status status, vc_error *error)
{
    return vc_error_at_place(error, status, vc_body_node_place(node));
}

/* The level (or the attribute's index) that a member tells of. */
static vc_dimref dimref_of(const vc_cubejs_reading *in, const vc_cubejs_member *member,
                           vc_place place)
{
    const vc_cube_dimension *outer = &in->catalog->cube->dimensions[member->number];
    vc_dimref dimref = {.dimension = outer->name, .place = place};
    if (member->kind == VC_CUBEJS_ATTRIBUTE) {
        dimref.level = member->attribute->name;
        return dimref;
    }
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[member->hierarchy];
    if (member->hierarchy > 0) dimref.hierarchy = hierarchy->name;
    dimref.level = hierarchy->levels[member->level].name;
    return dimref;
}

static const vc_level *level_of(const vc_cubejs_reading *in, const vc_cubejs_member *member)
{
    const vc_dimension *dimension = in->catalog->cube->dimensions[member->number].dimension;
    return &dimension->hierarchies[member->hierarchy].levels[member->level];
}

/* A value of a level whose keys are not unique is a path, which says by itself at which level it
 * ends; a single key means every member of the level that has it. */
static vc_status path_item(const vc_cubejs_reading *in, const vc_cubejs_test *of, vc_body_node node,
                           vc_str text, vc_item *item, bool *is_path, vc_error *error)
{
    vc_status status = vc_path_split(text, in->arena, &item->keys, &item->nkeys, error);
    if (status != VC_OK) return fail_at(node, status, error);
    *is_path = item->nkeys > 1;
    if (*is_path && !level_of(in, of->member)->is_ragged && item->nkeys != of->member->level + 1) {
        vc_fail(error, VC_BAD_INPUT, "bad_value",
                "'%.*s' is a path of %zu keys, and those of '%.*s' have %u", VC_FMT(text),
                item->nkeys, VC_FMT(of->member->name), of->member->level + 1);
        return fail_at(node, VC_BAD_INPUT, error);
    }
    return VC_OK;
}

/* Members by their label: each by its path, which is nobody else's. */
static vc_status label_items(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                             vc_body_node node, vc_str text, vc_list *paths, vc_error *error)
{
    const vc_dimension *dimension = in->catalog->cube->dimensions[of->member->number].dimension;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[of->member->hierarchy];
    const vc_level *level = level_of(in, of->member);
    size_t before = paths->count;
    for (uint32_t m = 0; m < level->nmembers; m++) {
        vc_str label = vc_texts_get(&level->labels, m);
        if (label.data == NULL || !vc_str_equal(label, text)) continue;
        vc_item *item = VC_LIST_NEW(paths, in->arena, vc_item);
        vc_str path = vc_member_path(hierarchy, of->member->level, m, in->arena);
        if (item == NULL || vc_str_is_null(path)) return vc_no_memory(error);
        *item = (vc_item){.kind = VC_ITEM_PATH};
        vc_status status = vc_path_split(path, in->arena, &item->keys, &item->nkeys, error);
        if (status != VC_OK) return fail_at(node, status, error);
    }
    if (paths->count > before) return VC_OK;
    vc_nearest nearest;
    vc_fail(error, VC_NOT_FOUND, "unknown_member", "no member of '%.*s' is called '%.*s'",
            VC_FMT(of->member->name), VC_FMT(text));
    vc_nearest_init(&nearest, text);
    for (uint32_t m = 0; m < level->nmembers && m < 65536; m++)
        vc_nearest_offer(&nearest, vc_texts_get(&level->labels, m));
    vc_nearest_report(&nearest, error);
    return fail_at(node, VC_NOT_FOUND, error);
}

static vc_item value_item(const vc_cubejs_test *of, const vc_str *value)
{
    vc_item item = {.keys = value, .nkeys = 1};
    switch (of->how->id) {
    case VC_CUBEJS_TEST_CONTAINS: item.kind = VC_ITEM_CONTAINS; break;
    case VC_CUBEJS_TEST_STARTS_WITH: item.kind = VC_ITEM_STARTS_WITH; break;
    case VC_CUBEJS_TEST_ENDS_WITH: item.kind = VC_ITEM_ENDS_WITH; break;
    case VC_CUBEJS_TEST_GT:
    case VC_CUBEJS_TEST_GTE:
        item.kind = VC_ITEM_RANGE;
        item.excludes_first = of->how->id == VC_CUBEJS_TEST_GT;
        break;
    case VC_CUBEJS_TEST_LT:
    case VC_CUBEJS_TEST_LTE:
        item = (vc_item){.kind = VC_ITEM_RANGE, .end_keys = value, .nend_keys = 1};
        item.excludes_end = of->how->id == VC_CUBEJS_TEST_LT;
        break;
    default: item.kind = VC_ITEM_PATH; break;
    }
    item.text_of = of->member->kind == VC_CUBEJS_LABEL ? VC_TEXT_OF_LABEL : VC_TEXT_OF_KEY;
    if (item.kind == VC_ITEM_PATH || item.kind == VC_ITEM_RANGE) item.text_of = VC_TEXT_OF_BOTH;
    return item;
}

/* The values as items: `items` with the level named, `paths` without. */
static vc_status read_items(const vc_cubejs_reading *in, const vc_cubejs_test *of, vc_list *items,
                            vc_list *paths, vc_error *error)
{
    bool is_equals = of->how->id == VC_CUBEJS_TEST_EQUALS;
    for (size_t i = 0; i < of->nvalues; i++) {
        vc_body_node node;
        vc_str *value = VC_ARENA_NEW(in->arena, vc_str, 1);
        if (value == NULL) return vc_no_memory(error);
        vc_status status = vc_cubejs_get_value(in, of, i, &node, value, error);
        if (status != VC_OK) return status;
        vc_item item = {.kind = VC_ITEM_NULL};
        bool is_path = false;
        if (vc_str_is_null(*value)) {
            if (!is_equals) return vc_body_node_fail_type(node, "a text or a number", error);
        } else if (is_equals && of->member->kind == VC_CUBEJS_LABEL) {
            status = label_items(in, of, node, *value, paths, error);
            if (status != VC_OK) return status;
            continue;
        } else {
            item = value_item(of, value);
            if (is_equals && of->member->has_paths)
                status = path_item(in, of, node, *value, &item, &is_path, error);
            if (status != VC_OK) return status;
        }
        vc_item *slot = VC_LIST_NEW(is_path ? paths : items, in->arena, vc_item);
        if (slot == NULL) return vc_no_memory(error);
        *slot = item;
    }
    return VC_OK;
}

/* The condition of a test on a level, a label or an attribute. */
vc_status vc_cubejs_read_members(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                                 vc_condition **condition_out, vc_error *error)
{
    vc_list items = {0}, paths = {0}, both = {0};
    vc_place place = vc_body_node_place(of->node);
    vc_dimref dimref = dimref_of(in, of->member, place);
    vc_cubejs_test_id id = of->how->id;
    bool is_compared = id >= VC_CUBEJS_TEST_GT && id <= VC_CUBEJS_TEST_LTE;
    if (id > VC_CUBEJS_TEST_SET ||
        (is_compared && (of->member->kind == VC_CUBEJS_LABEL || of->member->has_paths)))
        return vc_cubejs_fail_operator(of, error);
    vc_status status = vc_cubejs_need_values(of, id == VC_CUBEJS_TEST_SET ? 0 : 1,
                                             id == VC_CUBEJS_TEST_SET ? 0
                                             : is_compared            ? 1
                                                                      : SIZE_MAX,
                                             error);
    if (status == VC_OK) status = read_items(in, of, &items, &paths, error);
    if (status != VC_OK) return status;
    if (id == VC_CUBEJS_TEST_SET) {
        vc_item *item = VC_LIST_NEW(&items, in->arena, vc_item);
        if (item == NULL) return vc_no_memory(error);
        *item = (vc_item){.kind = of->how->is_negated ? VC_ITEM_NULL : VC_ITEM_NOT_NULL};
    }
    if (items.count > 0 &&
        !vc_cubejs_add_condition(&both, in->arena,
                                 vc_cubejs_new_items(in, dimref, items.items, items.count, place)))
        return vc_no_memory(error);
    dimref.level = (vc_str){0};
    if (paths.count > 0 &&
        !vc_cubejs_add_condition(&both, in->arena,
                                 vc_cubejs_new_items(in, dimref, paths.items, paths.count, place)))
        return vc_no_memory(error);
    *condition_out = vc_cubejs_new_group(in->arena, VC_CONDITION_OR, &both, place);
    if (*condition_out != NULL && of->how->is_negated && id != VC_CUBEJS_TEST_SET)
        *condition_out = vc_cubejs_negate(in->arena, *condition_out);
    return *condition_out == NULL ? vc_no_memory(error) : VC_OK;
}
