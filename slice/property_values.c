/* Values of properties.
 *
 * Nearly always a member has one value, so each has room for one; what else there is goes into a
 * set of (place, value), so that memory grows with what is listed, not with what is looked at.
 */
#include "slice/property.h"

#include <stdlib.h>

struct gathering {
    size_t nplaces;
    uint32_t *first;  /* [nplaces] a value of each, or VC_NONE */
    uint64_t *others; /* [mask + 1] place << 32 | value, plus 1; 0: free */
    uint64_t mask, nothers, total, limit;
    vc_arena *arena;
};

static vc_status gathering_init(struct gathering *in, size_t nplaces, uint64_t limit,
                                vc_arena *arena, vc_error *error)
{
    *in = (struct gathering){.nplaces = nplaces, .limit = limit, .arena = arena};
    in->first = vc_arena_alloc(arena, (nplaces + 1) * sizeof *in->first);
    if (in->first == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nplaces; i++)
        in->first[i] = VC_NONE;
    return VC_OK;
}

static void gathering_release(struct gathering *in)
{
    free(in->others);
}

/* Where a pair is, or where it would be. */
static uint64_t slot_of(const struct gathering *in, uint64_t pair)
{
    uint64_t at = pair * UINT64_C(0x9E3779B97F4A7C15) >> 20 & in->mask;
    while (in->others[at] != 0 && in->others[at] != pair)
        at = (at + 1) & in->mask;
    return at;
}

static vc_status grow(struct gathering *in, vc_error *error)
{
    struct gathering grown = *in;
    grown.mask = in->others == NULL ? 1023 : 2 * in->mask + 1;
    grown.others = calloc(grown.mask + 1, sizeof *grown.others);
    if (grown.others == NULL) return vc_no_memory(error);
    for (uint64_t i = 0; in->others != NULL && i <= in->mask; i++)
        if (in->others[i] != 0) grown.others[slot_of(&grown, in->others[i])] = in->others[i];
    free(in->others);
    *in = grown;
    return VC_OK;
}

static vc_status add(struct gathering *in, uint32_t place, uint32_t code, vc_error *error)
{
    if (code == VC_NONE || in->first[place] == code) return VC_OK;
    bool is_new = in->first[place] == VC_NONE;
    if (is_new) {
        in->first[place] = code;
    } else {
        if (in->others == NULL || 2 * in->nothers > in->mask) {
            vc_status status = grow(in, error);
            if (status != VC_OK) return status;
        }
        uint64_t pair = ((uint64_t)place << 32 | code) + 1, at = slot_of(in, pair);
        is_new = in->others[at] == 0;
        in->others[at] = pair;
        in->nothers += is_new;
    }
    in->total += is_new;
    if (in->total <= in->limit) return VC_OK;
    return vc_fail(error, VC_LIMIT, "limit_cells",
                   "members have more than %llu values of a property: cut, or ask for members "
                   "further down",
                   (unsigned long long)in->limit);
}

static int compare_codes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What was gathered, place by place, each once, ascending. */
static vc_status gathering_finish(const struct gathering *in, vc_property_values *out,
                                  vc_error *error)
{
    uint32_t *offsets = VC_ARENA_NEW(in->arena, uint32_t, in->nplaces + 2);
    uint32_t *codes = vc_arena_alloc(in->arena, (in->total + 1) * sizeof *codes);
    if (offsets == NULL || codes == NULL) return vc_no_memory(error);
    uint64_t nslots = in->others == NULL ? 0 : in->mask + 1;
    /* offsets[place + 2] counts, then offsets[place + 1] is where the next value of it goes. */
    for (size_t i = 0; i < in->nplaces; i++)
        offsets[i + 2] = in->first[i] != VC_NONE;
    for (uint64_t i = 0; i < nslots; i++)
        if (in->others[i] != 0) offsets[((in->others[i] - 1) >> 32) + 2]++;
    for (size_t i = 0; i < in->nplaces; i++)
        offsets[i + 2] += offsets[i + 1];
    for (size_t i = 0; i < in->nplaces; i++)
        if (in->first[i] != VC_NONE) codes[offsets[i + 1]++] = in->first[i];
    for (uint64_t i = 0; i < nslots; i++)
        if (in->others[i] != 0)
            codes[offsets[((in->others[i] - 1) >> 32) + 1]++] = (uint32_t)(in->others[i] - 1);
    for (size_t i = 0; i < in->nplaces && in->nothers > 0; i++)
        qsort(codes + offsets[i], offsets[i + 1] - offsets[i], sizeof *codes, compare_codes);
    *out = (vc_property_values){.offsets = offsets, .codes = codes, .is_multi = in->nothers > 0};
    return VC_OK;
}

