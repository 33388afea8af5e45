/* Dimensions with a table of their own, and shared ones. */
#include "cube/load_parts.h"
#include "dimensions/path.h"

#include <stdlib.h>
#include <string.h>

/* ---- builders ---- */

vc_status vc_load_start_builder(const vc_feed *feed, const vc_definition *definition,
                                vc_str pointer, const vc_dimension *older,
                                vc_dimension_builder **builder_out, vc_error *error)
{
    vc_error found = {0};
    vc_status status = vc_dimension_builder_new(vc_feed_spec(feed), older, builder_out, &found);
    if (status == VC_OK) return VC_OK;
    if (found.code != NULL && strcmp(found.code, "definition_changed") == 0)
        status = vc_fail(&found, VC_CONFLICT, "append_mismatch", "%s", found.message);
    if (error != NULL) *error = found;
    if (status != VC_NO_MEMORY) vc_loader_place(definition, error, "%.*s", VC_FMT(pointer));
    return status;
}

vc_status vc_load_add_row(vc_load_file *file, vc_feed *feed, vc_dimension_builder *builder,
                          const vc_csv_row *row, uint32_t *row_out, vc_error *error)
{
    const vc_str *columns;
    vc_error *reason = &file->reason;
    *row_out = VC_NONE;
    vc_status status = vc_feed_row(feed, row, &columns, reason);
    if (status == VC_OK) {
        status = vc_dimension_builder_add(builder, columns, row_out, reason);
        if (status == VC_OK) return VC_OK;
        size_t field = vc_feed_only_field(feed);
        if (field == SIZE_MAX && reason->code != NULL && strcmp(reason->code, "bad_key") != 0)
            field = vc_feed_key_field(feed);
        vc_load_file_at(file, row, field, reason);
    }
    bool contradicts = reason->code != NULL && strcmp(reason->code, "duplicate_key") == 0;
    if (status == VC_BAD_INPUT && !contradicts)
        return vc_load_file_reject(file, row, reason, error);
    if (error != NULL) *error = *reason;
    return status;
}

/* Is the default member there? */
static vc_status check_default(const vc_dimension_def *definition, const vc_buffer *image,
                               vc_error *error)
{
    const vc_dimension *dimension;
    const vc_str *keys;
    size_t nkeys;
    vc_member_ref found;
    vc_arena arena = {0};
    if (vc_str_is_null(definition->default_member)) return VC_OK;
    vc_status status = vc_dimension_open((vc_str){.data = image->data, .size = image->size}, &arena,
                                         &dimension, error);
    if (status == VC_OK)
        status = vc_path_split(definition->default_member, &arena, &keys, &nkeys, error);
    if (status == VC_OK)
        status = vc_hierarchy_find_member(dimension, 0, keys, nkeys, &arena, &found, error);
    vc_arena_release(&arena);
    return status;
}

/* Several threads share the work where there is much of it. */
static vc_status finish_builder(const vc_loader *loader, vc_dimension_builder *builder,
                                vc_buffer *image, const uint32_t **leaf_of_row_out,
                                vc_dimension_report *report_out, vc_error *error)
{
    enum { SHARED_ROWS = 20000 };
    vc_crew_plan plan = {.nthreads = loader->options->nthreads, .nslots = 1};
    vc_crew *crew = NULL;
    if (vc_dimension_builder_nrows(builder) >= SHARED_ROWS) {
        vc_status status = vc_crew_new(&plan, &crew, error);
        if (status != VC_OK) return status;
        vc_dimension_builder_share(builder, crew);
    }
    vc_status status =
        vc_dimension_builder_finish(builder, image, leaf_of_row_out, report_out, error);
    vc_dimension_builder_share(builder, NULL);
    vc_crew_free(crew);
    return status;
}

vc_status vc_load_finish_dimension(vc_loader *loader, vc_dimension_builder *builder,
                                   const vc_load_file *file, vc_str name, vc_str pointer,
                                   const vc_dimension_def *definition, vc_buffer *image,
                                   const uint32_t **leaf_of_row_out, vc_error *error)
{
    vc_dimension_report report;
    vc_status status = finish_builder(loader, builder, image, leaf_of_row_out, &report, error);
    if (status == VC_OK)
        status = vc_dimension_check((vc_str){.data = image->data, .size = image->size}, error);
    if (status == VC_OK) {
        vc_status found = check_default(definition, image, error);
        if (found != VC_OK)
            return vc_loader_place(file->definition, error, "%.*s/default", VC_FMT(pointer));
    }
    if (status == VC_BAD_INPUT || status == VC_NOT_FOUND || status == VC_IMPOSSIBLE ||
        status == VC_LIMIT)
        vc_error_at_file(error, vc_input_name(file->input), 0, 0);
    if (status == VC_OK && report.nlabel_conflicts > 0)
        vc_loader_warn(loader,
                       "%s: dimension '%.*s': two labels for %llu member%s, the first stands: "
                       "%s",
                       vc_input_name(file->input), VC_FMT(name),
                       (unsigned long long)report.nlabel_conflicts,
                       report.nlabel_conflicts == 1 ? "" : "s", report.label_conflict);
    if (status == VC_OK && report.nlost_parents > 0)
        vc_loader_warn(loader,
                       "%s: dimension '%.*s': %llu row%s whose parent is not there stand%s at the "
                       "top: there is no %s",
                       vc_input_name(file->input), VC_FMT(name),
                       (unsigned long long)report.nlost_parents,
                       report.nlost_parents == 1 ? "" : "s", report.nlost_parents == 1 ? "s" : "",
                       report.lost_parent);
    return status;
}

