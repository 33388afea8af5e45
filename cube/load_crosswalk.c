/* Crosswalks: rows of (from, to, weight). */
#include "cube/crosswalk.h"
#include "cube/load_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct crosswalk_load {
    const vc_definition *definition;
    const vc_crosswalk_def *crosswalk;
    vc_load_file file;
    size_t from, to, weight; /* fields; weight is SIZE_MAX when there is none */
    vc_crosswalk_builder *builder;
    uint64_t nrows; /* that were good */
    vc_strmap keys; /* of the side whose weights are summed */
    double *sums;   /* [capacity] */
    size_t capacity;
} crosswalk_load;

static vc_status find_fields(crosswalk_load *load, vc_error *error)
{
    const vc_crosswalk_def *crosswalk = load->crosswalk;
    vc_status status = vc_load_file_column(&load->file, load->definition, crosswalk->from,
                                           &load->from, error, "/from");
    if (status == VC_OK)
        status = vc_load_file_column(&load->file, load->definition, crosswalk->to, &load->to, error,
                                     "/to");
    load->weight = SIZE_MAX;
    if (status == VC_OK && !vc_str_is_null(crosswalk->weight))
        status = vc_load_file_column(&load->file, load->definition, crosswalk->weight,
                                     &load->weight, error, "/weight");
    return status;
}

/* ---- a row ---- */

static vc_status read_weight(crosswalk_load *load, const vc_csv_row *row, double *weight_out)
{
    *weight_out = 1;
    if (load->weight == SIZE_MAX) return VC_OK;
    vc_error *reason = &load->file.reason;
    vc_str text = row->fields[load->weight];
    bool is_number = !vc_str_is_null(text) &&
                     vc_parse_double(text, load->file.decimal, weight_out) == VC_PARSE_OK;
    if (is_number && *weight_out >= 0) return VC_OK;
    vc_fail(reason, VC_BAD_INPUT, "bad_number",
            "column '%.*s': the weight '%.*s' is not a number of at least 0",
            VC_FMT(load->crosswalk->weight), VC_FMT(text));
    vc_load_file_at(&load->file, row, load->weight, reason);
    return VC_BAD_INPUT;
}

static vc_status sum_weight(crosswalk_load *load, const vc_csv_row *row, double weight,
                            vc_error *error)
{
    vc_weights_sum side = load->crosswalk->weights_sum;
    if (side == VC_WEIGHTS_ANY) return VC_OK;
    vc_str key = row->fields[side == VC_WEIGHTS_ONE_PER_FROM ? load->from : load->to];
    if (key.size == 0) return VC_OK;
    bool is_new;
    uint32_t number = vc_strmap_put(&load->keys, key, &is_new);
    if (number == VC_STRMAP_NONE) return vc_no_memory(error);
    if (number >= load->capacity) {
        size_t capacity = load->capacity == 0 ? 256 : 2 * load->capacity;
        double *sums = realloc(load->sums, capacity * sizeof *sums);
        if (sums == NULL) return vc_no_memory(error);
        load->sums = sums;
        load->capacity = capacity;
    }
    load->sums[number] = (is_new ? 0 : load->sums[number]) + weight;
    return VC_OK;
}

static vc_status take_row(crosswalk_load *load, const vc_csv_row *row, vc_error *error)
{
    double weight;
    vc_error *reason = &load->file.reason;
    vc_status status = read_weight(load, row, &weight);
    if (status != VC_OK) return vc_load_file_reject(&load->file, row, reason, error);
    bool is_new;
    status = vc_crosswalk_builder_add(load->builder, row->fields[load->from], row->fields[load->to],
                                      weight, &is_new, reason);
    load->nrows += status == VC_OK;
    if (status == VC_OK) return is_new ? sum_weight(load, row, weight, error) : VC_OK;
    vc_load_file_at(&load->file, row, load->from, reason);
    if (strcmp(reason->code, "empty_key") == 0)
        return vc_load_file_reject(&load->file, row, reason, error);
    if (error != NULL) *error = *reason;
    return status;
}

/* ---- the whole ---- */

