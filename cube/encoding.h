/* Character encodings of input files, and their conversion to UTF-8.
 *
 * UTF-8 itself is not converted and not checked here: the CSV reader checks it row by row, because
 * only it can name the line. What cannot be converted (a lone surrogate, half a UTF-16 unit at the
 * end) comes out as bytes that are not valid UTF-8, so that the same check finds it.
 * Threads: everything here is pure.
 */
#ifndef CUBE_ENCODING_H
#define CUBE_ENCODING_H

#include "base/status.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum vc_charset {
    VC_ENCODING_UTF8 = 0,
    VC_ENCODING_LATIN1,       /* ISO 8859-1 */
    VC_ENCODING_WINDOWS_1252, /* the five undefined bytes become C1 controls, as on the Web */
    VC_ENCODING_UTF16LE,
    VC_ENCODING_UTF16BE,
} vc_charset;

/* The encoding that a definition names: "utf-8", "latin1", "iso-8859-1", "windows-1252", "cp1252",
 * "utf-16" (little-endian unless its mark says otherwise), "utf-16le", "utf-16be"; case does not
 * matter. VC_BAD_INPUT, code "unknown_encoding", with candidates. */
vc_status vc_encoding_parse(vc_str name, vc_charset *encoding_out, vc_error *error);

enum { VC_ENCODING_MARK_BYTES = 3 }; /* the longest byte order mark */

/* The encoding of a text that starts with `head`: its byte order mark decides, otherwise
 * `declared`.
 *
 * head            the first VC_ENCODING_MARK_BYTES bytes, or the whole text when it is shorter
 * mark_bytes_out  bytes of the mark, to be skipped; 0 when there is none
 */
vc_charset vc_encoding_detect(vc_str head, vc_charset declared, size_t *mark_bytes_out);

enum { VC_ENCODING_UNIT_BYTES = 4 }; /* the most that one character takes on either side */

/* Convert as much as fits.
 *
 * encoding      not VC_ENCODING_UTF8
 * is_last       nothing follows `text`: an incomplete character at its end is an error in the data
 * used_out      bytes of text that were converted; the rest must be given again with more behind it
 * utf8          [capacity], capacity at least VC_ENCODING_UNIT_BYTES
 *
 * Returns the bytes written; 0 means that text is empty or holds only the start of a character.
 */
size_t vc_encoding_convert(vc_charset encoding, vc_str text, bool is_last, size_t *used_out,
                           char *utf8, size_t capacity);

#endif
