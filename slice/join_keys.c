#include "slice/join_keys.h"

#include <string.h>

static uint32_t count_members(const vc_dimension *dimension, const vc_index *index)
{
    return index->hierarchy < 0
               ? dimension->nleaves
               : dimension->hierarchies[index->hierarchy].levels[index->level].nmembers;
}

/* The value of each member of the index. */
static vc_status turn_around(const vc_dimension *dimension, const vc_index *index, vc_arena *arena,
                             uint32_t **values_out, vc_error *error)
{
    size_t size = ((size_t)count_members(dimension, index) + 1) * sizeof **values_out;
    uint32_t *values = vc_arena_alloc(arena, size);
    if (values == NULL) return vc_no_memory(error);
    memset(values, 0xFF, size);
    for (uint32_t value = 0; value < index->values.count; value++)
        for (uint32_t i = vc_numbers_get(index->offsets, value);
             i < vc_numbers_get(index->offsets, value + 1); i++)
            values[index->members[i]] = value;
    *values_out = values;
    return VC_OK;
}

static const vc_dimension *joined_dimension(const vc_join_keys *keys, size_t component)
{
    const vc_binding *binding = keys->binding;
    if (keys->nested != NULL) return keys->nested;
    return keys->source->cube->dimensions[binding->tuples != NULL ? binding->components[component]
                                                                  : binding->source_dimension];
}

/* What stands for an index where there is no pair: the level at which the source stands, or `key`.
 */
static vc_str name_of_unit(const vc_join_keys *keys)
{
    const vc_relation *relation = keys->binding->relation;
    if (!keys->binding->is_united || relation->level < 0) return VC_STR("key");
    return keys->outer->hierarchies[relation->hierarchy].levels[relation->level].name;
}

/* on  NULL: `key` of both */
static vc_status add_pair(vc_join_keys *keys, const vc_on_def *on, vc_arena *arena, vc_error *error)
{
    vc_join_key *key = &keys->keys[keys->nkeys];
    const vc_tuples *tuples = keys->nested == NULL ? keys->binding->tuples : NULL;
    vc_status status = VC_OK;
    *key = (vc_join_key){.on = on};
    for (size_t c = 0; tuples != NULL && on != NULL && c < tuples->ncomponents; c++)
        if (vc_str_equal(keys->source->cube->dimension_names[keys->binding->components[c]],
                         on->to_dim))
            key->component = c;
    const vc_dimension *joined = joined_dimension(keys, key->component);
    if (on == NULL || on->constant.data == NULL) {
        status = vc_dimension_find_index(keys->outer, on == NULL ? name_of_unit(keys) : on->index,
                                         &key->from, error);
        if (status == VC_OK)
            status = turn_around(keys->outer, key->from, arena, &key->from_values, error);
    }
    if (status == VC_OK && (on == NULL || on->to_constant.data == NULL)) {
        status = vc_dimension_find_index(joined, on == NULL ? VC_STR("key") : on->to_index,
                                         &key->to, error);
        if (status == VC_OK) status = turn_around(joined, key->to, arena, &key->to_values, error);
    }
    keys->nkeys++;
    return status;
}

/* ---- through nested cubes ---- */

/* Where the join is: a source and a dimension of the cube, or of a cube nested in it. */
struct place {
    const vc_cube *cube;
    size_t source, dimension;
};

/* The definition of the nested cube as a source, if its `on` names the dimension; else NULL. */
static const vc_source_def *find_nested_join(const struct place *at)
{
    const vc_virtual_def *cube = &at->cube->definition->as.virtual_cube;
    for (size_t i = 0; i < cube->nsources; i++) {
        const vc_source_def *definition = &cube->sources[i];
        if (!vc_str_equal(definition->alias, at->cube->sources[at->source].nested_alias)) continue;
        for (size_t k = 0; k < definition->join.non; k++)
            if (vc_str_equal(definition->join.on[k].dim, at->cube->dimensions[at->dimension].name))
                return definition;
    }
    return NULL;
}

/* The dimension of the nested cube that has its place here; false: none, which is so of one that
 * the cube put there. */
static bool find_inner_dimension(const struct place *at, size_t *inner_out)
{
    const vc_cube_source *source = &at->cube->sources[at->source];
    for (size_t e = 0; e < source->nested->ndimensions; e++)
        if (source->nested_dimensions[e] == at->dimension) {
            *inner_out = e;
            return true;
        }
    return false;
}

/* A leaf of each unit of the relation. */
static vc_status find_unit_leaves(const vc_relation *relation, const vc_dimension *dimension,
                                  vc_arena *arena, uint32_t **leaves_out, vc_error *error)
{
    uint32_t *leaves = vc_arena_alloc(arena, ((size_t)relation->nunits + 1) * sizeof *leaves);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = dimension->nleaves; leaf-- > 0;) {
        uint32_t unit = leaf;
        if (relation->level >= 0)
            unit = vc_numbers_get(
                dimension->hierarchies[relation->hierarchy].levels[relation->level].leaf_members,
                leaf);
        leaves[unit] = leaf;
    }
    *leaves_out = leaves;
    return VC_OK;
}