/* ---- a table ---- */

static vc_status read_rows(vc_load_file *file, vc_feed *feed, vc_dimension_builder *builder,
                           vc_error *error)
{
    for (;;) {
        vc_csv_row row;
        bool is_end;
        uint32_t number;
        vc_status status = vc_load_file_next(file, &row, &is_end, error);
        if (status != VC_OK || is_end) return status;
        status = vc_load_add_row(file, feed, builder, &row, &number, error);
        if (status != VC_OK) return status;
    }
}

static vc_status build_table(vc_load_file *file, const vc_definition *definition,
                             const vc_dimension_def *dimension, vc_str pointer,
                             const vc_dimension *older, vc_buffer *image, vc_error *error)
{
    vc_feed *feed = NULL;
    vc_dimension_builder *builder = NULL;
    const uint32_t *leaf_of_row;
    vc_status status = vc_feed_new(file, definition, dimension, pointer, (vc_str){0}, &feed, error);
    if (status == VC_OK)
        status = vc_load_start_builder(feed, definition, pointer, older, &builder, error);
    if (status == VC_OK) status = read_rows(file, feed, builder, error);
    if (status == VC_OK) status = vc_load_check_rejects(file->loader, error);
    if (status == VC_OK)
        status = vc_load_finish_dimension(file->loader, builder, file, dimension->name, pointer,
                                          dimension, image, &leaf_of_row, error);
    vc_dimension_builder_free(builder);
    vc_feed_free(feed);
    return status;
}

vc_status vc_load_table(vc_loader *loader, const vc_definition *definition,
                        const vc_dimension_def *dimension, vc_str pointer,
                        const vc_dimension *older, vc_arena *arena, vc_buffer *image,
                        const vc_dimension **dimension_out, uint64_t *nrows_out, vc_error *error)
{
    vc_load_file *file = calloc(1, sizeof *file);
    if (file == NULL) return vc_no_memory(error);
    vc_load_csv csv = {.definition = definition,
                       .csv = &dimension->table,
                       .pointer =
                           vc_arena_printf(&loader->arena, "%.*s/table/csv", VC_FMT(pointer))};
    vc_status status = vc_load_file_open(loader, &csv, file, error);
    if (status == VC_OK) {
        status = build_table(file, definition, dimension, pointer, older, image, error);
        vc_load_file_close(file);
    }
    *nrows_out = file->nrows;
    free(file);
    if (status != VC_OK) return status;
    return vc_dimension_open((vc_str){.data = image->data, .size = image->size}, arena,
                             dimension_out, error);
}

/* ---- key to leaf ---- */

static vc_str get_leaf_key(const void *dimension, uint32_t leaf)
{
    return vc_texts_get(&((const vc_dimension *)dimension)->leaf_keys, leaf);
}

vc_status vc_load_map_leaves(const vc_dimension *dimension, vc_keymap *leaves, vc_error *error)
{
    vc_error found = {0};
    uint32_t nkeys = dimension->leaf_keys.count - dimension->ndoubles;
    vc_status status = vc_keymap_init(leaves, nkeys, get_leaf_key, dimension, &found);
    if (status != VC_CORRUPT) {
        if (status != VC_OK && error != NULL) *error = found;
        return status;
    }
    return vc_fail(error, VC_CORRUPT, "storage_damaged", "dimension '%.*s': %s",
                   VC_FMT(dimension->name), found.message);
}

bool vc_load_has_int_key(const vc_dimension_def *dimension)
{
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            const vc_level_def *level = &dimension->hierarchies[h].levels[l];
            if (level->part == VC_TIME_NONE && level->key_type == VC_KEY_INT &&
                vc_str_equal(level->key, dimension->key))
                return true;
        }
    }
    return false;
}

/* ---- shared dimensions ---- */

static vc_shared_dimension *list_shared(vc_loader *loader, vc_str name)
{
    vc_shared_dimension *shared = VC_ARENA_NEW(&loader->arena, vc_shared_dimension, 1);
    if (shared == NULL) return NULL;
    shared->name = name;
    shared->next = loader->shared;
    loader->shared = shared;
    return shared;
}

