/* Compacting as a whole: a plan, then cube after cube into one load, then everything is published.
 *
 * The cubes are read from the load's own snapshot. What lies there in place (images, dictionaries)
 * is copied before it is put again, because putting may move the map.
 */
#include "cube/compact.h"

#include "cube/compact_parts.h"
#include "dimensions/renumber.h"

#include <string.h>
#include <time.h>

enum { PROGRESS_NS = 100 * 1000 * 1000 };

typedef struct compacting {
    const vc_compact_options *options;
    vc_loader loader; /* of which only what helpers of the loader need is set */
    vc_compact_plan plan;
    vc_crew *crew;
    unsigned nthreads;
    /* the cube that is being written: */
    vc_compact_plan_cube *planned;
    vc_arena arena;
    vc_object object;
    vc_rewrite_column *columns;
    vc_manifest manifest;
    vc_load_order order;
    int64_t progress_ns; /* when it was last told */
} compacting;

/* ---- progress ---- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void tell_progress(void *context, uint64_t nrows)
{
    compacting *work = context;
    const vc_source_cube *cube = work->planned->cube;
    int64_t now = now_ns();
    if (work->options->progress == NULL || now - work->progress_ns < PROGRESS_NS) return;
    work->progress_ns = now;
    vc_compact_progress progress = {
        .cube = cube->name.data, .nrows = nrows, .nrows_total = cube->nrows};
    work->options->progress(work->options->context, &progress);
}

/* ---- dimensions ---- */

static const uint32_t *copy_leaves(const uint32_t *leaves, uint32_t count, vc_arena *arena)
{
    uint32_t *copy = vc_arena_alloc(arena, count * sizeof *copy);
    if (copy != NULL && count > 0) memcpy(copy, leaves, count * sizeof *copy);
    return copy;
}

/* Put the image of a dimension, renumbered or as it is, and keep what the facts need of it. */
static vc_status put_dimension(compacting *work, size_t number, vc_error *error)
{
    vc_compact_plan_cube *planned = work->planned;
    const vc_source_cube *cube = planned->cube;
    uint16_t column = (uint16_t)(VC_COLUMN_IMAGE + number);
    vc_object stored = {.id = cube->object_id, .generation = cube->generation};
    vc_manifest_dimension *entry = &work->manifest.dimensions[number];
    vc_rewrite_column *facts = &work->columns[number];
    vc_arena arena = {0};
    vc_buffer buffer = {0};
    vc_str image;
    const vc_dimension *dimension;
    const uint32_t *leaves = NULL;
    vc_status status =
        vc_load_copy_image(&work->loader, &stored, column, &arena, &image, &dimension, error);
    if (status == VC_OK && planned->renumbers[number]) {
        status = vc_dimension_renumber(dimension, &arena, &buffer, &leaves, error);
        image = (vc_str){buffer.data, buffer.size};
        if (status == VC_OK) status = vc_dimension_open(image, &arena, &dimension, error);
    }
    if (status == VC_OK && leaves != NULL) {
        leaves = copy_leaves(leaves, dimension->nleaves, &work->arena);
        if (leaves == NULL) status = vc_no_memory(error);
    }
    if (status == VC_OK) {
        *facts = (vc_rewrite_column){
            .number = (uint16_t)number, .nleaves = dimension->nleaves, .leaves = leaves};
        entry->fingerprint = dimension->fingerprint;
        for (uint32_t leaf = 0; leaves != NULL && leaf < dimension->nleaves; leaf++)
            planned->report->nrenumbered += leaves[leaf] != leaf;
        status = vc_load_keep_ranks(dimension, number, &work->order, &work->arena, error);
    }
    if (status == VC_OK)
        status = vc_load_put_bytes(work->loader.load, &work->object, column, image.data, image.size,
                                   error);
    vc_buffer_release(&buffer);
    vc_arena_release(&arena);
    return status;
}

