/* One result as Cube's clients read it: rows as flat objects, and what their columns are.
 *
 * Cube has no reasons for nulls; ours stand beside the data, by row, where clients do not look.
 */
#include "http/cubejs.h"

#include "render/parts.h"

typedef struct column { /* a field of a row */
    vc_str name;
    const vc_cubejs_output *output; /* NULL: the same text in every row */
    vc_str text;
    size_t property; /* of an attribute, on its axis */
} column;

typedef struct loading {
    const vc_cubejs_query *query;
    const vc_result *result;
    vc_arena *arena;
    vc_buffer *out;
    column *columns;
    size_t ncolumns;
} loading;

/* ---- columns ---- */

static void add_column(loading *in, vc_str name, const vc_cubejs_output *output, vc_str text)
{
    if (vc_str_is_null(name)) return;
    in->columns[in->ncolumns++] = (column){.name = name, .output = output, .text = text};
}

static const vc_cubejs_output *first_time(const vc_cubejs_query *query)
{
    for (size_t i = 0; i < query->noutputs; i++)
        if (query->outputs[i].member->kind == VC_CUBEJS_TIME) return &query->outputs[i];
    return NULL;
}

/* The place of an attribute among those of its axis. */
static size_t find_property(const loading *in, const vc_cubejs_output *output)
{
    const vc_result_axis *axis = &in->result->axes[output->number];
    size_t p = 0;
    vc_str name = output->member->attribute->name;
    while (p < axis->nproperties &&
           (!vc_str_ends_with(axis->properties[p].name, name) ||
            axis->properties[p].name.size != axis->dimension.size + 1 + name.size))
        p++;
    return p;
}

static vc_status list_columns(loading *in, vc_error *error)
{
    const vc_cubejs_query *query = in->query;
    vc_str absent = {0};
    in->columns = VC_ARENA_NEW(in->arena, column, query->noutputs * 2 + 2);
    if (in->columns == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < query->noutputs; i++) {
        const vc_cubejs_output *output = &query->outputs[i];
        add_column(in, output->name, output, absent);
        if (output->member->kind == VC_CUBEJS_ATTRIBUTE)
            in->columns[in->ncolumns - 1].property = find_property(in, output);
        add_column(in, output->also, output, absent);
    }
    if (!vc_str_is_null(query->constant))
        add_column(in, VC_STR("compareDateRange"), NULL, query->constant);
    add_column(in, query->blended, first_time(query), absent);
    return VC_OK;
}

/* ---- values ---- */

static void put_path_key(vc_buffer *out, vc_str key)
{
    for (size_t i = 0; i < key.size; i++) {
        if (key.data[i] == ',' || key.data[i] == '\\') vc_buffer_put_char(out, '\\');
        vc_buffer_put_char(out, key.data[i]);
    }
}

/* The keys from the top down, without what is not there; of what is no member of the data its key
 * alone. */
static void put_path(loading *in, const vc_cubejs_output *output, const vc_result_member *member,
                     size_t last)
{
    vc_buffer path = {0};
    const vc_cubejs_axis *axis = &in->query->axes[output->number];
    const vc_dimension *dimension = in->query->catalog->cube->dimensions[axis->dimension].dimension;
    bool is_real = !member->is_synthetic && !member->is_other && !member->is_calculated;
    bool has_before = false;
    for (size_t l = is_real ? 0 : last; l <= last; l++) {
        if (dimension->hierarchies[axis->hierarchy].levels[l].is_ragged &&
            vc_str_is_null(member->keys[l]))
            continue;
        if (has_before) vc_buffer_put_char(&path, ',');
        has_before = true;
        put_path_key(&path, member->keys[l]);
    }
    vc_buffer_text(&path); /* so that an empty one is a text as well */
    if (path.failed) in->out->failed = true;
    vc_buffer_put_json(in->out, (vc_str){path.data, path.size});
    vc_buffer_release(&path);
}

static unsigned level_of_time(const loading *in, const vc_cubejs_output *output)
{
    const vc_cubejs_catalog *catalog = in->query->catalog;
    const vc_cubejs_axis *axis = &in->query->axes[output->number];
    for (size_t i = 0; i < catalog->ntimes; i++) {
        const vc_cubejs_time_level *time = &catalog->times[i];
        if (time->dimension == axis->dimension && time->hierarchy == axis->hierarchy &&
            time->part == output->part)
            return time->level;
    }
    return axis->level;
}

