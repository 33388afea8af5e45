/* Relations: which leaves of a joined source find which of the primary, pair by pair. */
#include "tests/slice/oracle_parts.h"

#include <stdio.h>
#include <string.h>

struct keys { /* of one value, normalised */
    char texts[8][32];
    unsigned count;
};

static void normalise(const char *value, unsigned steps, struct keys *keys)
{
    char text[64];
    keys->count = 0;
    if (value == NULL) return;
    snprintf(text, sizeof text, "%s", value);
    char *rest = text, *part;
    while (rest != NULL) {
        part = rest;
        rest = steps & STEP_SPLIT ? strchr(rest, ',') : NULL;
        if (rest != NULL) *rest++ = '\0';
        size_t size = strlen(part);
        while (steps & STEP_TRIM && size > 0 && part[size - 1] == ' ')
            part[--size] = '\0';
        while (steps & STEP_TRIM && *part == ' ')
            part++;
        for (char *c = part; steps & STEP_FOLD && *c != '\0'; c++)
            if (*c >= 'A' && *c <= 'Z') *c += 'a' - 'A';
        if (*part != '\0') strcpy(keys->texts[keys->count++], part);
    }
}

static bool keys_meet(const char *a, const char *b, unsigned steps)
{
    struct keys x, y;
    normalise(a, steps, &x);
    normalise(b, steps, &y);
    for (unsigned i = 0; i < x.count; i++)
        for (unsigned j = 0; j < y.count; j++)
            if (strcmp(x.texts[i], y.texts[j]) == 0) return true;
    return false;
}

/* The level on which an index stands; WORLD_LEVELS: the leaf. */
static unsigned index_level(const struct world_dimension *dimension, unsigned index)
{
    if (index == INDEX_KEY) return dimension->has_table ? WORLD_LEVELS : dimension->nlevels - 1;
    if (index == INDEX_CODE) return WORLD_LEVELS;
    return index == INDEX_TOP ? 0 : index - INDEX_LEVEL;
}

/* The place of one of the source's dimensions among the components; NOWHERE when it is none. */
static unsigned find_component(const struct place *place, unsigned of)
{
    for (unsigned c = 0; c < place->ncomponents; c++)
        if (place->components[c] == of) return c;
    return NOWHERE;
}

/* Do the keys of all pairs meet, with the joined leaves at these rows? */
static bool meets_at(const struct source *source, unsigned number, const struct place *place,
                     const struct world_dimension *primary, const struct world_leaf *p,
                     const uint32_t *rows)
{
    for (unsigned i = 0; i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        const struct world_dimension *joined = source->cube->dimensions[pair->to_dimension];
        if (pair->dimension != number) continue;
        const struct world_leaf *leaf =
            &joined->leaves[rows[find_component(place, pair->to_dimension)]];
        const char *from =
            pair->constant != NULL ? pair->constant : world_index_value(primary, p, pair->index);
        if (!keys_meet(from, world_index_value(joined, leaf, pair->to_index), pair->steps))
            return false;
    }
    return true;
}

/* A joined leaf under several parents is related to what any of its places is: rows [component]
 * are chosen one after the other. */
static bool is_related(const struct source *source, unsigned number, const struct place *place,
                       const struct world_dimension *primary, const struct world_leaf *p,
                       uint32_t q, uint32_t *rows, unsigned nchosen)
{
    if (nchosen == place->ncomponents) return meets_at(source, number, place, primary, p, rows);
    const struct world_dimension *joined = source->cube->dimensions[place->components[nchosen]];
    for (uint32_t row = 0; row < joined->nleaves; row++) {
        if (joined->leaves[row].first != place->tuples[q][nchosen]) continue;
        rows[nchosen] = row;
        if (is_related(source, number, place, primary, p, q, rows, nchosen + 1)) return true;
    }
    return false;
}

