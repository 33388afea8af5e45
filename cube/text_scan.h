/* A text that is being taken apart, and the one shape of its errors.
 *
 * Every small grammar (cuts, drilldowns, lists of measures, ...) is read with this
 * cursor: words end at the delimiters of the place where they stand, and a backslash takes the next
 * character as it is. Errors are VC_BAD_INPUT, code "syntax", with the byte offset, what was found
 * there and what was expected.
 * Threads: one thread at a time.
 */
#ifndef CUBE_TEXT_SCAN_H
#define CUBE_TEXT_SCAN_H

#include "base/arena.h"
#include "base/status.h"
#include "cube/condition.h"

/* A text of a query and where it came from. */
typedef struct vc_source_text {
    vc_str text;       /* valid UTF-8, decoded */
    const char *where; /* parameter, or JSON pointer of the string; outlives the query */
    size_t base;       /* offset of the text in it: repeated parameters count on */
} vc_source_text;

typedef struct vc_scan {
    vc_source_text source;
    size_t at; /* byte offset in source.text */
    vc_arena *arena;
    vc_error *error;
} vc_scan;

bool vc_scan_is_end(const vc_scan *scan);

/* The byte at the cursor, '\0' at the end (the text holds no NUL: it is refused earlier). */
char vc_scan_peek(const vc_scan *scan);

/* Step over the byte if it is there. */
bool vc_scan_take(vc_scan *scan, char byte);
bool vc_scan_take_text(vc_scan *scan, const char *text);

/* Read up to one of the unescaped bytes in `stops` or the end, taking escapes off. The word is
 * copied to the arena; it may be empty. A backslash at the very end is an error. */
vc_status vc_scan_word(vc_scan *scan, const char *stops, vc_str *word_out);

/* The same, but an empty word is an error; `what` says what was expected ("a measure"). */
vc_status vc_scan_name(vc_scan *scan, const char *stops, const char *what, vc_str *word_out);

vc_place vc_scan_place(const vc_scan *scan, size_t at);

/* "found ';', expected a dimension". */
vc_status vc_scan_fail(const vc_scan *scan, size_t at, const char *expected);

#endif
