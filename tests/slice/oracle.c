#include "tests/slice/oracle.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEASURES = 64, NOWHERE = UINT32_MAX };

/* A synthetic slot: an unmatched leaf of a joined source, or all of them (leaf NOWHERE). */
struct synthetic {
    unsigned source;
    uint32_t leaf;
    const char *key;
};

struct place { /* how a joined source lies along a dimension of the cube */
    bool is_there, is_relation;
    unsigned of; /* its own dimension, the first one of a composite key */
    /* What is related to leaves of the cube's: leaves of its own dimension, or of several the
     * tuples that facts have. Called q below. */
    unsigned ncomponents, components[WORLD_DIMENSIONS];
    uint32_t nq;
    uint32_t (*tuples)[WORLD_DIMENSIONS]; /* [nq][ncomponents] */
    bool *related;                        /* [leaf of the cube's][q] */
    uint32_t *units;                      /* [leaf of the cube's] what the index stands on */
    uint32_t nunits;
    unsigned level;      /* of the units; WORLD_LEVELS: leaves */
    uint32_t *unmatched; /* [q] slot, or NOWHERE */
    vc_coverage coverage;
};

struct dimension {
    const struct world_dimension *stored;
    const char *name;
    unsigned owner, owned; /* source, and its own dimension */
    uint32_t nleaves, nslots;
    uint32_t members[WORLD_LEVELS]; /* how many */
    uint32_t *member_of[WORLD_LEVELS];
    bool is_number[WORLD_LEVELS];
    bool *visible; /* [nslots] */
    struct synthetic *synthetics;
    unsigned nbuckets, bucket_sources[WORLD_SOURCES];
    const char *bucket_keys[WORLD_SOURCES];
    bool bucket_has_members[WORLD_SOURCES];
};

struct measure {
    char name[24];
    unsigned source;
    const struct world_measure *stored; /* NULL: a formula */
    struct world_fix fix;
    vc_unrelated unrelated;
    enum world_formula formula;
    unsigned a, b;
};

struct source {
    const struct world_cube *cube;
    const struct world_source *definition; /* NULL: a source cube by itself */
    struct place places[ORACLE_DIMENSIONS];
};

struct oracle {
    vc_arena arena;
    const struct world *world;
    unsigned ndimensions, nsources, nmeasures, nnamed;
    struct dimension dimensions[ORACLE_DIMENSIONS];
    struct source sources[WORLD_SOURCES];
    struct measure measures[MEASURES];
};

/* ---- members and their order ---- */

static bool is_number_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isdigit((unsigned char)*text)) return false;
    return true;
}

static int compare_texts(vc_str a, vc_str b, bool is_number)
{
    if (a.data == NULL || b.data == NULL) return (a.data == NULL) - (b.data == NULL);
    char *end_a, *end_b, x[64], y[64];
    snprintf(x, sizeof x, "%.*s", VC_FMT(a));
    snprintf(y, sizeof y, "%.*s", VC_FMT(b));
    long p = strtol(x, &end_a, 10), q = strtol(y, &end_b, 10);
    bool is_a = *x != '\0' && *end_a == '\0', is_b = *y != '\0' && *end_b == '\0';
    if (is_number && is_a != is_b) return is_a ? -1 : 1;
    if (is_number && is_a) return (p > q) - (p < q);
    return strcmp(x, y);
}

static int compare_keys(const struct dimension *dimension, unsigned level, const char *a,
                        const char *b)
{
    return compare_texts(vc_str_of(a), vc_str_of(b), dimension->is_number[level]);
}

static int compare_paths(const struct dimension *dimension, unsigned nlevels, uint32_t a,
                         uint32_t b)
{
    const struct world_leaf *leaves = dimension->stored->leaves;
    for (unsigned l = 0; l < nlevels; l++) {
        int order = compare_keys(dimension, l, leaves[a].keys[l], leaves[b].keys[l]);
        if (order != 0) return order;
    }
    return 0;
}

/* A member's number is how many different paths stand before its own. */
static void number_members(struct oracle *oracle, struct dimension *dimension)
{
    const struct world_dimension *stored = dimension->stored;
    for (unsigned l = 0; l < stored->nlevels; l++) {
        bool has_key = false, has_word = false;
        for (uint32_t i = 0; i < dimension->nleaves; i++) {
            const char *key = stored->leaves[i].keys[l];
            has_key |= key != NULL;
            has_word |= key != NULL && !is_number_text(key);
        }
        dimension->is_number[l] = has_key && !has_word;
    }
    for (unsigned l = 0; l < stored->nlevels; l++) {
        dimension->member_of[l] = VC_ARENA_NEW(&oracle->arena, uint32_t, dimension->nleaves + 1);
        for (uint32_t i = 0; i < dimension->nleaves; i++)
            for (uint32_t j = 0; j < dimension->nleaves; j++) {
                bool is_first = true; /* of its path */
                for (uint32_t k = 0; k < j && is_first; k++)
                    is_first = compare_paths(dimension, l + 1, k, j) != 0;
                if (is_first && compare_paths(dimension, l + 1, j, i) < 0)
                    dimension->member_of[l][i]++;
                if (is_first && i == 0) dimension->members[l]++;
            }
    }
}

/* ---- relations ---- */

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

/* The leaf that q has in one of the source's dimensions. */
static const struct world_leaf *leaf_of(const struct source *source, const struct place *place,
                                        uint32_t q, unsigned of)
{
    uint32_t leaf = place->tuples[q][find_component(place, of)];
    return &source->cube->dimensions[of]->leaves[leaf];
}

static bool is_related(const struct source *source, unsigned number, const struct place *place,
                       const struct world_dimension *primary, const struct world_leaf *p,
                       uint32_t q)
{
    for (unsigned i = 0; i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        const struct world_dimension *joined = source->cube->dimensions[pair->to_dimension];
        if (pair->dimension != number) continue;
        const char *from =
            pair->constant != NULL ? pair->constant : world_index_value(primary, p, pair->index);
        const char *to = world_index_value(joined, leaf_of(source, place, q, pair->to_dimension),
                                           pair->to_index);
        if (!keys_meet(from, to, pair->steps)) return false;
    }
    return true;
}

/* The q of a fact. */
static uint32_t find_q(const struct place *place, const uint32_t *leaves)
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
    size_t nleaves = cube->dimensions[place->of]->nleaves;
    size_t room = (nleaves > cube->nfacts ? nleaves : cube->nfacts) + 1;
    place->tuples = vc_arena_calloc(&oracle->arena, room, sizeof *place->tuples);
    if (place->ncomponents == 1) {
        place->nq = (uint32_t)nleaves;
        for (uint32_t q = 0; q < nleaves; q++)
            place->tuples[q][0] = q;
        return;
    }
    for (size_t i = 0; i < cube->nfacts; i++) {
        if (find_q(place, cube->facts[i].leaves) != NOWHERE) continue;
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
    place->nunits = level == WORLD_LEVELS ? dimension->nleaves : dimension->members[level];
    place->level = level;
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        place->units[i] = level == WORLD_LEVELS ? i : dimension->member_of[level][i];
}

/* The index values of q as found, one text for all pairs; NULL when one is null. */
static const char *found_key(struct oracle *oracle, const struct source *source, unsigned number,
                             const struct place *place, uint32_t q)
{
    const char *all = "";
    for (unsigned i = 0; i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        if (pair->dimension != number) continue;
        const char *value =
            world_index_value(source->cube->dimensions[pair->to_dimension],
                              leaf_of(source, place, q, pair->to_dimension), pair->to_index);
        if (value == NULL) return NULL;
        all = vc_arena_printf(&oracle->arena, "%s%zu:%s", all, strlen(value), value).data;
    }
    return all;
}

static void count_coverage(struct oracle *oracle, unsigned s, unsigned d)
{
    const struct source *source = &oracle->sources[s];
    struct place *place = &oracle->sources[s].places[d];
    uint32_t nleaves = oracle->dimensions[d].nleaves;
    const char **keys = VC_ARENA_NEW(&oracle->arena, const char *, place->nq + 1);
    bool *is_unit = VC_ARENA_NEW(&oracle->arena, bool, place->nunits + 1);
    place->coverage.members = place->nq;
    place->coverage.primary_members = place->nunits;
    for (uint32_t q = 0; q < place->nq; q++) {
        bool is_matched = false, is_new = true;
        for (uint32_t p = 0; p < nleaves; p++)
            if (place->related[p * place->nq + q]) is_matched = is_unit[place->units[p]] = true;
        place->coverage.members_matched += is_matched;
        keys[q] = found_key(oracle, source, d, place, q);
        for (uint32_t r = 0; r < q && keys[q] != NULL; r++)
            is_new &= keys[r] == NULL || strcmp(keys[r], keys[q]) != 0;
        place->coverage.keys += keys[q] != NULL && is_new;
        place->coverage.keys_matched += keys[q] != NULL && is_new && is_matched;
    }
    for (uint32_t u = 0; u < place->nunits; u++)
        place->coverage.primary_matched += is_unit[u];
}

static void relate(struct oracle *oracle, unsigned s, unsigned d)
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
        for (uint32_t q = 0; q < place->nq; q++)
            place->related[p * place->nq + q] =
                is_related(source, d, place, dimension->stored, &dimension->stored->leaves[p], q);
    count_coverage(oracle, s, d);
}

/* By identity. */
static void take_place(struct oracle *oracle, unsigned s, unsigned d, unsigned of)
{
    struct source *source = &oracle->sources[s];
    source->places[d] =
        (struct place){.is_there = true, .of = of, .ncomponents = 1, .components = {of}};
    list_qs(oracle, source->cube, &source->places[d]);
}

