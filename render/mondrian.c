#include "render/mondrian_parts.h"

#include "query/mdx.h"
#include "render/values.h"

const char *vc_mondrian_media_type(vc_mondrian_kind kind)
{
    return vc_format_media_type(kind == VC_MONDRIAN_CSV ? VC_FORMAT_CSV : VC_FORMAT_RECORDS);
}

void vc_mondrian_put_level(vc_buffer *out, vc_str dimension, const vc_dimension *stored,
                           unsigned hierarchy, vc_str level)
{
    vc_mdx_put_part(out, dimension);
    if (hierarchy > 0) {
        vc_buffer_put_char(out, '.');
        vc_mdx_put_part(out, stored->hierarchies[hierarchy].name);
    }
    if (vc_str_is_null(level)) return;
    vc_buffer_put_char(out, '.');
    vc_mdx_put_part(out, level);
}

void vc_mondrian_put_key(vc_buffer *out, vc_str key)
{
    vc_buffer_put_text(out, ".&");
    vc_mdx_put_part(out, vc_str_is_null(key) ? VC_STR(VC_MONDRIAN_NULL_NAME) : key);
}

size_t vc_mondrian_find_property(const vc_result_axis *axis, vc_str name)
{
    for (size_t p = 0; p < axis->nproperties; p++)
        if (vc_str_equal(axis->properties[p].name, name)) return p;
    return SIZE_MAX;
}

void vc_mondrian_put_caption(vc_buffer *buffer, const vc_result_axis *axis,
                             const vc_mondrian_axis *form, const vc_result_member *member,
                             size_t level)
{
    size_t property = SIZE_MAX;
    if (!vc_str_is_null(form->caption) && axis->levels[level].is_asked)
        property = vc_mondrian_find_property(axis, form->caption);
    if (property != SIZE_MAX)
        vc_values_put_json(buffer, &member->properties[property]);
    else
        vc_buffer_put_json(buffer, member->labels[level]);
}

static void put_marks(vc_buffer *buffer, const vc_result *result, size_t row)
{
    for (vc_mark mark = 0; mark < VC_NMARKS; mark++) {
        size_t count = 0;
        for (size_t a = 0; a < result->naxes; a++) {
            if (!vc_row_is_marked(result, row, a, mark)) continue;
            if (count++ == 0)
                vc_buffer_printf(buffer, ",\"%s\":[", vc_mark_name(mark));
            else
                vc_buffer_put_char(buffer, ',');
            vc_buffer_put_json(buffer, result->axes[a].dimension);
        }
        if (count > 0) vc_buffer_put_char(buffer, ']');
    }
}

/* ---- columns ---- */

typedef enum kind { KEY, CAPTION, PROPERTY, VALUE } kind;

struct column {
    kind kind;
    size_t axis, index; /* level, property or measure */
    vc_str name, full;
    vc_str text; /* the name as JSON, with a colon */
};

struct columns {
    struct column *items;
    size_t count;
};

static vc_str level_name(vc_rendering *rendering, const vc_mondrian_axis *axis, vc_str level,
                         bool is_key)
{
    vc_buffer buffer = {0};
    if (is_key) vc_buffer_put_text(&buffer, "ID ");
    vc_mondrian_put_level(&buffer, axis->outer->name, axis->outer->dimension, axis->hierarchy,
                          level);
    vc_str text = vc_arena_str(&rendering->arena, (vc_str){buffer.data, buffer.size});
    rendering->buffer.failed |= buffer.failed || vc_str_is_null(text);
    vc_buffer_release(&buffer);
    return text;
}

static void add_levels(vc_rendering *rendering, const vc_mondrian_form *form, size_t a,
                       struct columns *columns)
{
    const vc_result_axis *axis = &rendering->result->axes[a];
    for (size_t l = form->has_parents ? 0 : axis->nlevels - 1; l < axis->nlevels; l++) {
        vc_str name = axis->levels[l].name;
        columns->items[columns->count++] =
            (struct column){.kind = KEY,
                            .axis = a,
                            .index = l,
                            .name = vc_arena_printf(&rendering->arena, "ID %.*s", VC_FMT(name)),
                            .full = level_name(rendering, &form->axes[a], name, true)};
        columns->items[columns->count++] =
            (struct column){.kind = CAPTION,
                            .axis = a,
                            .index = l,
                            .name = name,
                            .full = level_name(rendering, &form->axes[a], name, false)};
    }
}

static bool has_double(const struct columns *columns, size_t number)
{
    for (size_t i = 0; i < columns->count; i++)
        if (i != number && vc_str_equal(columns->items[i].name, columns->items[number].name))
            return true;
    return false;
}