vc_status vc_load_copy_image(const vc_loader *loader, const vc_object *object, uint16_t column,
                             vc_arena *arena, vc_str *image_out, const vc_dimension **dimension_out,
                             vc_error *error)
{
    vc_str image;
    vc_status status = vc_snapshot_bytes(vc_load_snapshot(loader->load), object->id,
                                         object->generation, column, arena, &image, error);
    if (status != VC_OK) return status;
    *image_out = vc_arena_str(arena, image);
    if (image_out->data == NULL) return vc_no_memory(error);
    return vc_dimension_open(*image_out, arena, dimension_out, error);
}

/* The stored image of a shared dimension; absent when it has no table. */
static vc_status open_stored(const vc_loader *loader, const vc_object *object, vc_arena *arena,
                             vc_str *image_out, const vc_dimension **dimension_out, vc_error *error)
{
    vc_manifest manifest;
    *dimension_out = NULL;
    vc_status status = vc_manifest_read(object, arena, &manifest, error);
    if (status != VC_OK || manifest.ndimensions == 0) return status;
    return vc_load_copy_image(loader, object, VC_COLUMN_IMAGE, arena, image_out, dimension_out,
                              error);
}

static vc_status put_shared(vc_loader *loader, const vc_definition *definition,
                            const vc_shared_dimension *shared, vc_error *error)
{
    vc_object object;
    vc_status status =
        vc_load_object(loader->load, VC_KIND_DIMENSION, definition->name, &object, error);
    if (status != VC_OK) return status;
    vc_manifest_dimension entry = {.name = definition->name,
                                   .is_aggregatable = !definition->as.dimension.is_not_aggregatable,
                                   .default_member = definition->as.dimension.default_member};
    vc_manifest manifest = {
        .kind = VC_DEFINITION_DIMENSION, .definition = definition->text, .file = definition->file};
    if (shared->dimension != NULL) {
        entry.nleaves = shared->dimension->nleaves;
        entry.fingerprint = shared->dimension->fingerprint;
        manifest.nrows = entry.nleaves;
        manifest.ndimensions = 1;
        manifest.dimensions = &entry;
        status = vc_load_put_bytes(loader->load, &object, VC_COLUMN_IMAGE, shared->image.data,
                                   shared->image.size, error);
        if (status != VC_OK) return status;
    }
    return vc_load_put_manifest(loader, &object, &manifest, NULL, 0, error);
}

/* The published version of a dimension that this load appends to; NULL when there is none. */
static vc_status find_older(vc_loader *loader, vc_str name, const vc_dimension **older_out,
                            vc_error *error)
{
    vc_object object;
    vc_str image;
    *older_out = NULL;
    if (!loader->options->append) return VC_OK;
    vc_status status =
        vc_snapshot_find(vc_load_snapshot(loader->load), VC_KIND_DIMENSION, name, &object, NULL);
    if (status == VC_NOT_FOUND) return VC_OK;
    if (status != VC_OK)
        return vc_snapshot_find(vc_load_snapshot(loader->load), VC_KIND_DIMENSION, name, &object,
                                error);
    return open_stored(loader, &object, &loader->arena, &image, older_out, error);
}

vc_status vc_load_shared(vc_loader *loader, const vc_definition *definition,
                         vc_load_object_report *report, vc_error *error)
{
    const vc_dimension *older = NULL;
    vc_shared_dimension *shared = list_shared(loader, definition->name);
    if (shared == NULL) return vc_no_memory(error);
    shared->definition = definition;
    vc_status status = VC_OK;
    if (definition->as.dimension.has_table) {
        status = find_older(loader, definition->name, &older, error);
        if (status == VC_OK)
            status = vc_load_table(loader, definition, &definition->as.dimension, VC_STR(""), older,
                                   &loader->arena, &shared->buffer, &shared->dimension,
                                   &report->nrows, error);
        if (status != VC_OK) return status;
        shared->image = (vc_str){.data = shared->buffer.data, .size = shared->buffer.size};
        report->nmembers = vc_dimension_count_leaves(shared->dimension);
    }
    return put_shared(loader, definition, shared, error);
}

vc_status vc_load_find_shared(vc_loader *loader, vc_str name, vc_shared_dimension **shared_out,
                              vc_error *error)
{
    for (vc_shared_dimension *shared = loader->shared; shared != NULL; shared = shared->next) {
        if (vc_str_equal(shared->name, name)) {
            *shared_out = shared;
            return VC_OK;
        }
    }
    vc_object object;
    vc_status status =
        vc_snapshot_find(vc_load_snapshot(loader->load), VC_KIND_DIMENSION, name, &object, error);
    if (status != VC_OK) return status;
    vc_shared_dimension *shared = list_shared(loader, vc_arena_str(&loader->arena, name));
    if (shared == NULL || shared->name.data == NULL) return vc_no_memory(error);
    status = vc_manifest_definition(&object, &loader->arena, &shared->definition_owned, error);
    if (status != VC_OK) return status;
    shared->definition = shared->definition_owned;
    status =
        open_stored(loader, &object, &loader->arena, &shared->image, &shared->dimension, error);
    *shared_out = shared;
    return status;
}