/* The q of a fact. */
uint32_t oracle_find_q(const struct place *place, const uint32_t *leaves)
{
    for (uint32_t q = 0; q < place->nq; q++) {
        bool is_same = true;
        for (unsigned c = 0; c < place->ncomponents; c++)
            is_same &= place->tuples[q][c] == leaves[place->components[c]];
        if (is_same) return q;
    }
    return NOWHERE;
}

/* All q: leaves, or the tuples of facts. */
static void list_qs(struct oracle *oracle, const struct world_cube *cube, struct place *place)
{
    size_t nleaves = cube->dimensions[place->of]->nfirsts;
    size_t room = (nleaves > cube->nfacts ? nleaves : cube->nfacts) + 1;
    place->tuples = vc_arena_calloc(&oracle->arena, room, sizeof *place->tuples);
    if (place->ncomponents == 1) {
        place->nq = (uint32_t)nleaves;
        for (uint32_t q = 0; q < nleaves; q++)
            place->tuples[q][0] = q;
        return;
    }
    for (size_t i = 0; i < cube->nfacts; i++) {
        if (oracle_find_q(place, cube->facts[i].leaves) != NOWHERE) continue;
        for (unsigned c = 0; c < place->ncomponents; c++)
            place->tuples[place->nq][c] = cube->facts[i].leaves[place->components[c]];
        place->nq++;
    }
}

static void choose_units(struct oracle *oracle, const struct world_source *source, unsigned number,
                         struct dimension *dimension, struct place *place)
{
    unsigned level = NOWHERE;
    for (unsigned i = 0; i < source->npairs; i++) {
        if (source->pairs[i].dimension != number || source->pairs[i].constant != NULL) continue;
        unsigned mine = index_level(dimension->stored, source->pairs[i].index);
        level = level == NOWHERE || mine > level ? mine : level;
    }
    place->units = VC_ARENA_NEW(&oracle->arena, uint32_t, dimension->nleaves + 1);
    place->nunits =
        level == WORLD_LEVELS ? (uint32_t)dimension->stored->nfirsts : dimension->members[level];
    place->level = level;
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        place->units[i] = level == WORLD_LEVELS ? dimension->stored->leaves[i].first
                                                : dimension->member_of[level][i];
}

/* The index values of q at these rows as found, one text for all pairs; NULL when one is null. */
static const char *found_key(struct oracle *oracle, const struct source *source, unsigned number,
                             const struct place *place, const uint32_t *rows)
{
    const char *all = "";
    for (unsigned i = 0; i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        if (pair->dimension != number) continue;
        const struct world_dimension *joined = source->cube->dimensions[pair->to_dimension];
        uint32_t row = rows[find_component(place, pair->to_dimension)];
        const char *value = world_index_value(joined, &joined->leaves[row], pair->to_index);
        if (value == NULL) return NULL;
        all = vc_arena_printf(&oracle->arena, "%s%zu:%s", all, strlen(value), value).data;
    }
    return all;
}

struct counting {
    struct oracle *oracle;
    unsigned s, d;
    unsigned nkeys;
    const char **keys; /* found so far */
    bool *are_matched;
};

/* Count the keys of q, at each of its rows. */
static void count_keys(struct counting *in, uint32_t q, uint32_t *rows, unsigned nchosen)
{
    const struct source *source = &in->oracle->sources[in->s];
    const struct place *place = &source->places[in->d];
    const struct world_dimension *primary = in->oracle->dimensions[in->d].stored;
    if (nchosen < place->ncomponents) {
        const struct world_dimension *joined = source->cube->dimensions[place->components[nchosen]];
        for (rows[nchosen] = 0; rows[nchosen] < joined->nleaves; rows[nchosen]++)
            if (joined->leaves[rows[nchosen]].first == place->tuples[q][nchosen])
                count_keys(in, q, rows, nchosen + 1);
        return;
    }
    const char *key = found_key(in->oracle, source, in->d, place, rows);
    unsigned k = 0;
    if (key == NULL) return;
    while (k < in->nkeys && strcmp(in->keys[k], key) != 0)
        k++;
    if (k == in->nkeys) in->keys[in->nkeys++] = key;
    for (size_t p = 0; p < primary->nleaves; p++)
        in->are_matched[k] |= meets_at(source, in->d, place, primary, &primary->leaves[p], rows);
}