/* ---- members ---- */

/* Those of them that are of one level. */
static vc_status place_level(const vc_dimension *dimension, const vc_property_members *of,
                             unsigned number, uint32_t *places, vc_error *error)
{
    const vc_level *level = &dimension->hierarchies[of->hierarchy].levels[number];
    uint32_t *place_of = malloc(((size_t)level->nmembers + 1) * sizeof *place_of);
    if (place_of == NULL) return vc_no_memory(error);
    for (uint32_t m = 0; m < level->nmembers; m++)
        place_of[m] = VC_NONE;
    for (size_t i = 0; i < of->nmembers; i++)
        if (of->members[i].level == number) place_of[of->members[i].member] = (uint32_t)i;
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t place = place_of[vc_numbers_get(level->leaf_members, leaf)];
        if (place != VC_NONE) places[leaf] = place;
    }
    free(place_of);
    return VC_OK;
}

vc_status vc_property_place(const vc_cube *cube, size_t dimension, unsigned hierarchy,
                            const vc_member_ref *members, size_t nmembers, vc_arena *arena,
                            vc_property_members *out, uint32_t **places_out, vc_error *error)
{
    const vc_cube_dimension *outer = &cube->dimensions[dimension];
    uint64_t levels = 0;
    vc_status status = VC_OK;
    uint32_t *places = vc_arena_alloc(arena, ((size_t)outer->nslots + 1) * sizeof *places);
    if (places == NULL) return vc_no_memory(error);
    for (uint32_t slot = 0; slot < outer->nslots; slot++)
        places[slot] = VC_NONE;
    *out = (vc_property_members){.hierarchy = hierarchy,
                                 .members = members,
                                 .nmembers = nmembers,
                                 .nplaces = nmembers,
                                 .places = places};
    for (size_t i = 0; i < nmembers; i++)
        levels |= UINT64_C(1) << members[i].level;
    for (unsigned level = 0; level < VC_MAX_LEVELS && status == VC_OK; level++)
        if (levels >> level & 1) status = place_level(outer->dimension, out, level, places, error);
    *places_out = places;
    return status;
}

/* ---- the dimension's own ---- */

/* Members of one level. A member of a tree is a row, and has what that row says. */
static vc_status read_run(const vc_property *property, const vc_property_members *members,
                          size_t first, size_t end, uint32_t *numbers, uint32_t *codes,
                          vc_arena *arena, vc_error *error)
{
    for (size_t i = first; i < end; i++)
        numbers[i - first] = members->members[i].member;
    return vc_member_properties(property->of, members->hierarchy, members->members[first].level,
                                property->attribute, numbers, end - first, arena, codes + first,
                                error);
}

/* Codes of members by vc_member_properties: VC_MANY where there are several. */
static vc_status read_single(const vc_property *property, const vc_property_members *members,
                             uint32_t *codes, vc_arena *arena, vc_error *error)
{
    uint32_t *numbers = vc_arena_alloc(arena, (members->nmembers + 1) * sizeof *numbers);
    if (numbers == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t first = 0, end; first < members->nmembers && status == VC_OK; first = end) {
        for (end = first; end < members->nmembers &&
                          members->members[end].level == members->members[first].level;)
            end++;
        status = read_run(property, members, first, end, numbers, codes, arena, error);
    }
    return status;
}

