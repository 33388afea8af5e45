/* What definitions stand on: which stored objects a cube needs, and who needs an object. */
#ifndef CUBE_DEPENDENCY_H
#define CUBE_DEPENDENCY_H

#include "cube/definition.h"
#include "storage/store.h"

typedef struct vc_dependency {
    vc_kind kind;
    vc_str name;
    vc_str pointer; /* where the definition names it */
} vc_dependency;

/* The objects that a definition names: the cubes of a virtual cube and the crosswalks of its joins,
 * the shared dimensions of a source cube. In the order of the definition, each once per place. */
vc_status vc_definition_dependencies(const vc_definition *definition, vc_arena *arena,
                                     vc_dependency **dependencies_out, size_t *ndependencies_out,
                                     vc_error *error);

/* The stored cubes that name an object directly, in the order of their names. Reads every stored
 * definition. */
vc_status vc_snapshot_dependents(const vc_snapshot *snapshot, vc_kind kind, vc_str name,
                                 vc_arena *arena, vc_str **names_out, size_t *nnames_out,
                                 vc_error *error);

/* The object kind of a definition: source and virtual cubes are both VC_KIND_CUBE. */
vc_kind vc_definition_object_kind(const vc_definition *definition);

/* Drop an object from the store, in a load of its own.
 *
 * force  drop it also when stored cubes name it; they can no longer be asked then
 *
 * VC_NOT_FOUND as vc_snapshot_find; VC_CONFLICT, code "has_dependents", listing the cubes that need
 * it. epoch_out may be NULL.
 * begun  as in vc_load_options; may be NULL */
vc_status vc_object_drop_if(vc_store *store, vc_kind kind, vc_str name, bool force,
                            vc_status (*begun)(void *context, const vc_snapshot *published,
                                               vc_error *error),
                            void *context, uint64_t *epoch_out, vc_error *error);
vc_status vc_object_drop(vc_store *store, vc_kind kind, vc_str name, bool force,
                         uint64_t *epoch_out, vc_error *error);

#endif
