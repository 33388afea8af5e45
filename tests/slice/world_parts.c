/* Random joins that count facts in parts, laid over those of a world: crosswalks with weights,
 * fan-outs shared out, lookups, values repeated and allocated below the joined grain. */
#include "tests/slice/world.h"

#include <stdio.h>
#include <string.h>

static const struct world_dimension *dimension_of(const struct world *world, unsigned source,
                                                  unsigned dimension)
{
    return world->cubes[world->sources[source].cube].dimensions[dimension];
}

/* A value of the index at some leaf; a word where it has none. */
static const char *any_value(struct world *world, const struct world_dimension *dimension,
                             unsigned index)
{
    static const char *const words[] = {"A", "B", "c", "nowhere"};
    const char *value = NULL;
    for (int i = 0; i < 4 && value == NULL && dimension->nleaves > 0; i++)
        value = world_index_value(
            dimension,
            &dimension->leaves[random_below(&world->random, (unsigned)dimension->nleaves)], index);
    return value != NULL && strpbrk(value, "\"\\") == NULL ? value
                                                           : words[random_below(&world->random, 4)];
}

/* From keys of one index to keys of another; weights are quarters, which doubles have exactly. */
static unsigned add_crosswalk(struct world *world, const struct world_dimension *from,
                              unsigned from_index, const struct world_dimension *to,
                              unsigned to_index)
{
    struct random *random = &world->random;
    unsigned number = world->ncrosswalks++;
    struct world_crosswalk *crosswalk = &world->crosswalks[number];
    unsigned wanted = 2 + random_below(random, WORLD_ROWS - 2);
    bool is_plain = random_chance(random, 15);
    snprintf(crosswalk->name, sizeof crosswalk->name, "way%u", number);
    for (unsigned i = 0; i < wanted; i++) {
        const char *a = any_value(world, from, from_index), *b = any_value(world, to, to_index);
        bool is_new = true;
        for (unsigned j = 0; j < crosswalk->nrows; j++)
            is_new &=
                strcmp(crosswalk->rows[j].from, a) != 0 || strcmp(crosswalk->rows[j].to, b) != 0;
        if (!is_new) continue;
        crosswalk->rows[crosswalk->nrows].from = a;
        crosswalk->rows[crosswalk->nrows].to = b;
        crosswalk->rows[crosswalk->nrows++].quarters =
            is_plain || random_chance(random, 25) ? 4 : random_below(random, 7);
    }
    return number;
}

static void add_ways(struct world *world, unsigned source, struct world_pair *pair)
{
    struct random *random = &world->random;
    const struct world_dimension *primary = dimension_of(world, 0, pair->dimension);
    const struct world_dimension *joined = dimension_of(world, source, pair->to_dimension);
    if (pair->constant != NULL) return;
    bool is_from = random_chance(random, 35);
    unsigned room = WORLD_CROSSWALKS - world->ncrosswalks, side = !is_from;
    if (room == 0) return;
    if (room >= 2 && random_chance(random, 20)) { /* two in a row, over keys of the primary */
        const struct world_dimension *own = is_from ? primary : joined;
        unsigned index = is_from ? pair->index : pair->to_index;
        const struct world_dimension *end = is_from ? joined : primary;
        unsigned end_index = is_from ? pair->to_index : pair->index;
        pair->maps[side][0] = add_crosswalk(world, own, index, primary, pair->index);
        pair->maps[side][1] = add_crosswalk(world, primary, pair->index, end, end_index);
        pair->nmaps[side] = 2;
        return;
    }
    pair->maps[side][0] = is_from
                              ? add_crosswalk(world, primary, pair->index, joined, pair->to_index)
                              : add_crosswalk(world, joined, pair->to_index, primary, pair->index);
    pair->nmaps[side] = 1;
}

