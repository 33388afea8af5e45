#include "tests/slice/hiding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- cuts ---- */

static void put_key(vc_buffer *out, const char *key)
{
    for (const char *at = key == NULL ? "" : key; *at != '\0'; at++) {
        if (strchr("|:;,-!@/#.\\ ()", *at) != NULL) vc_buffer_put_text(out, "\\");
        vc_buffer_put_char(out, *at);
    }
}

/* Members by path, or "key,key". Returns how many were put. */
static unsigned choose_paths(struct hiding *in, const struct world_dimension *dimension,
                             unsigned nitems, bool *seen, vc_buffer *cut)
{
    struct random *random = &in->world->random;
    unsigned nput = 0;
    for (unsigned i = 0; i < nitems; i++) {
        const struct world_leaf *leaf =
            &dimension->leaves[random_below(random, (unsigned)dimension->nleaves)];
        const char *path[WORLD_LEVELS];
        unsigned nkeys =
            world_path(dimension, leaf, 1 + random_below(random, dimension->nlevels), path);
        vc_buffer_put_text(cut, nput++ > 0 ? ";" : "");
        for (unsigned k = 0; k < nkeys; k++) {
            vc_buffer_put_text(cut, k > 0 ? "," : "");
            put_key(cut, path[k]);
        }
        for (size_t l = 0; l < dimension->nleaves; l++)
            seen[l] |= world_is_under(dimension, &dimension->leaves[l], leaf, nkeys);
    }
    return nput;
}

/* Members of one level by their keys: a path may have several meanings where a hierarchy is not
 * even. */
static unsigned choose_keys(struct hiding *in, const struct world_dimension *dimension,
                            unsigned level, unsigned nitems, bool *seen, vc_buffer *cut)
{
    struct random *random = &in->world->random;
    unsigned nput = 0;
    for (unsigned i = 0; i < nitems; i++) {
        const struct world_leaf *leaf =
            &dimension->leaves[random_below(random, (unsigned)dimension->nleaves)];
        if (!world_has_member(dimension, leaf, level) || leaf->keys[level] == NULL ||
            *leaf->keys[level] == '\0')
            continue;
        vc_buffer_put_text(cut, nput++ > 0 ? ";" : "");
        put_key(cut, leaf->keys[level]);
        for (size_t l = 0; l < dimension->nleaves; l++)
            seen[l] |= world_has_member(dimension, &dimension->leaves[l], level) &&
                       dimension->leaves[l].keys[level] != NULL &&
                       strcmp(dimension->leaves[l].keys[level], leaf->keys[level]) == 0;
    }
    return nput;
}

/* Some members of a dimension, and which leaves they are. */
static bool *choose_leaves(struct hiding *in, const struct world_dimension *dimension,
                           const char *name, vc_buffer *cut)
{
    struct random *random = &in->world->random;
    bool *seen = VC_ARENA_NEW(in->arena, bool, dimension->nleaves + 1);
    bool is_negated = random_chance(random, 30);
    unsigned nitems = 1 + random_below(random, 3), nput, level;
    vc_buffer_put_text(cut, is_negated ? "!" : "");
    if (world_is_even(dimension)) {
        vc_buffer_printf(cut, "%s:", name);
        nput = choose_paths(in, dimension, nitems, seen, cut);
    } else {
        level = random_below(random, dimension->nlevels);
        vc_buffer_printf(cut, "%s.l%u:", name, level);
        nput = choose_keys(in, dimension, level, nitems, seen, cut);
    }
    if (nput == 0) return NULL;
    bool *whole = VC_ARENA_NEW(in->arena, bool, dimension->nleaves + 1);
    for (size_t l = 0; l < dimension->nleaves && is_negated; l++) /* wherever it stands */
        for (size_t other = 0; other < dimension->nleaves; other++)
            whole[l] |= seen[other] && dimension->leaves[other].first == dimension->leaves[l].first;
    for (size_t l = 0; l < dimension->nleaves && is_negated; l++)
        seen[l] = !whole[l];
    return seen;
}

static void meet(bool **set, const bool *more, size_t nleaves)
{
    if (*set == NULL) {
        *set = malloc(nleaves + 1);
        memset(*set, true, nleaves + 1);
    }
    for (size_t l = 0; l < nleaves; l++)
        (*set)[l] &= more[l];
}

/* ---- rights ---- */

/* Rights on source cubes. */
static void restrict_source(struct hiding *in, unsigned c, vc_buffer *cut)
{
    const struct world_cube *cube = &in->world->cubes[c];
    unsigned d = random_below(&in->world->random, cube->ndimensions);
    if (cube->dimensions[d]->is_shared || cube->dimensions[d]->nleaves == 0) return;
    bool *seen = choose_leaves(in, cube->dimensions[d], cube->dimensions[d]->name, cut);
    if (seen == NULL) {
        vc_buffer_clear(cut);
        return;
    }
    in->ncuts++;
    meet(&in->cubes[c].seen[d], seen, cube->dimensions[d]->nleaves);
}

