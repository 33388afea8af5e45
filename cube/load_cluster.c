/* The order in which facts are stored: which dimensions, and sorting a window by them.
 *
 * A keyed dimension's leaves are ranks already; of a level the member of each leaf is kept from its
 * image. A built dimension is numbered only at the end, but in which order its rows will be is
 * known of those that are there (vc_dimension_builder_rank), so a window needs not wait for it.
 */
#include "base/nearest.h"
#include "cube/load_parts.h"

#include <string.h>

/* ---- which dimensions ---- */

vc_status vc_load_list_cluster(const vc_cube_def *cube, vc_arena *arena, vc_load_order *order,
                               vc_error *error)
{
    size_t room = cube->has_cluster ? cube->ncluster : 1; /* one: the default */
    order->items = VC_ARENA_NEW(arena, vc_order_item, room);
    if (order->items == NULL) return vc_no_memory(error);
    order->nitems = cube->ncluster;
    for (size_t i = 0; i < cube->ncluster; i++)
        order->items[i] = (vc_order_item){
            .dimension = cube->cluster[i].dimension, .level = -1, .text = cube->cluster[i].text};
    return VC_OK;
}

static bool has_derived_level(const vc_dimension_def *dimension)
{
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            if (dimension->hierarchies[h].levels[l].part != VC_TIME_NONE) return true;
        }
    }
    return false;
}

bool vc_load_is_default_order(const vc_cube_def *cube, const vc_load_order *order,
                              const vc_dimension_def *dimension)
{
    return !cube->has_cluster && order->nitems == 0 &&
           (dimension->is_time || has_derived_level(dimension));
}

static vc_status fail_level(const vc_definition *definition, const vc_cluster_def *written,
                            const vc_dimension_def *dimension, vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, written->level);
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++)
            vc_nearest_offer(&nearest, dimension->hierarchies[h].levels[l].name);
    }
    vc_fail(error, VC_BAD_INPUT, "unknown_level", "no level named '%.*s'", VC_FMT(written->level));
    vc_nearest_report(&nearest, error);
    return vc_loader_place(definition, error, "%.*s", VC_FMT(written->pointer));
}

/* The first level of that name: of the main hierarchy, if it has one. */
static bool find_level(const vc_dimension_def *dimension, vc_str name, vc_order_item *item)
{
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            if (!vc_str_equal(dimension->hierarchies[h].levels[l].name, name)) continue;
            item->hierarchy = (unsigned)h;
            item->level = (int)l;
            return true;
        }
    }
    return false;
}

vc_status vc_load_find_order_levels(const vc_definition *definition, size_t number,
                                    const vc_dimension_def *dimension, vc_load_order *order,
                                    vc_error *error)
{
    const vc_cube_def *cube = &definition->as.cube;
    for (size_t i = 0; i < cube->ncluster; i++) {
        const vc_cluster_def *written = &cube->cluster[i];
        if (written->dimension != number || vc_str_is_null(written->level)) continue;
        if (!find_level(dimension, written->level, &order->items[i]))
            return fail_level(definition, written, dimension, error);
    }
    return VC_OK;
}

vc_status vc_load_keep_ranks(const vc_dimension *dimension, size_t number, vc_load_order *order,
                             vc_arena *arena, vc_error *error)
{
    for (size_t i = 0; i < order->nitems; i++) {
        vc_order_item *item = &order->items[i];
        if (item->dimension != number) continue;
        item->nranks = dimension->nleaves;
        if (item->level < 0) continue;
        const vc_level *level = &dimension->hierarchies[item->hierarchy].levels[item->level];
        uint32_t *ranks = VC_ARENA_NEW(arena, uint32_t, dimension->nleaves);
        if (ranks == NULL) return vc_no_memory(error);
        vc_numbers_copy(level->leaf_members, 0, dimension->nleaves, ranks);
        item->nranks = level->nmembers;
        item->ranks = ranks;
    }
    return VC_OK;
}

/* ---- a window ---- */

typedef struct rank_work {
    const vc_window *window;
    size_t column;
    const uint32_t *ranks; /* of the cells; NULL: they are ranks */
    uint32_t *ranks_out;   /* [rows of the window] */
} rank_work;

static void fill_ranks(void *context, size_t segment, unsigned thread)
{
    (void)thread;
    const rank_work *work = context;
    uint32_t first = (uint32_t)segment * VC_SEGMENT_ROWS;
    uint32_t left = vc_window_nrows(work->window) - first;
    vc_window_get_ranks(work->window, work->column, work->ranks, first,
                        left < VC_SEGMENT_ROWS ? left : VC_SEGMENT_ROWS, work->ranks_out + first);
}

typedef struct sort_job { /* of the sorter, as the crew runs it */
    void (*job)(void *context, size_t number);
    void *context;
} sort_job;

static void run_sort_job(void *context, size_t number, unsigned thread)
{
    (void)thread;
    const sort_job *work = context;
    work->job(work->context, number);
}

static void run_by_crew(void *crew, size_t njobs, void (*job)(void *context, size_t number),
                        void *context)
{
    sort_job work = {job, context};
    vc_crew_run(crew, njobs, run_sort_job, &work);
}

static vc_status sort_by_item(vc_load_order *order, const vc_order_item *item,
                              const vc_window *window, vc_crew *crew, vc_error *error)
{
    vc_arena arena = {0};
    uint32_t nrows = vc_window_nrows(window), nranks = item->nranks;
    rank_work work = {.window = window,
                      .column = item->dimension,
                      .ranks = item->ranks,
                      .ranks_out = order->cluster.ranks};
    vc_status status = VC_OK;
    if (item->builder != NULL)
        status = vc_dimension_builder_rank(item->builder, item->hierarchy, item->level, &arena,
                                           &work.ranks, &nranks, error);
    if (status == VC_OK) {
        vc_crew_run(crew, (nrows + VC_SEGMENT_ROWS - 1) / VC_SEGMENT_ROWS, fill_ranks, &work);
        vc_cluster_by(&order->cluster, nranks);
    }
    vc_arena_release(&arena);
    return status;
}

vc_status vc_load_sort_window(vc_load_order *order, const vc_window *window, vc_crew *crew,
                              unsigned nthreads, const uint32_t **order_out, vc_error *error)
{
    *order_out = NULL;
    if (order->nitems == 0 || vc_window_nrows(window) < 2) return VC_OK;
    order->cluster.run = run_by_crew;
    order->cluster.run_context = crew;
    order->cluster.nparts = nthreads;
    vc_status status = vc_cluster_begin(&order->cluster, vc_window_nrows(window), error);
    for (size_t i = order->nitems; status == VC_OK && i > 0; i--)
        status = sort_by_item(order, &order->items[i - 1], window, crew, error);
    if (status == VC_OK) *order_out = vc_cluster_finish(&order->cluster);
    return status;
}
