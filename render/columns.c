#include "render/parts.h"

bool vc_out_columns_list(vc_rendering *rendering, bool has_status,
                         const vc_out_column **columns_out, size_t *ncolumns_out)
{
    const vc_result *result = rendering->head;
    size_t capacity = 2 * result->nmeasures + 1 + VC_NMARKS, count = 0;
    for (size_t a = 0; a < result->naxes; a++)
        capacity += 2 * result->axes[a].nlevels + result->axes[a].nproperties;
    vc_out_column *columns = VC_ARENA_NEW(&rendering->arena, vc_out_column, capacity);
    if (columns == NULL) return false;
    for (size_t a = 0; a < result->naxes; a++) {
        for (size_t l = 0; l < result->axes[a].nlevels; l++) {
            columns[count++] = (vc_out_column){VC_OUT_KEY, a, l};
            columns[count++] = (vc_out_column){VC_OUT_LABEL, a, l};
        }
        for (size_t p = 0; p < result->axes[a].nproperties; p++)
            columns[count++] = (vc_out_column){VC_OUT_PROPERTY, a, p};
    }
    for (size_t m = 0; m < result->nmeasures; m++)
        columns[count++] = (vc_out_column){VC_OUT_VALUE, 0, m};
    if (result->nrows > result->ndetail_rows)
        columns[count++] = (vc_out_column){VC_OUT_GROUPING, 0, 0};
    for (vc_mark mark = 0; mark < VC_NMARKS; mark++)
        if (vc_result_has_marks(result, mark))
            columns[count++] = (vc_out_column){VC_OUT_MARK, 0, mark};
    for (size_t m = 0; has_status && m < result->nmeasures; m++)
        columns[count++] = (vc_out_column){VC_OUT_STATUS, 0, m};
    *columns_out = columns;
    *ncolumns_out = count;
    return true;
}

vc_str vc_out_column_name(vc_rendering *rendering, const vc_out_column *column)
{
    const vc_result *result = rendering->result;
    const vc_result_axis *axis = &result->axes[column->axis];
    switch (column->kind) {
    case VC_OUT_KEY: return axis->levels[column->index].key_name;
    case VC_OUT_LABEL: return axis->levels[column->index].label_name;
    case VC_OUT_PROPERTY: return axis->properties[column->index].name;
    case VC_OUT_VALUE: return result->measures[column->index].name;
    case VC_OUT_STATUS:
        return vc_arena_printf(&rendering->arena, "%.*s_status",
                               VC_FMT(result->measures[column->index].name));
    case VC_OUT_MARK: return vc_str_of(vc_mark_name((vc_mark)column->index));
    case VC_OUT_GROUPING: break;
    }
    return VC_STR("grouping");
}

/* What is shown of something that may have no label. */
static vc_str label_or(vc_str label, vc_str name)
{
    return label.size > 0 ? label : name;
}

/* "capital" of "geo.capital", which stands under the axis "geo". */
static vc_str behind_ref(const vc_result_axis *axis, vc_str name)
{
    if (!vc_str_starts_with(name, axis->ref) || name.size <= axis->ref.size + 1 ||
        name.data[axis->ref.size] != '.')
        return name;
    return (vc_str){.data = name.data + axis->ref.size + 1, .size = name.size - axis->ref.size - 1};
}

static const char *const mark_labels[VC_NMARKS] = {
    [VC_MARK_SYNTHETIC] = "Unmatched keys of",
    [VC_MARK_OTHER] = "All others of",
    [VC_MARK_CALCULATED] = "Calculated of",
};

vc_str vc_out_column_label(vc_rendering *rendering, const vc_out_column *column)
{
    const vc_result *result = rendering->result;
    vc_arena *arena = &rendering->arena;
    if (column->kind == VC_OUT_GROUPING) return VC_STR("Grouping");
    if (column->kind == VC_OUT_MARK) return vc_str_of(mark_labels[column->index]);
    if (column->kind == VC_OUT_VALUE || column->kind == VC_OUT_STATUS) {
        const vc_result_measure *measure = &result->measures[column->index];
        vc_str label = label_or(measure->label, measure->name);
        return column->kind == VC_OUT_VALUE
                   ? label
                   : vc_arena_printf(arena, "%.*s (status)", VC_FMT(label));
    }
    const vc_result_axis *axis = &result->axes[column->axis];
    vc_str dimension = label_or(axis->label, axis->ref);
    vc_str name = column->kind == VC_OUT_PROPERTY
                      ? behind_ref(axis, axis->properties[column->index].name)
                      : axis->levels[column->index].name;
    return vc_arena_printf(arena, "%.*s: %.*s%s", VC_FMT(dimension), VC_FMT(name),
                           column->kind == VC_OUT_KEY ? " (key)" : "");
}
