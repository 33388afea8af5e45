/* Members as the dialect describes them. Behind those of the data stand the synthetic ones, as far
 * as the level shows them, and the calculated ones. */
#include "http/mondrian.h"

#include "cube/browse.h"
#include "http/describe.h"
#include "render/values.h"
#include "slice/property.h"

#include <string.h>

enum {
    MAX_MEMBERS = 100000, /* of one answer, children counted */
    MAX_PROPERTIES = 32,
    MAX_VALUES = 1000000,
};

struct extra { /* a member that is none of the data */
    vc_str key, label;
    bool is_calculated;
    uint32_t first, end; /* slots of a synthetic one */
};

struct listing {
    const vc_cube *cube;
    vc_arena *arena;
    size_t number;
    const vc_cube_dimension *outer;
    const vc_hierarchy *hierarchy;
    unsigned h, level;
    bool has_children, has_caption; /* the caption is the last property */
    vc_str names[MAX_PROPERTIES + 1];
    const vc_property *properties[MAX_PROPERTIES + 1];
    const vc_result_values *values[MAX_PROPERTIES + 1]; /* [nmembers + nextras] */
    size_t nproperties;
    vc_member_ref *members;
    size_t nmembers;
    struct extra *extras;
    size_t nextras;
    size_t nput;
};

/* ---- what is asked ---- */

static vc_status add_property(struct listing *in, const vc_parameter *parameter, vc_error *error)
{
    const vc_property *found;
    size_t nfound;
    if (in->nproperties == MAX_PROPERTIES + 1)
        return vc_fail(error, VC_LIMIT, "too_many_properties", "found more than %d properties",
                       MAX_PROPERTIES);
    vc_status status = vc_property_find(in->cube, &in->number, 1, parameter->value, in->arena,
                                        &found, &nfound, error);
    if (status != VC_OK) {
        vc_error_at_offset(error, "member_properties", 0);
        return status;
    }
    in->names[in->nproperties] = parameter->value;
    in->properties[in->nproperties++] = found;
    return VC_OK;
}

static vc_status read_parameters(struct listing *in, const vc_request *request, vc_error *error)
{
    static const char *const known[] = {
        "member_properties", "caption", "children", "limit", "offset", "full_name", NULL};
    const vc_parameter *caption = NULL;
    vc_status status = vc_mondrian_check_parameters(request, known, in->arena, error);
    for (size_t i = 0; i < request->nparameters && status == VC_OK; i++) {
        const vc_parameter *parameter = &request->parameters[i];
        vc_str name = vc_mondrian_parameter_name(parameter->name);
        if (parameter->value.size == 0) continue;
        if (vc_str_is(name, "member_properties")) status = add_property(in, parameter, error);
        if (vc_str_is(name, "caption")) caption = parameter;
        if (vc_str_is(name, "children"))
            status = vc_mondrian_read_flag(parameter, &in->has_children, error);
    }
    if (status != VC_OK || caption == NULL) return status;
    in->has_caption = true;
    return add_property(in, caption, error);
}

/* ---- members that are none of the data ---- */

/* Where a bucket has members of its own they stand at every level but the first of several, where
 * the bucket stands for them. */
static void list_synthetic(struct listing *in)
{
    bool is_top = in->hierarchy->nlevels > 1 && in->level == 0;
    for (size_t b = 0; b < in->outer->nbuckets; b++) {
        const vc_bucket *bucket = &in->outer->buckets[b];
        if (!bucket->has_members || is_top) {
            in->extras[in->nextras++] =
                (struct extra){bucket->key, bucket->key, false, bucket->first, bucket->end};
            continue;
        }
        for (uint32_t slot = bucket->first; slot < bucket->end; slot++) {
            vc_str key = in->outer->synthetics[slot - in->outer->dimension->nleaves].key;
            in->extras[in->nextras++] = (struct extra){key, key, false, slot, slot + 1};
        }
    }
}

