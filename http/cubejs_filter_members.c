/* Tests of members: on levels, labels and attributes. */
#include "http/cubejs_parts.h"

#include "base/nearest.h"
#include "base/strmap.h"
#include "dimensions/path.h"
#include "slice/naming.h"

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

/* Where a ragged hierarchy has nothing above a member, its path is its key: does that mean it
 * alone?
 */
static vc_status check_single(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                              vc_body_node node, vc_str key, vc_error *error)
{
    uint32_t *members;
    size_t nmembers;
    vc_status status =
        vc_level_find_members(level_of(in, of->member), key, in->arena, &members, &nmembers, error);
    if (status == VC_OK && nmembers > 1)
        status = vc_fail(error, VC_IMPOSSIBLE, "ambiguous_key",
                         "%zu members of '%.*s' have the key '%.*s'", nmembers,
                         VC_FMT(of->member->name), VC_FMT(key));
    return status == VC_OK ? VC_OK : fail_at(node, status, error);
}

/* A value of a level whose keys are not unique is a path, which says by itself at which level it
 * ends; a single key means every member of the level that has it. */
static vc_status path_item(const vc_cubejs_reading *in, const vc_cubejs_test *of, vc_body_node node,
                           vc_str text, vc_item *item, bool *is_path, vc_error *error)
{
    vc_status status = vc_path_split(text, in->arena, &item->keys, &item->nkeys, error);
    if (status != VC_OK) return fail_at(node, status, error);
    *is_path = item->nkeys > 1;
    if (item->nkeys == 1 && of->member->level > 0 && level_of(in, of->member)->is_ragged)
        return check_single(in, of, node, text, error);
    if (*is_path && !level_of(in, of->member)->is_ragged && item->nkeys != of->member->level + 1) {
        vc_fail(error, VC_BAD_INPUT, "bad_value",
                "'%.*s' is a path of %zu keys, and those of '%.*s' have %u", VC_FMT(text),
                item->nkeys, VC_FMT(of->member->name), of->member->level + 1);
        return fail_at(node, VC_BAD_INPUT, error);
    }
    return VC_OK;
}

static vc_status fail_label(const vc_cubejs_test *of, const vc_level *level, size_t value,
                            vc_str label, vc_error *error)
{
    vc_nearest nearest;
    vc_fail(error, VC_NOT_FOUND, "unknown_member", "no member of '%.*s' is called '%.*s'",
            VC_FMT(of->member->name), VC_FMT(label));
    vc_nearest_init(&nearest, label);
    for (uint32_t m = 0; m < level->nmembers && m < 65536; m++)
        vc_nearest_offer(&nearest, vc_texts_get(&level->labels, m));
    vc_nearest_report(&nearest, error);
    vc_error_at_pointer(error, "%s/%zu", of->values.pointer, value);
    return VC_NOT_FOUND;
}

/* Add a member by what is its alone: its key on a level where keys are unique, else its path. A
 * path of one key below the top, where a ragged hierarchy has nothing above, would mean another's.
 */
static vc_status add_member(const vc_cubejs_reading *in, const vc_cubejs_test *of, uint32_t member,
                            bool has_unique_keys, vc_list *items, vc_list *paths, vc_error *error)
{
    const vc_dimension *dimension = in->catalog->cube->dimensions[of->member->number].dimension;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[of->member->hierarchy];
    vc_item *item = VC_LIST_NEW(has_unique_keys ? items : paths, in->arena, vc_item);
    if (item == NULL) return vc_no_memory(error);
    *item = (vc_item){.kind = VC_ITEM_PATH};
    if (has_unique_keys) {
        vc_str *key = VC_ARENA_NEW(in->arena, vc_str, 1);
        if (key == NULL) return vc_no_memory(error);
        *key = vc_texts_get(&level_of(in, of->member)->keys, member);
        item->kind = vc_str_is_null(*key) ? VC_ITEM_NULL : VC_ITEM_PATH;
        item->keys = key;
        item->nkeys = 1;
        return VC_OK;
    }
    vc_str path = vc_member_path(hierarchy, of->member->level, member, in->arena);
    if (vc_str_is_null(path)) return vc_no_memory(error);
    vc_status status = vc_path_split(path, in->arena, &item->keys, &item->nkeys, error);
    if (status == VC_OK && item->nkeys == 1 && of->member->level > 0)
        status = vc_fail(error, VC_IMPOSSIBLE, "ambiguous_key",
                         "'%.*s' does not tell members of '%.*s' apart: filter by the keys",
                         VC_FMT(path), VC_FMT(of->member->name));
    return status;
}

/* The members that have one of the labels, in one look at all of them. */
static vc_status add_labelled(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                              const vc_strmap *labels, vc_list *items, vc_list *paths,
                              vc_error *error)
{
    const vc_level *level = level_of(in, of->member);
    bool has_unique_keys = vc_level_has_unique_keys(level);
    bool *is_found = VC_ARENA_NEW(in->arena, bool, labels->count + 1);
    vc_status status = is_found == NULL ? vc_no_memory(error) : VC_OK;
    for (uint32_t m = 0; m < level->nmembers && status == VC_OK; m++) {
        vc_str label = vc_texts_get(&level->labels, m);
        uint32_t number = label.data == NULL ? VC_STRMAP_NONE : vc_strmap_find(labels, label);
        if (number == VC_STRMAP_NONE || vc_member_is_hidden(level, m)) continue;
        is_found[number] = true;
        status = add_member(in, of, m, has_unique_keys, items, paths, error);
    }
    for (uint32_t i = 0; i < labels->count && status == VC_OK; i++)
        if (!is_found[i]) status = fail_label(of, level, i, labels->keys[i], error);
    return status;
}

/* Labels as the members that have them; null, which is no label, as the null member. */
static vc_status read_labels(const vc_cubejs_reading *in, const vc_cubejs_test *of, vc_list *items,
                             vc_list *paths, vc_error *error)
{
    vc_strmap labels = {0};
    vc_status status = VC_OK;
    for (size_t i = 0; i < of->nvalues && status == VC_OK; i++) {
        vc_body_node node;
        vc_str label;
        status = vc_cubejs_get_value(in, of, i, &node, &label, error);
        if (status != VC_OK) break;
        if (vc_str_is_null(label)) {
            vc_item *item = VC_LIST_NEW(items, in->arena, vc_item);
            if (item != NULL) *item = (vc_item){.kind = VC_ITEM_NULL};
            if (item == NULL) status = vc_no_memory(error);
        } else if (vc_strmap_put(&labels, label, NULL) == VC_STRMAP_NONE) {
            status = vc_no_memory(error);
        }
    }
    if (status == VC_OK) status = add_labelled(in, of, &labels, items, paths, error);
    vc_strmap_release(&labels);
    return status;
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
    if (is_equals && of->member->kind == VC_CUBEJS_LABEL)
        return read_labels(in, of, items, paths, error);
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