/* ---- the dimensions of the cube ---- */

static void add_dimension(struct oracle *oracle, unsigned s, unsigned of)
{
    unsigned d = oracle->ndimensions++;
    struct dimension *dimension = &oracle->dimensions[d];
    dimension->stored = oracle->sources[s].cube->dimensions[of];
    dimension->name = dimension->stored->name;
    dimension->owner = s;
    dimension->owned = of;
    dimension->nleaves = dimension->nslots = (uint32_t)dimension->stored->nleaves;
    number_members(oracle, dimension);
    take_place(oracle, s, d, of);
}

static bool place_source(struct oracle *oracle, unsigned s, const char **error_out)
{
    struct source *source = &oracle->sources[s];
    bool is_placed[WORLD_DIMENSIONS] = {false};
    bool has_common = s == 0;
    for (unsigned i = 0; source->definition != NULL && i < source->definition->npairs; i++) {
        const struct world_pair *pair = &source->definition->pairs[i];
        is_placed[pair->to_dimension] = has_common = true;
        if (!source->places[pair->dimension].is_there) relate(oracle, s, pair->dimension);
    }
    for (unsigned of = 0; of < source->cube->ndimensions; of++) {
        if (is_placed[of]) continue;
        unsigned d = 0;
        while (d < oracle->ndimensions &&
               oracle->dimensions[d].stored != source->cube->dimensions[of])
            d++;
        if (d == oracle->ndimensions) {
            add_dimension(oracle, s, of);
            continue;
        }
        if (source->places[d].is_there) {
            *error_out = "dimension_conflict";
            return false;
        }
        take_place(oracle, s, d, of);
    }
    return true;
}

static bool check_common(const struct oracle *oracle, const char **error_out)
{
    for (unsigned s = 1; s < oracle->nsources; s++) {
        bool has_common = false;
        for (unsigned d = 0; d < oracle->ndimensions; d++) {
            unsigned nbound = 0;
            for (unsigned t = 0; t < oracle->nsources; t++)
                nbound += oracle->sources[t].places[d].is_there;
            has_common |= nbound > 1 && oracle->sources[s].places[d].is_there;
        }
        *error_out = has_common ? NULL : "no_common_dimension";
        if (!has_common) return false;
    }
    return true;
}

/* ---- buckets, and the members that joins leave ---- */

static bool is_unmatched(const struct oracle *oracle, unsigned d, const struct place *place,
                         uint32_t q)
{
    for (uint32_t p = 0; p < oracle->dimensions[d].nleaves; p++)
        if (place->related[p * place->nq + q]) return false;
    return true;
}

/* The order of a joined dimension's leaves: by path, then by key or, without one, by what tells
 * them apart. Which load they came with does not matter. */
struct leaf_order {
    struct dimension dimension; /* for its order */
    bool is_code_number;        /* of all leaves */
};

static bool comes_before(const struct leaf_order *order, uint32_t a, uint32_t b)
{
    const struct world_dimension *stored = order->dimension.stored;
    int compared = compare_paths(&order->dimension, stored->nlevels, a, b);
    const struct world_leaf *x = &stored->leaves[a], *y = &stored->leaves[b];
    bool has_key = stored->has_table;
    if (compared == 0)
        compared = compare_texts(vc_str_of(has_key ? x->key : x->code),
                                 vc_str_of(has_key ? y->key : y->code), order->is_code_number);
    return compared < 0;
}

static void order_leaves(struct oracle *oracle, const struct world_cube *cube, unsigned of,
                         uint32_t *leaves, uint32_t count)
{
    const struct world_dimension *stored = cube->dimensions[of];
    struct leaf_order order = {.is_code_number = true};
    order.dimension.stored = stored;
    order.dimension.nleaves = (uint32_t)stored->nleaves;
    number_members(oracle, &order.dimension);
    for (uint32_t i = 0; i < stored->nleaves; i++) {
        const char *text = stored->has_table ? stored->leaves[i].key : stored->leaves[i].code;
        order.is_code_number &= text == NULL || is_number_text(text);
    }
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = i; j > 0 && comes_before(&order, leaves[j], leaves[j - 1]); j--) {
            uint32_t swap = leaves[j];
            leaves[j] = leaves[j - 1];
            leaves[j - 1] = swap;
        }
}

/* The places of a dimension's leaves in its order. */
static uint32_t *rank_leaves(struct oracle *oracle, const struct world_cube *cube, unsigned of)
{
    uint32_t nleaves = (uint32_t)cube->dimensions[of]->nleaves;
    uint32_t *leaves = VC_ARENA_NEW(&oracle->arena, uint32_t, nleaves + 1);
    uint32_t *ranks = VC_ARENA_NEW(&oracle->arena, uint32_t, nleaves + 1);
    for (uint32_t i = 0; i < nleaves; i++)
        leaves[i] = i;
    order_leaves(oracle, cube, of, leaves, nleaves);
    for (uint32_t i = 0; i < nleaves; i++)
        ranks[leaves[i]] = i;
    return ranks;
}

/* By the first component, then the next. */
static void order_qs(struct oracle *oracle, const struct world_cube *cube,
                     const struct place *place, uint32_t *qs, uint32_t count)
{
    uint32_t *ranks[WORLD_DIMENSIONS];
    for (unsigned c = 0; c < place->ncomponents; c++)
        ranks[c] = rank_leaves(oracle, cube, place->components[c]);
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = i; j > 0; j--) {
            const uint32_t *a = place->tuples[qs[j]], *b = place->tuples[qs[j - 1]];
            unsigned c = 0;
            while (c + 1 < place->ncomponents && a[c] == b[c])
                c++;
            if (ranks[c][a[c]] >= ranks[c][b[c]]) break;
            uint32_t swap = qs[j];
            qs[j] = qs[j - 1];
            qs[j - 1] = swap;
        }
}

/* The names of its leaves. */
static const char *name_q(struct oracle *oracle, const struct world_cube *cube,
                          const struct place *place, uint32_t q)
{
    const char *all = "";
    for (unsigned c = 0; c < place->ncomponents; c++) {
        const struct world_dimension *joined = cube->dimensions[place->components[c]];
        const struct world_leaf *leaf = &joined->leaves[place->tuples[q][c]];
        const char *own = joined->has_table ? leaf->key : leaf->keys[joined->nlevels - 1];
        all = vc_arena_printf(&oracle->arena, "%s%s%s", all, c > 0 ? ", " : "",
                              own == NULL ? "" : own)
                  .data;
    }
    return all;
}

static void add_bucket(struct oracle *oracle, unsigned d, unsigned s)
{
    struct dimension *dimension = &oracle->dimensions[d];
    struct place *place = &oracle->sources[s].places[d];
    const struct world_source *definition = oracle->sources[s].definition;
    if (!place->is_relation || definition->unmatched == VC_UNMATCHED_DROP) return;
    const struct world_cube *joined = oracle->sources[s].cube;
    uint32_t *qs = VC_ARENA_NEW(&oracle->arena, uint32_t, place->nq + 1), count = 0;
    place->unmatched = vc_arena_alloc(&oracle->arena, (place->nq + 1) * sizeof(uint32_t));
    memset(place->unmatched, 0xFF, place->nq * sizeof(uint32_t));
    for (uint32_t q = 0; q < place->nq; q++)
        if (is_unmatched(oracle, d, place, q)) qs[count++] = q;
    if (count == 0) return;
    order_qs(oracle, joined, place, qs, count);
    unsigned b = dimension->nbuckets++;
    dimension->bucket_sources[b] = s;
    dimension->bucket_keys[b] =
        vc_arena_printf(&oracle->arena, "(unmatched:%s)", definition->alias).data;
    dimension->bucket_has_members[b] = definition->unmatched == VC_UNMATCHED_MEMBERS;
    for (uint32_t i = 0; i < count; i++) {
        bool is_new = dimension->bucket_has_members[b] || i == 0;
        if (is_new)
            dimension->synthetics[dimension->nslots++ - dimension->nleaves] = (struct synthetic){
                .source = s,
                .leaf = qs[i],
                .key = dimension->bucket_has_members[b]
                           ? vc_arena_printf(&oracle->arena, "%s:%s", definition->alias,
                                             name_q(oracle, joined, place, qs[i]))
                                 .data
                           : dimension->bucket_keys[b]};
        place->unmatched[qs[i]] = dimension->nslots - 1;
    }
}

static void finish_dimension(struct oracle *oracle, unsigned d)
{
    struct dimension *dimension = &oracle->dimensions[d];
    size_t room = dimension->nleaves + 1;
    for (unsigned s = 0; s < oracle->nsources; s++)
        if (oracle->sources[s].places[d].is_relation) room += oracle->sources[s].places[d].nq;
    dimension->synthetics = VC_ARENA_NEW(&oracle->arena, struct synthetic, room);
    dimension->visible = VC_ARENA_NEW(&oracle->arena, bool, room);
    for (unsigned s = 0; s < oracle->nsources; s++)
        add_bucket(oracle, d, s);
    for (uint32_t slot = 0; slot < dimension->nslots; slot++)
        dimension->visible[slot] = true;
    for (unsigned s = 0; s < oracle->nsources; s++) {
        const struct place *place = &oracle->sources[s].places[d];
        if (!place->is_relation) continue;
        vc_join_kind kind = oracle->sources[s].definition->kind;
        size_t n = place->nq;
        for (uint32_t p = 0; p < dimension->nleaves; p++) {
            bool has_partner = false;
            for (uint32_t q = 0; q < n; q++)
                has_partner |= place->related[p * n + q];
            if (!has_partner && (kind == VC_JOIN_INNER || kind == VC_JOIN_RIGHT))
                dimension->visible[p] = false;
        }
    }
}

