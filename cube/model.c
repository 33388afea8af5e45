/* The cubes of one snapshot, each opened at its first use and kept, and models over time.
 *
 * One mutex guards the table of cubes. A cube that is being opened is marked, so that a definition
 * that leads back to itself is found rather than followed; the path is in the error.
 */
#include "cube/model.h"

#include "base/nearest.h"
#include "cube/crosswalk.h"
#include "cube/model_parts.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum entry_state { ENTRY_NEW = 0, ENTRY_OPENING, ENTRY_OPEN };

struct entry { /* of a cube */
    struct entry *next;
    vc_str name;
    enum entry_state state;
    vc_cube cube;
    vc_definition *definition; /* of a virtual cube; owned */
    bool is_added;             /* the snapshot does not have it */
    vc_source_cube *source;    /* owned */
};

struct normalizer_entry {
    struct normalizer_entry *next;
    vc_normalizer *normalizer;
};

struct owned { /* freed with the model */
    struct owned *next;
    void *object;
    void (*release)(void *object);
};

struct memo {
    struct memo *next;
    const void *key, *value;
    uint64_t variant;
};

struct vc_model {
    vc_snapshot *snapshot;
    bool is_owned;
    vc_arena arena;
    pthread_mutex_t lock;
    struct entry *entries;
    struct normalizer_entry *normalizers;
    struct owned *owned;
    pthread_mutex_t memo_lock; /* apart, because computing one may open cubes */
    vc_arena memo_arena;
    struct memo *memos;
    /* What roles see of it, and whose this is: */
    pthread_mutex_t role_lock;
    vc_model *roles, *next_role;
    vc_model *whole;
    const vc_rights *rights; /* NULL: all */
    vc_shown_source *shown;  /* [nshown] of a partial model */
    size_t nshown;
    bool is_partial;
    size_t nusers; /* of a cached model; guarded by the cache's lock */
    bool is_stale;
};

vc_status vc_model_new(vc_snapshot *snapshot, bool is_owned, vc_model **model_out, vc_error *error)
{
    vc_model *model = calloc(1, sizeof *model);
    if (model == NULL) return vc_no_memory(error);
    model->snapshot = snapshot;
    model->is_owned = is_owned;
    pthread_mutex_init(&model->lock, NULL);
    pthread_mutex_init(&model->memo_lock, NULL);
    pthread_mutex_init(&model->role_lock, NULL);
    *model_out = model;
    return VC_OK;
}

void vc_model_free(vc_model *model)
{
    if (model == NULL) return;
    while (model->roles != NULL) {
        vc_model *role = model->roles;
        model->roles = role->next_role;
        vc_model_free(role);
    }
    for (struct entry *entry = model->entries; entry != NULL; entry = entry->next) {
        vc_definition_release(entry->definition);
        if (entry->source != NULL) vc_source_cube_close(entry->source);
    }
    for (struct normalizer_entry *entry = model->normalizers; entry != NULL; entry = entry->next)
        vc_normalizer_free(entry->normalizer);
    for (struct owned *owned = model->owned; owned != NULL; owned = owned->next)
        owned->release(owned->object);
    vc_arena_release(&model->arena);
    vc_arena_release(&model->memo_arena);
    if (model->is_owned) vc_snapshot_close(model->snapshot);
    pthread_mutex_destroy(&model->lock);
    pthread_mutex_destroy(&model->memo_lock);
    pthread_mutex_destroy(&model->role_lock);
    free(model);
}

vc_snapshot *vc_model_snapshot(const vc_model *model)
{
    return model->snapshot;
}

vc_arena *vc_model_arena(vc_model *model)
{
    return &model->arena;
}

bool vc_model_own(vc_model *model, void *object, void (*release)(void *object))
{
    struct owned *owned = VC_ARENA_NEW(&model->arena, struct owned, 1);
    if (owned == NULL) return false;
    *owned = (struct owned){.next = model->owned, .object = object, .release = release};
    model->owned = owned;
    return true;
}

static struct entry *find_entry(vc_model *model, vc_str name)
{
    for (struct entry *entry = model->entries; entry != NULL; entry = entry->next)
        if (vc_str_equal(entry->name, name)) return entry;
    return NULL;
}

static struct entry *get_entry(vc_model *model, vc_str name)
{
    struct entry *entry = find_entry(model, name);
    if (entry != NULL) return entry;
    entry = VC_ARENA_NEW(&model->arena, struct entry, 1);
    if (entry == NULL) return NULL;
    entry->name = vc_arena_str(&model->arena, name);
    entry->next = model->entries;
    model->entries = entry;
    return entry;
}

