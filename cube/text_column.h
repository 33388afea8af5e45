/* Texts as one byte column: a count, count + 1 offsets, the bytes; numbers are native 64-bit.
 *
 * An absent text is the single byte 0xFF, as in vc_texts. Dictionaries of text columns and
 * crosswalks are stored so.
 */
#ifndef CUBE_TEXT_COLUMN_H
#define CUBE_TEXT_COLUMN_H

#include "base/buffer.h"
#include "base/status.h"
#include "dimensions/dimension.h"

/* Append the column to the buffer, which must be empty. Out of memory: buffer->failed. */
void vc_text_column_put(vc_buffer *buffer, const vc_str *texts, size_t ntexts);

/* Look at a column in place. bytes: aligned to 8. VC_CORRUPT, code "storage_damaged", when it does
 * not hold together; `name` says what it is for the message. */
vc_status vc_text_column_open(vc_str bytes, const char *name, vc_texts *texts_out, vc_error *error);

#endif
