#include "http/describe.h"

#include "dimensions/members.h"
#include "render/coverage.h"
#include "slice/property.h"

const char *vc_key_type_name(vc_key_type type)
{
    return type == VC_KEY_INT ? "int" : type == VC_KEY_DATE ? "date" : "string";
}

void vc_describe_put_key(vc_json_writer *json, const char *name, const vc_level *level, vc_str key)
{
    char canonical[VC_NUMBER_TEXT];
    int64_t value;
    if (level->key_type == VC_KEY_INT && vc_parse_int(key, &value) == VC_PARSE_OK &&
        vc_str_equal(key, (vc_str){canonical, vc_format_int(canonical, value)})) {
        vc_json_put_key(json, name);
        vc_buffer_put_str(json->out, key);
    } else {
        vc_json_put_str(json, name, key);
    }
}

static const char *unmatched_name(vc_unmatched unmatched)
{
    return unmatched == VC_UNMATCHED_BUCKET    ? "bucket"
           : unmatched == VC_UNMATCHED_MEMBERS ? "members"
                                               : "drop";
}

void vc_describe_info(vc_json_writer *json, const vc_definition *definition)
{
    const vc_info_def *info = &definition->info;
    if (info->source.size == 0 && info->licence.size == 0) return;
    vc_json_begin(json, "info", '{');
    vc_json_put_given(json, "source", info->source);
    vc_json_put_given(json, "licence", info->licence);
    vc_json_end(json, '}');
}

/* ---- dimensions ---- */

/* Has some leaf places under several members of the lowest level? */
static bool has_several_parents(const vc_dimension *dimension, const vc_hierarchy *hierarchy)
{
    const vc_numbers members = hierarchy->levels[hierarchy->nlevels - 1].leaf_members;
    for (uint32_t leaf = vc_dimension_count_leaves(dimension); leaf < dimension->nleaves; leaf++)
        if (vc_numbers_get(members, leaf) !=
            vc_numbers_get(members, vc_leaf_first(dimension, leaf)))
            return true;
    return false;
}

static void put_hierarchy(vc_json_writer *json, const vc_dimension *dimension,
                          const vc_hierarchy *hierarchy)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", hierarchy->name);
    vc_json_put_given(json, "label", hierarchy->label);
    if (hierarchy->is_parent_child) vc_json_put_bool(json, "parent_child", true);
    if (has_several_parents(dimension, hierarchy)) vc_json_put_bool(json, "several_parents", true);
    vc_json_begin(json, "levels", '[');
    for (unsigned l = 0; l < hierarchy->nlevels; l++) {
        const vc_level *level = &hierarchy->levels[l];
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "name", level->name);
        vc_json_put_given(json, "label", level->label);
        vc_json_put_text(json, "type", vc_key_type_name(level->key_type));
        vc_json_put_uint(json, "members", vc_level_count(level));
        vc_json_put_bool(json, "has_labels", level->has_labels);
        if (level->is_ragged) vc_json_put_bool(json, "ragged", true);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

/* "level": the level that an attribute or index belongs to; null stands for the leaves. */
static void put_level_name(vc_json_writer *json, const vc_dimension *dimension, int hierarchy,
                           int level)
{
    if (hierarchy < 0)
        vc_json_put_null(json, "level");
    else
        vc_json_put_str(json, "level", dimension->hierarchies[hierarchy].levels[level].name);
}