/* The renumbered image of a shared dimension, for its own object. */
static vc_status put_shared(compacting *work, const vc_compact_plan_shared *shared, vc_error *error)
{
    vc_object object, stored;
    vc_manifest manifest;
    vc_arena arena = {0};
    vc_buffer buffer = {0};
    vc_str image;
    const vc_dimension *dimension;
    const uint32_t *leaves;
    vc_load *load = work->loader.load;
    vc_status status =
        vc_snapshot_find(vc_load_snapshot(load), VC_KIND_DIMENSION, shared->name, &stored, error);
    if (status == VC_OK)
        status = vc_load_object(load, VC_KIND_DIMENSION, shared->name, &object, error);
    if (status == VC_OK) status = vc_manifest_read(&object, &arena, &manifest, error);
    if (status == VC_OK)
        status = vc_load_copy_image(&work->loader, &stored, VC_COLUMN_IMAGE, &arena, &image,
                                    &dimension, error);
    if (status == VC_OK) status = vc_dimension_renumber(dimension, &arena, &buffer, &leaves, error);
    image = (vc_str){buffer.data, buffer.size};
    if (status == VC_OK) status = vc_dimension_open(image, &arena, &dimension, error);
    if (status == VC_OK) {
        manifest.dimensions[0].fingerprint = dimension->fingerprint;
        status = vc_load_put_bytes(load, &object, VC_COLUMN_IMAGE, image.data, image.size, error);
    }
    if (status == VC_OK)
        status = vc_load_put_manifest(&work->loader, &object, &manifest, NULL, 0, error);
    vc_buffer_release(&buffer);
    vc_arena_release(&arena);
    return status;
}

/* ---- a cube ---- */

static vc_status put_dictionaries(compacting *work, vc_error *error)
{
    const vc_source_cube *cube = work->planned->cube;
    vc_status status = VC_OK;
    for (size_t i = 0; status == VC_OK && i < cube->ncolumns; i++) {
        uint16_t number = (uint16_t)(VC_COLUMN_DICTIONARY + i);
        vc_arena arena = {0};
        vc_str bytes;
        if (!cube->columns[i].is_dictionary) continue;
        status = vc_snapshot_bytes(vc_load_snapshot(work->loader.load), cube->object_id,
                                   cube->generation, number, &arena, &bytes, error);
        if (status == VC_OK) {
            bytes = vc_arena_str(&arena, bytes); /* out of the map */
            status = bytes.data == NULL ? vc_no_memory(error)
                                        : vc_load_put_bytes(work->loader.load, &work->object,
                                                            number, bytes.data, bytes.size, error);
        }
        vc_arena_release(&arena);
    }
    return status;
}

static vc_rewrite start_rewrite(compacting *work)
{
    const vc_source_cube *cube = work->planned->cube;
    for (size_t i = 0; i < cube->ncolumns; i++)
        work->columns[cube->ndimensions + i] =
            (vc_rewrite_column){.number = cube->columns[i].column,
                                .is_double = cube->columns[i].type == VC_VALUE_FLOAT};
    return (vc_rewrite){.load = work->loader.load,
                        .cube = cube,
                        .object = &work->object,
                        .ncolumns = cube->ndimensions + cube->ncolumns,
                        .columns = work->columns,
                        .order = &work->order,
                        .window_rows = work->options->window_rows,
                        .nthreads = work->nthreads,
                        .crew = work->crew,
                        .progress = tell_progress,
                        .context = work};
}

static vc_status put_manifest(compacting *work, uint32_t nsegments, vc_error *error)
{
    vc_fact_run run = {.generation = work->object.generation,
                       .nsegments = nsegments,
                       .nrows = work->manifest.nrows};
    vc_str *cluster = VC_ARENA_NEW(&work->arena, vc_str, work->order.nitems);
    if (cluster == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < work->order.nitems; i++)
        cluster[i] = work->order.items[i].text;
    work->manifest.nruns = nsegments > 0;
    work->manifest.runs = &run;
    work->manifest.ncluster = work->order.nitems;
    work->manifest.cluster = cluster;
    return vc_load_put_manifest(&work->loader, &work->object, &work->manifest, NULL, 0, error);
}

