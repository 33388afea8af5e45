/* A result as mondrian-rest writes it, for clients of that server (docs/clients.md).
 *
 *     jsonrecords   {"meta", "data": [{"ID country": "FR", "country": "France", "pop": 68}]}
 *     csv           the same columns, RFC 4180
 *     json          {"axes": [{"members"}], "axis_dimensions", "cell_keys", "cell_coordinates",
 *                    "values": [[68]], "status": {"row,measure": "u"}, "meta"}
 *
 * A level is two columns, its members' keys and their captions, called by its name; a property goes
 * by its name, a measure too. Where two columns would have one name, those of levels and properties
 * go by their full names, "[geo].[country]".
 * Threads: pure.
 */
#ifndef RENDER_MONDRIAN_H
#define RENDER_MONDRIAN_H

#include "render/render.h"

typedef enum vc_mondrian_kind {
    VC_MONDRIAN_RECORDS,
    VC_MONDRIAN_CSV,
    VC_MONDRIAN_JSON,
} vc_mondrian_kind;

typedef struct vc_mondrian_axis { /* one for each axis of the query */
    const vc_cube_dimension *outer;
    unsigned hierarchy, level;
    vc_str caption; /* the property that is shown for the label; absent: none */
} vc_mondrian_axis;

typedef struct vc_mondrian_property {
    vc_str column; /* "iso2" */
    vc_str full;   /* "[geo].[country].[iso2]" */
    vc_str name;   /* as the result calls it: "geo.iso2" */
    size_t axis;
} vc_mondrian_property;

typedef struct vc_mondrian_form {
    vc_mondrian_kind kind;
    bool has_parents; /* columns of the levels above, and "ancestors" of members */
    bool is_debug;    /* what was asked stands in the answer */
    const vc_mondrian_axis *axes;
    size_t naxes;
    const vc_mondrian_property *properties;
    size_t nproperties;
    vc_str question; /* the query in canonical text */
} vc_mondrian_form;

/* Write a result. For JSON the query must have had `parents`, of which only the full names of
 * members are shown unless the form has them, too.
 *
 * Returns VC_NO_MEMORY, or what the sink returned; before the first block VC_IMPOSSIBLE, code
 * "ambiguous_attribute", where full names do not tell two columns apart either. */
vc_status vc_mondrian_render(const vc_result *result, const vc_mondrian_form *form,
                             vc_render_sink sink, vc_error *error);

const char *vc_mondrian_media_type(vc_mondrian_kind kind);

/* "[geo].[country]": the full name of a level; "[geo].[income].[country]" where that is not of the
 * main hierarchy, and "[geo]" or "[geo].[income]" for an absent level. */
void vc_mondrian_put_level(vc_buffer *out, vc_str dimension, const vc_dimension *stored,
                           unsigned hierarchy, vc_str level);

/* ".&[Europe].&[FR]", behind the full name of a level; an absent key is "#null". */
void vc_mondrian_put_key(vc_buffer *out, vc_str key);

/* The level above all others, its one member, and the key of a member without one. */
#define VC_MONDRIAN_ALL       "(All)"
#define VC_MONDRIAN_ALL_NAME  "All"
#define VC_MONDRIAN_NULL_NAME "#null"

#endif
