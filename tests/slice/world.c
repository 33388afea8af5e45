#include "tests/slice/world.h"

#include <stdio.h>
#include <string.h>

/* Few texts, so that joins find each other; some need escapes, quotes or normalising. */
static const char *const words[] = {"A", "B", "C", "D", "E",   "F",   "G",        "H",
                                    "I", "J", "K", "L", "x-1", "a b", "\xC3\xA9", "p;q"};
static const char *const loose[] = {"a", "b", "B ", " c", "A,B", "d,E", " ", "f"};
enum { NWORDS = sizeof words / sizeof words[0], NLOOSE = sizeof loose / sizeof loose[0] };

static const char *number_text(struct world *world, unsigned number)
{
    return vc_arena_printf(&world->arena, "%u", number).data;
}

static const char *any_word(struct world *world, bool is_number, unsigned nwords)
{
    struct random *random = &world->random;
    if (is_number) return number_text(world, 1 + random_below(random, nwords));
    return words[random_below(random, nwords < NWORDS ? nwords : NWORDS)];
}

/* ---- dimensions ---- */

static const char *any_code(struct world *world)
{
    struct random *random = &world->random;
    unsigned what = random_below(random, 100);
    if (what < 10) return NULL;
    if (what < 25) return loose[random_below(random, NLOOSE)];
    if (what < 35) return number_text(world, 1 + random_below(random, 12));
    return words[random_below(random, NWORDS)];
}

/* What is known of the first level's member must be the same for all its leaves. */
static const char *top_of(struct world *world, const char *key, unsigned salt)
{
    unsigned number = key == NULL ? 7 : salt;
    for (const char *c = key; c != NULL && *c != '\0'; c++)
        number = number * 31 + (unsigned char)*c;
    (void)world;
    return number % 9 == 0 ? NULL : words[number % 10];
}

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same_leaf(const struct world_leaf *a, const struct world_leaf *b)
{
    for (unsigned l = 0; l < WORLD_LEVELS; l++)
        if (!is_same_text(a->keys[l], b->keys[l])) return false;
    return is_same_text(a->code, b->code);
}

/* Are they one in a ragged hierarchy? Nothing says which comes first, then. */
static bool is_same_path(const struct world_dimension *dimension, size_t number,
                         const struct world_leaf *leaf)
{
    const struct world_leaf *other = &dimension->leaves[number];
    bool is_same = !world_is_even(dimension);
    for (unsigned l = 0; l < dimension->nlevels; l++) {
        bool has = world_has_member(dimension, leaf, l);
        is_same &= has == world_has_member(dimension, other, l) &&
                   (!has || is_same_text(leaf->keys[l], other->keys[l]));
    }
    return is_same;
}

/* Where a level skips, it is mostly for a reason. */
static const char *any_skipped(struct world *world, const struct world_dimension *dimension,
                               const struct world_leaf *leaf, unsigned level)
{
    struct random *random = &world->random;
    const char *path[WORLD_LEVELS];
    unsigned depth = world_path(dimension, leaf, level, path);
    if (dimension->skips[level] == SKIP_PARENT && depth > 0 && random_chance(random, 50))
        return path[depth - 1];
    return random_chance(random, 15) && !dimension->is_int[level] ? " " : NULL;
}

static void make_leaf(struct world *world, struct world_dimension *dimension, size_t number,
                      bool is_number, unsigned spread, unsigned salt)
{
    struct world_leaf *leaf = &dimension->leaves[number];
    struct random *random = &world->random;
    leaf->first = (uint32_t)number;
    if (dimension->has_table) {
        bool is_key_number = dimension->is_int[WORLD_LEVELS - 1];
        leaf->key = is_key_number || number >= NWORDS ? number_text(world, (unsigned)number + 1)
                                                      : words[number];
    }
    for (unsigned l = 0; l < dimension->nlevels && !dimension->is_tree; l++) {
        bool is_lowest = l + 1 == dimension->nlevels;
        if (is_lowest && dimension->is_keyed_below)
            leaf->keys[l] = leaf->key;
        else if (dimension->skips[l] != SKIP_NEVER && random_chance(random, 30))
            leaf->keys[l] = any_skipped(world, dimension, leaf, l);
        else if (!random_chance(random, 6))
            leaf->keys[l] =
                any_word(world, is_number || dimension->is_int[l], is_lowest ? spread * 3 : spread);
    }
    if (dimension->has_code) leaf->code = any_code(world);
    if (dimension->has_top) leaf->top = top_of(world, leaf->keys[0], salt);
}

