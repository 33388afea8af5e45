/* The dialect of mondrian-rest, which @datawheel/olap-client and others speak: its names and
 * parameters onto the one query model, its metadata and its answers.
 *
 *     mondrian_names.c    "[geo].[country].&[FR]" -> dimension, hierarchy, level, keys
 *     mondrian_cut.c      a cut -> a condition
 *     mondrian_query.c    the parameters of `aggregate` -> vc_query and vc_mondrian_form
 *     mondrian_meta.c     cubes, dimensions, hierarchies and levels as JSON
 *     mondrian_members.c  members as JSON
 *     handle_mondrian*.c  the endpoints
 *
 * Levels are called by their names, in metadata and in answers; the label is among the annotations.
 * A level of the main hierarchy is "[geo].[country]", of another one "[geo].[income].[country]".
 */
#ifndef HTTP_MONDRIAN_H
#define HTTP_MONDRIAN_H

#include "base/json_writer.h"
#include "cube/model.h"
#include "http/service.h"
#include "query/mdx.h"
#include "render/mondrian.h"
#include "slice/query.h"

/* ---- names ---- */

typedef struct vc_mondrian_ref {
    size_t dimension; /* of the cube */
    unsigned hierarchy, level;
    bool has_level;
    bool is_all;  /* the level (All) */
    size_t nread; /* parts of the name that these are; keys or a property stand behind them */
    vc_place place;
} vc_mondrian_ref;

/* Look up what a name begins with: a dimension, perhaps a hierarchy (also as "[geo.income]"), and a
 * level.
 *
 * VC_NOT_FOUND, "unknown_dimension", and "unknown_level" where a level is named in a hierarchy that
 * has none of the name, with candidates. */
vc_status vc_mondrian_resolve(const vc_cube *cube, const vc_mdx_name *name,
                              vc_mondrian_ref *ref_out, vc_error *error);

/* The same for a name that is a level and nothing else; a dimension or a hierarchy alone is its
 * first level below All. */
vc_status vc_mondrian_resolve_level(const vc_cube *cube, const vc_mdx_name *name,
                                    vc_mondrian_ref *ref_out, vc_error *error);

/* ---- cuts ---- */

/* A cut as a condition on one dimension, in the arena.
 *
 * VC_BAD_INPUT "syntax"; names that are not there as above; VC_IMPOSSIBLE "or_dimensions" for a set
 * over several dimensions. Members are looked up by the engine. */
vc_status vc_mondrian_cut_read(const vc_cube *cube, vc_source_text source, vc_arena *arena,
                               vc_condition **condition_out, vc_error *error);

/* A member as an item of a condition, and the dimref that it stands behind: the parts of the name
 * behind `ref` are its keys, one of the level or all from the top. */
vc_status vc_mondrian_item(const vc_cube *cube, const vc_mdx_name *name, const vc_mondrian_ref *ref,
                           vc_arena *arena, vc_dimref *dimref_out, vc_item *item_out,
                           vc_error *error);

/* ---- parameters ---- */

/* A parameter by its name without "[]" or "[0]", which lists have. */
vc_str vc_mondrian_parameter_name(vc_str name);

/* "true" or "false", and "1", "0", "yes", "no" as some clients write them. VC_BAD_INPUT, code
 * "bad_parameter". */
vc_status vc_mondrian_read_flag(const vc_parameter *parameter, bool *flag_out, vc_error *error);

/* Refuse parameters that are not in `known` (ends with NULL), brackets left aside. VC_BAD_INPUT,
 * code "unknown_parameter", with candidates. */
vc_status vc_mondrian_check_parameters(const vc_request *request, const char *const *known,
                                       vc_arena *arena, vc_error *error);

/* The parameters of `aggregate`. Errors name the parameter and the byte. */
vc_status vc_mondrian_query_read(const vc_request *request, const vc_cube *cube, vc_arena *arena,
                                 vc_query *query_out, vc_mondrian_form *form_out, vc_error *error);

/* ---- metadata ---- */

void vc_mondrian_put_cube(vc_json_writer *json, const vc_cube *cube);
void vc_mondrian_put_dimension(vc_json_writer *json, const vc_cube *cube, size_t dimension);
void vc_mondrian_put_hierarchy(vc_json_writer *json, const vc_cube *cube, size_t dimension,
                               unsigned hierarchy);
void vc_mondrian_put_one_level(vc_json_writer *json, const vc_cube *cube, size_t dimension,
                               unsigned hierarchy, unsigned level);

/* The fields of a level, in an object that is open. */
void vc_mondrian_put_level_fields(vc_json_writer *json, const vc_cube *cube, size_t dimension,
                                  unsigned hierarchy, unsigned level);

/* ---- members, as the reply ---- */

/* The members of the level of `ref`, as `member_properties`, `caption`, `children`, `limit` and
 * `offset` of the request say. VC_LIMIT, "limit_cells", for too many at once. */
vc_status vc_mondrian_put_members(vc_call *call, const vc_cube *cube, const vc_mondrian_ref *ref,
                                  vc_error *error);

/* One member: by its key in the level of `ref`, or by all its keys from the top. VC_NOT_FOUND,
 * "unknown_member"; VC_IMPOSSIBLE, "ambiguous_key", with full names as candidates. */
vc_status vc_mondrian_put_one_member(vc_call *call, const vc_cube *cube, const vc_mondrian_ref *ref,
                                     const vc_str *keys, size_t nkeys, vc_error *error);

#endif
