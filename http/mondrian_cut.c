/* Cuts of the dialect as conditions of the query model. */
#include "http/mondrian.h"

#include "base/list.h"

#include <string.h>

/* ---- members ---- */

/* Of a level whose members are named by all their keys from the top: is what they name of it? */
static vc_status check_level(const vc_cube *cube, const vc_mondrian_ref *ref, const vc_item *item,
                             vc_arena *arena, vc_error *error)
{
    const vc_dimension *dimension = cube->dimensions[ref->dimension].dimension;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[ref->hierarchy];
    vc_member_ref member;
    vc_error ignored = {0};
    if (!ref->has_level || vc_hierarchy_find_member(dimension, ref->hierarchy, item->keys,
                                                    item->nkeys, arena, &member, &ignored) != VC_OK)
        return VC_OK; /* the engine says what is wrong with it, if anything is */
    if (member.level == ref->level) return VC_OK;
    vc_status status = vc_fail(error, VC_NOT_FOUND, "unknown_member",
                               "found %zu keys, which name a member of level '%.*s', not of '%.*s'",
                               item->nkeys, VC_FMT(hierarchy->levels[member.level].name),
                               VC_FMT(hierarchy->levels[ref->level].name));
    return vc_error_at_place(error, status, item->place);
}

/* Has some member of the level that text for a key? */
static bool has_key(const vc_level *level, vc_str text, vc_arena *arena)
{
    uint32_t *members;
    size_t nmembers = 0;
    return vc_level_find_members(level, text, arena, &members, &nmembers, NULL) == VC_OK &&
           nmembers > 0;
}

/* Key `number` of a name: the null member's is empty, unless a member has that text for a key. */
static vc_str read_key(const vc_cube *cube, const vc_mondrian_ref *ref, const vc_mdx_name *name,
                       size_t number, vc_arena *arena)
{
    vc_str text = name->parts[ref->nread + number].text;
    if (!vc_str_is(text, VC_MONDRIAN_NULL_NAME)) return text;
    const vc_dimension *dimension = cube->dimensions[ref->dimension].dimension;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[ref->hierarchy];
    size_t nkeys = name->nparts - ref->nread;
    bool is_whole = ref->has_level && nkeys == (size_t)ref->level + 1;
    for (unsigned l = 0; l < hierarchy->nlevels; l++) {
        bool is_meant = is_whole ? l == number : !ref->has_level || l == ref->level;
        if (is_meant && has_key(&hierarchy->levels[l], text, arena)) return text;
    }
    return VC_STR("");
}

/* ---- members of ragged hierarchies ---- */

/* Are these, an empty one for null, the keys of the member and of all above it, hidden or not? */
static bool has_keys(const vc_hierarchy *hierarchy, vc_member_ref member, const vc_str *keys)
{
    for (unsigned l = member.level;; l--) {
        const vc_level *level = &hierarchy->levels[l];
        vc_str key = vc_texts_get(&level->keys, member.member);
        if (vc_str_is_null(key) ? keys[l].size > 0 : !vc_str_equal(key, keys[l])) return false;
        if (l == 0) return true;
        member.member = vc_numbers_get(level->parents, member.member);
    }
}

/* Full names have a key for each level, "#null" for those at which a ragged hierarchy has nothing.
 * A cut knows no such members: the one that is meant is said by its key where it is the only one of
 * the level that has it, otherwise by its path, where that leads to it. */
static vc_status name_ragged(const vc_dimension *dimension, const vc_mondrian_ref *ref,
                             vc_arena *arena, vc_dimref *dimref, vc_item *item, vc_error *error)
{
    const vc_hierarchy *hierarchy = &dimension->hierarchies[ref->hierarchy];
    const vc_level *level = &hierarchy->levels[ref->level];
    vc_str last = item->keys[ref->level];
    vc_member_ref meant = {.level = ref->level, .member = VC_NONE}, found;
    vc_str *path = VC_ARENA_NEW(arena, vc_str, item->nkeys);
    uint32_t *members;
    size_t nmembers, nsame = 0, npath = 0;
    if (path == NULL) return vc_no_memory(error);
    vc_status status = vc_level_find_members(level, last.size == 0 ? (vc_str){0} : last, arena,
                                             &members, &nmembers, error);
    for (size_t i = 0; i < nmembers && status == VC_OK; i++) {
        if (vc_member_is_hidden(level, members[i])) continue;
        nsame++;
        if (has_keys(hierarchy, (vc_member_ref){ref->level, members[i]}, item->keys))
            meant.member = members[i];
    }
    if (status != VC_OK || meant.member == VC_NONE) return status; /* the engine says it */
    if (nsame == 1) {
        dimref->level = level->name;
        item->keys += ref->level;
        item->nkeys = 1;
        return VC_OK;
    }
    for (unsigned l = 0; l <= ref->level; l++)
        if (item->keys[l].size > 0) path[npath++] = item->keys[l];
    vc_error ignored = {0};
    item->keys = path;
    item->nkeys = npath;
    if (npath > 0 &&
        vc_hierarchy_find_member(dimension, ref->hierarchy, path, npath, arena, &found, &ignored) ==
            VC_OK &&
        found.level == meant.level && found.member == meant.member)
        return VC_OK;
    status =
        vc_fail(error, VC_IMPOSSIBLE, "ambiguous_key",
                "level '%.*s' has %zu members with the key '%.*s', and a path of keys does not "
                "tell them apart where levels above have no member",
                VC_FMT(level->name), nsame, VC_FMT(last));
    return vc_error_at_place(error, status, item->place);
}