/* ---- measures ---- */

/* A measure of a source, with the operands it needs behind all named ones. */
static void add_measure(struct oracle *oracle, unsigned at, unsigned s, unsigned number,
                        const struct world_taken *taken)
{
    const struct world_measure *stored = &oracle->sources[s].cube->measures[number];
    struct measure *measure = &oracle->measures[at];
    snprintf(measure->name, sizeof measure->name, "%s",
             at >= oracle->nnamed ? ""
             : taken == NULL      ? stored->name
                                  : taken->name);
    measure->source = s;
    measure->stored = stored;
    if (taken != NULL) {
        measure->fix = taken->fix;
        measure->unrelated = taken->unrelated;
    }
    if (stored->formula == FORMULA_NONE) return;
    measure->formula = stored->formula;
    measure->stored = NULL;
    measure->a = oracle->nmeasures++;
    measure->b = oracle->nmeasures++;
    if (oracle->nmeasures > MEASURES - 2) abort();
    add_measure(oracle, measure->a, s, stored->a, taken);
    add_measure(oracle, measure->b, s, stored->b, taken);
}

static void add_virtual_measures(struct oracle *oracle)
{
    const struct world *world = oracle->world;
    oracle->nmeasures = oracle->nnamed = world->ntaken;
    for (unsigned i = 0; i < world->ntaken; i++) {
        const struct world_taken *taken = &world->taken[i];
        if (taken->formula == FORMULA_NONE) {
            add_measure(oracle, i, taken->source, taken->measure, taken);
            continue;
        }
        struct measure *measure = &oracle->measures[i];
        strcpy(measure->name, taken->name);
        measure->formula = taken->formula;
        measure->a = taken->a;
        measure->b = taken->b;
    }
}

/* ---- make ---- */

struct oracle *oracle_new(const struct world *world, const char *cube, const char **error_out)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    bool is_virtual = strcmp(cube, "v") == 0, is_good = true;
    *error_out = NULL;
    oracle->world = world;
    oracle->nsources = is_virtual ? world->nsources : 1;
    for (unsigned s = 0; s < oracle->nsources; s++) {
        unsigned number = 0;
        while (!is_virtual && strcmp(world->cubes[number].name, cube) != 0)
            number++;
        oracle->sources[s].definition = is_virtual ? &world->sources[s] : NULL;
        oracle->sources[s].cube = &world->cubes[is_virtual ? world->sources[s].cube : number];
    }
    for (unsigned s = 0; s < oracle->nsources && is_good; s++)
        is_good = place_source(oracle, s, error_out);
    if (is_good && is_virtual) is_good = check_common(oracle, error_out);
    if (!is_good) {
        oracle_free(oracle);
        return NULL;
    }
    for (unsigned d = 0; d < oracle->ndimensions; d++)
        finish_dimension(oracle, d);
    if (is_virtual) {
        add_virtual_measures(oracle);
        return oracle;
    }
    oracle->nmeasures = oracle->nnamed = oracle->sources[0].cube->nmeasures;
    for (unsigned i = 0; i < oracle->nnamed; i++)
        add_measure(oracle, i, 0, i, NULL);
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    if (oracle == NULL) return;
    vc_arena_release(&oracle->arena);
    free(oracle);
}

unsigned oracle_ndimensions(const struct oracle *oracle)
{
    return oracle->ndimensions;
}

const struct world_dimension *oracle_dimension(const struct oracle *oracle, unsigned dimension)
{
    return oracle->dimensions[dimension].stored;
}

const char *oracle_dimension_name(const struct oracle *oracle, unsigned dimension)
{
    return oracle->dimensions[dimension].name;
}

unsigned oracle_nmeasures(const struct oracle *oracle)
{
    return oracle->nnamed;
}

const char *oracle_measure_name(const struct oracle *oracle, unsigned measure)
{
    return oracle->measures[measure].name;
}

static bool keeps_type(const struct measure *measure)
{
    return measure->formula == FORMULA_NONE && measure->stored->over != VC_OVER_AVG &&
           (measure->stored->aggregator == VC_AGG_SUM ||
            measure->stored->aggregator == VC_AGG_MIN || measure->stored->aggregator == VC_AGG_MAX);
}

bool oracle_measure_is_decimal(const struct oracle *oracle, unsigned measure)
{
    const struct measure *of = &oracle->measures[measure];
    return keeps_type(of) && of->stored->column == COLUMN_DECIMAL;
}

bool oracle_measure_is_float(const struct oracle *oracle, unsigned measure)
{
    const struct measure *of = &oracle->measures[measure];
    return of->formula != FORMULA_NONE || of->stored->aggregator == VC_AGG_AVG ||
           of->stored->aggregator > VC_AGG_COUNT_DISTINCT || of->stored->over == VC_OVER_AVG ||
           (keeps_type(of) && of->stored->column == COLUMN_FLOAT);
}

const char *oracle_synthetic_key(const struct oracle *oracle, unsigned dimension, unsigned number)
{
    const struct dimension *of = &oracle->dimensions[dimension];
    unsigned nsynthetic = of->nslots - of->nleaves;
    if (number < nsynthetic) return of->synthetics[number].key;
    return number - nsynthetic < of->nbuckets ? of->bucket_keys[number - nsynthetic] : NULL;
}

bool oracle_coverage(const struct oracle *oracle, const char *alias, unsigned dimension,
                     vc_coverage *coverage_out)
{
    for (unsigned s = 0; s < oracle->nsources; s++) {
        const struct place *place = &oracle->sources[s].places[dimension];
        if (oracle->sources[s].definition == NULL || !place->is_relation ||
            strcmp(oracle->sources[s].definition->alias, alias) != 0)
            continue;
        *coverage_out = place->coverage;
        return true;
    }
    return false;
}

/* ---- selections ---- */

struct asking {
    struct oracle *oracle;
    const vc_query *query;
    vc_arena *arena;
    bool *selected[ORACLE_DIMENSIONS]; /* [nslots] */
    bool is_cut[ORACLE_DIMENSIONS];
    unsigned naxes, axes[ORACLE_AXES], levels[ORACLE_AXES];
    uint32_t ngroups[ORACLE_AXES];
    uint32_t *groups[ORACLE_AXES]; /* [nslots] */
    const char *synthetic_keys[ORACLE_AXES][512];
    bool is_wanted[MEASURES]; /* asked, compared, or needed for one of those */
    unsigned asked[MEASURES], nasked;
    /* of the grouping at hand: */
    uint32_t kept;
    bool **allowed[WORLD_SOURCES][ORACLE_DIMENSIONS]; /* [group][leaf of the source's] */
    char *reasons[WORLD_SOURCES][ORACLE_DIMENSIONS];  /* [group] */
};

static bool is_key(const char *key, vc_str wanted)
{
    return key == NULL ? wanted.size == 0 : vc_str_is(wanted, key);
}

/* Which leaves a path leads to: a bit per leaf. Returns how deep the member stands, or 0. */
static unsigned find_path(const struct dimension *dimension, const vc_str *keys, size_t nkeys,
                          unsigned first_level, bool *leaves)
{
    unsigned depth = 0;
    for (uint32_t i = 0; i < dimension->nleaves; i++) {
        leaves[i] = true;
        for (size_t k = 0; k < nkeys; k++)
            leaves[i] &= is_key(dimension->stored->leaves[i].keys[first_level + k], keys[k]);
        if (leaves[i]) depth = first_level + (unsigned)nkeys;
    }
    return depth;
}

/* One key alone: on the first level, else the one member of the levels below that has it. */
static const char *find_single(const struct dimension *dimension, vc_str key, bool *leaves,
                               unsigned *level_out)
{
    unsigned nfound = 0, found_level = 0;
    uint32_t found = 0;
    *level_out = 0;
    if (find_path(dimension, &key, 1, 0, leaves) > 0) return NULL;
    for (unsigned l = 1; l < dimension->stored->nlevels; l++)
        for (uint32_t member = 0; member < dimension->members[l]; member++)
            for (uint32_t i = 0; i < dimension->nleaves; i++) {
                if (dimension->member_of[l][i] != member) continue;
                if (is_key(dimension->stored->leaves[i].keys[l], key)) {
                    nfound++;
                    found_level = l;
                    found = member;
                }
                break;
            }
    if (nfound != 1) return nfound == 0 ? "unknown_member" : "ambiguous_key";
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        leaves[i] = dimension->member_of[found_level][i] == found;
    *level_out = found_level;
    return NULL;
}

/* The level or index that a reference names: an index; -1: none. */
static int find_target(const struct world_dimension *dimension, vc_str name)
{
    if (name.data == NULL) return -1;
    for (unsigned index = 0; index < INDEX_LEVEL + dimension->nlevels; index++)
        if (vc_str_is(name, world_index_name(index))) return (int)index;
    abort();
}

static int compare_bound(const struct dimension *dimension, uint32_t leaf, const vc_str *keys,
                         size_t nkeys, unsigned first_level, bool *is_null)
{
    for (size_t k = 0; k < nkeys; k++) {
        const char *key = dimension->stored->leaves[leaf].keys[first_level + k];
        *is_null = key == NULL;
        if (key == NULL) return 0;
        int order = compare_texts(vc_str_of(key), keys[k], dimension->is_number[first_level + k]);
        if (order != 0) return order;
    }
    return 0;
}

static bool in_range(const vc_item *item, int low, int high)
{
    return (item->nkeys == 0 || low > 0 || (low == 0 && !item->excludes_first)) &&
           (item->nend_keys == 0 || high < 0 || (high == 0 && !item->excludes_end));
}