/* Where the level of a column stands among the levels of its axis in the result. */
static size_t shown_level(const loading *in, const vc_cubejs_output *output)
{
    bool is_time = output->member->kind == VC_CUBEJS_TIME;
    unsigned level = is_time ? level_of_time(in, output) : output->member->level;
    return in->query->query.has_parents ? level : 0;
}

static bool put_time(loading *in, const vc_cubejs_output *output, vc_str key)
{
    vc_cubejs_range range;
    char text[VC_CUBEJS_INSTANT_BYTES];
    bool is_time = !vc_str_is_null(key) && vc_cubejs_period(key, output->part, &range);
    if (is_time) vc_cubejs_put_instant(range.first, false, text);
    vc_buffer_put_json(in->out, is_time ? vc_str_of(text) : (vc_str){0});
    return is_time;
}

static vc_status put_attribute(loading *in, const column *of, const vc_result_member *member,
                               vc_error *error)
{
    const vc_result_axis *axis = &in->result->axes[of->output->number];
    const vc_result_values *values =
        of->property < axis->nproperties ? &member->properties[of->property] : NULL;
    if (values != NULL && values->count > 1)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "'%.*s' has several values for one member, so it is no dimension at this "
                       "level",
                       VC_FMT(of->name));
    vc_buffer_put_json(in->out,
                       values == NULL || values->count == 0 ? (vc_str){0} : values->items[0]);
    return VC_OK;
}

static vc_status put_value(loading *in, const column *of, size_t row, vc_error *error)
{
    const vc_result *result = in->result;
    if (of->output == NULL) {
        vc_buffer_put_json(in->out, of->text);
        return VC_OK;
    }
    if (of->output->member->kind == VC_CUBEJS_MEASURE) {
        const vc_cell *cell = &vc_row_cells(result, row)[of->output->number];
        if (cell->is_null)
            vc_buffer_put_text(in->out, "null");
        else
            vc_put_number(in->out, &result->measures[of->output->number], cell);
        return VC_OK;
    }
    const vc_result_member *member = vc_row_member(result, row, of->output->number);
    size_t level = shown_level(in, of->output);
    switch (of->output->member->kind) {
    case VC_CUBEJS_ATTRIBUTE: return put_attribute(in, of, member, error);
    case VC_CUBEJS_TIME: put_time(in, of->output, member->keys[level]); break;
    case VC_CUBEJS_LABEL: vc_buffer_put_json(in->out, member->labels[level]); break;
    default:
        if (of->output->member->has_paths)
            put_path(in, of->output, member, level);
        else
            vc_put_json_key(in->out, &result->axes[of->output->number].levels[level], member,
                            member->keys[level]);
    }
    return VC_OK;
}

/* ---- rows ---- */

static vc_status put_rows(loading *in, vc_error *error)
{
    vc_str *names = VC_ARENA_NEW(in->arena, vc_str, in->ncolumns);
    if (names == NULL) return vc_no_memory(error);
    for (size_t c = 0; c < in->ncolumns; c++) { /* made once: '"world.pop":' */
        size_t begin = in->out->size;
        vc_buffer_put_json(in->out, in->columns[c].name);
        vc_buffer_put_char(in->out, ':');
        if (in->out->failed) return vc_no_memory(error);
        names[c] = vc_arena_str(in->arena, (vc_str){in->out->data + begin, in->out->size - begin});
        if (vc_str_is_null(names[c])) return vc_no_memory(error);
        in->out->size = begin;
    }
    vc_buffer_put_char(in->out, '[');
    for (size_t row = 0; row < in->result->ndetail_rows; row++) {
        vc_buffer_put_text(in->out, row > 0 ? ",\n{" : "\n{");
        for (size_t c = 0; c < in->ncolumns; c++) {
            if (c > 0) vc_buffer_put_char(in->out, ',');
            vc_buffer_put_str(in->out, names[c]);
            vc_status status = put_value(in, &in->columns[c], row, error);
            if (status != VC_OK) return status;
        }
        vc_buffer_put_char(in->out, '}');
    }
    vc_buffer_put_char(in->out, ']');
    return VC_OK;
}

