/* The facts of a source cube, read once: dimensions are started, rows become segments, and what is
 * known only at the end is put.
 */
#include "cube/load_facts_parts.h"
#include "cube/text_column.h"

#include <stdlib.h>

/* ---- columns ---- */

/* An append goes on with the codes that texts have. */
static vc_status read_dictionary(vc_fact_load *facts, vc_load_column *column, vc_error *error)
{
    vc_arena arena = {0};
    vc_str bytes;
    vc_texts texts;
    uint16_t number = (uint16_t)(VC_COLUMN_DICTIONARY + column->column->column - VC_COLUMN_MEASURE);
    vc_status status =
        vc_snapshot_bytes(vc_load_snapshot(facts->loader->load), facts->older->object_id,
                          facts->older->generation, number, &arena, &bytes, error);
    if (status == VC_OK) status = vc_text_column_open(bytes, "a dictionary", &texts, error);
    for (uint32_t i = 0; status == VC_OK && i < texts.count; i++) {
        int64_t code;
        status = vc_load_column_code(column, vc_texts_get(&texts, i), &code, error);
    }
    vc_arena_release(&arena);
    return status;
}

/* Where the definition names a column: a measure's, or its weights. */
static vc_str column_pointer(vc_fact_load *facts, size_t number)
{
    const vc_cube_def *cube = facts->cube;
    for (size_t i = 0; i < cube->nmeasures; i++)
        if (facts->measure_columns[i] == (int)number)
            return vc_arena_printf(&facts->arena, "%.*s/%s", VC_FMT(cube->measures[i].pointer),
                                   facts->plan[number].is_computed ? "value" : "column");
    for (size_t i = 0; i < cube->nmeasures; i++)
        if (vc_str_equal(cube->measures[i].weight, facts->plan[number].name))
            return vc_arena_printf(&facts->arena, "%.*s/weight", VC_FMT(cube->measures[i].pointer));
    return VC_STR("");
}

/* The fields a column is read from: one, or those of the expression that computes it. */
static vc_status find_fields(vc_fact_load *facts, vc_load_column *column, vc_str pointer,
                             vc_error *error)
{
    size_t nnames = 1;
    const vc_str *names = &column->column->name;
    vc_row_value *value = NULL;
    if (column->column->is_computed) {
        vc_status status = vc_row_value_new(column->column->name, column->column->type,
                                            column->column->scale, &facts->arena, &value, error);
        if (status != VC_OK)
            return vc_loader_place(facts->definition, error, "%.*s", VC_FMT(pointer));
        names = vc_row_value_names(value, &nnames);
    }
    size_t *fields = VC_ARENA_NEW(&facts->arena, size_t, nnames);
    if (fields == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nnames; i++) {
        vc_status status = vc_load_file_column(&facts->file, facts->definition, names[i],
                                               &fields[i], error, "%.*s", VC_FMT(pointer));
        if (status != VC_OK) return status;
    }
    column->value = value;
    column->field = fields[0];
    column->fields = fields;
    column->nfields = nnames;
    return VC_OK;
}

static vc_status start_column(vc_fact_load *facts, size_t number, vc_error *error)
{
    const vc_fact_column *column = &facts->plan[number];
    vc_str pointer = column_pointer(facts, number);
    if (pointer.data == NULL) return vc_no_memory(error);
    facts->columns[number] = (vc_load_column){.column = column};
    vc_status status = find_fields(facts, &facts->columns[number], pointer, error);
    if (status == VC_OK && column->is_dictionary && facts->older != NULL)
        status = read_dictionary(facts, &facts->columns[number], error);
    return status;
}

static vc_status start_columns(vc_fact_load *facts, vc_error *error)
{
    size_t ncolumns;
    vc_status status = vc_load_plan_columns(facts->cube, &facts->arena, &facts->plan, &ncolumns,
                                            &facts->measure_columns, error);
    if (status != VC_OK) return status;
    facts->columns = VC_ARENA_NEW(&facts->arena, vc_load_column, ncolumns);
    if (facts->columns == NULL) return vc_no_memory(error);
    facts->ncolumns = ncolumns;
    for (size_t i = 0; status == VC_OK && i < ncolumns; i++)
        status = start_column(facts, i, error);
    return status;
}

