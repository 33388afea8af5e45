/* Names, members and levels at random, as text of the query's grammars. */
#include "query/laws_parts.h"

#include <string.h>

uint32_t vc_law_below(vc_laws *laws, size_t n)
{
    uint64_t z = laws->random += 0x9E3779B97F4A7C15u; /* SplitMix64 (Steele, Lea, Flood 2014) */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) % n);
}

bool vc_law_chance(vc_laws *laws, unsigned percent)
{
    return vc_law_below(laws, 100) < percent;
}

void vc_law_put_name(vc_buffer *out, vc_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (strchr("|:;,-!@/#.\\()=", name.data[i]) != NULL) vc_buffer_put_char(out, '\\');
        vc_buffer_put_char(out, name.data[i]);
    }
}

static vc_str take_text(vc_laws *laws, vc_buffer *buffer)
{
    vc_str text = {0};
    if (!buffer->failed) text = vc_arena_str(&laws->work, vc_str_of(vc_buffer_text(buffer)));
    vc_buffer_release(buffer);
    return text;
}

/* "@income", nothing for the main hierarchy. */
static void put_hierarchy(vc_buffer *out, const vc_dimension *dimension, unsigned hierarchy)
{
    if (hierarchy == 0) return;
    vc_buffer_put_char(out, '@');
    vc_law_put_name(out, dimension->hierarchies[hierarchy].name);
}

static unsigned any_hierarchy(vc_laws *laws, const vc_dimension *dimension)
{
    bool is_main = dimension->nhierarchies == 1 || vc_law_chance(laws, 70);
    return is_main ? 0 : vc_law_below(laws, dimension->nhierarchies);
}

bool vc_law_pick_level(vc_laws *laws, size_t dimension, uint32_t max_members, vc_law_pick *pick,
                       uint32_t *nmembers_out)
{
    const vc_cube_dimension *of = &laws->cube->dimensions[dimension];
    unsigned number = any_hierarchy(laws, of->dimension), nfitting = 0;
    const vc_hierarchy *hierarchy = &of->dimension->hierarchies[number];
    while (nfitting < hierarchy->nlevels &&
           hierarchy->levels[nfitting].nmembers + of->nsynthetic <= max_members)
        nfitting++;
    if (nfitting == 0) return false;
    const vc_level *level = &hierarchy->levels[vc_law_below(laws, nfitting)];
    vc_buffer text = {0};
    put_hierarchy(&text, of->dimension, number);
    vc_buffer_put_char(&text, ':');
    vc_law_put_name(&text, level->name);
    *pick = (vc_law_pick){.dimension = dimension, .text = take_text(laws, &text)};
    *nmembers_out = level->nmembers + of->nsynthetic;
    return pick->text.data != NULL;
}

bool vc_law_pick_some(vc_laws *laws, size_t dimension, size_t wanted, vc_law_members *members)
{
    const vc_dimension *of = laws->cube->dimensions[dimension].dimension;
    *members = (vc_law_members){.hierarchy = any_hierarchy(laws, of)};
    const vc_hierarchy *hierarchy = &of->hierarchies[members->hierarchy];
    members->level = vc_law_below(laws, hierarchy->nlevels);
    const vc_level *level = &hierarchy->levels[members->level];
    for (size_t tries = 0; tries < wanted * 4 && members->count < wanted && level->nmembers > 0;
         tries++) {
        uint32_t member = vc_law_below(laws, level->nmembers);
        bool is_new = !vc_member_is_hidden(level, member);
        for (size_t i = 0; i < members->count; i++)
            is_new &= members->members[i] != member;
        if (is_new) members->members[members->count++] = member;
    }
    return members->count > 0;
}

/* Does the path, which leaves hidden levels out, lead back to the member? */
static bool leads_back(vc_laws *laws, const vc_dimension *dimension, const vc_law_members *members,
                       size_t i)
{
    const vc_hierarchy *hierarchy = &dimension->hierarchies[members->hierarchy];
    vc_str keys[VC_MAX_LEVELS];
    size_t nkeys = 0;
    uint32_t member = members->members[i];
    for (unsigned level = members->level + 1; level-- > 0;) {
        if (!vc_member_is_hidden(&hierarchy->levels[level], member)) {
            vc_str key = vc_texts_get(&hierarchy->levels[level].keys, member);
            keys[VC_MAX_LEVELS - ++nkeys] = key.data == NULL ? VC_STR("") : key;
        }
        if (level > 0) member = vc_numbers_get(hierarchy->levels[level].parents, member);
    }
    vc_member_ref found;
    return vc_hierarchy_find_member(dimension, members->hierarchy, keys + VC_MAX_LEVELS - nkeys,
                                    nkeys, &laws->work, &found, NULL) == VC_OK &&
           found.level == members->level && found.member == members->members[i];
}

