/* A virtual cube as a source of another.
 *
 * The sources of the inner cube become sources of the outer one, each bound to the outer one's
 * dimensions: as it is to the inner one's, where those are taken over; and where the outer cube
 * joins the inner one along a dimension, through both relations, composed. So nothing else knows of
 * nesting: facts of each source are aggregated to the grain of the query as ever.
 *
 * What the inner cube hides (members after its inner joins, facts that it drops) stays hidden. The
 * sources of one inner cube share the bucket of its join; one of them, the leader, stands for the
 * join where there is one to speak of (coverage, visible members).
 */
#include "cube/model_virtual.h"

/* ---- the sources ---- */

static bool is_taken(const vc_source_def *sources, size_t count, vc_str alias)
{
    for (size_t i = 0; i < count; i++)
        if (vc_str_equal(sources[i].alias, alias)) return true;
    return false;
}

/* The sources of an inner cube, as if they were the definition's own, without a join of their own
 * to resolve. Their aliases stay, unless they are taken. */
static vc_status list_inner(vc_virtual_builder *builder, const vc_virtual_part *part,
                            vc_source_def *sources, vc_error *error)
{
    for (size_t k = 0; k < part->count; k++) {
        const vc_cube_source *inner = &part->cube->sources[k];
        vc_str alias = inner->alias;
        const vc_virtual_def *definition = &builder->definition->as.virtual_cube;
        if (is_taken(sources, part->first + k, alias) ||
            is_taken(definition->sources, definition->nsources, alias))
            alias = vc_arena_printf(builder->arena, "%.*s.%.*s", VC_FMT(part->definition->alias),
                                    VC_FMT(inner->alias));
        if (alias.data == NULL) return vc_no_memory(error);
        sources[part->first + k] = *inner->definition;
        sources[part->first + k].alias = alias;
        sources[part->first + k].pointer = part->definition->pointer;
        sources[part->first + k].nfixes = sources[part->first + k].nrenames = 0;
        if (part->definition->join.kind != VC_JOIN_LEFT)
            sources[part->first + k].join.kind = part->definition->join.kind;
    }
    return VC_OK;
}

static vc_status open_part(vc_virtual_builder *builder, const vc_source_def *from,
                           vc_virtual_part *part, vc_error *error)
{
    bool is_virtual;
    *part = (vc_virtual_part){.definition = from, .first = builder->nflat, .count = 1};
    vc_status status = vc_model_kind(builder->model, from->cube, &is_virtual, error);
    if (status == VC_OK && is_virtual)
        status = vc_model_open(builder->model, from->cube, &part->cube, error);
    if (status != VC_OK) return status;
    if (is_virtual) {
        if (part->cube->depth + 1 > VC_MAX_DEPTH)
            return vc_fail(error, VC_LIMIT, "limit_depth",
                           "virtual cubes are nested more than %d deep", VC_MAX_DEPTH);
        builder->depth = part->cube->depth > builder->depth ? part->cube->depth : builder->depth;
        part->count = part->cube->nsources;
        part->outer = VC_ARENA_NEW(builder->arena, size_t, part->cube->ndimensions + 1);
        if (part->outer == NULL) return vc_no_memory(error);
        for (size_t e = 0; e < part->cube->ndimensions; e++)
            part->outer[e] = SIZE_MAX;
    }
    builder->nflat += part->count;
    if (builder->nflat > VC_MAX_SOURCES)
        return vc_fail(error, VC_LIMIT, "limit_sources",
                       "the cube has more than %d sources, those of nested cubes counted",
                       VC_MAX_SOURCES);
    return VC_OK;
}

