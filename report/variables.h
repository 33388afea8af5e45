/* Variables of a document, and templates that they are put into.
 *
 *     {{country}}            its label          {{country.key}}  {{country.path}}
 *     {{country.iso2}}       a property that the sweep asks for; of several values the first
 *     {{pop|#,##0}}          a measure, in a format
 *     {{2.geo.country}}      of the second row  {{2.pop}}
 *
 * In a query what is put in is escaped, so that a key with a colon stays one key.
 * Threads: pure.
 */
#ifndef REPORT_VARIABLES_H
#define REPORT_VARIABLES_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/status.h"

typedef struct vc_variable_part { /* {{country.iso2}} */
    vc_str name, value;
} vc_variable_part;

typedef struct vc_variable {
    vc_str name;
    vc_str key;   /* {{name.key}} */
    vc_str label; /* {{name}} */
    vc_str path;  /* {{name.path}}: keys from the top down, as a cut has them, escaped already */
    const vc_variable_part *parts; /* properties of the member */
    size_t nparts;
} vc_variable;

typedef struct vc_variables {
    const vc_variable *items;
    size_t count;
} vc_variables;

/* What else a name may mean: numbers of an answer. False when it is unknown; the text is put in as
 * it is. */
typedef struct vc_variable_lookup {
    bool (*find)(void *context, vc_str name, vc_str pattern, vc_buffer *out);
    /* Names for "did you mean", by number; absent past the last one. May be NULL. */
    vc_str (*name)(void *context, size_t number);
    void *context;
} vc_variable_lookup;

/* Put values into a template. more may be NULL.
 * VC_BAD_INPUT: "syntax" ({{ without }}), "unknown_variable" with candidates; the offset is that in
 * the text. */
vc_status vc_template_expand(vc_str text, const vc_variables *variables,
                             const vc_variable_lookup *more, vc_arena *arena, vc_str *text_out,
                             vc_error *error);

/* Into the name of a file: of the values only letters, digits and "-._+" stay, all else becomes
 * "_". What the template itself says stays as it is. */
vc_status vc_template_expand_file(vc_str text, const vc_variables *variables, vc_arena *arena,
                                  vc_str *text_out, vc_error *error);

/* Into every string of a query: where grammars read it, escaped; in lists of `values`, as it is.
 * json_out is the caller's. Errors: as above, with the pointer in the query. */
vc_status vc_template_expand_query(const json_t *body, const vc_variables *variables,
                                   vc_arena *arena, json_t **json_out, vc_error *error);

/* The names in a template, each handed to `each`, for checking before anything runs. */
vc_status vc_template_names(vc_str text,
                            vc_status (*each)(void *context, vc_str name, vc_error *error),
                            void *context, vc_error *error);

#endif
