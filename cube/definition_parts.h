/* Reading definitions: what the definition_*.c files share. Private to them.
 *
 * Reading walks down the JSON with a *node* in hand: a value, and by way of its parents the place
 * where it stands. Nodes live on the C stack, a child no longer than its parent, so a good
 * definition costs no memory for places and a bad one knows its JSON pointer at once.
 *
 * Every reader returns VC_OK or an error that is complete with its pointer; line and column are
 * found once, at the end (vc_definition_parse). A reader of a field that is missing leaves what
 * it would have set as it was, so defaults are set first and `vc_field_need` says what must be
 * there.
 */
#ifndef CUBE_DEFINITION_PARTS_H
#define CUBE_DEFINITION_PARTS_H

#include "base/buffer.h"
#include "cube/definition.h"

enum {
    VC_NAME_BYTES_MAX = 200,
    VC_LIST_MAX = 1024, /* entries of any list: names are compared pair by pair */
    VC_DIMENSIONS_MAX = 256,
    VC_MEASURES_MAX = 768,
    VC_SOURCES_MAX = 64,
    VC_SCALE_MAX = 18,
    VC_CLUSTER_MAX = 16,
    VC_CALCULATED_MAX = 256,
};

typedef struct vc_reader {
    vc_arena *arena;
    vc_definition *definition;
    vc_error *error; /* never NULL */
} vc_reader;

typedef struct vc_node {
    vc_reader *reader;
    const struct vc_node *parent; /* NULL: the whole definition */
    const char *key;              /* in the parent, when that is an object; otherwise NULL */
    size_t index;                 /* in the parent, when that is an array */
    const json_t *json;           /* NULL where the field is missing */
} vc_node;

typedef struct vc_names {
    const vc_str *names;
    size_t count;
} vc_names;

/* One of the words a field may hold. The list ends with a NULL word. */
typedef struct vc_word {
    const char *word;
    int value;
    const char *unsupported; /* NULL, or what this version cannot do: "weighted joins" */
} vc_word;

/* ---- nodes ---- */

vc_node vc_node_field(const vc_node *object, const char *key);
vc_node vc_node_element(const vc_node *array, size_t index);
bool vc_node_has(const vc_node *object, const char *key);

/* "/measures/1/type", in the arena; absent when out of memory. */
vc_str vc_node_pointer(const vc_node *node);

/* ---- errors ---- */

/* Set the pointer of an error that somebody else has filled. */
void vc_node_put_place(const vc_node *node);

