/* JSON-stat 2.0 (https://json-stat.org/full/): a dataset whose last dimension are the measures.
 *
 * A dataset is a grid, an answer is a list of rows. The grid has a category per member that occurs
 * in the rows, with `parents` one per member above, and "()" where a dimension is rolled up. What
 * no row has is a hole: null in an array of values, absent in an object of them.
 */
#include "base/strmap.h"
#include "dimensions/dimension.h"
#include "render/parts.h"

typedef struct grid_category {
    vc_str id, label;
    const vc_result_member *member; /* NULL: a parent, or All */
    uint32_t parent;                /* VC_NONE: none */
} grid_category;

typedef struct grid_axis {
    const vc_result_axis *axis;
    vc_str id;
    uint32_t ncategories;
    grid_category *categories; /* in their order */
    uint32_t *of_members;      /* [nmembers of the axis] */
    uint32_t all;              /* the category of rolled up rows; VC_NONE: there are none */
} grid_axis;

typedef struct stat_grid {
    size_t naxes;
    grid_axis *axes;
    vc_str measure_id;
    uint64_t npoints; /* without the measures */
} stat_grid;

/* ---- categories ---- */

typedef struct categorizing {
    vc_rendering *rendering;
    grid_axis *axis;
    bool has_paths;  /* ids are paths, because keys are not unique */
    vc_strmap ids;   /* to the numbers of categories */
    vc_strmap paths; /* of parents */
    uint32_t *of_paths;
} categorizing;

static bool is_of_data(const vc_result_member *member)
{
    return !member->is_synthetic && !member->is_other && !member->is_calculated;
}

/* The path of the first keys of a member. */
static vc_str path_text(vc_arena *arena, const vc_result_member *member, size_t nkeys)
{
    vc_buffer text = {0};
    for (size_t l = 0; l < nkeys; l++) {
        if (l > 0) vc_buffer_put_char(&text, ',');
        if (!vc_str_is_null(member->keys[l])) vc_path_put_key(&text, member->keys[l]);
    }
    vc_str path =
        text.failed ? (vc_str){0} : vc_arena_str(arena, (vc_str){vc_buffer_text(&text), text.size});
    vc_buffer_release(&text);
    return path;
}

/* Its number; VC_NONE when another category has the id, or memory is short. */
static uint32_t add_category(categorizing *in, grid_category category)
{
    bool is_new;
    uint32_t number = vc_strmap_put(&in->ids, category.id, &is_new);
    if (number == VC_STRMAP_NONE || !is_new) return VC_NONE;
    in->axis->categories[number] = category;
    in->axis->ncategories = number + 1;
    return number;
}

static vc_str id_of(const categorizing *in, const vc_result_member *member, size_t level)
{
    if (in->has_paths && is_of_data(member))
        return path_text(&in->rendering->arena, member, level + 1);
    vc_str key = member->keys[level];
    return vc_str_is_null(key) ? VC_STR("") : key;
}

/* The category of what is above a member on a level, made when new. */
static bool find_parent(categorizing *in, const vc_result_member *member, size_t level,
                        uint32_t *parent)
{
    bool is_new;
    vc_str path = path_text(&in->rendering->arena, member, level + 1);
    uint32_t number =
        vc_str_is_null(path) ? VC_STRMAP_NONE : vc_strmap_put(&in->paths, path, &is_new);
    if (number == VC_STRMAP_NONE) return false;
    if (is_new)
        in->of_paths[number] = add_category(in, (grid_category){.id = id_of(in, member, level),
                                                                .label = member->labels[level],
                                                                .parent = *parent});
    *parent = in->of_paths[number];
    return *parent != VC_NONE;
}

static bool add_member(categorizing *in, uint32_t number)
{
    const vc_result_axis *axis = in->axis->axis;
    const vc_result_member *member = &axis->members[number];
    uint32_t parent = VC_NONE;
    for (size_t l = 0; is_of_data(member) && l + 1 < axis->nlevels; l++)
        if (!find_parent(in, member, l, &parent)) return false;
    size_t last = axis->nlevels - 1;
    uint32_t category = add_category(in, (grid_category){.id = id_of(in, member, last),
                                                         .label = member->labels[last],
                                                         .member = member,
                                                         .parent = parent});
    in->axis->of_members[number] = category;
    return category != VC_NONE;
}

/* Of a single dimension in the order of the rows, which may have been asked for; otherwise in the
 * order of members, because rows of a grid have no order of their own. */
