#include "cube/source.h"

#include "base/nearest.h"
#include "cube/manifest.h"
#include "cube/source_views.h"
#include "dimensions/order.h"

#include <inttypes.h>
#include <stdio.h>

static vc_status fail_damaged(vc_str name, const char *what, vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "storage_damaged", "cube '%.*s': %s", VC_FMT(name), what);
}

/* ---- verifying ---- */

typedef struct image_check {
    const vc_snapshot *snapshot;
    vc_arena *arena;
    void (*found)(void *context, const char *sentence);
    void *context;
    uint64_t nimages, ndamaged;
    vc_error *error; /* of the first */
} image_check;

static vc_status check_image(image_check *work, const vc_object *object, size_t dimension,
                             vc_error *error)
{
    vc_str image;
    work->nimages++;
    vc_status status =
        vc_snapshot_bytes(work->snapshot, object->id, object->generation,
                          (uint16_t)(VC_COLUMN_IMAGE + dimension), work->arena, &image, error);
    return status == VC_OK ? vc_dimension_check(image, error) : status;
}

static vc_status check_images(image_check *work, const vc_object *object)
{
    vc_manifest manifest;
    vc_error problem = {0};
    vc_status status = vc_manifest_read(object, work->arena, &manifest, &problem);
    size_t ndimensions = status == VC_OK ? manifest.ndimensions : 1;
    for (size_t d = 0; d < ndimensions; d++) {
        if (status == VC_OK) status = check_image(work, object, d, &problem);
        if (status == VC_CORRUPT) {
            char sentence[600];
            vc_str name = vc_text_shorten(object->name, 100);
            snprintf(sentence, sizeof sentence, "the %s '%.*s', dimension %zu: %.400s",
                     vc_kind_name(object->kind), VC_FMT(name), d, problem.message);
            if (work->ndamaged++ == 0 && work->error != NULL) *work->error = problem;
            if (work->found != NULL) work->found(work->context, sentence);
            status = VC_OK;
        }
    }
    if (status != VC_OK && work->error != NULL) *work->error = problem;
    return status;
}

vc_status vc_source_cube_verify(vc_store *store, void (*found)(void *context, const char *sentence),
                                void *context, uint64_t *nimages_out, uint64_t *ndamaged_out,
                                vc_error *error)
{
    static const vc_kind kinds[] = {VC_KIND_CUBE, VC_KIND_DIMENSION};
    vc_snapshot *snapshot;
    vc_arena arena = {0};
    *nimages_out = *ndamaged_out = 0;
    vc_status status = vc_snapshot_open(store, &snapshot, error);
    if (status != VC_OK) return status;
    image_check work = {
        .snapshot = snapshot, .arena = &arena, .found = found, .context = context, .error = error};
    for (size_t k = 0; status == VC_OK && k < sizeof kinds / sizeof kinds[0]; k++) {
        vc_object *objects;
        size_t nobjects = 0;
        status = vc_snapshot_list(snapshot, kinds[k], &arena, &objects, &nobjects, error);
        for (size_t i = 0; status == VC_OK && i < nobjects; i++)
            status = check_images(&work, &objects[i]);
    }
    vc_arena_release(&arena);
    vc_snapshot_close(snapshot);
    *nimages_out = work.nimages;
    *ndamaged_out = work.ndamaged;
    return status == VC_OK && work.ndamaged > 0 ? VC_CORRUPT : status;
}

/* ---- opening ---- */

/* The images are opened where they lie; number of leaves and fingerprint say that they are those
 * the facts were numbered by. */
static vc_status open_dimensions(const vc_snapshot *snapshot, const vc_manifest *manifest,
                                 vc_arena *arena, vc_source_cube *cube, vc_error *error)
{
    size_t n = manifest->ndimensions;
    const vc_cube_def *definition = &cube->definition->as.cube;
    vc_str *names = VC_ARENA_NEW(arena, vc_str, n);
    bool *is_aggregatable = VC_ARENA_NEW(arena, bool, n);
    vc_str *default_members = VC_ARENA_NEW(arena, vc_str, n);
    const vc_dimension **dimensions = VC_ARENA_NEW(arena, const vc_dimension *, n);
    if (names == NULL || is_aggregatable == NULL || default_members == NULL || dimensions == NULL)
        return vc_no_memory(error);
    if (definition->ndimensions != n)
        return fail_damaged(cube->name, "its dimensions are not those of its definition", error);
    for (size_t d = 0; d < n; d++) {
        const vc_manifest_dimension *entry = &manifest->dimensions[d];
        vc_str image;
        vc_status status = vc_snapshot_bytes(snapshot, cube->object_id, cube->generation,
                                             (uint16_t)(VC_COLUMN_IMAGE + d), arena, &image, error);
        if (status == VC_OK) status = vc_dimension_open(image, arena, &dimensions[d], error);
        if (status != VC_OK) return status;
        if (dimensions[d]->nleaves != entry->nleaves ||
            dimensions[d]->fingerprint != entry->fingerprint)
            return fail_damaged(cube->name, "a dimension is not the one that was loaded", error);
        names[d] = definition->dimensions[d].name;
        is_aggregatable[d] = entry->is_aggregatable;
        default_members[d] = entry->default_member;
    }
    cube->ndimensions = n;
    cube->dimension_names = names;
    cube->dimensions = dimensions;
    cube->is_aggregatable = is_aggregatable;
    cube->default_members = default_members;
    return VC_OK;
}

