#include "cube/dependency.h"

#include "base/buffer.h"
#include "cube/source.h"
#include "storage/store.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- what a definition names ---- */

typedef struct collector {
    vc_arena *arena;
    vc_dependency *items; /* NULL while only counting */
    size_t count;
    bool failed;
} collector;

__attribute__((format(printf, 4, 5))) static void collect(collector *to, vc_kind kind, vc_str name,
                                                          const char *format, ...)
{
    size_t number = to->count++;
    if (to->items == NULL) return;
    char pointer[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(pointer, sizeof pointer, format, arguments);
    va_end(arguments);
    to->items[number] = (vc_dependency){
        .kind = kind, .name = name, .pointer = vc_arena_str(to->arena, vc_str_of(pointer))};
    if (to->items[number].pointer.data == NULL) to->failed = true;
}

/* "NAME", or {"crosswalk": "NAME"}. */
static vc_str map_name(const json_t *map)
{
    return vc_json_str(json_is_object(map) ? json_object_get(map, "crosswalk") : map);
}

/* Steps that name a crosswalk: "map:NAME" and {"map": ...}. */
static void collect_steps(collector *to, const json_t *steps, const vc_on_def *on)
{
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        vc_str name = vc_json_str(step);
        if (vc_str_starts_with(name, VC_STR("map:")))
            name = (vc_str){.data = name.data + 4, .size = name.size - 4};
        else
            name = map_name(json_object_get(step, "map"));
        if (!vc_str_is_null(name))
            collect(to, VC_KIND_CROSSWALK, name, "%.*s/normalize", VC_FMT(on->pointer));
    }
}

static void collect_virtual(collector *to, const vc_virtual_def *cube)
{
    for (size_t s = 0; s < cube->nsources; s++) {
        const vc_source_def *source = &cube->sources[s];
        collect(to, VC_KIND_CUBE, source->cube, "%.*s/cube", VC_FMT(source->pointer));
        for (size_t i = 0; source->has_join && i < source->join.non; i++) {
            collect_steps(to, source->join.on[i].normalize_from, &source->join.on[i]);
            collect_steps(to, source->join.on[i].normalize_to, &source->join.on[i]);
        }
    }
}

static void collect_all(collector *to, const vc_definition *definition)
{
    if (definition->kind == VC_DEFINITION_VIRTUAL)
        collect_virtual(to, &definition->as.virtual_cube);
    if (definition->kind != VC_DEFINITION_SOURCE) return;
    const vc_cube_def *cube = &definition->as.cube;
    for (size_t d = 0; d < cube->ndimensions; d++) {
        if (cube->dimensions[d].own == NULL)
            collect(to, VC_KIND_DIMENSION, cube->dimensions[d].shared, "/dimensions/%zu/use", d);
    }
}

vc_status vc_definition_dependencies(const vc_definition *definition, vc_arena *arena,
                                     vc_dependency **dependencies_out, size_t *ndependencies_out,
                                     vc_error *error)
{
    collector to = {.arena = arena};
    collect_all(&to, definition);
    to.items = VC_ARENA_NEW(arena, vc_dependency, to.count);
    if (to.items == NULL) return vc_no_memory(error);
    to.count = 0;
    collect_all(&to, definition);
    if (to.failed) return vc_no_memory(error);
    *dependencies_out = to.items;
    *ndependencies_out = to.count;
    return VC_OK;
}

/* ---- who names an object ---- */

static vc_status names_object(const vc_object *cube, vc_kind kind, vc_str name, bool *does_out,
                              vc_error *error)
{
    vc_arena arena = {0};
    vc_definition *definition = NULL;
    vc_dependency *dependencies;
    size_t ndependencies;
    *does_out = false;
    vc_status status = vc_manifest_definition(cube, &arena, &definition, error);
    if (status == VC_OK)
        status =
            vc_definition_dependencies(definition, &arena, &dependencies, &ndependencies, error);
    if (status == VC_OK) {
        for (size_t i = 0; i < ndependencies; i++) {
            if (dependencies[i].kind == kind && vc_str_equal(dependencies[i].name, name))
                *does_out = true;
        }
    }
    vc_definition_release(definition);
    vc_arena_release(&arena);
    return status;
}