/* ---- as roles see it ---- */

vc_status vc_model_restrict(vc_model *whole, const vc_rights *rights, vc_model **model_out,
                            vc_error *error)
{
    vc_status status = VC_OK;
    if (rights == NULL) {
        *model_out = whole;
        return VC_OK;
    }
    pthread_mutex_lock(&whole->role_lock);
    vc_model *role = whole->roles;
    while (role != NULL && !vc_str_equal(role->rights->text, rights->text))
        role = role->next_role;
    if (role == NULL) {
        status = vc_model_new(whole->snapshot, false, &role, error);
        if (status == VC_OK)
            status = vc_rights_parse(rights->text, &role->arena, &role->rights, error);
        if (status == VC_OK) {
            role->whole = whole;
            role->next_role = whole->roles;
            whole->roles = role;
        } else {
            vc_model_free(role);
        }
    }
    pthread_mutex_unlock(&whole->role_lock);
    if (status == VC_OK) *model_out = role;
    return status;
}

const vc_rights *vc_model_rights(const vc_model *model)
{
    return model->rights;
}

vc_status vc_model_new_partial(vc_model *whole, const vc_shown_source *shown, size_t nshown,
                               vc_model **model_out, vc_error *error)
{
    vc_model *model;
    vc_status status = vc_model_new(whole->snapshot, false, &model, error);
    if (status != VC_OK) return status;
    model->whole = whole;
    model->is_partial = true;
    model->nshown = nshown;
    model->shown = VC_ARENA_NEW(&model->arena, vc_shown_source, nshown + 1);
    if (model->shown == NULL) {
        vc_model_free(model);
        return vc_no_memory(error);
    }
    if (nshown > 0) memcpy(model->shown, shown, nshown * sizeof *shown);
    *model_out = model;
    return VC_OK;
}

bool vc_model_is_partial(const vc_model *model)
{
    return model->is_partial;
}

vc_model *vc_model_whole(const vc_model *model)
{
    return model->whole;
}

bool vc_model_forgives(const vc_model *model, vc_status status)
{
    return model->is_partial && (status == VC_NOT_FOUND || status == VC_IMPOSSIBLE);
}

/* The source of a partial model: what is seen, else that of the whole one. */
static vc_status share_source(vc_model *model, vc_str name, const vc_source_cube **cube_out,
                              vc_error *error)
{
    for (size_t i = 0; i < model->nshown; i++)
        if (vc_str_equal(model->shown[i].name, name)) {
            *cube_out = model->shown[i].cube;
            return VC_OK;
        }
    pthread_mutex_lock(&model->whole->lock);
    vc_status status = vc_model_source(model->whole, name, cube_out, error);
    pthread_mutex_unlock(&model->whole->lock);
    return status;
}

vc_status vc_model_source(vc_model *model, vc_str name, const vc_source_cube **cube_out,
                          vc_error *error)
{
    if (model->is_partial) return share_source(model, name, cube_out, error);
    struct entry *entry = get_entry(model, name);
    if (entry == NULL) return vc_no_memory(error);
    if (entry->source == NULL) {
        vc_status status =
            vc_source_cube_open(model->snapshot, name, &model->arena, &entry->source, error);
        if (status != VC_OK) return status;
    }
    *cube_out = entry->source;
    return VC_OK;
}

vc_status vc_model_kind(vc_model *model, vc_str name, bool *is_virtual_out, vc_error *error)
{
    vc_object object;
    vc_arena arena = {0};
    vc_definition *definition = NULL;
    vc_status status = vc_snapshot_find(model->snapshot, VC_KIND_CUBE, name, &object, error);
    if (status == VC_OK) status = vc_manifest_definition(&object, &arena, &definition, error);
    if (status == VC_OK) *is_virtual_out = definition->kind == VC_DEFINITION_VIRTUAL;
    vc_definition_release(definition);
    vc_arena_release(&arena);
    return status;
}

/* ---- normalisers and the crosswalks they go through ---- */

static vc_status open_crosswalk(void *context, vc_str name, const void **crosswalk_out,
                                vc_error *error)
{
    vc_model *model = context;
    const vc_crosswalk *crosswalk;
    vc_status status = vc_crosswalk_open(model->snapshot, name, &model->arena, &crosswalk, error);
    if (status == VC_OK) *crosswalk_out = crosswalk;
    return status;
}

