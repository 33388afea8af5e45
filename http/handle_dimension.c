/* A dimension of a cube: what it is, its members, and keys looked up in its indexes. */
#include "http/describe.h"
#include "http/service.h"

#include "base/fold.h"
#include "base/nearest.h"
#include "cube/browse.h"
#include "cube/text_scan.h"
#include "dimensions/search.h"
#include "render/values.h"
#include "slice/property.h"

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

enum { MAX_PROPERTIES = 32, MAX_VALUES = 1000000 };

struct synthetic { /* a bucket or a member of one */
    vc_str key;
    uint32_t first, end; /* slots */
};

struct browsing {
    const vc_cube *cube;
    size_t number; /* of the dimension in the cube */
    const vc_cube_dimension *outer;
    const vc_dimension *dimension;
    const vc_hierarchy *hierarchy;
    vc_member_filter filter;
    const vc_bucket *parent_bucket; /* the parent is a bucket, which has synthetic leaves only */
    bool is_below_leaves;           /* the parent is at the lowest level: nothing is below it */
    const vc_property *properties[MAX_PROPERTIES];
    size_t nproperties;
    const vc_result_values *values[MAX_PROPERTIES]; /* [nmembers, then synthetic ones] */
    const vc_calculated **calculated;               /* [ncalculated] behind all */
    size_t ncalculated;
    struct synthetic *synthetics; /* that fit the filter */
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

/* "capital,iso2" or "geo.capital", and "cities.mayor" of what is joined. */
static vc_status read_properties(struct browsing *in, const vc_request *request, vc_arena *arena,
                                 vc_error *error)
{
    vc_str rest, whole;
    vc_status status = vc_request_parameter(request, "properties", &rest, error);
    whole = rest;
    if (rest.size == 0) return status;
    while (status == VC_OK && !vc_str_is_null(rest)) {
        vc_str name = vc_str_split(&rest, ',');
        size_t nfound;
        if (in->nproperties == MAX_PROPERTIES)
            status = vc_fail(error, VC_LIMIT, "too_many_properties",
                             "found more than %d properties", MAX_PROPERTIES);
        else
            status = vc_property_find(in->cube, &in->number, 1, name, arena,
                                      &in->properties[in->nproperties++], &nfound, error);
        if (status != VC_OK)
            vc_error_at_offset(error, "properties", (size_t)(name.data - whole.data));
    }
    return status;
}

/* Where in the key or label the text is. */
static vc_status read_match(struct browsing *in, const vc_request *request, vc_error *error)
{
    vc_str match;
    vc_status status = vc_request_parameter(request, "match", &match, error);
    if (status != VC_OK || vc_str_is_null(match)) return status;
    in->filter.is_prefix = vc_str_is(match, "prefix");
    if (in->filter.is_prefix || vc_str_is(match, "substring")) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_parameter", "found '%.*s', expected prefix or substring",
            VC_FMT(match));
    vc_error_at_offset(error, "match", 0);
    return VC_BAD_INPUT;
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
    if (status == VC_OK) status = read_match(in, request, error);
    if (status == VC_OK)
        status = vc_request_count(request, "limit", 100, VC_MAX_MEMBERS, &in->limit, error);
    if (status == VC_OK)
        status = vc_request_count(request, "offset", 0, UINT32_MAX, &in->offset, error);
    if (status == VC_OK) status = read_properties(in, request, call->arena, error);
    return status;
}

/* The folded texts of a large level are made once for a snapshot. */
enum { LARGE_LEVEL = 20000 };

static vc_status make_texts(void *context, vc_arena *arena, const void **value_out, vc_error *error)
{
    const vc_level *level = context;
    const vc_search_texts *texts;
    vc_status status = vc_search_texts_make(level, 0, level->nmembers, arena, &texts, error);
    *value_out = texts;
    return status;
}

static vc_status find_texts(struct browsing *in, vc_model *model, vc_error *error)
{
    const void *texts;
    const vc_level *level = &in->hierarchy->levels[in->filter.level];
    if (in->filter.search.size == 0 || in->filter.is_children || level->nmembers < LARGE_LEVEL)
        return VC_OK;
    vc_status status = vc_model_memo(model, level, 0, make_texts, (void *)level, &texts, error);
    if (status == VC_OK) in->filter.texts = texts;
    return status;
}

static vc_status list_real(struct browsing *in, vc_model *model, vc_arena *arena, vc_error *error)
{
    if (in->parent_bucket != NULL || in->is_below_leaves) return VC_OK;
    vc_status status = find_texts(in, model, error);
    if (status != VC_OK) return status;
    in->filter.offset = in->offset;
    in->filter.limit = in->limit;
    return vc_cube_browse(in->outer, &in->filter, arena, &in->members, &in->nmembers, &in->ntotal,
                          error);
}