/* What a source sees through a dimension of the virtual cube of which some leaves are seen. */
static void see_through(struct hiding *in, const struct source *source, unsigned s, unsigned d,
                        const struct dimension *dimension, const bool *seen)
{
    unsigned c = in->world->sources[s].cube;
    const struct world_cube *cube = &in->world->cubes[c];
    const struct place *place = &source->places[d];
    struct hiding_cube *hiding = &in->cubes[c];
    if (!place->is_there) return;
    if (!place->is_relation) {
        meet(&hiding->seen[place->of], seen, cube->dimensions[place->of]->nleaves);
        return;
    }
    bool *units = malloc(place->nunits + 1), *qs = calloc(place->nq + 1, 1);
    /* A member is seen whole or not at all; a leaf wherever it stands. */
    bool is_leaf = place->level == WORLD_LEVELS;
    memset(units, !is_leaf, place->nunits + 1);
    for (uint32_t l = 0; l < dimension->nleaves; l++)
        if (place->units[l] != NOWHERE && seen[l] == is_leaf) units[place->units[l]] = is_leaf;
    for (uint32_t l = 0; l < dimension->nleaves; l++)
        for (uint32_t q = 0; q < place->nq; q++)
            if (place->related[(size_t)l * place->nq + q] && place->units[l] != NOWHERE &&
                units[place->units[l]])
                qs[q] = true;
    for (unsigned k = 0; k < place->ncomponents; k++) {
        unsigned of = place->components[k];
        size_t nleaves = cube->dimensions[of]->nleaves;
        bool *leaves = calloc(nleaves + 1, 1);
        for (uint32_t q = 0; q < place->nq; q++)
            if (qs[q])
                leaves[place->ncomponents == 1 && place->tuples == NULL ? q : place->tuples[q][k]] =
                    true;
        for (size_t l = 0; l < nleaves; l++) /* facts know a leaf wherever it stands */
            for (size_t other = 0; other < nleaves && !leaves[l]; other++)
                leaves[l] = leaves[other] && cube->dimensions[of]->leaves[other].first ==
                                                 cube->dimensions[of]->leaves[l].first;
        meet(&hiding->seen[of], leaves, nleaves);
        free(leaves);
    }
    for (size_t f = 0; f < cube->nfacts && place->ncomponents > 1; f++) {
        uint32_t q = oracle_find_q(place, cube->facts[f].leaves);
        if (q == NOWHERE || !qs[q]) hiding->facts[f] = false;
    }
    free(units);
    free(qs);
}

static void see_dimension(struct hiding *in, const struct oracle *oracle, unsigned d,
                          const bool *seen)
{
    for (unsigned s = 0; s < oracle->nsources; s++)
        see_through(in, &oracle->sources[s], s, d, &oracle->dimensions[d], seen);
}

/* Rights on the virtual cube, and what those on the owners of its dimensions mean for others. */
static void restrict_virtual(struct hiding *in, vc_buffer *cut)
{
    const char *error;
    struct oracle *oracle = oracle_new(in->world, "v", &error);
    bool *chosen[ORACLE_DIMENSIONS] = {NULL};
    if (random_chance(&in->world->random, 70)) {
        unsigned d = random_below(&in->world->random, oracle->ndimensions);
        if (oracle->dimensions[d].stored->nleaves > 0)
            chosen[d] =
                choose_leaves(in, oracle->dimensions[d].stored, oracle->dimensions[d].name, cut);
        if (chosen[d] == NULL) vc_buffer_clear(cut);
        in->nvirtual += chosen[d] != NULL;
    }
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        const struct dimension *dimension = &oracle->dimensions[d];
        const bool *owner =
            in->cubes[in->world->sources[dimension->owner].cube].seen[dimension->owned];
        bool *both = NULL;
        if (owner != NULL) meet(&both, owner, dimension->nleaves);
        if (chosen[d] != NULL) meet(&both, chosen[d], dimension->nleaves);
        chosen[d] = both;
    }
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        in->is_closed[d] = chosen[d] != NULL;
        if (chosen[d] != NULL) see_dimension(in, oracle, d, chosen[d]);
        free(chosen[d]);
    }
    oracle_free(oracle);
}

static void start_hiding(struct hiding *in)
{
    for (unsigned c = 0; c < in->world->ncubes; c++) {
        struct hiding_cube *hiding = &in->cubes[c];
        *hiding = (struct hiding_cube){.facts = malloc(in->world->cubes[c].nfacts + 1)};
        memset(hiding->facts, true, in->world->cubes[c].nfacts + 1);
    }
}