/* Rows of a tree stand below rows before them, or at the top: without a parent, as their own one,
 * or below one that is not there. */
static void hang(struct world *world, struct world_dimension *dimension, size_t number)
{
    struct random *random = &world->random;
    struct world_leaf *leaf = &dimension->leaves[number];
    unsigned depth = 0;
    const struct world_leaf *parent =
        number > 0 ? &dimension->leaves[random_below(random, (unsigned)number)] : leaf;
    while (depth < WORLD_LEVELS && parent->keys[depth] != NULL)
        depth++;
    if (number > 0 && depth < WORLD_LEVELS && !random_chance(random, 20)) {
        memcpy(leaf->keys, parent->keys, sizeof leaf->keys);
        leaf->parent = parent->key;
    } else {
        depth = 0;
        leaf->parent = random_chance(random, 20)   ? leaf->key
                       : random_chance(random, 10) ? "99"
                                                   : NULL;
    }
    leaf->keys[depth] = leaf->key;
}

/* A further row for some leaves, with other keys above. */
static void add_places(struct world *world, struct world_dimension *dimension, bool is_number,
                       unsigned spread)
{
    struct random *random = &world->random;
    unsigned last = dimension->nlevels - 1;
    for (size_t i = 0; i < dimension->nfirsts; i++)
        for (unsigned more = random_below(random, 3); more > 0; more--) {
            struct world_leaf *leaf = &dimension->leaves[dimension->nleaves];
            bool is_new = true;
            *leaf = dimension->leaves[i];
            for (unsigned l = 0; l < last; l++)
                leaf->keys[l] = random_chance(random, 10)
                                    ? NULL
                                    : any_word(world, is_number || dimension->is_int[l], spread);
            for (size_t j = 0; j < dimension->nleaves; j++)
                is_new &=
                    dimension->leaves[j].first != i || !is_same_leaf(&dimension->leaves[j], leaf);
            dimension->nleaves += is_new;
        }
}

/* What its hierarchy may be, if it is not even. */
static void choose_shape(struct world *world, struct world_dimension *dimension)
{
    struct random *random = &world->random;
    unsigned what = world->kinds == 0 ? 100 : random_below(random, 100);
    if (what < 15 && dimension->has_table && world->kinds & WORLD_TREES) {
        dimension->is_tree = true;
        dimension->has_top = dimension->is_keyed_below = false;
        dimension->nlevels = WORLD_LEVELS;
    } else if (what < 30 && dimension->is_keyed_below && dimension->nlevels > 1 &&
               world->kinds & WORLD_PLACES) {
        dimension->has_places = true;
        dimension->has_top = false;
    } else if (what < 55 && world->kinds & WORLD_RAGGED) {
        for (unsigned l = 0; l < dimension->nlevels - dimension->is_keyed_below; l++)
            dimension->skips[l] = random_below(random, 3);
        dimension->has_top &= dimension->skips[0] == SKIP_NEVER;
    }
}

/* Do the first keys of a leaf's path lead to one member? Alone, a key is looked for on all levels,
 * if it is not on the first. */