/* On a level of numbers, the end of a range is a number, too. */
static bool is_end(const struct dimension *dimension, const vc_str *keys, size_t nkeys,
                   unsigned first_level)
{
    for (size_t k = 0; k < nkeys && dimension->nleaves > 0; k++)
        if (dimension->is_number[first_level + k] && !vc_str_is_number(keys[k])) return false;
    return true;
}

/* Where ends of one key stand: on the highest level on which one of them is found, else the top. */
static const char *choose_level(const struct dimension *dimension, const vc_item *item,
                                bool *scratch, unsigned *level_out)
{
    const vc_str *ends[2] = {item->nkeys == 1 ? item->keys : NULL,
                             item->nend_keys == 1 ? item->end_keys : NULL};
    bool is_ambiguous = false, is_found = false;
    for (int i = 0; i < 2; i++) {
        unsigned level;
        const char *error =
            ends[i] == NULL ? "none" : find_single(dimension, *ends[i], scratch, &level);
        if (error == NULL && (!is_found || level < *level_out)) *level_out = level;
        is_found |= error == NULL;
        is_ambiguous |= error != NULL && strcmp(error, "ambiguous_key") == 0;
    }
    return is_ambiguous && !is_found ? "ambiguous_key" : NULL;
}

static const char *mark_range(const struct dimension *dimension, int target, const vc_item *item,
                              bool *scratch, bool *out)
{
    unsigned single = 0;
    for (uint32_t i = 0; i < dimension->nleaves && target >= 0 && target < INDEX_LEVEL; i++) {
        const char *value =
            world_index_value(dimension->stored, &dimension->stored->leaves[i], (unsigned)target);
        if (value == NULL) continue;
        bool is_low = item->nkeys > 0 && is_number_text(value);
        bool is_high = item->nend_keys > 0 && is_number_text(value);
        out[i] |= in_range(
            item,
            item->nkeys == 0 ? 0
                             : compare_texts(vc_str_of(value), item->keys[0],
                                             is_low && vc_str_is_number(item->keys[0])),
            item->nend_keys == 0 ? 0
                                 : compare_texts(vc_str_of(value), item->end_keys[0],
                                                 is_high && vc_str_is_number(item->end_keys[0])));
    }
    if (target >= 0 && target < INDEX_LEVEL) return NULL;
    if (target >= INDEX_LEVEL) {
        single = (unsigned)target - INDEX_LEVEL;
    } else {
        const char *error = choose_level(dimension, item, scratch, &single);
        if (error != NULL) return error;
    }
    if (!is_end(dimension, item->keys, item->nkeys, item->nkeys == 1 ? single : 0) ||
        !is_end(dimension, item->end_keys, item->nend_keys, item->nend_keys == 1 ? single : 0))
        return "syntax";
    for (uint32_t i = 0; i < dimension->nleaves; i++) {
        bool is_null_low = false, is_null_high = false;
        int low = compare_bound(dimension, i, item->keys, item->nkeys,
                                item->nkeys == 1 ? single : 0, &is_null_low);
        int high = compare_bound(dimension, i, item->end_keys, item->nend_keys,
                                 item->nend_keys == 1 ? single : 0, &is_null_high);
        out[i] |= !is_null_low && !is_null_high && in_range(item, low, high);
    }
    return NULL;
}

static bool text_fits(const char *text, vc_str part, vc_item_kind kind)
{
    char lower[64] = "", wanted[64] = "";
    if (text == NULL) return false;
    for (size_t i = 0; text[i] != '\0'; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    for (size_t i = 0; i < part.size; i++)
        wanted[i] = (char)tolower((unsigned char)part.data[i]);
    size_t size = strlen(lower);
    if (kind == VC_ITEM_CONTAINS) return strstr(lower, wanted) != NULL;
    if (part.size > size) return false;
    return strncmp(kind == VC_ITEM_STARTS_WITH ? lower : lower + size - part.size, wanted,
                   part.size) == 0;
}

static const char *mark_path(const struct dimension *dimension, int target, const vc_item *item,
                             bool *scratch, bool *out)
{
    bool is_found = false;
    unsigned level;
    for (uint32_t slot = dimension->nleaves; item->nkeys == 1 && slot < dimension->nslots; slot++) {
        const struct synthetic *synthetic = &dimension->synthetics[slot - dimension->nleaves];
        bool is_it = vc_str_is(item->keys[0], synthetic->key);
        for (unsigned b = 0; b < dimension->nbuckets; b++)
            is_it |= dimension->bucket_sources[b] == synthetic->source &&
                     vc_str_is(item->keys[0], dimension->bucket_keys[b]);
        out[slot] |= is_it;
        is_found |= is_it;
    }
    if (is_found) return NULL;
    if (item->nkeys == 1 && target >= 0) {
        for (uint32_t i = 0; i < dimension->nleaves; i++) {
            const char *value = world_index_value(dimension->stored, &dimension->stored->leaves[i],
                                                  (unsigned)target);
            if (target >= INDEX_LEVEL ? !is_key(value, item->keys[0])
                                      : value == NULL || !vc_str_is(item->keys[0], value))
                continue;
            out[i] = is_found = true;
        }
        return is_found ? NULL : "unknown_member";
    }
    const char *error = NULL;
    if (item->nkeys == 0)
        memset(scratch, true, dimension->nleaves);
    else if (item->nkeys == 1)
        error = find_single(dimension, item->keys[0], scratch, &level);
    else if (find_path(dimension, item->keys, item->nkeys, 0, scratch) == 0)
        error = "unknown_member";
    for (uint32_t i = 0; error == NULL && i < dimension->nleaves; i++)
        out[i] |= scratch[i];
    return error;
}

static const char *mark_item(const struct asking *in, const struct dimension *dimension, int target,
                             const vc_item *item, bool *out)
{
    bool *scratch = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
    switch (item->kind) {
    case VC_ITEM_ALL: memset(out, true, dimension->nslots); return NULL;
    case VC_ITEM_RANGE: return mark_range(dimension, target, item, scratch, out);
    case VC_ITEM_PATH:
    case VC_ITEM_CHILDREN:
    case VC_ITEM_DESCENDANTS: return mark_path(dimension, target, item, scratch, out);
    default: break;
    }
    for (uint32_t i = 0; i < dimension->nleaves; i++) {
        const char *value = world_index_value(dimension->stored, &dimension->stored->leaves[i],
                                              target < 0 ? INDEX_LEVEL : (unsigned)target);
        if (item->kind == VC_ITEM_NULL || item->kind == VC_ITEM_NOT_NULL)
            out[i] |= (value == NULL) == (item->kind == VC_ITEM_NULL);
        else
            out[i] |= text_fits(value, item->keys[0], item->kind);
    }
    return NULL;
}

static const char *evaluate(const struct asking *in, const struct dimension *dimension,
                            const vc_condition *condition, bool *out, bool *restricts)
{
    const char *error = NULL;
    *restricts = true;
    if (condition->kind == VC_CONDITION_ITEMS) {
        int target = find_target(dimension->stored, condition->dimref.level);
        for (size_t i = 0; i < condition->nitems && error == NULL; i++) {
            error = mark_item(in, dimension, target, &condition->items[i], out);
            *restricts &= condition->items[i].kind != VC_ITEM_ALL;
        }
        return error;
    }
    bool is_and = condition->kind == VC_CONDITION_AND, is_not = condition->kind == VC_CONDITION_NOT;
    if (is_and) {
        *restricts = false;
        memset(out, true, dimension->nslots);
    }
    for (size_t c = 0; c < condition->nchildren && error == NULL; c++) {
        bool *child = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1), child_restricts;
        error = evaluate(in, dimension, condition->children[c], child, &child_restricts);
        for (uint32_t slot = 0; slot < dimension->nslots; slot++)
            out[slot] = is_not   ? slot < dimension->nleaves && !child[slot]
                        : is_and ? out[slot] && child[slot]
                                 : out[slot] || child[slot];
        if (!is_not)
            *restricts = is_and ? *restricts || child_restricts : *restricts && child_restricts;
    }
    return error;
}

static unsigned find_dimension(const struct oracle *oracle, vc_str name)
{
    unsigned d = 0;
    while (!vc_str_is(name, oracle->dimensions[d].name))
        d++;
    return d;
}

static const char *select_all(struct asking *in)
{
    struct oracle *oracle = in->oracle;
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        const struct dimension *dimension = &oracle->dimensions[d];
        in->selected[d] = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
        memcpy(in->selected[d], dimension->visible, dimension->nslots);
    }
    for (size_t i = 0; i < in->query->nconditions; i++) {
        const vc_condition *condition = in->query->conditions[i];
        unsigned d = find_dimension(oracle, condition->dimref.dimension);
        const struct dimension *dimension = &oracle->dimensions[d];
        bool *out = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1), restricts;
        const char *error = evaluate(in, dimension, condition, out, &restricts);
        if (error != NULL) return error;
        for (uint32_t slot = 0; slot < dimension->nslots && restricts; slot++)
            in->selected[d][slot] &= out[slot];
        in->is_cut[d] |= restricts;
    }
    return NULL;
}

/* ---- axes ---- */