/* ---- after the facts ---- */

static vc_status put_dictionaries(vc_fact_load *facts, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; status == VC_OK && i < facts->ncolumns; i++) {
        const vc_strmap *codes = &facts->columns[i].codes;
        vc_buffer buffer = {0};
        if (!facts->plan[i].is_dictionary) continue;
        facts->plan[i].ncodes = codes->count;
        vc_text_column_put(&buffer, codes->keys, codes->count);
        status = buffer.failed ? vc_no_memory(error)
                               : vc_load_put_bytes(facts->loader->load, &facts->object,
                                                   (uint16_t)(VC_COLUMN_DICTIONARY + i),
                                                   buffer.data, buffer.size, error);
        vc_buffer_release(&buffer);
    }
    return status;
}

static vc_status put_manifest(vc_fact_load *facts, vc_error *error)
{
    size_t nolder = facts->older == NULL ? 0 : facts->older->nruns;
    vc_fact_run *runs = VC_ARENA_NEW(&facts->arena, vc_fact_run, nolder + 1);
    uint32_t *parts = VC_ARENA_NEW(&facts->arena, uint32_t, nolder + 1);
    vc_manifest_dimension *dimensions =
        VC_ARENA_NEW(&facts->arena, vc_manifest_dimension, facts->ndimensions);
    if (runs == NULL || parts == NULL || dimensions == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nolder; i++) {
        runs[i] = facts->older->runs[i];
        parts[i] = runs[i].generation;
    }
    uint64_t nrows = vc_segments_nrows(facts->segments);
    runs[nolder] = (vc_fact_run){.generation = facts->object.generation,
                                 .nsegments = vc_segments_count(facts->segments),
                                 .nrows = nrows};
    for (size_t d = 0; d < facts->ndimensions; d++) {
        const vc_fact_dimension *dimension = &facts->dimensions[d];
        dimensions[d] =
            (vc_manifest_dimension){.name = dimension->use->name,
                                    .nleaves = dimension->nleaves,
                                    .fingerprint = dimension->fingerprint,
                                    .is_aggregatable = !dimension->definition->is_not_aggregatable,
                                    .default_member = dimension->definition->default_member};
    }
    vc_str *cluster = VC_ARENA_NEW(&facts->arena, vc_str, facts->order.nitems);
    if (cluster == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < facts->order.nitems; i++)
        cluster[i] = facts->order.items[i].text;
    vc_manifest manifest = {.kind = VC_DEFINITION_SOURCE,
                            .definition = facts->definition->text,
                            .file = facts->definition->file,
                            .nrows = (facts->older == NULL ? 0 : facts->older->nrows) + nrows,
                            .nruns = nolder + (nrows > 0),
                            .runs = runs,
                            .ncolumns = facts->ncolumns,
                            .columns = facts->plan,
                            .nmeasures = facts->cube->nmeasures,
                            .measure_columns = facts->measure_columns,
                            .ncluster = facts->order.nitems,
                            .cluster = cluster,
                            .ndimensions = facts->ndimensions,
                            .dimensions = dimensions};
    return vc_load_put_manifest(facts->loader, &facts->object, &manifest, parts, nolder, error);
}

/* ---- the whole ---- */

/* A cube without a data file has the facts that were sent to it. */
static bool keeps_facts(const vc_fact_load *facts)
{
    return facts->loader->body == NULL && vc_str_is_null(facts->cube->data.path) &&
           !facts->loader->options->drops_facts;
}

static vc_status fail_virtual(const vc_fact_load *facts, vc_error *error)
{
    vc_fail(error, VC_CONFLICT, "append_mismatch",
            "'%.*s' is a virtual cube: facts cannot be appended to it",
            VC_FMT(facts->definition->name));
    return vc_loader_place(facts->definition, error, "/name");
}