vc_status vc_model_normalizer(vc_model *model, const json_t *steps,
                              const vc_normalizer **normalizer_out, vc_error *error)
{
    vc_crosswalk_source crosswalks = {
        .context = model, .open = open_crosswalk, .find = vc_crosswalk_find};
    struct normalizer_entry *entry = VC_ARENA_NEW(&model->arena, struct normalizer_entry, 1);
    if (entry == NULL) return vc_no_memory(error);
    vc_status status = vc_normalizer_parse(steps, &crosswalks, &entry->normalizer, error);
    if (status != VC_OK) return status;
    entry->next = model->normalizers;
    model->normalizers = entry;
    *normalizer_out = entry->normalizer;
    return VC_OK;
}

vc_status vc_model_place(const vc_definition *definition, vc_str pointer, const char *field,
                         vc_status status, vc_error *error)
{
    if (status != VC_OK && error != NULL) {
        char inner[sizeof error->pointer];
        memcpy(inner, error->pointer, sizeof inner);
        vc_error_at_pointer(error, "%.*s%s%s", VC_FMT(pointer), field, inner);
        vc_definition_locate(definition, error);
    }
    return status;
}

/* ---- cubes ---- */

/* "a -> b -> a": the cubes that are being opened, oldest first, and the one that closes the loop.
 */
static vc_status fail_cycle(const vc_model *model, vc_str name, vc_error *error)
{
    vc_arena work = {0};
    vc_str path = name;
    for (struct entry *entry = model->entries; entry != NULL; entry = entry->next)
        if (entry->state == ENTRY_OPENING)
            path = vc_arena_printf(&work, "%.*s -> %.*s", VC_FMT(entry->name), VC_FMT(path));
    vc_fail(error, VC_BAD_INPUT, "definition_cycle",
            "the definitions lead back to themselves: %.*s", VC_FMT(path));
    vc_arena_release(&work);
    return VC_BAD_INPUT;
}

static vc_status open_entry(vc_model *model, struct entry *entry, vc_error *error)
{
    bool is_virtual;
    if (model->rights != NULL)
        return vc_model_open_restricted(model, entry->name, &entry->cube, error);
    if (entry->is_added)
        return vc_model_open_virtual(model, entry->definition, &entry->cube, error);
    vc_status status = vc_model_kind(model, entry->name, &is_virtual, error);
    if (status != VC_OK) return status;
    if (!is_virtual) {
        const vc_source_cube *source;
        status = vc_model_source(model, entry->name, &source, error);
        return status == VC_OK ? vc_model_open_source(model, source, &entry->cube, error) : status;
    }
    vc_object object;
    status = vc_snapshot_find(model->snapshot, VC_KIND_CUBE, entry->name, &object, error);
    if (status == VC_OK && entry->definition == NULL)
        status = vc_manifest_definition(&object, &model->arena, &entry->definition, error);
    if (status == VC_OK)
        status = vc_model_open_virtual(model, entry->definition, &entry->cube, error);
    return status;
}

vc_status vc_model_open(vc_model *model, vc_str name, const vc_cube **cube_out, vc_error *error)
{
    struct entry *entry = get_entry(model, name);
    if (entry == NULL) return vc_no_memory(error);
    if (entry->state == ENTRY_OPENING) return fail_cycle(model, name, error);
    if (entry->state == ENTRY_NEW) {
        entry->state = ENTRY_OPENING;
        vc_status status = open_entry(model, entry, error);
        entry->state = status == VC_OK ? ENTRY_OPEN : ENTRY_NEW;
        if (status != VC_OK) return status;
        entry->cube.definition_hash = vc_definition_hash(entry->cube.definition, &model->arena);
    }
    *cube_out = &entry->cube;
    return VC_OK;
}

vc_status vc_model_cube(vc_model *model, vc_str name, const vc_cube **cube_out, vc_error *error)
{
    pthread_mutex_lock(&model->lock);
    vc_status status = vc_model_open(model, name, cube_out, error);
    pthread_mutex_unlock(&model->lock);
    return status;
}

const vc_cube *vc_model_next_opened(vc_model *model, const vc_cube *after)
{
    pthread_mutex_lock(&model->lock);
    struct entry *entry = model->entries;
    if (after != NULL)
        entry = ((struct entry *)((char *)after - offsetof(struct entry, cube)))->next;
    while (entry != NULL && (entry->state != ENTRY_OPEN || entry->is_added))
        entry = entry->next;
    pthread_mutex_unlock(&model->lock);
    return entry != NULL ? &entry->cube : NULL;
}