void hiding_release(struct hiding *in)
{
    for (unsigned c = 0; c < in->world->ncubes; c++) {
        for (unsigned d = 0; d < WORLD_DIMENSIONS; d++)
            free(in->cubes[c].seen[d]);
        free(in->cubes[c].facts);
    }
}

static void put_cut(struct hiding *in, const vc_buffer *cut)
{
    if (cut->size > 0) {
        vc_buffer_put_text(&in->rights, "\"cut\": ");
        vc_buffer_put_json(&in->rights, (vc_str){cut->data, cut->size});
    }
    vc_buffer_put_text(&in->rights, "}");
}

void hiding_choose(struct hiding *in)
{
    struct world *world = in->world;
    vc_buffer cut = {0};
    start_hiding(in);
    vc_buffer_clear(&in->rights);
    vc_buffer_put_text(&in->rights, "{");
    for (unsigned c = 0; c < world->ncubes; c++) {
        vc_buffer_clear(&cut);
        if (random_chance(&world->random, 35)) restrict_source(in, c, &cut);
        vc_buffer_put_text(&in->rights, c > 0 ? ", " : "");
        vc_buffer_put_json(&in->rights, vc_str_of(world->cubes[c].name));
        vc_buffer_put_text(&in->rights, ": {");
        if (in->hides_sources)
            vc_buffer_printf(&in->rights, "\"access\": \"join\"%s", cut.size > 0 ? ", " : "");
        put_cut(in, &cut);
    }
    vc_buffer_clear(&cut);
    if (!in->is_of_sources) {
        restrict_virtual(in, &cut);
        vc_buffer_put_text(&in->rights, ", \"v\": {");
        put_cut(in, &cut);
    }
    vc_buffer_put_text(&in->rights, "}");
    vc_buffer_release(&cut);
}

/* ---- the world without what is hidden ---- */

/* A shared dimension has one table: it cannot be filtered for one cube and not for another. */
bool hiding_can_filter(const struct hiding *in)
{
    const struct world *world = in->world;
    /* Rows of a joined tree that stay because others are below them match nothing: the evaluator
     * counts them, and may make a bucket of them. */
    for (unsigned s = 1; s < world->nsources; s++)
        for (unsigned d = 0; d < world->cubes[world->sources[s].cube].ndimensions; d++)
            if (world->cubes[world->sources[s].cube].dimensions[d]->is_tree &&
                in->cubes[world->sources[s].cube].seen[d] != NULL)
                return false;
    for (unsigned a = 0; a < world->nsources; a++)
        for (unsigned b = 0; b < a; b++)
            if (world->sources[a].cube == world->sources[b].cube) return false;
    for (unsigned a = 0; a < world->ncubes; a++)
        for (unsigned b = 0; b < world->ncubes; b++)
            for (unsigned i = 0; i < world->cubes[a].ndimensions; i++)
                for (unsigned j = 0; j < world->cubes[b].ndimensions; j++) {
                    const struct world_dimension *dimension = world->cubes[a].dimensions[i];
                    const bool *x = in->cubes[a].seen[i], *y = in->cubes[b].seen[j];
                    if (dimension != world->cubes[b].dimensions[j]) continue;
                    if ((x == NULL) != (y == NULL)) return false;
                    if (x != NULL && memcmp(x, y, dimension->nleaves) != 0) return false;
                }
    return true;
}

/* In trees, the rows above. */
static void keep_parents(const struct world_dimension *dimension, bool *kept)
{
    bool is_more = dimension->is_tree;
    while (is_more) {
        is_more = false;
        for (size_t l = 0; l < dimension->nleaves; l++) {
            const char *parent = dimension->leaves[l].parent;
            for (size_t p = 0; kept[l] && parent != NULL && p < dimension->nleaves; p++) {
                if (kept[p] || strcmp(dimension->leaves[p].key, parent) != 0) continue;
                kept[p] = is_more = true;
            }
        }
    }
}

static bool is_seen(const struct world_dimension *dimension, const bool *seen, uint32_t leaf)
{
    for (size_t l = 0; l < dimension->nleaves; l++)
        if (seen[l] && dimension->leaves[l].first == dimension->leaves[leaf].first) return true;
    return false;
}