static void group_axis(struct asking *in, unsigned a)
{
    const vc_dimref *ref = &in->query->axes[a].dimref;
    unsigned d = in->axes[a] = find_dimension(in->oracle, ref->dimension);
    const struct dimension *dimension = &in->oracle->dimensions[d];
    int target = find_target(dimension->stored, ref->level);
    unsigned level = in->levels[a] = target < 0 ? 0 : (unsigned)target - INDEX_LEVEL;
    in->groups[a] = VC_ARENA_NEW(in->arena, uint32_t, dimension->nslots + 1);
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        in->groups[a][i] = dimension->member_of[level][i];
    uint32_t nmembers = dimension->members[level];
    in->ngroups[a] = nmembers;
    for (uint32_t slot = dimension->nleaves; slot < dimension->nslots; slot++) {
        const struct synthetic *synthetic = &dimension->synthetics[slot - dimension->nleaves];
        unsigned b = 0;
        while (dimension->bucket_sources[b] != synthetic->source)
            b++;
        bool each =
            dimension->bucket_has_members[b] && (dimension->stored->nlevels == 1 || level > 0);
        const char *key = each ? synthetic->key : dimension->bucket_keys[b];
        bool is_new =
            each || slot == dimension->nleaves ||
            dimension->synthetics[slot - 1 - dimension->nleaves].source != synthetic->source;
        if (is_new) in->synthetic_keys[a][in->ngroups[a]++ - nmembers] = key;
        in->groups[a][slot] = in->ngroups[a] - 1;
    }
}

unsigned oracle_group_keys(const struct oracle *oracle, const vc_query *query, unsigned axis,
                           uint32_t group, vc_str *keys_out, bool *is_synthetic_out)
{
    struct asking in = {.oracle = (struct oracle *)oracle, .query = query};
    vc_arena arena = {0};
    in.arena = &arena;
    group_axis(&in, axis);
    const struct dimension *dimension = &oracle->dimensions[in.axes[axis]];
    unsigned level = in.levels[axis];
    *is_synthetic_out = group >= dimension->members[level];
    memset(keys_out, 0, (level + 1) * sizeof *keys_out);
    if (*is_synthetic_out)
        keys_out[level] = vc_str_of(in.synthetic_keys[axis][group - dimension->members[level]]);
    else
        for (uint32_t i = 0; i < dimension->nleaves; i++)
            for (unsigned l = 0; dimension->member_of[level][i] == group && l <= level; l++)
                keys_out[l] = vc_str_of(dimension->stored->leaves[i].keys[l]);
    vc_arena_release(&arena);
    return level + 1;
}

static int axis_of(const struct asking *in, unsigned d)
{
    for (unsigned a = 0; a < in->naxes; a++)
        if (in->axes[a] == d && in->kept >> a & 1) return (int)a;
    return -1;
}

/* ---- what of a source lies in a group ---- */

/* `slots`: those of the group that are selected. Fills allowed, and returns why there can be
 * nothing, or 0. */
static char reach(const struct asking *in, unsigned s, unsigned d, const bool *slots, bool *allowed)
{
    const struct dimension *dimension = &in->oracle->dimensions[d];
    const struct place *place = &in->oracle->sources[s].places[d];
    uint32_t n = place->nq;
    bool has_real = false, has_synthetic = false, is_mapped = false, is_coarse = false;
    for (uint32_t slot = 0; slot < dimension->nslots; slot++)
        *(slot < dimension->nleaves ? &has_real : &has_synthetic) |= slots[slot];
    if (!place->is_relation) {
        /* The total of a dimension that has no leaves at all is only empty. */
        bool has_place = in->is_cut[d] || axis_of(in, d) >= 0 || dimension->nleaves > 0;
        memcpy(allowed, slots, n);
        return !has_real && has_synthetic && has_place ? 'u' : 0;
    }
    bool *is_split = VC_ARENA_NEW(in->arena, bool, place->nunits + 1);
    for (uint32_t p = 0; p < dimension->nleaves; p++) /* a leaf that is hidden splits nothing */
        if (dimension->visible[p] && !slots[p]) is_split[place->units[p]] = true;
    int axis = axis_of(in, d);
    if (axis >= 0 && in->levels[axis] > place->level) /* rows below the units, however many */
        memset(is_split, true, place->nunits * sizeof *is_split);
    for (uint32_t q = 0; q < n; q++) {
        for (uint32_t p = 0; p < dimension->nleaves; p++) {
            if (!place->related[p * n + q] || !slots[p]) continue;
            is_mapped = true;
            if (is_split[place->units[p]])
                is_coarse = true;
            else
                allowed[q] = true;
        }
        if (place->unmatched != NULL && place->unmatched[q] != NOWHERE &&
            slots[place->unmatched[q]])
            allowed[q] = is_mapped = true;
    }
    return !is_mapped ? 'u' : is_coarse ? 'g' : 0;
}

static void prepare(struct asking *in, uint32_t kept)
{
    struct oracle *oracle = in->oracle;
    in->kept = kept;
    for (unsigned s = 0; s < oracle->nsources; s++)
        for (unsigned d = 0; d < oracle->ndimensions; d++) {
            const struct place *place = &oracle->sources[s].places[d];
            if (!place->is_there) continue;
            size_t n = place->nq;
            int axis = axis_of(in, d);
            uint32_t ngroups = axis < 0 ? 1 : in->ngroups[axis];
            in->allowed[s][d] = VC_ARENA_NEW(in->arena, bool *, ngroups + 1);
            in->reasons[s][d] = VC_ARENA_NEW(in->arena, char, ngroups + 1);
            for (uint32_t g = 0; g < ngroups; g++) {
                uint32_t nslots = oracle->dimensions[d].nslots;
                bool *slots = VC_ARENA_NEW(in->arena, bool, nslots + 1);
                for (uint32_t slot = 0; slot < nslots; slot++)
                    slots[slot] =
                        in->selected[d][slot] && (axis < 0 || in->groups[axis][slot] == g);
                in->allowed[s][d][g] = VC_ARENA_NEW(in->arena, bool, n + 1);
                in->reasons[s][d][g] = reach(in, s, d, slots, in->allowed[s][d][g]);
            }
        }
}

/* ---- cells ---- */

static bool is_under_fix(const struct world_cube *cube, const struct world_fix *fix,
                         const uint32_t *leaves)
{
    const struct world_dimension *dimension = cube->dimensions[fix->dimension];
    for (unsigned l = 0; l < fix->depth; l++) {
        const char *a = dimension->leaves[fix->leaf].keys[l];
        const char *b = dimension->leaves[leaves[fix->dimension]].keys[l];
        if (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0) return false;
    }
    return true;
}

/* The group of each dimension in a row; 0 where it is rolled up. */
static uint32_t group_in(const struct asking *in, const uint32_t *groups, unsigned d)
{
    int axis = axis_of(in, d);
    return axis < 0 ? 0 : groups[axis];
}

static bool is_where(const struct world_cube *cube, const struct world_measure *stored,
                     const uint32_t *leaves)
{
    const struct world_dimension *dimension = cube->dimensions[stored->where_dimension];
    const char *key = dimension->leaves[leaves[stored->where_dimension]].keys[0];
    return (key != NULL && strcmp(key, stored->where_key) == 0) != stored->is_negated;
}

/* May a fact on these leaves count, as far as dimension `only` is concerned, or all (-1)? */
static bool lies_in(const struct asking *in, const struct measure *measure, const uint32_t *groups,
                    const uint32_t *leaves, int only)
{
    const struct source *source = &in->oracle->sources[measure->source];
    for (unsigned d = 0; d < in->oracle->ndimensions; d++) {
        const struct place *place = &source->places[d];
        if (!place->is_there || (only >= 0 && place->of != (unsigned)only)) continue;
        uint32_t q = place->ncomponents == 1 ? leaves[place->of] : find_q(place, leaves);
        if (!in->allowed[measure->source][d][group_in(in, groups, d)][q]) return false;
    }
    const struct world_fix *own = &measure->fix;
    if (own->is_there && (only < 0 || own->dimension == (unsigned)only) &&
        !is_under_fix(source->cube, own, leaves))
        return false;
    const struct world_measure *stored = measure->stored;
    if (stored->has_where && (only < 0 || stored->where_dimension == (unsigned)only) &&
        !is_where(source->cube, stored, leaves))
        return false;
    if (source->definition == NULL) return true;
    const struct world_fix *fix = &source->definition->fix;
    bool is_replaced = own->is_there && own->dimension == fix->dimension;
    return !fix->is_there || is_replaced || (only >= 0 && fix->dimension != (unsigned)only) ||
           is_under_fix(source->cube, fix, leaves);
}

/* How the leaves of the dimension along which a measure is semi-additive follow each other. */
static struct dimension over_order(const struct asking *in, const struct measure *measure)
{
    const struct world_dimension *dimension =
        in->oracle->sources[measure->source].cube->dimensions[measure->stored->over_dimension];
    struct dimension order = {.stored = dimension, .nleaves = (uint32_t)dimension->nleaves};
    for (unsigned l = 0; l < dimension->nlevels; l++) {
        order.is_number[l] = true;
        for (size_t i = 0; i < dimension->nleaves; i++)
            if (dimension->leaves[i].keys[l] != NULL &&
                !is_number_text(dimension->leaves[i].keys[l]))
                order.is_number[l] = false;
    }
    return order;
}

/* The leaf that counts of a semi-additive measure: the last or first of those in the cell. */
static uint32_t choose_over(const struct asking *in, const struct measure *measure,
                            const uint32_t *groups)
{
    const struct world_measure *stored = measure->stored;
    struct dimension order = over_order(in, measure);
    uint32_t best = NOWHERE, leaves[WORLD_DIMENSIONS] = {0};
    for (uint32_t leaf = 0; leaf < order.nleaves; leaf++) {
        leaves[stored->over_dimension] = leaf;
        if (!lies_in(in, measure, groups, leaves, (int)stored->over_dimension)) continue;
        int later = best == NOWHERE ? 0 : compare_paths(&order, order.stored->nlevels, leaf, best);
        if (best == NOWHERE || (stored->over == VC_OVER_LAST ? later > 0 : later < 0)) best = leaf;
    }
    return best;
}

