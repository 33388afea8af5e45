/* Crosswalks: rows of (from, to, weight). */
#include "cube/crosswalk.h"
#include "cube/load_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct weighed { /* a row whose weight is summed */
    uint32_t key;
    int32_t first_day, last_day;
    double weight;
} weighed;

typedef struct crosswalk_load {
    const vc_definition *definition;
    const vc_crosswalk_def *crosswalk;
    vc_load_file file;
    size_t from, to, weight, valid_from, valid_to, note; /* fields; SIZE_MAX: there is none */
    vc_crosswalk_builder *builder;
    uint64_t nrows;   /* that were good */
    vc_strmap keys;   /* of the side whose weights are summed */
    weighed *weighed; /* [nweighed] */
    size_t nweighed, capacity;
} crosswalk_load;

static vc_status find_fields(crosswalk_load *load, vc_error *error)
{
    const vc_crosswalk_def *crosswalk = load->crosswalk;
    vc_status status = vc_load_file_column(&load->file, load->definition, crosswalk->from,
                                           &load->from, error, "/from");
    if (status == VC_OK)
        status = vc_load_file_column(&load->file, load->definition, crosswalk->to, &load->to, error,
                                     "/to");
    const struct {
        vc_str name;
        size_t *field;
        const char *pointer;
    } others[] = {{crosswalk->weight, &load->weight, "/weight"},
                  {crosswalk->valid_from, &load->valid_from, "/valid_from"},
                  {crosswalk->valid_to, &load->valid_to, "/valid_to"},
                  {crosswalk->note, &load->note, "/note"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0] && status == VC_OK; i++) {
        *others[i].field = SIZE_MAX;
        if (!vc_str_is_null(others[i].name))
            status = vc_load_file_column(&load->file, load->definition, others[i].name,
                                         others[i].field, error, "%s", others[i].pointer);
    }
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

/* An end of the time in which a row holds; empty: open. */
static vc_status read_end(crosswalk_load *load, const vc_csv_row *row, size_t field, bool is_first,
                          int32_t *day, vc_error *error)
{
    int32_t first, last;
    vc_str text = field == SIZE_MAX ? (vc_str){0} : row->fields[field];
    if (text.size == 0) return VC_OK;
    if (vc_period_parse(text, &first, &last)) {
        *day = is_first ? first : last;
        return VC_OK;
    }
    vc_fail(error, VC_BAD_INPUT, "bad_date",
            "'%.*s' is not a year, a month or a day (1990, 1990-10, 1990-10-03)", VC_FMT(text));
    vc_load_file_at(&load->file, row, field, error);
    return VC_BAD_INPUT;
}

static vc_status read_target(crosswalk_load *load, const vc_csv_row *row,
                             vc_crosswalk_target *target)
{
    vc_error *reason = &load->file.reason;
    *target = (vc_crosswalk_target){
        .to = row->fields[load->to], .first_day = VC_DAY_FIRST, .last_day = VC_DAY_LAST};
    if (load->note != SIZE_MAX) target->note = row->fields[load->note];
    vc_status status = read_weight(load, row, &target->weight);
    if (status == VC_OK)
        status = read_end(load, row, load->valid_from, true, &target->first_day, reason);
    if (status == VC_OK)
        status = read_end(load, row, load->valid_to, false, &target->last_day, reason);
    if (status != VC_OK || target->first_day <= target->last_day) return status;
    vc_fail(reason, VC_BAD_INPUT, "bad_date", "the row holds from '%.*s' on, which is after '%.*s'",
            VC_FMT(row->fields[load->valid_from]), VC_FMT(row->fields[load->valid_to]));
    vc_load_file_at(&load->file, row, load->valid_from, reason);
    return VC_BAD_INPUT;
}

static vc_status note_weight(crosswalk_load *load, const vc_csv_row *row,
                             const vc_crosswalk_target *target, vc_error *error)
{
    vc_weights_sum side = load->crosswalk->weights_sum;
    if (side == VC_WEIGHTS_ANY) return VC_OK;
    vc_str key = row->fields[side == VC_WEIGHTS_ONE_PER_FROM ? load->from : load->to];
    if (key.size == 0) return VC_OK;
    uint32_t number = vc_strmap_put(&load->keys, key, NULL);
    if (number == VC_STRMAP_NONE) return vc_no_memory(error);
    if (load->nweighed == load->capacity) {
        size_t capacity = load->capacity == 0 ? 256 : 2 * load->capacity;
        weighed *grown = realloc(load->weighed, capacity * sizeof *grown);
        if (grown == NULL) return vc_no_memory(error);
        load->weighed = grown;
        load->capacity = capacity;
    }
    load->weighed[load->nweighed++] = (weighed){.key = number,
                                                .first_day = target->first_day,
                                                .last_day = target->last_day,
                                                .weight = target->weight};
    return VC_OK;
}

static vc_status take_row(crosswalk_load *load, const vc_csv_row *row, vc_error *error)
{
    vc_crosswalk_target target;
    vc_error *reason = &load->file.reason;
    vc_status status = read_target(load, row, &target);
    if (status != VC_OK) return vc_load_file_reject(&load->file, row, reason, error);
    bool is_new;
    status =
        vc_crosswalk_builder_add(load->builder, row->fields[load->from], &target, &is_new, reason);
    load->nrows += status == VC_OK;
    if (status == VC_OK) return is_new ? note_weight(load, row, &target, error) : VC_OK;
    vc_load_file_at(&load->file, row, load->from, reason);
    if (strcmp(reason->code, "empty_key") == 0)
        return vc_load_file_reject(&load->file, row, reason, error);
    if (error != NULL) *error = *reason;
    return status;
}

/* ---- sums of weights ---- */

static int compare_weighed(const void *a, const void *b)
{
    const weighed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->first_day != y->first_day) return x->first_day < y->first_day ? -1 : 1;
    if (x->last_day != y->last_day) return x->last_day < y->last_day ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

/* The sum of those that hold on a day; *holds_out: some do. */
static double sum_on(const weighed *rows, size_t count, int32_t day, bool *holds_out)
{
    double sum = 0;
    *holds_out = false;
    for (size_t i = 0; i < count; i++) {
        if (day < rows[i].first_day || day > rows[i].last_day) continue;
        sum += rows[i].weight;
        *holds_out = true;
    }
    return sum;
}

/* A sum of a key's rows that is not 1, at whatever time; it can change only where a row begins, or
 * after one has ended. */
static bool find_wrong_sum(const weighed *rows, size_t count, double *sum_out)
{
    for (size_t i = 0; i < 2 * count; i++) {
        const weighed *row = &rows[i / 2];
        bool holds;
        if (i % 2 == 1 && row->last_day == VC_DAY_LAST) continue;
        *sum_out = sum_on(rows, count, i % 2 == 0 ? row->first_day : row->last_day + 1, &holds);
        if (holds && !(fabs(*sum_out - 1) <= 1e-9)) return true;
        if (rows[0].first_day == rows[count - 1].first_day && rows[0].last_day == VC_DAY_LAST)
            return false; /* all hold always: one sum is all */
    }
    return false;
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
    if (load->nweighed > 1)
        qsort(load->weighed, load->nweighed, sizeof *load->weighed, compare_weighed);
    for (size_t first = 0, end; first < load->nweighed; first = end) {
        double sum;
        uint32_t key = load->weighed[first].key;
        for (end = first + 1; end < load->nweighed && load->weighed[end].key == key;)
            end++;
        if (!find_wrong_sum(load->weighed + first, end - first, &sum) || nwrong++ >= LISTED)
            continue;
        char number[VC_NUMBER_TEXT];
        vc_format_double(number, sum);
        vc_buffer_printf(&list, "%s'%.*s' %s", nwrong == 1 ? "" : ", ",
                         VC_FMT(load->keys.keys[key]), number);
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
    free(load->weighed);
    free(load);
    return status;
}