static vc_status list_extras(struct listing *in, vc_error *error)
{
    const vc_cube *cube = in->cube;
    in->extras = VC_ARENA_NEW(in->arena, struct extra,
                              in->outer->nbuckets + in->outer->nsynthetic + cube->ncalculated + 1);
    if (in->extras == NULL) return vc_no_memory(error);
    list_synthetic(in);
    for (size_t i = 0; i < cube->ncalculated; i++) {
        const vc_calculated *member = &cube->calculated[i];
        if (member->dimension == in->number && member->hierarchy == in->h &&
            member->level == in->level)
            in->extras[in->nextras++] = (struct extra){member->name, member->label, true, 0, 0};
    }
    return VC_OK;
}

/* ---- properties ---- */

static vc_status read_values(struct listing *in, vc_error *error)
{
    vc_property_members members;
    uint32_t *places;
    if (in->nproperties == 0) return VC_OK;
    vc_status status = vc_property_place(in->cube, in->number, in->h, in->members, in->nmembers,
                                         in->arena, &members, &places, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < in->nextras; i++)
        for (uint32_t slot = in->extras[i].first; slot < in->extras[i].end; slot++)
            places[slot] = (uint32_t)(in->nmembers + i);
    members.nplaces += in->nextras;
    for (size_t p = 0; p < in->nproperties && status == VC_OK; p++) {
        vc_property_values read;
        status = vc_property_read(in->cube, in->properties[p], &members, MAX_VALUES, in->arena,
                                  &read, error);
        if (status == VC_OK)
            status = vc_property_texts(NULL, in->properties[p], &read, members.nplaces, in->arena,
                                       &in->values[p], error);
    }
    return status;
}

static void put_properties(const struct listing *in, vc_json_writer *json, size_t place)
{
    size_t count = in->nproperties - in->has_caption;
    if (count == 0) return;
    vc_json_begin(json, "properties", '{');
    for (size_t p = 0; p < count; p++) {
        if (p > 0) vc_buffer_put_char(json->out, ',');
        vc_buffer_put_json(json->out, in->names[p]);
        vc_buffer_put_char(json->out, ':');
        vc_values_put_json(json->out, &in->values[p][place]);
    }
    vc_json_end(json, '}');
}

/* ---- writing ---- */

/* A key for each level, also of those at which a ragged hierarchy has nothing. */
static void put_path(const struct listing *in, vc_buffer *out, vc_member_ref member)
{
    const vc_level *level = &in->hierarchy->levels[member.level];
    if (member.level > 0)
        put_path(in, out,
                 (vc_member_ref){member.level - 1, vc_numbers_get(level->parents, member.member)});
    vc_mondrian_put_key(out, vc_texts_get(&level->keys, member.member));
}

/* NULL: the member All. */
static void put_full_name(const struct listing *in, vc_json_writer *json, const char *key,
                          const vc_member_ref *member)
{
    vc_buffer name = {0};
    vc_mondrian_put_level(&name, in->outer->name, in->outer->dimension, in->h,
                          member == NULL ? VC_STR(VC_MONDRIAN_ALL)
                                         : in->hierarchy->levels[member->level].name);
    if (member != NULL)
        put_path(in, &name, *member);
    else
        vc_mondrian_put_key(&name, VC_STR(VC_MONDRIAN_ALL_NAME));
    vc_json_put_str(json, key, (vc_str){vc_buffer_text(&name), name.size});
    json->out->failed |= name.failed;
    vc_buffer_release(&name);
}