vc_status vc_virtual_expand(vc_virtual_builder *builder, vc_error *error)
{
    const vc_virtual_def *definition = &builder->definition->as.virtual_cube;
    vc_virtual_def *flat = VC_ARENA_NEW(builder->arena, vc_virtual_def, 1);
    vc_source_def *sources = VC_ARENA_NEW(builder->arena, vc_source_def, VC_MAX_SOURCES);
    builder->parts = VC_ARENA_NEW(builder->arena, vc_virtual_part, definition->nsources);
    if (flat == NULL || sources == NULL || builder->parts == NULL) return vc_no_memory(error);
    builder->nparts = definition->nsources;
    for (size_t i = 0; i < definition->nsources; i++) {
        vc_virtual_part *part = &builder->parts[i];
        const vc_source_def *from = &definition->sources[i];
        vc_status status = open_part(builder, from, part, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, from->pointer, "/cube", status, error);
        if (part->cube == NULL)
            sources[part->first] = *from;
        else if ((status = list_inner(builder, part, sources, error)) != VC_OK)
            return status;
    }
    *flat = *definition;
    flat->sources = sources;
    flat->nsources = builder->nflat;
    builder->virtual_cube = flat;
    return VC_OK;
}

const vc_virtual_part *vc_virtual_part_of(const vc_virtual_builder *builder, size_t source)
{
    size_t i = 0;
    while (source >= builder->parts[i].first + builder->parts[i].count)
        i++;
    return &builder->parts[i];
}

/* ---- places ---- */

/* A source's binding, taken over. */
static bool copy_binding(vc_virtual_builder *builder, size_t source, size_t dimension,
                         const vc_binding *from)
{
    vc_binding *binding = &builder->sources[source].bindings[dimension];
    *binding = *from;
    binding->synthetic_slots = NULL; /* to be made anew */
    if (from->through != NULL) {
        binding->through = VC_ARENA_NEW(builder->arena, vc_through, 1);
        if (binding->through == NULL) return false;
        *binding->through = *from->through;
    }
    if (from->kind == VC_BIND_NONE) return true;
    builder->is_bound[source][from->source_dimension] = true;
    for (size_t c = 0; from->tuples != NULL && c < from->tuples->ncomponents; c++)
        builder->is_bound[source][from->components[c]] = true;
    return true;
}

static vc_status add_dimension(vc_virtual_builder *builder, vc_virtual_part *part, size_t number,
                               vc_str name, vc_error *error)
{
    const vc_cube_dimension *from = &part->cube->dimensions[number];
    size_t dimension = builder->ndimensions++;
    builder->dimensions[dimension] = (vc_cube_dimension){.name = name,
                                                         .label = from->label,
                                                         .dimension = from->dimension,
                                                         .nslots = from->dimension->nleaves,
                                                         .owner = part->first + from->owner,
                                                         .is_aggregatable = from->is_aggregatable,
                                                         .exposed = from->exposed};
    part->outer[number] = dimension;
    for (size_t k = 0; k < part->count; k++)
        if (!copy_binding(builder, part->first + k, dimension,
                          &part->cube->sources[k].bindings[number]))
            return vc_no_memory(error);
    return VC_OK;
}

const uint64_t *vc_virtual_inner_leaves(const vc_virtual_builder *builder, size_t dimension)
{
    const vc_virtual_part *primary = &builder->parts[0];
    for (size_t e = 0; primary->cube != NULL && e < primary->cube->ndimensions; e++)
        if (primary->outer[e] == dimension) return primary->cube->dimensions[e].visible;
    return NULL;
}

