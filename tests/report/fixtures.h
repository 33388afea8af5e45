/* Documents that every writer of reports is tried with, made by hand.
 *
 *     plain    title, text, figures, a pivot of 2 x 2 heads with totals, a line chart, notes
 *     hard     texts that break formats, every reason, every colouring, extreme numbers
 *     one      a single row, and a single number without heads
 *     none     no rows
 *     long     10,000 rows, and a pivot that was cut
 *     wide     300 columns under two rows of heads
 *     failed   a failed section among good ones
 *     chart-*  one of each kind of chart, and what is hard for charts
 *
 * In heads a text that spans others stands at the first of them; the others have span 0 and no
 * text. A total row has "Total" at the outermost head that it is the total of, and totals without a
 * text below that.
 */
#ifndef TESTS_REPORT_FIXTURES_H
#define TESTS_REPORT_FIXTURES_H

#include "base/arena.h"
#include "report/document.h"

extern const char *const fixture_names[]; /* ends with NULL */

/* It lives as long as the arena. NULL: there is none of this name. */
const vc_document *fixture_document(const char *name, vc_arena *arena);

/* ---- parts of it, in fixture_*.c ---- */

const vc_document *fixture_plain(vc_arena *arena);
const vc_document *fixture_hard(vc_arena *arena);

/* Of a name that begins with "chart-"; NULL: there is none. */
const vc_document *fixture_chart(const char *name, vc_arena *arena);

/* Coverage, notices, sources and a description, as most documents have them. */
void fixture_add_notes(vc_document *document, vc_arena *arena);

#endif