/* Called with the lock held. */
static vc_status add_entry(vc_model *model, vc_definition *definition, vc_error *error)
{
    vc_object object;
    struct entry *entry = find_entry(model, definition->name);
    if (entry != NULL && entry->is_added && vc_str_equal(entry->definition->text, definition->text))
        return VC_OK;
    if (entry != NULL ||
        vc_snapshot_find(model->snapshot, VC_KIND_CUBE, definition->name, &object, NULL) == VC_OK)
        return vc_fail(error, VC_CONFLICT, "duplicate_name", "there is a cube '%.*s' already",
                       VC_FMT(definition->name));
    entry = get_entry(model, definition->name);
    if (entry == NULL) return vc_no_memory(error);
    entry->definition = definition;
    entry->is_added = true;
    return VC_OK;
}

vc_status vc_model_add(vc_model *model, vc_str text, const vc_cube **cube_out, vc_error *error)
{
    vc_definition *definition = NULL;
    if (model->rights != NULL)
        return vc_fail(error, VC_IMPOSSIBLE, "forbidden",
                       "a role that does not see everything "
                       "cannot define cubes");
    pthread_mutex_lock(&model->lock);
    vc_status status = vc_definition_parse(text, NULL, &model->arena, &definition, error);
    vc_str name = status == VC_OK ? definition->name : (vc_str){0};
    if (status == VC_OK) status = add_entry(model, definition, error);
    struct entry *entry = status == VC_OK ? find_entry(model, name) : NULL;
    if (entry == NULL || entry->definition != definition) vc_definition_release(definition);
    if (status == VC_OK) status = vc_model_open(model, name, cube_out, error);
    pthread_mutex_unlock(&model->lock);
    return status;
}

vc_status vc_model_memo(vc_model *model, const void *key, uint64_t variant,
                        vc_status (*compute)(void *context, vc_arena *arena, const void **value_out,
                                             vc_error *error),
                        void *context, const void **value_out, vc_error *error)
{
    vc_status status = VC_OK;
    pthread_mutex_lock(&model->memo_lock);
    struct memo *memo = model->memos;
    while (memo != NULL && (memo->key != key || memo->variant != variant))
        memo = memo->next;
    if (memo == NULL) {
        memo = VC_ARENA_NEW(&model->memo_arena, struct memo, 1);
        status = memo == NULL ? vc_no_memory(error)
                              : compute(context, &model->memo_arena, &memo->value, error);
        if (status == VC_OK) {
            memo->key = key;
            memo->variant = variant;
            memo->next = model->memos;
            model->memos = memo;
        }
    }
    if (status == VC_OK) *value_out = memo->value;
    pthread_mutex_unlock(&model->memo_lock);
    return status;
}