static vc_status read_rows(crosswalk_load *load, vc_error *error)
{
    for (;;) {
        vc_csv_row row;
        bool is_end;
        vc_status status = vc_load_file_next(&load->file, &row, &is_end, error);
        if (status == VC_OK && is_end) return vc_load_check_rejects(load->file.loader, error);
        if (status == VC_OK) status = take_row(load, &row, error);
        if (status != VC_OK) return status;
    }
}

/* Only now are all weights of a key together; so the message names keys, and not lines. */
static vc_status check_sums(const crosswalk_load *load, vc_error *error)
{
    enum { LISTED = 5 };
    vc_buffer list = {0};
    uint32_t nwrong = 0;
    for (uint32_t i = 0; i < load->keys.count; i++) {
        if (fabs(load->sums[i] - 1) <= 1e-9 || nwrong++ >= LISTED) continue;
        char number[VC_NUMBER_TEXT];
        vc_format_double(number, load->sums[i]);
        vc_buffer_printf(&list, "%s'%.*s' %s", nwrong == 1 ? "" : ", ", VC_FMT(load->keys.keys[i]),
                         number);
    }
    vc_status status = VC_OK;
    if (nwrong > LISTED) vc_buffer_printf(&list, " and %u more", nwrong - LISTED);
    if (nwrong > 0) {
        status = vc_fail(error, VC_BAD_INPUT, "weights_sum",
                         "%s: the weights of a key must sum to 1; of %u %s they do not: %s",
                         load->file.path.data, nwrong, nwrong == 1 ? "key" : "keys",
                         vc_buffer_text(&list));
        vc_loader_place(load->definition, error, "/weights_sum_to_one");
    }
    vc_buffer_release(&list);
    return status;
}

static vc_status put_crosswalk(crosswalk_load *load, vc_error *error)
{
    vc_loader *loader = load->file.loader;
    vc_buffer columns[VC_CROSSWALK_COLUMNS] = {{0}};
    vc_object object;
    vc_status status =
        vc_load_object(loader->load, VC_KIND_CROSSWALK, load->definition->name, &object, error);
    if (status == VC_OK) status = vc_crosswalk_builder_finish(load->builder, columns, error);
    for (uint16_t c = 0; status == VC_OK && c < VC_CROSSWALK_COLUMNS; c++)
        status =
            vc_load_put_bytes(loader->load, &object, c, columns[c].size == 0 ? "" : columns[c].data,
                              columns[c].size, error);
    for (size_t c = 0; c < VC_CROSSWALK_COLUMNS; c++)
        vc_buffer_release(&columns[c]);
    if (status != VC_OK) return status;
    vc_manifest manifest = {.kind = VC_DEFINITION_CROSSWALK,
                            .definition = load->definition->text,
                            .file = load->definition->file,
                            .nrows = load->nrows};
    return vc_load_put_manifest(loader, &object, &manifest, NULL, 0, error);
}

vc_status vc_load_crosswalk(vc_loader *loader, const vc_definition *definition,
                            vc_load_object_report *report, vc_error *error)
{
    crosswalk_load *load = calloc(1, sizeof *load);
    if (load == NULL) return vc_no_memory(error);
    load->definition = definition;
    load->crosswalk = &definition->as.crosswalk;
    vc_load_csv csv = {
        .definition = definition, .csv = &load->crosswalk->data, .pointer = VC_STR("/data/csv")};
    vc_status status = vc_crosswalk_builder_new(&load->builder, error);
    if (status == VC_OK) status = vc_load_file_open(loader, &csv, &load->file, error);
    if (status == VC_OK) status = find_fields(load, error);
    if (status == VC_OK) status = read_rows(load, error);
    if (status == VC_OK) status = check_sums(load, error);
    if (status == VC_OK) status = put_crosswalk(load, error);
    report->nrows = load->nrows;
    if (load->file.loader != NULL) vc_load_file_close(&load->file);
    vc_crosswalk_builder_free(load->builder);
    vc_strmap_release(&load->keys);
    free(load->sums);
    free(load);
    return status;
}
