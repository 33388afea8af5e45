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
    return keys->source->cube->dimensions[binding->tuples != NULL ? binding->components[component]
                                                                  : binding->source_dimension];
}

static vc_status add_pair(vc_join_keys *keys, const vc_on_def *on, vc_arena *arena, vc_error *error)
{
    vc_join_key *key = &keys->keys[keys->nkeys];
    vc_status status = VC_OK;
    *key = (vc_join_key){.on = on};
    for (size_t c = 0; keys->binding->tuples != NULL && c < keys->binding->tuples->ncomponents; c++)
        if (vc_str_equal(keys->source->cube->dimension_names[keys->binding->components[c]],
                         on->to_dim))
            key->component = c;
    const vc_dimension *joined = joined_dimension(keys, key->component);
    if (on->constant.data == NULL) {
        status = vc_dimension_find_index(keys->outer, on->index, &key->from, error);
        if (status == VC_OK)
            status = turn_around(keys->outer, key->from, arena, &key->from_values, error);
    }
    if (status == VC_OK && on->to_constant.data == NULL) {
        status = vc_dimension_find_index(joined, on->to_index, &key->to, error);
        if (status == VC_OK) status = turn_around(joined, key->to, arena, &key->to_values, error);
    }
    keys->nkeys++;
    return status;
}

vc_status vc_join_keys_new(const vc_cube *cube, size_t source, size_t dimension, vc_arena *arena,
                           vc_join_keys *keys_out, vc_error *error)
{
    const vc_cube_source *of = &cube->sources[source];
    const vc_source_def *definition = of->definition;
    size_t non = definition == NULL ? 0 : definition->join.non;
    vc_status status = VC_OK;
    *keys_out = (vc_join_keys){.source = of,
                               .binding = &of->bindings[dimension],
                               .outer = cube->dimensions[dimension].dimension,
                               .keys = VC_ARENA_NEW(arena, vc_join_key, non + 1)};
    if (keys_out->keys == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < non && status == VC_OK; i++)
        if (vc_str_equal(definition->join.on[i].dim, cube->dimensions[dimension].name))
            status = add_pair(keys_out, &definition->join.on[i], arena, error);
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
        vc_str from = side_of(arena, on->dim, on->index, on->constant);
        vc_str to = side_of(arena, on->to_dim, on->to_index, on->to_constant);
        text = vc_arena_printf(arena, "%.*s%s%.*s = %.*s", VC_FMT(text), i > 0 ? " and " : "",
                               VC_FMT(from), VC_FMT(to));
    }
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

vc_str vc_join_keys_of_leaf(const vc_join_keys *keys, uint32_t leaf, vc_arena *arena)
{
    const vc_tuples *tuples = keys->binding->tuples;
    vc_str text = {0};
    for (size_t i = 0; i < keys->nkeys; i++) {
        const vc_join_key *key = &keys->keys[i];
        vc_str part = key->on->to_constant;
        if (key->to != NULL) {
            uint32_t at = tuples != NULL ? vc_tuples_leaf(tuples, key->component, leaf) : leaf;
            uint32_t value =
                key->to_values[member_of_leaf(joined_dimension(keys, key->component), key->to, at)];
            part = value == VC_NONE ? (vc_str){0} : vc_texts_get(&key->to->values, value);
        }
        text = append_part(text, part, i, arena);
    }
    return text;
}

vc_str vc_join_keys_of_unit(const vc_join_keys *keys, uint32_t unit, vc_arena *arena)
{
    const vc_relation *relation = keys->binding->relation;
    vc_str text = {0};
    for (size_t i = 0; i < keys->nkeys; i++) {
        const vc_join_key *key = &keys->keys[i];
        vc_str part = key->on->constant;
        if (key->from != NULL) {
            uint32_t value =
                key->from_values[member_of_unit(keys->outer, key->from, relation, unit)];
            part = value == VC_NONE ? (vc_str){0} : vc_texts_get(&key->from->values, value);
        }
        text = append_part(text, part, i, arena);
    }
    return text;
}