vc_status vc_cube_find_dimension(const vc_cube *cube, vc_str name, size_t *dimension_out,
                                 vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < cube->ndimensions; i++) {
        if (vc_str_equal(cube->dimensions[i].name, name)) {
            *dimension_out = i;
            return VC_OK;
        }
        vc_nearest_offer(&nearest, cube->dimensions[i].name);
    }
    vc_fail(error, VC_NOT_FOUND, "unknown_dimension", "cube '%.*s' has no dimension '%.*s'",
            VC_FMT(cube->name), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

vc_status vc_cube_find_measure(const vc_cube *cube, vc_str name, size_t *measure_out,
                               vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < cube->nmeasures; i++) {
        if (cube->measures[i].is_hidden) continue;
        if (vc_str_equal(cube->measures[i].name, name)) {
            *measure_out = i;
            return VC_OK;
        }
        vc_nearest_offer(&nearest, cube->measures[i].name);
    }
    /* Whether there is such a measure is not told to whom it may not be shown (semantics, 16 d). */
    vc_status status =
        cube->is_partial
            ? vc_fail(error, VC_NOT_FOUND, "forbidden",
                      "cube '%.*s' has no measure '%.*s' that you may see", VC_FMT(cube->name),
                      VC_FMT(name))
            : vc_fail(error, VC_NOT_FOUND, "unknown_measure", "cube '%.*s' has no measure '%.*s'",
                      VC_FMT(cube->name), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return status;
}

vc_status vc_model_list(const vc_model *model, vc_arena *arena, vc_object **objects_out,
                        size_t *nobjects_out, vc_error *error)
{
    size_t count = 0, nobjects = 0;
    vc_object *objects = NULL;
    vc_status status =
        vc_snapshot_list(model->snapshot, VC_KIND_CUBE, arena, &objects, &nobjects, error);
    for (size_t i = 0; i < nobjects && status == VC_OK; i++)
        if (vc_rights_may_read(model->rights, objects[i].name)) objects[count++] = objects[i];
    *objects_out = objects;
    *nobjects_out = count;
    return status;
}

bool vc_cube_shows_expr(const vc_cube *cube, const vc_cube_measure *measure)
{
    bool shows = true;
    for (size_t i = 0; i < measure->noperands && shows; i++) {
        const vc_cube_measure *operand = &cube->measures[measure->operands[i]];
        shows = !operand->is_withheld && vc_cube_shows_expr(cube, operand);
    }
    return shows;
}

bool vc_cube_shows_column(const vc_cube *cube, size_t source, size_t column)
{
    bool is_withheld = cube->sources[source].is_withheld;
    for (size_t m = 0; is_withheld && m < cube->nmeasures; m++) {
        const vc_cube_measure *measure = &cube->measures[m];
        if (!measure->is_hidden && measure->expr == NULL && measure->source == source &&
            (measure->column == (int)column || measure->weight_column == (int)column))
            return true;
    }
    return !is_withheld;
}

const vc_measure_def *vc_cube_find_measure_def(const vc_cube *cube, vc_str name)
{
    const vc_definition *definition = cube->definition;
    size_t count =
        cube->is_virtual ? definition->as.virtual_cube.nmeasures : definition->as.cube.nmeasures;
    const vc_measure_def *measures =
        cube->is_virtual ? definition->as.virtual_cube.measures : definition->as.cube.measures;
    for (size_t i = 0; i < count; i++)
        if (vc_str_equal(measures[i].name, name)) return &measures[i];
    return NULL;
}

/* ---- models over time ---- */

struct vc_model_cache {
    vc_store *store;
    pthread_mutex_t lock;
    vc_model *model; /* the newest; NULL before the first use */
};

vc_status vc_model_cache_new(vc_store *store, vc_model_cache **cache_out, vc_error *error)
{
    vc_model_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL) return vc_no_memory(error);
    cache->store = store;
    pthread_mutex_init(&cache->lock, NULL);
    *cache_out = cache;
    return VC_OK;
}

void vc_model_cache_free(vc_model_cache *cache)
{
    if (cache == NULL) return;
    vc_model_free(cache->model);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* Take the cached model out of the cache; returns it when nobody uses it, to be freed by the caller
 * outside of the lock. */
static vc_model *retire(vc_model_cache *cache)
{
    vc_model *model = cache->model;
    cache->model = NULL;
    if (model == NULL) return NULL;
    model->is_stale = true;
    return model->nusers == 0 ? model : NULL;
}

vc_status vc_model_acquire(vc_model_cache *cache, vc_model **model_out, vc_error *error)
{
    vc_snapshot *snapshot;
    vc_model *retired = NULL;
    vc_status status = vc_snapshot_open(cache->store, &snapshot, error);
    if (status != VC_OK) return status;
    pthread_mutex_lock(&cache->lock);
    bool is_current = cache->model != NULL &&
                      vc_snapshot_epoch(cache->model->snapshot) >= vc_snapshot_epoch(snapshot);
    if (!is_current) {
        vc_model *model = NULL;
        status = vc_model_new(snapshot, true, &model, error);
        if (status == VC_OK) {
            retired = retire(cache);
            cache->model = model;
            snapshot = NULL; /* the model has it */
        }
    }
    if (status == VC_OK) {
        cache->model->nusers++;
        *model_out = cache->model;
    }
    pthread_mutex_unlock(&cache->lock);
    vc_snapshot_close(snapshot);
    vc_model_free(retired);
    return status;
}

void vc_model_release(vc_model_cache *cache, vc_model *model)
{
    pthread_mutex_lock(&cache->lock);
    bool is_last = --model->nusers == 0 && model->is_stale;
    pthread_mutex_unlock(&cache->lock);
    if (is_last) vc_model_free(model);
}

void vc_model_cache_tick(vc_model_cache *cache)
{
    vc_snapshot *snapshot;
    vc_model *retired = NULL;
    if (vc_snapshot_open(cache->store, &snapshot, NULL) != VC_OK) return;
    pthread_mutex_lock(&cache->lock);
    if (cache->model != NULL && cache->model->nusers == 0 &&
        vc_snapshot_epoch(cache->model->snapshot) < vc_snapshot_epoch(snapshot))
        retired = retire(cache);
    pthread_mutex_unlock(&cache->lock);
    vc_snapshot_close(snapshot);
    vc_model_free(retired);
}
