/* A dimension of a cube: what it is, its members, and keys looked up in its indexes. */
#include "http/describe.h"
#include "http/service.h"

#include "base/nearest.h"
#include "cube/text_scan.h"
#include "dimensions/members.h"

#include <string.h>

static const char *const no_parameters[] = {NULL};

/* The cube and dimension of the path. */
static vc_status find(vc_call *call, const vc_cube **cube_out, size_t *number_out, vc_error *error)
{
    vc_status status = vc_call_cube(call, cube_out, error);
    if (status != VC_OK) return status;
    return vc_cube_find_dimension(*cube_out, call->arguments[1], number_out, error);
}

vc_status vc_handle_dimension(vc_call *call, vc_error *error)
{
    const vc_cube *cube;
    size_t number;
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status == VC_OK) status = find(call, &cube, &number, error);
    if (status != VC_OK || vc_call_is_known(call, cube->definition_hash)) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_describe_dimension(&json, cube, number, call->reply->snapshot);
    return vc_call_done_json(call);
}

/* ---- members ---- */

enum { MAX_PROPERTIES = 32 };

struct browsing {
    const vc_cube *cube;
    const vc_cube_dimension *outer;
    const vc_dimension *dimension;
    const vc_hierarchy *hierarchy;
    vc_member_filter filter;
    const vc_bucket *parent_bucket; /* the parent is a bucket, which has synthetic leaves only */
    bool is_below_leaves;           /* the parent is at the lowest level: nothing is below it */
    const vc_attribute *attributes[MAX_PROPERTIES];
    size_t nattributes;
    const vc_str *synthetic_keys; /* that fit the filter */
    size_t nsynthetic;
    vc_member_ref *members; /* of this page */
    size_t nmembers;
    size_t ntotal; /* of all pages */
    uint64_t offset, limit;
};

/* A key as its level writes it: integers as numbers. */
static void put_key(vc_json_writer *json, const char *name, const vc_level *level, vc_str key)
{
    char canonical[VC_NUMBER_TEXT];
    int64_t value;
    if (level->key_type == VC_KEY_INT && vc_parse_int(key, &value) == VC_PARSE_OK &&
        vc_str_equal(key, (vc_str){canonical, vc_format_int(canonical, value)})) {
        vc_json_put_key(json, name);
        vc_buffer_put_str(json->out, key);
    } else {
        vc_json_put_str(json, name, key);
    }
}

/* Read "Europe,Western Europe" with its escapes into keys. */
static vc_status read_path(vc_str text, vc_arena *arena, vc_str keys[VC_MAX_LEVELS],
                           size_t *nkeys_out, vc_error *error)
{
    vc_scan scan = {.source = {.text = text, .where = "parent"}, .arena = arena, .error = error};
    *nkeys_out = 0;
    do {
        if (*nkeys_out == VC_MAX_LEVELS) return vc_scan_fail(&scan, scan.at, "the end");
        vc_status status = vc_scan_word(&scan, ",", &keys[(*nkeys_out)++]);
        if (status != VC_OK) return status;
    } while (vc_scan_take(&scan, ','));
    return VC_OK;
}

static vc_status read_parent(struct browsing *in, vc_call *call, vc_error *error)
{
    vc_str text, keys[VC_MAX_LEVELS];
    size_t nkeys;
    vc_status status = vc_request_parameter(call->request, "parent", &text, error);
    if (status != VC_OK || vc_str_is_null(text)) return status;
    status = read_path(text, call->arena, keys, &nkeys, error);
    if (status != VC_OK) return status;
    for (size_t b = 0; b < in->outer->nbuckets && nkeys == 1; b++)
        if (vc_str_equal(in->outer->buckets[b].key, keys[0])) {
            in->parent_bucket = &in->outer->buckets[b];
            return VC_OK;
        }
    status = vc_hierarchy_find_member(in->dimension, in->filter.hierarchy, keys, nkeys, call->arena,
                                      &in->filter.parent, error);
    if (status != VC_OK) {
        vc_error_at_offset(error, "parent", 0);
        return status;
    }
    in->filter.has_parent = true;
    return VC_OK;
}

