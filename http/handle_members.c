/* The members of a dimension: browsed, searched, page by page. */
#include "http/describe.h"
#include "http/listing.h"

#include "base/fold.h"
#include "cube/browse.h"
#include "cube/text_scan.h"
#include "dimensions/search.h"
#include "render/values.h"

enum { MAX_VALUES = 1000000 };

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

static vc_status read_parent(vc_listing *in, vc_call *call, vc_error *error)
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

static vc_status read_level(vc_listing *in, const vc_request *request, vc_error *error)
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
static vc_status read_properties(vc_listing *in, const vc_request *request, vc_arena *arena,
                                 vc_error *error)
{
    vc_str rest, whole;
    vc_status status = vc_request_parameter(request, "properties", &rest, error);
    whole = rest;
    if (rest.size == 0) return status;
    while (status == VC_OK && !vc_str_is_null(rest)) {
        vc_str name = vc_str_split(&rest, ',');
        size_t nfound;
        if (in->nproperties == VC_MAX_PROPERTIES)
            status = vc_fail(error, VC_LIMIT, "too_many_properties",
                             "found more than %d properties", VC_MAX_PROPERTIES);
        else
            status = vc_property_find(in->cube, &in->number, 1, name, arena,
                                      &in->properties[in->nproperties++], &nfound, error);
        if (status != VC_OK)
            vc_error_at_offset(error, "properties", (size_t)(name.data - whole.data));
    }
    return status;
}

/* Where in the key or label the text is. */
static vc_status read_match(vc_listing *in, const vc_request *request, vc_error *error)
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

static vc_status read_request(vc_listing *in, vc_call *call, vc_error *error)
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

static vc_status find_texts(vc_listing *in, vc_model *model, vc_error *error)
{
    const void *texts;
    const vc_level *level = &in->hierarchy->levels[in->filter.level];
    if (in->filter.search.size == 0 || in->filter.is_children || level->nmembers < LARGE_LEVEL)
        return VC_OK;
    vc_status status = vc_model_memo(model, level, 0, make_texts, (void *)level, &texts, error);
    if (status == VC_OK) in->filter.texts = texts;
    return status;
}

static vc_status list_real(vc_listing *in, vc_model *model, vc_arena *arena, vc_error *error)
{
    if (in->parent_bucket != NULL || in->is_below_leaves) return VC_OK;
    vc_status status = find_texts(in, model, error);
    if (status != VC_OK) return status;
    in->filter.offset = in->has_cursor ? 0 : in->offset;
    in->filter.limit = in->limit;
    status = vc_cube_browse(in->outer, &in->filter, arena, &in->members, &in->nmembers, &in->ntotal,
                            error);
    in->ntotal += in->cursor.nreal;
    return status;
}

/* Of the few members that are none of the data. */
static bool is_found(const vc_listing *in, vc_str text)
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
static vc_status list_synthetic(vc_listing *in, vc_arena *arena, vc_error *error)
{
    if (in->filter.has_parent || in->outer->nbuckets == 0) return VC_OK;
    bool is_top = in->hierarchy->nlevels > 1 && in->filter.level == 0;
    in->synthetics = VC_ARENA_NEW(arena, vc_listed_synthetic, in->outer->nsynthetic + 1);
    if (in->synthetics == NULL) return vc_no_memory(error);
    for (size_t b = 0; b < in->outer->nbuckets; b++) {
        const vc_bucket *bucket = &in->outer->buckets[b];
        bool has_members = bucket->has_members && !is_top;
        if (in->parent_bucket != NULL && (in->parent_bucket != bucket || !has_members)) continue;
        for (uint32_t slot = bucket->first; slot < bucket->end; slot++) {
            if (!has_members && slot > bucket->first) break;
            vc_listed_synthetic item = {bucket->key, bucket->first, bucket->end};
            if (has_members)
                item = (vc_listed_synthetic){
                    in->outer->synthetics[slot - in->dimension->nleaves].key, slot, slot + 1};
            if (is_found(in, item.key)) in->synthetics[in->nsynthetic++] = item;
        }
    }
    return VC_OK;
}

/* The calculated members that stand at the level, below the parent. */
static vc_status list_calculated(vc_listing *in, vc_arena *arena, vc_error *error)
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
static vc_listed_synthetic *synthetic_page(const vc_listing *in, size_t *count_out)
{
    uint64_t first = in->offset > in->ntotal ? in->offset - in->ntotal : 0;
    uint64_t room = in->limit - in->nmembers;
    uint64_t left = first < in->nsynthetic ? in->nsynthetic - first : 0;
    *count_out = (size_t)(left < room ? left : room);
    return left > 0 ? in->synthetics + first : NULL;
}

/* The properties of all members of the page, the synthetic ones behind the others. */
static vc_status read_values(vc_listing *in, vc_arena *arena, vc_error *error)
{
    vc_property_members members;
    uint32_t *places;
    size_t nsynthetic;
    const vc_listed_synthetic *synthetics = synthetic_page(in, &nsynthetic);
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
            status = vc_property_texts(NULL, in->properties[p], &read, members.nplaces, arena,
                                       &in->values[p], error);
    }
    return status;
}

/* "properties" of a member of the page: null, a text, or an array of several. */
static void put_properties(const vc_listing *in, vc_json_writer *json, size_t place)
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

static void put_synthetic(const vc_listing *in, vc_json_writer *json, vc_str key, size_t place)
{
    begin_keyed(json, key, key);
    vc_json_put_bool(json, "synthetic", true);
    put_properties(in, json, place);
    vc_json_end(json, '}');
}

static vc_status put_calculated(const vc_listing *in, vc_json_writer *json,
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

static vc_status put_members(const vc_listing *in, vc_json_writer *json, vc_arena *arena,
                             vc_error *error)
{
    size_t nsynthetic;
    const vc_listed_synthetic *synthetics = synthetic_page(in, &nsynthetic);
    vc_status status = VC_OK;
    for (size_t i = 0; i < in->nmembers && status == VC_OK; i++) {
        unsigned level = in->members[i].level;
        status = vc_describe_begin_member(json, in->hierarchy, level, in->members[i].member, arena,
                                          error);
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
    static const char *const known[] = {"hierarchy", "level",  "parent", "q",
                                        "match",     "limit",  "offset", "properties",
                                        "at",        "cursor", NULL};
    vc_listing in = {0};
    vc_status status = vc_request_check_parameters(call->request, known, error);
    if (status == VC_OK) status = vc_listing_read_cursor(&in, call, error);
    if (status == VC_OK) status = vc_listing_open(&in, call, error);
    if (status == VC_OK) status = read_request(&in, call, error);
    if (status == VC_OK) status = vc_listing_place(&in, error);
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
    if (status == VC_OK) status = vc_listing_put_next(&in, call, &json, error);
    vc_json_end(&json, '}');
    return status == VC_OK ? vc_call_done_json(call) : status;
}