static void count_coverage(struct oracle *oracle, unsigned s, unsigned d)
{
    struct place *place = &oracle->sources[s].places[d];
    uint32_t nleaves = oracle->dimensions[d].nleaves, rows[WORLD_DIMENSIONS];
    size_t room = (size_t)place->nq * 64 + 1; /* rows of a leaf, of several dimensions */
    struct counting counting = {.oracle = oracle,
                                .s = s,
                                .d = d,
                                .keys = VC_ARENA_NEW(&oracle->arena, const char *, room),
                                .are_matched = VC_ARENA_NEW(&oracle->arena, bool, room)};
    bool *is_unit = VC_ARENA_NEW(&oracle->arena, bool, place->nunits + 1);
    place->coverage.members = place->nq;
    place->coverage.primary_members = place->nunits;
    for (uint32_t q = 0; q < place->nq; q++) {
        bool is_matched = false;
        for (uint32_t p = 0; p < nleaves; p++)
            if (place->related[p * place->nq + q]) is_matched = is_unit[place->units[p]] = true;
        place->coverage.members_matched += is_matched;
        count_keys(&counting, q, rows, 0);
    }
    place->coverage.keys = counting.nkeys;
    for (unsigned k = 0; k < counting.nkeys; k++)
        place->coverage.keys_matched += counting.are_matched[k];
    for (uint32_t u = 0; u < place->nunits; u++)
        place->coverage.primary_matched += is_unit[u];
}

void oracle_relate(struct oracle *oracle, unsigned s, unsigned d)
{
    struct source *source = &oracle->sources[s];
    struct dimension *dimension = &oracle->dimensions[d];
    struct place *place = &source->places[d];
    *place = (struct place){.is_there = true, .is_relation = true};
    for (unsigned i = 0; i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        if (pair->dimension == d && find_component(place, pair->to_dimension) == NOWHERE)
            place->components[place->ncomponents++] = pair->to_dimension;
    }
    place->of = place->components[0];
    list_qs(oracle, source->cube, place);
    place->related = VC_ARENA_NEW(&oracle->arena, bool, (size_t)dimension->nleaves * place->nq + 1);
    choose_units(oracle, source->definition, d, dimension, place);
    for (uint32_t p = 0; p < dimension->nleaves; p++)
        for (uint32_t q = 0; q < place->nq; q++) {
            uint32_t rows[WORLD_DIMENSIONS];
            place->related[p * place->nq + q] = is_related(
                source, d, place, dimension->stored, &dimension->stored->leaves[p], q, rows, 0);
        }
    for (uint32_t p = 0; p < dimension->nleaves; p++)
        for (uint32_t q = 0; q < place->nq; q++) {
            uint32_t first = dimension->stored->leaves[p].first;
            if (place->level == WORLD_LEVELS && place->related[p * place->nq + q])
                place->related[first * place->nq + q] = true;
        }
    for (uint32_t p = 0; p < dimension->nleaves && place->level == WORLD_LEVELS; p++)
        memcpy(&place->related[p * place->nq],
               &place->related[dimension->stored->leaves[p].first * place->nq],
               place->nq * sizeof *place->related);
    count_coverage(oracle, s, d);
}

/* By identity. */
void oracle_take_place(struct oracle *oracle, unsigned s, unsigned d, unsigned of)
{
    struct source *source = &oracle->sources[s];
    source->places[d] =
        (struct place){.is_there = true, .of = of, .ncomponents = 1, .components = {of}};
    list_qs(oracle, source->cube, &source->places[d]);
}