/* Names that occur twice become full ones, all of them at once. */
static vc_status tell_apart(vc_rendering *rendering, struct columns *columns)
{
    bool *is_double = VC_ARENA_NEW(&rendering->arena, bool, columns->count + 1);
    if (is_double == NULL) return vc_no_memory(rendering->error);
    for (size_t i = 0; i < columns->count; i++)
        is_double[i] = has_double(columns, i);
    for (size_t i = 0; i < columns->count; i++)
        if (is_double[i] && columns->items[i].kind != VALUE)
            columns->items[i].name = columns->items[i].full;
    for (size_t i = 0; i < columns->count; i++)
        if (has_double(columns, i))
            return vc_fail(rendering->error, VC_IMPOSSIBLE, "ambiguous_attribute",
                           "two columns of the answer are called '%.*s'",
                           VC_FMT(columns->items[i].name));
    return VC_OK;
}

static void write_texts(vc_rendering *rendering, struct columns *columns)
{
    vc_buffer buffer = {0};
    for (size_t i = 0; i < columns->count; i++) {
        vc_buffer_clear(&buffer);
        vc_buffer_put_json(&buffer, columns->items[i].name);
        vc_buffer_put_char(&buffer, ':');
        columns->items[i].text =
            vc_arena_str(&rendering->arena, (vc_str){buffer.data, buffer.size});
        rendering->buffer.failed |= buffer.failed || vc_str_is_null(columns->items[i].text);
    }
    vc_buffer_release(&buffer);
}

static vc_status list_columns(vc_rendering *rendering, const vc_mondrian_form *form,
                              struct columns *columns)
{
    const vc_result *result = rendering->result;
    size_t room = result->nmeasures + form->nproperties;
    for (size_t a = 0; a < result->naxes; a++)
        room += 2 * result->axes[a].nlevels;
    columns->items = VC_ARENA_NEW(&rendering->arena, struct column, room + 1);
    if (columns->items == NULL) return vc_no_memory(rendering->error);
    for (size_t a = 0; a < result->naxes; a++)
        add_levels(rendering, form, a, columns);
    for (size_t p = 0; p < form->nproperties; p++) {
        const vc_mondrian_property *property = &form->properties[p];
        size_t index = vc_mondrian_find_property(&result->axes[property->axis], property->name);
        if (index == SIZE_MAX) continue; /* the same as one before */
        columns->items[columns->count++] = (struct column){.kind = PROPERTY,
                                                           .axis = property->axis,
                                                           .index = index,
                                                           .name = property->column,
                                                           .full = property->full};
    }
    for (size_t m = 0; m < result->nmeasures; m++)
        columns->items[columns->count++] = (struct column){
            .kind = VALUE, .index = m, .name = result->measures[m].name, .full = {0}};
    vc_status status = tell_apart(rendering, columns);
    if (status == VC_OK) write_texts(rendering, columns);
    return status;
}

/* ---- records ---- */

static void put_json_field(vc_rendering *rendering, const vc_mondrian_form *form,
                           const struct column *column, size_t row)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    if (column->kind == VALUE) {
        const vc_cell *cell = &vc_row_cells(result, row)[column->index];
        if (cell->is_null)
            vc_buffer_put(buffer, "null", 4);
        else
            vc_put_number(buffer, &result->measures[column->index], cell);
        return;
    }
    const vc_result_axis *axis = &result->axes[column->axis];
    const vc_result_member *member = vc_row_member(result, row, column->axis);
    if (column->kind == KEY)
        vc_put_json_key(buffer, &axis->levels[column->index], member, member->keys[column->index]);
    else if (column->kind == CAPTION)
        vc_mondrian_put_caption(buffer, axis, &form->axes[column->axis], member, column->index);
    else
        vc_values_put_json(buffer, &member->properties[column->index]);
}

static void put_reasons(vc_buffer *buffer, const vc_result *result, size_t row)
{
    const vc_cell *cells = vc_row_cells(result, row);
    size_t count = 0;
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (cells[m].reason == VC_REASON_NONE) continue;
        vc_buffer_put_text(buffer, count++ == 0 ? ",\"_status\":{" : ",");
        vc_buffer_put_json(buffer, result->measures[m].name);
        vc_buffer_printf(buffer, ":\"%c\"", cells[m].reason);
    }
    if (count > 0) vc_buffer_put_char(buffer, '}');
}

