/* Keys of a level and paths of a hierarchy. */
#include "base/buffer.h"
#include "base/nearest.h"
#include "dimensions/dimension.h"
#include "dimensions/order.h"

#include <assert.h>
#include <string.h>

int vc_level_compare_keys(const vc_level *level, vc_str a, vc_str b)
{
    return vc_key_compare(a, b, level->is_numeric);
}

/* ---- members by key ---- */

/* A run of by_key: members with one key, ascending. */
typedef struct run {
    vc_numbers by_key;
    uint32_t first, count;
} run;

static uint32_t run_get(run of, uint32_t i)
{
    return vc_numbers_get(of.by_key, of.first + i);
}

/* The first place in by_key whose key is not before (or, is_after, is behind) the key. */
static uint32_t search_keys(const vc_level *level, vc_str key, bool is_after)
{
    uint32_t first = 0, end = level->nmembers;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        int order =
            vc_str_compare(vc_texts_get(&level->keys, vc_numbers_get(level->by_key, middle)), key);
        if (order < 0 || (is_after && order == 0))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static run exact_run(const vc_level *level, vc_str key)
{
    uint32_t first = search_keys(level, key, false), end = search_keys(level, key, true);
    return (run){.by_key = level->by_key, .first = first, .count = end > first ? end - first : 0};
}

/* Members of the level with a key as somebody wrote it: empty is null. */
static run find_run(const vc_level *level, vc_str key)
{
    if (key.size == 0) {
        run nulls = exact_run(level, (vc_str){0});
        return nulls.count > 0 ? nulls : exact_run(level, VC_STR(""));
    }
    run found = exact_run(level, key);
    if (found.count > 0 || level->key_type != VC_KEY_INT) return found;
    char text[VC_NUMBER_TEXT];
    vc_str number = vc_key_canonical_int(key, text);
    return vc_str_is_null(number) ? found : exact_run(level, number);
}

/* The member of the run that is in [first, end); VC_NONE when none is. Siblings have distinct keys,
 * so under one parent there is one at most. */
static uint32_t member_within(run found, uint32_t first, uint32_t end)
{
    uint32_t low = 0, high = found.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run_get(found, middle) < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < found.count && run_get(found, low) < end ? run_get(found, low) : VC_NONE;
}

vc_status vc_level_find_members(const vc_level *level, vc_str key, vc_arena *arena,
                                uint32_t **members_out, size_t *nmembers_out, vc_error *error)
{
    run found = find_run(level, key);
    uint32_t *members = vc_arena_alloc(arena, found.count * sizeof *members);
    if (members == NULL) return vc_no_memory(error);
    vc_numbers_copy(found.by_key, found.first, found.count, members);
    *members_out = members;
    *nmembers_out = found.count;
    return VC_OK;
}

/* ---- paths ---- */

/* As in a cut, where these characters mean something. "()" alone would be All. */
static void put_escaped(vc_buffer *text, vc_str key)
{
    if (vc_str_is(key, "()")) vc_buffer_put_char(text, '\\');
    for (size_t i = 0; i < key.size; i++) {
        if (memchr("|:;,-!@/#.\\", key.data[i], 11) != NULL) vc_buffer_put_char(text, '\\');
        vc_buffer_put_char(text, key.data[i]);
    }
}

vc_str vc_member_path(const vc_hierarchy *hierarchy, unsigned level, uint32_t member,
                      vc_arena *arena)
{
    uint32_t members[VC_MAX_LEVELS];
    members[level] = member;
    for (unsigned l = level; l > 0; l--)
        members[l - 1] = vc_numbers_get(hierarchy->levels[l].parents, members[l]);
    vc_buffer text = {0};
    for (unsigned l = 0; l <= level; l++) {
        if (l > 0) vc_buffer_put_char(&text, ',');
        put_escaped(&text, vc_texts_get(&hierarchy->levels[l].keys, members[l]));
    }
    vc_str path = {0};
    if (!text.failed) path = vc_arena_str(arena, (vc_str){vc_buffer_text(&text), text.size});
    vc_buffer_release(&text);
    return path;
}

/* ---- members by path ---- */

/* How many members are looked at for "did you mean", so that a wrong key stays cheap. */
enum { MAX_OFFERED = 65536 };

typedef struct suggestions {
    vc_nearest nearest;
    vc_str by_label[VC_ERROR_CANDIDATES]; /* keys of members with the wanted text as label */
    unsigned nby_label;
    uint32_t nleft; /* of MAX_OFFERED */
} suggestions;

static void suggestions_init(suggestions *list, vc_str wanted)
{
    *list = (suggestions){.nleft = MAX_OFFERED};
    vc_nearest_init(&list->nearest, wanted);
}

static void offer_members(suggestions *list, const vc_level *level, uint32_t first, uint32_t end)
{
    vc_str wanted = list->nearest.wanted;
    for (uint32_t m = first; m < end && list->nleft > 0; m++, list->nleft--) {
        vc_str key = vc_texts_get(&level->keys, m), label = vc_texts_get(&level->labels, m);
        if (vc_str_is_null(key)) continue;
        if (level->has_labels && label.size == wanted.size &&
            list->nby_label < VC_ERROR_CANDIDATES && vc_str_distance(wanted, label, 0) == 0)
            list->by_label[list->nby_label++] = key;
        else
            vc_nearest_offer(&list->nearest, key);
    }
}

static vc_status report(const suggestions *list, vc_error *error)
{
    for (unsigned i = 0; i < list->nby_label; i++)
        vc_error_add_candidate(error, list->by_label[i].data, list->by_label[i].size);
    vc_nearest_report(&list->nearest, error);
    return VC_NOT_FOUND;
}

static vc_status fail_no_child(const vc_dimension *dimension, const vc_hierarchy *within,
                               unsigned level, const vc_str *keys, uint32_t first, uint32_t end,
                               vc_error *error)
{
    suggestions list;
    suggestions_init(&list, keys[level]);
    offer_members(&list, &within->levels[level], first, end);
    if (level == 0)
        vc_fail(error, VC_NOT_FOUND, "unknown_member",
                "level '%.*s' of dimension '%.*s' has no member '%.*s'",
                VC_FMT(within->levels[0].name), VC_FMT(dimension->name), VC_FMT(keys[0]));
    else
        vc_fail(error, VC_NOT_FOUND, "unknown_member",
                "member '%.*s' of dimension '%.*s' has no '%.*s' under it at level '%.*s'",
                VC_FMT(keys[level - 1]), VC_FMT(dimension->name), VC_FMT(keys[level]),
                VC_FMT(within->levels[level].name));
    return report(&list, error);
}

static vc_status find_path(const vc_dimension *dimension, const vc_hierarchy *within,
                           const vc_str *keys, size_t nkeys, vc_member_ref *member_out,
                           vc_error *error)
{
    if (nkeys > within->nlevels)
        return vc_fail(
            error, VC_NOT_FOUND, "unknown_member",
            "a path of %zu keys is too long: hierarchy '%.*s' of dimension '%.*s' has %u "
            "levels",
            nkeys, VC_FMT(within->name), VC_FMT(dimension->name), within->nlevels);
    uint32_t first = 0, end = within->levels[0].nmembers, member = VC_NONE;
    for (unsigned l = 0; l < nkeys; l++) {
        if (l > 0) {
            first = within->levels[l - 1].first_child[member];
            end = within->levels[l - 1].first_child[member + 1];
        }
        member = member_within(find_run(&within->levels[l], keys[l]), first, end);
        if (member == VC_NONE) return fail_no_child(dimension, within, l, keys, first, end, error);
    }
    *member_out = (vc_member_ref){.level = (unsigned)nkeys - 1, .member = member};
    return VC_OK;
}

/* The levels below the top have the key at several places. */
static vc_status fail_ambiguous(const vc_dimension *dimension, const vc_hierarchy *within,
                                vc_str key, uint32_t nfound, vc_arena *arena, vc_error *error)
{
    vc_fail(error, VC_IMPOSSIBLE, "ambiguous_key",
            "%u members of hierarchy '%.*s' of dimension '%.*s' have the key '%.*s'; say which by "
            "its path",
            (unsigned)nfound, VC_FMT(within->name), VC_FMT(dimension->name), VC_FMT(key));
    unsigned nshown = 0;
    for (unsigned l = 1; l < within->nlevels; l++) {
        run found = find_run(&within->levels[l], key);
        for (uint32_t i = 0; i < found.count && nshown < VC_ERROR_CANDIDATES; i++, nshown++) {
            vc_str path = vc_member_path(within, l, run_get(found, i), arena);
            vc_error_add_candidate(error, path.data, path.size);
        }
    }
    return VC_IMPOSSIBLE;
}

/* A key that may stand on any level. */
static vc_status find_single(const vc_dimension *dimension, const vc_hierarchy *within, vc_str key,
                             vc_arena *arena, vc_member_ref *member_out, vc_error *error)
{
    uint32_t nfound = 0;
    for (unsigned l = 0; l < within->nlevels; l++) {
        run found = find_run(&within->levels[l], key);
        if (found.count == 0) continue;
        *member_out = (vc_member_ref){.level = l, .member = run_get(found, 0)};
        if (l == 0) return VC_OK;
        nfound += found.count;
    }
    if (nfound == 1) return VC_OK;
    if (nfound > 1) return fail_ambiguous(dimension, within, key, nfound, arena, error);
    suggestions list;
    suggestions_init(&list, key);
    for (unsigned l = 0; l < within->nlevels; l++)
        offer_members(&list, &within->levels[l], 0, within->levels[l].nmembers);
    vc_fail(error, VC_NOT_FOUND, "unknown_member",
            "hierarchy '%.*s' of dimension '%.*s' has no member '%.*s'", VC_FMT(within->name),
            VC_FMT(dimension->name), VC_FMT(key));
    return report(&list, error);
}

vc_status vc_hierarchy_find_member(const vc_dimension *dimension, unsigned hierarchy,
                                   const vc_str *keys, size_t nkeys, vc_arena *arena,
                                   vc_member_ref *member_out, vc_error *error)
{
    const vc_hierarchy *within = &dimension->hierarchies[hierarchy];
    vc_member_ref member;
    assert(nkeys > 0);
    vc_status status = nkeys == 1 ? find_single(dimension, within, keys[0], arena, &member, error)
                                  : find_path(dimension, within, keys, nkeys, &member, error);
    if (status == VC_OK) *member_out = member;
    return status;
}