vc_status vc_virtual_place_nested(vc_virtual_builder *builder, vc_virtual_part *part,
                                  vc_error *error)
{
    const vc_source_def *definition = part->definition;
    for (size_t i = 0; i < definition->nrenames; i++) {
        size_t number;
        vc_status status =
            vc_cube_find_dimension(part->cube, definition->renames[i].from, &number, error);
        if (status == VC_OK && part->outer[number] != SIZE_MAX)
            status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                             "dimension '%.*s' is placed by \"on\" and has its name from there",
                             VC_FMT(definition->renames[i].from));
        if (status != VC_OK)
            return vc_model_place(builder->definition, definition->pointer, "/dimensions", status,
                                  error);
    }
    for (size_t e = 0; e < part->cube->ndimensions; e++) {
        if (part->outer[e] != SIZE_MAX) continue;
        vc_str name = vc_virtual_outer_name(definition, part->cube->dimensions[e].name);
        size_t dimension = vc_virtual_find_outer(builder, name);
        if (dimension < builder->ndimensions && vc_nested_shares(builder, part, e, dimension)) {
            vc_status status = vc_nested_bind_same(builder, part, e, dimension, NULL, error);
            if (status != VC_OK)
                return vc_model_place(builder->definition, definition->pointer, "", status, error);
            continue;
        }
        if (dimension < builder->ndimensions) {
            vc_status status =
                vc_fail(error, VC_BAD_INPUT, "dimension_conflict",
                        "there is a dimension '%.*s' already, and the nested cube '%.*s' has one, "
                        "but not from the same dimension file; map it in \"on\", or give it "
                        "another name in \"dimensions\"",
                        VC_FMT(name), VC_FMT(part->cube->name));
            return vc_model_place(builder->definition, definition->pointer, "", status, error);
        }
        vc_status status = add_dimension(builder, part, e, name, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- joins ---- */

static vc_status resolve_pair(vc_virtual_builder *builder, const vc_on_def *on,
                              const vc_dimension *primary, const vc_dimension *joined,
                              vc_relation_pair *pair, vc_error *error)
{
    vc_status status = VC_OK;
    const char *field = "/index";
    pair->from_constant = on->constant;
    pair->to_constant = on->to_constant;
    if (on->constant.data == NULL)
        status = vc_dimension_find_index(primary, on->index, &pair->from, error);
    if (status == VC_OK && on->to_constant.data == NULL) {
        field = "/to_index";
        status = vc_dimension_find_index(joined, on->to_index, &pair->to, error);
    }
    if (status == VC_OK) {
        field = "/normalize";
        status =
            vc_model_normalizer(builder->model, on->normalize_from, &pair->normalize_from, error);
    }
    if (status == VC_OK)
        status = vc_model_normalizer(builder->model, on->normalize_to, &pair->normalize_to, error);
    if (status == VC_OK && (vc_normalizer_time(pair->normalize_from).data != NULL ||
                            vc_normalizer_time(pair->normalize_to).data != NULL))
        status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                         "keys of a nested cube at the time of its facts are not supported by this "
                         "version");
    return vc_model_place(builder->definition, on->pointer, field, status, error);
}

/* The key by which the nested cube is joined along one dimension. */
struct key {
    size_t dimension, first; /* of the outer cube; of its pairs */
    vc_relation_pair *pairs; /* [npairs] */
    size_t npairs;
    size_t *numbers; /* dimensions of the nested cube, as components */
    vc_nested_join *join;
};

static vc_status read_key(vc_virtual_builder *builder, const vc_virtual_part *part, struct key *key,
                          vc_error *error)
{
    const vc_join_def *join = &part->definition->join;
    const vc_dimension *primary = builder->dimensions[key->dimension].dimension;
    vc_status status = VC_OK;
    for (size_t i = key->first; i < join->non && status == VC_OK; i++) {
        const vc_on_def *on = &join->on[i];
        const vc_dimension *joined = NULL;
        size_t to = 0, at = 0;
        if (!vc_str_equal(on->dim, join->on[key->first].dim)) continue;
        if (on->to_dim.data != NULL)
            status = vc_cube_find_dimension(part->cube, on->to_dim, &to, error);
        if (status != VC_OK)
            return vc_model_place(builder->definition, on->pointer, "/to_dim", status, error);
        if (on->to_constant.data == NULL) {
            joined = part->cube->dimensions[to].dimension;
            while (at < key->join->n && key->numbers[at] != to)
                at++;
            key->numbers[at] = to;
            if (at == key->join->n) key->join->n++;
        }
        vc_relation_pair *pair = &key->pairs[key->npairs++];
        *pair = (vc_relation_pair){.component = at};
        status = resolve_pair(builder, on, primary, joined, pair, error);
    }
    return status;
}

/* What a join leads to a leaf of the nested cube, it leads to all its places: some of which could
 * be hidden there. */
static vc_status check_places(const vc_cube_dimension *inner, vc_error *error)
{
    const vc_dimension *dimension = inner->dimension;
    uint32_t count = vc_dimension_count_leaves(dimension);
    for (uint32_t leaf = count; inner->visible != NULL && leaf < dimension->nleaves; leaf++)
        if (vc_bit_get(inner->visible, leaf) !=
            vc_bit_get(inner->visible, vc_leaf_first(dimension, leaf)))
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "the nested cube hides members of '%.*s' under some of their parents; "
                           "joined by them it is not supported by this version",
                           VC_FMT(inner->name));
    return VC_OK;
}