static bool add_members(categorizing *in)
{
    const vc_result *result = in->rendering->result;
    const vc_result_axis *axis = in->axis->axis;
    size_t nrows = result->naxes == 1 ? result->ndetail_rows : 0;
    for (size_t i = 0; i < nrows + axis->nmembers; i++) {
        uint32_t member = i < nrows ? result->coords[i] : (uint32_t)(i - nrows);
        if (!vc_render_goes_on(in->rendering, i)) return false;
        if (in->axis->of_members[member] == VC_NONE && !add_member(in, member)) return false;
    }
    if (in->axis->all == VC_NONE) return true;
    in->axis->all = add_category(
        in, (grid_category){.id = VC_STR("()"), .label = VC_STR("All"), .parent = VC_NONE});
    return in->axis->all != VC_NONE;
}

static bool try_categories(vc_rendering *rendering, grid_axis *axis, bool has_paths,
                           uint32_t *of_paths)
{
    categorizing in = {
        .rendering = rendering, .axis = axis, .has_paths = has_paths, .of_paths = of_paths};
    for (size_t i = 0; i < axis->axis->nmembers; i++)
        axis->of_members[i] = VC_NONE;
    axis->ncategories = 0;
    bool is_whole = add_members(&in);
    vc_strmap_release(&in.ids);
    vc_strmap_release(&in.paths);
    return is_whole;
}

static vc_status make_categories(vc_rendering *rendering, grid_axis *axis, bool has_all)
{
    vc_arena *arena = &rendering->arena;
    size_t nmembers = axis->axis->nmembers, capacity = nmembers * axis->axis->nlevels + 1;
    axis->categories = VC_ARENA_NEW(arena, grid_category, capacity);
    axis->of_members = VC_ARENA_NEW(arena, uint32_t, nmembers);
    uint32_t *of_paths = VC_ARENA_NEW(arena, uint32_t, capacity);
    if (axis->categories == NULL || axis->of_members == NULL || of_paths == NULL)
        return vc_no_memory(rendering->error);
    axis->all = has_all ? 0 : VC_NONE;
    if (try_categories(rendering, axis, false, of_paths)) return VC_OK;
    if (rendering->status != VC_OK) return rendering->status;
    axis->all = has_all ? 0 : VC_NONE;
    if (axis->axis->nlevels > 1 && try_categories(rendering, axis, true, of_paths)) return VC_OK;
    if (rendering->status != VC_OK) return rendering->status;
    vc_fail(rendering->error, VC_IMPOSSIBLE, "ambiguous_key",
            "members of '%.*s' have the same key, and a category of JSON-stat has nothing else; "
            "ask for a format of rows%s",
            VC_FMT(axis->axis->ref),
            axis->axis->nlevels > 1 ? "" : ", or with parents=true for paths");
    return VC_IMPOSSIBLE;
}

/* ---- the grid ---- */

static bool is_rolled_up(const vc_result *result, size_t axis)
{
    for (size_t row = result->ndetail_rows; row < result->nrows; row++)
        if (result->coords[row * result->naxes + axis] == VC_NONE) return true;
    return false;
}

/* "measure", unless a dimension has that name. */
static vc_str measure_id(const vc_result *result)
{
    static const char *const ids[] = {"measure", "measures", "_measure"};
    for (size_t i = 0; i + 1 < sizeof ids / sizeof ids[0]; i++) {
        bool is_taken = false;
        for (size_t a = 0; a < result->naxes; a++)
            is_taken |= vc_str_is(result->axes[a].ref, ids[i]);
        if (!is_taken) return vc_str_of(ids[i]);
    }
    return VC_STR("_measure");
}

static vc_status make_grid(vc_rendering *rendering, stat_grid *grid_out)
{
    enum { MAX_INDEX_BITS = 53 }; /* an index is a number of JavaScript to its readers */
    const vc_result *result = rendering->result;
    stat_grid made = {.naxes = result->naxes, .measure_id = measure_id(result), .npoints = 1};
    made.axes = VC_ARENA_NEW(&rendering->arena, grid_axis, result->naxes);
    if (made.axes == NULL) return vc_no_memory(rendering->error);
    for (size_t a = 0; a < result->naxes; a++) {
        made.axes[a] = (grid_axis){.axis = &result->axes[a], .id = result->axes[a].ref};
        vc_status status = make_categories(rendering, &made.axes[a], is_rolled_up(result, a));
        if (status != VC_OK) return status;
        if (__builtin_mul_overflow(made.npoints, (uint64_t)made.axes[a].ncategories,
                                   &made.npoints) ||
            made.npoints > (UINT64_C(1) << MAX_INDEX_BITS) / (result->nmeasures + 1))
            return vc_fail(rendering->error, VC_LIMIT, "limit_cells",
                           "the grid of this answer is too large for JSON-stat; ask for fewer "
                           "dimensions, or for a format of rows");
    }
    *grid_out = made;
    return VC_OK;
}