static void render_records(vc_rendering *rendering, const vc_mondrian_form *form,
                           const struct columns *columns)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    vc_buffer_put_text(buffer, "{\"meta\":");
    vc_put_meta(buffer, result);
    if (form->is_debug) {
        vc_buffer_put_text(buffer, ",\"mdx\":null,\"query\":");
        vc_buffer_put_json(buffer, form->question);
    }
    vc_buffer_put_text(buffer, ",\"data\":[");
    for (size_t row = 0; row < result->nrows; row++) {
        vc_buffer_put_text(buffer, row == 0 ? "{" : ",{");
        for (size_t c = 0; c < columns->count; c++) {
            if (c > 0) vc_buffer_put_char(buffer, ',');
            vc_buffer_put_str(buffer, columns->items[c].text);
            put_json_field(rendering, form, &columns->items[c], row);
        }
        put_reasons(buffer, result, row);
        put_marks(buffer, result, row);
        vc_buffer_put_char(buffer, '}');
        if (!vc_render_row_done(rendering)) return;
    }
    vc_buffer_put_text(buffer, "]}\n");
}

/* ---- csv ---- */

/* One value is its text, several are a JSON array, as in our own CSV. */
static void put_csv_values(vc_buffer *buffer, const vc_result_values *values)
{
    if (values->count == 0) return;
    if (values->count == 1) {
        vc_put_csv_text(buffer, values->items[0], false);
        return;
    }
    vc_buffer array = {0};
    vc_values_put_json(&array, values);
    vc_put_csv_text(buffer, (vc_str){array.data, array.size}, false);
    buffer->failed |= array.failed;
    vc_buffer_release(&array);
}

static void put_csv_field(vc_rendering *rendering, const vc_mondrian_form *form,
                          const struct column *column, size_t row)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    if (column->kind == VALUE) {
        const vc_cell *cell = &vc_row_cells(result, row)[column->index];
        if (!cell->is_null) vc_put_number(buffer, &result->measures[column->index], cell);
        return;
    }
    const vc_result_axis *axis = &result->axes[column->axis];
    const vc_result_member *member = vc_row_member(result, row, column->axis);
    size_t property = column->kind == PROPERTY ? column->index : SIZE_MAX;
    const vc_mondrian_axis *of = &form->axes[column->axis];
    if (column->kind == CAPTION && !vc_str_is_null(of->caption) &&
        axis->levels[column->index].is_asked)
        property = vc_mondrian_find_property(axis, of->caption);
    if (property != SIZE_MAX)
        put_csv_values(buffer, &member->properties[property]);
    else
        vc_put_csv_text(buffer,
                        column->kind == KEY ? member->keys[column->index]
                                            : member->labels[column->index],
                        false);
}

static void render_csv(vc_rendering *rendering, const vc_mondrian_form *form,
                       const struct columns *columns)
{
    vc_buffer *buffer = &rendering->buffer;
    for (size_t c = 0; c < columns->count; c++) {
        if (c > 0) vc_buffer_put_char(buffer, ',');
        vc_put_csv_text(buffer, columns->items[c].name, false);
    }
    vc_buffer_put_text(buffer, "\r\n");
    for (size_t row = 0; row < rendering->result->nrows; row++) {
        size_t first = buffer->size;
        for (size_t c = 0; c < columns->count; c++) {
            if (c > 0) vc_buffer_put_char(buffer, ',');
            put_csv_field(rendering, form, &columns->items[c], row);
        }
        /* Readers pass over blank lines, but this is a row. */
        if (buffer->size == first) vc_buffer_put_text(buffer, "\"\"");
        vc_buffer_put_text(buffer, "\r\n");
        if (!vc_render_row_done(rendering)) return;
    }
}

/* ---- all ---- */

vc_status vc_mondrian_render(const vc_result *result, const vc_mondrian_form *form,
                             vc_render_sink sink, vc_error *error)
{
    static const vc_render_options options = {0};
    struct columns columns = {0};
    vc_rendering rendering = {
        .result = result, .head = result, .options = &options, .sink = sink, .error = error};
    if (form->kind == VC_MONDRIAN_JSON)
        vc_mondrian_render_json(&rendering, form);
    else
        rendering.status = list_columns(&rendering, form, &columns);
    if (rendering.status == VC_OK && form->kind == VC_MONDRIAN_RECORDS)
        render_records(&rendering, form, &columns);
    if (rendering.status == VC_OK && form->kind == VC_MONDRIAN_CSV)
        render_csv(&rendering, form, &columns);
    vc_render_flush(&rendering);
    vc_buffer_release(&rendering.buffer);
    vc_arena_release(&rendering.arena);
    return rendering.status;
}
