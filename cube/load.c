/* A load as a whole: what is checked before any data are read, the order, and the end.
 *
 * Whatever can be known early is known early: names given twice, cubes that stand on nothing, files
 * that are not there. Then dimensions, crosswalks, source cubes and virtual cubes are written, in
 * this order; then the store as it will be is opened and asked for every cube that the load
 * touches; and only then everything becomes visible, in one step.
 */
#include "cube/load.h"

#include "base/nearest.h"
#include "cube/dependency.h"
#include "cube/load_parts.h"
#include "cube/model.h"
#include "storage/store.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct given_definition { /* a definition of the load */
    const vc_definition *definition;
    vc_dependency *dependencies;
    size_t ndependencies;
    enum { UNSEEN = 0, ON_PATH, PLACED } state; /* while they are put in order */
} given_definition;

typedef struct load_plan {
    vc_loader loader;
    given_definition *given; /* [ngiven] as they were given */
    const vc_definition **order;
    size_t ngiven, nordered;
} load_plan;

vc_status vc_load_put_manifest(vc_loader *loader, const vc_object *object,
                               const vc_manifest *manifest, const uint32_t *parts, size_t nparts,
                               vc_error *error)
{
    vc_buffer buffer = {0};
    vc_manifest_write(manifest, &buffer);
    vc_status status = buffer.failed ? vc_no_memory(error)
                                     : vc_load_set_manifest(loader->load, object,
                                                            (vc_str){buffer.data, buffer.size},
                                                            parts, nparts, error);
    vc_buffer_release(&buffer);
    return status;
}

/* ---- before any data are read ---- */

/* The first definition of that name; plan->ngiven when there is none. */
static size_t find_given(const load_plan *plan, vc_kind kind, vc_str name)
{
    size_t i = 0;
    while (i < plan->ngiven && (vc_definition_object_kind(plan->given[i].definition) != kind ||
                                !vc_str_equal(plan->given[i].definition->name, name)))
        i++;
    return i;
}