static vc_status open_older(vc_fact_load *facts, vc_error *error)
{
    bool appends = facts->loader->options->append;
    if (vc_str_is_null(facts->object.manifest) || (!appends && !keeps_facts(facts))) return VC_OK;
    vc_manifest manifest;
    vc_status status = vc_manifest_read(&facts->object, &facts->arena, &manifest, error);
    if (status != VC_OK) return status;
    if (manifest.kind != VC_DEFINITION_SOURCE) return appends ? fail_virtual(facts, error) : VC_OK;
    status = vc_source_cube_open(vc_load_snapshot(facts->loader->load), facts->definition->name,
                                 &facts->arena, &facts->older, error);
    if (status != VC_OK) return status;
    return vc_load_check_append(facts->definition, facts->older,
                                appends ? "load it anew instead of appending"
                                        : "a cube without data keeps the facts that it has: drop "
                                          "it first (over HTTP: facts=drop)",
                                error);
}

static vc_status open_file(vc_fact_load *facts, vc_error *error)
{
    const vc_csv_def *data = &facts->cube->data;
    vc_load_csv csv = {.definition = facts->definition,
                       .csv = data,
                       .pointer = data->is_ndjson ? VC_STR("/data/ndjson") : VC_STR("/data/csv")};
    if (facts->loader->body == NULL && !vc_str_is_null(data->path))
        return vc_load_file_open(facts->loader, &csv, &facts->file, error);
    if (facts->loader->body == NULL && facts->older == NULL)
        vc_loader_warn(facts->loader,
                       "%.*s: the definition names no data file: the cube is empty until facts are "
                       "sent to it",
                       VC_FMT(facts->definition->name));
    csv.pointer = VC_STR("/data");
    return vc_load_body_open(facts->loader, &csv, facts->loader->body, &facts->file, error);
}

static vc_status load_facts(vc_fact_load *facts, vc_error *error)
{
    vc_status status = vc_load_object(facts->loader->load, VC_KIND_CUBE, facts->definition->name,
                                      &facts->object, error);
    if (status == VC_OK) status = open_older(facts, error);
    if (status == VC_OK) status = open_file(facts, error);
    if (status == VC_OK) status = start_columns(facts, error);
    if (status == VC_OK)
        status = vc_load_list_cluster(facts->cube, &facts->arena, &facts->order, error);
    if (status == VC_OK) status = vc_facts_start_dimensions(facts, error);
    if (status == VC_OK) status = vc_facts_read(facts, error);
    if (status == VC_OK) status = vc_facts_finish_dimensions(facts, error);
    if (status == VC_OK) status = put_dictionaries(facts, error);
    return status == VC_OK ? put_manifest(facts, error) : status;
}

static void release_facts(vc_fact_load *facts)
{
    vc_facts_release_rows(facts);
    vc_facts_release_dimensions(facts);
    for (size_t i = 0; i < facts->ncolumns; i++)
        vc_load_column_release(&facts->columns[i]);
    vc_load_file_close(&facts->file);
    vc_source_cube_close(facts->older);
    vc_arena_release(&facts->arena);
    free(facts);
}

vc_status vc_load_source(vc_loader *loader, const vc_definition *definition,
                         vc_load_object_report *report, vc_error *error)
{
    vc_fact_load *facts = calloc(1, sizeof *facts);
    if (facts == NULL) return vc_no_memory(error);
    facts->loader = loader;
    facts->definition = definition;
    facts->cube = &definition->as.cube;
    facts->file.loader = loader;
    vc_status status = load_facts(facts, error);
    if (facts->segments != NULL) report->nrows = vc_segments_nrows(facts->segments);
    for (size_t d = 0; d < facts->ndimensions; d++) {
        if (facts->dimensions[d].use != NULL && facts->dimensions[d].use->own != NULL)
            report->nmembers += facts->dimensions[d].nleaves - facts->dimensions[d].ndoubles;
    }
    release_facts(facts);
    return status;
}