/* Points -> units, as the join's mode leaves it. */
static vc_status resolve_key(vc_virtual_builder *builder, const vc_virtual_part *part,
                             const struct key *key, const vc_relation **relation_out,
                             vc_join_mode *mode_out, vc_error *error)
{
    const vc_source_def *definition = part->definition;
    const vc_join_def *join = &definition->join;
    const vc_cube_dimension *inner = &part->cube->dimensions[key->numbers[0]];
    const vc_dimension *primary = builder->dimensions[key->dimension].dimension;
    const vc_tuples *tuples = key->join->tuples;
    bool is_weighted = join->mode == VC_MODE_WEIGHTED || join->on_fanout == VC_FANOUT_WEIGHTED;
    const char *field = "";
    vc_status status = check_places(inner, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, definition->pointer, field, status, error);
    /* Hidden members are nobody's, and in no count; places of leaves are hidden afterwards. */
    bool has_places = inner->dimension->ndoubles > 0;
    if (tuples == NULL && !has_places) key->pairs[0].to_leaves = inner->visible;
    status = tuples != NULL
                 ? vc_relation_resolve_tuples(primary, tuples, key->pairs, key->npairs, NULL,
                                              is_weighted, builder->arena, relation_out, error)
                 : (is_weighted ? vc_relation_resolve_weighted : vc_relation_resolve)(
                       primary, inner->dimension, key->pairs, key->npairs, builder->arena,
                       relation_out, error);
    if (status == VC_OK && tuples == NULL && has_places)
        status = vc_nested_hide(builder->arena, inner, *relation_out, relation_out, error);
    if (status == VC_OK)
        status = vc_virtual_check_join(join, *relation_out, primary,
                                       vc_model_is_partial(builder->model), &field, error);
    if (status == VC_OK) status = vc_virtual_close(builder, key->dimension, relation_out, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, definition->pointer, field, status, error);
    return vc_virtual_apply_mode(builder, definition, primary,
                                 tuples == NULL ? inner->dimension : NULL, tuples, *relation_out,
                                 mode_out, relation_out, error);
}

/* Bind one source of the nested cube through the key. */
static vc_status bind_source(vc_virtual_builder *builder, const vc_virtual_part *part,
                             const struct key *key, size_t k, const vc_relation *relation,
                             vc_join_mode mode, vc_error *error)
{
    const vc_source_def *definition = part->definition;
    const vc_join_def *join = &definition->join;
    const vc_nested_reach *reach = &key->join->reaches[k];
    size_t source = part->first + k;
    vc_binding *binding = &builder->sources[source].bindings[key->dimension];
    vc_status status = vc_nested_reach_points(builder->model, key->join, k, relation, error);
    if (status == VC_OK) {
        *binding = (vc_binding){.source_dimension = reach->source_dimension,
                                .tuples = reach->tuples,
                                .components = reach->components,
                                .to_name = reach->to_name,
                                .join_kind = join->kind,
                                .unmatched = join->unmatched,
                                .refuses_fanout = join->on_fanout == VC_FANOUT_ERROR,
                                .join_alias = definition->alias,
                                .join_relation = relation,
                                .nested_join = key->join};
        status =
            vc_nested_compose(builder->arena, key->join, reach, relation, mode, binding, error);
    }
    if (status != VC_OK)
        return vc_model_place(builder->definition, definition->pointer, "/join", status, error);
    builder->is_bound[source][reach->source_dimension] = true;
    for (size_t c = 0; reach->tuples != NULL && c < reach->tuples->ncomponents; c++)
        builder->is_bound[source][reach->components[c]] = true;
    return vc_virtual_apply_finer(builder, definition, key->first,
                                  &builder->dimensions[key->dimension], binding, error);
}

