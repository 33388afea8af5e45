#include "render/number_format.h"
#include "render/parts.h"

#include <assert.h>
#include <math.h>

void vc_put_number(vc_buffer *buffer, const vc_result_measure *measure, const vc_cell *cell)
{
    if (!vc_buffer_reserve(buffer, VC_NUMBER_TEXT)) return;
    char *text = buffer->data + buffer->size;
    switch (cell->is_float ? VC_VALUE_FLOAT : measure->type) {
    case VC_VALUE_INT: buffer->size += vc_format_int(text, cell->as.i); break;
    case VC_VALUE_DECIMAL:
        buffer->size += vc_format_decimal(text, cell->as.i, measure->scale);
        break;
    case VC_VALUE_FLOAT:
        assert(isfinite(cell->as.f));
        buffer->size += vc_format_double(text, cell->as.f);
        break;
    }
}

double vc_cell_double(const vc_result_measure *measure, const vc_cell *cell)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    if (cell->is_float || measure->type == VC_VALUE_FLOAT) return cell->as.f;
    return (double)cell->as.i / (measure->type == VC_VALUE_DECIMAL ? powers[measure->scale] : 1);
}

/* Very small and very large doubles would be all zeros in a fixed format. */
static bool is_plain_size(const vc_cell *cell)
{
    double size = cell->as.f < 0 ? -cell->as.f : cell->as.f;
    return size == 0 || (size >= 1e-4 && size < 1e15);
}

void vc_put_plain_number(vc_buffer *buffer, const vc_result_measure *measure, const vc_cell *cell)
{
    vc_number_format format = {.min_whole = 1, .is_grouped = true};
    vc_buffer number = {0};
    bool is_float = cell->is_float || measure->type == VC_VALUE_FLOAT;
    if (is_float)
        format.max_fraction = 6;
    else if (measure->type == VC_VALUE_DECIMAL)
        format.min_fraction = format.max_fraction = measure->scale;
    vc_put_number(&number, measure, cell);
    vc_str text = {.data = number.data, .size = number.size};
    if (!is_float || is_plain_size(cell))
        vc_number_format_put(&format, text, buffer);
    else
        vc_buffer_put_str(buffer, text);
    buffer->failed |= number.failed;
    vc_buffer_release(&number);
}

static size_t find_axis(const vc_result *result, vc_str dimension)
{
    size_t axis = 0;
    while (axis < result->naxes && !vc_str_equal(result->axes[axis].dimension, dimension))
        axis++;
    return axis;
}

/* Does the row stand at it? Where its dimension is not drilled, the cut does. */
static bool stands_at(const vc_result *result, size_t row, const vc_result_calculated *calculated)
{
    size_t axis = find_axis(result, calculated->dimension);
    if (axis == result->naxes) return true;
    if (row == VC_ANY_ROW) return false;
    const vc_result_member *member = vc_row_member(result, row, axis);
    return member != NULL && member->is_calculated &&
           vc_str_equal(member->keys[result->axes[axis].nlevels - 1], calculated->name);
}

const vc_result_calculated *vc_row_calculated(const vc_result *result, size_t row)
{
    const vc_result_calculated *last = NULL;
    for (size_t i = 0; i < result->ncalculated; i++) {
        const vc_result_calculated *calculated = &result->calculated[i];
        if (!stands_at(result, row, calculated)) continue;
        if (last == NULL || calculated->solve_order >= last->solve_order) last = calculated;
    }
    return last;
}

static bool is_plain_integer(vc_str text)
{
    size_t first = text.size > 0 && text.data[0] == '-' ? 1 : 0;
    if (first == text.size) return false;
    if (text.data[first] == '0') return text.size == 1; /* neither "007" nor "-0" */
    for (size_t i = first; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    return true;
}

bool vc_key_is_number(const vc_result_level *level, const vc_result_member *member, vc_str key)
{
    bool is_name = member->is_calculated && level->is_asked; /* what is above it are members */
    return level->key_type == VC_KEY_INT && !member->is_synthetic && !is_name &&
           is_plain_integer(key);
}