static bool is_plain_path(const struct world_dimension *dimension, const struct world_leaf *leaf,
                          unsigned depth)
{
    const char *wanted[WORLD_LEVELS], *path[WORLD_LEVELS];
    unsigned level = 0;
    while (world_path(dimension, leaf, level + 1, wanted) < depth)
        level++;
    for (size_t i = 0; i < dimension->nleaves && (depth > 1 || level > 0); i++)
        for (unsigned l = 0; l < dimension->nlevels; l++) {
            const struct world_leaf *other = &dimension->leaves[i];
            if (!world_has_member(dimension, other, l)) continue;
            bool is_it = depth == 1 ? is_same_text(other->keys[l], wanted[0])
                                    : world_path(dimension, other, l + 1, path) == depth;
            for (unsigned k = 0; k < depth && is_it && depth > 1; k++)
                is_it = is_same_text(path[k], wanted[k]);
            if (is_it && (l != level || !world_is_under(dimension, other, leaf, depth)))
                return false;
        }
    return true;
}

/* Of a leaf that every load has. */
static void make_default(struct world *world, struct world_dimension *dimension)
{
    struct random *random = &world->random;
    const char *path[WORLD_LEVELS];
    if (!(world->kinds & WORLD_DEFAULTS) || !random_chance(random, 15) || dimension->nold == 0)
        return;
    dimension->default_leaf = random_below(random, (unsigned)dimension->nold);
    unsigned depth = world_path(dimension, &dimension->leaves[dimension->default_leaf],
                                dimension->nlevels, path);
    if (!dimension->has_table || depth == 0) return;
    dimension->default_depth = 1 + random_below(random, depth);
    dimension->has_default = (dimension->default_depth > 1 || path[0] != NULL) &&
                             is_plain_path(dimension, &dimension->leaves[dimension->default_leaf],
                                           dimension->default_depth);
}

static void make_dimension(struct world *world, struct world_dimension *dimension)
{
    struct random *random = &world->random;
    size_t wanted = 1 + random_below(random, random_chance(random, 20) ? 40 : 14);
    bool is_number = random_chance(random, 30);
    unsigned spread = 1 + random_below(random, 5), salt = random_below(random, 1000);
    dimension->nlevels = 1 + random_below(random, WORLD_LEVELS);
    dimension->has_table = dimension->is_shared || random_chance(random, 50);
    dimension->has_code = random_chance(random, 60);
    dimension->has_top = random_chance(random, 40);
    dimension->is_keyed_below = dimension->has_table && random_chance(random, 60);
    dimension->is_int[WORLD_LEVELS - 1] = random_chance(random, 30);
    choose_shape(world, dimension);
    for (unsigned l = 0; l < dimension->nlevels && !dimension->is_tree; l++)
        if (l + 1 < WORLD_LEVELS || !dimension->is_keyed_below)
            dimension->is_int[l] = is_number && random_chance(random, 50);
    /* The place of the key's own type is that of the last level, which may be the key. */
    if (dimension->is_keyed_below)
        dimension->is_int[dimension->nlevels - 1] = dimension->is_int[WORLD_LEVELS - 1];
    dimension->leaves = VC_ARENA_NEW(&world->arena, struct world_leaf, 3 * wanted);
    for (size_t i = 0; i < wanted; i++) {
        struct world_leaf *leaf = &dimension->leaves[dimension->nleaves];
        memset(leaf, 0, sizeof *leaf);
        make_leaf(world, dimension, dimension->nleaves, is_number, spread, salt);
        if (dimension->is_tree) hang(world, dimension, dimension->nleaves);
        bool is_new = true;
        for (size_t j = 0; j < dimension->nleaves && !dimension->has_table && is_new; j++)
            is_new =
                !is_same_leaf(&dimension->leaves[j], leaf) && !is_same_path(dimension, j, leaf);
        dimension->nleaves += is_new;
    }
    dimension->nold = dimension->nfirsts = dimension->nleaves;
    if (dimension->has_places) {
        add_places(world, dimension, is_number, spread);
        dimension->nold = dimension->nleaves;
    } else if (dimension->has_table && world->has_append) {
        dimension->nold -= random_below(random, (unsigned)dimension->nleaves);
    }
    make_default(world, dimension);
}

/* ---- cubes ---- */

