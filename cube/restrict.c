#include "cube/restrict.h"

#include "base/bits.h"
#include "cube/load_parts.h"
#include "cube/manifest.h"
#include "storage/packed.h"

#include <stdlib.h>
#include <string.h>

struct restricting {
    const vc_source_cube *whole;
    const vc_snapshot *snapshot;
    vc_arena *arena;
    const uint64_t *const *bits; /* [ndimensions] */
    uint64_t **seen;             /* [ndimensions] leaves of visible facts, of a dimension that is
                                    made of facts; NULL: its rows stay */
    uint64_t nrows;
    vc_source_cube *shown;
    vc_leaf_mask *masks;
};

/* ---- definitions ---- */

/* The definition of one dimension of the cube, which may be one of its own or a shared one. */
struct defined {
    const vc_definition *owner;
    const vc_dimension_def *dimension;
    vc_str pointer;
    vc_definition *opened; /* to be released */
};

static vc_status find_definition(const struct restricting *in, size_t number, struct defined *out,
                                 vc_error *error)
{
    const vc_dimension_use *use = &in->whole->definition->as.cube.dimensions[number];
    vc_object object;
    *out = (struct defined){.owner = in->whole->definition, .dimension = use->own};
    out->pointer = vc_arena_printf(in->arena, "/dimensions/%zu", number);
    if (out->pointer.data == NULL) return vc_no_memory(error);
    if (use->own != NULL) return VC_OK;
    vc_status status =
        vc_snapshot_find(in->snapshot, VC_KIND_DIMENSION, use->shared, &object, error);
    if (status == VC_OK) status = vc_manifest_definition(&object, in->arena, &out->opened, error);
    if (status != VC_OK) return status;
    out->owner = out->opened;
    out->dimension = &out->opened->as.dimension;
    out->pointer = VC_STR("");
    return VC_OK;
}

/* ---- the facts that are seen ---- */

struct passing { /* over the facts */
    struct restricting *in;
    const vc_packed_kernels *packed;
    uint32_t deltas[VC_BLOCK_ROWS + 512];
    bool is_seen[VC_BLOCK_ROWS];
};

static vc_status find_chunk(const struct restricting *in, size_t dimension, uint32_t segment,
                            const vc_chunk **chunk_out, vc_error *error)
{
    const vc_dimension *of = in->whole->dimensions[dimension];
    vc_status status = vc_source_cube_view(in->whole, in->snapshot, (uint16_t)dimension, segment,
                                           chunk_out, error);
    if (status != VC_OK) return status;
    const vc_chunk *chunk = *chunk_out;
    if (chunk->type == VC_CHUNK_INT && chunk->validity == NULL &&
        (chunk->nrows == 0 || (chunk->min >= 0 && chunk->max < (int64_t)of->nleaves)))
        return VC_OK;
    return vc_fail(error, VC_CORRUPT, "storage_damaged",
                   "cube '%.*s', segment %u: column %zu holds leaves that the dimension does not "
                   "have",
                   VC_FMT(in->whole->name), segment, dimension);
}

static vc_status pass_column(struct passing *at, size_t dimension, uint32_t segment, uint32_t block,
                             bool is_filter, vc_error *error)
{
    struct restricting *in = at->in;
    const vc_chunk *chunk;
    vc_status status = find_chunk(in, dimension, segment, &chunk, error);
    if (status != VC_OK) return status;
    const vc_block *of = &chunk->blocks[block];
    uint32_t nrows = vc_chunk_block_rows(chunk, block), base = (uint32_t)of->min;
    at->packed->unpack32(vc_chunk_block_data(chunk, block), of->width, nrows, at->deltas);
    if (is_filter)
        for (uint32_t i = 0; i < nrows; i++)
            at->is_seen[i] &= vc_bit_get(in->bits[dimension], base + at->deltas[i]);
    else
        for (uint32_t i = 0; i < nrows; i++)
            if (at->is_seen[i]) vc_bit_set(in->seen[dimension], base + at->deltas[i]);
    return VC_OK;
}