static vc_status read_level(struct browsing *in, const vc_request *request, vc_error *error)
{
    vc_str name;
    vc_status status = vc_request_parameter(request, "level", &name, error);
    if (status != VC_OK) return status;
    if (!vc_str_is_null(name)) {
        status = vc_hierarchy_find_level(in->dimension, in->filter.hierarchy, name,
                                         &in->filter.level, error);
        if (status != VC_OK) vc_error_at_offset(error, "level", 0);
        return status;
    }
    if (in->parent_bucket != NULL) {
        in->filter.level = in->hierarchy->nlevels - 1;
    } else if (in->filter.has_parent) {
        in->is_below_leaves = in->filter.parent.level + 1 == in->hierarchy->nlevels;
        in->filter.is_children = in->hierarchy->is_ragged;
        in->filter.level = in->filter.parent.level + !in->is_below_leaves;
    }
    return VC_OK;
}

/* "capital,iso2" or "geo.capital": attributes of the dimension. */
static vc_status read_properties(struct browsing *in, const vc_request *request, vc_error *error)
{
    vc_str rest, whole;
    vc_status status = vc_request_parameter(request, "properties", &rest, error);
    whole = rest;
    if (rest.size == 0) return status;
    while (status == VC_OK && !vc_str_is_null(rest)) {
        vc_str name = vc_str_split(&rest, ','), after = name;
        size_t offset = (size_t)(name.data - whole.data);
        if (vc_str_equal(vc_str_split(&after, '.'), in->outer->name) && !vc_str_is_null(after))
            name = after;
        if (in->nattributes == MAX_PROPERTIES) {
            status = vc_fail(error, VC_LIMIT, "too_many_properties",
                             "found more than %d properties", MAX_PROPERTIES);
        } else {
            status = vc_dimension_get_attribute(in->dimension, name,
                                                &in->attributes[in->nattributes++], error);
        }
        if (status != VC_OK) vc_error_at_offset(error, "properties", offset);
    }
    return status;
}

static vc_status read_request(struct browsing *in, vc_call *call, vc_error *error)
{
    vc_str name;
    const vc_request *request = call->request;
    vc_status status = vc_request_parameter(request, "hierarchy", &name, error);
    if (status != VC_OK) return status;
    status = vc_dimension_find_hierarchy(in->dimension, name, &in->filter.hierarchy, error);
    if (status != VC_OK) {
        vc_error_at_offset(error, "hierarchy", 0);
        return status;
    }
    in->hierarchy = &in->dimension->hierarchies[in->filter.hierarchy];
    status = read_parent(in, call, error);
    if (status == VC_OK) status = read_level(in, request, error);
    if (status == VC_OK) status = vc_request_parameter(request, "q", &in->filter.search, error);
    if (status == VC_OK)
        status = vc_request_count(request, "limit", 100, VC_MAX_MEMBERS, &in->limit, error);
    if (status == VC_OK)
        status = vc_request_count(request, "offset", 0, UINT32_MAX, &in->offset, error);
    if (status == VC_OK) status = read_properties(in, request, error);
    return status;
}

/* Which members of a level have a leaf that the cube's joins let be seen: made when it is needed.
 */
static const uint64_t *visible_members(const struct browsing *in, unsigned number, uint64_t **made,
                                       vc_arena *arena)
{
    const vc_level *level = &in->hierarchy->levels[number];
    if (made[number] != NULL) return made[number];
    uint64_t *bits = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(level->nmembers) + 1);
    for (uint32_t leaf = 0; bits != NULL && leaf < in->dimension->nleaves; leaf++)
        if (vc_bit_get(in->outer->visible, leaf))
            vc_bit_set(bits, vc_numbers_get(level->leaf_members, leaf));
    return made[number] = bits;
}

static vc_status list_real(struct browsing *in, vc_arena *arena, vc_error *error)
{
    if (in->parent_bucket != NULL || in->is_below_leaves) return VC_OK;
    if (in->outer->visible == NULL) {
        in->filter.offset = in->offset;
        in->filter.limit = in->limit;
        return vc_dimension_browse(in->dimension, &in->filter, arena, &in->members, &in->nmembers,
                                   &in->ntotal, error);
    }
    uint64_t *made[VC_MAX_LEVELS] = {0};
    vc_member_ref *all;
    size_t nall, ntotal;
    in->filter.limit = SIZE_MAX;
    vc_status status =
        vc_dimension_browse(in->dimension, &in->filter, arena, &all, &nall, &ntotal, error);
    if (status != VC_OK) return status;
    in->members = all; /* those of the page move to the front */
    for (size_t i = 0; i < nall; i++) {
        const uint64_t *visible = visible_members(in, all[i].level, made, arena);
        if (visible == NULL) return vc_no_memory(error);
        if (!vc_bit_get(visible, all[i].member)) continue;
        if (in->ntotal >= in->offset && in->nmembers < in->limit)
            in->members[in->nmembers++] = all[i];
        in->ntotal++;
    }
    return VC_OK;
}

