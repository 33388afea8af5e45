#include "http/listing.h"

#include "cube/browse.h"
#include "http/link.h"

#define XXH_STATIC_LINKING_ONLY /* for a hashing state on the stack */
#include <xxhash.h>

static void hash_text(XXH3_state_t *state, vc_str text)
{
    uint64_t size = vc_str_is_null(text) ? UINT64_MAX : text.size;
    XXH3_64bits_update(state, &size, sizeof size);
    if (text.size > 0) XXH3_64bits_update(state, text.data, text.size);
}

static uint64_t hash_question(const vc_call *call)
{
    static const char *const names[] = {"hierarchy", "level",      "parent", "q",
                                        "match",     "properties", "at"};
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    hash_text(&state, call->arguments[0]);
    hash_text(&state, call->arguments[1]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        vc_str value; /* one that is there twice is an error before anything is listed */
        (void)vc_request_parameter(call->request, names[i], &value, NULL);
        hash_text(&state, value);
    }
    return XXH3_64bits_digest(&state);
}

/* By which rules the members of the level are sorted. */
static uint64_t hash_order(const vc_listing *in)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (unsigned l = 0; l <= in->filter.level; l++) {
        const vc_level *level = &in->hierarchy->levels[l];
        unsigned char rules[] = {level->is_numeric, level->is_ordered_by_column, level->is_ragged};
        hash_text(&state, level->name);
        XXH3_64bits_update(&state, rules, sizeof rules);
    }
    return XXH3_64bits_digest(&state);
}

static uint64_t hash_definition(const vc_listing *in)
{
    return XXH3_64bits(in->cube->definition_hash.data, in->cube->definition_hash.size);
}

static vc_status fail_cursor(vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "bad_cursor",
            "found a cursor that was damaged, or is of another list; take `next` of the page "
            "before, and ask for the same beside it");
    vc_error_at_offset(error, "cursor", 0);
    return VC_BAD_INPUT;
}

static vc_status fail_expired(vc_error *error)
{
    vc_fail(error, VC_NOT_FOUND, "expired_cursor",
            "the snapshot of the cursor is not kept any more, and the members were put in another "
            "order since: begin anew, without a cursor");
    vc_error_at_offset(error, "cursor", 0);
    return VC_NOT_FOUND;
}

vc_status vc_listing_read_cursor(vc_listing *in, vc_call *call, vc_error *error)
{
    vc_str text, offset;
    vc_status status = vc_request_parameter(call->request, "cursor", &text, error);
    if (status == VC_OK) status = vc_request_parameter(call->request, "offset", &offset, error);
    in->question = hash_question(call);
    if (status != VC_OK || vc_str_is_null(text)) return status;
    if (!vc_str_is_null(offset)) {
        vc_fail(error, VC_BAD_INPUT, "bad_parameter",
                "found an offset beside a cursor, which says by itself where to go on");
        vc_error_at_offset(error, "offset", 0);
        return VC_BAD_INPUT;
    }
    if (!vc_cursor_read(text, call->arena, &in->cursor) || in->cursor.question != in->question)
        return fail_cursor(error);
    in->has_cursor = true;
    return VC_OK;
}

/* The cube and the dimension of the path, in the newest snapshot or an older one. */
static vc_status open_at(vc_listing *in, vc_call *call, vc_str at, vc_error *error)
{
    vc_call_close_model(call);
    vc_status status = vc_call_open_model(call, at, error);
    if (status != VC_OK) {
        if (!vc_str_is_null(at)) vc_error_at_offset(error, "at", 0);
        return status;
    }
    status = vc_model_cube(call->model, call->arguments[0], &in->cube, error);
    if (status == VC_OK)
        status = vc_cube_find_dimension(in->cube, call->arguments[1], &in->number, error);
    if (status != VC_OK) return status;
    in->outer = &in->cube->dimensions[in->number];
    in->dimension = in->outer->dimension;
    return VC_OK;
}

/* Do the members have the numbers that the cursor knows them by? Most loads change no member, so
 * most lists go on in the newest snapshot. */
static bool is_same_list(const vc_listing *in, const vc_call *call)
{
    uint64_t fingerprint = in->dimension->fingerprint;
    if (in->cursor.numbering != fingerprint) return false;
    if (vc_str_is(in->cursor.snapshot, call->reply->snapshot)) return true;
    return fingerprint != 0 && in->outer->nbuckets == 0 &&
           in->cursor.definition == hash_definition(in);
}