static vc_status read_own(const vc_cube *cube, const vc_property *property,
                          const vc_property_members *members, struct gathering *in, vc_error *error)
{
    const uint64_t *visible = cube->dimensions[property->cube_dimension].visible;
    bool is_tree = property->of->hierarchies[members->hierarchy].is_parent_child;
    uint32_t *codes = vc_arena_alloc(in->arena, (members->nmembers + 1) * sizeof *codes);
    if (codes == NULL) return vc_no_memory(error);
    vc_status status = read_single(property, members, codes, in->arena, error);
    bool has_many = false;
    for (size_t i = 0; i < members->nmembers && status == VC_OK; i++) {
        has_many |= codes[i] == VC_MANY;
        if (codes[i] != VC_MANY && (visible == NULL || is_tree))
            status = add(in, (uint32_t)i, codes[i], error);
    }
    /* What joins hide says nothing: then every leaf is looked at. */
    bool all_leaves = visible != NULL && !is_tree;
    for (uint32_t leaf = 0;
         leaf < property->of->nleaves && status == VC_OK && (has_many || all_leaves); leaf++) {
        uint32_t place = members->places[leaf];
        if (place == VC_NONE || place >= members->nmembers) continue;
        if (all_leaves ? !vc_bit_get(visible, leaf) : codes[place] != VC_MANY) continue;
        status =
            add(in, place, vc_attribute_leaf_code(property->of, property->attribute, leaf), error);
    }
    return status;
}

/* ---- joined dimensions ---- */

/* Which places the units of a relation are in. Of a relation between leaves a unit is its leaf. */
struct unit_places {
    const vc_relation *relation;
    const uint32_t *places;     /* of leaves */
    const uint64_t *visible;    /* leaves of the primary's dimension; NULL: all */
    vc_property_values by_unit; /* where units are members of a level: places as codes */
};

/* Members of a level lie in one place or in several: leaf by leaf. */
static vc_status place_units(const vc_cube_dimension *outer, struct unit_places *units,
                             vc_arena *arena, vc_error *error)
{
    struct gathering in;
    const vc_relation *relation = units->relation;
    if (relation->level < 0) return VC_OK;
    const vc_level *level =
        &outer->dimension->hierarchies[relation->hierarchy].levels[relation->level];
    vc_status status = gathering_init(&in, relation->nunits, UINT32_MAX, arena, error);
    for (uint32_t leaf = 0; leaf < outer->dimension->nleaves && status == VC_OK; leaf++)
        if (units->visible == NULL || vc_bit_get(units->visible, leaf))
            status =
                add(&in, vc_numbers_get(level->leaf_members, leaf), units->places[leaf], error);
    if (status == VC_OK) status = gathering_finish(&in, &units->by_unit, error);
    gathering_release(&in);
    return status;
}

/* A value of a joined leaf is one of all places that a unit lies in. */
static vc_status add_to_unit(const struct unit_places *units, uint32_t unit, uint32_t code,
                             struct gathering *in, vc_error *error)
{
    vc_status status = VC_OK;
    if (units->relation->level < 0) {
        if (units->visible != NULL && !vc_bit_get(units->visible, unit)) return VC_OK;
        return units->places[unit] == VC_NONE ? VC_OK : add(in, units->places[unit], code, error);
    }
    for (uint32_t i = units->by_unit.offsets[unit];
         i < units->by_unit.offsets[unit + 1] && status == VC_OK; i++)
        status = add(in, units->by_unit.codes[i], code, error);
    return status;
}

/* The attribute of a joined leaf, or of a tuple by the leaf that it has in the property's
 * dimension. */
static uint32_t joined_code(const vc_property *property, uint32_t leaf)
{
    if (property->visible != NULL && !vc_bit_get(property->visible, leaf)) return VC_NONE;
    if (property->tuples != NULL)
        leaf = vc_tuples_leaf(property->tuples, property->component, leaf);
    return vc_attribute_leaf_code(property->of, property->attribute, leaf);
}

/* A leaf has what any of its places has: relations know the first of them. */
static uint32_t first_of(const vc_property *property, uint32_t leaf)
{
    bool is_leaf = property->tuples == NULL && property->of->nleaves == property->relation->nleaves;
    return is_leaf ? vc_leaf_first(property->of, leaf) : leaf;
}

