/* What compacting has to do: which cubes gain something, and which images may be renumbered.
 *
 * Images are told apart by their fingerprints. All holders of one that is not depth first are
 * looked at together, because they are joined leaf by leaf as long as their images are the same.
 */
#include "cube/compact_parts.h"

#include "dimensions/renumber.h"

#include <stdlib.h>
#include <string.h>

typedef struct image { /* all that have the same fingerprint */
    uint64_t fingerprint;
    bool is_depth_first;
    vc_str why; /* it cannot be renumbered; absent when it can */
} image;

typedef struct planning {
    vc_compact_plan *plan;
    image *images;
    size_t nimages;
} planning;

/* ---- reading ---- */

static vc_status open_shared(vc_compact_plan *plan, const vc_object *object,
                             vc_compact_plan_shared *shared, vc_error *error)
{
    vc_manifest manifest;
    vc_status status = vc_manifest_read(object, plan->arena, &manifest, error);
    if (status != VC_OK) return status;
    shared->has_image = manifest.ndimensions > 0;
    if (shared->has_image) shared->fingerprint = manifest.dimensions[0].fingerprint;
    status = vc_manifest_definition(object, plan->arena, &shared->definition, error);
    if (status == VC_OK) shared->name = shared->definition->name;
    return status;
}

static vc_status open_all_shared(vc_compact_plan *plan, vc_error *error)
{
    vc_object *objects;
    size_t nobjects;
    vc_status status = vc_snapshot_list(plan->snapshot, VC_KIND_DIMENSION, plan->arena, &objects,
                                        &nobjects, error);
    if (status != VC_OK) return status;
    plan->shared = VC_ARENA_NEW(plan->arena, vc_compact_plan_shared, nobjects);
    if (plan->shared == NULL) return vc_no_memory(error);
    for (size_t i = 0; status == VC_OK && i < nobjects; i++) {
        status = open_shared(plan, &objects[i], &plan->shared[i], error);
        plan->nshared++;
    }
    return status;
}

static vc_compact_plan_shared *find_shared(const vc_compact_plan *plan, vc_str name)
{
    for (size_t i = 0; i < plan->nshared; i++)
        if (vc_str_equal(plan->shared[i].name, name)) return &plan->shared[i];
    return NULL;
}

static vc_status open_cube(vc_compact_plan *plan, vc_str name, vc_error *error)
{
    vc_compact_plan_cube *planned = &plan->cubes[plan->ncubes];
    vc_status status =
        vc_source_cube_open(plan->snapshot, name, plan->arena, &planned->cube, error);
    if (status != VC_OK) return status;
    plan->ncubes++;
    size_t n = planned->cube->ndimensions;
    planned->renumbers = VC_ARENA_NEW(plan->arena, bool, n);
    planned->shared = VC_ARENA_NEW(plan->arena, const vc_definition *, n);
    if (planned->renumbers == NULL || planned->shared == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < n; d++) {
        const vc_dimension_use *use = &planned->cube->definition->as.cube.dimensions[d];
        const vc_compact_plan_shared *shared =
            use->own != NULL ? NULL : find_shared(plan, use->shared);
        if (shared != NULL) planned->shared[d] = shared->definition;
    }
    return VC_OK;
}

static vc_status open_cubes(vc_compact_plan *plan, vc_error *error)
{
    vc_object *objects;
    size_t nobjects;
    vc_status status =
        vc_snapshot_list(plan->snapshot, VC_KIND_CUBE, plan->arena, &objects, &nobjects, error);
    if (status != VC_OK) return status;
    plan->cubes = VC_ARENA_NEW(plan->arena, vc_compact_plan_cube, nobjects);
    if (plan->cubes == NULL) return vc_no_memory(error);
    for (size_t i = 0; status == VC_OK && i < nobjects; i++) {
        vc_manifest manifest;
        status = vc_manifest_read(&objects[i], plan->arena, &manifest, error);
        if (status == VC_OK && manifest.kind == VC_DEFINITION_SOURCE)
            status = open_cube(plan, objects[i].name, error);
    }
    return status;
}

/* ---- images ---- */

static image *find_image(const planning *work, uint64_t fingerprint)
{
    for (size_t i = 0; i < work->nimages; i++)
        if (work->images[i].fingerprint == fingerprint) return &work->images[i];
    return NULL;
}

static void keep_image(const planning *work, image *of, const char *format, vc_str dimension,
                       vc_str cube)
{
    if (of == NULL || of->is_depth_first || !vc_str_is_null(of->why)) return;
    vc_buffer text = {0};
    vc_buffer_printf(&text, "'%.*s' is not renumbered: ", VC_FMT(dimension));
    vc_buffer_printf(&text, format, VC_FMT(cube));
    of->why = vc_arena_str(work->plan->arena, (vc_str){text.data, text.size});
    if (of->why.data == NULL) of->why = VC_STR("a dimension is not renumbered");
    vc_buffer_release(&text);
}