static bool contains_text(vc_str text, vc_str part)
{
    if (part.size == 0) return true;
    for (size_t at = 0; at + part.size <= text.size; at++)
        if (strncasecmp(text.data + at, part.data, part.size) == 0) return true;
    return false;
}

/* The synthetic members that a level shows: where a bucket has members of its own they stand at
 * every level but the first of several, where the bucket stands for them. */
static vc_status list_synthetic(struct browsing *in, vc_arena *arena, vc_error *error)
{
    if (in->filter.has_parent || in->outer->nbuckets == 0) return VC_OK;
    bool is_top = in->hierarchy->nlevels > 1 && in->filter.level == 0;
    vc_str *keys = VC_ARENA_NEW(arena, vc_str, in->outer->nsynthetic + 1);
    if (keys == NULL) return vc_no_memory(error);
    for (size_t b = 0; b < in->outer->nbuckets; b++) {
        const vc_bucket *bucket = &in->outer->buckets[b];
        bool has_members = bucket->has_members && !is_top;
        if (in->parent_bucket != NULL && (in->parent_bucket != bucket || !has_members)) continue;
        for (uint32_t slot = bucket->first; slot < bucket->end; slot++) {
            if (!has_members && slot > bucket->first) break;
            vc_str key = has_members ? in->outer->synthetics[slot - in->dimension->nleaves].key
                                     : bucket->key;
            if (contains_text(key, in->filter.search)) keys[in->nsynthetic++] = key;
        }
    }
    in->synthetic_keys = keys;
    return VC_OK;
}

/* One attribute of members [first, end) of the page, which are of one level. */
static vc_status read_run(const struct browsing *in, size_t property, size_t first, size_t end,
                          vc_arena *arena, uint32_t *codes, vc_error *error)
{
    uint32_t *members = vc_arena_alloc(arena, (end - first + 1) * sizeof *members);
    if (members == NULL) return vc_no_memory(error);
    for (size_t i = first; i < end; i++)
        members[i - first] = in->members[i].member;
    return vc_member_properties(in->dimension, in->filter.hierarchy, in->members[first].level,
                                in->attributes[property], members, end - first, arena,
                                codes + first, error);
}

/* One attribute of the members of the page, as JSON texts: codes_out [nmembers]. */
static vc_status read_codes(const struct browsing *in, vc_arena *arena, uint32_t **codes_out,
                            vc_error *error)
{
    for (size_t p = 0; p < in->nattributes; p++) {
        codes_out[p] = VC_ARENA_NEW(arena, uint32_t, in->nmembers + 1);
        if (codes_out[p] == NULL) return vc_no_memory(error);
        /* Together where they are of one level, which is what costs least. */
        for (size_t first = 0, end; first < in->nmembers; first = end) {
            for (end = first;
                 end < in->nmembers && in->members[end].level == in->members[first].level;)
                end++;
            vc_status status = read_run(in, p, first, end, arena, codes_out[p], error);
            if (status != VC_OK) return status;
        }
    }
    return VC_OK;
}

static vc_status put_property(const struct browsing *in, vc_json_writer *json, size_t property,
                              uint32_t code, vc_member_ref member, vc_arena *arena, vc_error *error)
{
    const vc_attribute *attribute = in->attributes[property];
    if (json->has_before) vc_buffer_put_char(json->out, ',');
    json->has_before = true;
    vc_buffer_put_json(json->out, attribute->name);
    vc_buffer_put_char(json->out, ':');
    if (code != VC_MANY) {
        vc_buffer_put_json(json->out,
                           code == VC_NONE ? (vc_str){0} : vc_texts_get(&attribute->values, code));
        return VC_OK;
    }
    uint32_t *codes;
    size_t ncodes;
    vc_status status = vc_member_property_values(in->dimension, in->filter.hierarchy, member,
                                                 attribute, arena, &codes, &ncodes, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < ncodes; i++) {
        vc_buffer_put_char(json->out, i == 0 ? '[' : ',');
        vc_buffer_put_json(json->out, vc_texts_get(&attribute->values, codes[i]));
    }
    vc_buffer_put_char(json->out, ']');
    return VC_OK;
}