struct tally {
    size_t nfacts, nvalues;
    int64_t sum, least, most; /* in units of the column */
    uint32_t *ids;
    size_t nids;
    long double *values, *weights; /* [nvalues] of what is no sum or extreme */
    bool is_resolved;              /* `value` is all there is to say */
    long double value;
};

static const long double units[] = {1, 100, 4, 1};

/* The value of a fact in units of the measure's column. False: it is null. */
static bool value_of(const struct world_measure *stored, const struct world_fact *fact,
                     int64_t *value_out)
{
    int64_t factor = stored->is_product ? fact->values[COLUMN_INT] : 1;
    *value_out = stored->column < 0 ? 1 : fact->values[stored->column] * factor;
    if (stored->column < 0) return true;
    if (stored->is_product && (fact->nulls >> COLUMN_INT & 1)) return false;
    return !(fact->nulls >> stored->column & 1);
}

static void keep_value(const struct asking *in, struct tally *tally, long double value,
                       long double weight)
{
    size_t n = tally->nvalues;
    if (n == 0 || (n >= 64 && (n & (n - 1)) == 0)) { /* as many again */
        size_t room = n < 64 ? 64 : 2 * n;
        long double *values = VC_ARENA_NEW(in->arena, long double, 2 * room);
        if (n > 0) {
            memcpy(values, tally->values, n * sizeof *values);
            memcpy(values + room, tally->weights, n * sizeof *values);
        }
        tally->values = values;
        tally->weights = values + room;
    }
    tally->values[n] = value;
    tally->weights[n] = weight;
}

static void add_id(const struct asking *in, struct tally *tally, uint32_t id)
{
    for (size_t i = 0; i < tally->nids; i++)
        if (tally->ids[i] == id) return;
    if (tally->nids % 64 == 0) {
        uint32_t *ids = VC_ARENA_NEW(in->arena, uint32_t, tally->nids + 64);
        if (tally->nids > 0) memcpy(ids, tally->ids, tally->nids * sizeof *ids);
        tally->ids = ids;
    }
    tally->ids[tally->nids++] = id;
}

static void add_fact(const struct asking *in, const struct world_measure *stored,
                     const struct world_fact *fact, struct tally *tally)
{
    tally->nfacts++;
    if (stored->distinct_dimension >= 0) {
        tally->nvalues++;
        add_id(in, tally, fact->leaves[stored->distinct_dimension]);
        return;
    }
    int64_t value;
    if (!value_of(stored, fact, &value)) return;
    if (stored->weight_column >= 0 && (fact->nulls >> stored->weight_column & 1)) return;
    if (stored->aggregator > VC_AGG_COUNT_DISTINCT) {
        long double weight = 1;
        if (stored->weight_column >= 0)
            weight =
                (long double)fact->values[stored->weight_column] / units[stored->weight_column];
        keep_value(in, tally, (long double)value / units[stored->column], weight);
    }
    if (stored->aggregator == VC_AGG_COUNT_DISTINCT) {
        add_id(in, tally, (uint32_t)value);
    } else {
        tally->sum += value;
        if (tally->nvalues == 0 || value < tally->least) tally->least = value;
        if (tally->nvalues == 0 || value > tally->most) tally->most = value;
    }
    tally->nvalues++;
}

static int compare_doubles(const void *a, const void *b)
{
    long double x = *(const long double *)a, y = *(const long double *)b;
    return (x > y) - (x < y);
}

static struct oracle_cell read_quantile(const struct world_measure *stored,
                                        const struct tally *tally)
{
    size_t n = tally->nvalues;
    double place = stored->quantile * (double)(n - 1);
    size_t below = (size_t)place;
    qsort(tally->values, n, sizeof *tally->values, compare_doubles);
    long double low = tally->values[below], high = below + 1 < n ? tally->values[below + 1] : low;
    return (struct oracle_cell){.value = low + (high - low) * ((long double)place - below)};
}

/* Averages by weights, and variances by going through the values twice. */
static struct oracle_cell read_values(const struct world_measure *stored, const struct tally *tally)
{
    struct oracle_cell undefined = {.is_null = true, .reason = 'd'};
    long double sum = 0, weights = 0, squares = 0, n = (long double)tally->nvalues;
    for (size_t i = 0; i < tally->nvalues; i++) {
        sum += tally->values[i] * tally->weights[i];
        weights += tally->weights[i];
    }
    if (weights == 0) return undefined;
    if (stored->aggregator == VC_AGG_WEIGHTED_AVG)
        return (struct oracle_cell){.value = sum / weights};
    for (size_t i = 0; i < tally->nvalues; i++)
        squares += (tally->values[i] - sum / n) * (tally->values[i] - sum / n);
    bool is_pop =
        stored->aggregator == VC_AGG_STDDEV_POP || stored->aggregator == VC_AGG_VARIANCE_POP;
    if (n == 1 && !is_pop) return undefined;
    squares /= is_pop ? n : n - 1;
    bool is_stddev = stored->aggregator == VC_AGG_STDDEV || stored->aggregator == VC_AGG_STDDEV_POP;
    return (struct oracle_cell){.value = is_stddev ? sqrtl(squares) : squares};
}

static struct oracle_cell read_tally(const struct world_measure *stored, const struct tally *tally)
{
    bool is_count = stored->aggregator == VC_AGG_COUNT, is_null = false;
    if (stored->aggregator == VC_AGG_COUNT_DISTINCT)
        return (struct oracle_cell){.value = (long double)tally->nids};
    if (is_count) return (struct oracle_cell){.value = (long double)tally->nvalues};
    is_null = tally->nvalues == 0;
    if (is_null)
        return (struct oracle_cell){.is_null = true, .reason = tally->nfacts > 0 ? 'n' : 'e'};
    if (tally->is_resolved) return (struct oracle_cell){.value = tally->value};
    long double unit = units[stored->column];
    switch (stored->aggregator) {
    case VC_AGG_SUM: return (struct oracle_cell){.value = (long double)tally->sum / unit};
    case VC_AGG_MIN: return (struct oracle_cell){.value = (long double)tally->least / unit};
    case VC_AGG_MAX: return (struct oracle_cell){.value = (long double)tally->most / unit};
    case VC_AGG_AVG: break;
    case VC_AGG_MEDIAN:
    case VC_AGG_QUANTILE: return read_quantile(stored, tally);
    default: return read_values(stored, tally);
    }
    long double mean = (long double)tally->sum / (unit * (long double)tally->nvalues);
    return (struct oracle_cell){.value = (double)mean};
}

/* ---- along one dimension, per combination of the others ---- */

static struct { /* for qsort */
    unsigned ndimensions, over;
} sorting;

/* By the combination of the other leaves, then by the leaf along the dimension. */
static int compare_facts(const void *a, const void *b)
{
    const struct world_fact *x = *(const struct world_fact *const *)a;
    const struct world_fact *y = *(const struct world_fact *const *)b;
    for (unsigned d = 0; d < sorting.ndimensions; d++)
        if (d != sorting.over && x->leaves[d] != y->leaves[d])
            return x->leaves[d] < y->leaves[d] ? -1 : 1;
    uint32_t i = x->leaves[sorting.over], j = y->leaves[sorting.over];
    return (i > j) - (i < j);
}

static bool is_same_but_over(const struct world_fact *a, const struct world_fact *b)
{
    for (unsigned d = 0; d < sorting.ndimensions; d++)
        if (d != sorting.over && a->leaves[d] != b->leaves[d]) return false;
    return true;
}

/* The facts of one combination, first to end. */
static void resolve_combination(const struct asking *in, const struct measure *measure,
                                const struct world_fact *const *facts, size_t first, size_t end,
                                struct tally *tally)
{
    const struct world_measure *stored = measure->stored;
    struct dimension order = over_order(in, measure);
    unsigned over = stored->over_dimension;
    bool wants_last = stored->over == VC_OVER_LAST_NONEMPTY;
    long double total = 0, extreme = 0;
    size_t npoints = 0, point_end;
    uint32_t best = NOWHERE;
    for (size_t i = first; i < end; i = point_end) {
        uint32_t leaf = facts[i]->leaves[over];
        long double sum = 0;
        bool has_value = false;
        for (point_end = i; point_end < end && facts[point_end]->leaves[over] == leaf;
             point_end++) {
            int64_t value;
            if (!value_of(stored, facts[point_end], &value)) continue;
            has_value = true;
            sum += value;
        }
        if (!has_value) continue;
        total += sum;
        if (npoints++ == 0 || (stored->over == VC_OVER_MAX ? sum > extreme : sum < extreme))
            extreme = sum;
        if (best == NOWHERE ||
            (compare_paths(&order, order.stored->nlevels, leaf, best) > 0) == wants_last)
            best = leaf;
    }
    if (npoints == 0) return;
    if (wants_last || stored->over == VC_OVER_FIRST_NONEMPTY) {
        for (size_t i = first; i < end; i++)
            if (facts[i]->leaves[over] == best) add_fact(in, stored, facts[i], tally);
        return;
    }
    tally->is_resolved = true;
    tally->nvalues++;
    tally->value += (stored->over == VC_OVER_AVG ? total / (long double)npoints : extreme) /
                    units[stored->column];
}

static struct tally resolve_over(const struct asking *in, const struct measure *measure,
                                 const uint32_t *groups)
{
    const struct world_cube *cube = in->oracle->sources[measure->source].cube;
    const struct world_fact **facts =
        VC_ARENA_NEW(in->arena, const struct world_fact *, cube->nfacts + 1);
    struct tally tally = {0};
    size_t nfacts = 0, end;
    for (size_t i = 0; i < cube->nfacts; i++)
        if (lies_in(in, measure, groups, cube->facts[i].leaves, -1))
            facts[nfacts++] = &cube->facts[i];
    sorting.ndimensions = cube->ndimensions;
    sorting.over = measure->stored->over_dimension;
    qsort(facts, nfacts, sizeof *facts, compare_facts);
    for (size_t first = 0; first < nfacts; first = end) {
        for (end = first + 1; end < nfacts && is_same_but_over(facts[first], facts[end]);)
            end++;
        resolve_combination(in, measure, facts, first, end, &tally);
    }
    tally.nfacts = nfacts;
    return tally;
}