static void put_members(loading *in)
{
    vc_buffer_put_text(in->out, "{\"members\":[");
    for (size_t c = 0; c < in->ncolumns; c++) {
        if (c > 0) vc_buffer_put_char(in->out, ',');
        vc_buffer_put_json(in->out, in->columns[c].name);
    }
    vc_buffer_put_char(in->out, ']');
}

/* "compact": an array per row; "columnar": an array per column. */
static vc_status put_arrays(loading *in, bool is_columnar, vc_error *error)
{
    size_t nouter = is_columnar ? in->ncolumns : in->result->ndetail_rows;
    size_t ninner = is_columnar ? in->result->ndetail_rows : in->ncolumns;
    put_members(in);
    vc_buffer_put_text(in->out, is_columnar ? ",\"columns\":[" : ",\"dataset\":[");
    for (size_t outer = 0; outer < nouter; outer++) {
        vc_buffer_put_text(in->out, outer > 0 ? ",\n[" : "\n[");
        for (size_t inner = 0; inner < ninner; inner++) {
            if (inner > 0) vc_buffer_put_char(in->out, ',');
            const column *of = &in->columns[is_columnar ? outer : inner];
            vc_status status = put_value(in, of, is_columnar ? inner : outer, error);
            if (status != VC_OK) return status;
        }
        vc_buffer_put_char(in->out, ']');
    }
    vc_buffer_put_text(in->out, "]}");
    return VC_OK;
}

/* Members whose key is no time have none in the data. One such is told by that; of several a client
 * would keep one. */
static vc_status check_times(const loading *in, vc_error *error)
{
    const vc_cubejs_query *query = in->query;
    for (size_t i = 0; i < query->noutputs; i++) {
        const vc_cubejs_output *output = &query->outputs[i];
        size_t nodd = 0, level = 0;
        bool is_alone = true;
        if (output->member->kind != VC_CUBEJS_TIME) continue;
        for (size_t o = 0; o < query->noutputs; o++)
            is_alone &= query->outputs[o].member->kind != VC_CUBEJS_LEVEL ||
                        query->outputs[o].number != output->number ||
                        query->outputs[o].member->level != query->axes[output->number].level;
        if (!is_alone) continue;
        const vc_result_axis *axis = &in->result->axes[output->number];
        level = shown_level(in, output);
        for (size_t m = 0; m < axis->nmembers; m++) {
            vc_cubejs_range range;
            vc_str key = axis->members[m].keys[level];
            nodd += vc_str_is_null(key) || !vc_cubejs_period(key, output->part, &range);
        }
        if (nodd > 1)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "%zu members of '%.*s' are no times: ask for the keys of the level "
                           "beside it",
                           nodd, VC_FMT(output->member->name));
    }
    return VC_OK;
}

/* ---- beside the data ---- */

typedef enum annotated { OF_MEASURES, OF_DIMENSIONS, OF_TIMES, OF_NOTHING } annotated;

/* A time dimension without a granularity is a dimension like others. */
static annotated annotated_as(const column *of, const vc_cubejs_query *query)
{
    if (of->output == NULL || vc_str_equal(of->name, query->blended)) return OF_NOTHING;
    if (of->output->member->kind == VC_CUBEJS_MEASURE) return OF_MEASURES;
    return of->output->member->kind == VC_CUBEJS_TIME &&
                   !vc_str_equal(of->output->name, of->output->member->name)
               ? OF_TIMES
               : OF_DIMENSIONS;
}

static void put_annotations(loading *in, annotated as)
{
    static const char *const begins[] = {[OF_MEASURES] = "\"measures\":{",
                                         [OF_DIMENSIONS] = ",\"dimensions\":{",
                                         [OF_TIMES] = ",\"timeDimensions\":{"};
    bool has_before = false;
    vc_buffer_put_text(in->out, begins[as]);
    for (size_t c = 0; c < in->ncolumns; c++) {
        const column *of = &in->columns[c];
        if (annotated_as(of, in->query) != as) continue;
        if (has_before) vc_buffer_put_char(in->out, ',');
        has_before = true;
        vc_buffer_put_json(in->out, of->name);
        vc_buffer_put_char(in->out, ':');
        bool is_plain = vc_str_equal(of->name, of->output->member->name);
        vc_cubejs_put_annotation(in->out, in->query->catalog, of->output->member,
                                 is_plain ? VC_TIME_NONE : of->output->part);
    }
    vc_buffer_put_char(in->out, '}');
}