/* The leaf of the nested cube's dimension that each leaf of the source stands for, the first one of
 * several. */
static vc_status find_nested_leaves(vc_join_keys *keys, const vc_binding *binding, vc_arena *arena,
                                    vc_error *error)
{
    const vc_relation *relation = binding->relation;
    uint32_t *unit_leaves = NULL;
    if (binding->kind != VC_BIND_RELATION) return VC_OK;
    uint32_t *leaves = vc_arena_alloc(arena, ((size_t)relation->nleaves + 1) * sizeof *leaves);
    vc_status status = find_unit_leaves(relation, keys->nested, arena, &unit_leaves, error);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves && status == VC_OK; leaf++) {
        const uint32_t *units;
        leaves[leaf] =
            vc_relation_units(relation, leaf, &units) > 0 ? unit_leaves[units[0]] : VC_NONE;
    }
    keys->nested_leaves = leaves;
    return status;
}

/* Does the key lie in several dimensions of the nested cube? */
static bool has_several(const vc_source_def *definition, const vc_cube *cube, size_t dimension)
{
    vc_str first = {0};
    for (size_t i = 0; i < definition->join.non; i++) {
        const vc_on_def *on = &definition->join.on[i];
        if (!vc_str_equal(on->dim, cube->dimensions[dimension].name) ||
            on->to_constant.data != NULL)
            continue;
        if (first.data != NULL && !vc_str_equal(first, on->to_dim)) return true;
        first = on->to_dim;
    }
    return false;
}

/* Go down to the cube whose definition joins, and find the pairs. */
static vc_status find_join(struct place at, vc_join_keys *keys, vc_arena *arena,
                           const vc_source_def **definition_out, vc_str *dimension_out,
                           vc_error *error)
{
    const vc_cube_source *source = &at.cube->sources[at.source];
    size_t inner;
    *definition_out = source->definition;
    while (source->nested != NULL && find_inner_dimension(&at, &inner)) {
        *definition_out = find_nested_join(&at);
        if (*definition_out != NULL && has_several(*definition_out, at.cube, at.dimension)) {
            *definition_out = NULL; /* combinations that facts of all its sources have */
            *dimension_out = at.cube->dimensions[at.dimension].name;
            return VC_OK;
        }
        if (*definition_out != NULL) {
            keys->nested = source->nested->dimensions[inner].dimension;
            *dimension_out = at.cube->dimensions[at.dimension].name;
            return find_nested_leaves(
                keys, &source->nested->sources[source->nested_source].bindings[inner], arena,
                error);
        }
        at = (struct place){
            .cube = source->nested, .source = source->nested_source, .dimension = inner};
        source = &at.cube->sources[at.source];
        *definition_out = source->definition;
    }
    *dimension_out = at.cube->dimensions[at.dimension].name;
    return VC_OK;
}

vc_status vc_join_keys_new(const vc_cube *cube, size_t source, size_t dimension, vc_arena *arena,
                           vc_join_keys *keys_out, vc_error *error)
{
    const vc_cube_source *of = &cube->sources[source];
    const vc_source_def *definition;
    vc_str name;
    *keys_out = (vc_join_keys){.source = of,
                               .binding = &of->bindings[dimension],
                               .outer = cube->dimensions[dimension].dimension};
    vc_status status =
        find_join((struct place){.cube = cube, .source = source, .dimension = dimension}, keys_out,
                  arena, &definition, &name, error);
    if (status != VC_OK) return status;
    size_t non = definition == NULL ? 0 : definition->join.non;
    keys_out->keys = VC_ARENA_NEW(arena, vc_join_key, non + 1);
    if (keys_out->keys == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < non && status == VC_OK; i++)
        if (vc_str_equal(definition->join.on[i].dim, name))
            status = add_pair(keys_out, &definition->join.on[i], arena, error);
    if (status == VC_OK && keys_out->nkeys == 0 && of->bindings[dimension].tuples == NULL)
        status = add_pair(keys_out, NULL, arena, error);
    if (status == VC_NOT_FOUND) { /* a relation composed of several has no keys of its own */
        keys_out->nkeys = 0;
        status = VC_OK;
    }
    return status;
}

static vc_str side_of(vc_arena *arena, vc_str dimension, vc_str index, vc_str constant)
{
    if (constant.data != NULL) return vc_arena_printf(arena, "\"%.*s\"", VC_FMT(constant));
    return vc_arena_printf(arena, "%.*s.%.*s", VC_FMT(dimension), VC_FMT(index));
}