/* Of the few members that are none of the data. */
static bool is_found(const struct browsing *in, vc_str text)
{
    vc_buffer folded = {0}, part = {0};
    vc_fold_put(&folded, text);
    vc_fold_put(&part, in->filter.search);
    vc_str all = {folded.data, folded.size}, wanted = {part.data, part.size};
    bool found =
        in->filter.is_prefix ? vc_str_starts_with(all, wanted) : vc_str_contains(all, wanted);
    vc_buffer_release(&folded);
    vc_buffer_release(&part);
    return found || in->filter.search.size == 0;
}

/* The synthetic members that a level shows: where a bucket has members of its own they stand at
 * every level but the first of several, where the bucket stands for them. */
static vc_status list_synthetic(struct browsing *in, vc_arena *arena, vc_error *error)
{
    if (in->filter.has_parent || in->outer->nbuckets == 0) return VC_OK;
    bool is_top = in->hierarchy->nlevels > 1 && in->filter.level == 0;
    in->synthetics = VC_ARENA_NEW(arena, struct synthetic, in->outer->nsynthetic + 1);
    if (in->synthetics == NULL) return vc_no_memory(error);
    for (size_t b = 0; b < in->outer->nbuckets; b++) {
        const vc_bucket *bucket = &in->outer->buckets[b];
        bool has_members = bucket->has_members && !is_top;
        if (in->parent_bucket != NULL && (in->parent_bucket != bucket || !has_members)) continue;
        for (uint32_t slot = bucket->first; slot < bucket->end; slot++) {
            if (!has_members && slot > bucket->first) break;
            struct synthetic item = {bucket->key, bucket->first, bucket->end};
            if (has_members)
                item = (struct synthetic){in->outer->synthetics[slot - in->dimension->nleaves].key,
                                          slot, slot + 1};
            if (is_found(in, item.key)) in->synthetics[in->nsynthetic++] = item;
        }
    }
    return VC_OK;
}

/* The calculated members that stand at the level, below the parent. */
static vc_status list_calculated(struct browsing *in, vc_arena *arena, vc_error *error)
{
    const vc_cube *cube = in->cube;
    size_t number = (size_t)(in->outer - cube->dimensions);
    in->calculated = VC_ARENA_NEW(arena, const vc_calculated *, cube->ncalculated + 1);
    if (in->calculated == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < cube->ncalculated; i++) {
        const vc_calculated *member = &cube->calculated[i];
        const vc_member_ref *parent = &in->filter.parent;
        vc_member_ref above = member->parent;
        bool is_here = member->dimension == number && member->hierarchy == in->filter.hierarchy &&
                       member->level == in->filter.level && in->parent_bucket == NULL &&
                       !in->is_below_leaves;
        if (is_here && in->filter.has_parent) {
            is_here = member->has_parent && above.level >= parent->level;
            for (; is_here && above.level > parent->level; above.level--)
                above.member =
                    vc_numbers_get(in->hierarchy->levels[above.level].parents, above.member);
            is_here = is_here && above.member == parent->member;
        }
        if (is_here && (is_found(in, member->name) || is_found(in, member->label)))
            in->calculated[in->ncalculated++] = member;
    }
    return VC_OK;
}

/* The synthetic members of the page: those where the real ones end. */
static struct synthetic *synthetic_page(const struct browsing *in, size_t *count_out)
{
    uint64_t first = in->offset > in->ntotal ? in->offset - in->ntotal : 0;
    uint64_t room = in->limit - in->nmembers;
    uint64_t left = first < in->nsynthetic ? in->nsynthetic - first : 0;
    *count_out = (size_t)(left < room ? left : room);
    return in->synthetics + (left > 0 ? first : 0);
}

/* The properties of all members of the page, the synthetic ones behind the others. */
static vc_status read_values(struct browsing *in, vc_arena *arena, vc_error *error)
{
    vc_property_members members;
    uint32_t *places;
    size_t nsynthetic;
    const struct synthetic *synthetics = synthetic_page(in, &nsynthetic);
    if (in->nproperties == 0) return VC_OK;
    vc_status status = vc_property_place(in->cube, in->number, in->filter.hierarchy, in->members,
                                         in->nmembers, arena, &members, &places, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < nsynthetic; i++)
        for (uint32_t slot = synthetics[i].first; slot < synthetics[i].end; slot++)
            places[slot] = (uint32_t)(in->nmembers + i);
    members.nplaces += nsynthetic;
    for (size_t p = 0; p < in->nproperties && status == VC_OK; p++) {
        vc_property_values read;
        status = vc_property_read(in->cube, in->properties[p], &members, MAX_VALUES, arena, &read,
                                  error);
        if (status == VC_OK)
            status = vc_property_texts(in->properties[p], &read, members.nplaces, arena,
                                       &in->values[p], error);
    }
    return status;
}

