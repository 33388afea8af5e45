#include "cube/crosswalk.h"

#include "base/strmap.h"
#include "cube/text_column.h"

#include <stdlib.h>
#include <string.h>

struct vc_crosswalk {
    vc_texts from;         /* distinct, ascending by bytes */
    const uint32_t *first; /* [from.count + 1] into targets */
    vc_crosswalk_target *targets;
};

/* ---- open ---- */

static vc_status fail_damaged(vc_str name, vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "storage_damaged", "crosswalk '%.*s': its rows are damaged",
                   VC_FMT(name));
}

static vc_status read_columns(const vc_snapshot *snapshot, const vc_object *object, vc_arena *arena,
                              vc_str columns[VC_CROSSWALK_COLUMNS], vc_error *error)
{
    for (uint16_t column = 0; column < VC_CROSSWALK_COLUMNS; column++) {
        vc_status status = vc_snapshot_bytes(snapshot, object->id, object->generation, column,
                                             arena, &columns[column], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

static bool is_ascending(const uint32_t *first, uint32_t nkeys, uint32_t ntargets)
{
    if (first[0] != 0 || first[nkeys] != ntargets) return false;
    for (uint32_t key = 0; key < nkeys; key++) {
        if (first[key] > first[key + 1]) return false;
    }
    return true;
}

static vc_status read_targets(vc_crosswalk *crosswalk, const vc_texts *to, vc_str weights,
                              bool has_times, vc_arena *arena, vc_error *error)
{
    uint32_t ntargets = crosswalk->first[crosswalk->from.count];
    const char *times = weights.data + ntargets * sizeof(double);
    crosswalk->targets = VC_ARENA_NEW(arena, vc_crosswalk_target, (size_t)ntargets + 1);
    if (crosswalk->targets == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < ntargets; i++) {
        vc_crosswalk_target *target = &crosswalk->targets[i];
        *target = (vc_crosswalk_target){
            .to = vc_texts_get(to, i), .first_day = VC_DAY_FIRST, .last_day = VC_DAY_LAST};
        memcpy(&target->weight, weights.data + i * sizeof(double), sizeof(double));
        if (to->count > ntargets) target->note = vc_texts_get(to, ntargets + i);
        if (!has_times) continue;
        memcpy(&target->first_day, times + i * sizeof(int32_t), sizeof(int32_t));
        memcpy(&target->last_day, times + (ntargets + i) * sizeof(int32_t), sizeof(int32_t));
    }
    return VC_OK;
}

vc_status vc_crosswalk_open(const vc_snapshot *snapshot, vc_str name, vc_arena *arena,
                            const vc_crosswalk **crosswalk_out, vc_error *error)
{
    vc_object object;
    vc_str columns[VC_CROSSWALK_COLUMNS];
    vc_status status = vc_snapshot_find(snapshot, VC_KIND_CROSSWALK, name, &object, error);
    if (status == VC_OK) status = read_columns(snapshot, &object, arena, columns, error);
    if (status != VC_OK) return status;

    vc_crosswalk *crosswalk = VC_ARENA_NEW(arena, vc_crosswalk, 1);
    if (crosswalk == NULL) return vc_no_memory(error);
    vc_texts to;
    status =
        vc_text_column_open(columns[VC_CROSSWALK_FROM], "a crosswalk", &crosswalk->from, error);
    if (status == VC_OK)
        status = vc_text_column_open(columns[VC_CROSSWALK_TO], "a crosswalk", &to, error);
    if (status != VC_OK) return status;
    vc_str first = columns[VC_CROSSWALK_FIRST], weights = columns[VC_CROSSWALK_WEIGHT];
    crosswalk->first = (const void *)first.data;
    if (first.size != (crosswalk->from.count + UINT64_C(1)) * sizeof(uint32_t))
        return fail_damaged(name, error);
    uint32_t ntargets = crosswalk->first[crosswalk->from.count];
    bool has_times = weights.size == (size_t)ntargets * 2 * sizeof(double);
    if ((!has_times && weights.size != (size_t)ntargets * sizeof(double)) ||
        (to.count != ntargets && to.count != 2 * (uint64_t)ntargets) ||
        !is_ascending(crosswalk->first, crosswalk->from.count, ntargets))
        return fail_damaged(name, error);
    *crosswalk_out = crosswalk;
    return read_targets(crosswalk, &to, weights, has_times, arena, error);
}

size_t vc_crosswalk_nkeys(const vc_crosswalk *crosswalk)
{
    return crosswalk->from.count;
}

size_t vc_crosswalk_find(const void *crosswalk_data, vc_str key,
                         const vc_crosswalk_target **targets_out)
{
    const vc_crosswalk *crosswalk = crosswalk_data;
    uint32_t first = 0, end = crosswalk->from.count;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        int order = vc_str_compare(vc_texts_get(&crosswalk->from, middle), key);
        if (order == 0) {
            *targets_out = crosswalk->targets + crosswalk->first[middle];
            return crosswalk->first[middle + 1] - crosswalk->first[middle];
        }
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    *targets_out = NULL;
    return 0;
}

/* ---- make ---- */

typedef struct crosswalk_row {
    uint32_t from, to; /* numbers in the map; VC_STRMAP_NONE: leads nowhere */
    double weight;
    int32_t first_day, last_day;
    uint32_t note; /* number in the map; VC_STRMAP_NONE: none */
} crosswalk_row;

struct vc_crosswalk_builder {
    vc_strmap texts; /* of both sides */
    vc_strmap pairs; /* (from, to, first day, last day) as 16 bytes: the number is the row's */
    crosswalk_row *rows;
    uint32_t capacity;
};

vc_status vc_crosswalk_builder_new(vc_crosswalk_builder **builder_out, vc_error *error)
{
    *builder_out = calloc(1, sizeof **builder_out);
    return *builder_out == NULL ? vc_no_memory(error) : VC_OK;
}

void vc_crosswalk_builder_free(vc_crosswalk_builder *builder)
{
    if (builder == NULL) return;
    vc_strmap_release(&builder->texts);
    vc_strmap_release(&builder->pairs);
    free(builder->rows);
    free(builder);
}

static bool grow_rows(vc_crosswalk_builder *builder)
{
    if (builder->pairs.count < builder->capacity) return true;
    uint32_t capacity = builder->capacity == 0 ? 256 : builder->capacity * 2;
    crosswalk_row *rows = realloc(builder->rows, capacity * sizeof *rows);
    if (rows == NULL) return false;
    builder->rows = rows;
    builder->capacity = capacity;
    return true;
}

vc_status vc_crosswalk_builder_add(vc_crosswalk_builder *builder, vc_str from,
                                   const vc_crosswalk_target *target, bool *is_new_out,
                                   vc_error *error)
{
    vc_str to = target->to;
    double weight = target->weight;
    if (vc_str_is_null(from) || from.size == 0)
        return vc_fail(error, VC_BAD_INPUT, "empty_key", "a crosswalk's 'from' must not be empty");
    bool leads_nowhere = vc_str_is_null(to) || to.size == 0;
    bool has_note = target->note.size > 0;
    uint32_t pair[4] = {vc_strmap_put(&builder->texts, from, NULL), VC_STRMAP_NONE,
                        (uint32_t)target->first_day, (uint32_t)target->last_day};
    uint32_t note = VC_STRMAP_NONE;
    if (!leads_nowhere) pair[1] = vc_strmap_put(&builder->texts, to, NULL);
    if (has_note) note = vc_strmap_put(&builder->texts, target->note, NULL);
    if (pair[0] == VC_STRMAP_NONE || (!leads_nowhere && pair[1] == VC_STRMAP_NONE) ||
        (has_note && note == VC_STRMAP_NONE) || !grow_rows(builder))
        return vc_no_memory(error);

    vc_str pair_text = {.data = (const char *)pair, .size = sizeof pair};
    uint32_t row = vc_strmap_put(&builder->pairs, pair_text, is_new_out);
    if (row == VC_STRMAP_NONE) return vc_no_memory(error);
    if (*is_new_out)
        builder->rows[row] = (crosswalk_row){.from = pair[0],
                                             .to = pair[1],
                                             .weight = weight,
                                             .first_day = target->first_day,
                                             .last_day = target->last_day,
                                             .note = note};
    else if (!(builder->rows[row].weight == weight) && !leads_nowhere)
        return vc_fail(error, VC_BAD_INPUT, "duplicate_key",
                       "'%.*s' to '%.*s' has weight %.17g here and %.17g above", VC_FMT(from),
                       VC_FMT(to), weight, builder->rows[row].weight);
    return VC_OK;
}

/* qsort_r's context is the builder; rows of one key stay in the order of the file. */
static int compare_rows(const void *a, const void *b, void *context)
{
    const vc_crosswalk_builder *builder = context;
    uint32_t row_a = *(const uint32_t *)a, row_b = *(const uint32_t *)b;
    const crosswalk_row *rows = builder->rows;
    if (rows[row_a].from != rows[row_b].from)
        return vc_str_compare(builder->texts.keys[rows[row_a].from],
                              builder->texts.keys[rows[row_b].from]);
    return row_a < row_b ? -1 : row_a > row_b;
}

vc_status vc_crosswalk_builder_finish(const vc_crosswalk_builder *builder,
                                      vc_buffer columns[VC_CROSSWALK_COLUMNS], vc_error *error)
{
    uint32_t nrows = builder->pairs.count, nkeys = 0, ntargets = 0, ntexts;
    vc_buffer first_days = {0}, last_days = {0};
    bool has_times = false, has_notes = false;
    uint32_t *order = malloc((nrows + 1) * sizeof *order);
    vc_str *from = malloc((nrows + 1) * sizeof *from);
    vc_str *to = malloc((2 * (size_t)nrows + 1) * sizeof *to);
    vc_status status = VC_OK;
    if (order == NULL || from == NULL || to == NULL) {
        status = vc_no_memory(error);
        goto done;
    }
    for (uint32_t row = 0; row < nrows; row++)
        order[row] = row;
    qsort_r(order, nrows, sizeof *order, compare_rows, (void *)builder);
    for (uint32_t i = 0; i < nrows; i++) {
        const crosswalk_row *row = &builder->rows[order[i]];
        if (i == 0 || row->from != builder->rows[order[i - 1]].from) {
            from[nkeys++] = builder->texts.keys[row->from];
            vc_buffer_put(&columns[VC_CROSSWALK_FIRST], &ntargets, sizeof ntargets);
        }
        if (row->to == VC_STRMAP_NONE) continue;
        to[ntargets++] = builder->texts.keys[row->to];
        vc_buffer_put(&columns[VC_CROSSWALK_WEIGHT], &row->weight, sizeof row->weight);
        vc_buffer_put(&first_days, &row->first_day, sizeof row->first_day);
        vc_buffer_put(&last_days, &row->last_day, sizeof row->last_day);
        has_times |= row->first_day != VC_DAY_FIRST || row->last_day != VC_DAY_LAST;
        has_notes |= row->note != VC_STRMAP_NONE;
    }
    if (has_times) {
        vc_buffer_put(&columns[VC_CROSSWALK_WEIGHT], first_days.data, first_days.size);
        vc_buffer_put(&columns[VC_CROSSWALK_WEIGHT], last_days.data, last_days.size);
    }
    ntexts = ntargets;
    for (uint32_t i = 0; has_notes && i < nrows; i++) {
        const crosswalk_row *row = &builder->rows[order[i]];
        if (row->to == VC_STRMAP_NONE) continue;
        to[ntexts++] = row->note == VC_STRMAP_NONE ? (vc_str){0} : builder->texts.keys[row->note];
    }
    vc_buffer_put(&columns[VC_CROSSWALK_FIRST], &ntargets, sizeof ntargets);
    vc_text_column_put(&columns[VC_CROSSWALK_FROM], from, nkeys);
    vc_text_column_put(&columns[VC_CROSSWALK_TO], to, ntexts);
    for (size_t column = 0; column < VC_CROSSWALK_COLUMNS; column++) {
        if (columns[column].failed) status = vc_no_memory(error);
    }
    if (first_days.failed || last_days.failed) status = vc_no_memory(error);
done:
    vc_buffer_release(&first_days);
    vc_buffer_release(&last_days);
    free(order);
    free(from);
    free(to);
    return status;
}