/* A source that lacks a part of the key has no place along the dimension: its policy inside says
 * what it shows. Its value for all of the part it lacks, in what the rest of the key selects, would
 * be a third thing, which no rule gives. */
static vc_status check_lacking(const vc_virtual_builder *builder, const vc_virtual_part *part,
                               const struct key *key, size_t k, vc_error *error)
{
    const vc_cube_source *source = &part->cube->sources[k];
    bool has_any = false;
    for (size_t i = 0; i < key->join->n; i++)
        has_any |= source->bindings[key->numbers[i]].kind != VC_BIND_NONE;
    for (size_t i = 0; has_any && i < key->join->n; i++) {
        const vc_cube_dimension *inner = &part->cube->dimensions[key->numbers[i]];
        if (source->bindings[key->numbers[i]].kind != VC_BIND_NONE ||
            source->unrelated[key->numbers[i]] != VC_UNRELATED_REPEAT)
            continue;
        vc_status status =
            vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                    "source '%.*s' of the nested cube has a part of the key, but not '%.*s', which "
                    "\"repeat\" there makes it repeat; a part of a key cannot be repeated",
                    VC_FMT(source->alias), VC_FMT(inner->name));
        return vc_model_place(builder->definition, part->definition->join.on[key->first].pointer,
                              "/to_dim", status, error);
    }
    return VC_OK;
}

static vc_status bind_sources(vc_virtual_builder *builder, vc_virtual_part *part,
                              const struct key *key, const vc_relation *relation, vc_join_mode mode,
                              vc_error *error)
{
    size_t leader = part->cube->dimensions[key->numbers[0]].owner;
    vc_status status = VC_OK;
    for (size_t k = part->count; k-- > 0;)
        if (!vc_nested_has_all(key->join, leader) && vc_nested_has_all(key->join, k)) leader = k;
    for (size_t k = 0; k < part->count && status == VC_OK; k++) {
        if (!vc_nested_has_all(key->join, k)) {
            status = check_lacking(builder, part, key, k, error);
            continue;
        }
        status = bind_source(builder, part, key, k, relation, mode, error);
        builder->sources[part->first + k].bindings[key->dimension].is_follower = k != leader;
    }
    for (size_t i = 0; i < key->join->n; i++)
        if (part->outer[key->numbers[i]] == SIZE_MAX) part->outer[key->numbers[i]] = key->dimension;
    return status;
}

static vc_status join_dimension(vc_virtual_builder *builder, vc_virtual_part *part, size_t first,
                                vc_error *error)
{
    const vc_join_def *join = &part->definition->join;
    const vc_on_def *on = &join->on[first];
    const vc_relation *relation;
    vc_join_mode mode;
    struct key key = {.first = first,
                      .pairs = VC_ARENA_NEW(builder->arena, vc_relation_pair, join->non),
                      .numbers = VC_ARENA_NEW(builder->arena, size_t, join->non + 1),
                      .join = VC_ARENA_NEW(builder->arena, vc_nested_join, 1)};
    if (key.pairs == NULL || key.numbers == NULL || key.join == NULL) return vc_no_memory(error);
    vc_status status = vc_virtual_get_outer(builder, on->dim, &key.dimension, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, on->pointer, "/dim", status, error);
    for (size_t i = 0; i < first; i++)
        if (vc_str_equal(join->on[i].dim, on->dim)) return VC_OK; /* taken together with it */
    *key.join = (vc_nested_join){.part = part, .numbers = key.numbers};
    status = read_key(builder, part, &key, error);
    if (status != VC_OK) return status;
    key.pairs[0].from_leaves = vc_virtual_inner_leaves(builder, key.dimension);
    status = vc_nested_find_points(builder->model, key.join, error);
    if (status != VC_OK)
        return vc_model_place(builder->definition, on->pointer, "/to_dim", status, error);
    status = resolve_key(builder, part, &key, &relation, &mode, error);
    return status == VC_OK ? bind_sources(builder, part, &key, relation, mode, error) : status;
}