static void put_fields(const struct listing *in, vc_json_writer *json, const vc_member_ref *member)
{
    const vc_level *level = &in->hierarchy->levels[member->level];
    vc_str key = vc_texts_get(&level->keys, member->member);
    size_t nchildren = vc_member_count_children(in->hierarchy, *member);
    vc_member_ref above;
    if (vc_str_is_null(key))
        vc_json_put_text(json, "key", VC_MONDRIAN_NULL_NAME);
    else
        vc_describe_put_key(json, "key", level, key);
    vc_json_put_str(json, "name", vc_str_is_null(key) ? VC_STR(VC_MONDRIAN_NULL_NAME) : key);
    put_full_name(in, json, "full_name", member);
    vc_json_put_bool(json, "all_member?", false);
    vc_json_put_bool(json, "drillable?", nchildren > 0);
    vc_json_put_uint(json, "depth", member->level + in->outer->is_aggregatable);
    vc_json_put_uint(json, "num_children", nchildren);
    bool has_parent = vc_member_parent(in->hierarchy, *member, &above);
    if (has_parent || in->outer->is_aggregatable)
        put_full_name(in, json, "parent_name", has_parent ? &above : NULL);
    else
        vc_json_put_null(json, "parent_name");
    vc_json_put_str(json, "level_name", level->name);
}

static void put_label(const struct listing *in, vc_json_writer *json, const vc_member_ref *member)
{
    vc_json_put_str(json, "caption",
                    vc_texts_get(&in->hierarchy->levels[member->level].labels, member->member));
}

static void put_no_list(vc_json_writer *json, const char *key)
{
    vc_json_begin(json, key, '[');
    vc_json_end(json, ']');
}