static void look_at_use(planning *work, const vc_compact_plan_cube *planned, size_t number)
{
    const vc_source_cube *cube = planned->cube;
    const vc_dimension_use *use = &cube->definition->as.cube.dimensions[number];
    uint64_t fingerprint = cube->dimensions[number]->fingerprint;
    image *of = find_image(work, fingerprint);
    if (!planned->is_named)
        keep_image(work, of, "cube '%.*s' has the same one, and must be compacted with it",
                   use->name, cube->name);
    const vc_compact_plan_shared *shared =
        use->own != NULL ? NULL : find_shared(work->plan, use->shared);
    if (shared == NULL || !shared->has_image || shared->fingerprint == fingerprint) return;
    const char *format = "cube '%.*s' has another version of the shared dimension; append to it, "
                         "or load it anew, first";
    keep_image(work, of, format, use->shared, cube->name);
    keep_image(work, find_image(work, shared->fingerprint), format, use->shared, cube->name);
}

static vc_status look_at_images(planning *work, vc_error *error)
{
    const vc_compact_plan *plan = work->plan;
    size_t nuses = 0;
    for (size_t i = 0; i < plan->ncubes; i++)
        nuses += plan->cubes[i].cube->ndimensions;
    work->images = VC_ARENA_NEW(plan->arena, image, nuses);
    if (work->images == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->ncubes; i++) {
        const vc_source_cube *cube = plan->cubes[i].cube;
        for (size_t d = 0; d < cube->ndimensions; d++) {
            const vc_dimension *dimension = cube->dimensions[d];
            if (find_image(work, dimension->fingerprint) != NULL) continue;
            work->images[work->nimages++] =
                (image){.fingerprint = dimension->fingerprint,
                        .is_depth_first = vc_dimension_is_depth_first(dimension)};
        }
    }
    for (size_t i = 0; i < plan->ncubes; i++)
        for (size_t d = 0; d < plan->cubes[i].cube->ndimensions; d++)
            look_at_use(work, &plan->cubes[i], d);
    return VC_OK;
}

/* ---- the order of facts ---- */

/* The first level of that name: of the main hierarchy, if it has one. */
static vc_status find_level(const vc_source_cube *cube, const vc_cluster_def *written,
                            vc_order_item *item, vc_error *error)
{
    const vc_dimension *dimension = cube->dimensions[item->dimension];
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            if (!vc_str_equal(dimension->hierarchies[h].levels[l].name, written->level)) continue;
            item->hierarchy = h;
            item->level = (int)l;
            return VC_OK;
        }
    return vc_fail(error, VC_CORRUPT, "storage_damaged",
                   "cube '%.*s' is to be sorted by '%.*s', but its dimension has no such level",
                   VC_FMT(cube->name), VC_FMT(written->text));
}

/* As a load does it; but of a shared dimension that is not there any more only the image tells
 * whether it is one of time. */
static bool is_default_order(const vc_compact_plan_cube *planned, size_t number,
                             const vc_load_order *order)
{
    const vc_cube_def *cube = &planned->cube->definition->as.cube;
    const vc_dimension_def *definition = cube->dimensions[number].own;
    if (definition == NULL && planned->shared[number] != NULL)
        definition = &planned->shared[number]->as.dimension;
    if (definition != NULL) return vc_load_is_default_order(cube, order, definition);
    return !cube->has_cluster && order->nitems == 0 && planned->cube->dimensions[number]->is_time;
}

static vc_status list_order(vc_compact_plan_cube *planned, vc_arena *arena, vc_error *error)
{
    const vc_source_cube *cube = planned->cube;
    vc_load_order *order = &planned->order;
    const vc_cube_def *definition = &cube->definition->as.cube;
    vc_status status = vc_load_list_cluster(definition, arena, order, error);
    for (size_t i = 0; status == VC_OK && i < definition->ncluster; i++)
        if (!vc_str_is_null(definition->cluster[i].level))
            status = find_level(cube, &definition->cluster[i], &order->items[i], error);
    for (size_t d = 0; status == VC_OK && d < cube->ndimensions; d++)
        if (is_default_order(planned, d, order))
            order->items[order->nitems++] =
                (vc_order_item){.dimension = d, .text = cube->dimension_names[d], .level = -1};
    return status;
}

static bool is_in_order(const vc_source_cube *cube, const vc_load_order *order)
{
    bool is_same = cube->ncluster == order->nitems;
    for (size_t i = 0; is_same && i < order->nitems; i++)
        is_same = vc_str_equal(cube->cluster[i], order->items[i].text);
    return is_same;
}

/* ---- deciding ---- */

