/* Inside render/: the state of one rendering, and what the formats share.
 *
 * Writers put text into `buffer` and call vc_render_row_done after each row, which hands full
 * blocks to the sink. When that returns false the rendering has failed; `status` says how.
 */
#ifndef RENDER_PARTS_H
#define RENDER_PARTS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "render/people.h"
#include "render/render.h"

typedef struct vc_rendering {
    const vc_result *result; /* whose rows are written */
    const vc_result *head;   /* the whole answer: what stands before the rows, and which columns */
    bool is_first;           /* the first of the rows is the first of the answer */
    const vc_render_options *options;
    vc_buffer buffer;
    vc_arena arena; /* lives as long as the rendering */
    vc_render_sink sink;
    vc_status status;
    vc_error *error;
} vc_rendering;

/* Hand the buffer on if it is full. False when the rendering has failed. */
bool vc_render_row_done(vc_rendering *rendering);

/* For the head of a loop over rows that writes nothing for long: at the first of the items, and
 * again every so many, the sink is asked. False when the rendering has failed. */
bool vc_render_goes_on(vc_rendering *rendering, uint64_t item);

/* Hand on what is in the buffer. */
void vc_render_flush(vc_rendering *rendering);

/* ---- cells and members ---- */

static inline const vc_cell *vc_row_cells(const vc_result *result, size_t row)
{
    return result->cells + row * result->nmeasures;
}

/* NULL where the axis is rolled up. */
static inline const vc_result_member *vc_row_member(const vc_result *result, size_t row,
                                                    size_t axis)
{
    uint32_t member = result->coords[row * result->naxes + axis];
    return member == VC_NONE ? NULL : &result->axes[axis].members[member];
}

/* The calculated member by whose expression the base measures of a row are made, of several the
 * one that is computed last; NULL: none. With VC_ANY_ROW: of those that all rows stand at. */
#define VC_ANY_ROW SIZE_MAX
const vc_result_calculated *vc_row_calculated(const vc_result *result, size_t row);

/* Is a key to be written as a number: on a level of integers, of a real member, and a plain one
 * ("-12", not "007")? */
bool vc_key_is_number(const vc_result_level *level, const vc_result_member *member, vc_str key);

/* A field of CSV: quoted where it must be, nothing when absent.
 *
 * guards_formulas  what a spreadsheet would take for a formula gets an apostrophe in front */
void vc_put_csv_text(vc_buffer *buffer, vc_str text, bool guards_formulas);

/* ---- JSON ---- */

/* A member of an object. Its key, behind a comma unless it is the first; key and text, nothing when
 * that is absent; key and number. */
void vc_put_field_name(vc_buffer *buffer, const char *name);
void vc_put_field_text(vc_buffer *buffer, const char *name, vc_str text);
void vc_put_field_count(vc_buffer *buffer, const char *name, uint64_t count);

/* The value of the "meta" key. */
void vc_put_meta(vc_buffer *buffer, const vc_result *result);

void vc_put_json_key(vc_buffer *buffer, const vc_result_level *level,
                     const vc_result_member *member, vc_str key);

/* Texts that stand in every row as they are, made once: ',"geo.country":'. */
typedef struct vc_record_names {
    const vc_str *const *keys;       /* [naxes][nlevels] */
    const vc_str *const *labels;     /* [naxes][nlevels] */
    const vc_str *const *properties; /* [naxes][nproperties] */
    const vc_str *measures;          /* [nmeasures] */
} vc_record_names;

/* False when out of memory. */
bool vc_record_names_init(vc_rendering *rendering, vc_record_names *names_out);

typedef enum vc_mark { /* of a row that stands at no member of the data on an axis */
                       VC_MARK_SYNTHETIC,  /* at unmatched keys */
                       VC_MARK_OTHER,      /* at all that a top leaves out */
                       VC_MARK_CALCULATED, /* at a calculated member */
                       VC_NMARKS
} vc_mark;

/* "_synthetic", "_other", "_calculated" */
const char *vc_mark_name(vc_mark mark);

/* Is a row so on an axis? Does some row? */
bool vc_row_is_marked(const vc_result *result, size_t row, size_t axis, vc_mark mark);
bool vc_result_has_marks(const vc_result *result, vc_mark mark);

/* The value of the "summary" key. */
void vc_put_summary(vc_rendering *rendering, const vc_record_names *names);

/* A row as an object. */
void vc_put_record(vc_rendering *rendering, const vc_record_names *names, size_t row);

/* ---- columns, for arrays and CSV ---- */

typedef enum vc_out_kind {
    VC_OUT_KEY,
    VC_OUT_LABEL,
    VC_OUT_PROPERTY,
    VC_OUT_VALUE,
    VC_OUT_GROUPING, /* there when there are total rows */
    VC_OUT_MARK,     /* there when rows have it: on which dimensions */
    VC_OUT_STATUS,
} vc_out_kind;

typedef struct vc_out_column {
    vc_out_kind kind;
    size_t axis;  /* of keys, labels, properties */
    size_t index; /* level, property, measure or vc_mark */
} vc_out_column;

/* The columns in their order: per axis its levels (key, label) and properties; measures; grouping;
 * marks of rows; statuses, where asked for. False when out of memory. */
bool vc_out_columns_list(vc_rendering *rendering, bool has_status,
                         const vc_out_column **columns_out, size_t *ncolumns_out);

/* The name of a column as programs use it, or for people. The text may be in the arena. */
vc_str vc_out_column_name(vc_rendering *rendering, const vc_out_column *column);
vc_str vc_out_column_label(vc_rendering *rendering, const vc_out_column *column);

/* ---- the formats ---- */

/* Of formats whose rows do not depend on each other, in parts: what stands before the rows, the
 * rows, and what stands behind them. */
typedef struct vc_render_parts {
    void (*before)(vc_rendering *rendering);
    void (*rows)(vc_rendering *rendering);
    void (*after)(vc_rendering *rendering);
    bool has_separator; /* a byte before each row but the first: see vc_rendering.is_first */
} vc_render_parts;

extern const vc_render_parts vc_render_records, vc_render_ndjson, vc_render_csv;

void vc_render_arrays(vc_rendering *rendering);
void vc_render_columns(vc_rendering *rendering);
void vc_render_jsonstat(vc_rendering *rendering);
void vc_render_arrow(vc_rendering *rendering);
void vc_render_table(vc_rendering *rendering);

#endif
