/* A row as a JSON object. Every field is written with the comma before it, from texts made once per
 * rendering, and the object's first comma then becomes its brace: no decision per field. */
#include "render/parts.h"
#include "render/values.h"

/* ',"name":' in the arena; absent when out of memory. */
static vc_str field_text(vc_rendering *rendering, vc_str name)
{
    vc_buffer buffer = {0};
    vc_buffer_put_char(&buffer, ',');
    vc_buffer_put_json(&buffer, name);
    vc_buffer_put_char(&buffer, ':');
    vc_str text = {0};
    if (!buffer.failed)
        text = vc_arena_str(&rendering->arena, (vc_str){.data = buffer.data, .size = buffer.size});
    vc_buffer_release(&buffer);
    return text;
}

static bool init_axis(vc_rendering *rendering, const vc_result_axis *axis, vc_str *keys,
                      vc_str *labels, vc_str *properties)
{
    for (size_t l = 0; l < axis->nlevels; l++) {
        keys[l] = field_text(rendering, axis->levels[l].key_name);
        labels[l] = field_text(rendering, axis->levels[l].label_name);
        if (vc_str_is_null(keys[l]) || vc_str_is_null(labels[l])) return false;
    }
    for (size_t p = 0; p < axis->nproperties; p++) {
        properties[p] = field_text(rendering, axis->properties[p].name);
        if (vc_str_is_null(properties[p])) return false;
    }
    return true;
}

bool vc_record_names_init(vc_rendering *rendering, vc_record_names *names_out)
{
    const vc_result *result = rendering->head;
    vc_arena *arena = &rendering->arena;
    const vc_str **keys = VC_ARENA_NEW(arena, const vc_str *, result->naxes);
    const vc_str **labels = VC_ARENA_NEW(arena, const vc_str *, result->naxes);
    const vc_str **properties = VC_ARENA_NEW(arena, const vc_str *, result->naxes);
    vc_str *measures = VC_ARENA_NEW(arena, vc_str, result->nmeasures);
    if (keys == NULL || labels == NULL || properties == NULL || measures == NULL) return false;
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        vc_str *axis_keys = VC_ARENA_NEW(arena, vc_str, axis->nlevels);
        vc_str *axis_labels = VC_ARENA_NEW(arena, vc_str, axis->nlevels);
        vc_str *axis_properties = VC_ARENA_NEW(arena, vc_str, axis->nproperties);
        if (axis_keys == NULL || axis_labels == NULL || axis_properties == NULL) return false;
        if (!init_axis(rendering, axis, axis_keys, axis_labels, axis_properties)) return false;
        keys[a] = axis_keys;
        labels[a] = axis_labels;
        properties[a] = axis_properties;
    }
    for (size_t m = 0; m < result->nmeasures; m++) {
        measures[m] = field_text(rendering, result->measures[m].name);
        if (vc_str_is_null(measures[m])) return false;
    }
    *names_out = (vc_record_names){
        .keys = keys, .labels = labels, .properties = properties, .measures = measures};
    return true;
}

void vc_put_json_key(vc_buffer *buffer, const vc_result_level *level,
                     const vc_result_member *member, vc_str key)
{
    if (!vc_str_is_null(key) && vc_key_is_number(level, member, key))
        vc_buffer_put_str(buffer, key);
    else
        vc_buffer_put_json(buffer, key);
}

static void put_member(vc_rendering *rendering, const vc_record_names *names, size_t a,
                       const vc_result_member *member)
{
    vc_buffer *buffer = &rendering->buffer;
    const vc_result_axis *axis = &rendering->result->axes[a];
    for (size_t l = 0; l < axis->nlevels; l++) {
        vc_buffer_put_str(buffer, names->keys[a][l]);
        vc_put_json_key(buffer, &axis->levels[l], member, member->keys[l]);
        vc_buffer_put_str(buffer, names->labels[a][l]);
        vc_buffer_put_json(buffer, member->labels[l]);
    }
    for (size_t p = 0; p < axis->nproperties; p++) {
        vc_buffer_put_str(buffer, names->properties[a][p]);
        vc_values_put_json(buffer, &member->properties[p]);
    }
}

/* ',"pop":1' for each measure, and ',"_status":{...}' when there is a reason. */
static void put_cells(vc_buffer *buffer, const vc_result *result, const vc_str *names,
                      const vc_cell *cells)
{
    char reasons = 0;
    for (size_t m = 0; m < result->nmeasures; m++) {
        vc_buffer_put_str(buffer, names[m]);
        if (cells[m].is_null)
            vc_buffer_put(buffer, "null", 4);
        else
            vc_put_number(buffer, &result->measures[m], &cells[m]);
        reasons |= cells[m].reason;
    }
    if (reasons == 0) return;
    vc_buffer_put_text(buffer, ",\"_status\":");
    size_t brace = buffer->size;
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (cells[m].reason == VC_REASON_NONE) continue;
        vc_buffer_put_str(buffer, names[m]);
        char text[] = {'"', cells[m].reason, '"'};
        vc_buffer_put(buffer, text, sizeof text);
    }
    if (buffer->failed) return;
    buffer->data[brace] = '{';
    vc_buffer_put_char(buffer, '}');
}

/* Close an object whose fields all have a comma before them. */
static void close_object(vc_buffer *buffer, size_t brace)
{
    if (buffer->failed) return;
    if (buffer->size == brace)
        vc_buffer_put_char(buffer, '{');
    else
        buffer->data[brace] = '{';
    vc_buffer_put_char(buffer, '}');
}