static void take_facts(const vc_manifest *manifest, vc_source_cube *cube)
{
    cube->nrows = manifest->nrows;
    cube->nruns = manifest->nruns;
    cube->runs = manifest->runs;
    cube->ncluster = manifest->ncluster;
    cube->cluster = manifest->cluster;
    for (size_t i = 0; i < manifest->nruns; i++)
        cube->nsegments += manifest->runs[i].nsegments;
    cube->ncolumns = manifest->ncolumns;
    cube->columns = manifest->columns;
    cube->measure_columns = manifest->measure_columns;
}

vc_status vc_source_cube_open(const vc_snapshot *snapshot, vc_str name, vc_arena *arena,
                              vc_source_cube **cube_out, vc_error *error)
{
    vc_object object;
    vc_manifest manifest;
    vc_status status = vc_snapshot_find(snapshot, VC_KIND_CUBE, name, &object, error);
    if (status == VC_OK) status = vc_manifest_read(&object, arena, &manifest, error);
    if (status != VC_OK) return status;
    if (manifest.kind != VC_DEFINITION_SOURCE)
        return vc_fail(error, VC_NOT_FOUND, "unknown_cube",
                       "'%.*s' is a virtual cube: it has no facts of its own", VC_FMT(name));
    vc_source_cube *cube = VC_ARENA_NEW(arena, vc_source_cube, 1);
    if (cube == NULL) return vc_no_memory(error);
    vc_definition *definition = NULL;
    status = vc_manifest_definition(&object, arena, &definition, error);
    if (status != VC_OK) return status;
    cube->name = definition->name;
    cube->definition = definition;
    cube->object_id = object.id;
    cube->generation = object.generation;
    take_facts(&manifest, cube);
    if (definition->kind != VC_DEFINITION_SOURCE ||
        definition->as.cube.nmeasures != manifest.nmeasures)
        status = fail_damaged(name, "its measures are not those of its definition", error);
    else
        status = open_dimensions(snapshot, &manifest, arena, cube, error);
    if (status == VC_OK) status = vc_source_views_new(cube, &cube->views, error);
    if (status != VC_OK) {
        vc_definition_release(definition);
        return status;
    }
    *cube_out = cube;
    return VC_OK;
}

void vc_source_cube_close(vc_source_cube *cube)
{
    if (cube == NULL) return;
    vc_definition_release((vc_definition *)cube->definition);
    vc_source_views_free(cube->views);
    cube->definition = NULL;
    cube->views = NULL;
}

vc_status vc_source_cube_chunk(const vc_source_cube *cube, const vc_snapshot *snapshot,
                               uint16_t column, uint32_t segment, vc_chunk *chunk_out,
                               vc_error *error)
{
    uint32_t within = segment;
    for (size_t i = 0; i < cube->nruns; i++) {
        const vc_fact_run *run = &cube->runs[i];
        if (within < run->nsegments)
            return vc_snapshot_chunk(snapshot, cube->object_id, run->generation, column, within,
                                     chunk_out, error);
        within -= run->nsegments;
    }
    return vc_fail(error, VC_CORRUPT, "storage_damaged",
                   "cube '%.*s' has no segment %" PRIu32 ", only %" PRIu32, VC_FMT(cube->name),
                   segment, cube->nsegments);
}

int vc_source_cube_find_numbers(const vc_fact_column *columns, size_t ncolumns, vc_str name)
{
    for (size_t i = 0; i < ncolumns; i++) {
        const vc_fact_column *column = &columns[i];
        if (!column->is_dictionary && !column->is_presence && !column->is_computed &&
            vc_str_equal(column->name, name))
            return (int)i;
    }
    return -1;
}

vc_status vc_source_cube_find_dimension(const vc_source_cube *cube, vc_str name,
                                        size_t *dimension_out, vc_error *error)
{
    for (size_t d = 0; d < cube->ndimensions; d++) {
        if (vc_str_equal(cube->dimension_names[d], name)) {
            *dimension_out = d;
            return VC_OK;
        }
    }
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t d = 0; d < cube->ndimensions; d++)
        vc_nearest_offer(&nearest, cube->dimension_names[d]);
    vc_fail(error, VC_NOT_FOUND, "unknown_dimension", "cube '%.*s' has no dimension '%.*s'",
            VC_FMT(cube->name), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}