static void add_finer(struct world *world, struct world_source *source)
{
    struct random *random = &world->random;
    for (unsigned i = 0; i < source->npairs; i++) {
        struct world_pair *pair = &source->pairs[i];
        bool is_new = true;
        for (unsigned j = 0; j < i && is_new; j++) {
            if (source->pairs[j].dimension != pair->dimension) continue;
            pair->finer = source->pairs[j].finer;
            pair->allocates_by_days = source->pairs[j].allocates_by_days;
            is_new = false;
        }
        if (!is_new || !random_chance(random, 80)) continue;
        bool can_allocate = source->mode != VC_MODE_LOOKUP;
        pair->finer =
            can_allocate && random_chance(random, 65) ? VC_FINER_ALLOCATE : VC_FINER_REPEAT;
        pair->allocates_by_days = pair->finer == VC_FINER_ALLOCATE &&
                                  dimension_of(world, 0, pair->dimension)->has_days &&
                                  random_chance(random, 60);
    }
}

static void make_lookup(struct world *world, unsigned number)
{
    struct random *random = &world->random;
    struct world_source *source = &world->sources[number];
    const struct world_dimension *joined =
        dimension_of(world, number, source->pairs[0].to_dimension);
    bool is_one = true;
    source->mode = VC_MODE_LOOKUP;
    source->reaggregate = VC_REAGGREGATE_DEFAULT + random_below(random, 6);
    for (unsigned i = 1; i < source->npairs; i++)
        is_one &= source->pairs[i].to_dimension == source->pairs[0].to_dimension;
    if (!is_one || random_chance(random, 10)) return;
    source->pick = random_chance(random, 50) ? VC_PICK_FIRST_BY : VC_PICK_MAX;
    source->pick_index = INDEX_LEVEL + random_below(random, joined->nlevels);
    if (joined->has_code && random_chance(random, 40)) source->pick_index = INDEX_CODE;
    if (joined->has_top && random_chance(random, 20)) source->pick_index = INDEX_TOP;
}

static void add_days(struct world *world, struct world_dimension *dimension)
{
    struct random *random = &world->random;
    if (dimension->has_days || !dimension->has_table || !random_chance(random, 60)) return;
    dimension->has_days = true;
    for (size_t i = 0; i < dimension->nleaves; i++)
        if (!random_chance(random, 10))
            dimension->leaves[i].days =
                vc_arena_printf(&world->arena, "%u", random_below(random, 5)).data;
}

void world_add_parts(struct world *world)
{
    struct random *random = &world->random;
    const struct world_cube *primary = &world->cubes[world->sources[0].cube];
    if (random_chance(random, 15)) return;
    for (unsigned d = 0; d < primary->ndimensions; d++)
        add_days(world, primary->dimensions[d]);
    for (unsigned s = 1; s < world->nsources; s++) {
        struct world_source *source = &world->sources[s];
        unsigned what = random_below(random, 100);
        if (source->npairs == 0 || what < 8) continue;
        if (what < 45) {
            source->mode = random_chance(random, 75) ? VC_MODE_WEIGHTED : VC_MODE_DEFAULT;
            source->is_fanout_weighted =
                source->mode == VC_MODE_DEFAULT || random_chance(random, 75);
        } else if (what < 68) {
            make_lookup(world, s);
        }
        for (unsigned i = 0; i < source->npairs; i++)
            if (random_chance(random, what < 45 ? 45 : 20)) add_ways(world, s, &source->pairs[i]);
        if (what >= 60 || random_chance(random, 40)) add_finer(world, source);
    }
    for (unsigned t = 0; t < world->ntaken; t++) {
        struct world_taken *taken = &world->taken[t];
        const struct world_source *source = &world->sources[taken->source];
        if (taken->formula != FORMULA_NONE) continue;
        if (source->mode != VC_MODE_LOOKUP) taken->is_mode_set = random_chance(random, 15);
        if (source->mode == VC_MODE_LOOKUP && random_chance(random, 40))
            taken->reaggregate = VC_REAGGREGATE_NONE + random_below(random, 5);
    }
}