static void put_attributes(vc_json_writer *json, const vc_dimension *dimension)
{
    vc_json_begin(json, "attributes", '[');
    for (unsigned i = 0; i < dimension->nattributes; i++) {
        const vc_attribute *attribute = &dimension->attributes[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "name", attribute->name);
        put_level_name(json, dimension, attribute->hierarchy, attribute->level);
        vc_json_put_uint(json, "values", attribute->values.count);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

/* Attributes of the dimensions that are joined along this one. False when out of memory. */
static bool put_joined_attributes(vc_json_writer *json, const vc_cube *cube, size_t number)
{
    vc_arena arena = {0};
    const vc_property *properties;
    size_t nproperties;
    vc_status status = vc_property_list(cube, number, &arena, &properties, &nproperties, NULL);
    if (status == VC_OK && nproperties > 0) vc_json_begin(json, "joined_attributes", '[');
    for (size_t i = 0; i < nproperties && status == VC_OK; i++) {
        const vc_property *property = &properties[i];
        bool is_multi = false;
        status = vc_property_is_multi(property, &is_multi, NULL);
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "name", property->asked);
        vc_json_put_str(json, "source", property->alias);
        vc_json_put_str(json, "to_dim", property->joined_name);
        vc_json_put_uint(json, "values", property->attribute->values.count);
        vc_json_put_bool(json, "multi", is_multi);
        vc_json_end(json, '}');
    }
    if (status == VC_OK && nproperties > 0) vc_json_end(json, ']');
    vc_arena_release(&arena);
    return status == VC_OK;
}

static void put_indexes(vc_json_writer *json, const vc_dimension *dimension)
{
    vc_json_begin(json, "indexes", '[');
    for (unsigned i = 0; i < dimension->nindexes; i++) {
        const vc_index *index = &dimension->indexes[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "name", index->name);
        put_level_name(json, dimension, index->hierarchy, index->level);
        vc_json_put_uint(json, "values", index->values.count);
        vc_json_put_bool(json, "unique", index->is_unique);
        vc_json_put_bool(json, "declared", !index->is_implicit);
        if (index->is_partial) vc_json_put_bool(json, "partial", true);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static void put_buckets(vc_json_writer *json, const vc_cube *cube, const vc_cube_dimension *outer)
{
    vc_json_begin(json, "synthetic", '[');
    for (size_t b = 0; b < outer->nbuckets; b++) {
        const vc_bucket *bucket = &outer->buckets[b];
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "key", bucket->key);
        vc_json_put_str(json, "source", cube->sources[bucket->source].alias);
        vc_json_put_uint(json, "members", bucket->has_members ? bucket->end - bucket->first : 0);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static void put_calculated(vc_json_writer *json, const vc_cube *cube, size_t dimension)
{
    size_t count = 0;
    for (size_t i = 0; i < cube->ncalculated; i++) {
        const vc_calculated *member = &cube->calculated[i];
        const vc_hierarchy *hierarchies = cube->dimensions[dimension].dimension->hierarchies;
        if (member->dimension != dimension) continue;
        if (count++ == 0) vc_json_begin(json, "calculated_members", '[');
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "name", member->name);
        vc_json_put_str(json, "label", member->label);
        vc_json_put_given(json, "description", member->definition->description);
        vc_json_put_str(json, "hierarchy", hierarchies[member->hierarchy].name);
        vc_json_put_str(json, "level", hierarchies[member->hierarchy].levels[member->level].name);
        vc_json_put_given(json, "parent", member->definition->parent);
        vc_json_put_str(json, "expr", member->definition->expr);
        vc_json_put_key(json, "solve_order");
        vc_buffer_put_int(json->out, member->definition->solve_order);
        vc_json_put_given(json, "unit", member->definition->unit);
        vc_json_put_given(json, "format", member->definition->format);
        vc_json_end(json, '}');
    }
    if (count > 0) vc_json_end(json, ']');
}

static bool put_sets(vc_json_writer *json, const vc_cube *cube, size_t dimension)
{
    vc_arena arena = {0};
    const vc_set_def **sets;
    size_t nsets;
    vc_status status =
        vc_cube_list_sets(cube, &cube->dimensions[dimension], &arena, &sets, &nsets, NULL);
    if (status == VC_OK && nsets > 0) {
        vc_json_begin(json, "sets", '[');
        for (size_t i = 0; i < nsets; i++) {
            vc_json_begin(json, NULL, '{');
            vc_json_put_str(json, "name", sets[i]->name);
            if (!cube->is_partial) vc_json_put_str(json, "cut", sets[i]->cut);
            vc_json_end(json, '}');
        }
        vc_json_end(json, ']');
    }
    vc_arena_release(&arena);
    return status == VC_OK;
}

void vc_describe_dimension(vc_json_writer *json, const vc_cube *cube, size_t number,
                           const char *snapshot)
{
    const vc_cube_dimension *outer = &cube->dimensions[number];
    const vc_dimension *dimension = outer->dimension;
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", outer->name);
    vc_json_put_str(json, "label", outer->label.size > 0 ? outer->label : outer->name);
    if (snapshot != NULL) {
        vc_json_put_str(json, "cube", cube->name);
        vc_json_put_text(json, "snapshot", snapshot);
    }
    vc_json_put_text(json, "type", dimension->is_time ? "time" : "standard");
    vc_json_put_uint(json, "leaves", vc_dimension_count_leaves(dimension));
    if (cube->is_virtual) {
        if (!cube->sources[outer->owner].is_unseen)
            vc_json_put_str(json, "owner", cube->sources[outer->owner].alias);
        vc_json_put_bool(json, "private", outer->is_private);
    }
    vc_json_put_bool(json, "aggregatable", outer->is_aggregatable);
    if (outer->exposed != NULL) {
        vc_json_begin(json, "exposed", '{');
        vc_json_put_str(json, "level", outer->exposed->level);
        vc_json_put_str(json, "source", outer->exposed->alias);
        vc_json_end(json, '}');
    }
    if (!vc_str_is_null(outer->default_member))
        vc_json_put_str(json, "default", outer->default_member);
    if (dimension->leaf_keys.count > 0) vc_json_put_str(json, "key", dimension->key_name);
    vc_json_begin(json, "hierarchies", '[');
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        put_hierarchy(json, dimension, &dimension->hierarchies[h]);
    vc_json_end(json, ']');
    put_attributes(json, dimension);
    if (cube->is_virtual && !put_joined_attributes(json, cube, number)) json->out->failed = true;
    put_indexes(json, dimension);
    if (outer->nbuckets > 0) put_buckets(json, cube, outer);
    put_calculated(json, cube, number);
    if (!put_sets(json, cube, number)) json->out->failed = true;
    vc_json_end(json, '}');
}

/* ---- measures ---- */

static void put_type(vc_json_writer *json, const vc_cube_measure *measure)
{
    vc_json_put_key(json, "type");
    if (measure->type == VC_VALUE_DECIMAL)
        vc_buffer_printf(json->out, "\"decimal(%u)\"", measure->scale);
    else
        vc_buffer_put_text(json->out, measure->type == VC_VALUE_INT ? "\"int\"" : "\"float\"");
}

/* The members at which the measure stands by its own "fix", along dimensions of others. */
static void put_stands(vc_json_writer *json, const vc_cube *cube, const vc_cube_measure *measure)
{
    if (measure->nstands == 0 || cube->is_partial) return; /* it might be hidden */
    vc_json_begin(json, "stands_at", '[');
    for (size_t i = 0; i < measure->nstands; i++) {
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "dim", cube->dimensions[measure->stands[i].dimension].name);
        vc_json_put_str(json, "member", measure->stands[i].member);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static void put_measure(vc_json_writer *json, const vc_cube *cube, const vc_cube_measure *measure)
{
    const vc_measure_def *definition = vc_cube_find_measure_def(cube, measure->name);
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", measure->name);
    vc_json_put_str(json, "label", measure->label.size > 0 ? measure->label : measure->name);
    if (definition != NULL) vc_json_put_given(json, "description", definition->description);
    put_type(json, measure);
    vc_json_put_given(json, "unit", measure->unit);
    vc_json_put_given(json, "format", measure->format);
    if (measure->expr != NULL) {
        vc_json_put_null(json, "aggregator");
        if (definition != NULL && vc_cube_shows_expr(cube, measure))
            vc_json_put_given(json, "expr", definition->expr);
    } else {
        const vc_source_cube *stored = cube->sources[measure->source].cube;
        vc_json_put_text(json, "aggregator", vc_aggregator_name(measure->aggregator));
        if (cube->is_virtual) {
            vc_json_put_str(json, "source", cube->sources[measure->source].alias);
            if (definition != NULL) vc_json_put_given(json, "measure", definition->measure);
        }
        if (measure->over != VC_OVER_NONE) {
            vc_json_begin(json, "over", '{');
            vc_json_put_str(json, "dim", stored->dimension_names[measure->over_dimension]);
            vc_json_put_text(json, "take", vc_over_name(measure->over));
            vc_json_end(json, '}');
        }
        if (measure->unrelated != VC_UNRELATED_DEFAULT)
            vc_json_put_text(json, "unrelated", vc_unrelated_name(measure->unrelated));
        put_stands(json, cube, measure);
    }
    vc_json_end(json, '}');
}

/* ---- sources ---- */

/* As in the definition: a name, or {"const": "GBP"}. */
static void put_index(vc_json_writer *json, const char *key, vc_str index, vc_str constant)
{
    if (constant.data == NULL) {
        vc_json_put_str(json, key, index);
        return;
    }
    vc_json_begin(json, key, '{');
    vc_json_put_str(json, "const", constant);
    vc_json_end(json, '}');
}

static void put_join(vc_json_writer *json, const vc_source_def *source)
{
    static const char *const fanouts[] = {"union", "error", "weighted"};
    static const char *const modes[] = {
        [VC_MODE_SET] = "set", [VC_MODE_WEIGHTED] = "weighted", [VC_MODE_LOOKUP] = "lookup"};
    static const char *const reaggregates[] = {[VC_REAGGREGATE_NONE] = "none",
                                               [VC_REAGGREGATE_SUM] = "sum",
                                               [VC_REAGGREGATE_AVG] = "avg",
                                               [VC_REAGGREGATE_MIN] = "min",
                                               [VC_REAGGREGATE_MAX] = "max"};
    const vc_join_def *join = &source->join;
    vc_json_begin(json, "join", '{');
    vc_json_put_text(json, "kind", vc_join_kind_name(join->kind));
    vc_json_put_text(json, "unmatched", unmatched_name(join->unmatched));
    vc_json_put_text(json, "on_fanout", fanouts[join->on_fanout]);
    vc_json_put_text(json, "mode", modes[join->mode]);
    if (join->mode == VC_MODE_LOOKUP)
        vc_json_put_text(json, "reaggregate", reaggregates[join->reaggregate]);
    vc_json_put_text(json, "cardinality", join->is_cardinality_one ? "one" : "many");
    if (join->min_coverage > 0) vc_json_put_double(json, "min_coverage", join->min_coverage);
    if (join->expose.is_asked) vc_json_put_str(json, "exposed_below", join->expose.dim);
    vc_json_begin(json, "on", '[');
    for (size_t i = 0; i < join->non; i++) {
        vc_json_begin(json, NULL, '{');
        const vc_on_def *on = &join->on[i];
        vc_json_put_str(json, "dim", on->dim);
        put_index(json, "index", on->index, on->constant);
        if (on->to_constant.data == NULL) vc_json_put_str(json, "to_dim", on->to_dim);
        put_index(json, "to_index", on->to_index, on->to_constant);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

/* How the source's facts find their place along one dimension of the cube: at which grain, and what
 * its measures show when the dimension is not its own. */
static void put_binding(vc_json_writer *json, const vc_cube *cube, const vc_cube_source *source,
                        size_t number)
{
    static const char *const names[] = {
        [VC_BIND_NONE] = "none", [VC_BIND_IDENTITY] = "own", [VC_BIND_RELATION] = "mapped"};
    const vc_cube_dimension *outer = &cube->dimensions[number];
    const vc_binding *binding = &source->bindings[number];
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "dim", outer->name);
    bool is_above = binding->is_united && binding->relation->level >= 0;
    /* What is above an exposed level is the source's own. */
    vc_json_put_text(json, "binding",
                     is_above && outer->exposed != NULL ? names[VC_BIND_IDENTITY]
                     : binding->is_united               ? "united"
                                                        : names[binding->kind]);
    if (binding->kind == VC_BIND_NONE) {
        vc_json_put_text(json, "unrelated", vc_unrelated_name(source->unrelated[number]));
        if (source->unrelated[number] == VC_UNRELATED_FIX && !cube->is_partial)
            vc_json_put_str(json, "stands_at", source->stands[number].member);
    } else {
        vc_json_put_str(json, "to_dim", binding->to_name);
    }
    if (binding->time_name.data != NULL) vc_json_put_str(json, "time", binding->time_name);
    if (vc_binding_is_joined(binding) || is_above) {
        static const char *const finers[] = {"null", "repeat", "allocate"};
        const vc_relation *relation = binding->relation;
        if (relation->level < 0)
            vc_json_put_text(json, "grain", "leaf");
        else
            vc_json_put_str(
                json, "grain",
                outer->dimension->hierarchies[relation->hierarchy].levels[relation->level].name);
        vc_json_put_text(json, "finer", finers[binding->finer]);
        vc_json_put_bool(json, "fan_in", relation->has_unit_fanin);
        vc_json_put_bool(json, "fan_out", relation->has_fanout);
    }
    vc_json_end(json, '}');
}

static void put_source(vc_json_writer *json, const vc_cube *cube, size_t number)
{
    const vc_cube_source *source = &cube->sources[number];
    vc_json_begin(json, NULL, '{');
    if (cube->is_virtual) vc_json_put_str(json, "alias", source->alias);
    vc_json_put_str(json, "cube", source->cube->name);
    vc_json_put_uint(json, "facts", source->cube->nrows);
    if (cube->is_virtual) {
        vc_json_put_bool(json, "primary", number == 0);
        if (source->definition != NULL && source->definition->has_join)
            put_join(json, source->definition);
        vc_json_begin(json, "dimensions", '[');
        for (size_t d = 0; d < cube->ndimensions; d++)
            put_binding(json, cube, source, d);
        vc_json_end(json, ']');
    }
    vc_json_end(json, '}');
}

static void put_coverage(vc_json_writer *json, const vc_cube *cube)
{
    vc_json_begin(json, "coverage", '[');
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions; d++) {
            const vc_binding *binding = &cube->sources[s].bindings[d];
            if (!vc_binding_is_joined(binding) || cube->sources[s].is_unseen) continue;
            vc_json_begin(json, NULL, '{');
            vc_json_put_str(json, "source", binding->join_alias);
            vc_json_put_str(json, "dim", cube->dimensions[d].name);
            vc_coverage_put_counts(json, &binding->relation->coverage);
            vc_json_end(json, '}');
        }
    vc_json_end(json, ']');
}

void vc_describe_cube(vc_json_writer *json, const vc_cube *cube, const char *snapshot)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "name", cube->name);
    vc_json_put_text(json, "kind", cube->is_virtual ? "virtual" : "source");
    vc_json_put_str(json, "label", cube->label.size > 0 ? cube->label : cube->name);
    vc_json_put_given(json, "description", cube->definition->description);
    vc_describe_info(json, cube->definition);
    vc_json_put_text(json, "snapshot", snapshot);
    vc_json_put_str(json, "definition", cube->definition_hash);
    vc_json_begin(json, "dimensions", '[');
    for (size_t d = 0; d < cube->ndimensions; d++)
        vc_describe_dimension(json, cube, d, NULL);
    vc_json_end(json, ']');
    vc_json_begin(json, "measures", '[');
    for (size_t m = 0; m < cube->nmeasures; m++)
        if (!cube->measures[m].is_hidden) put_measure(json, cube, &cube->measures[m]);
    vc_json_end(json, ']');
    vc_json_begin(json, "sources", '[');
    for (size_t s = 0; s < cube->nsources; s++)
        if (!cube->sources[s].is_unseen) put_source(json, cube, s);
    vc_json_end(json, ']');
    if (cube->is_virtual) put_coverage(json, cube);
    vc_json_end(json, '}');
}

/* ---- members ---- */

vc_status vc_describe_begin_member(vc_json_writer *json, const vc_hierarchy *hierarchy,
                                   unsigned number, uint32_t member, vc_arena *arena,
                                   vc_error *error)
{
    const vc_level *level = &hierarchy->levels[number];
    vc_str path = vc_member_path(hierarchy, number, member, arena);
    if (vc_str_is_null(path)) return vc_no_memory(error);
    vc_member_ref ref = {.level = number, .member = member};
    vc_json_begin(json, NULL, '{');
    vc_describe_put_key(json, "key", level, vc_texts_get(&level->keys, member));
    vc_json_put_str(json, "label", vc_texts_get(&level->labels, member));
    vc_json_put_str(json, "path", path);
    if (level->first_child != NULL || hierarchy->is_ragged)
        vc_json_put_uint(json, "children", vc_member_count_children(hierarchy, ref));
    return VC_OK;
}