/* A member of a level: its key, label and path. Leaves the object open. */
static vc_status begin_member(vc_json_writer *json, const vc_hierarchy *hierarchy, unsigned number,
                              uint32_t member, vc_arena *arena, vc_error *error)
{
    const vc_level *level = &hierarchy->levels[number];
    vc_str path = vc_member_path(hierarchy, number, member, arena);
    if (vc_str_is_null(path)) return vc_no_memory(error);
    vc_member_ref ref = {.level = number, .member = member};
    vc_json_begin(json, NULL, '{');
    put_key(json, "key", level, vc_texts_get(&level->keys, member));
    vc_json_put_str(json, "label", vc_texts_get(&level->labels, member));
    vc_json_put_str(json, "path", path);
    if (level->first_child != NULL || hierarchy->is_ragged)
        vc_json_put_uint(json, "children", vc_member_count_children(hierarchy, ref));
    return VC_OK;
}

/* A synthetic member is addressed in a cut by its key, escaped as any. */
static vc_status put_synthetic(vc_json_writer *json, vc_str key, vc_arena *arena, vc_error *error)
{
    char *path = vc_arena_alloc(arena, 2 * key.size + 1);
    size_t size = 0;
    if (path == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < key.size; i++) {
        if (strchr("|:;,-!@/#.\\", key.data[i]) != NULL) path[size++] = '\\';
        path[size++] = key.data[i];
    }
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "key", key);
    vc_json_put_str(json, "label", key);
    vc_json_put_str(json, "path", (vc_str){path, size});
    vc_json_put_bool(json, "synthetic", true);
    vc_json_end(json, '}');
    return VC_OK;
}

static vc_status put_members(const struct browsing *in, vc_json_writer *json, vc_arena *arena,
                             vc_error *error)
{
    uint32_t *codes[MAX_PROPERTIES];
    vc_status status = read_codes(in, arena, codes, error);
    for (size_t i = 0; i < in->nmembers && status == VC_OK; i++) {
        unsigned level = in->members[i].level;
        status = begin_member(json, in->hierarchy, level, in->members[i].member, arena, error);
        if (status != VC_OK) return status;
        if (in->filter.is_children)
            vc_json_put_str(json, "level", in->hierarchy->levels[level].name);
        if (in->nattributes > 0) {
            vc_json_begin(json, "properties", '{');
            for (size_t p = 0; p < in->nattributes && status == VC_OK; p++)
                status = put_property(in, json, p, codes[p][i], in->members[i], arena, error);
            vc_json_end(json, '}');
        }
        vc_json_end(json, '}');
    }
    /* Synthetic ones sort last: the page reaches into them where the real ones end. */
    uint64_t first = in->offset > in->ntotal ? in->offset - in->ntotal : 0;
    uint64_t room = in->limit - in->nmembers;
    for (uint64_t i = first; i < in->nsynthetic && i - first < room && status == VC_OK; i++)
        status = put_synthetic(json, in->synthetic_keys[i], arena, error);
    return status;
}

vc_status vc_handle_members(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"hierarchy", "level",  "parent",     "q",
                                        "limit",     "offset", "properties", NULL};
    struct browsing in = {0};
    size_t number;
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = find(call, &in.cube, &number, error);
    if (status != VC_OK) return status;
    in.outer = &in.cube->dimensions[number];
    in.dimension = in.outer->dimension;
    status = read_request(&in, call, error);
    if (status != VC_OK || vc_call_is_known(call, in.cube->definition_hash)) return status;
    status = list_real(&in, call->arena, error);
    if (status == VC_OK) status = list_synthetic(&in, call->arena, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", in.cube->name);
    vc_json_put_text(&json, "snapshot", call->reply->snapshot);
    vc_json_put_str(&json, "dimension", in.outer->name);
    vc_json_put_str(&json, "hierarchy", in.hierarchy->name);
    vc_json_put_str(&json, "level",
                    in.is_below_leaves || in.filter.is_children
                        ? (vc_str){0}
                        : in.hierarchy->levels[in.filter.level].name);
    vc_json_put_uint(&json, "total", in.ntotal + in.nsynthetic);
    vc_json_put_uint(&json, "offset", in.offset);
    vc_json_put_uint(&json, "limit", in.limit);
    vc_json_begin(&json, "members", '[');
    status = put_members(&in, &json, call->arena, error);
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    return status == VC_OK ? vc_call_done_json(call) : status;
}