/* ---- items ---- */

vc_status vc_mondrian_item(const vc_cube *cube, const vc_mdx_name *name, const vc_mondrian_ref *ref,
                           vc_arena *arena, vc_dimref *dimref_out, vc_item *item_out,
                           vc_error *error)
{
    const vc_cube_dimension *outer = &cube->dimensions[ref->dimension];
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[ref->hierarchy];
    size_t nkeys = name->nparts - ref->nread;
    vc_str *keys = VC_ARENA_NEW(arena, vc_str, nkeys + 1);
    if (keys == NULL) return vc_no_memory(error);
    *dimref_out = (vc_dimref){.dimension = outer->name, .place = name->place};
    if (ref->hierarchy > 0) dimref_out->hierarchy = hierarchy->name;
    *item_out = (vc_item){.kind = VC_ITEM_PATH, .keys = keys, .nkeys = nkeys, .place = name->place};
    bool is_all_name = nkeys == 1 && vc_str_is(name->parts[ref->nread].text, VC_MONDRIAN_ALL_NAME);
    if (ref->is_all && (nkeys == 0 || is_all_name)) {
        item_out->kind = VC_ITEM_ALL;
        item_out->nkeys = 0;
        return VC_OK;
    }
    if (nkeys == 0 || ref->is_all) {
        vc_status status = vc_fail(error, VC_BAD_INPUT, "syntax",
                                   "found no member, expected one such as '[%.*s].[%.*s].&[key]'",
                                   VC_FMT(outer->name), VC_FMT(hierarchy->levels[0].name));
        return vc_error_at_place(error, status, name->place);
    }
    for (size_t i = 0; i < nkeys; i++)
        keys[i] = read_key(cube, ref, name, i, arena);
    if (hierarchy->is_ragged && ref->has_level && nkeys > 1 && nkeys == (size_t)ref->level + 1)
        return name_ragged(outer->dimension, ref, arena, dimref_out, item_out, error);
    if (nkeys == 1 && ref->has_level) {
        dimref_out->level = hierarchy->levels[ref->level].name;
        return VC_OK;
    }
    return check_level(cube, ref, item_out, arena, error);
}

/* ---- conditions ---- */

static vc_condition *new_condition(vc_arena *arena, vc_condition_kind kind, vc_dimref dimref,
                                   vc_place place)
{
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    if (condition != NULL)
        *condition = (vc_condition){.kind = kind, .dimref = dimref, .place = place};
    return condition;
}

static bool is_same_ref(const vc_dimref *a, const vc_dimref *b)
{
    return vc_str_equal(a->dimension, b->dimension) && vc_str_equal(a->hierarchy, b->hierarchy) &&
           vc_str_equal(a->level, b->level);
}

struct reading {
    const vc_cube *cube;
    vc_arena *arena;
    vc_list conditions; /* vc_condition *: a set's, one for each dimref */
    vc_list *items;     /* [conditions.capacity] of each */
    size_t room;
};

/* The items of the condition that has the dimref. Sets have few of them, mostly one. */
static vc_list *items_of(struct reading *in, const vc_dimref *dimref)
{
    vc_condition **conditions = in->conditions.items;
    for (size_t i = 0; i < in->conditions.count; i++)
        if (is_same_ref(&conditions[i]->dimref, dimref)) return &in->items[i];
    if (in->conditions.count == in->room) {
        size_t room = in->room == 0 ? 4 : 2 * in->room;
        vc_list *items = VC_ARENA_NEW(in->arena, vc_list, room);
        if (items == NULL) return NULL;
        if (in->room > 0) memcpy(items, in->items, in->room * sizeof *items);
        in->items = items;
        in->room = room;
    }
    vc_condition **slot = VC_LIST_NEW(&in->conditions, in->arena, vc_condition *);
    if (slot == NULL) return NULL;
    *slot = new_condition(in->arena, VC_CONDITION_ITEMS, *dimref, dimref->place);
    return *slot == NULL ? NULL : &in->items[in->conditions.count - 1];
}

