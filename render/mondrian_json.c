/* The cellset: members by axis, and the values of each combination. */
#include "render/mondrian_parts.h"

#include "base/json_writer.h"
#include "query/mdx.h"
#include "render/values.h"

static void put_full_name(vc_buffer *buffer, const vc_result_axis *axis,
                          const vc_mondrian_axis *form, const vc_result_member *member,
                          size_t level)
{
    vc_buffer name = {0};
    vc_mondrian_put_level(&name, form->outer->name, form->outer->dimension, form->hierarchy,
                          axis->levels[level].name);
    /* Members that are none of the data have nothing above them. */
    bool is_alone = member->is_synthetic || member->is_other || member->is_calculated;
    for (size_t l = is_alone ? level : 0; l <= level; l++)
        vc_mondrian_put_key(&name, member->keys[l]);
    vc_buffer_put_json(buffer, (vc_str){vc_buffer_text(&name), name.size});
    buffer->failed |= name.failed;
    vc_buffer_release(&name);
}

static void put_properties(vc_json_writer *json, const vc_result_axis *axis,
                           const vc_mondrian_form *form, size_t a, const vc_result_member *member)
{
    bool has_some = false;
    for (size_t p = 0; p < form->nproperties; p++) {
        const vc_mondrian_property *property = &form->properties[p];
        size_t index =
            property->axis == a ? vc_mondrian_find_property(axis, property->name) : SIZE_MAX;
        if (index == SIZE_MAX) continue;
        if (!has_some) vc_json_begin(json, "properties", '{');
        if (has_some) vc_buffer_put_char(json->out, ',');
        has_some = true;
        vc_buffer_put_json(json->out, property->column);
        vc_buffer_put_char(json->out, ':');
        vc_values_put_json(json->out, &member->properties[index]);
    }
    if (has_some) vc_json_end(json, '}');
}

/* A member at one of its levels, which is its own or above it. */
static void put_member(vc_json_writer *json, const vc_result_axis *axis,
                       const vc_mondrian_form *form, size_t a, const vc_result_member *member,
                       size_t level)
{
    const vc_mondrian_axis *of = &form->axes[a];
    bool is_own = level + 1 == axis->nlevels;
    const vc_hierarchy *hierarchy = &of->outer->dimension->hierarchies[of->hierarchy];
    vc_json_begin(json, NULL, '{');
    vc_json_put_key(json, "key");
    vc_put_json_key(json->out, &axis->levels[level], member, member->keys[level]);
    vc_json_put_str(json, "name",
                    vc_str_is_null(member->keys[level]) ? VC_STR(VC_MONDRIAN_NULL_NAME)
                                                        : member->keys[level]);
    vc_json_put_key(json, "caption");
    vc_mondrian_put_caption(json->out, axis, of, member, level);
    vc_json_put_key(json, "full_name");
    put_full_name(json->out, axis, of, member, level);
    vc_json_put_bool(json, "all_member?", false);
    vc_json_put_bool(json, "drillable?",
                     !member->is_synthetic && !member->is_other && !member->is_calculated &&
                         level + 1 < hierarchy->nlevels);
    vc_json_put_uint(json, "depth", level + of->outer->is_aggregatable);
    vc_json_put_str(json, "level_name", axis->levels[level].name);
    if (is_own && member->is_synthetic) vc_json_put_bool(json, "synthetic", true);
    if (is_own && member->is_other) vc_json_put_bool(json, "other", true);
    if (is_own && member->is_calculated) vc_json_put_bool(json, "calculated", true);
    vc_json_begin(json, "children", '[');
    vc_json_end(json, ']');
    if (is_own) put_properties(json, axis, form, a, member);
    if (is_own && form->has_parents) {
        vc_json_begin(json, "ancestors", '['); /* the nearest first */
        for (size_t l = level; l-- > 0;)
            if (!vc_str_is_null(member->keys[l])) put_member(json, axis, form, a, member, l);
        vc_json_end(json, ']');
    }
    vc_json_end(json, '}');
}

/* What an axis is about, as fields of an object. */
static void put_about(vc_json_writer *json, const vc_result_axis *axis,
                      const vc_mondrian_axis *form)
{
    const vc_hierarchy *hierarchy = &form->outer->dimension->hierarchies[form->hierarchy];
    vc_json_put_str(json, "name", axis->dimension);
    vc_json_put_str(json, "caption", axis->label.size > 0 ? axis->label : axis->dimension);
    vc_json_put_text(json, "type", axis->is_time ? "time" : "standard");
    vc_json_put_str(json, "hierarchy", hierarchy->name);
    vc_json_put_str(json, "level", axis->levels[axis->nlevels - 1].name);
    vc_json_put_uint(json, "level_depth", form->level + form->outer->is_aggregatable);
}

static void put_about_measures(vc_json_writer *json)
{
    vc_json_put_text(json, "name", "Measures");
    vc_json_put_text(json, "caption", "Measures");
    vc_json_put_text(json, "type", "measures");
    vc_json_put_text(json, "hierarchy", "Measures");
    vc_json_put_text(json, "level", "MeasuresLevel");
    vc_json_put_uint(json, "level_depth", 0);
}