static vc_status check_names(const load_plan *plan, vc_error *error)
{
    for (size_t i = 0; i < plan->ngiven; i++) {
        const vc_definition *definition = plan->given[i].definition;
        vc_kind kind = vc_definition_object_kind(definition);
        size_t first = find_given(plan, kind, definition->name);
        if (first == i) continue;
        vc_str file = plan->given[first].definition->file;
        vc_fail(error, VC_BAD_INPUT, "duplicate_name", "%s '%.*s' is defined twice, also in %s",
                vc_kind_name(kind), VC_FMT(definition->name),
                file.size > 0 ? file.data : "another definition");
        vc_loader_place(definition, error, "/name");
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

static vc_status fail_unknown(const load_plan *plan, const vc_definition *definition,
                              const vc_dependency *dependency, vc_error *error)
{
    vc_object *objects = NULL;
    size_t nobjects = 0;
    vc_arena arena = {0};
    vc_nearest nearest;
    vc_nearest_init(&nearest, dependency->name);
    for (size_t i = 0; i < plan->ngiven; i++) {
        if (vc_definition_object_kind(plan->given[i].definition) == dependency->kind)
            vc_nearest_offer(&nearest, plan->given[i].definition->name);
    }
    if (vc_snapshot_list(vc_load_snapshot(plan->loader.load), dependency->kind, &arena, &objects,
                         &nobjects, NULL) != VC_OK)
        nobjects = 0;
    for (size_t i = 0; i < nobjects; i++) {
        if (find_given(plan, dependency->kind, objects[i].name) == plan->ngiven)
            vc_nearest_offer(&nearest, objects[i].name);
    }
    vc_fail(error, VC_NOT_FOUND, vc_kind_unknown_code(dependency->kind), "no %s named '%.*s'",
            vc_kind_name(dependency->kind), VC_FMT(dependency->name));
    vc_nearest_report(&nearest, error);
    vc_loader_place(definition, error, "%.*s", VC_FMT(dependency->pointer));
    vc_arena_release(&arena);
    return VC_NOT_FOUND;
}

static vc_status check_dependencies(const load_plan *plan, vc_error *error)
{
    for (size_t i = 0; i < plan->ngiven; i++) {
        const given_definition *entry = &plan->given[i];
        for (size_t j = 0; j < entry->ndependencies; j++) {
            const vc_dependency *dependency = &entry->dependencies[j];
            vc_object object;
            if (find_given(plan, dependency->kind, dependency->name) < plan->ngiven) continue;
            vc_status status = vc_snapshot_find(vc_load_snapshot(plan->loader.load),
                                                dependency->kind, dependency->name, &object, error);
            if (status == VC_NOT_FOUND)
                return fail_unknown(plan, entry->definition, dependency, error);
            if (status != VC_OK) return status;
        }
    }
    return VC_OK;
}

static vc_status check_files(load_plan *plan, vc_error *error)
{
    const vc_load_csv *standard_input = NULL;
    if (plan->loader.body != NULL) return VC_OK;
    for (size_t i = 0; i < plan->ngiven; i++) {
        vc_load_csv *csvs;
        size_t ncsvs;
        vc_status status =
            vc_load_list_csvs(plan->given[i].definition, &plan->loader.arena, &csvs, &ncsvs, error);
        for (size_t j = 0; status == VC_OK && j < ncsvs; j++) {
            status = vc_load_check_csv(&csvs[j], &plan->loader.arena, error);
            if (status != VC_OK || !vc_str_is(csvs[j].csv->path, "-")) continue;
            if (standard_input != NULL) {
                status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                                 "only one file can be standard input; %.*s has it already",
                                 VC_FMT(standard_input->definition->name));
                vc_loader_place(csvs[j].definition, error, "%.*s", VC_FMT(csvs[j].pointer));
            }
            standard_input = &csvs[j];
        }
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- order ---- */

static vc_status fail_cycle(const load_plan *plan, const given_definition *entry,
                            const size_t *path, size_t npath, vc_error *error)
{
    vc_buffer text = {0};
    size_t first = 0;
    while (&plan->given[path[first]] != entry)
        first++;
    for (size_t i = first; i < npath; i++)
        vc_buffer_printf(&text, "%.*s -> ", VC_FMT(plan->given[path[i]].definition->name));
    vc_buffer_put_str(&text, entry->definition->name);
    vc_fail(error, VC_BAD_INPUT, "definition_cycle", "cubes stand on each other in a circle: %s",
            vc_buffer_text(&text));
    vc_loader_place(entry->definition, error, "/sources");
    vc_buffer_release(&text);
    return VC_BAD_INPUT;
}

/* Place a cube behind those of the load it stands on. path [ngiven] is the way here. */
static vc_status place(load_plan *plan, given_definition *entry, size_t *path, size_t npath,
                       vc_error *error)
{
    if (entry->state == PLACED) return VC_OK;
    if (entry->state == ON_PATH) return fail_cycle(plan, entry, path, npath, error);
    entry->state = ON_PATH;
    path[npath] = (size_t)(entry - plan->given);
    for (size_t i = 0; i < entry->ndependencies; i++) {
        size_t other = find_given(plan, entry->dependencies[i].kind, entry->dependencies[i].name);
        if (other == plan->ngiven) continue;
        vc_status status = place(plan, &plan->given[other], path, npath + 1, error);
        if (status != VC_OK) return status;
    }
    entry->state = PLACED;
    plan->order[plan->nordered++] = entry->definition;
    return VC_OK;
}

static vc_status put_in_order(load_plan *plan, vc_error *error)
{
    static const vc_definition_kind kinds[] = {VC_DEFINITION_DIMENSION, VC_DEFINITION_CROSSWALK,
                                               VC_DEFINITION_SOURCE, VC_DEFINITION_VIRTUAL};
    size_t *path = VC_ARENA_NEW(&plan->loader.arena, size_t, plan->ngiven);
    plan->order = VC_ARENA_NEW(&plan->loader.arena, const vc_definition *, plan->ngiven);
    if (path == NULL || plan->order == NULL) return vc_no_memory(error);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t i = 0; i < plan->ngiven; i++) {
            if (plan->given[i].definition->kind != kinds[k]) continue;
            vc_status status = place(plan, &plan->given[i], path, 0, error);
            if (status != VC_OK) return status;
        }
    }
    return VC_OK;
}

static vc_status take_definitions(load_plan *plan, vc_definition *const *definitions,
                                  size_t ndefinitions, vc_error *error)
{
    plan->given = VC_ARENA_NEW(&plan->loader.arena, given_definition, ndefinitions);
    if (plan->given == NULL) return vc_no_memory(error);
    plan->ngiven = ndefinitions;
    for (size_t i = 0; i < ndefinitions; i++) {
        given_definition *entry = &plan->given[i];
        entry->definition = definitions[i];
        vc_status status =
            vc_definition_dependencies(definitions[i], &plan->loader.arena, &entry->dependencies,
                                       &entry->ndependencies, error);
        if (status != VC_OK) return status;
    }
    vc_status status = check_names(plan, error);
    if (status == VC_OK) status = put_in_order(plan, error);
    if (status == VC_OK) status = check_dependencies(plan, error);
    return status == VC_OK ? check_files(plan, error) : status;
}

/* ---- reading ---- */

static vc_status load_virtual(vc_loader *loader, const vc_definition *definition, vc_error *error)
{
    vc_object object;
    vc_status status = vc_load_object(loader->load, VC_KIND_CUBE, definition->name, &object, error);
    if (status != VC_OK) return status;
    vc_manifest manifest = {
        .kind = VC_DEFINITION_VIRTUAL, .definition = definition->text, .file = definition->file};
    return vc_load_put_manifest(loader, &object, &manifest, NULL, 0, error);
}

static vc_status load_definition(vc_loader *loader, const vc_definition *definition,
                                 vc_load_object_report *report, vc_error *error)
{
    switch (definition->kind) {
    case VC_DEFINITION_DIMENSION: return vc_load_shared(loader, definition, report, error);
    case VC_DEFINITION_CROSSWALK: return vc_load_crosswalk(loader, definition, report, error);
    case VC_DEFINITION_SOURCE: return vc_load_source(loader, definition, report, error);
    case VC_DEFINITION_VIRTUAL: break;
    }
    return load_virtual(loader, definition, error);
}

static vc_status load_all(load_plan *plan, vc_arena *arena, vc_load_report *report, vc_error *error)
{
    vc_loader *loader = &plan->loader;
    report->objects = VC_ARENA_NEW(arena, vc_load_object_report, plan->nordered);
    if (report->objects == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->nordered; i++) {
        const vc_definition *definition = plan->order[i];
        vc_load_object_report *object = &report->objects[report->nobjects++];
        uint64_t nrejects = loader->nrejects;
        object->kind = definition->kind;
        object->name = vc_arena_str(arena, definition->name);
        vc_status status = load_definition(loader, definition, object, error);
        object->nrejects = loader->nrejects - nrejects;
        report->nrows += object->nrows;
        if (object->nrejects > 0 && loader->rejects_last != NULL)
            object->rejects_file =
                vc_arena_str(arena, vc_str_of(vc_rejects_path(loader->rejects_last->rejects)));
        if (status != VC_OK) return status;
    }
    report->nrejects = loader->nrejects;
    report->nbytes = loader->nbytes;
    return VC_OK;
}

/* ---- the store as it will be ---- */

typedef struct affected_cube { /* a cube that must still be answered after the load */
    vc_str name;
    bool is_given;
    struct affected_cube *next;
} affected_cube;

static bool is_affected(const affected_cube *list, vc_str name)
{
    for (; list != NULL; list = list->next) {
        if (vc_str_equal(list->name, name)) return true;
    }
    return false;
}

static affected_cube *add_affected(affected_cube *list, vc_str name, bool is_given, vc_arena *arena)
{
    affected_cube *entry = VC_ARENA_NEW(arena, affected_cube, 1);
    if (entry == NULL) return NULL;
    *entry = (affected_cube){.name = name, .is_given = is_given, .next = list};
    return entry;
}

/* Put the stored cubes that name an object in front of the list, those not in it yet. */
static vc_status add_dependents(const load_plan *plan, vc_kind kind, vc_str name, vc_arena *arena,
                                affected_cube **list, vc_error *error)
{
    vc_str *names;
    size_t nnames;
    vc_status status = vc_snapshot_dependents(vc_load_snapshot(plan->loader.load), kind, name,
                                              arena, &names, &nnames, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < nnames; i++) {
        if (is_affected(*list, names[i])) continue;
        *list = add_affected(*list, names[i], false, arena);
        if (*list == NULL) return vc_no_memory(error);
        status = add_dependents(plan, VC_KIND_CUBE, names[i], arena, list, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* The stored virtual cubes that stand on an object of the load, directly or not. Not on a
 * dimension: a stored cube keeps its own copy of that. */
static vc_status find_dependents(const load_plan *plan, vc_arena *arena, affected_cube **list,
                                 vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; status == VC_OK && i < plan->ngiven; i++) {
        const vc_definition *definition = plan->given[i].definition;
        if (definition->kind != VC_DEFINITION_DIMENSION)
            status = add_dependents(plan, vc_definition_object_kind(definition), definition->name,
                                    arena, list, error);
    }
    return status;
}

static void warn(const vc_load_options *options, vc_str text)
{
    if (!vc_str_is_null(text)) options->warning(options->context, text.data);
}

/* Keys of one side that became equal only by normalisation, with examples. */
static void warn_of_collisions(const vc_cube *cube, const vc_collisions *collisions,
                               const char *what, vc_str of, const vc_load_options *options)
{
    vc_arena work = {0};
    vc_str examples = vc_collisions_text(collisions, &work);
    if (collisions->count > 0 && !vc_str_is_null(examples))
        warn(options,
             vc_arena_printf(&work,
                             "%.*s: %llu %s of %s '%.*s' became equal to others by normalisation: "
                             "%.*s",
                             VC_FMT(cube->name), (unsigned long long)collisions->count,
                             collisions->count == 1 ? "key" : "keys", what, VC_FMT(of),
                             VC_FMT(examples)));
    vc_arena_release(&work);
}

/* What an analyst should know of a join that works: keys that several members of the primary share
 * as they were found, and, apart from them, keys that became equal only by normalisation. */
static void warn_of_join(const vc_cube *cube, const vc_cube_source *source,
                         const vc_cube_dimension *dimension, const vc_binding *binding,
                         const vc_load_options *options)
{
    const vc_relation *relation = binding->relation;
    vc_arena work = {0};
    bool is_by_normalizing =
        relation->primary_duplicates == 0 && relation->primary_collisions.count > 0;
    if (relation->has_fanout && !is_by_normalizing && binding->mode == VC_MODE_SET)
        warn(options,
             vc_arena_printf(&work,
                             "%.*s: fanout: members of '%.*s' share keys of source '%.*s', so each "
                             "shows the full value, and their total is less than their sum",
                             VC_FMT(cube->name), VC_FMT(dimension->name), VC_FMT(source->alias)));
    warn_of_collisions(cube, &relation->joined_collisions, "source", source->alias, options);
    warn_of_collisions(cube, &relation->primary_collisions, "dimension", dimension->name, options);
    vc_arena_release(&work);
}

static void warn_of_joins(const vc_cube *cube, const vc_load_options *options)
{
    for (size_t s = 0; options->warning != NULL && s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions; d++)
            if (cube->sources[s].bindings[d].relation != NULL)
                warn_of_join(cube, &cube->sources[s], &cube->dimensions[d],
                             &cube->sources[s].bindings[d], options);
}

static vc_status open_cubes(vc_snapshot *preview, const affected_cube *list,
                            const vc_load_options *options, vc_error *error)
{
    vc_model *model = NULL;
    vc_status status = vc_model_new(preview, false, &model, error);
    for (; status == VC_OK && list != NULL; list = list->next) {
        const vc_cube *cube;
        status = vc_model_cube(model, list->name, &cube, error);
        if (status == VC_OK && list->is_given) warn_of_joins(cube, options);
        if (status == VC_OK && list->is_given) status = vc_cube_check_sets(cube, error);
        if (status == VC_OK || list->is_given || error == NULL) continue;
        if (options->tells_no_others && status != VC_NO_MEMORY && status < VC_CORRUPT) {
            status = vc_fail(error, VC_CONFLICT, "has_dependents",
                             "a cube that stands on it would no longer work; who may see that cube "
                             "is told more");
            break;
        }
        vc_error found = *error; /* keeps its place and candidates */
        vc_fail(error, status, found.code, "cube '%.*s' of the store would no longer work: %s",
                VC_FMT(list->name), found.message);
        memcpy(found.message, error->message, sizeof found.message);
        *error = found;
    }
    vc_model_free(model);
    return status;
}

static vc_status check_preview(const load_plan *plan, vc_error *error)
{
    vc_arena arena = {0};
    affected_cube *list = NULL;
    vc_snapshot *preview = NULL;
    const vc_load_options *options = plan->loader.options;
    vc_status status = VC_OK;
    for (size_t i = plan->nordered; i > 0; i--) { /* so that the list is in order */
        const vc_definition *definition = plan->order[i - 1];
        if (vc_definition_object_kind(definition) != VC_KIND_CUBE) continue;
        list = add_affected(list, definition->name, true, &arena);
        if (list == NULL) {
            status = vc_no_memory(error);
            goto done;
        }
    }
    status = find_dependents(plan, &arena, &list, error);
    if (status == VC_OK) status = vc_load_preview(plan->loader.load, &preview, error);
    if (status == VC_OK) status = open_cubes(preview, list, options, error);
    if (status == VC_OK && options->checked != NULL)
        status = options->checked(options->context, preview, error);
done:
    vc_snapshot_close(preview);
    vc_arena_release(&arena);
    return status;
}

/* ---- begin and end ---- */

/* The files of rejects get their names, whether the load was good or not. */
static vc_status close_rejects(vc_loader *loader, vc_error *error)
{
    vc_status status = VC_OK;
    for (vc_loader_rejects *entry = loader->rejects; entry != NULL; entry = entry->next) {
        vc_status closed = vc_rejects_close(entry->rejects, status == VC_OK ? error : NULL);
        if (status == VC_OK) status = closed;
    }
    loader->rejects = NULL;
    return status;
}

static void release_loader(vc_loader *loader)
{
    close_rejects(loader, NULL);
    for (vc_shared_dimension *shared = loader->shared; shared != NULL; shared = shared->next) {
        vc_keymap_release(&shared->leaves);
        vc_buffer_release(&shared->buffer);
        vc_definition_release(shared->definition_owned);
    }
    vc_arena_release(&loader->arena);
}

static vc_status begin(vc_store *store, load_plan *plan, vc_error *error)
{
    const vc_load_options *options = plan->loader.options;
    vc_status status = vc_load_begin(store, &plan->loader.load, error);
    if (status == VC_OK && options->begun != NULL)
        status = options->begun(options->context, vc_load_snapshot(plan->loader.load), error);
    return status;
}

/* End the load of a plan, if it has begun. */
static vc_status finish(load_plan *plan, vc_status status, vc_load_report *report, vc_error *error)
{
    vc_loader *loader = &plan->loader;
    if (status == VC_OK) status = close_rejects(loader, error);
    vc_load *load = loader->load;
    /* What was read from the published snapshot goes before the snapshot does. */
    release_loader(loader);
    if (status != VC_OK || loader->options->check_only) {
        vc_load_abort(load);
        return status;
    }
    return vc_load_publish(load, &report->epoch, error);
}

static vc_status load_given(load_plan *plan, vc_definition *const *definitions, size_t ndefinitions,
                            vc_arena *arena, vc_load_report *report, vc_error *error)
{
    vc_status status = take_definitions(plan, definitions, ndefinitions, error);
    if (status == VC_OK) status = load_all(plan, arena, report, error);
    return status == VC_OK ? check_preview(plan, error) : status;
}

static vc_status run(vc_store *store, vc_definition *const *definitions, size_t ndefinitions,
                     const vc_load_options *options, vc_arena *arena, vc_load_report *report,
                     vc_error *error)
{
    load_plan plan = {.loader = {.options = options, .spill_directory = vc_store_directory(store)}};
    vc_status status = begin(store, &plan, error);
    if (status == VC_OK)
        status = load_given(&plan, definitions, ndefinitions, arena, report, error);
    return finish(&plan, status, report, error);
}

/* The definition of the stored cube, read within the load, so that nobody changes it meanwhile. */
static vc_status find_definition(const vc_load *load, vc_str cube, vc_arena *arena,
                                 vc_definition **definition_out, vc_error *error)
{
    vc_object object;
    vc_status status = vc_snapshot_find(vc_load_snapshot(load), VC_KIND_CUBE, cube, &object, error);
    if (status == VC_OK) status = vc_manifest_definition(&object, arena, definition_out, error);
    if (status != VC_OK || (*definition_out)->kind == VC_DEFINITION_SOURCE) return status;
    return vc_fail(error, VC_IMPOSSIBLE, "not_a_source",
                   "'%.*s' is a virtual cube: it has no facts of its own; load into its sources",
                   VC_FMT(cube));
}

vc_status vc_load_into(vc_store *store, vc_str cube, const vc_load_body *body,
                       const vc_load_options *options, vc_arena *arena, vc_load_report *report_out,
                       vc_error *error)
{
    vc_definition *definition = NULL;
    load_plan plan = {
        .loader = {.options = options, .body = body, .spill_directory = vc_store_directory(store)}};
    *report_out = (vc_load_report){0};
    vc_status status = begin(store, &plan, error);
    if (status == VC_OK)
        status = find_definition(plan.loader.load, cube, arena, &definition, error);
    if (status == VC_OK) status = load_given(&plan, &definition, 1, arena, report_out, error);
    status = finish(&plan, status, report_out, error);
    vc_definition_release(definition);
    return status;
}

static void remove_store(const char *directory)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        unlinkat(dirfd(entries), entry->d_name, 0); /* fails for . and .., as it should */
    if (entries != NULL) closedir(entries);
    rmdir(directory);
}

/* A check without a store takes one that is empty and goes away. */
static vc_status run_in_temporary(vc_definition *const *definitions, size_t ndefinitions,
                                  const vc_load_options *options, vc_arena *arena,
                                  vc_load_report *report, vc_error *error)
{
    const char *root = getenv("TMPDIR");
    char directory[4096];
    int size = snprintf(directory, sizeof directory, "%s/vcube-check.XXXXXX",
                        root == NULL || root[0] == '\0' ? "/tmp" : root);
    if (size < 0 || (size_t)size >= sizeof directory || mkdtemp(directory) == NULL)
        return vc_fail(error, VC_STORAGE, "temporary", "cannot make a temporary folder: %m");
    vc_store *store = NULL;
    if (options->temporary != NULL) options->temporary(options->context, directory);
    vc_status status = vc_store_open(directory, NULL, &store, error);
    if (status == VC_OK)
        status = run(store, definitions, ndefinitions, options, arena, report, error);
    vc_store_close(store);
    remove_store(directory);
    if (options->temporary != NULL) options->temporary(options->context, NULL);
    return status;
}

vc_status vc_load_definitions(vc_store *store, vc_definition *const *definitions,
                              size_t ndefinitions, const vc_load_options *options, vc_arena *arena,
                              vc_load_report *report_out, vc_error *error)
{
    assert(store != NULL || options->check_only);
    *report_out = (vc_load_report){0};
    if (store == NULL)
        return run_in_temporary(definitions, ndefinitions, options, arena, report_out, error);
    return run(store, definitions, ndefinitions, options, arena, report_out, error);
}