static void make_facts(struct world *world, struct world_cube *cube, size_t nfacts)
{
    struct random *random = &world->random;
    cube->nfacts = cube->nold = nfacts;
    if (world->has_append) cube->nold = random_below(random, (unsigned)nfacts + 1);
    cube->facts = VC_ARENA_NEW(&world->arena, struct world_fact, nfacts);
    bool is_signed = random_chance(random, 40), is_zero = random_chance(random, 12);
    for (size_t i = 0; i < nfacts; i++) {
        struct world_fact *fact = &cube->facts[i];
        for (unsigned d = 0; d < cube->ndimensions; d++) {
            const struct world_dimension *dimension = cube->dimensions[d];
            size_t nknown =
                i < cube->nold && !dimension->has_places ? dimension->nold : dimension->nfirsts;
            unsigned a = random_below(random, (unsigned)nknown);
            unsigned b = random_below(random, (unsigned)nknown); /* low ones more often */
            fact->leaves[d] = a < b ? a : b;
        }
        fact->values[COLUMN_INT] =
            is_zero ? 0 : (int64_t)random_below(random, 200) - (is_signed ? 100 : 0);
        fact->values[COLUMN_DECIMAL] =
            (int64_t)random_below(random, 100000) - (is_signed ? 50000 : 0);
        fact->values[COLUMN_FLOAT] = (int64_t)random_below(random, 4000) - (is_signed ? 2000 : 0);
        fact->values[COLUMN_TEXT] = random_below(random, 12);
        for (unsigned c = 0; c < WORLD_COLUMNS; c++)
            if (random_chance(random, 12)) fact->nulls |= (uint8_t)(1u << c);
    }
}

/* Without a table, a leaf that no fact lies on does not exist. */
static void drop_unused_leaves(struct world *world, struct world_cube *cube, unsigned number)
{
    struct world_dimension *dimension = cube->dimensions[number];
    uint32_t *places = VC_ARENA_NEW(&world->arena, uint32_t, dimension->nleaves + 1);
    size_t nleaves = 0;
    if (dimension->has_table) return;
    for (size_t i = 0; i < cube->nfacts; i++)
        places[cube->facts[i].leaves[number]] = 1;
    for (size_t i = 0; i < dimension->nleaves; i++) {
        if (places[i] == 0) continue;
        dimension->leaves[nleaves] = dimension->leaves[i];
        dimension->leaves[nleaves].first = (uint32_t)nleaves;
        places[i] = (uint32_t)nleaves++;
    }
    for (size_t i = 0; i < cube->nfacts; i++)
        cube->facts[i].leaves[number] = places[cube->facts[i].leaves[number]];
    dimension->nleaves = dimension->nold = dimension->nfirsts = nleaves;
}

/* Is the lowest level's order that of the leaves, without ties? */
static bool has_leaf_order(const struct world_dimension *dimension)
{
    if (dimension->has_places || !world_is_even(dimension)) return false;
    return dimension->is_keyed_below || (!dimension->has_table && !dimension->has_code);
}

static void make_where(struct world *world, const struct world_cube *cube,
                       struct world_measure *measure)
{
    struct random *random = &world->random;
    if (cube->nold == 0 || !random_chance(random, 15)) return;
    measure->where_dimension = random_below(random, cube->ndimensions);
    const struct world_fact *fact = &cube->facts[random_below(random, (unsigned)cube->nold)];
    const struct world_dimension *dimension = cube->dimensions[measure->where_dimension];
    const struct world_leaf *leaf = &dimension->leaves[fact->leaves[measure->where_dimension]];
    measure->where_key = leaf->keys[0];
    measure->has_where = measure->where_key != NULL && world_has_member(dimension, leaf, 0);
    measure->is_negated = random_chance(random, 40);
}