/* The word of the policy over a dimension that the measure's source does not have. */
static vc_unrelated policy_of(const struct oracle *oracle, const struct measure *measure,
                              unsigned d)
{
    const struct dimension *dimension = &oracle->dimensions[d];
    if (measure->unrelated != VC_UNRELATED_DEFAULT) return measure->unrelated;
    vc_unrelated others = oracle->sources[dimension->owner].definition->others[dimension->owned];
    return others == VC_UNRELATED_DEFAULT ? VC_UNRELATED_NULL : others;
}

static bool is_asked(const struct asking *in, unsigned d)
{
    return in->is_cut[d] || axis_of(in, d) >= 0;
}

static struct oracle_cell base_cell(const struct asking *in, const struct measure *measure,
                                    const uint32_t *groups, bool *has_facts)
{
    const struct oracle *oracle = in->oracle;
    const struct source *source = &oracle->sources[measure->source];
    bool is_repeated = false;
    char reason = 0;
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        if (source->places[d].is_there || !is_asked(in, d)) continue;
        if (policy_of(oracle, measure, d) != VC_UNRELATED_REPEAT)
            return (struct oracle_cell){.is_null = true, .reason = 'x'};
        is_repeated = true;
    }
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        if (!source->places[d].is_there) continue;
        char mine = in->reasons[measure->source][d][group_in(in, groups, d)];
        if (mine != 0 && reason != 'u') reason = mine;
    }
    if (reason != 0) return (struct oracle_cell){.is_null = true, .reason = reason};
    struct tally tally = {0};
    uint32_t over = NOWHERE;
    bool is_cut = measure->stored->over == VC_OVER_LAST || measure->stored->over == VC_OVER_FIRST;
    bool is_resolved = measure->stored->over != VC_OVER_NONE && !is_cut;
    if (is_cut) over = choose_over(in, measure, groups);
    if (is_resolved) tally = resolve_over(in, measure, groups);
    for (size_t i = 0; i < source->cube->nfacts && !is_resolved; i++) {
        const struct world_fact *fact = &source->cube->facts[i];
        if (is_cut && fact->leaves[measure->stored->over_dimension] != over) continue;
        if (lies_in(in, measure, groups, fact->leaves, -1))
            add_fact(in, measure->stored, fact, &tally);
    }
    *has_facts |= tally.nfacts > 0;
    struct oracle_cell cell = read_tally(measure->stored, &tally);
    if (!cell.is_null && is_repeated) cell.reason = 'r';
    return cell;
}

static struct oracle_cell calculate(enum world_formula formula, const struct oracle_cell *a,
                                    const struct oracle_cell *b)
{
    struct oracle_cell zero = {0};
    if (formula == FORMULA_COALESCE) return !a->is_null ? *a : !b->is_null ? *b : *a;
    if (formula == FORMULA_ZN && a->is_null) a = &zero;
    if (a->is_null) return *a;
    if (b->is_null) return *b;
    struct oracle_cell cell = {.reason = a->reason != 0 ? a->reason : b->reason};
    double x = (double)a->value, y = (double)b->value; /* as expressions count */
    if (formula == FORMULA_SUM) cell.value = x + y;
    if (formula == FORMULA_ZN) cell.value = x - y;
    if (formula != FORMULA_RATIO) return cell;
    if (y == 0) return (struct oracle_cell){.is_null = true, .reason = 'd'};
    cell.value = x / y;
    return cell;
}

static void fill_cell(const struct asking *in, unsigned m, const uint32_t *groups,
                      struct oracle_cell *cells, bool *is_done, bool *has_facts)
{
    const struct measure *measure = &in->oracle->measures[m];
    if (is_done[m]) return;
    is_done[m] = true;
    if (measure->formula == FORMULA_NONE) {
        cells[m] = base_cell(in, measure, groups, has_facts);
        return;
    }
    fill_cell(in, measure->a, groups, cells, is_done, has_facts);
    fill_cell(in, measure->b, groups, cells, is_done, has_facts);
    cells[m] = calculate(measure->formula, &cells[measure->a], &cells[measure->b]);
}

static bool is_count(const struct measure *measure)
{
    return measure->formula == FORMULA_NONE &&
           (measure->stored->aggregator == VC_AGG_COUNT ||
            measure->stored->aggregator == VC_AGG_COUNT_DISTINCT);
}

/* ---- rows ---- */

struct rows {
    struct oracle_row *items;
    size_t count, capacity;
};

static bool row_has_value(const struct asking *in, const struct oracle_cell *cells)
{
    for (unsigned i = 0; i < in->nasked; i++) {
        const struct oracle_cell *cell = &cells[in->asked[i]];
        if (!cell->is_null && !(is_count(&in->oracle->measures[in->asked[i]]) && cell->value == 0))
            return true;
    }
    return false;
}

static void add_row(const struct asking *in, struct rows *rows, const uint32_t *groups,
                    bool is_sparse)
{
    bool is_done[MEASURES] = {false}, has_facts = false;
    struct oracle_cell *cells = VC_ARENA_NEW(in->arena, struct oracle_cell, MEASURES);
    for (unsigned m = 0; m < in->oracle->nmeasures; m++)
        if (in->is_wanted[m]) fill_cell(in, m, groups, cells, is_done, &has_facts);
    if (is_sparse && !(has_facts && row_has_value(in, cells))) return;
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity * 2 + 16;
        struct oracle_row *items = VC_ARENA_NEW(in->arena, struct oracle_row, rows->capacity);
        if (rows->count > 0) memcpy(items, rows->items, rows->count * sizeof *items);
        rows->items = items;
    }
    struct oracle_row *row = &rows->items[rows->count++];
    row->cells = cells;
    for (unsigned a = 0; a < in->naxes; a++) {
        row->groups[a] = in->kept >> a & 1 ? groups[a] : NOWHERE;
        row->grouping = row->grouping << 1 | !(in->kept >> a & 1);
    }
}

/* All combinations of groups with a selected slot, the first axis slowest. */
static void combine(const struct asking *in, struct rows *rows, uint32_t *groups, unsigned axis,
                    bool is_sparse)
{
    if (axis == in->naxes) {
        add_row(in, rows, groups, is_sparse);
        return;
    }
    if (!(in->kept >> axis & 1)) {
        combine(in, rows, groups, axis + 1, is_sparse);
        return;
    }
    unsigned d = in->axes[axis];
    for (uint32_t g = 0; g < in->ngroups[axis]; g++) {
        bool is_visible = false;
        for (uint32_t slot = 0; slot < in->oracle->dimensions[d].nslots; slot++)
            is_visible |= in->groups[axis][slot] == g && in->selected[d][slot];
        groups[axis] = g;
        if (is_visible) combine(in, rows, groups, axis + 1, is_sparse);
    }
}

static struct rows make_rows(struct asking *in, uint32_t kept, bool is_sparse)
{
    struct rows rows = {0};
    uint32_t groups[ORACLE_AXES] = {0};
    prepare(in, kept);
    combine(in, &rows, groups, 0, is_sparse && kept != 0);
    return rows;
}

/* ---- having, order, limit ---- */

static unsigned find_measure(const struct oracle *oracle, vc_str name)
{
    unsigned m = 0;
    while (!vc_str_is(name, oracle->measures[m].name))
        m++;
    return m;
}

static bool passes(const struct oracle_cell *cell, const vc_having *having)
{
    bool is_any = false;
    if (having->op == VC_OP_SET || having->op == VC_OP_NOT_SET)
        return cell->is_null == (having->op == VC_OP_NOT_SET);
    if (cell->is_null) return false;
    for (size_t i = 0; i < having->nvalues; i++) {
        long double value = having->values[i];
        is_any |= having->op == VC_OP_GT   ? cell->value > value
                  : having->op == VC_OP_GE ? cell->value >= value
                  : having->op == VC_OP_LT ? cell->value < value
                  : having->op == VC_OP_LE ? cell->value <= value
                                           : cell->value == value;
    }
    return having->op == VC_OP_NE ? !is_any : is_any;
}

/* Descending by members: nulls and buckets are last all the same. */
static int compare_descending(const struct asking *in, unsigned axis, uint32_t x, uint32_t y)
{
    vc_str mine[WORLD_LEVELS], others[WORLD_LEVELS];
    bool is_synthetic_x, is_synthetic_y;
    unsigned nkeys = oracle_group_keys(in->oracle, in->query, axis, x, mine, &is_synthetic_x);
    oracle_group_keys(in->oracle, in->query, axis, y, others, &is_synthetic_y);
    if (is_synthetic_x || is_synthetic_y) return (x > y) - (x < y);
    for (unsigned i = 0; i < nkeys; i++)
        if ((mine[i].data == NULL) != (others[i].data == NULL))
            return mine[i].data == NULL ? 1 : -1;
        else if (mine[i].data != NULL && !vc_str_equal(mine[i], others[i]))
            break;
    return (x < y) - (x > y);
}