/* ---- indexes ---- */

static vc_status fail_unknown_key(const vc_index *index, vc_str key, vc_error *error)
{
    enum { MAX_OFFERED = 65536 };
    vc_nearest nearest;
    vc_nearest_init(&nearest, key);
    for (uint32_t i = 0; i < index->values.count && i < MAX_OFFERED; i++)
        vc_nearest_offer(&nearest, vc_texts_get(&index->values, i));
    vc_fail(error, VC_NOT_FOUND, "unknown_key", "index '%.*s' has no key '%.*s'",
            VC_FMT(index->name), VC_FMT(key));
    vc_error_at_offset(error, "key", 0);
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

static vc_status put_indexed(vc_json_writer *json, const vc_dimension *dimension,
                             const vc_index *index, uint32_t member, vc_arena *arena,
                             vc_error *error)
{
    /* A leaf is shown by its member at the lowest level of the main hierarchy. */
    bool is_leaf = index->hierarchy < 0;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[is_leaf ? 0 : index->hierarchy];
    unsigned number = is_leaf ? hierarchy->nlevels - 1 : (unsigned)index->level;
    if (is_leaf) {
        uint32_t leaf = member;
        member = vc_numbers_get(hierarchy->levels[number].leaf_members, leaf);
        vc_member_ref at = {.level = number, .member = member};
        if (vc_member_is_hidden(&hierarchy->levels[number], member) &&
            vc_member_parent(hierarchy, at, &at)) {
            number = at.level;
            member = at.member;
        }
        vc_status status = begin_member(json, hierarchy, number, member, arena, error);
        if (status != VC_OK) return status;
        if (dimension->leaf_keys.count > 0)
            vc_json_put_str(json, "leaf", vc_texts_get(&dimension->leaf_keys, leaf));
    } else {
        vc_status status = begin_member(json, hierarchy, number, member, arena, error);
        if (status != VC_OK) return status;
    }
    vc_json_put_str(json, "level", hierarchy->levels[number].name);
    vc_json_end(json, '}');
    return VC_OK;
}

vc_status vc_handle_dimension_index(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"key", NULL};
    const vc_cube *cube;
    const vc_index *index;
    size_t number, nmembers;
    vc_str key;
    const uint32_t *members;
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = vc_request_parameter(call->request, "key", &key, error);
    if (status == VC_OK) status = find(call, &cube, &number, error);
    if (status != VC_OK) return status;
    const vc_dimension *dimension = cube->dimensions[number].dimension;
    status = vc_dimension_find_index(dimension, call->arguments[2], &index, error);
    if (status != VC_OK) return status;
    if (vc_str_is_null(key)) {
        vc_fail(error, VC_BAD_INPUT, "missing_parameter", "found no 'key' to look up");
        vc_error_at_pointer(error, "key");
        return VC_BAD_INPUT;
    }
    vc_index_find(index, key, &members, &nmembers);
    if (nmembers == 0) return fail_unknown_key(index, key, error);
    if (vc_call_is_known(call, cube->definition_hash)) return VC_OK;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", cube->name);
    vc_json_put_text(&json, "snapshot", call->reply->snapshot);
    vc_json_put_str(&json, "dimension", cube->dimensions[number].name);
    vc_json_put_str(&json, "index", index->name);
    vc_json_put_bool(&json, "unique", index->is_unique);
    vc_json_put_str(&json, "key", key);
    vc_json_put_uint(&json, "total", nmembers);
    vc_json_begin(&json, "members", '[');
    for (size_t i = 0; i < nmembers && i < VC_MAX_MEMBERS && status == VC_OK; i++)
        status = put_indexed(&json, dimension, index, members[i], call->arena, error);
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    return status == VC_OK ? vc_call_done_json(call) : status;
}
