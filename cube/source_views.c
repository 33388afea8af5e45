#include "cube/source_views.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A view is filled by one thread, which verifies the chunk; the others wait for it. */
enum { EMPTY, FILLING, FILLED };

struct view {
    atomic_int state;
    vc_chunk chunk;
};

struct column {
    _Atomic(struct view *) views; /* [nsegments] */
    _Atomic(vc_zone *) zones;     /* [nsegments] */
};

struct vc_source_views {
    pthread_mutex_t lock; /* for making the arrays of a column */
    size_t ncolumns;
    struct column columns[];
};

vc_status vc_source_views_new(const vc_source_cube *cube, vc_source_views **views_out,
                              vc_error *error)
{
    size_t ncolumns = cube->ndimensions + cube->ncolumns;
    vc_source_views *views = calloc(1, sizeof *views + ncolumns * sizeof views->columns[0]);
    if (views == NULL) return vc_no_memory(error);
    pthread_mutex_init(&views->lock, NULL);
    views->ncolumns = ncolumns;
    *views_out = views;
    return VC_OK;
}

void vc_source_views_free(vc_source_views *views)
{
    if (views == NULL) return;
    for (size_t i = 0; i < views->ncolumns; i++) {
        free(atomic_load(&views->columns[i].views));
        free(atomic_load(&views->columns[i].zones));
    }
    pthread_mutex_destroy(&views->lock);
    free(views);
}

static struct column *find_column(const vc_source_cube *cube, uint16_t column)
{
    size_t number =
        column < VC_COLUMN_MEASURE ? column : cube->ndimensions + column - VC_COLUMN_MEASURE;
    return &cube->views->columns[number];
}

/* ---- chunks ---- */

static struct view *find_views(const vc_source_cube *cube, struct column *column)
{
    struct view *views = atomic_load_explicit(&column->views, memory_order_acquire);
    if (views != NULL) return views;
    pthread_mutex_lock(&cube->views->lock);
    views = atomic_load(&column->views);
    if (views == NULL) {
        views = calloc((size_t)cube->nsegments + 1, sizeof *views);
        atomic_store_explicit(&column->views, views, memory_order_release);
    }
    pthread_mutex_unlock(&cube->views->lock);
    return views;
}

vc_status vc_source_cube_view(const vc_source_cube *cube, const vc_snapshot *snapshot,
                              uint16_t column, uint32_t segment, const vc_chunk **chunk_out,
                              vc_error *error)
{
    struct view *views = find_views(cube, find_column(cube, column));
    if (views == NULL) return vc_no_memory(error);
    struct view *view = &views[segment];
    for (;;) {
        int state = atomic_load_explicit(&view->state, memory_order_acquire);
        if (state == FILLED) break;
        if (state == FILLING) {
            sched_yield();
            continue;
        }
        if (!atomic_compare_exchange_strong(&view->state, &state, FILLING)) continue;
        vc_status status =
            vc_source_cube_chunk(cube, snapshot, column, segment, &view->chunk, error);
        atomic_store_explicit(&view->state, status == VC_OK ? FILLED : EMPTY, memory_order_release);
        if (status != VC_OK) return status;
    }
    *chunk_out = &view->chunk;
    return VC_OK;
}

/* ---- zones ---- */

/* The zones of all runs, one after the other. */
static vc_status read_zones(const vc_source_cube *cube, const vc_snapshot *snapshot,
                            uint16_t column, vc_zone *zones, vc_error *error)
{
    vc_arena work = {0};
    vc_status status = VC_OK;
    size_t count = 0;
    for (size_t i = 0; i < cube->nruns && status == VC_OK; i++) {
        const vc_zone *run;
        uint32_t nsegments;
        status = vc_snapshot_zones(snapshot, cube->object_id, cube->runs[i].generation, column,
                                   &work, &run, &nsegments, error);
        if (status == VC_OK && nsegments != cube->runs[i].nsegments)
            status = vc_fail(error, VC_CORRUPT, "storage_damaged",
                             "cube '%.*s': column %u has %u segments, its manifest says %u",
                             VC_FMT(cube->name), column, nsegments, cube->runs[i].nsegments);
        if (status == VC_OK) memcpy(zones + count, run, nsegments * sizeof *run);
        count += cube->runs[i].nsegments;
    }
    vc_arena_release(&work);
    return status;
}

vc_status vc_source_cube_zones(const vc_source_cube *cube, const vc_snapshot *snapshot,
                               uint16_t column, const vc_zone **zones_out, vc_error *error)
{
    struct column *of = find_column(cube, column);
    vc_zone *zones = atomic_load_explicit(&of->zones, memory_order_acquire);
    vc_status status = VC_OK;
    if (zones == NULL) {
        pthread_mutex_lock(&cube->views->lock);
        zones = atomic_load(&of->zones);
        if (zones == NULL) {
            zones = malloc(((size_t)cube->nsegments + 1) * sizeof *zones);
            status = zones == NULL ? vc_no_memory(error)
                                   : read_zones(cube, snapshot, column, zones, error);
            if (status == VC_OK)
                atomic_store_explicit(&of->zones, zones, memory_order_release);
            else
                free(zones);
        }
        pthread_mutex_unlock(&cube->views->lock);
    }
    *zones_out = zones;
    return status;
}
