/* What the files of the model share. Private to cube/model*.c.
 *
 *     model.c           the cubes of a snapshot: opened once, kept; models over time
 *     model_source.c    a source cube as a vc_cube
 *     model_virtual.c   a virtual cube: dimensions, bindings, buckets, policies, with the files
 * that model_virtual.h lists model_tuples.c    the tuples of composite keys over several dimensions
 *     model_defaults.c  default members, member sets
 *     model_measures.c  measures and their expressions
 *     model_calculated.c  calculated members, also those of the cubes below
 *     model_where.c     the facts that a measure is restricted to
 *     model_rights.c    what a role sees of a cube
 */
#ifndef CUBE_MODEL_PARTS_H
#define CUBE_MODEL_PARTS_H

#include "cube/model.h"

enum { VC_MAX_SOURCES = 64, VC_MAX_CUBE_DIMENSIONS = 256, VC_MAX_DEPTH = 8 };

/* The source cube of that name, opened once per model: two aliases of one cube share it. Called
 * with the model's lock held. */
vc_status vc_model_source(vc_model *model, vc_str name, const vc_source_cube **cube_out,
                          vc_error *error);

/* The kind of a stored cube; VC_NOT_FOUND when there is none. */
vc_status vc_model_kind(vc_model *model, vc_str name, bool *is_virtual_out, vc_error *error);

/* The cube of that name, opened. VC_BAD_INPUT "definition_cycle", with the path, when it is being
 * opened. Called with the model's lock held. */
vc_status vc_model_open(vc_model *model, vc_str name, const vc_cube **cube_out, vc_error *error);

vc_arena *vc_model_arena(vc_model *model);

/* ---- models for roles (model_rights.c) ---- */

typedef struct vc_shown_source { /* a source cube of which a part is seen */
    vc_str name;
    const vc_source_cube *cube;
} vc_shown_source;

/* A model in which some source cubes are what is seen of them; for one cube. What definitions name
 * and is not seen is no error there, but nothing. `whole` and the sources outlive it. */
vc_status vc_model_new_partial(vc_model *whole, const vc_shown_source *shown, size_t nshown,
                               vc_model **model_out, vc_error *error);
bool vc_model_is_partial(const vc_model *model);

/* The model that a restricted one was made from. */
vc_model *vc_model_whole(const vc_model *model);

/* Make a cube of a restricted model. VC_NOT_FOUND "unknown_cube" where it may not be read. Called
 * with the model's lock held. */
vc_status vc_model_open_restricted(vc_model *model, vc_str name, vc_cube *cube, vc_error *error);

/* Is a definition's naming of something unknown no error here? Then it means nothing. */
bool vc_model_forgives(const vc_model *model, vc_status status);

/* A normaliser that is freed with the model. */
vc_status vc_model_normalizer(vc_model *model, const json_t *steps,
                              const vc_normalizer **normalizer_out, vc_error *error);

/* Let the model free something. False: out of memory, and it is not the model's. */
bool vc_model_own(vc_model *model, void *object, void (*release)(void *object));

/* The tuples that facts have along several dimensions of a cube, which the model
 * owns: model_tuples.c. Cost: a scan of these columns.
 * components  [ncomponents] dimensions of the cube */
vc_status vc_model_tuples(vc_model *model, const vc_source_cube *cube, const size_t *components,
                          size_t ncomponents, const vc_tuples **tuples_out, vc_error *error);

/* Make a vc_cube. `definition` lives as long as the model. */
vc_status vc_model_open_source(vc_model *model, const vc_source_cube *source, vc_cube *cube,
                               vc_error *error);
vc_status vc_model_open_virtual(vc_model *model, const vc_definition *definition, vc_cube *cube,
                                vc_error *error);

/* Put file, line and column of `pointer` in a definition on an error; returns the error's status.
 */
vc_status vc_model_place(const vc_definition *definition, vc_str pointer, const char *field,
                         vc_status status, vc_error *error);

/* The default members of the dimensions, which are those of their owners. */
vc_status vc_model_find_defaults(vc_model *model, const vc_cube_source *sources,
                                 vc_cube_dimension *dimensions, size_t ndimensions,
                                 vc_error *error);