static vc_status pass_block(struct passing *at, uint32_t segment, uint32_t block, uint32_t nrows,
                            vc_error *error)
{
    struct restricting *in = at->in;
    vc_status status = VC_OK;
    memset(at->is_seen, true, sizeof at->is_seen);
    for (size_t d = 0; d < in->whole->ndimensions && status == VC_OK; d++)
        if (in->bits[d] != NULL) status = pass_column(at, d, segment, block, true, error);
    for (uint32_t i = 0; i < nrows; i++)
        in->nrows += at->is_seen[i];
    for (size_t d = 0; d < in->whole->ndimensions && status == VC_OK; d++)
        if (in->seen[d] != NULL) status = pass_column(at, d, segment, block, false, error);
    return status;
}

static vc_status pass_facts(struct restricting *in, vc_error *error)
{
    struct passing *at = calloc(1, sizeof *at);
    vc_status status = at == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK)
        *at = (struct passing){.in = in, .packed = vc_packed_get_kernels(vc_cpu_get_level())};
    for (uint32_t segment = 0; segment < in->whole->nsegments && status == VC_OK; segment++) {
        const vc_chunk *chunk;
        status = find_chunk(in, 0, segment, &chunk, error);
        for (uint32_t block = 0; status == VC_OK && block < chunk->nblocks; block++)
            status = pass_block(at, segment, block, vc_chunk_block_rows(chunk, block), error);
    }
    free(at);
    return status;
}

/* ---- dimensions ---- */

struct rebuilding { /* of one dimension */
    struct restricting *in;
    const vc_dimension *from;
    const vc_dimension_spec *spec;
    vc_dimension_rows rows;
    vc_arena work;
    const uint64_t *seen; /* [nleaves] leaves that are seen */
    uint64_t *kept;       /* and those whose rows stay: parents of these, too */
    uint32_t *row_of;     /* [nleaves] of the builder; VC_NONE */
    unsigned *columns;    /* [spec->ncolumns] of the rows */
    vc_str *texts;
};

static vc_status match_columns(struct rebuilding *at, vc_error *error)
{
    const vc_dimension_spec *spec = at->spec;
    for (unsigned c = 0; c < spec->ncolumns; c++) {
        unsigned from = 0;
        while (from < at->rows.ncolumns &&
               !vc_str_equal(at->rows.columns[from].name, spec->column_names[c]))
            from++;
        if (from == at->rows.ncolumns || at->rows.ncolumns != spec->ncolumns)
            return vc_fail(error, VC_CONFLICT, "definition_changed",
                           "dimension '%.*s' was defined anew since cube '%.*s' was loaded: load "
                           "the cube again",
                           VC_FMT(at->from->name), VC_FMT(at->in->whole->name));
        at->columns[c] = from;
    }
    return VC_OK;
}

/* Keep the rows above a row of a tree, through each of its parents. */
static void keep_parents(struct rebuilding *at, const vc_index *by_key, const vc_leaf_column *above,
                         uint32_t leaf)
{
    const uint32_t *parents;
    size_t nparents = 0;
    vc_str parent = vc_leaf_column_get(above, leaf);
    if (parent.size > 0) vc_index_find(by_key, parent, &parents, &nparents);
    for (size_t i = 0; i < nparents; i++) {
        if (vc_bit_get(at->kept, parents[i])) continue;
        vc_bit_set(at->kept, parents[i]);
        keep_parents(at, by_key, above, parents[i]);
    }
}

static vc_status keep_rows(struct rebuilding *at, vc_error *error)
{
    const vc_dimension *from = at->from;
    size_t nwords = vc_bits_words(from->nleaves);
    at->kept = VC_ARENA_NEW(&at->work, uint64_t, nwords + 1);
    if (at->kept == NULL) return vc_no_memory(error);
    memcpy(at->kept, at->seen, nwords * sizeof *at->kept);
    for (unsigned h = 0; h < at->spec->nhierarchies; h++) {
        const vc_index *by_key;
        if (!at->spec->hierarchies[h].is_parent_child) continue;
        vc_status status = vc_dimension_find_index(from, VC_STR("key"), &by_key, error);
        if (status != VC_OK) return status;
        const vc_leaf_column *above =
            &at->rows.columns[at->columns[at->spec->hierarchies[h].parent_column]];
        for (uint32_t leaf = 0; leaf < from->nleaves; leaf++)
            if (vc_bit_get(at->seen, leaf)) keep_parents(at, by_key, above, leaf);
    }
    return VC_OK;
}

