/* The dimensions of the facts.
 *
 * A *keyed* one has its leaves before the facts are read: the row's key is looked up. A *built* one
 * is made from the facts themselves, and numbers its leaves only when all of them were seen, so its
 * rows are written down provisionally (load_spill.c) and put into the store at the end.
 */
#include "cube/load_facts_parts.h"

/* ---- before the facts ---- */

static vc_status put_image(vc_fact_load *facts, const vc_fact_dimension *dimension, vc_str image,
                           vc_error *error)
{
    return vc_load_put_bytes(facts->loader->load, &facts->object,
                             (uint16_t)(VC_COLUMN_IMAGE + dimension->number), image.data,
                             image.size, error);
}

static void take_leaves(vc_fact_dimension *dimension, const vc_dimension *image)
{
    dimension->nleaves = image->nleaves;
    dimension->ndoubles = image->ndoubles;
    dimension->fingerprint = image->fingerprint;
}

static vc_status find_key_field(vc_fact_load *facts, vc_fact_dimension *dimension, vc_error *error)
{
    vc_str column = dimension->use->column;
    if (vc_str_is_null(column)) column = dimension->definition->key;
    dimension->has_int_key = vc_load_has_int_key(dimension->definition);
    return vc_load_file_column(&facts->file, facts->definition, column, &dimension->field, error,
                               "/dimensions/%zu/column", dimension->number);
}

/* A shared dimension with a table: its image is copied into the cube. */
static vc_status start_shared(vc_fact_load *facts, vc_fact_dimension *dimension,
                              vc_shared_dimension *shared, vc_error *error)
{
    vc_status status = vc_load_keep_ranks(shared->dimension, dimension->number, &facts->order,
                                          &facts->arena, error);
    if (status == VC_OK && dimension->older != NULL) {
        status =
            vc_load_check_leaves(dimension->older, shared->dimension, dimension->use->name, error);
        if (status != VC_OK)
            return vc_loader_place(facts->definition, error, "/dimensions/%zu", dimension->number);
    }
    if (status == VC_OK && !shared->has_leaves) {
        status = vc_load_map_leaves(shared->dimension, &shared->leaves, error);
        shared->has_leaves = true;
    }
    dimension->leaves = &shared->leaves;
    take_leaves(dimension, shared->dimension);
    return status == VC_OK ? put_image(facts, dimension, shared->image, error) : status;
}

/* A table of the cube's own. Afterwards only the map from keys to leaves is kept in memory. */
static vc_status start_table(vc_fact_load *facts, vc_fact_dimension *dimension, vc_error *error)
{
    vc_buffer image = {0};
    vc_arena arena = {0};
    const vc_dimension *opened;
    uint64_t nrows;
    vc_status status =
        vc_load_table(facts->loader, dimension->owner, dimension->definition, dimension->pointer,
                      dimension->older, &arena, &image, &opened, &nrows, error);
    if (status == VC_OK) status = vc_load_map_leaves(opened, &dimension->own_leaves, error);
    if (status == VC_OK)
        status = vc_load_keep_ranks(opened, dimension->number, &facts->order, &facts->arena, error);
    if (status == VC_OK) {
        take_leaves(dimension, opened);
        dimension->leaves = &dimension->own_leaves;
        status = put_image(facts, dimension, (vc_str){image.data, image.size}, error);
    }
    vc_arena_release(&arena);
    vc_buffer_release(&image);
    return status;
}

/* A table of the cube's own whose members stay as they are stored: only facts are sent. */
static vc_status start_kept(vc_fact_load *facts, vc_fact_dimension *dimension, vc_error *error)
{
    vc_object stored;
    vc_str image;
    vc_arena arena = {0};
    const vc_dimension *opened;
    vc_status status = vc_snapshot_find(vc_load_snapshot(facts->loader->load), VC_KIND_CUBE,
                                        facts->definition->name, &stored, error);
    if (status == VC_OK)
        status = vc_load_copy_image(facts->loader, &stored,
                                    (uint16_t)(VC_COLUMN_IMAGE + dimension->number), &arena, &image,
                                    &opened, error);
    if (status == VC_OK) status = vc_load_map_leaves(opened, &dimension->own_leaves, error);
    if (status == VC_OK)
        status = vc_load_keep_ranks(opened, dimension->number, &facts->order, &facts->arena, error);
    if (status == VC_OK) {
        take_leaves(dimension, opened);
        dimension->leaves = &dimension->own_leaves;
        status = put_image(facts, dimension, image, error);
    }
    vc_arena_release(&arena);
    return status;
}

static vc_status start_built(vc_fact_load *facts, vc_fact_dimension *dimension, vc_error *error)
{
    vc_status status =
        vc_feed_new(&facts->file, dimension->owner, dimension->definition, dimension->pointer,
                    dimension->use->column, &dimension->feed, error);
    if (status == VC_OK)
        status = vc_load_start_builder(dimension->feed, dimension->owner, dimension->pointer,
                                       dimension->older, &dimension->builder, error);
    if (status == VC_OK)
        status = vc_spill_new(facts->loader->spill_directory, &dimension->spill, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < facts->order.nitems; i++) {
        if (facts->order.items[i].dimension == dimension->number)
            facts->order.items[i].builder = dimension->builder;
    }
    dimension->nfields = vc_feed_fields(dimension->feed, &dimension->fields);
    return dimension->nfields > 0 ? VC_OK : vc_no_memory(error);
}

/* The facts are stored in the order of the dimension when the definition says so, or nothing. */
static vc_status order_by(vc_fact_load *facts, const vc_fact_dimension *dimension, vc_error *error)
{
    if (vc_load_is_default_order(facts->cube, &facts->order, dimension->definition))
        facts->order.items[facts->order.nitems++] = (vc_order_item){
            .dimension = dimension->number, .text = dimension->use->name, .level = -1};
    return vc_load_find_order_levels(facts->definition, dimension->number, dimension->definition,
                                     &facts->order, error);
}