vc_str vc_law_members_text(vc_laws *laws, size_t dimension, const vc_law_members *members,
                           size_t first, size_t end)
{
    const vc_dimension *of = laws->cube->dimensions[dimension].dimension;
    vc_buffer text = {0};
    put_hierarchy(&text, of, members->hierarchy);
    for (size_t i = first; i < end; i++) {
        vc_str path = vc_member_path(&of->hierarchies[members->hierarchy], members->level,
                                     members->members[i], &laws->work);
        if (path.data == NULL || !leads_back(laws, of, members, i)) text.failed = true;
        vc_buffer_put_char(&text, i == first ? ':' : ';');
        vc_buffer_put_str(&text, path);
    }
    return take_text(laws, &text);
}

/* Is a key of the path null? Of such a range of numbers there is no end. */
static bool has_null(vc_str path)
{
    return path.size < 2 || vc_str_contains(path, VC_STR(":,")) ||
           vc_str_contains(path, VC_STR(",,")) || path.data[path.size - 1] == ',';
}

/* ":first-last" of two members; absent where that is not said so. */
static vc_str range_text(vc_laws *laws, size_t dimension, vc_law_members *members)
{
    if (members->members[0] > members->members[1]) {
        uint32_t first = members->members[1];
        members->members[1] = members->members[0];
        members->members[0] = first;
    }
    vc_str from = vc_law_members_text(laws, dimension, members, 0, 1);
    vc_str to = vc_law_members_text(laws, dimension, members, 1, 2);
    if (members->hierarchy > 0 || has_null(from) || has_null(to)) return (vc_str){0};
    return vc_arena_printf(&laws->work, "%.*s-%.*s", VC_FMT(from), (int)to.size - 1, to.data + 1);
}

bool vc_law_pick_members(vc_laws *laws, size_t dimension, vc_law_pick *pick)
{
    vc_law_members members;
    if (!vc_law_pick_some(laws, dimension, 1 + vc_law_below(laws, 4), &members)) return false;
    *pick = (vc_law_pick){.dimension = dimension, .is_negated = vc_law_chance(laws, 12)};
    if (members.count == 2 && vc_law_chance(laws, 40))
        pick->text = range_text(laws, dimension, &members);
    if (pick->text.data == NULL)
        pick->text = vc_law_members_text(laws, dimension, &members, 0, members.count);
    return pick->text.data != NULL;
}

/* Each member of the lowest level must be wholly among the leaves, or not at all. */
static vc_str lowest_text(vc_laws *laws, const vc_dimension *dimension, const uint64_t *leaves)
{
    vc_law_members one = {.level = dimension->hierarchies[0].nlevels - 1, .count = 1};
    const vc_hierarchy *hierarchy = &dimension->hierarchies[0];
    const vc_level *level = &hierarchy->levels[one.level];
    uint8_t *seen = VC_ARENA_NEW(&laws->work, uint8_t, level->nmembers + 1);
    if (seen == NULL) return (vc_str){0};
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        seen[vc_numbers_get(level->leaf_members, leaf)] |= vc_bit_get(leaves, leaf) ? 1 : 2;
    vc_buffer text = {0};
    for (one.members[0] = 0; one.members[0] < level->nmembers; one.members[0]++) {
        uint32_t member = one.members[0];
        if (seen[member] == 3) text.failed = true;
        if (seen[member] != 1) continue;
        if (vc_member_is_hidden(level, member) || !leads_back(laws, dimension, &one, 0))
            text.failed = true;
        vc_buffer_put_char(&text, text.size == 0 ? ':' : ';');
        vc_buffer_put_str(&text, vc_member_path(hierarchy, one.level, member, &laws->work));
    }
    return take_text(laws, &text);
}

vc_str vc_law_leaves_text(vc_laws *laws, const vc_dimension *dimension, const uint64_t *leaves,
                          size_t max)
{
    size_t count = vc_bits_count(leaves, dimension->nleaves);
    const vc_index *index;
    if (count == 0 || count > max) return (vc_str){0};
    if (dimension->leaf_keys.count == 0 ||
        vc_dimension_find_index(dimension, VC_STR("key"), &index, NULL) != VC_OK ||
        index->level >= 0 || !index->is_implicit)
        return lowest_text(laws, dimension, leaves);
    vc_buffer text = {0};
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        if (!vc_bit_get(leaves, leaf)) continue;
        vc_str key = vc_texts_get(&dimension->leaf_keys, leaf);
        if (key.size == 0) text.failed = true; /* in no index */
        vc_buffer_put_text(&text, text.size == 0 ? ".key:" : ";");
        vc_law_put_name(&text, key);
    }
    return take_text(laws, &text);
}