static void make_over(struct world *world, const struct world_cube *cube,
                      struct world_measure *measure)
{
    static const vc_over overs[] = {
        VC_OVER_LAST, VC_OVER_FIRST, VC_OVER_LAST_NONEMPTY, VC_OVER_FIRST_NONEMPTY, VC_OVER_AVG,
        VC_OVER_MIN,  VC_OVER_MAX};
    struct random *random = &world->random;
    unsigned over = random_below(random, cube->ndimensions);
    if (!random_chance(random, 30) || !has_leaf_order(cube->dimensions[over])) return;
    unsigned nwords = measure->aggregator == VC_AGG_SUM ? 7
                      : measure->aggregator == VC_AGG_COUNT_DISTINCT ||
                              measure->aggregator > VC_AGG_COUNT_DISTINCT
                          ? 2
                          : 4;
    measure->over = overs[random_below(random, nwords)];
    measure->over_dimension = over;
}

static void make_measure(struct world *world, struct world_cube *cube, unsigned number)
{
    static const vc_aggregator aggregators[] = {VC_AGG_SUM,          VC_AGG_SUM,
                                                VC_AGG_COUNT,        VC_AGG_MIN,
                                                VC_AGG_MAX,          VC_AGG_AVG,
                                                VC_AGG_SUM,          VC_AGG_COUNT,
                                                VC_AGG_MEDIAN,       VC_AGG_COUNT_DISTINCT,
                                                VC_AGG_WEIGHTED_AVG, VC_AGG_STDDEV,
                                                VC_AGG_QUANTILE,     VC_AGG_SUM,
                                                VC_AGG_VARIANCE,     VC_AGG_STDDEV_POP,
                                                VC_AGG_SUM,          VC_AGG_VARIANCE_POP};
    static const double quantiles[] = {0, 0.25, 0.9, 1, 1.0 / 3};
    struct random *random = &world->random;
    struct world_measure *measure = &cube->measures[number];
    *measure = (struct world_measure){
        .distinct_dimension = -1, .column = -1, .weight_column = -1, .quantile = 0.5};
    snprintf(measure->name, sizeof measure->name, "m%u", number);
    if (number >= 2 && random_chance(random, 12)) {
        measure->formula = FORMULA_SUM + random_below(random, 4);
        measure->a = random_below(random, number);
        measure->b = random_below(random, number);
        return;
    }
    measure->aggregator = number == 0 ? VC_AGG_SUM : aggregators[random_below(random, 18)];
    measure->column = (int)random_below(random, 3);
    if (measure->aggregator == VC_AGG_COUNT && random_chance(random, 50)) measure->column = -1;
    if (measure->aggregator == VC_AGG_COUNT_DISTINCT) {
        measure->column = random_chance(random, 50) ? COLUMN_TEXT : -1;
        if (measure->column < 0)
            measure->distinct_dimension = (int)random_below(random, cube->ndimensions);
    }
    if (measure->aggregator == VC_AGG_QUANTILE)
        measure->quantile = quantiles[random_below(random, 5)];
    if (measure->aggregator == VC_AGG_WEIGHTED_AVG) {
        measure->weight_column = (int)random_below(random, 3);
        measure->is_float_weight = random_chance(random, 50);
    }
    if (measure->column == COLUMN_DECIMAL && measure->aggregator != VC_AGG_COUNT)
        measure->is_product = random_chance(random, 20);
    if (number > 0) make_where(world, cube, measure);
    make_over(world, cube, measure);
}

static size_t any_nfacts(struct random *random, unsigned nfacts_max)
{
    switch (random_below(random, 8)) {
    case 0: return 0;
    case 1: return 1 + random_below(random, 4);
    default: return random_below(random, nfacts_max) + 1;
    }
}