static void add_note(vc_compact_cube *report, vc_str why, vc_arena *arena)
{
    if (report == NULL) return;
    report->note = vc_str_is_null(report->note)
                       ? vc_arena_str(arena, why)
                       : vc_arena_printf(arena, "%.*s; %.*s", VC_FMT(report->note), VC_FMT(why));
}

static vc_status decide(const planning *work, vc_compact_plan_cube *planned, bool is_forced,
                        vc_arena *arena, vc_error *error)
{
    const vc_source_cube *cube = planned->cube;
    vc_status status = list_order(planned, work->plan->arena, error);
    if (status != VC_OK) return status;
    planned->is_rewritten =
        is_forced || cube->nruns > 1 || (cube->nrows > 0 && !is_in_order(cube, &planned->order));
    for (size_t d = 0; d < cube->ndimensions; d++) {
        const image *of = find_image(work, cube->dimensions[d]->fingerprint);
        if (of->is_depth_first) continue;
        planned->renumbers[d] = vc_str_is_null(of->why);
        planned->is_rewritten |= planned->renumbers[d];
        if (!planned->renumbers[d]) add_note(planned->report, of->why, arena);
    }
    return VC_OK;
}

static void mark_shared(const planning *work)
{
    for (size_t i = 0; i < work->plan->nshared; i++) {
        vc_compact_plan_shared *shared = &work->plan->shared[i];
        const image *of = shared->has_image ? find_image(work, shared->fingerprint) : NULL;
        shared->is_renumbered = of != NULL && !of->is_depth_first && vc_str_is_null(of->why);
    }
}

/* ---- the report ---- */

static void start_report(const vc_source_cube *cube, vc_arena *arena, vc_compact_cube *report)
{
    *report = (vc_compact_cube){.name = vc_arena_str(arena, cube->name),
                                .nrows = cube->nrows,
                                .nruns_before = cube->nruns,
                                .nruns_after = cube->nruns,
                                .nsegments_before = cube->nsegments,
                                .nsegments_after = cube->nsegments};
}

static vc_compact_plan_cube *find_cube(const vc_compact_plan *plan, vc_str name)
{
    for (size_t i = 0; i < plan->ncubes; i++)
        if (vc_str_equal(plan->cubes[i].cube->name, name)) return &plan->cubes[i];
    return NULL;
}

static void name_cube(vc_compact_plan_cube *planned, vc_arena *arena, vc_compact_report *report)
{
    if (planned->is_named) return; /* given twice */
    planned->is_named = true;
    planned->report = &report->cubes[report->ncubes++];
    start_report(planned->cube, arena, planned->report);
}

static vc_status name_cubes(const vc_compact_plan *plan, const vc_str *names, size_t nnames,
                            vc_arena *arena, vc_compact_report *report, vc_error *error)
{
    size_t room = nnames > 0 ? nnames : plan->ncubes;
    report->cubes = VC_ARENA_NEW(arena, vc_compact_cube, room);
    if (report->cubes == NULL) return vc_no_memory(error);
    for (size_t i = 0; nnames == 0 && i < plan->ncubes; i++)
        name_cube(&plan->cubes[i], arena, report);
    for (size_t i = 0; i < nnames; i++) {
        vc_object object;
        vc_status status = vc_snapshot_find(plan->snapshot, VC_KIND_CUBE, names[i], &object, error);
        if (status != VC_OK) return status;
        vc_compact_plan_cube *planned = find_cube(plan, names[i]);
        if (planned != NULL)
            name_cube(planned, arena, report);
        else
            report->cubes[report->ncubes++] =
                (vc_compact_cube){.name = vc_arena_str(arena, names[i]), .is_virtual = true};
    }
    return VC_OK;
}

/* ---- the whole ---- */

vc_status vc_compact_plan_make(vc_compact_plan *plan, const vc_str *names, size_t nnames,
                               bool is_forced, vc_arena *arena, vc_compact_report *report,
                               vc_error *error)
{
    planning work = {.plan = plan};
    vc_status status = open_all_shared(plan, error);
    if (status == VC_OK) status = open_cubes(plan, error);
    if (status == VC_OK) status = name_cubes(plan, names, nnames, arena, report, error);
    if (status == VC_OK) status = look_at_images(&work, error);
    for (size_t i = 0; status == VC_OK && i < plan->ncubes; i++)
        if (plan->cubes[i].is_named)
            status = decide(&work, &plan->cubes[i], is_forced, arena, error);
    if (status == VC_OK) mark_shared(&work);
    return status;
}

void vc_compact_plan_release(vc_compact_plan *plan)
{
    for (size_t i = 0; i < plan->ncubes; i++)
        vc_source_cube_close(plan->cubes[i].cube);
    for (size_t i = 0; i < plan->nshared; i++)
        vc_definition_release(plan->shared[i].definition);
    *plan = (vc_compact_plan){0};
}