static vc_status fail_several(const vc_mdx_name *name, vc_error *error)
{
    vc_status status = vc_fail(error, VC_IMPOSSIBLE, "or_dimensions",
                               "a set must stay within one dimension; several cuts all hold");
    return vc_error_at_place(error, status, name->place);
}

static vc_status read_set(struct reading *in, const vc_mdx_cut *cut, vc_error *error)
{
    size_t dimension = 0;
    for (size_t i = 0; i < cut->nnames; i++) {
        vc_mondrian_ref ref;
        vc_dimref dimref;
        vc_item item;
        vc_status status = vc_mondrian_resolve(in->cube, &cut->names[i], &ref, error);
        if (status != VC_OK) return status;
        if (i > 0 && ref.dimension != dimension) return fail_several(&cut->names[i], error);
        dimension = ref.dimension;
        status = vc_mondrian_item(in->cube, &cut->names[i], &ref, in->arena, &dimref, &item, error);
        if (status != VC_OK) return status;
        vc_list *items = items_of(in, &dimref);
        vc_item *added = items == NULL ? NULL : VC_LIST_NEW(items, in->arena, vc_item);
        if (added == NULL) return vc_no_memory(error);
        *added = item;
    }
    vc_condition **conditions = in->conditions.items;
    for (size_t i = 0; i < in->conditions.count; i++) {
        conditions[i]->items = in->items[i].items;
        conditions[i]->nitems = in->items[i].count;
    }
    return VC_OK;
}

static vc_status read_range(struct reading *in, const vc_mdx_cut *cut, vc_error *error)
{
    vc_mondrian_ref refs[2];
    vc_dimref dimrefs[2];
    vc_item ends[2];
    for (size_t i = 0; i < 2; i++) {
        vc_status status = vc_mondrian_resolve(in->cube, &cut->names[i], &refs[i], error);
        if (status == VC_OK)
            status = vc_mondrian_item(in->cube, &cut->names[i], &refs[i], in->arena, &dimrefs[i],
                                      &ends[i], error);
        if (status != VC_OK) return status;
    }
    bool is_one_level = refs[0].has_level == refs[1].has_level && refs[0].level == refs[1].level;
    if (ends[0].kind != VC_ITEM_PATH || ends[1].kind != VC_ITEM_PATH || !is_one_level ||
        !is_same_ref(&dimrefs[0], &dimrefs[1])) {
        vc_status status = vc_fail(error, VC_BAD_INPUT, "syntax",
                                   "the ends of a range must be two members of one level");
        return vc_error_at_place(error, status, cut->names[1].place);
    }
    vc_list *items = items_of(in, &dimrefs[0]);
    vc_item *item = items == NULL ? NULL : VC_LIST_NEW(items, in->arena, vc_item);
    if (item == NULL) return vc_no_memory(error);
    *item = ends[0];
    item->kind = VC_ITEM_RANGE;
    item->end_keys = ends[1].keys;
    item->nend_keys = ends[1].nkeys;
    vc_condition **conditions = in->conditions.items;
    conditions[0]->items = item;
    conditions[0]->nitems = 1;
    return VC_OK;
}

/* An inner node over all of `children`. */
static vc_condition *wrap(struct reading *in, vc_condition_kind kind, vc_condition **children,
                          size_t nchildren, vc_place place)
{
    vc_dimref dimref = {.dimension = children[0]->dimref.dimension,
                        .place = children[0]->dimref.place};
    vc_condition *condition = new_condition(in->arena, kind, dimref, place);
    if (condition == NULL) return NULL;
    condition->children = children;
    condition->nchildren = nchildren;
    return condition;
}

vc_status vc_mondrian_cut_read(const vc_cube *cube, vc_source_text source, vc_arena *arena,
                               vc_condition **condition_out, vc_error *error)
{
    vc_mdx_cut cut;
    struct reading in = {.cube = cube, .arena = arena};
    vc_status status = vc_mdx_cut_parse(source, arena, &cut, error);
    if (status != VC_OK) return status;
    status = cut.is_range ? read_range(&in, &cut, error) : read_set(&in, &cut, error);
    if (status != VC_OK) return status;
    vc_condition **conditions = in.conditions.items;
    vc_condition *condition = conditions[0];
    if (in.conditions.count > 1)
        condition = wrap(&in, VC_CONDITION_OR, conditions, in.conditions.count, cut.place);
    if (condition != NULL && cut.is_negated) {
        vc_condition **child = VC_ARENA_NEW(arena, vc_condition *, 1);
        if (child != NULL) {
            child[0] = condition;
            condition = wrap(&in, VC_CONDITION_NOT, child, 1, cut.place);
        } else {
            condition = NULL;
        }
    }
    *condition_out = condition;
    return condition == NULL ? vc_no_memory(error) : VC_OK;
}