vc_status vc_snapshot_dependents(const vc_snapshot *snapshot, vc_kind kind, vc_str name,
                                 vc_arena *arena, vc_str **names_out, size_t *nnames_out,
                                 vc_error *error)
{
    vc_object *cubes;
    size_t ncubes, nnames = 0;
    vc_status status = vc_snapshot_list(snapshot, VC_KIND_CUBE, arena, &cubes, &ncubes, error);
    if (status != VC_OK) return status;
    vc_str *names = VC_ARENA_NEW(arena, vc_str, ncubes);
    if (names == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < ncubes; i++) {
        bool does;
        status = names_object(&cubes[i], kind, name, &does, error);
        if (status != VC_OK) return status;
        if (does) names[nnames++] = cubes[i].name;
    }
    *names_out = names;
    *nnames_out = nnames;
    return VC_OK;
}

vc_kind vc_definition_object_kind(const vc_definition *definition)
{
    switch (definition->kind) {
    case VC_DEFINITION_DIMENSION: return VC_KIND_DIMENSION;
    case VC_DEFINITION_CROSSWALK: return VC_KIND_CROSSWALK;
    case VC_DEFINITION_SOURCE:
    case VC_DEFINITION_VIRTUAL: break;
    }
    return VC_KIND_CUBE;
}

/* ---- drop ---- */

enum { LISTED_DEPENDENTS = 8 };

static vc_status refuse_dependents(const vc_snapshot *snapshot, vc_kind kind, vc_str name,
                                   vc_error *error)
{
    vc_arena arena = {0};
    vc_buffer list = {0};
    vc_str *names;
    size_t nnames;
    vc_status status = vc_snapshot_dependents(snapshot, kind, name, &arena, &names, &nnames, error);
    if (status == VC_OK && nnames > 0) {
        for (size_t i = 0; i < nnames && i < LISTED_DEPENDENTS; i++)
            vc_buffer_printf(&list, "%s'%.*s'", i == 0 ? "" : ", ", VC_FMT(names[i]));
        if (nnames > LISTED_DEPENDENTS)
            vc_buffer_printf(&list, " and %zu more", nnames - LISTED_DEPENDENTS);
        status = vc_fail(error, VC_CONFLICT, "has_dependents",
                         "%s '%.*s' is needed by %s; drop those first, or force it",
                         vc_kind_name(kind), VC_FMT(name), vc_buffer_text(&list));
    }
    vc_buffer_release(&list);
    vc_arena_release(&arena);
    return status;
}

vc_status vc_object_drop(vc_store *store, vc_kind kind, vc_str name, bool force,
                         uint64_t *epoch_out, vc_error *error)
{
    return vc_object_drop_if(store, kind, name, force, NULL, NULL, epoch_out, error);
}

vc_status vc_object_drop_if(vc_store *store, vc_kind kind, vc_str name, bool force,
                            vc_status (*begun)(void *context, const vc_snapshot *published,
                                               vc_error *error),
                            void *context, uint64_t *epoch_out, vc_error *error)
{
    vc_load *load = NULL;
    vc_object object;
    vc_status status = vc_load_begin(store, &load, error);
    if (status != VC_OK) return status;
    const vc_snapshot *snapshot = vc_load_snapshot(load);
    if (begun != NULL) status = begun(context, snapshot, error);
    if (status == VC_OK) status = vc_snapshot_find(snapshot, kind, name, &object, error);
    if (status == VC_OK && !force) status = refuse_dependents(snapshot, kind, name, error);
    if (status == VC_OK) status = vc_load_drop(load, kind, name, error);
    if (status != VC_OK) {
        vc_load_abort(load);
        return status;
    }
    return vc_load_publish(load, epoch_out, error);
}