static uint64_t point_of(const vc_result *result, const stat_grid *grid, size_t row)
{
    uint64_t point = 0;
    for (size_t a = 0; a < grid->naxes; a++) {
        const grid_axis *axis = &grid->axes[a];
        uint32_t member = result->coords[row * grid->naxes + a];
        point =
            point * axis->ncategories + (member == VC_NONE ? axis->all : axis->of_members[member]);
    }
    return point;
}

/* ---- dimensions ---- */

static void put_label(vc_buffer *buffer, vc_str label, vc_str name)
{
    vc_put_field_text(buffer, "label", label.size > 0 ? label : name);
}

/* "child": {"Europe": ["FR", "DE"]} */
static void put_children(vc_rendering *rendering, const grid_axis *axis)
{
    vc_buffer *buffer = &rendering->buffer;
    uint32_t *first = VC_ARENA_NEW(&rendering->arena, uint32_t, axis->ncategories);
    uint32_t *next = VC_ARENA_NEW(&rendering->arena, uint32_t, axis->ncategories);
    if (first == NULL || next == NULL) {
        rendering->status = vc_no_memory(rendering->error);
        return;
    }
    for (uint32_t i = 0; i < axis->ncategories; i++)
        first[i] = next[i] = VC_NONE;
    for (uint32_t i = axis->ncategories; i-- > 0;) {
        uint32_t parent = axis->categories[i].parent;
        if (parent == VC_NONE) continue;
        next[i] = first[parent];
        first[parent] = i;
    }
    size_t nparents = 0;
    for (uint32_t i = 0; i < axis->ncategories; i++) {
        if (first[i] == VC_NONE) continue;
        if (nparents++ == 0) vc_put_field_name(buffer, "child");
        vc_buffer_put_char(buffer, nparents == 1 ? '{' : ',');
        vc_buffer_put_json(buffer, axis->categories[i].id);
        vc_buffer_put_char(buffer, ':');
        for (uint32_t child = first[i]; child != VC_NONE; child = next[child]) {
            vc_buffer_put_char(buffer, child == first[i] ? '[' : ',');
            vc_buffer_put_json(buffer, axis->categories[child].id);
            vc_render_row_done(rendering);
        }
        vc_buffer_put_char(buffer, ']');
    }
    if (nparents > 0) vc_buffer_put_char(buffer, '}');
}

/* ,"synthetic":["(unmatched:cities)"]: categories that are no members of the data. */
static void put_marked(vc_buffer *buffer, const grid_axis *axis, const char *name,
                       size_t mark_offset)
{
    size_t count = 0;
    for (uint32_t i = 0; i < axis->ncategories; i++) {
        const vc_result_member *member = axis->categories[i].member;
        if (member == NULL || !*(const bool *)((const char *)member + mark_offset)) continue;
        if (count++ == 0) vc_put_field_name(buffer, name);
        vc_buffer_put_char(buffer, count == 1 ? '[' : ',');
        vc_buffer_put_json(buffer, axis->categories[i].id);
    }
    if (count > 0) vc_buffer_put_char(buffer, ']');
}

static void put_dimension(vc_rendering *rendering, const grid_axis *axis)
{
    vc_buffer *buffer = &rendering->buffer;
    vc_buffer_put_json(buffer, axis->id);
    vc_buffer_put_text(buffer, ":{");
    put_label(buffer, axis->axis->label, axis->axis->dimension);
    vc_buffer_put_text(buffer, ",\"category\":{\"index\":[");
    for (uint32_t i = 0; i < axis->ncategories; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, axis->categories[i].id);
        vc_render_row_done(rendering);
    }
    vc_buffer_put_text(buffer, "],\"label\":{");
    for (uint32_t i = 0; i < axis->ncategories; i++) {
        const grid_category *category = &axis->categories[i];
        if (i > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, category->id);
        vc_buffer_put_char(buffer, ':');
        vc_buffer_put_json(buffer,
                           vc_str_is_null(category->label) ? VC_STR("(null)") : category->label);
        vc_render_row_done(rendering);
    }
    vc_buffer_put_char(buffer, '}');
    if (axis->axis->nlevels > 1) put_children(rendering, axis);
    vc_buffer_put_text(buffer, "},\"extension\":{");
    vc_put_field_text(buffer, "level", axis->axis->levels[axis->axis->nlevels - 1].name);
    put_marked(buffer, axis, "synthetic", offsetof(vc_result_member, is_synthetic));
    put_marked(buffer, axis, "other", offsetof(vc_result_member, is_other));
    put_marked(buffer, axis, "calculated", offsetof(vc_result_member, is_calculated));
    vc_buffer_put_text(buffer, "}}");
}

