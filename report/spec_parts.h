/* What the files that read a specification share; only spec*.c include it.
 */
#ifndef REPORT_SPEC_PARTS_H
#define REPORT_SPEC_PARTS_H

#include "base/list.h"
#include "query/node.h"
#include "report/spec.h"
#include "report/try.h"

typedef struct vc_spec_reading {
    vc_arena *arena;
    vc_spec *spec;
    vc_error *error;
} vc_spec_reading;

/* Each reads a field of an object, and leaves *out as it is where it is not there or null. */
vc_status vc_spec_read_str(vc_spec_reading *in, vc_body_node object, const char *key,
                           const char *what, vc_str *out);
vc_status vc_spec_read_template(vc_spec_reading *in, vc_body_node object, const char *key,
                                vc_spec_text *out);
vc_status vc_spec_read_bool(vc_spec_reading *in, vc_body_node object, const char *key, bool *out);
vc_status vc_spec_read_number(vc_spec_reading *in, vc_body_node object, const char *key,
                              bool *has_out, double *out);
vc_status vc_spec_read_query(vc_spec_reading *in, vc_body_node object, const char *key,
                             vc_spec_query *out);

/* One string, or a list of them. */
vc_status vc_spec_read_templates(vc_spec_reading *in, vc_body_node object, const char *key,
                                 const vc_spec_text **out, size_t *count_out);
vc_status vc_spec_read_names(vc_spec_reading *in, vc_body_node object, const char *key,
                             const vc_str **out, size_t *count_out, bool *has_out);

/* A field that must be a list (an object): json NULL when it is not there. */
vc_status vc_spec_read_array(vc_spec_reading *in, vc_body_node object, const char *key,
                             vc_body_node *out);
vc_status vc_spec_read_object(vc_spec_reading *in, vc_body_node object, const char *key,
                              vc_body_node *out);

/* VC_BAD_INPUT, code "bad_value", at the node, with the nearest of `names` (ends with NULL; may be
 * NULL). */
vc_status vc_spec_fail(vc_spec_reading *in, vc_body_node node, vc_str found,
                       const char *const *names, const char *expected);

/* The same, at a field of the node. */
vc_status vc_spec_fail_field(vc_spec_reading *in, vc_body_node object, const char *key,
                             vc_str found, const char *const *names, const char *expected);

/* A scalar, or {"key", "label"}. */
vc_status vc_spec_read_value(vc_spec_reading *in, vc_body_node node, vc_spec_value *out);

/* The sections. (spec_section.c) */
vc_status vc_spec_read_sections(vc_spec_reading *in, vc_body_node root);

/* How measures are shown: "formats" and "colours" of a section. (spec_colours.c) */
vc_status vc_spec_read_measures(vc_spec_reading *in, vc_body_node section, vc_spec_section *out);

/* [a-z0-9_-]+? */
bool vc_spec_is_id(vc_str text);

#endif