/* ---- functions over members ---- */

static bool is_mapped(const struct world_source *source, unsigned dimension)
{
    for (unsigned i = 0; i < source->npairs; i++)
        if (source->pairs[i].to_dimension == dimension) return true;
    return false;
}

/* Is it one that is put together with another? */
static bool is_united(const struct world *world, unsigned source, unsigned dimension)
{
    return world->has_united && source > 0 && world->united_of[source - 1] == dimension;
}

/* A dimension of the virtual cube: mostly of the primary. */
static const struct world_dimension *any_dimension(struct world *world)
{
    struct random *random = &world->random;
    for (int i = 0; i < 4; i++) {
        unsigned s = random_chance(random, 75) ? 0 : random_below(random, world->nsources);
        const struct world_cube *cube = &world->cubes[world->sources[s].cube];
        unsigned d = random_below(random, cube->ndimensions);
        if (is_mapped(&world->sources[s], d)) continue;
        return is_united(world, s, d) ? world->united : cube->dimensions[d];
    }
    return world->cubes[world->sources[0].cube].dimensions[0];
}

/* Does a measure look at other members? */
static bool looks(const struct world *world, unsigned number)
{
    const struct world_taken *taken = &world->taken[number];
    if (taken->formula == FORMULA_NONE) return false;
    return taken->formula == FORMULA_CALL || looks(world, taken->a) || looks(world, taken->b);
}

static void make_call(struct world *world, struct world_taken *taken, unsigned number)
{
    struct random *random = &world->random;
    struct world_call *call = &taken->call;
    static const vc_member_function functions[] = {
        VC_MEMBER_PARENT,  VC_MEMBER_SHARE,   VC_MEMBER_PREVIOUS,   VC_MEMBER_PREVIOUS,
        VC_MEMBER_GROWTH,  VC_MEMBER_GROWTH,  VC_MEMBER_GROWTH,     VC_MEMBER_GROWTH,
        VC_MEMBER_RUNNING, VC_MEMBER_RUNNING, VC_MEMBER_MOVING_AVG, VC_MEMBER_RANK,
        VC_MEMBER_AGG_OVER};
    *call = (struct world_call){.function = functions[random_below(random, 13)],
                                .how = random_below(random, 5),
                                .dimension = any_dimension(world),
                                .level = -1};
    bool counts = call->function == VC_MEMBER_PREVIOUS || call->function == VC_MEMBER_GROWTH;
    if (counts && random_chance(random, 25)) call->count = 1 + random_below(random, 3);
    if (call->function == VC_MEMBER_MOVING_AVG) call->count = 1 + random_below(random, 4);
    if (call->function == VC_MEMBER_AGG_OVER ||
        (call->function == VC_MEMBER_RUNNING && random_chance(random, 50)))
        call->level = (int)random_below(random, call->dimension->nlevels);
    taken->formula = FORMULA_CALL;
    taken->a = random_below(random, number);
    for (unsigned k = 0; k < number; k++) /* a call of a call */
        if (looks(world, k) && random_chance(random, 15)) taken->a = k;
    taken->b = taken->a;
    taken->fix.is_there = taken->is_mode_set = false;
    taken->unrelated = VC_UNRELATED_DEFAULT;
    taken->reaggregate = VC_REAGGREGATE_DEFAULT;
}

void world_add_calls(struct world *world)
{
    struct random *random = &world->random;
    if (random_chance(random, 20)) return;
    for (int i = 0; i < 3 && world->ntaken < WORLD_TAKEN; i++) { /* one at least */
        unsigned number = world->ntaken++;
        snprintf(world->taken[number].name, sizeof world->taken[number].name, "v%u", number);
        make_call(world, &world->taken[number], number);
    }
    for (unsigned t = world->nsources; t < world->ntaken; t++)
        if (random_chance(random, 30)) make_call(world, &world->taken[t], t);
}

/* ---- member sets, and a virtual cube over the virtual cube ---- */

