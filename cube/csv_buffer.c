/* The buffer of a reader: bytes of the input, from the next record on. */
#include "cube/csv_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Look once at all bytes for what only few files have, so that rows of the others need no check. */
void vc_csv_note_bytes(vc_csv *csv)
{
    uint64_t all = 0, word;
    size_t at = csv->first;
    for (; csv->end - at >= sizeof word; at += sizeof word) {
        memcpy(&word, csv->buffer + at, sizeof word);
        all |= word;
    }
    for (; at < csv->end; at++)
        all |= (unsigned char)csv->buffer[at];
    csv->has_non_ascii = (all & UINT64_C(0x8080808080808080)) != 0;
    csv->has_nul = csv->end > csv->first &&
                   memchr(csv->buffer + csv->first, '\0', csv->end - csv->first) != NULL;
}

/* Have at least `want` bytes from the next record on, or all that there are. */
vc_status vc_csv_fill_to(vc_csv *csv, size_t want, vc_error *error)
{
    size_t pending = csv->end - csv->first;
    assert(!csv->input_at_end && pending < want);
    if (csv->first > 0) memmove(csv->buffer, csv->buffer + csv->first, pending);
    csv->first = 0;
    csv->end = pending;
    if (csv->capacity < want) {
        char *buffer = realloc(csv->buffer, want);
        if (buffer == NULL) return vc_no_memory(error);
        csv->buffer = buffer;
        csv->capacity = want;
    }
    while (csv->end < want && !csv->input_at_end) {
        size_t size;
        vc_status status = vc_input_read(csv->input, csv->buffer + csv->end,
                                         csv->capacity - csv->end, &size, error);
        /* The rows that came before the failure are delivered first; then it is met again. */
        if (status != VC_OK && csv->end > pending) break;
        if (status != VC_OK) return status;
        csv->input_at_end = size == 0;
        csv->end += size;
    }
    return VC_OK;
}

/* Have at least twice as many bytes of the next record, or all that there are. */
static vc_status fill(vc_csv *csv, vc_error *error)
{
    size_t pending = csv->end - csv->first;
    assert(pending < csv->window);
    size_t want = pending > csv->window / 2 ? csv->window : 2 * pending;
    vc_status status = vc_csv_fill_to(csv, want == 0 ? 1 : want, error);
    if (status == VC_OK) vc_csv_note_bytes(csv);
    return status;
}

/* Split the next record, without going on behind it. At the end of the input record->bytes is 0 and
 * the outcome VC_CSV_WHOLE; the outcome is VC_CSV_INCOMPLETE when it is longer than the window. */
vc_status vc_csv_peek(vc_csv *csv, size_t capacity, vc_csv_field *fields, vc_csv_record *record,
                      vc_error *error)
{
    for (;;) {
        size_t pending = csv->end - csv->first;
        size_t size = pending < csv->window ? pending : csv->window;
        bool is_last = csv->input_at_end && pending < csv->window;
        *record = (vc_csv_record){.outcome = VC_CSV_WHOLE};
        if (size == 0 && is_last) return VC_OK;
        if (size > 0) {
            vc_csv_split_record(csv, csv->buffer + csv->first, size, is_last, capacity, fields,
                                record);
            if (record->outcome != VC_CSV_INCOMPLETE || size == csv->window) return VC_OK;
        }
        vc_status status = fill(csv, error);
        if (status != VC_OK) return status;
    }
}

vc_status vc_csv_pass_long_row(vc_csv *csv, vc_error *error)
{
    for (;;) {
        const char *next = csv->buffer + csv->first;
        const char *line_end =
            csv->end > csv->first ? memchr(next, '\n', csv->end - csv->first) : NULL;
        if (line_end != NULL) {
            csv->first += (size_t)(line_end - next) + 1;
            csv->line++;
            break;
        }
        csv->first = csv->end;
        if (csv->input_at_end) break;
        vc_status status = fill(csv, error);
        if (status != VC_OK) return status;
    }
    csv->is_in_long_row = false;
    return VC_OK;
}