vc_status vc_node_fail(const vc_node *node, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
vc_status vc_node_fail_type(const vc_node *node, const char *expected);
vc_status vc_node_fail_missing(const vc_node *object, const char *key);

/* what  in the plural: "weighted joins are not supported by this version" */
vc_status vc_node_fail_unsupported(const vc_node *node, const char *what);

/* "no measure named 'popp'", with the nearest of the known ones as candidates. */
vc_status vc_node_fail_unknown(const vc_node *node, const char *code, const char *noun, vc_str name,
                               vc_names known);

/* ---- values ---- */

/* An object with none but these fields (ends with NULL). */
vc_status vc_node_object(const vc_node *node, const char *const *known);

/* An array of `least` to `most` elements. */
vc_status vc_node_array(const vc_node *node, size_t least, size_t most, size_t *count_out);

/* Text that is not empty. */
vc_status vc_node_text(const vc_node *node, vc_str *text_out);

/* Text that can name something: also no control characters, no space at its ends, at most
 * VC_NAME_BYTES_MAX. */
vc_status vc_node_name(const vc_node *node, vc_str *name_out);

/* The node's value is `name`; is it among the first `count` of `names`? Code "duplicate_name". */
vc_status vc_node_check_new(const vc_node *node, const char *noun, vc_str name, const vc_str *names,
                            size_t count);

/* ---- fields of an object; a missing one leaves *out as it is ---- */

vc_status vc_field_need(const vc_node *object, const char *key);
vc_status vc_field_text(const vc_node *object, const char *key, vc_str *out);
vc_status vc_field_name(const vc_node *object, const char *key, vc_str *out);
vc_status vc_field_label(const vc_node *object, const char *key, vc_str *out); /* may be "" */
vc_status vc_field_bool(const vc_node *object, const char *key, bool *out);
vc_status vc_field_texts(const vc_node *object, const char *key, const vc_str **out, size_t *count);
vc_status vc_field_char(const vc_node *object, const char *key, char *out);
vc_status vc_field_choice(const vc_node *object, const char *key, const vc_word *words, int *out);

/* ---- subjects, one file each ---- */

/* The fields of CSV options, for the lists of known fields. */
#define VC_CSV_FIELDS                                                                              \
    "csv", "delimiter", "quote", "header", "null", "decimal", "encoding", "columns"

/* The CSV options in an object that may have other fields too. */
vc_status vc_read_csv_fields(const vc_node *object, vc_csv_def *csv_out);

/* An object of CSV options and nothing else. */
vc_status vc_read_csv(const vc_node *node, vc_csv_def *csv_out);

/* The data of a cube: CSV options, or the file of NDJSON, or neither file; may be missing. */
vc_status vc_read_data(const vc_node *node, vc_csv_def *csv_out);

/* A dimension's own fields. `column_out` gets the facts' column of its key (or of its date), absent
 * when the definition does not say. is_shared: the definition stands in its own file. */
vc_status vc_read_dimension(const vc_node *object, bool is_shared, vc_dimension_def *dimension,
                            vc_str *column_out);

/* "fix": {"scenario": "actual"}. */
vc_status vc_read_fixes(const vc_node *object, const vc_fix_def **fixes_out, size_t *nfixes_out);

/* "others" of a private dimension: "null", "repeat", "error", "fix" with a "fix" beside it (or in
 * other places), or {"fix": "actual"}. */
vc_status vc_read_others(const vc_node *node, vc_private_def *private);

/* "unrelated" of a measure: the same words, or {"fix": {"scenario": "actual"}}. */
vc_status vc_read_unrelated(const vc_node *node, vc_measure_def *measure);

/* The measures of a source cube (dimensions: its own) or of a virtual one (aliases: its sources');
 * the other list is empty. Checks names, references and cycles of expressions. */
vc_status vc_read_measures(const vc_node *array, bool is_virtual, vc_names dimensions,
                           vc_names aliases, vc_measure_def **measures_out, size_t *nmeasures_out);

/* The mode of a join: `mode`, `pick`, `reaggregate`. Its other policies have been read. */
vc_status vc_read_mode(const vc_node *object, vc_join_def *join);

/* `finer` and `allocate` of a pair. */
vc_status vc_read_finer(const vc_node *object, vc_on_def *on);

/* `expose_as_level` of a join whose mode and pairs have been read. */
vc_status vc_read_expose(const vc_node *object, vc_join_def *join);

/* `mode` and `reaggregate` of a virtual cube's measure. */
vc_status vc_read_measure_mode(const vc_node *object, vc_measure_def *measure);

vc_status vc_read_cube(const vc_node *root, vc_cube_def *cube);
vc_status vc_read_virtual(const vc_node *root, vc_virtual_def *cube);
vc_status vc_read_shared_dimension(const vc_node *root, vc_dimension_def *dimension);
vc_status vc_read_crosswalk(const vc_node *root, vc_crosswalk_def *crosswalk);

/* The fields every kind has. */
/* "sets" of a cube, into the definition. dimensions: the cube's; none: not known yet. */
vc_status vc_read_sets(const vc_node *root, vc_names dimensions);

/* "calculated_members" of a cube, likewise. */
vc_status vc_read_calculated(const vc_node *root, vc_names dimensions);

/* "solve_order" of a calculated member or measure. */
vc_status vc_read_solve_order(const vc_node *object, const int **order_out);

#define VC_DEFINITION_FIELDS "$schema", "name", "kind", "label", "description", "info"

#endif