static void make_cube(struct world *world, unsigned number, struct world_dimension *shared,
                      unsigned nfacts_max)
{
    struct random *random = &world->random;
    struct world_cube *cube = &world->cubes[number];
    snprintf(cube->name, sizeof cube->name, "c%u", number);
    cube->ndimensions = 1 + random_below(random, number == 0 ? WORLD_DIMENSIONS : 3);
    for (unsigned d = 0; d < cube->ndimensions; d++) {
        if (d == 0 && shared != NULL && random_chance(random, 70)) {
            cube->dimensions[d] = shared;
            continue;
        }
        struct world_dimension *dimension = VC_ARENA_NEW(&world->arena, struct world_dimension, 1);
        snprintf(dimension->name, sizeof dimension->name, "c%ud%u", number, d);
        make_dimension(world, dimension);
        cube->dimensions[d] = dimension;
    }
    make_facts(world, cube, any_nfacts(random, nfacts_max));
    for (unsigned d = 0; d < cube->ndimensions; d++)
        drop_unused_leaves(world, cube, d);
    cube->nmeasures = 2 + random_below(random, WORLD_MEASURES - 1);
    for (unsigned m = 0; m < cube->nmeasures; m++)
        make_measure(world, cube, m);
}

void world_add_cube(struct world *world, unsigned nfacts_max)
{
    make_cube(world, world->ncubes, NULL, nfacts_max);
    world->ncubes++;
}

/* ---- the virtual cube ---- */

static unsigned any_index(struct random *random, const struct world_dimension *dimension)
{
    for (;;) {
        unsigned index = random_below(random, INDEX_LEVEL + dimension->nlevels);
        if (index == INDEX_CODE && !dimension->has_code) continue;
        if (index == INDEX_TOP && !dimension->has_top) continue;
        if (index == INDEX_KEY && random_chance(random, 50)) continue;
        return index;
    }
}

/* Of a leaf that the first load has, and not by a null key alone, which cannot be written. */
static void make_fix(struct random *random, const struct world_cube *cube, unsigned percent,
                     struct world_fix *fix)
{
    unsigned d = random_below(random, cube->ndimensions);
    const struct world_dimension *dimension = cube->dimensions[d];
    size_t nknown = dimension->has_table ? dimension->nold : cube->nold;
    if (!random_chance(random, percent) || nknown == 0) return;
    uint32_t leaf = random_below(random, (unsigned)nknown);
    const char *path[WORLD_LEVELS];
    if (!dimension->has_table) leaf = cube->facts[leaf].leaves[d];
    unsigned depth = world_path(dimension, &dimension->leaves[leaf], dimension->nlevels, path);
    if (depth == 0) return;
    *fix =
        (struct world_fix){.dimension = d, .depth = 1 + random_below(random, depth), .leaf = leaf};
    fix->is_there = (fix->depth > 1 || path[0] != NULL) &&
                    is_plain_path(dimension, &dimension->leaves[leaf], fix->depth);
}

static bool shares_with(const struct world_cube *a, const struct world_cube *b)
{
    for (unsigned i = 0; i < a->ndimensions; i++)
        for (unsigned j = 0; j < b->ndimensions; j++)
            if (a->dimensions[i] == b->dimensions[j]) return true;
    return false;
}

/* Is a measure semi-additive along the dimension? Then it is no part of a key over several. */
static bool is_over(const struct world_cube *cube, unsigned dimension)
{
    for (unsigned m = 0; m < cube->nmeasures; m++)
        if (cube->measures[m].over != VC_OVER_NONE && cube->measures[m].over_dimension == dimension)
            return true;
    return false;
}

/* Along with another pair of the same key: some value of the joined side, for all of the primary.
 */
static void add_constant(struct world *world, const struct world_cube *joined,
                         struct world_source *source)
{
    struct random *random = &world->random;
    struct world_pair pair = source->pairs[0];
    unsigned to = random_below(random, joined->ndimensions);
    if (to != pair.to_dimension && (is_over(joined, to) || is_over(joined, pair.to_dimension)))
        return;
    const struct world_dimension *dimension = joined->dimensions[to];
    pair.to_dimension = to;
    pair.to_index = any_index(random, dimension);
    if (dimension->nleaves == 0) return;
    pair.constant = world_index_value(
        dimension, &dimension->leaves[random_below(random, (unsigned)dimension->nleaves)],
        pair.to_index);
    if (pair.constant == NULL || strpbrk(pair.constant, "\"\\") != NULL) return;
    source->pairs[source->npairs++] = pair;
}