/* Facts, dictionaries and the manifest; then all of it is read again, as it will be. */
static vc_status put_cube(compacting *work, vc_error *error)
{
    vc_compact_cube *report = work->planned->report;
    vc_snapshot *preview = NULL;
    vc_rewrite rewrite = start_rewrite(work);
    vc_status status = vc_rewrite_facts(&rewrite, error);
    if (status == VC_OK) status = put_dictionaries(work, error);
    if (status == VC_OK) status = put_manifest(work, rewrite.nsegments, error);
    if (status == VC_OK) status = vc_load_preview(work->loader.load, &preview, error);
    if (status == VC_OK) status = vc_rewrite_check(&rewrite, preview, error);
    vc_snapshot_close(preview);
    report->is_rewritten = true;
    report->nruns_after = rewrite.nsegments > 0;
    report->nsegments_after = rewrite.nsegments;
    report->bytes_before = rewrite.bytes_before;
    report->bytes_after = rewrite.bytes_after;
    return status;
}

static vc_status compact_cube(compacting *work, vc_compact_plan_cube *planned, vc_error *error)
{
    const vc_source_cube *cube = planned->cube;
    work->planned = planned;
    work->arena = (vc_arena){0};
    work->order = planned->order;
    work->columns =
        VC_ARENA_NEW(&work->arena, vc_rewrite_column, cube->ndimensions + cube->ncolumns);
    vc_status status = work->columns == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK)
        status = vc_load_object(work->loader.load, VC_KIND_CUBE, cube->name, &work->object, error);
    if (status == VC_OK)
        status = vc_manifest_read(&work->object, &work->arena, &work->manifest, error);
    for (size_t d = 0; status == VC_OK && d < cube->ndimensions; d++)
        status = put_dimension(work, d, error);
    if (status == VC_OK) status = put_cube(work, error);
    vc_cluster_release(&work->order.cluster);
    vc_arena_release(&work->arena);
    return status;
}

/* ---- the whole ---- */

static vc_status compact_all(compacting *work, vc_error *error)
{
    vc_crew_plan crew = {.nthreads = work->options->nthreads, .nslots = 1};
    vc_status status = vc_crew_new(&crew, &work->crew, error);
    work->nthreads = vc_crew_count_threads(work->options->nthreads);
    for (size_t i = 0; status == VC_OK && i < work->plan.ncubes; i++)
        if (work->plan.cubes[i].is_rewritten)
            status = compact_cube(work, &work->plan.cubes[i], error);
    for (size_t i = 0; status == VC_OK && i < work->plan.nshared; i++)
        if (work->plan.shared[i].is_renumbered)
            status = put_shared(work, &work->plan.shared[i], error);
    vc_crew_free(work->crew);
    return status;
}

vc_status vc_store_compact(vc_store *store, const vc_str *names, size_t nnames,
                           const vc_compact_options *options, vc_arena *arena,
                           vc_compact_report *report_out, vc_error *error)
{
    vc_load *load;
    vc_arena plan_arena = {0};
    *report_out = (vc_compact_report){0};
    vc_status status = vc_load_begin(store, &load, error);
    if (status != VC_OK) return status;
    compacting work = {.options = options,
                       .loader = {.load = load},
                       .plan = {.snapshot = vc_load_snapshot(load), .arena = &plan_arena}};
    report_out->epoch = vc_snapshot_epoch(work.plan.snapshot);
    status =
        vc_compact_plan_make(&work.plan, names, nnames, options->force, arena, report_out, error);
    for (size_t i = 0; status == VC_OK && i < work.plan.ncubes; i++)
        report_out->nrewritten += work.plan.cubes[i].is_rewritten;
    bool has_work = status == VC_OK && report_out->nrewritten > 0;
    if (has_work) status = compact_all(&work, error);
    vc_compact_plan_release(&work.plan); /* views of the snapshot go before it does */
    vc_arena_release(&plan_arena);
    if (status == VC_OK && has_work) return vc_load_publish(load, &report_out->epoch, error);
    vc_load_abort(load);
    return status;
}