static vc_status add_rows(struct rebuilding *at, vc_dimension_builder *builder, vc_error *error)
{
    vc_status status = VC_OK;
    for (uint32_t i = 0; i < at->from->nleaves; i++)
        at->row_of[i] = VC_NONE;
    for (uint32_t i = 0; i < at->from->nleaves && status == VC_OK; i++) {
        uint32_t leaf = at->rows.load_order[i];
        if (!vc_bit_get(at->kept, leaf)) continue;
        for (unsigned c = 0; c < at->spec->ncolumns; c++)
            at->texts[c] = vc_leaf_column_get(&at->rows.columns[at->columns[c]], leaf);
        status = vc_dimension_builder_add(builder, at->texts, &at->row_of[leaf], error);
    }
    return status;
}

/* What the numbers in the facts are called now. */
static vc_status map_leaves(struct rebuilding *at, const vc_dimension *to,
                            const uint32_t *leaf_of_row, vc_leaf_mask *mask, vc_error *error)
{
    const vc_dimension *from = at->from;
    uint32_t *leaves = vc_arena_alloc(at->in->arena, ((size_t)from->nleaves + 1) * sizeof *leaves);
    if (leaves == NULL) return vc_no_memory(error);
    memset(leaves, 0xFF, ((size_t)from->nleaves + 1) * sizeof *leaves);
    for (uint32_t leaf = 0; leaf < from->nleaves; leaf++)
        if (vc_bit_get(at->seen, leaf) && at->row_of[leaf] != VC_NONE)
            leaves[vc_leaf_first(from, leaf)] = vc_leaf_first(to, leaf_of_row[at->row_of[leaf]]);
    mask->leaves = leaves;
    return VC_OK;
}

static vc_status build(struct rebuilding *at, const vc_dimension **to_out, vc_leaf_mask *mask,
                       vc_error *error)
{
    vc_dimension_builder *builder = NULL;
    vc_buffer image = {0};
    vc_dimension_report report;
    const uint32_t *leaf_of_row;
    vc_status status = vc_dimension_builder_new(at->spec, NULL, &builder, error);
    if (status == VC_OK) status = add_rows(at, builder, error);
    if (status == VC_OK)
        status = vc_dimension_builder_finish(builder, &image, &leaf_of_row, &report, error);
    if (status == VC_OK) {
        char *kept = vc_arena_alloc(at->in->arena, image.size + 1);
        if (kept != NULL) memcpy(kept, image.data, image.size);
        status = kept == NULL ? vc_no_memory(error)
                              : vc_dimension_open((vc_str){.data = kept, .size = image.size},
                                                  at->in->arena, to_out, error);
    }
    if (status == VC_OK) status = map_leaves(at, *to_out, leaf_of_row, mask, error);
    vc_buffer_release(&image);
    vc_dimension_builder_free(builder);
    return status;
}

static vc_status rebuild(struct restricting *in, size_t number, const uint64_t *seen,
                         const vc_dimension **to_out, vc_error *error)
{
    struct defined defined;
    vc_feed *feed = NULL;
    struct rebuilding at = {.in = in, .from = in->whole->dimensions[number], .seen = seen};
    vc_status status = find_definition(in, number, &defined, error);
    if (status == VC_OK)
        status =
            vc_feed_plan(defined.owner, defined.dimension, defined.pointer,
                         in->whole->definition->as.cube.dimensions[number].column, &feed, error);
    if (status != VC_OK) {
        vc_definition_release(defined.opened);
        return status;
    }
    at.spec = vc_feed_spec(feed);
    at.columns = VC_ARENA_NEW(&at.work, unsigned, at.spec->ncolumns + 1);
    at.texts = VC_ARENA_NEW(&at.work, vc_str, at.spec->ncolumns + 1);
    at.row_of = vc_arena_alloc(&at.work, ((size_t)at.from->nleaves + 1) * sizeof *at.row_of);
    if (at.columns == NULL || at.texts == NULL || at.row_of == NULL) status = vc_no_memory(error);
    if (status == VC_OK) status = vc_dimension_read_rows(at.from, &at.work, &at.rows, error);
    if (status == VC_OK) status = match_columns(&at, error);
    if (status == VC_OK) status = keep_rows(&at, error);
    if (status == VC_OK) status = build(&at, to_out, &in->masks[number], error);
    vc_arena_release(&at.work);
    vc_feed_free(feed);
    vc_definition_release(defined.opened);
    return status;
}

