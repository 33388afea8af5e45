/* An open stream of text: a file, standard input, a buffer or a function, unpacked and as UTF-8.
 *
 * gzip (.gz, also several members one after the other) and Zstandard (.zst) are recognised by their
 * first bytes, not by the name, and unpacked while reading; a byte order mark is skipped and other
 * encodings become UTF-8 (cube/encoding.h). Memory is bounded whatever the archive claims: 192 KiB,
 * and at most the 128 MiB window that Zstandard may ask for.
 *
 * Errors name the input: VC_NOT_FOUND "file_not_found"; VC_STORAGE "file_open", "file_read";
 * VC_BAD_INPUT "archive_truncated", "archive_corrupt", "archive_unknown" (ZIP, bzip2, xz).
 * After an error every further read fails the same way.
 * Threads: one thread at a time.
 */
#ifndef CUBE_INPUT_H
#define CUBE_INPUT_H

#include "base/status.h"
#include "base/text.h"
#include "cube/encoding.h"

#include <stddef.h>
#include <stdint.h>

typedef struct vc_input vc_input;

/* Fill `data` with 1 to `capacity` bytes and say how many; 0 only at the end. */
typedef vc_status (*vc_input_source)(void *context, char *data, size_t capacity, size_t *size_out,
                                     vc_error *error);

/* Open a file; "-" is standard input, which is not closed afterwards. Nothing is read yet. */
vc_status vc_input_open_file(const char *path, vc_input **input_out, vc_error *error);

/* Read from bytes in memory (borrowed until vc_input_close).
 * name  stands for the file in messages, copied */
vc_status vc_input_open_memory(vc_str bytes, const char *name, vc_input **input_out,
                               vc_error *error);

/* Read from a function.
 * bytes_total  what it will deliver in all, 0 when unknown; for progress only */
vc_status vc_input_open_source(vc_input_source source, void *context, uint64_t bytes_total,
                               const char *name, vc_input **input_out, vc_error *error);

void vc_input_close(vc_input *input); /* NULL is fine */

/* What the bytes are when no byte order mark says so; UTF-8 when never called. Before the first
 * vc_input_read. */
void vc_input_set_encoding(vc_input *input, vc_charset encoding);

/* The next bytes of the text, 1 to `capacity` of them; 0 only at the end. A character may be cut in
 * two between calls. capacity > 0. */
vc_status vc_input_read(vc_input *input, char *data, size_t capacity, size_t *size_out,
                        vc_error *error);

/* For messages: the path, "standard input", or the name that was given. Lives as long as input. */
const char *vc_input_name(const vc_input *input);

/* For progress, in bytes as stored (packed): how many were read and how many there are (0: not
 * known, as for a pipe). */
typedef struct vc_input_progress {
    uint64_t bytes_done;
    uint64_t bytes_total;
} vc_input_progress;

vc_input_progress vc_input_get_progress(const vc_input *input);

#endif