static void filter_facts(struct hiding *in, unsigned c)
{
    struct world_cube *cube = &in->world->cubes[c];
    struct hiding_cube *hiding = &in->cubes[c];
    size_t kept = 0;
    for (size_t f = 0; f < cube->nfacts; f++) {
        for (unsigned d = 0; d < cube->ndimensions; d++)
            if (hiding->seen[d] != NULL &&
                !is_seen(cube->dimensions[d], hiding->seen[d], cube->facts[f].leaves[d]))
                hiding->facts[f] = false;
        if (hiding->facts[f]) cube->facts[kept++] = cube->facts[f];
    }
    in->nfacts += (unsigned)cube->nfacts;
    in->nhidden += (unsigned)(cube->nfacts - kept);
    cube->nfacts = cube->nold = kept;
}

/* Which rows of a dimension are left: all cubes that have it agree. */
static bool *find_rows(struct hiding *in, const struct world_dimension *dimension)
{
    bool *kept = calloc(dimension->nleaves + 1, 1);
    for (unsigned c = 0; c < in->world->ncubes; c++) {
        const struct world_cube *cube = &in->world->cubes[c];
        for (unsigned d = 0; d < cube->ndimensions; d++) {
            if (cube->dimensions[d] != dimension) continue;
            for (size_t l = 0; l < dimension->nleaves && dimension->has_table; l++)
                kept[l] |= in->cubes[c].seen[d] == NULL || in->cubes[c].seen[d][l];
            for (size_t f = 0; f < cube->nfacts && !dimension->has_table; f++)
                kept[cube->facts[f].leaves[d]] = true;
        }
    }
    keep_parents(dimension, kept);
    return kept;
}

static void filter_dimension(struct hiding *in, struct world_dimension *dimension)
{
    size_t nleaves = dimension->nleaves, count = 0;
    bool *kept = find_rows(in, dimension);
    uint32_t *numbers = malloc((nleaves + 1) * sizeof *numbers);
    uint32_t *firsts = malloc((nleaves + 1) * sizeof *firsts); /* the place that is first now */
    struct world_leaf *leaves = VC_ARENA_NEW(&in->world->arena, struct world_leaf, nleaves + 1);
    memset(firsts, 0xFF, (nleaves + 1) * sizeof *firsts);
    for (size_t l = 0; l < nleaves; l++)
        if (kept[l] && firsts[dimension->leaves[l].first] == UINT32_MAX)
            firsts[dimension->leaves[l].first] = (uint32_t)l;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t l = 0; l < nleaves; l++) {
            bool is_first = kept[l] && firsts[dimension->leaves[l].first] == l;
            if (!kept[l] || is_first != (pass == 0)) continue;
            numbers[l] = (uint32_t)count;
            leaves[count++] = dimension->leaves[l];
        }
        if (pass == 0) dimension->nfirsts = count;
    }
    for (unsigned c = 0; c < in->world->ncubes; c++) {
        struct world_cube *cube = &in->world->cubes[c];
        for (unsigned d = 0; d < cube->ndimensions; d++)
            for (size_t f = 0; f < cube->nfacts && cube->dimensions[d] == dimension; f++) {
                uint32_t *leaf = &cube->facts[f].leaves[d];
                *leaf = numbers[firsts[dimension->leaves[*leaf].first]];
            }
    }
    for (size_t i = 0; i < count; i++)
        leaves[i].first = numbers[firsts[leaves[i].first]];
    dimension->leaves = leaves;
    dimension->nleaves = dimension->nold = count;
    free(kept);
    free(numbers);
    free(firsts);
}

static void filter_world(struct hiding *in)
{
    struct world *world = in->world;
    struct world_dimension *done[WORLD_CUBES * WORLD_DIMENSIONS];
    size_t ndone = 0;
    for (unsigned c = 0; c < world->ncubes; c++)
        filter_facts(in, c);
    for (unsigned c = 0; c < world->ncubes; c++)
        for (unsigned d = 0; d < world->cubes[c].ndimensions; d++) {
            struct world_dimension *dimension = world->cubes[c].dimensions[d];
            bool is_done = false;
            for (size_t i = 0; i < ndone; i++)
                is_done |= done[i] == dimension;
            if (is_done) continue;
            done[ndone++] = dimension;
            filter_dimension(in, dimension);
        }
}

/* Members that are made of facts may be gone with them: then what matched them is gone, too. */
static void close_joins(struct hiding *in)
{
    const char *error;
    struct oracle *oracle = oracle_new(in->world, "v", &error);
    if (oracle == NULL) return;
    hiding_release(in);
    start_hiding(in);
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        bool *all = malloc(oracle->dimensions[d].nleaves + 1);
        memset(all, true, oracle->dimensions[d].nleaves + 1);
        if (in->is_closed[d]) see_dimension(in, oracle, d, all);
        free(all);
    }
    oracle_free(oracle);
    filter_world(in);
}

void hiding_filter(struct hiding *in)
{
    filter_world(in);
    for (int i = 0; i < 4 && !in->is_of_sources; i++)
        close_joins(in);
}
