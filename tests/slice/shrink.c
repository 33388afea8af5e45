#include "tests/slice/shrink.h"

#include <string.h>

/* ---- the query ---- */

/* Without the item at `at`; the array is copied, because the query's own is shared. */
static const void *without(vc_arena *arena, const void *items, size_t size, size_t count, size_t at)
{
    char *copy = vc_arena_alloc(arena, count * size + 1);
    memcpy(copy, items, at * size);
    memcpy(copy + at * size, (const char *)items + (at + 1) * size, (count - at - 1) * size);
    return copy;
}

#define DROP_EACH(list, count)                                                                     \
    for (size_t i = query->count; i-- > 0;) {                                                      \
        vc_query smaller = *query;                                                                 \
        smaller.list = without(arena, query->list, sizeof *query->list, query->count, i);          \
        smaller.count--;                                                                           \
        if (fails(context, &smaller)) {                                                            \
            *query = smaller;                                                                      \
            has_shrunk = true;                                                                     \
        }                                                                                          \
    }

void shrink_query(vc_query *query, const struct oracle *oracle,
                  bool (*fails)(void *context, const vc_query *query), void *context,
                  vc_arena *arena)
{
    bool has_shrunk = true;
    if (query->nmeasures == 0 && oracle != NULL) { /* all, by name */
        vc_measure_ref *measures = VC_ARENA_NEW(arena, vc_measure_ref, 64);
        for (unsigned m = 0; m < oracle_nmeasures(oracle); m++)
            measures[query->nmeasures++].name = vc_str_of(oracle_measure_name(oracle, m));
        query->measures = measures;
    }
    while (has_shrunk) {
        has_shrunk = false;
        DROP_EACH(conditions, nconditions)
        DROP_EACH(totals, ntotals)
        DROP_EACH(havings, nhavings)
        DROP_EACH(orders, norders)
        DROP_EACH(tops, ntops)
        DROP_EACH(nonempty, nnonempty)
        if (query->nmeasures > 1) DROP_EACH(measures, nmeasures)
        if (query->ntotals + query->norders + query->ntops + query->nnonempty == 0)
            DROP_EACH(axes, naxes)
        if (query->limit != UINT64_MAX || query->offset > 0) {
            vc_query smaller = *query;
            smaller.limit = UINT64_MAX;
            smaller.offset = 0;
            if (fails(context, &smaller)) {
                *query = smaller;
                has_shrunk = true;
            }
        }
    }
}

/* ---- the facts ---- */

static bool is_known_without(const struct world_cube *cube, size_t first, size_t end)
{
    for (unsigned d = 0; d < cube->ndimensions; d++) {
        if (cube->dimensions[d]->has_table) continue;
        for (size_t leaf = 0; leaf < cube->dimensions[d]->nleaves; leaf++) {
            bool is_known = false;
            for (size_t i = 0; i < cube->nfacts && !is_known; i++)
                is_known = (i < first || i >= end) && cube->facts[i].leaves[d] == leaf;
            if (!is_known) return false;
        }
    }
    return true;
}

static void drop_facts(struct world *world, struct world_cube *cube, size_t first, size_t end)
{
    struct world_fact *facts = VC_ARENA_NEW(&world->arena, struct world_fact, cube->nfacts + 1);
    size_t nfacts = 0, nold = 0;
    for (size_t i = 0; i < cube->nfacts; i++) {
        if (i >= first && i < end) continue;
        nold += i < cube->nold;
        facts[nfacts++] = cube->facts[i];
    }
    cube->facts = facts;
    cube->nfacts = nfacts;
    cube->nold = nold;
}

void shrink_facts(struct world *world, bool (*fails)(void *context), void *context,
                  unsigned max_tries)
{
    unsigned ntries = 0;
    for (unsigned c = 0; c < world->ncubes; c++) {
        struct world_cube *cube = &world->cubes[c];
        for (size_t run = cube->nfacts; run > 0; run /= 2)
            for (size_t first = 0; first < cube->nfacts;) {
                size_t end = first + run < cube->nfacts ? first + run : cube->nfacts;
                struct world_cube before = *cube;
                if (!is_known_without(cube, first, end)) {
                    first = end;
                    continue;
                }
                if (ntries++ == max_tries) return;
                drop_facts(world, cube, first, end);
                if (fails(context)) continue;
                *cube = before;
                first = end;
            }
    }
}