static void put_measures(vc_json_writer *json, const vc_result *result)
{
    vc_buffer name = {0};
    vc_json_begin(json, NULL, '{');
    put_about_measures(json);
    vc_json_begin(json, "members", '[');
    for (size_t m = 0; m < result->nmeasures; m++) {
        const vc_result_measure *measure = &result->measures[m];
        vc_buffer_clear(&name);
        vc_buffer_put_text(&name, "[Measures].");
        vc_mdx_put_part(&name, measure->name);
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "key", measure->name);
        vc_json_put_str(json, "name", measure->name);
        vc_json_put_str(json, "caption", measure->label.size > 0 ? measure->label : measure->name);
        vc_json_put_str(json, "full_name", (vc_str){vc_buffer_text(&name), name.size});
        vc_json_put_bool(json, "all_member?", false);
        vc_json_put_bool(json, "drillable?", false);
        vc_json_put_uint(json, "depth", 0);
        vc_json_put_text(json, "level_name", "MeasuresLevel");
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_end(json, '}');
    json->out->failed |= name.failed;
    vc_buffer_release(&name);
}

static void put_axes(vc_rendering *rendering, vc_json_writer *json, const vc_mondrian_form *form)
{
    const vc_result *result = rendering->result;
    vc_json_begin(json, "axes", '[');
    put_measures(json, result);
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        vc_json_begin(json, NULL, '{');
        put_about(json, axis, &form->axes[a]);
        vc_json_begin(json, "members", '[');
        for (size_t i = 0; i < axis->nmembers; i++) {
            put_member(json, axis, form, a, &axis->members[i], axis->nlevels - 1);
            if (!vc_render_row_done(rendering)) return;
        }
        vc_json_end(json, ']');
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_begin(json, "axis_dimensions", '[');
    vc_json_begin(json, NULL, '{');
    put_about_measures(json);
    vc_json_end(json, '}');
    for (size_t a = 0; a < result->naxes; a++) {
        vc_json_begin(json, NULL, '{');
        put_about(json, &result->axes[a], &form->axes[a]);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

/* The keys of a row, or where its members stand in the axes. */
static void put_row_members(vc_buffer *buffer, const vc_result *result, size_t row, bool are_keys)
{
    vc_buffer_put_text(buffer, row == 0 ? "[" : ",[");
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        const vc_result_member *member = vc_row_member(result, row, a);
        if (a > 0) vc_buffer_put_char(buffer, ',');
        if (are_keys)
            vc_put_json_key(buffer, &axis->levels[axis->nlevels - 1], member,
                            member->keys[axis->nlevels - 1]);
        else
            vc_buffer_put_int(buffer, result->coords[row * result->naxes + a]);
    }
    vc_buffer_put_char(buffer, ']');
}

static void put_values(vc_buffer *buffer, const vc_result *result, size_t row)
{
    const vc_cell *cells = vc_row_cells(result, row);
    vc_buffer_put_text(buffer, row == 0 ? "[" : ",[");
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (m > 0) vc_buffer_put_char(buffer, ',');
        if (cells[m].is_null)
            vc_buffer_put(buffer, "null", 4);
        else
            vc_put_number(buffer, &result->measures[m], &cells[m]);
    }
    vc_buffer_put_char(buffer, ']');
}

static void put_reasons(vc_buffer *buffer, const vc_result *result, size_t row, bool *has_some)
{
    const vc_cell *cells = vc_row_cells(result, row);
    for (size_t m = 0; m < result->nmeasures; m++) {
        if (cells[m].reason == VC_REASON_NONE) continue;
        vc_buffer_printf(buffer, "%s\"%zu,%zu\":\"%c\"", *has_some ? "," : "", row, m,
                         cells[m].reason);
        *has_some = true;
    }
}

void vc_mondrian_render_json(vc_rendering *rendering, const vc_mondrian_form *form)
{
    const vc_result *result = rendering->result;
    vc_buffer *buffer = &rendering->buffer;
    vc_json_writer json = {.out = buffer};
    bool has_some = false;
    vc_json_begin(&json, NULL, '{');
    put_axes(rendering, &json, form);
    vc_buffer_put_text(buffer, ",\"cell_keys\":[");
    for (size_t row = 0; row < result->nrows && vc_render_row_done(rendering); row++)
        put_row_members(buffer, result, row, true);
    vc_buffer_put_text(buffer, "],\"cell_coordinates\":[");
    for (size_t row = 0; row < result->nrows && vc_render_row_done(rendering); row++)
        put_row_members(buffer, result, row, false);
    vc_buffer_put_text(buffer, "],\"values\":[");
    for (size_t row = 0; row < result->nrows && vc_render_row_done(rendering); row++)
        put_values(buffer, result, row);
    vc_buffer_put_text(buffer, "],\"status\":{");
    for (size_t row = 0; row < result->nrows && vc_render_row_done(rendering); row++)
        put_reasons(buffer, result, row, &has_some);
    vc_buffer_put_text(buffer, "},\"mdx\":null");
    if (form->is_debug) {
        vc_buffer_put_text(buffer, ",\"query\":");
        vc_buffer_put_json(buffer, form->question);
    }
    vc_buffer_put_text(buffer, ",\"meta\":");
    vc_put_meta(buffer, result);
    vc_buffer_put_text(buffer, "}\n");
}