/* ---- the whole ---- */

static vc_status start(struct restricting *in, vc_error *error)
{
    size_t n = in->whole->ndimensions;
    in->shown = VC_ARENA_NEW(in->arena, vc_source_cube, 1);
    in->masks = VC_ARENA_NEW(in->arena, vc_leaf_mask, n + 1);
    in->seen = VC_ARENA_NEW(in->arena, uint64_t *, n + 1);
    if (in->shown == NULL || in->masks == NULL || in->seen == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < n; d++) {
        struct defined defined;
        in->masks[d] = (vc_leaf_mask){.nstored = in->whole->dimensions[d]->nleaves,
                                      .is_cut = in->bits[d] != NULL};
        vc_status status = find_definition(in, d, &defined, error);
        if (status != VC_OK) return status;
        bool has_table = defined.dimension->has_table;
        vc_definition_release(defined.opened);
        if (has_table) continue;
        in->seen[d] =
            VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(in->whole->dimensions[d]->nleaves) + 1);
        if (in->seen[d] == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

/* Facts know a leaf by its first place, whichever of its places may be seen. */
static vc_status know_by_first(struct restricting *in, size_t number, vc_error *error)
{
    const vc_dimension *dimension = in->whole->dimensions[number];
    size_t nwords = vc_bits_words(dimension->nleaves);
    if (dimension->ndoubles == 0) return VC_OK;
    uint64_t *firsts = VC_ARENA_NEW(in->arena, uint64_t, nwords + 1);
    if (firsts == NULL) return vc_no_memory(error);
    memcpy(firsts, in->bits[number], nwords * sizeof *firsts);
    vc_dimension_mark_places(dimension, firsts);
    ((const uint64_t **)in->bits)[number] = firsts;
    return VC_OK;
}

vc_status vc_source_cube_restrict(const vc_source_cube *whole, const vc_snapshot *snapshot,
                                  const uint64_t *const *bits, vc_arena *arena,
                                  const vc_source_cube **shown_out, vc_error *error)
{
    size_t n = whole->ndimensions;
    const uint64_t **by_first = VC_ARENA_NEW(arena, const uint64_t *, n + 1);
    const vc_dimension **dimensions = VC_ARENA_NEW(arena, const vc_dimension *, n + 1);
    struct restricting in = {.whole = whole, .snapshot = snapshot, .arena = arena};
    if (by_first == NULL || dimensions == NULL) return vc_no_memory(error);
    memcpy(by_first, bits, n * sizeof *by_first);
    in.bits = by_first;
    vc_status status = start(&in, error);
    for (size_t d = 0; d < n && status == VC_OK; d++)
        if (bits[d] != NULL) status = know_by_first(&in, d, error);
    if (status == VC_OK) status = pass_facts(&in, error);
    for (size_t d = 0; d < n && status == VC_OK; d++) {
        dimensions[d] = whole->dimensions[d];
        const uint64_t *seen = in.seen[d] != NULL ? in.seen[d] : bits[d];
        if (seen != NULL) status = rebuild(&in, d, seen, &dimensions[d], error);
    }
    if (status != VC_OK) return status;
    *in.shown = *whole;
    in.shown->whole = whole;
    in.shown->nrows = in.nrows;
    in.shown->dimensions = dimensions;
    in.shown->masks = in.masks;
    *shown_out = in.shown;
    return VC_OK;
}

vc_status vc_source_cube_show_leaves(const vc_source_cube *shown, size_t dimension,
                                     const uint64_t *bits, vc_arena *arena, uint64_t **bits_out,
                                     vc_error *error)
{
    uint32_t nstored = shown->masks[dimension].nstored;
    const vc_dimension *of = shown->dimensions[dimension];
    *bits_out = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(of->nleaves) + 1);
    if (*bits_out == NULL) return vc_no_memory(error);
    for (uint32_t stored = 0; stored < nstored; stored++) {
        uint32_t leaf = vc_source_cube_leaf(shown, dimension, stored);
        if (leaf != VC_NONE && vc_bit_get(bits, stored)) vc_bit_set(*bits_out, leaf);
    }
    vc_dimension_mark_places(of, *bits_out);
    return VC_OK;
}