vc_status vc_listing_open(vc_listing *in, vc_call *call, vc_error *error)
{
    vc_str at;
    vc_status status = vc_request_parameter(call->request, "at", &at, error);
    if (status == VC_OK) status = open_at(in, call, at, error);
    if (status != VC_OK || !in->has_cursor || is_same_list(in, call)) return status;
    vc_error gone = {0};
    status = open_at(in, call, in->cursor.snapshot, &gone);
    if (status == VC_OK) return is_same_list(in, call) ? VC_OK : fail_cursor(error);
    if (status != VC_NOT_FOUND) {
        *error = gone;
        return status;
    }
    in->is_renumbered = true;
    return open_at(in, call, (vc_str){0}, error);
}

vc_status vc_listing_place(vc_listing *in, vc_error *error)
{
    const vc_cursor *cursor = &in->cursor;
    const vc_hierarchy *hierarchy = in->hierarchy;
    if (!in->has_cursor) return VC_OK;
    in->offset = cursor->ngiven;
    in->filter.has_after = cursor->has_after;
    in->filter.after = cursor->after;
    if (!in->is_renumbered) {
        bool is_good = !cursor->has_after ||
                       (cursor->after.level < hierarchy->nlevels &&
                        cursor->after.member < hierarchy->levels[cursor->after.level].nmembers);
        return is_good ? VC_OK : fail_cursor(error);
    }
    unsigned level = in->filter.level;
    if (cursor->ngiven > cursor->nreal || !cursor->has_after || in->filter.is_children ||
        !vc_hierarchy_is_by_key(hierarchy, level) || cursor->order != hash_order(in) ||
        cursor->nkeys != level + 1)
        return fail_expired(error);
    in->filter.after.level = level;
    vc_hierarchy_find_place(hierarchy, level, cursor->keys, &in->filter.has_after,
                            &in->filter.after.member);
    return VC_OK;
}

/* The last member of the data up to the end of the page. */
static vc_status find_last(vc_listing *in, vc_arena *arena, vc_error *error)
{
    vc_member_ref *members = in->members;
    size_t count = in->nmembers, ntotal;
    vc_cursor *cursor = &in->cursor;
    uint64_t nbefore = in->has_cursor            ? cursor->nreal
                       : in->offset < in->ntotal ? in->offset
                                                 : in->ntotal;
    if (count == 0 && !in->has_cursor && in->ntotal > 0) {
        vc_member_filter last = in->filter;
        last.offset = in->ntotal - 1;
        last.limit = 1;
        vc_status status =
            vc_cube_browse(in->outer, &last, arena, &members, &count, &ntotal, error);
        if (status != VC_OK) return status;
    }
    cursor->nreal = nbefore + in->nmembers;
    if (count == 0) return VC_OK; /* that of the cursor still */
    cursor->has_after = true;
    cursor->after = members[count - 1];
    cursor->nkeys = cursor->after.level + 1;
    vc_member_ref at = cursor->after;
    for (;; at.level--) {
        const vc_level *level = &in->hierarchy->levels[at.level];
        cursor->keys[at.level] = vc_texts_get(&level->keys, at.member);
        if (at.level == 0) return VC_OK;
        at.member = vc_numbers_get(level->parents, at.member);
    }
}

vc_status vc_listing_put_next(vc_listing *in, vc_call *call, vc_json_writer *json, vc_error *error)
{
    static const char *const dropped[] = {"offset", NULL};
    vc_buffer text = {0};
    uint64_t total = in->ntotal + in->nsynthetic + in->ncalculated;
    uint64_t end = in->offset + in->limit < total ? in->offset + in->limit : total;
    if (in->limit == 0 || end >= total) {
        vc_json_put_str(json, "next", (vc_str){0});
        return VC_OK;
    }
    vc_status status = find_last(in, call->arena, error);
    if (status != VC_OK) return status;
    in->cursor.question = in->question;
    in->cursor.definition = hash_definition(in);
    in->cursor.numbering = in->dimension->fingerprint;
    in->cursor.order = hash_order(in);
    in->cursor.ngiven = end;
    in->cursor.snapshot = vc_str_of(call->reply->snapshot);
    vc_cursor_put(&text, &in->cursor);
    vc_str cursor = {text.data, text.size};
    vc_json_put_str(json, "next", cursor);
    vc_link_put_other(&call->reply->link, call->request, dropped, "cursor", cursor);
    json->out->failed |= text.failed;
    vc_buffer_release(&text);
    return VC_OK;
}