/* The measures of a cube whose sources are in place. */
vc_status vc_model_source_measures(vc_model *model, vc_cube *cube, vc_error *error);
vc_status vc_model_virtual_measures(vc_model *model, vc_cube *cube, vc_error *error);

/* The calculated members of a cube that is otherwise whole. */
vc_status vc_model_calculate(vc_model *model, vc_cube *cube, vc_error *error);

/* A fix in terms of a source's leaves. `fixes` [nfixes] of a definition, of one source. */
vc_status vc_model_fixes(vc_model *model, const vc_source_cube *source, const vc_fix_def *fixes,
                         size_t nfixes, vc_cube_fix **fixes_out, vc_error *error);

/* Put the dimension of a fix into an error about it, as a step of its pointer, to which
 * vc_model_place adds the rest. Returns the status. */
vc_status vc_model_fix_place(const vc_fix_def *fix, vc_status status, vc_error *error);

/* The leaves [nleaves bits] of a member, by its key or path. */
vc_status vc_model_fix_leaves(vc_model *model, const vc_dimension *dimension, vc_str value,
                              const uint64_t **leaves_out, vc_error *error);

/* The leaves that a `where`, a cut on the dimensions of a source, leaves; one set per dimension.
 * Errors of looking up, without a place. */
vc_status vc_model_where(vc_model *model, const vc_source_cube *source, vc_str where,
                         const vc_cube_fix **wheres_out, size_t *nwheres_out, vc_error *error);

/* Where a measure stands along dimensions that its source does not have: what its `unrelated`
 * names, before it is bound; then what its `fix` names, and that these are dimensions of others.
 * A copy of a nested cube's measure has the nested cube's members, those of the cube itself
 * (source `first` on) in the place of them. Errors of model_stands.c have their place. */
vc_status vc_model_measure_stands(vc_model *model, const vc_cube *cube, const vc_measure_def *from,
                                  vc_cube_measure *measure, vc_error *error);
vc_status vc_model_measure_fixes(vc_model *model, const vc_cube *cube, size_t source,
                                 const vc_measure_def *from, vc_cube_measure *measure,
                                 vc_error *error);
vc_status vc_model_check_stands(const vc_cube *cube, const vc_measure_def *from,
                                const vc_cube_measure *measure, vc_error *error);
vc_status vc_nested_measure_stands(vc_model *model, const vc_cube *cube, size_t first,
                                   vc_cube_measure *measure, vc_error *error);

/* Restrict a measure of a nested cube by fixes, or by a `where`, of the cube around it. They name
 * dimensions of the nested cube, and hold for a source that has them.
 *
 * measure  of the nested cube, its source `source` there; its fixes (wheres) are replaced
 * has_any  set when the source has a dimension that is named, otherwise left
 *
 * Errors of looking up, and "unsupported", without a place. (model_nested_fix.c) */
vc_status vc_nested_fix_measure(vc_model *model, const vc_cube *nested,
                                const vc_fix_def *definitions, size_t ndefinitions,
                                vc_cube_measure *measure, size_t source, bool *has_any,
                                vc_error *error);
vc_status vc_nested_where_measure(vc_model *model, const vc_cube *nested, vc_str where,
                                  vc_cube_measure *measure, size_t source, bool *has_any,
                                  vc_error *error);

/* Where the functions over members of a nested cube's measure go along in the cube that has it from
 * source `first` on. VC_NOT_FOUND, VC_IMPOSSIBLE as of vc_cube_bind_calls. (model_calls.c) */
vc_status vc_nested_bind_calls(const vc_cube *cube, size_t first, const vc_cube_measure *measure,
                               vc_arena *arena, const size_t **dimensions_out, vc_error *error);

/* Where leaves of the dimension have several places, a source's own facts find them by a relation:
 * an identity becomes one. */
vc_status vc_model_bind_places(const vc_cube_dimension *dimension, vc_arena *arena,
                               vc_binding *binding, vc_error *error);

#endif