static void put_unit(vc_buffer *buffer, const vc_result_measure *measure)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "label", measure->unit);
    if (measure->type != VC_VALUE_FLOAT)
        vc_put_field_count(buffer, "decimals",
                           measure->type == VC_VALUE_DECIMAL ? measure->scale : 0);
    vc_buffer_put_char(buffer, '}');
}

static void put_measures(vc_buffer *buffer, const vc_result *result, const stat_grid *grid)
{
    vc_buffer_put_json(buffer, grid->measure_id);
    vc_buffer_put_text(buffer, ":{\"label\":\"Measure\",\"category\":{\"index\":[");
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (m > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, result->measures[m].name);
    }
    vc_buffer_put_text(buffer, "],\"label\":{");
    for (size_t m = 0; m < result->nmeasures; m++) {
        const vc_result_measure *measure = &result->measures[m];
        if (m > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, measure->name);
        vc_buffer_put_char(buffer, ':');
        vc_buffer_put_json(buffer, measure->label.size > 0 ? measure->label : measure->name);
    }
    vc_buffer_put_text(buffer, "},\"unit\":{");
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (m > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, result->measures[m].name);
        vc_buffer_put_char(buffer, ':');
        put_unit(buffer, &result->measures[m]);
    }
    vc_buffer_put_text(buffer, "}}}");
}

static void put_roles(vc_buffer *buffer, const stat_grid *grid)
{
    size_t count = 0;
    vc_buffer_put_text(buffer, "\"role\":{");
    for (size_t a = 0; a < grid->naxes; a++) {
        if (!grid->axes[a].axis->is_time) continue;
        vc_buffer_put_text(buffer, count++ == 0 ? "\"time\":[" : ",");
        vc_buffer_put_json(buffer, grid->axes[a].id);
    }
    vc_buffer_put_text(buffer, count > 0 ? "],\"metric\":[" : "\"metric\":[");
    vc_buffer_put_json(buffer, grid->measure_id);
    vc_buffer_put_text(buffer, "]}");
}

static void put_notes(vc_buffer *buffer, const vc_result *result)
{
    if (result->nnotices == 0) return;
    vc_buffer_put_text(buffer, "\"note\":[");
    for (size_t i = 0; i < result->nnotices; i++) {
        if (i > 0) vc_buffer_put_char(buffer, ',');
        vc_buffer_put_json(buffer, result->notices[i].message);
    }
    vc_buffer_put_text(buffer, "],");
}

static void put_head(vc_rendering *rendering, const stat_grid *grid, const vc_record_names *names,
                     const char *line)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    vc_buffer_printf(buffer, "{\"version\":\"2.0\",\"class\":\"dataset\",\"label\":");
    vc_buffer_put_json(buffer, result->cube);
    vc_buffer_printf(buffer, ",%s\"id\":[", line);
    for (size_t a = 0; a < grid->naxes; a++) {
        vc_buffer_put_json(buffer, grid->axes[a].id);
        vc_buffer_put_char(buffer, ',');
    }
    vc_buffer_put_json(buffer, grid->measure_id);
    vc_buffer_put_text(buffer, "],\"size\":[");
    for (size_t a = 0; a < grid->naxes; a++)
        vc_buffer_printf(buffer, "%u,", grid->axes[a].ncategories);
    vc_buffer_printf(buffer, "%zu],", result->nmeasures);
    put_roles(buffer, grid);
    vc_buffer_printf(buffer, ",%s\"dimension\":{", line);
    for (size_t a = 0; a < grid->naxes; a++) {
        put_dimension(rendering, &grid->axes[a]);
        vc_buffer_printf(buffer, ",%s", line);
    }
    put_measures(buffer, result, grid);
    vc_buffer_printf(buffer, "},%s", line);
    put_notes(buffer, result);
    vc_buffer_put_text(buffer, "\"extension\":{\"vcube\":{\"meta\":");
    vc_put_meta(buffer, result);
    vc_buffer_put_text(buffer, ",\"summary\":");
    vc_put_summary(rendering, names);
    vc_buffer_printf(buffer, "}},%s", line);
}