/* Where a leaf that matches nothing is found. */
static uint32_t bucket_of(const vc_property *property, uint32_t leaf)
{
    if (property->relation->fates[leaf] != VC_FATE_UNMATCHED) return VC_NONE;
    return property->synthetic_slots != NULL ? property->synthetic_slots[leaf]
                                             : property->bucket_slot;
}

static vc_status read_joined(const vc_cube *cube, const vc_property *property,
                             const vc_property_members *members, struct gathering *in,
                             vc_error *error)
{
    const vc_cube_dimension *outer = &cube->dimensions[property->cube_dimension];
    struct unit_places units = {
        .relation = property->relation, .places = members->places, .visible = outer->visible};
    vc_status status = place_units(outer, &units, in->arena, error);
    for (uint32_t leaf = 0; leaf < property->relation->nleaves && status == VC_OK; leaf++) {
        uint32_t code = joined_code(property, leaf);
        const uint32_t *of;
        if (code == VC_NONE) continue;
        uint32_t first = first_of(property, leaf);
        size_t nunits = vc_relation_units(property->relation, first, &of);
        for (size_t i = 0; i < nunits && status == VC_OK; i++)
            status = add_to_unit(&units, of[i], code, in, error);
        uint32_t slot = nunits == 0 ? bucket_of(property, first) : VC_NONE;
        if (slot != VC_NONE && members->places[slot] != VC_NONE && status == VC_OK)
            status = add(in, members->places[slot], code, error);
    }
    return status;
}

vc_status vc_property_read(const vc_cube *cube, const vc_property *property,
                           const vc_property_members *members, uint64_t max_values, vc_arena *arena,
                           vc_property_values *values_out, vc_error *error)
{
    struct gathering in;
    vc_status status = gathering_init(&in, members->nplaces, max_values, arena, error);
    if (status == VC_OK && property->relation == NULL)
        status = read_own(cube, property, members, &in, error);
    else if (status == VC_OK)
        status = read_joined(cube, property, members, &in, error);
    if (status == VC_OK) status = gathering_finish(&in, values_out, error);
    gathering_release(&in);
    return status;
}

vc_status vc_property_texts(const vc_plan *plan, const vc_property *property,
                            const vc_property_values *values, size_t nplaces, vc_arena *arena,
                            const vc_result_values **texts_out, vc_error *error)
{
    uint32_t total = values->offsets[nplaces];
    vc_str *items = VC_ARENA_NEW(arena, vc_str, (size_t)total + 1);
    vc_result_values *texts = VC_ARENA_NEW(arena, vc_result_values, nplaces + 1);
    if (items == NULL || texts == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < total; i++) {
        vc_status status = plan == NULL ? VC_OK : vc_plan_look(plan, i, error);
        if (status != VC_OK) return status;
        items[i] = vc_texts_get(&property->attribute->values, values->codes[i]);
    }
    for (size_t i = 0; i < nplaces; i++)
        texts[i] = (vc_result_values){.items = items + values->offsets[i],
                                      .count = values->offsets[i + 1] - values->offsets[i]};
    *texts_out = texts;
    return VC_OK;
}

vc_status vc_property_is_multi(const vc_property *property, bool *is_multi_out, vc_error *error)
{
    const vc_relation *relation = property->relation;
    *is_multi_out = false;
    if (relation == NULL || (!relation->has_unit_fanin && property->of->ndoubles == 0))
        return VC_OK;
    uint32_t *codes = malloc(((size_t)relation->nunits + 1) * sizeof *codes);
    if (codes == NULL) return vc_no_memory(error);
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        codes[unit] = VC_NONE;
    for (uint32_t leaf = 0; leaf < relation->nleaves && !*is_multi_out; leaf++) {
        uint32_t code = joined_code(property, leaf);
        const uint32_t *units;
        size_t nunits =
            code == VC_NONE ? 0 : vc_relation_units(relation, first_of(property, leaf), &units);
        for (size_t i = 0; i < nunits; i++) {
            *is_multi_out |= codes[units[i]] != VC_NONE && codes[units[i]] != code;
            codes[units[i]] = code;
        }
    }
    free(codes);
    return VC_OK;
}