void world_make_pairs(struct world *world, const struct world_cube *primary,
                      const struct world_cube *joined, struct world_source *source)
{
    struct random *random = &world->random;
    unsigned wanted = 1 + random_below(random, 2);
    if (shares_with(primary, joined) && random_chance(random, 40)) wanted = 0;
    for (unsigned i = 0; i < wanted; i++) {
        struct world_pair pair = {.dimension = random_below(random, primary->ndimensions),
                                  .to_dimension = random_below(random, joined->ndimensions)};
        bool is_possible = true;
        for (unsigned j = 0; j < source->npairs; j++)
            if (source->pairs[j].dimension == pair.dimension &&
                (is_over(joined, pair.to_dimension) ||
                 is_over(joined, source->pairs[j].to_dimension) || random_chance(random, 40)))
                pair.to_dimension = source->pairs[j].to_dimension;
        pair.index = any_index(random, primary->dimensions[pair.dimension]);
        pair.to_index = any_index(random, joined->dimensions[pair.to_dimension]);
        if (random_chance(random, 40)) pair.steps = random_below(random, 8);
        for (unsigned j = 0; j < source->npairs; j++)
            is_possible &= source->pairs[j].dimension != pair.dimension ||
                           source->pairs[j].index != pair.index ||
                           source->pairs[j].to_dimension != pair.to_dimension ||
                           source->pairs[j].to_index != pair.to_index;
        if (is_possible) source->pairs[source->npairs++] = pair;
    }
    if (source->npairs > 0 && random_chance(random, 15)) add_constant(world, joined, source);
}

static void make_source(struct world *world, unsigned number)
{
    struct random *random = &world->random;
    struct world_source *source = &world->sources[number];
    const struct world_cube *cube = &world->cubes[source->cube];
    snprintf(source->alias, sizeof source->alias, "s%u", number);
    make_fix(random, cube, 12, &source->fix);
    for (unsigned d = 0; d < cube->ndimensions; d++)
        source->others[d] =
            random_chance(random, 50)
                ? VC_UNRELATED_DEFAULT
                : VC_UNRELATED_NULL + random_below(random, 2) + (random_chance(random, 10) ? 1 : 0);
    if (number == 0) return;
    source->kind = random_below(random, 4);
    source->unmatched = source->kind >= VC_JOIN_RIGHT ? VC_UNMATCHED_BUCKET : VC_UNMATCHED_DROP;
    if (random_chance(random, 40)) source->unmatched = random_below(random, 3);
    world_make_pairs(world, &world->cubes[world->sources[0].cube], cube, source);
    if (source->npairs == 0) { /* nothing to join: shared dimensions only */
        source->kind = VC_JOIN_LEFT;
        source->unmatched = VC_UNMATCHED_DROP;
    }
}

static void make_taken(struct world *world, unsigned number)
{
    struct random *random = &world->random;
    struct world_taken *taken = &world->taken[number];
    snprintf(taken->name, sizeof taken->name, "v%u", number);
    if (number >= world->nsources && random_chance(random, 20)) {
        taken->formula = FORMULA_SUM + random_below(random, 4);
        taken->a = random_below(random, number);
        taken->b = random_below(random, number);
        return;
    }
    taken->source = number < world->nsources ? number : random_below(random, world->nsources);
    const struct world_cube *cube = &world->cubes[world->sources[taken->source].cube];
    taken->measure = number < world->nsources ? 0 : random_below(random, cube->nmeasures);
    make_fix(random, cube, 12, &taken->fix);
    if (random_chance(random, 20))
        taken->unrelated =
            VC_UNRELATED_NULL + random_below(random, random_chance(random, 20) ? 3 : 2);
}