const char *vc_mark_name(vc_mark mark)
{
    return mark == VC_MARK_SYNTHETIC ? "_synthetic"
           : mark == VC_MARK_OTHER   ? "_other"
                                     : "_calculated";
}

static bool has_mark(const vc_result_member *member, vc_mark mark)
{
    return mark == VC_MARK_SYNTHETIC ? member->is_synthetic
           : mark == VC_MARK_OTHER   ? member->is_other
                                     : member->is_calculated;
}

bool vc_row_is_marked(const vc_result *result, size_t row, size_t axis, vc_mark mark)
{
    const vc_result_member *member = vc_row_member(result, row, axis);
    return member != NULL && has_mark(member, mark);
}

bool vc_result_has_marks(const vc_result *result, vc_mark mark)
{
    for (size_t a = 0; a < result->naxes; a++)
        for (size_t i = 0; i < result->axes[a].nmembers; i++)
            if (has_mark(&result->axes[a].members[i], mark)) return true;
    return false;
}

/* The dimensions on which the row has a mark: ',"_synthetic":["geo"]'. */
static void put_marks(vc_rendering *rendering, size_t row, vc_mark mark)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    size_t count = 0;
    for (size_t a = 0; a < result->naxes; a++) {
        if (!vc_row_is_marked(result, row, a, mark)) continue;
        if (count++ == 0) {
            vc_put_field_name(buffer, vc_mark_name(mark));
            vc_buffer_put_char(buffer, '[');
        } else {
            vc_buffer_put_char(buffer, ',');
        }
        vc_buffer_put_json(buffer, result->axes[a].dimension);
    }
    if (count > 0) vc_buffer_put_char(buffer, ']');
}

void vc_put_record(vc_rendering *rendering, const vc_record_names *names, size_t row)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    size_t brace = buffer->size;
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_member *member = vc_row_member(result, row, a);
        if (member != NULL) put_member(rendering, names, a, member);
    }
    if (row >= result->ndetail_rows) {
        vc_buffer_put_text(buffer, ",\"grouping\":");
        vc_buffer_put_int(buffer, result->grouping[row]);
    }
    put_cells(buffer, result, names->measures, vc_row_cells(result, row));
    for (vc_mark mark = 0; mark < VC_NMARKS; mark++)
        put_marks(rendering, row, mark);
    close_object(buffer, brace);
}

void vc_put_summary(vc_rendering *rendering, const vc_record_names *names)
{
    size_t brace = rendering->buffer.size;
    put_cells(&rendering->buffer, rendering->head, names->measures, rendering->head->summary);
    close_object(&rendering->buffer, brace);
}

/* The names of the fields, or false: the rendering has failed. */
static bool name_fields(vc_rendering *rendering, vc_record_names *names)
{
    if (vc_record_names_init(rendering, names)) return true;
    rendering->status = vc_no_memory(rendering->error);
    return false;
}

/* separator  0: none; the first row of the answer has none */
static void put_rows(vc_rendering *rendering, char separator, const char *before, const char *after)
{
    vc_record_names names;
    if (!name_fields(rendering, &names)) return;
    for (size_t row = 0; row < rendering->result->nrows; row++) {
        if (separator != 0 && (row > 0 || !rendering->is_first))
            vc_buffer_put_char(&rendering->buffer, separator);
        vc_buffer_put_text(&rendering->buffer, before);
        vc_put_record(rendering, &names, row);
        vc_buffer_put_text(&rendering->buffer, after);
        if (!vc_render_row_done(rendering)) return;
    }
}

static const char *line_end(const vc_rendering *rendering)
{
    return rendering->options->is_pretty ? "\n" : "";
}

/* ---- records ---- */

static void put_before_records(vc_rendering *rendering)
{
    vc_buffer *buffer = &rendering->buffer;
    vc_record_names names;
    if (!name_fields(rendering, &names)) return;
    vc_buffer_put_text(buffer, "{\"meta\":");
    vc_put_meta(buffer, rendering->head);
    vc_buffer_printf(buffer, ",%s\"summary\":", line_end(rendering));
    vc_put_summary(rendering, &names);
    vc_buffer_printf(buffer, ",%s\"cells\":[", line_end(rendering));
}

static void put_records(vc_rendering *rendering)
{
    put_rows(rendering, ',', line_end(rendering), "");
}

static void put_after_records(vc_rendering *rendering)
{
    vc_buffer_printf(&rendering->buffer, "%s]}\n", line_end(rendering));
}

const vc_render_parts vc_render_records = {.before = put_before_records,
                                           .rows = put_records,
                                           .after = put_after_records,
                                           .has_separator = true};

/* ---- NDJSON ---- */

static void put_before_ndjson(vc_rendering *rendering)
{
    vc_buffer *buffer = &rendering->buffer;
    vc_record_names names;
    if (!name_fields(rendering, &names)) return;
    vc_buffer_put_text(buffer, "{\"meta\":");
    vc_put_meta(buffer, rendering->head);
    vc_buffer_put_text(buffer, ",\"summary\":");
    vc_put_summary(rendering, &names);
    vc_buffer_put_text(buffer, "}\n");
}

static void put_ndjson(vc_rendering *rendering)
{
    put_rows(rendering, 0, "", "\n");
}

static void put_after_ndjson(vc_rendering *rendering)
{
    const vc_result *head = rendering->head;
    vc_buffer_printf(&rendering->buffer, "{\"end\":true,\"rows\":%llu}\n",
                     (unsigned long long)(head->nrows_before + head->nrows));
}

const vc_render_parts vc_render_ndjson = {
    .before = put_before_ndjson, .rows = put_ndjson, .after = put_after_ndjson};