static int compare_rows(const struct asking *in, const struct oracle_row *x,
                        const struct oracle_row *y)
{
    for (size_t i = 0; i < in->query->norders; i++) {
        const vc_order *order = &in->query->orders[i];
        unsigned axis = 0;
        int compared;
        while (axis < in->naxes &&
               !vc_str_equal(in->query->axes[axis].dimref.dimension, order->name))
            axis++;
        if (axis < in->naxes) {
            compared = (x->groups[axis] > y->groups[axis]) - (x->groups[axis] < y->groups[axis]);
            if (order->is_descending)
                compared = compare_descending(in, axis, x->groups[axis], y->groups[axis]);
        } else {
            unsigned m = find_measure(in->oracle, order->name);
            const struct oracle_cell *a = &x->cells[m], *b = &y->cells[m];
            if (a->is_null || b->is_null)
                compared = (int)a->is_null - (int)b->is_null;
            else
                compared = ((a->value > b->value) - (a->value < b->value)) *
                           (order->is_descending ? -1 : 1);
        }
        if (compared != 0) return compared;
    }
    return 0;
}

/* nonempty: a member stays when some row of it has a value. */
static void drop_empty(const struct asking *in, struct rows *rows)
{
    for (size_t n = 0; n < in->query->nnonempty; n++) {
        unsigned axis = 0;
        size_t kept = 0;
        while (!vc_str_equal(in->query->axes[axis].dimref.dimension, in->query->nonempty[n].name))
            axis++;
        bool *has_value = VC_ARENA_NEW(in->arena, bool, in->ngroups[axis] + 1);
        for (size_t i = 0; i < rows->count; i++)
            has_value[rows->items[i].groups[axis]] |= row_has_value(in, rows->items[i].cells);
        for (size_t i = 0; i < rows->count; i++)
            if (has_value[rows->items[i].groups[axis]]) rows->items[kept++] = rows->items[i];
        rows->count = kept;
    }
}

/* Do two rows agree on the first n axes? */
static bool same_groups(const struct oracle_row *x, const struct oracle_row *y, unsigned n)
{
    return memcmp(x->groups, y->groups, n * sizeof x->groups[0]) == 0;
}

/* How many candidates of the same combination are better than this one? */
static size_t count_better(const vc_top *top, unsigned axis, unsigned measure,
                           const struct oracle_row *candidates, size_t count, size_t at)
{
    const struct oracle_cell *mine = &candidates[at].cells[measure];
    size_t nbetter = 0;
    for (size_t i = 0; i < count; i++) {
        const struct oracle_cell *other = &candidates[i].cells[measure];
        if (i == at || !same_groups(&candidates[i], &candidates[at], axis)) continue;
        int order = (int)other->is_null - (int)mine->is_null;
        if (order == 0 && !mine->is_null)
            order = ((other->value > mine->value) - (other->value < mine->value)) *
                    (top->is_ascending ? 1 : -1);
        nbetter += order < 0 || (order == 0 && i < at);
    }
    return nbetter;
}

/* The n best members of an axis per combination of those before it, among those with a row left. */
static void apply_top(struct asking *in, const vc_top *top, struct rows *rows)
{
    unsigned axis = 0, measure = find_measure(in->oracle, top->measure);
    size_t kept = 0, ncandidates = 0;
    while (!vc_str_equal(in->query->axes[axis].dimref.dimension, top->dimension))
        axis++;
    struct rows grain = make_rows(in, (2u << axis) - 1, false);
    for (size_t i = 0; i < grain.count; i++) {
        bool is_in = false;
        for (size_t r = 0; r < rows->count; r++)
            is_in |= same_groups(&grain.items[i], &rows->items[r], axis + 1);
        if (is_in) grain.items[ncandidates++] = grain.items[i];
    }
    for (size_t r = 0; r < rows->count; r++)
        for (size_t i = 0; i < ncandidates; i++)
            if (same_groups(&grain.items[i], &rows->items[r], axis + 1) &&
                count_better(top, axis, measure, grain.items, ncandidates, i) < top->count)
                rows->items[kept++] = rows->items[r];
    rows->count = kept;
}

static void shape(struct asking *in, struct rows *rows)
{
    const vc_query *query = in->query;
    size_t kept = 0;
    drop_empty(in, rows);
    for (size_t i = 0; i < rows->count; i++) {
        bool is_good = true;
        for (size_t h = 0; h < query->nhavings; h++)
            is_good &=
                passes(&rows->items[i].cells[find_measure(in->oracle, query->havings[h].measure)],
                       &query->havings[h]);
        if (is_good) rows->items[kept++] = rows->items[i];
    }
    rows->count = kept;
    for (size_t t = 0; t < query->ntops; t++)
        apply_top(in, &query->tops[t], rows);
    for (size_t i = 1; i < rows->count; i++) /* stable: ties stay in member order */
        for (size_t j = i; j > 0 && compare_rows(in, &rows->items[j], &rows->items[j - 1]) < 0;
             j--) {
            struct oracle_row swap = rows->items[j];
            rows->items[j] = rows->items[j - 1];
            rows->items[j - 1] = swap;
        }
}

/* ---- the whole ---- */

static void want(struct asking *in, unsigned m)
{
    if (in->is_wanted[m]) return;
    in->is_wanted[m] = true;
    if (in->oracle->measures[m].formula == FORMULA_NONE) return;
    want(in, in->oracle->measures[m].a);
    want(in, in->oracle->measures[m].b);
}

/* Two drilled dimensions that are mapped onto the one along which a measure is semi-additive. */
static bool is_over_twice(const struct asking *in, const struct measure *measure)
{
    unsigned naxes = 0;
    if (measure->stored->over != VC_OVER_LAST && measure->stored->over != VC_OVER_FIRST)
        return false;
    for (unsigned d = 0; d < in->oracle->ndimensions; d++) {
        const struct place *place = &in->oracle->sources[measure->source].places[d];
        naxes +=
            place->is_there && place->of == measure->stored->over_dimension && axis_of(in, d) >= 0;
    }
    return naxes > 1;
}

static const char *plan_measures(struct asking *in)
{
    const vc_query *query = in->query;
    for (size_t i = 0; i < query->nmeasures; i++)
        in->asked[in->nasked++] = find_measure(in->oracle, query->measures[i].name);
    for (unsigned m = 0; query->nmeasures == 0 && m < in->oracle->nnamed; m++)
        in->asked[in->nasked++] = m;
    for (unsigned i = 0; i < in->nasked; i++)
        want(in, in->asked[i]);
    for (size_t i = 0; i < query->nhavings; i++)
        want(in, find_measure(in->oracle, query->havings[i].measure));
    for (size_t i = 0; i < query->ntops; i++)
        want(in, find_measure(in->oracle, query->tops[i].measure));
    for (size_t i = 0; i < query->norders; i++) {
        bool is_axis = false;
        for (unsigned a = 0; a < in->naxes; a++)
            is_axis |= vc_str_equal(query->axes[a].dimref.dimension, query->orders[i].name);
        if (!is_axis) want(in, find_measure(in->oracle, query->orders[i].name));
    }
    in->kept = (1u << in->naxes) - 1;
    for (unsigned m = 0; m < in->oracle->nmeasures; m++) {
        const struct measure *measure = &in->oracle->measures[m];
        if (!in->is_wanted[m] || measure->formula != FORMULA_NONE) continue;
        for (unsigned d = 0; d < in->oracle->ndimensions; d++)
            if (!in->oracle->sources[measure->source].places[d].is_there && is_asked(in, d) &&
                policy_of(in->oracle, measure, d) == VC_UNRELATED_ERROR)
                return "unrelated";
    }
    for (unsigned m = 0; m < in->oracle->nmeasures; m++)
        if (in->is_wanted[m] && in->oracle->measures[m].formula == FORMULA_NONE &&
            is_over_twice(in, &in->oracle->measures[m]))
            return "unsupported";
    return NULL;
}

struct oracle_answer *oracle_ask(struct oracle *oracle, const vc_query *query, vc_arena *arena)
{
    struct oracle_answer *answer = VC_ARENA_NEW(arena, struct oracle_answer, 1);
    struct asking *in = VC_ARENA_NEW(arena, struct asking, 1);
    *in = (struct asking){
        .oracle = oracle, .query = query, .arena = arena, .naxes = (unsigned)query->naxes};
    answer->error = select_all(in);
    if (answer->error != NULL) return answer;
    for (unsigned a = 0; a < in->naxes; a++)
        group_axis(in, a);
    answer->error = plan_measures(in);
    if (answer->error != NULL) return answer;
    struct rows detail = make_rows(in, (1u << in->naxes) - 1, query->is_sparse);
    shape(in, &detail);
    answer->nfound = detail.count;
    size_t offset = query->offset < detail.count ? (size_t)query->offset : detail.count;
    answer->ndetail = detail.count - offset;
    if (query->limit < answer->ndetail) answer->ndetail = (size_t)query->limit;
    struct rows all = {.items = detail.items + offset, .count = answer->ndetail};
    for (size_t t = 0; t < query->ntotals; t++) {
        uint32_t kept = 0;
        for (size_t i = 0; i < query->totals[t].ndimensions; i++)
            for (unsigned a = 0; a < in->naxes; a++)
                if (vc_str_equal(query->axes[a].dimref.dimension, query->totals[t].dimensions[i]))
                    kept |= 1u << a;
        struct rows total = make_rows(in, kept, true);
        struct oracle_row *items =
            VC_ARENA_NEW(arena, struct oracle_row, all.count + total.count + 1);
        if (all.count > 0) memcpy(items, all.items, all.count * sizeof *items);
        if (total.count > 0) memcpy(items + all.count, total.items, total.count * sizeof *items);
        all = (struct rows){.items = items, .count = all.count + total.count};
    }
    answer->rows = all.items;
    answer->nrows = all.count;
    answer->summary = make_rows(in, 0, false).items[0].cells;
    return answer;
}