static vc_status start_dimension(vc_fact_load *facts, vc_fact_dimension *dimension, vc_error *error)
{
    const vc_dimension_use *use = dimension->use;
    vc_shared_dimension *shared = NULL;
    if (facts->older != NULL) {
        vc_object stored = {.id = facts->older->object_id, .generation = facts->older->generation};
        vc_str image;
        vc_status status = vc_load_copy_image(facts->loader, &stored,
                                              (uint16_t)(VC_COLUMN_IMAGE + dimension->number),
                                              &facts->arena, &image, &dimension->older, error);
        if (status != VC_OK) return status;
    }
    dimension->definition = use->own;
    dimension->owner = facts->definition;
    dimension->pointer = vc_arena_printf(&facts->arena, "/dimensions/%zu", dimension->number);
    if (dimension->pointer.data == NULL) return vc_no_memory(error);
    if (use->own == NULL) {
        vc_status status = vc_load_find_shared(facts->loader, use->shared, &shared, error);
        if (status != VC_OK) return status;
        dimension->definition = &shared->definition->as.dimension;
        dimension->owner = shared->definition;
        dimension->pointer = VC_STR("");
    }
    vc_status status = order_by(facts, dimension, error);
    if (status != VC_OK) return status;
    if (!dimension->definition->has_table) return start_built(facts, dimension, error);
    status = find_key_field(facts, dimension, error);
    if (status != VC_OK) return status;
    if (shared != NULL) return start_shared(facts, dimension, shared, error);
    return facts->loader->body != NULL ? start_kept(facts, dimension, error)
                                       : start_table(facts, dimension, error);
}

/* Can a row be unfit for this built dimension? */
static bool can_reject(const vc_fact_dimension *dimension)
{
    const vc_dimension_def *definition = dimension->definition;
    if (!vc_str_is_null(definition->key)) return true;
    for (size_t h = 0; h < definition->nhierarchies; h++) {
        for (size_t l = 0; l < definition->hierarchies[h].nlevels; l++) {
            const vc_level_def *level = &definition->hierarchies[h].levels[l];
            if (level->part != VC_TIME_NONE || level->key_type != VC_KEY_TEXT) return true;
        }
    }
    return false;
}

vc_status vc_facts_start_dimensions(vc_fact_load *facts, vc_error *error)
{
    size_t n = facts->cube->ndimensions;
    facts->dimensions = VC_ARENA_NEW(&facts->arena, vc_fact_dimension, n);
    facts->keyed = VC_ARENA_NEW(&facts->arena, vc_fact_dimension *, n);
    facts->built = VC_ARENA_NEW(&facts->arena, vc_fact_dimension *, n);
    if (facts->dimensions == NULL || facts->keyed == NULL || facts->built == NULL)
        return vc_no_memory(error);
    facts->ndimensions = n;
    for (size_t d = 0; d < n; d++) {
        vc_fact_dimension *dimension = &facts->dimensions[d];
        dimension->number = d;
        dimension->use = &facts->cube->dimensions[d];
        vc_status status = start_dimension(facts, dimension, error);
        if (status != VC_OK) return status;
        if (dimension->leaves != NULL) facts->keyed[facts->nkeyed++] = dimension;
    }
    for (int rejecting = 1; rejecting >= 0; rejecting--) {
        for (size_t d = 0; d < n; d++) {
            vc_fact_dimension *dimension = &facts->dimensions[d];
            if (dimension->leaves == NULL && can_reject(dimension) == (rejecting == 1))
                facts->built[facts->nbuilt++] = dimension;
        }
    }
    return VC_OK;
}

/* ---- after the facts ---- */

static vc_status finish_built(vc_fact_load *facts, vc_fact_dimension *dimension, vc_error *error)
{
    vc_buffer image = {0};
    vc_arena arena = {0};
    const vc_dimension *opened;
    const uint32_t *leaf_of_row;
    vc_str pointer =
        vc_arena_printf(&arena, "/dimensions/%zu", (size_t)(dimension - facts->dimensions));
    vc_status status =
        pointer.data == NULL
            ? vc_no_memory(error)
            : vc_load_finish_dimension(facts->loader, dimension->builder, &facts->file,
                                       dimension->use->name, pointer, dimension->definition, &image,
                                       &leaf_of_row, error);
    if (status == VC_OK)
        status = vc_segments_put_spilled(facts->segments, dimension->number, leaf_of_row, error);
    vc_dimension_builder_free(dimension->builder);
    dimension->builder = NULL;
    if (status == VC_OK)
        status = vc_dimension_open((vc_str){image.data, image.size}, &arena, &opened, error);
    if (status == VC_OK) {
        take_leaves(dimension, opened);
        status = put_image(facts, dimension, (vc_str){image.data, image.size}, error);
    }
    vc_arena_release(&arena);
    vc_buffer_release(&image);
    return status;
}

vc_status vc_facts_finish_dimensions(vc_fact_load *facts, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; status == VC_OK && i < facts->nbuilt; i++)
        status = finish_built(facts, facts->built[i], error);
    return status;
}

static void release_dimension(vc_fact_dimension *dimension)
{
    vc_keymap_release(&dimension->own_leaves);
    vc_memo_release(&dimension->memo);
    vc_dimension_builder_free(dimension->builder);
    vc_feed_free(dimension->feed);
    vc_spill_free(dimension->spill);
}

void vc_facts_release_dimensions(vc_fact_load *facts)
{
    for (size_t d = 0; d < facts->ndimensions; d++)
        release_dimension(&facts->dimensions[d]);
}