/* {"3":{"shop.units":"g"}}: why values of a row are null, or how they are to be read. */
static void put_status(loading *in)
{
    bool has_row = false;
    vc_buffer_put_char(in->out, '{');
    for (size_t row = 0; row < in->result->ndetail_rows; row++) {
        bool has_cell = false;
        for (size_t c = 0; c < in->ncolumns; c++) {
            const column *of = &in->columns[c];
            if (of->output == NULL || of->output->member->kind != VC_CUBEJS_MEASURE) continue;
            char reason = vc_row_cells(in->result, row)[of->output->number].reason;
            if (reason == VC_REASON_NONE) continue;
            if (!has_cell) vc_buffer_printf(in->out, "%s\"%zu\":{", has_row ? "," : "", row);
            if (has_cell) vc_buffer_put_char(in->out, ',');
            has_cell = has_row = true;
            vc_buffer_put_json(in->out, of->name);
            vc_buffer_printf(in->out, ":\"%c\"", reason);
        }
        if (has_cell) vc_buffer_put_char(in->out, '}');
    }
    vc_buffer_put_char(in->out, '}');
}

/* {"5":["_synthetic"]}: rows that stand at no member of the data. */
static void put_marks(loading *in)
{
    bool has_row = false;
    vc_buffer_put_char(in->out, '{');
    for (size_t row = 0; row < in->result->ndetail_rows; row++) {
        bool has_mark = false;
        for (vc_mark mark = 0; mark < VC_NMARKS; mark++) {
            bool is_marked = false;
            for (size_t a = 0; a < in->result->naxes; a++)
                is_marked |= vc_row_is_marked(in->result, row, a, mark);
            if (!is_marked) continue;
            if (!has_mark) vc_buffer_printf(in->out, "%s\"%zu\":[", has_row ? "," : "", row);
            vc_buffer_printf(in->out, "%s\"%s\"", has_mark ? "," : "", vc_mark_name(mark));
            has_mark = has_row = true;
        }
        if (has_mark) vc_buffer_put_char(in->out, ']');
    }
    vc_buffer_put_char(in->out, '}');
}

vc_status vc_cubejs_put_result(vc_buffer *out, const vc_cubejs_query *query,
                               const vc_result *result, vc_arena *arena, vc_error *error)
{
    loading in = {.query = query, .result = result, .arena = arena, .out = out};
    vc_status status = list_columns(&in, error);
    if (status == VC_OK) status = check_times(&in, error);
    if (status != VC_OK) return status;
    vc_buffer_put_text(out, "{\"query\":");
    vc_buffer_put_str(out, query->text);
    vc_buffer_put_text(out, ",\"data\":");
    if (vc_str_is(query->format, "default"))
        status = put_rows(&in, error);
    else
        status = put_arrays(&in, vc_str_is(query->format, "columnar"), error);
    if (status != VC_OK) return status;
    vc_buffer_put_text(out, ",\n\"annotation\":{");
    put_annotations(&in, OF_MEASURES);
    put_annotations(&in, OF_DIMENSIONS);
    vc_buffer_put_text(out, ",\"segments\":{}");
    put_annotations(&in, OF_TIMES);
    vc_buffer_put_text(out, "},\"dataSource\":\"default\",\"dbType\":\"vcube\",\"extDbType\":"
                            "\"vcube\",\"external\":false,\"slowQuery\":false");
    if (query->has_total)
        vc_buffer_printf(out, ",\"total\":%llu", (unsigned long long)result->total_cell_count);
    vc_buffer_put_text(out, ",\n\"vcube\":{\"meta\":");
    vc_put_meta(out, result);
    vc_buffer_put_text(out, ",\"status\":");
    put_status(&in);
    vc_buffer_put_text(out, ",\"marks\":");
    put_marks(&in);
    vc_buffer_put_text(out, "}}");
    return out->failed ? vc_no_memory(error) : VC_OK;
}