/* "properties" of a member of the page: null, a text, or an array of several. */
static void put_properties(const struct browsing *in, vc_json_writer *json, size_t place)
{
    if (in->nproperties == 0) return;
    vc_json_begin(json, "properties", '{');
    for (size_t p = 0; p < in->nproperties; p++) {
        const vc_property *property = in->properties[p];
        if (p > 0) vc_buffer_put_char(json->out, ',');
        vc_buffer_put_json(json->out, vc_str_is_null(property->alias) ? property->attribute->name
                                                                      : property->asked);
        vc_buffer_put_char(json->out, ':');
        vc_values_put_json(json->out, &in->values[p][place]);
    }
    vc_json_end(json, '}');
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

/* A member that is no member of the data is addressed in a cut by its key, escaped as any. Leaves
 * the object open. */
static void begin_keyed(vc_json_writer *json, vc_str key, vc_str label)
{
    vc_buffer path = {0};
    vc_path_put_key(&path, key);
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "key", key);
    vc_json_put_str(json, "label", label);
    vc_json_put_str(json, "path", (vc_str){vc_buffer_text(&path), path.size});
    json->out->failed |= path.failed;
    vc_buffer_release(&path);
}

static void put_synthetic(const struct browsing *in, vc_json_writer *json, vc_str key, size_t place)
{
    begin_keyed(json, key, key);
    vc_json_put_bool(json, "synthetic", true);
    put_properties(in, json, place);
    vc_json_end(json, '}');
}

static vc_status put_calculated(const struct browsing *in, vc_json_writer *json,
                                const vc_calculated *member, vc_arena *arena, vc_error *error)
{
    begin_keyed(json, member->name, member->label);
    vc_json_put_bool(json, "calculated", true);
    vc_json_put_str(json, "expr", member->definition->expr);
    vc_json_put_key(json, "solve_order");
    vc_buffer_put_int(json->out, member->definition->solve_order);
    if (member->has_parent) {
        vc_str parent =
            vc_member_path(in->hierarchy, member->parent.level, member->parent.member, arena);
        if (vc_str_is_null(parent)) return vc_no_memory(error);
        vc_json_put_str(json, "parent", parent);
    }
    vc_json_end(json, '}');
    return VC_OK;
}

static vc_status put_members(const struct browsing *in, vc_json_writer *json, vc_arena *arena,
                             vc_error *error)
{
    size_t nsynthetic;
    const struct synthetic *synthetics = synthetic_page(in, &nsynthetic);
    vc_status status = VC_OK;
    for (size_t i = 0; i < in->nmembers && status == VC_OK; i++) {
        unsigned level = in->members[i].level;
        status = begin_member(json, in->hierarchy, level, in->members[i].member, arena, error);
        if (status != VC_OK) return status;
        if (in->filter.is_children)
            vc_json_put_str(json, "level", in->hierarchy->levels[level].name);
        put_properties(in, json, i);
        vc_json_end(json, '}');
    }
    for (size_t i = 0; i < nsynthetic && status == VC_OK; i++)
        put_synthetic(in, json, synthetics[i].key, in->nmembers + i);
    /* Behind these those that are calculated. */
    uint64_t before = in->ntotal + in->nsynthetic, end = in->offset + in->limit;
    for (uint64_t i = 0; i < in->ncalculated && status == VC_OK; i++)
        if (before + i >= in->offset && before + i < end)
            status = put_calculated(in, json, in->calculated[i], arena, error);
    return status;
}

vc_status vc_handle_members(vc_call *call, vc_error *error)
{
    static const char *const known[] = {"hierarchy", "level",  "parent",     "q", "match",
                                        "limit",     "offset", "properties", NULL};
    struct browsing in = {0};
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = find(call, &in.cube, &in.number, error);
    if (status != VC_OK) return status;
    in.outer = &in.cube->dimensions[in.number];
    in.dimension = in.outer->dimension;
    status = read_request(&in, call, error);
    if (status != VC_OK || vc_call_is_known(call, in.cube->definition_hash)) return status;
    status = list_real(&in, call->model, call->arena, error);
    if (status == VC_OK) status = list_synthetic(&in, call->arena, error);
    if (status == VC_OK) status = read_values(&in, call->arena, error);
    if (status == VC_OK) status = list_calculated(&in, call->arena, error);
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
    vc_json_put_uint(&json, "total", in.ntotal + in.nsynthetic + in.ncalculated);
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