/* What is above it, the nearest first. */
static void put_ancestors(const struct listing *in, vc_json_writer *json, vc_member_ref member)
{
    vc_json_begin(json, "ancestors", '[');
    while (vc_member_parent(in->hierarchy, member, &member)) {
        vc_json_begin(json, NULL, '{');
        put_fields(in, json, &member);
        put_label(in, json, &member);
        put_no_list(json, "children");
        put_no_list(json, "ancestors");
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static vc_status count_put(struct listing *in, vc_error *error)
{
    if (in->nput++ < MAX_MEMBERS) return VC_OK;
    return vc_fail(error, VC_LIMIT, "limit_cells",
                   "there are more than %d members; ask for some of them with limit and offset",
                   MAX_MEMBERS);
}

/* What is below it, and below that. */
static vc_status put_children(struct listing *in, vc_json_writer *json, vc_member_ref parent,
                              vc_error *error)
{
    vc_member_ref *children = NULL;
    size_t nchildren = 0, ntotal;
    vc_member_filter filter = {.hierarchy = in->h,
                               .level = parent.level + 1,
                               .has_parent = true,
                               .parent = parent,
                               .limit = MAX_MEMBERS + 1,
                               .is_children = in->hierarchy->is_ragged};
    vc_status status = VC_OK;
    vc_json_begin(json, "children", '[');
    if (in->has_children && parent.level + 1 < in->hierarchy->nlevels)
        status =
            vc_cube_browse(in->outer, &filter, in->arena, &children, &nchildren, &ntotal, error);
    for (size_t i = 0; i < nchildren && status == VC_OK; i++) {
        status = count_put(in, error);
        if (status != VC_OK) return status;
        vc_json_begin(json, NULL, '{');
        put_fields(in, json, &children[i]);
        put_label(in, json, &children[i]);
        status = put_children(in, json, children[i], error);
        put_no_list(json, "ancestors");
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    return status;
}

static vc_status put_member(struct listing *in, vc_json_writer *json, size_t place, vc_error *error)
{
    const vc_member_ref *member = &in->members[place];
    vc_status status = count_put(in, error);
    if (status != VC_OK) return status;
    vc_json_begin(json, NULL, '{');
    put_fields(in, json, member);
    if (in->has_caption) {
        vc_json_put_key(json, "caption");
        vc_values_put_json(json->out, &in->values[in->nproperties - 1][place]);
    } else {
        put_label(in, json, member);
    }
    put_ancestors(in, json, *member);
    status = put_children(in, json, *member, error);
    put_properties(in, json, place);
    vc_json_end(json, '}');
    return status;
}

static vc_status put_extra(struct listing *in, vc_json_writer *json, size_t number, vc_error *error)
{
    vc_buffer name = {0};
    const struct extra *extra = &in->extras[number];
    vc_status status = count_put(in, error);
    if (status != VC_OK) return status;
    vc_mondrian_put_level(&name, in->outer->name, in->outer->dimension, in->h,
                          in->hierarchy->levels[in->level].name);
    vc_mondrian_put_key(&name, extra->key);
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "key", extra->key);
    vc_json_put_str(json, "name", extra->key);
    vc_json_put_str(json, "full_name", (vc_str){vc_buffer_text(&name), name.size});
    vc_json_put_bool(json, "all_member?", false);
    vc_json_put_bool(json, "drillable?", false);
    vc_json_put_uint(json, "depth", in->level + in->outer->is_aggregatable);
    vc_json_put_uint(json, "num_children", 0);
    vc_json_put_null(json, "parent_name");
    vc_json_put_str(json, "level_name", in->hierarchy->levels[in->level].name);
    vc_json_put_str(json, "caption", extra->label);
    vc_json_put_bool(json, extra->is_calculated ? "calculated" : "synthetic", true);
    put_no_list(json, "ancestors");
    put_no_list(json, "children");
    put_properties(in, json, in->nmembers + number);
    vc_json_end(json, '}');
    json->out->failed |= name.failed;
    vc_buffer_release(&name);
    return VC_OK;
}

/* ---- a level's members ---- */

vc_status vc_mondrian_put_members(vc_call *call, const vc_cube *cube, const vc_mondrian_ref *ref,
                                  vc_error *error)
{
    const vc_request *request = call->request;
    const vc_cube_dimension *outer = &cube->dimensions[ref->dimension];
    struct listing in = {.cube = cube,
                         .arena = call->arena,
                         .number = ref->dimension,
                         .outer = outer,
                         .hierarchy = &outer->dimension->hierarchies[ref->hierarchy],
                         .h = ref->hierarchy,
                         .level = ref->level};
    vc_member_filter filter = {.hierarchy = ref->hierarchy, .level = ref->level};
    uint64_t offset, limit;
    size_t ntotal = 0;
    vc_status status = read_parameters(&in, request, error);
    if (status == VC_OK)
        status = vc_request_count(request, "offset", 0, UINT32_MAX, &offset, error);
    if (status == VC_OK)
        status = vc_request_count(request, "limit", MAX_MEMBERS + 1, MAX_MEMBERS, &limit, error);
    if (status != VC_OK) return status;
    filter.offset = offset;
    filter.limit = limit;
    status = vc_cube_browse(outer, &filter, call->arena, &in.members, &in.nmembers, &ntotal, error);
    if (status == VC_OK) status = list_extras(&in, error);
    if (status == VC_OK) status = read_values(&in, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    vc_json_begin(&json, NULL, '{');
    vc_mondrian_put_level_fields(&json, cube, ref->dimension, ref->hierarchy, ref->level);
    vc_json_put_uint(&json, "total", ntotal + in.nextras);
    vc_json_begin(&json, "members", '[');
    for (size_t i = 0; i < in.nmembers && status == VC_OK; i++)
        status = put_member(&in, &json, i, error);
    for (size_t i = 0; i < in.nextras && status == VC_OK; i++)
        if (ntotal + i >= offset && ntotal + i < offset + limit)
            status = put_extra(&in, &json, i, error);
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
    return status;
}

/* ---- one member ---- */

static vc_status fail_ambiguous(const struct listing *in, vc_str key, const uint32_t *members,
                                size_t nmembers, vc_error *error)
{
    vc_fail(error, VC_IMPOSSIBLE, "ambiguous_key",
            "level '%.*s' has %zu members with the key '%.*s'; ask for one by its full_name",
            VC_FMT(in->hierarchy->levels[in->level].name), nmembers, VC_FMT(key));
    for (size_t i = 0; i < nmembers && i < 5; i++) {
        vc_buffer name = {0};
        vc_member_ref member = {.level = in->level, .member = members[i]};
        vc_mondrian_put_level(&name, in->outer->name, in->outer->dimension, in->h,
                              in->hierarchy->levels[in->level].name);
        put_path(in, &name, member);
        if (!name.failed) vc_error_add_candidate(error, name.data, name.size);
        vc_buffer_release(&name);
    }
    return VC_IMPOSSIBLE;
}

/* By one key of the level: a member, or one that is none of the data. */
static vc_status find_by_key(struct listing *in, vc_str key, size_t *extra_out, vc_error *error)
{
    uint32_t *members;
    size_t nmembers;
    const vc_level *level = &in->hierarchy->levels[in->level];
    *extra_out = SIZE_MAX;
    vc_status status = vc_level_find_members(level, key, in->arena, &members, &nmembers, error);
    if (status == VC_OK && nmembers == 0 && vc_str_is(key, VC_MONDRIAN_NULL_NAME))
        status = vc_level_find_members(level, (vc_str){0}, in->arena, &members, &nmembers, error);
    if (status != VC_OK) return status;
    if (nmembers > 1) return fail_ambiguous(in, key, members, nmembers, error);
    if (nmembers == 1) {
        in->members[in->nmembers++] = (vc_member_ref){.level = in->level, .member = members[0]};
        return VC_OK;
    }
    for (size_t i = 0; i < in->nextras; i++)
        if (vc_str_equal(in->extras[i].key, key)) {
            *extra_out = i;
            return VC_OK;
        }
    return vc_fail(error, VC_NOT_FOUND, "unknown_member", "level '%.*s' has no member '%.*s'",
                   VC_FMT(level->name), VC_FMT(key));
}

/* Is it one that the cube's joins leave? */
static vc_status check_visible(struct listing *in, vc_error *error)
{
    vc_member_ref *found, member = in->members[0];
    size_t nfound, ntotal;
    vc_member_filter filter = {.hierarchy = in->h,
                               .level = member.level,
                               .has_parent = true,
                               .parent = member,
                               .limit = 1};
    vc_status status =
        vc_cube_browse(in->outer, &filter, in->arena, &found, &nfound, &ntotal, error);
    if (status != VC_OK || ntotal > 0) return status;
    return vc_fail(error, VC_NOT_FOUND, "unknown_member",
                   "the member matches nothing that is joined, and is none of this cube");
}

vc_status vc_mondrian_put_one_member(vc_call *call, const vc_cube *cube, const vc_mondrian_ref *ref,
                                     const vc_str *keys, size_t nkeys, vc_error *error)
{
    const vc_cube_dimension *outer = &cube->dimensions[ref->dimension];
    struct listing in = {.cube = cube,
                         .arena = call->arena,
                         .number = ref->dimension,
                         .outer = outer,
                         .hierarchy = &outer->dimension->hierarchies[ref->hierarchy],
                         .h = ref->hierarchy,
                         .level = ref->level};
    size_t extra = SIZE_MAX;
    in.members = VC_ARENA_NEW(call->arena, vc_member_ref, 1);
    if (in.members == NULL) return vc_no_memory(error);
    vc_status status = read_parameters(&in, call->request, error);
    if (status == VC_OK) status = list_extras(&in, error);
    if (status != VC_OK) return status;
    if (nkeys == 1 && ref->has_level) {
        status = find_by_key(&in, keys[0], &extra, error);
    } else {
        status = vc_hierarchy_find_member(outer->dimension, ref->hierarchy, keys, nkeys,
                                          call->arena, &in.members[0], error);
        in.nmembers = status == VC_OK;
    }
    if (status == VC_OK && in.nmembers == 1) status = check_visible(&in, error);
    if (status == VC_OK) status = read_values(&in, error);
    if (status != VC_OK) return status;
    vc_json_writer json = {.out = &call->reply->body};
    return extra == SIZE_MAX ? put_member(&in, &json, 0, error)
                             : put_extra(&in, &json, extra, error);
}