/* ---- values ---- */

static void put_value(vc_buffer *buffer, const vc_result *result, size_t m, const vc_cell *cell)
{
    if (cell->is_null)
        vc_buffer_put(buffer, "null", 4);
    else
        vc_put_number(buffer, &result->measures[m], cell);
}

/* [1,null,3]: every point of the grid. */
static void put_dense(vc_rendering *rendering, const stat_grid *grid)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    uint32_t *rows = VC_ARENA_NEW(&rendering->arena, uint32_t, grid->npoints);
    if (rows == NULL) {
        rendering->status = vc_no_memory(rendering->error);
        return;
    }
    for (uint64_t i = 0; i < grid->npoints; i++) {
        if (!vc_render_goes_on(rendering, i)) return;
        rows[i] = VC_NONE;
    }
    for (size_t row = 0; row < result->nrows; row++) {
        if (!vc_render_goes_on(rendering, row)) return;
        rows[point_of(result, grid, row)] = (uint32_t)row;
    }
    vc_buffer_put_char(buffer, '[');
    for (uint64_t point = 0; point < grid->npoints; point++) {
        for (size_t m = 0; m < result->nmeasures; m++) {
            if (point + m > 0) vc_buffer_put_char(buffer, ',');
            if (rows[point] == VC_NONE)
                vc_buffer_put(buffer, "null", 4);
            else
                put_value(buffer, result, m, &vc_row_cells(result, rows[point])[m]);
        }
        if (!vc_render_row_done(rendering)) return;
    }
    vc_buffer_put_char(buffer, ']');
}

/* {"0":1,"3":4}: what the rows have. */
static void put_sparse(vc_rendering *rendering, const stat_grid *grid)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    vc_buffer_put_char(buffer, '{');
    for (size_t row = 0; row < result->nrows; row++) {
        uint64_t index = point_of(result, grid, row) * result->nmeasures;
        for (size_t m = 0; m < result->nmeasures; m++) {
            vc_buffer_put_text(buffer, row + m > 0 ? ",\"" : "\"");
            vc_buffer_put_int(buffer, (int64_t)(index + m));
            vc_buffer_put_text(buffer, "\":");
            put_value(buffer, result, m, &vc_row_cells(result, row)[m]);
        }
        if (!vc_render_row_done(rendering)) return;
    }
    vc_buffer_put_char(buffer, '}');
}

static void put_status(vc_rendering *rendering, const stat_grid *grid)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    size_t count = 0;
    vc_buffer_put_char(buffer, '{');
    for (size_t row = 0; row < result->nrows; row++) {
        if (!vc_render_goes_on(rendering, row)) return;
        uint64_t index = point_of(result, grid, row) * result->nmeasures;
        for (size_t m = 0; m < result->nmeasures; m++) {
            char reason = vc_row_cells(result, row)[m].reason;
            if (reason == VC_REASON_NONE) continue;
            vc_buffer_put_text(buffer, count++ > 0 ? ",\"" : "\"");
            vc_buffer_put_int(buffer, (int64_t)(index + m));
            char text[] = {'"', ':', '"', reason, '"'};
            vc_buffer_put(buffer, text, sizeof text);
        }
        if (!vc_render_row_done(rendering)) return;
    }
    vc_buffer_put_char(buffer, '}');
}

void vc_render_jsonstat(vc_rendering *rendering)
{
    const vc_result *result = rendering->result;
    const char *line = rendering->options->is_pretty ? "\n" : "";
    vc_record_names names;
    stat_grid grid = {0};
    if (!vc_record_names_init(rendering, &names)) {
        rendering->status = vc_no_memory(rendering->error);
        return;
    }
    rendering->status = make_grid(rendering, &grid);
    if (rendering->status != VC_OK) return;
    put_head(rendering, &grid, &names, line);
    if (!vc_render_row_done(rendering)) return;
    vc_buffer_put_text(&rendering->buffer, "\"value\":");
    if (grid.npoints / 2 <= result->nrows)
        put_dense(rendering, &grid);
    else
        put_sparse(rendering, &grid);
    if (rendering->status != VC_OK) return;
    vc_buffer_printf(&rendering->buffer, ",%s\"status\":", line);
    put_status(rendering, &grid);
    vc_buffer_put_text(&rendering->buffer, "}\n");
}