void world_add_sets(struct world *world)
{
    struct random *random = &world->random;
    const struct world_cube *cube = &world->cubes[world->sources[0].cube];
    for (unsigned i = 0; i < WORLD_SETS && random_chance(random, 50); i++) {
        struct world_set *set = &world->sets[world->nsets];
        unsigned wanted = 1 + random_below(random, 3);
        *set = (struct world_set){.dimension =
                                      cube->dimensions[random_below(random, cube->ndimensions)],
                                  .is_negated = random_chance(random, 30)};
        unsigned number = 0;
        while (cube->dimensions[number] != set->dimension)
            number++;
        /* Members that the first load has: it would be refused otherwise. */
        size_t nknown = set->dimension->has_table ? set->dimension->nold : cube->nold;
        set->level = random_below(random, set->dimension->nlevels);
        snprintf(set->name, sizeof set->name, "set%u", i);
        for (unsigned k = 0; k < wanted && nknown > 0; k++) {
            uint32_t leaf = random_below(random, (unsigned)nknown);
            if (!set->dimension->has_table) leaf = cube->facts[leaf].leaves[number];
            const char *key = set->dimension->leaves[leaf].keys[set->level];
            if (!world_has_member(set->dimension, &set->dimension->leaves[leaf], set->level))
                key = NULL;
            if (key != NULL && *key != '\0') set->keys[set->nkeys++] = key;
        }
        world->nsets += set->nkeys > 0;
    }
}

void world_add_nested(struct world *world, unsigned nfacts_max)
{
    struct random *random = &world->random;
    struct world_source *nested = &world->nested;
    const struct world_cube *primary = &world->cubes[world->sources[0].cube];
    if (random_chance(random, 40)) return;
    world_add_cube(world, nfacts_max);
    *nested = (struct world_source){.alias = "k", .cube = world->ncubes - 1};
    nested->kind = random_below(random, 4);
    nested->unmatched = nested->kind >= VC_JOIN_RIGHT ? VC_UNMATCHED_BUCKET : VC_UNMATCHED_DROP;
    if (random_chance(random, 40)) nested->unmatched = random_below(random, 3);
    while (nested->npairs == 0)
        world_make_pairs(world, primary, &world->cubes[nested->cube], nested);
    for (unsigned d = 0; d < WORLD_DIMENSIONS; d++) {
        nested->others[d] = random_below(random, 3);
        world->nested_others[d] = random_below(random, 3);
    }
    world->has_nested = true;
}

/* ---- dimensions put together ---- */

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* By the key where both have keys, otherwise by the path. */
static uint32_t find_united(struct world_dimension *united, const struct world_leaf *leaf)
{
    for (uint32_t i = 0; i < united->nleaves; i++) {
        bool is_same = united->has_table ? is_same_text(united->leaves[i].key, leaf->key) : true;
        for (unsigned l = 0; l < united->nlevels && !united->has_table; l++)
            is_same &= is_same_text(united->leaves[i].keys[l], leaf->keys[l]);
        if (is_same) return i;
    }
    struct world_leaf *new = &united->leaves[united->nleaves];
    *new = *leaf;
    new->code = new->top = new->days = NULL;
    if (!united->has_table) new->key = NULL;
    return (uint32_t)united->nleaves++;
}

static void unite(struct world *world, struct world_dimension *const parts[2])
{
    struct world_dimension *united = VC_ARENA_NEW(&world->arena, struct world_dimension, 1);
    strcpy(united->name, "united");
    united->nlevels = parts[0]->nlevels;
    united->has_table = parts[0]->has_table && parts[1]->has_table;
    united->leaves =
        VC_ARENA_NEW(&world->arena, struct world_leaf, parts[0]->nleaves + parts[1]->nleaves + 1);
    for (unsigned i = 0; i < 2; i++) {
        world->united_leaves[i] = VC_ARENA_NEW(&world->arena, uint32_t, parts[i]->nleaves + 1);
        for (size_t leaf = 0; leaf < parts[i]->nleaves; leaf++)
            world->united_leaves[i][leaf] = find_united(united, &parts[i]->leaves[leaf]);
    }
    united->nold = united->nleaves;
    world->united = united;
    world->has_united = true;
}

