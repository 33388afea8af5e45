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

/* Members of the level with a key as somebody wrote it: empty is null. Hidden ones have none. */
static run find_run(const vc_level *level, vc_str key)
{
    if (key.size == 0 && level->is_ragged) return (run){0};
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

void vc_path_put_key(vc_buffer *text, vc_str key)
{
    if (vc_str_is(key, "()")) vc_buffer_put_char(text, '\\');
    for (size_t i = 0; i < key.size; i++) {
        if (memchr("|:;,-!@/#.\\", key.data[i], 11) != NULL) vc_buffer_put_char(text, '\\');
        vc_buffer_put_char(text, key.data[i]);
    }
}

bool vc_member_parent(const vc_hierarchy *hierarchy, vc_member_ref member,
                      vc_member_ref *parent_out)
{
    while (member.level > 0) {
        const vc_level *level = &hierarchy->levels[member.level--];
        member.member = vc_numbers_get(level->parents, member.member);
        if (vc_member_is_hidden(level - 1, member.member)) continue;
        *parent_out = member;
        return true;
    }
    return false;
}

/* Has the leaf of a hidden member of a parent-child hierarchy siblings below its node? Otherwise
 * the node is the leaf. */
static bool is_beside_others(const vc_hierarchy *hierarchy, unsigned level, uint32_t hidden)
{
    while (level > 0) {
        uint32_t parent = vc_numbers_get(hierarchy->levels[level].parents, hidden);
        const uint32_t *first_child = hierarchy->levels[level - 1].first_child;
        if (first_child[parent + 1] - first_child[parent] > 1) return true;
        if (!vc_member_is_hidden(&hierarchy->levels[level - 1], parent)) return false;
        hidden = parent;
        level--;
    }
    return false;
}

vc_str vc_member_path(const vc_hierarchy *hierarchy, unsigned level, uint32_t member,
                      vc_arena *arena)
{
    uint32_t members[VC_MAX_LEVELS];
    members[level] = member;
    for (unsigned l = level; l > 0; l--)
        members[l - 1] = vc_numbers_get(hierarchy->levels[l].parents, members[l]);
    vc_buffer text = {0};
    bool has_before = false;
    for (unsigned l = 0; l <= level; l++) {
        if (vc_member_is_hidden(&hierarchy->levels[l], members[l])) continue;
        if (has_before) vc_buffer_put_char(&text, ',');
        has_before = true;
        vc_path_put_key(&text, vc_texts_get(&hierarchy->levels[l].keys, members[l]));
    }
    if (hierarchy->is_parent_child && vc_member_is_hidden(&hierarchy->levels[level], member) &&
        is_beside_others(hierarchy, level, member))
        vc_buffer_put_text(&text, "," VC_SELF_KEY);
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

/* There is no keys[at] among [first, end) of a level, or nothing at all is below keys[at - 1]. */
static vc_status fail_no_child(const vc_dimension *dimension, const vc_hierarchy *within,
                               unsigned level, const vc_str *keys, size_t at, uint32_t first,
                               uint32_t end, vc_error *error)
{
    suggestions list;
    suggestions_init(&list, keys[at]);
    if (level < within->nlevels) offer_members(&list, &within->levels[level], first, end);
    if (at == 0)
        vc_fail(error, VC_NOT_FOUND, "unknown_member",
                "level '%.*s' of dimension '%.*s' has no member '%.*s'",
                VC_FMT(within->levels[0].name), VC_FMT(dimension->name), VC_FMT(keys[0]));
    else if (level == within->nlevels)
        vc_fail(error, VC_NOT_FOUND, "unknown_member",
                "member '%.*s' of dimension '%.*s' has nothing under it, and so no '%.*s'",
                VC_FMT(keys[at - 1]), VC_FMT(dimension->name), VC_FMT(keys[at]));
    else
        vc_fail(error, VC_NOT_FOUND, "unknown_member",
                "member '%.*s' of dimension '%.*s' has no '%.*s' under it at level '%.*s'",
                VC_FMT(keys[at - 1]), VC_FMT(dimension->name), VC_FMT(keys[at]),
                VC_FMT(within->levels[level].name));
    return report(&list, error);
}

/* The member with the key among [first, end) of a level, or below the one there that is hidden. */
static bool find_child(const vc_hierarchy *within, vc_str key, unsigned level, uint32_t first,
                       uint32_t end, vc_member_ref *member_out)
{
    for (;; level++) {
        const vc_level *at = &within->levels[level];
        uint32_t member = member_within(find_run(at, key), first, end);
        *member_out = (vc_member_ref){.level = level, .member = member};
        if (member != VC_NONE) return true;
        if (!at->is_ragged || level + 1 == within->nlevels) return false;
        uint32_t hidden = member_within(exact_run(at, (vc_str){0}), first, end);
        if (hidden == VC_NONE) return false;
        first = at->first_child[hidden];
        end = at->first_child[hidden + 1];
    }
}

/* The own leaf of a node: the member that is hidden all the way down from it; the node itself on
 * the lowest level. */
static bool find_self(const vc_hierarchy *within, vc_str key, vc_member_ref node,
                      vc_member_ref *member_out)
{
    if (!within->is_parent_child || !vc_str_is(key, VC_SELF_KEY)) return false;
    while (node.level + 1 < within->nlevels) {
        const uint32_t *first_child = within->levels[node.level].first_child;
        uint32_t first = first_child[node.member], end = first_child[node.member + 1];
        node.level++;
        node.member =
            member_within(exact_run(&within->levels[node.level], (vc_str){0}), first, end);
        if (node.member == VC_NONE) return false;
    }
    *member_out = node;
    return true;
}

static vc_status find_path(const vc_dimension *dimension, const vc_hierarchy *within,
                           const vc_str *keys, size_t nkeys, vc_member_ref *member_out,
                           vc_error *error)
{
    if (nkeys > within->nlevels + (within->is_parent_child ? 1u : 0u))
        return vc_fail(
            error, VC_NOT_FOUND, "unknown_member",
            "a path of %zu keys is too long: hierarchy '%.*s' of dimension '%.*s' has %u "
            "levels",
            nkeys, VC_FMT(within->name), VC_FMT(dimension->name), within->nlevels);
    vc_member_ref member = {0};
    for (size_t i = 0; i < nkeys; i++) {
        unsigned level = i == 0 ? 0 : member.level + 1;
        uint32_t first = 0, end = within->levels[0].nmembers;
        if (i > 0 && level < within->nlevels) {
            first = within->levels[level - 1].first_child[member.member];
            end = within->levels[level - 1].first_child[member.member + 1];
        }
        vc_member_ref parent = member;
        if (level < within->nlevels && find_child(within, keys[i], level, first, end, &member))
            continue;
        if (i > 0 && i + 1 == nkeys && find_self(within, keys[i], parent, &member)) continue;
        return fail_no_child(dimension, within, level, keys, i, first, end, error);
    }
    *member_out = member;
    return VC_OK;
}

/* Members of a ragged hierarchy that have the same path: levels that are not there are left out of
 * it. */
struct paths {
    const vc_hierarchy *within;
    const vc_str *keys;
    size_t nkeys;
    uint32_t nfound;
    vc_member_ref found[VC_ERROR_CANDIDATES];
};

/* Those that begin with keys[0 .. at) and go on among [first, end) of a level. */
static void find_paths(struct paths *in, size_t at, unsigned level, uint32_t first, uint32_t end)
{
    for (; level < in->within->nlevels && first < end; level++) {
        const vc_level *on = &in->within->levels[level];
        uint32_t member = member_within(find_run(on, in->keys[at]), first, end);
        if (member != VC_NONE && at + 1 == in->nkeys) {
            if (in->nfound < VC_ERROR_CANDIDATES)
                in->found[in->nfound] = (vc_member_ref){.level = level, .member = member};
            in->nfound++;
        } else if (member != VC_NONE && level + 1 < in->within->nlevels) {
            find_paths(in, at + 1, level + 1, on->first_child[member], on->first_child[member + 1]);
        }
        uint32_t hidden =
            on->is_ragged ? member_within(exact_run(on, (vc_str){0}), first, end) : VC_NONE;
        if (hidden == VC_NONE || level + 1 == in->within->nlevels) return;
        first = on->first_child[hidden];
        end = on->first_child[hidden + 1];
    }
}

static vc_status fail_same_paths(const vc_dimension *dimension, const struct paths *in,
                                 vc_error *error)
{
    vc_fail(
        error, VC_IMPOSSIBLE, "ambiguous_key",
        "%u members of hierarchy '%.*s' of dimension '%.*s' have the path of %zu keys that ends "
        "with '%.*s'; name the level",
        (unsigned)in->nfound, VC_FMT(in->within->name), VC_FMT(dimension->name), in->nkeys,
        VC_FMT(in->keys[in->nkeys - 1]));
    for (unsigned i = 0; i < in->nfound && i < VC_ERROR_CANDIDATES; i++) {
        vc_str name = in->within->levels[in->found[i].level].name;
        if (i == 0 || in->found[i].level != in->found[i - 1].level)
            vc_error_add_candidate(error, name.data, name.size);
    }
    return VC_IMPOSSIBLE;
}

/* By a path where levels may be missing: it must be that of one member. */
static vc_status find_ragged_path(const vc_dimension *dimension, const vc_hierarchy *within,
                                  const vc_str *keys, size_t nkeys, vc_member_ref *member_out,
                                  vc_error *error)
{
    struct paths in = {.within = within, .keys = keys, .nkeys = nkeys};
    find_paths(&in, 0, 0, 0, within->levels[0].nmembers);
    if (in.nfound > 1) return fail_same_paths(dimension, &in, error);
    if (in.nfound == 0) return find_path(dimension, within, keys, nkeys, member_out, error);
    *member_out = in.found[0];
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
                       : within->is_ragged
                           ? find_ragged_path(dimension, within, keys, nkeys, &member, error)
                           : find_path(dimension, within, keys, nkeys, &member, error);
    if (status == VC_OK) *member_out = member;
    return status;
}
