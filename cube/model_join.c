/* The joins of a virtual cube: the pairs of an `on` become relations.
 *
 * All pairs that name one dimension of the primary are one key. When its components on the joined
 * side are in one dimension, the relation is of the leaves of that dimension; when they are in
 * several, of the tuples of leaves that facts have (mapping/tuples.h).
 */
#include "cube/model_virtual.h"

/* The key by which a source is joined along one dimension of the cube. */
struct key {
    size_t dimension; /* of the virtual cube */
    vc_relation_pair *pairs;
    size_t npairs;
    size_t *components; /* [ncomponents] dimensions of the source, in the order of the pairs */
    size_t ncomponents;
    const vc_relation_times *times; /* NULL: keys do not depend on the time */
    bool has_time_only; /* the last component is the time of the others, and no part of the key */
};

/* The place of a dimension of the source among the key's components, where it is put if need be. */
static size_t place_component(struct key *key, size_t source_dimension)
{
    size_t at = 0;
    while (at < key->ncomponents && key->components[at] != source_dimension)
        at++;
    if (at == key->ncomponents) key->components[key->ncomponents++] = source_dimension;
    return at;
}

static vc_status resolve_pair(vc_virtual_builder *builder, size_t source, const vc_on_def *on,
                              struct key *key, vc_error *error)
{
    const vc_definition *definition = builder->definition;
    const vc_source_cube *cube = builder->sources[source].cube;
    const vc_dimension *primary = builder->dimensions[key->dimension].dimension;
    vc_relation_pair *pair = &key->pairs[key->npairs++];
    size_t to = 0;
    vc_status status = VC_OK;
    *pair = (vc_relation_pair){.from_constant = on->constant, .to_constant = on->to_constant};
    if (on->constant.data == NULL)
        status = vc_dimension_find_index(primary, on->index, &pair->from, error);
    if (status != VC_OK) return vc_model_place(definition, on->pointer, "/index", status, error);
    if (on->to_dim.data != NULL)
        status = vc_source_cube_find_dimension(cube, on->to_dim, &to, error);
    if (status != VC_OK) return vc_model_place(definition, on->pointer, "/to_dim", status, error);
    if (on->to_constant.data == NULL) {
        pair->component = place_component(key, to);
        status = vc_dimension_find_index(cube->dimensions[to], on->to_index, &pair->to, error);
    }
    if (status != VC_OK) return vc_model_place(definition, on->pointer, "/to_index", status, error);
    status = vc_model_normalizer(builder->model, on->normalize_from, &pair->normalize_from, error);
    if (status == VC_OK)
        status = vc_model_normalizer(builder->model, on->normalize_to, &pair->normalize_to, error);
    return vc_model_place(definition, on->pointer, "/normalize", status, error);
}

/* All pairs of a join that name one primary dimension. */
static vc_status read_key(vc_virtual_builder *builder, size_t source, size_t first, struct key *key,
                          vc_error *error)
{
    const vc_join_def *join = &builder->virtual_cube->sources[source].join;
    key->pairs = VC_ARENA_NEW(builder->arena, vc_relation_pair, join->non);
    key->components = VC_ARENA_NEW(builder->arena, size_t, join->non + 1);
    if (key->pairs == NULL || key->components == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t i = first; i < join->non && status == VC_OK; i++) {
        if (!vc_str_equal(join->on[i].dim, join->on[first].dim)) continue;
        status = resolve_pair(builder, source, &join->on[i], key, error);
        if (status == VC_OK && key->ncomponents > VC_MAX_COMPONENTS) {
            status = vc_fail(error, VC_LIMIT, "limit_tuples",
                             "a composite key lies in at most %d dimensions of the joined cube",
                             VC_MAX_COMPONENTS);
            return vc_model_place(builder->definition, join->on[i].pointer, "/to_dim", status,
                                  error);
        }
    }
    return status;
}

/* The time of the facts, where keys depend on it, becomes a component. */
static vc_status add_time(vc_virtual_builder *builder, size_t source, struct key *key,
                          vc_error *error)
{
    const vc_source_cube *cube = builder->sources[source].cube;
    const vc_join_def *join = &builder->virtual_cube->sources[source].join;
    bool by_time = join->mode != VC_MODE_LOOKUP && !join->expose.is_asked;
    const vc_relation_times *found;
    size_t before = key->ncomponents;
    vc_status status =
        vc_virtual_find_times(builder, cube, key->pairs, key->npairs, by_time, &found, error);
    if (status != VC_OK || found == NULL) return status;
    vc_relation_times *times = VC_ARENA_NEW(builder->arena, vc_relation_times, 1);
    if (times == NULL) return vc_no_memory(error);
    *times = *found;
    times->component = place_component(key, found->component);
    if (key->ncomponents == 1) return VC_OK; /* a key of the time itself */
    if (key->ncomponents > VC_MAX_COMPONENTS)
        return vc_fail(error, VC_LIMIT, "limit_tuples",
                       "a composite key lies in at most %d dimensions of the joined cube, that of "
                       "its time included",
                       VC_MAX_COMPONENTS);
    key->times = times;
    key->has_time_only = key->ncomponents > before;
    return VC_OK;
}

