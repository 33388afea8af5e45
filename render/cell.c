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
    return level->key_type == VC_KEY_INT && !member->is_synthetic && !member->is_calculated &&
           is_plain_integer(key);
}