void world_make_with(struct world *world, uint64_t seed, unsigned nfacts_max, unsigned kinds)
{
    *world = (struct world){.random = {seed}, .kinds = kinds};
    struct random *random = &world->random;
    struct world_dimension *shared = NULL;
    world->has_append = random_chance(random, 30);
    if (random_chance(random, 40)) {
        shared = VC_ARENA_NEW(&world->arena, struct world_dimension, 1);
        strcpy(shared->name, "shared");
        shared->is_shared = true;
        make_dimension(world, shared);
    }
    world->nsources = 2 + random_below(random, 2);
    world->ncubes = world->nsources - (world->nsources == 3 && random_chance(random, 20));
    for (unsigned i = 0; i < world->ncubes; i++)
        make_cube(world, i, shared, nfacts_max);
    for (unsigned i = 0; i < world->nsources; i++) {
        world->sources[i].cube = i < world->ncubes ? i : 1;
        make_source(world, i);
    }
    world->ntaken = world->nsources + 1 + random_below(random, WORLD_TAKEN - world->nsources - 1);
    for (unsigned i = 0; i < world->ntaken; i++)
        make_taken(world, i);
}

void world_make(struct world *world, uint64_t seed, unsigned nfacts_max)
{
    world_make_with(world, seed, nfacts_max, 0);
}

void world_release(struct world *world)
{
    vc_arena_release(&world->arena);
}

/* ---- members ---- */

static bool is_blank(const char *key)
{
    return key == NULL || strspn(key, " ") == strlen(key);
}

bool world_has_member(const struct world_dimension *dimension, const struct world_leaf *leaf,
                      unsigned level)
{
    if (dimension->is_tree) return leaf->keys[level] != NULL;
    if (dimension->skips[level] == SKIP_NEVER) return true;
    if (is_blank(leaf->keys[level])) return false;
    if (dimension->skips[level] == SKIP_BLANK) return true;
    unsigned above = level; /* the nearest member above */
    while (above > 0 && !world_has_member(dimension, leaf, above - 1))
        above--;
    return above == 0 || !is_same_text(leaf->keys[above - 1], leaf->keys[level]);
}

bool world_is_even(const struct world_dimension *dimension)
{
    bool is_even = !dimension->is_tree;
    for (unsigned l = 0; l < dimension->nlevels; l++)
        is_even &= dimension->skips[l] == SKIP_NEVER;
    return is_even;
}

unsigned world_path(const struct world_dimension *dimension, const struct world_leaf *leaf,
                    unsigned depth, const char *keys_out[WORLD_LEVELS])
{
    unsigned nkeys = 0;
    for (unsigned l = 0; l < depth; l++)
        if (world_has_member(dimension, leaf, l)) keys_out[nkeys++] = leaf->keys[l];
    return nkeys;
}

bool world_is_under(const struct world_dimension *dimension, const struct world_leaf *leaf,
                    const struct world_leaf *other, unsigned depth)
{
    const char *path[WORLD_LEVELS];
    unsigned level = 0;
    while (world_path(dimension, other, level + 1, path) < depth)
        level++;
    for (unsigned l = 0; l <= level; l++) {
        bool has = world_has_member(dimension, leaf, l);
        if (has != world_has_member(dimension, other, l)) return false;
        if (has && !is_same_text(leaf->keys[l], other->keys[l])) return false;
    }
    return true;
}

/* ---- indexes ---- */

const char *world_index_name(unsigned index)
{
    static const char *const names[] = {"key", "code", "top", "l0", "l1", "l2"};
    return names[index];
}

const char *world_index_value(const struct world_dimension *dimension,
                              const struct world_leaf *leaf, unsigned index)
{
    const char *value = NULL;
    if (index == INDEX_KEY && !dimension->has_table) index = INDEX_LEVEL + dimension->nlevels - 1;
    if (index == INDEX_KEY)
        value = leaf->key;
    else if (index == INDEX_CODE)
        value = leaf->code;
    else if (index == INDEX_TOP)
        value = leaf->top;
    else if (world_has_member(dimension, leaf, index - INDEX_LEVEL))
        value = leaf->keys[index - INDEX_LEVEL];
    return value != NULL && *value == '\0' ? NULL : value;
}