vc_str vc_join_keys_text(const vc_join_keys *keys, vc_arena *arena)
{
    vc_str text = {0};
    for (size_t i = 0; i < keys->nkeys; i++) {
        const vc_on_def *on = keys->keys[i].on;
        if (on == NULL) continue;
        vc_str from = side_of(arena, on->dim, on->index, on->constant);
        vc_str to = side_of(arena, on->to_dim, on->to_index, on->to_constant);
        text = vc_arena_printf(arena, "%.*s%s%.*s = %.*s", VC_FMT(text), i > 0 ? " and " : "",
                               VC_FMT(from), VC_FMT(to));
    }
    if (keys->nkeys > 0 && keys->binding->time_name.data != NULL)
        text = vc_arena_printf(arena, "%.*s, as of %.*s", VC_FMT(text),
                               VC_FMT(keys->binding->time_name));
    return text;
}

/* The member of an index that a leaf is under. */
static uint32_t member_of_leaf(const vc_dimension *dimension, const vc_index *index, uint32_t leaf)
{
    if (index->hierarchy < 0) return leaf;
    const vc_level *level = &dimension->hierarchies[index->hierarchy].levels[index->level];
    return vc_numbers_get(level->leaf_members, leaf);
}

/* A leaf of a unit that is a member of a level. O(leaves). */
static uint32_t leaf_of_unit(const vc_dimension *dimension, const vc_relation *relation,
                             uint32_t unit)
{
    const vc_numbers unit_of =
        dimension->hierarchies[relation->hierarchy].levels[relation->level].leaf_members;
    uint32_t leaf = 0;
    while (leaf + 1 < dimension->nleaves && vc_numbers_get(unit_of, leaf) != unit)
        leaf++;
    return leaf;
}

/* The same of a unit of the relation: all of its leaves are under one, where the relation was made
 * by the index. */
static uint32_t member_of_unit(const vc_dimension *dimension, const vc_index *index,
                               const vc_relation *relation, uint32_t unit)
{
    if (relation->level < 0) return member_of_leaf(dimension, index, unit);
    if (index->hierarchy != relation->hierarchy)
        return member_of_leaf(dimension, index, leaf_of_unit(dimension, relation, unit));
    const vc_level *levels = dimension->hierarchies[index->hierarchy].levels;
    for (int level = relation->level; level > index->level; level--)
        unit = vc_numbers_get(levels[level].parents, unit);
    return unit;
}

static vc_str append_part(vc_str text, vc_str part, size_t number, vc_arena *arena)
{
    if (number == 0) return part;
    return vc_arena_printf(arena, "%.*s, %.*s", VC_FMT(text), VC_FMT(part));
}

uint32_t vc_join_keys_joined(const vc_join_keys *keys, uint32_t leaf)
{
    return keys->nested_leaves == NULL ? leaf : keys->nested_leaves[leaf];
}

uint32_t vc_join_keys_value(const vc_join_keys *keys, size_t pair, uint32_t joined)
{
    const vc_tuples *tuples = keys->nested == NULL ? keys->binding->tuples : NULL;
    const vc_join_key *key = &keys->keys[pair];
    if (key->to == NULL) return 0;
    uint32_t leaf = tuples != NULL ? vc_tuples_leaf(tuples, key->component, joined) : joined;
    return key->to_values[member_of_leaf(joined_dimension(keys, key->component), key->to, leaf)];
}

uint32_t vc_join_keys_unit_value(const vc_join_keys *keys, size_t pair, uint32_t unit)
{
    const vc_join_key *key = &keys->keys[pair];
    if (key->from == NULL) return 0;
    return key->from_values[member_of_unit(keys->outer, key->from, keys->binding->relation, unit)];
}

vc_str vc_join_keys_of_leaf(const vc_join_keys *keys, uint32_t leaf, vc_arena *arena)
{
    vc_str text = {0};
    if (keys->nkeys > 0 && keys->binding->relation->keys != NULL)
        return keys->binding->relation->keys[leaf];
    uint32_t joined = vc_join_keys_joined(keys, leaf);
    size_t nparts = 0;
    for (size_t i = 0; i < keys->nkeys && joined != VC_NONE; i++) {
        const vc_index *to = keys->keys[i].to;
        if (to == NULL) continue;
        uint32_t value = vc_join_keys_value(keys, i, joined);
        if (value == VC_NONE) return (vc_str){0};
        text = append_part(text, vc_texts_get(&to->values, value), nparts++, arena);
    }
    return text;
}

vc_str vc_join_keys_of_unit(const vc_join_keys *keys, uint32_t unit, vc_arena *arena)
{
    vc_str text = {0};
    for (size_t i = 0; i < keys->nkeys; i++) {
        const vc_join_key *key = &keys->keys[i];
        vc_str part = key->on == NULL ? (vc_str){0} : key->on->constant;
        if (key->from != NULL) {
            uint32_t value = vc_join_keys_unit_value(keys, i, unit);
            part = value == VC_NONE ? (vc_str){0} : vc_texts_get(&key->from->values, value);
        }
        text = append_part(text, part, i, arena);
    }
    return text;
}