void world_add_united(struct world *world)
{
    const struct world_cube *cubes[2];
    if (world->nsources < 3 || world->sources[1].cube == world->sources[2].cube) return;
    for (unsigned i = 0; i < 2; i++)
        cubes[i] = &world->cubes[world->sources[i + 1].cube];
    for (unsigned a = 0; a < cubes[0]->ndimensions; a++)
        for (unsigned b = 0; b < cubes[1]->ndimensions && !world->has_united; b++) {
            struct world_dimension *const parts[2] = {cubes[0]->dimensions[a],
                                                      cubes[1]->dimensions[b]};
            if (parts[0] == parts[1] || parts[0]->is_shared || parts[1]->is_shared ||
                parts[0]->nlevels != parts[1]->nlevels ||
                (parts[0]->has_code && parts[1]->has_code) ||
                (parts[0]->has_top && parts[1]->has_top) || is_mapped(&world->sources[1], a) ||
                is_mapped(&world->sources[2], b))
                continue;
            unite(world, parts);
            world->united_of[0] = a;
            world->united_of[1] = b;
            world->sources[1].others[a] = world->sources[2].others[b] = VC_UNRELATED_DEFAULT;
        }
}

/* Can others be joined through the dimension of v's primary? Its sources must stand at leaves
 * there, and count whole facts. */
static bool is_plain(const struct world *world, unsigned dimension)
{
    const struct world_dimension *stored =
        world->cubes[world->sources[0].cube].dimensions[dimension];
    for (unsigned s = 1; s < world->nsources; s++) {
        const struct world_source *source = &world->sources[s];
        for (unsigned i = 0; i < source->npairs; i++) {
            const struct world_pair *pair = &source->pairs[i];
            bool is_leaf =
                pair->index == INDEX_CODE || (pair->index == INDEX_KEY && stored->has_table);
            if (pair->dimension == dimension && pair->constant == NULL && !is_leaf) return false;
            if (pair->dimension == dimension &&
                (source->mode != VC_MODE_DEFAULT || source->is_fanout_weighted))
                return false;
        }
    }
    return true;
}

static unsigned any_index(struct random *random, const struct world_dimension *dimension)
{
    if (dimension->has_code && random_chance(random, 50)) return INDEX_CODE;
    if (dimension->has_top && random_chance(random, 20)) return INDEX_TOP;
    return random_chance(random, 30) ? INDEX_KEY
                                     : INDEX_LEVEL + random_below(random, dimension->nlevels);
}

void world_add_outer(struct world *world)
{
    struct random *random = &world->random;
    struct world_source *outer = &world->outer;
    struct world_pair *pair = &outer->pairs[0];
    const struct world_cube *joined = &world->cubes[world->sources[0].cube];
    if (!world->has_nested) return;
    const struct world_cube *primary = &world->cubes[world->nested.cube];
    pair->dimension = random_below(random, primary->ndimensions);
    pair->to_dimension = random_below(random, joined->ndimensions);
    if (!is_plain(world, pair->to_dimension)) return;
    pair->index = any_index(random, primary->dimensions[pair->dimension]);
    pair->to_index = any_index(random, joined->dimensions[pair->to_dimension]);
    if (random_chance(random, 40)) pair->steps = random_below(random, 8);
    strcpy(outer->alias, "v");
    outer->npairs = 1;
    outer->kind = random_below(random, 4);
    outer->unmatched = outer->kind >= VC_JOIN_RIGHT ? VC_UNMATCHED_BUCKET : VC_UNMATCHED_DROP;
    if (random_chance(random, 30)) outer->unmatched = random_below(random, 2);
    world->has_outer = true;
}