/* How the facts of a source count: a source is counted in one way along all dimensions. */
static vc_status find_mode(vc_virtual_builder *builder, const vc_virtual_part *part, size_t source,
                           vc_error *error)
{
    vc_cube_source *of = &builder->sources[source];
    const vc_cube_source *inner = &part->cube->sources[source - part->first];
    vc_join_mode found = VC_MODE_SET;
    vc_reaggregate reaggregate = VC_REAGGREGATE_DEFAULT;
    bool is_mixed = false;
    for (size_t e = 0; e < part->cube->ndimensions; e++) {
        const vc_binding *binding = &inner->bindings[e];
        bool is_taken = part->outer[e] == SIZE_MAX && binding->kind == VC_BIND_RELATION;
        if (!is_taken || binding->mode == VC_MODE_SET) continue;
        is_mixed |= found != VC_MODE_SET && binding->mode != found;
        found = binding->mode;
        reaggregate = inner->reaggregate;
    }
    for (size_t d = 0; d < builder->ndimensions; d++) {
        const vc_binding *binding = &of->bindings[d];
        if (binding->nested_join == NULL || binding->nested_join->part != part ||
            binding->mode == VC_MODE_SET)
            continue;
        bool is_own = part->definition->join.mode == VC_MODE_LOOKUP;
        vc_reaggregate mine = is_own ? part->definition->join.reaggregate : inner->reaggregate;
        is_mixed |= found != VC_MODE_SET && (binding->mode != found || mine != reaggregate);
        found = binding->mode;
        reaggregate = mine;
    }
    of->mode = found;
    of->reaggregate = reaggregate;
    if (!is_mixed) return VC_OK;
    vc_status status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                               "the facts of source '%.*s' would count in two ways at once: by "
                               "weights and as a lookup, or looked up and put together by two "
                               "words of \"reaggregate\"",
                               VC_FMT(inner->alias));
    return vc_model_place(builder->definition, part->definition->pointer, "/join/mode", status,
                          error);
}

vc_status vc_virtual_join_nested(vc_virtual_builder *builder, vc_virtual_part *part,
                                 vc_error *error)
{
    vc_status status = VC_OK;
    if (part->definition->join.expose.is_asked) {
        status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                         "members of nested cubes as a level are not supported by this version: "
                         "each of its sources would bring other ones");
        return vc_model_place(builder->definition, part->definition->pointer,
                              "/join/expose_as_level", status, error);
    }
    for (size_t i = 0; i < part->definition->join.non && status == VC_OK; i++)
        status = join_dimension(builder, part, i, error);
    for (size_t k = 0; k < part->count && status == VC_OK; k++)
        status = find_mode(builder, part, part->first + k, error);
    return status;
}

/* What the inner cube says of its own dimensions stays so. */
vc_unrelated vc_virtual_inner_policy(const vc_virtual_builder *builder, size_t source,
                                     size_t dimension)
{
    const vc_virtual_part *part = vc_virtual_part_of(builder, source);
    if (part->cube == NULL) return VC_UNRELATED_DEFAULT;
    const vc_cube_source *inner = &part->cube->sources[source - part->first];
    vc_unrelated found = VC_UNRELATED_DEFAULT;
    for (size_t k = 0; k < part->count; k++) { /* joined: what it says of the part it lacks */
        const vc_binding *binding = &builder->sources[part->first + k].bindings[dimension];
        if (binding->nested_join == NULL || binding->nested_join->part != part) continue;
        for (size_t i = 0; i < binding->nested_join->n; i++) {
            size_t e = binding->nested_join->numbers[i];
            bool is_lacking = inner->bindings[e].kind == VC_BIND_NONE;
            if (is_lacking && found != VC_UNRELATED_ERROR) found = inner->unrelated[e];
        }
        return found;
    }
    for (size_t e = 0; e < part->cube->ndimensions; e++)
        if (part->outer[e] == dimension) return inner->unrelated[e];
    return found;
}