/* The relation of a key, by leaves or by tuples. */
static vc_status resolve_key(vc_virtual_builder *builder, size_t source, const struct key *key,
                             const vc_relation **relation_out, const vc_tuples **tuples_out,
                             vc_error *error)
{
    const vc_source_cube *cube = builder->sources[source].cube;
    const vc_dimension *primary = builder->dimensions[key->dimension].dimension;
    const vc_join_def *join = &builder->virtual_cube->sources[source].join;
    bool is_weighted = join->mode == VC_MODE_WEIGHTED || join->on_fanout == VC_FANOUT_WEIGHTED;
    *tuples_out = NULL;
    if (key->ncomponents == 1)
        return (is_weighted ? vc_relation_resolve_weighted : vc_relation_resolve)(
            primary, cube->dimensions[key->components[0]], key->pairs, key->npairs, builder->arena,
            relation_out, error);
    vc_status status =
        vc_model_tuples(builder->model, cube, key->components, key->ncomponents, tuples_out, error);
    if (status != VC_OK) return status;
    return vc_relation_resolve_tuples(primary, *tuples_out, key->pairs, key->npairs, key->times,
                                      is_weighted, builder->arena, relation_out, error);
}

static vc_status bind_key(vc_virtual_builder *builder, size_t source, const struct key *key,
                          const vc_relation *relation, const vc_tuples *tuples, vc_error *error)
{
    vc_binding *binding = &builder->sources[source].bindings[key->dimension];
    vc_virtual_bind(builder, source, key->components[0], key->dimension, relation);
    if (tuples == NULL) return VC_OK;
    binding->tuples = tuples;
    binding->components = key->components;
    for (size_t c = 1; c < key->ncomponents; c++) {
        vc_str name = builder->sources[source].cube->dimension_names[key->components[c]];
        bool is_time_only = key->has_time_only && c + 1 == key->ncomponents;
        if (!is_time_only) builder->is_bound[source][key->components[c]] = true;
        binding->to_name =
            vc_arena_printf(builder->arena, "%.*s, %.*s", VC_FMT(binding->to_name), VC_FMT(name));
        if (binding->to_name.data == NULL) return vc_no_memory(error);
    }
    if (key->times != NULL)
        binding->time_name =
            builder->sources[source].cube->dimension_names[key->components[key->times->component]];
    return VC_OK;
}

static vc_status join_dimension(vc_virtual_builder *builder, size_t source, size_t first,
                                vc_error *error)
{
    const vc_source_def *definition = &builder->virtual_cube->sources[source];
    const vc_join_def *join = &definition->join;
    const vc_on_def *on = &join->on[first];
    struct key key = {0};
    vc_status status = vc_virtual_get_outer(builder, on->dim, &key.dimension, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, on->pointer, "/dim", status, error);
    if (builder->sources[source].bindings[key.dimension].kind != VC_BIND_NONE)
        return VC_OK; /* these pairs were taken together with an earlier one */
    status = read_key(builder, source, first, &key, error);
    if (status != VC_OK) return status;
    status = add_time(builder, source, &key, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, on->pointer, "/normalize", status, error);
    key.pairs[0].from_leaves = vc_virtual_inner_leaves(builder, key.dimension);
    const vc_relation *relation;
    const vc_tuples *tuples;
    const char *field = "";
    status = resolve_key(builder, source, &key, &relation, &tuples, error);
    if (status == VC_OK)
        status = vc_virtual_check_join(join, relation, builder->dimensions[key.dimension].dimension,
                                       vc_model_is_partial(builder->model), &field, error);
    if (status == VC_OK) status = vc_virtual_close(builder, key.dimension, &relation, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, definition->pointer, field, status, error);
    vc_join_mode mode;
    const vc_dimension *joined =
        tuples == NULL ? builder->sources[source].cube->dimensions[key.components[0]] : NULL;
    status =
        vc_virtual_apply_mode(builder, definition, builder->dimensions[key.dimension].dimension,
                              joined, tuples, relation, &mode, &relation, error);
    if (status == VC_OK) status = bind_key(builder, source, &key, relation, tuples, error);
    if (status != VC_OK) return status;
    vc_binding *binding = &builder->sources[source].bindings[key.dimension];
    binding->mode = mode;
    if (mode != VC_MODE_SET) builder->sources[source].mode = mode;
    return vc_virtual_apply_finer(builder, definition, first, &builder->dimensions[key.dimension],
                                  binding, error);
}

vc_status vc_virtual_join_source(vc_virtual_builder *builder, size_t source, vc_error *error)
{
    const vc_join_def *join = &builder->virtual_cube->sources[source].join;
    for (size_t i = 0; i < join->non; i++) {
        vc_status status = join_dimension(builder, source, i, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}
