/* Names of properties. */
#include "slice/property.h"

#include "base/nearest.h"

/* The dimensions whose attributes members of one dimension of the cube reach, one at a time. */
struct reaching {
    const vc_cube *cube;
    vc_arena *arena;
    vc_property *items; /* without an attribute */
    size_t count, capacity;
};

static vc_status add_reach(struct reaching *in, vc_property item, vc_error *error)
{
    if (in->count == in->capacity) {
        size_t capacity = in->capacity == 0 ? 16 : 2 * in->capacity;
        vc_property *items = VC_ARENA_NEW(in->arena, vc_property, capacity);
        if (items == NULL) return vc_no_memory(error);
        for (size_t i = 0; i < in->count; i++)
            items[i] = in->items[i];
        in->items = items;
        in->capacity = capacity;
    }
    in->items[in->count++] = item;
    return VC_OK;
}

/* What a source reaches the dimension by. */
static vc_status reach_source(struct reaching *in, size_t place, size_t dimension, size_t s,
                              vc_error *error)
{
    const vc_cube_source *source = &in->cube->sources[s];
    const vc_binding *binding = &source->bindings[dimension];
    vc_property item = {.place = place,
                        .cube_dimension = dimension,
                        .alias = source->alias,
                        .bucket_slot = VC_NONE};
    if (vc_cube_source_is_own(in->cube, source, dimension)) {
        item.of = in->cube->dimensions[dimension].dimension;
        return add_reach(in, item, error);
    }
    item.relation = binding->relation;
    item.synthetic_slots = binding->synthetic_slots;
    item.tuples = binding->tuples;
    size_t ncomponents = binding->tuples == NULL ? 1 : binding->tuples->ncomponents;
    vc_status status = VC_OK;
    for (size_t i = 0; i < ncomponents && status == VC_OK; i++) {
        size_t number =
            binding->tuples == NULL ? binding->source_dimension : binding->components[i];
        item.component = i;
        item.of = source->cube->dimensions[number];
        item.joined_name = source->cube->dimension_names[number];
        status = add_reach(in, item, error);
    }
    return status;
}

static uint32_t find_bucket(const vc_cube_dimension *outer, vc_str alias)
{
    for (size_t b = 0; b < outer->nbuckets; b++) {
        vc_str key = outer->buckets[b].key, begin = VC_STR("(unmatched:");
        vc_str named = {.data = key.data + begin.size, .size = alias.size};
        if (key.size == begin.size + alias.size + 1 && vc_str_starts_with(key, begin) &&
            vc_str_equal(named, alias) && !outer->buckets[b].has_members)
            return outer->buckets[b].first;
    }
    return VC_NONE;
}

/* The same of a nested cube, through its own dimension, unless a source before was a part of it. */
static vc_status reach_nested(struct reaching *in, size_t place, size_t dimension, size_t s,
                              vc_error *error)
{
    const vc_cube_source *source = &in->cube->sources[s];
    const vc_cube_dimension *outer = &in->cube->dimensions[dimension];
    if (source->nested == NULL) return VC_OK;
    for (size_t before = 0; before < s; before++)
        if (in->cube->sources[before].nested == source->nested &&
            vc_str_equal(in->cube->sources[before].nested_alias, source->nested_alias) &&
            in->cube->sources[before].bindings[dimension].kind != VC_BIND_NONE)
            return VC_OK;
    vc_status status = VC_OK;
    for (size_t e = 0; e < source->nested->ndimensions && status == VC_OK; e++) {
        const vc_cube_dimension *inner = &source->nested->dimensions[e];
        const vc_relation *relation = source->bindings[dimension].join_relation;
        if (source->nested_dimensions[e] != dimension) continue;
        status =
            add_reach(in,
                      (vc_property){.place = place,
                                    .cube_dimension = dimension,
                                    .alias = source->nested_alias,
                                    .joined_name = relation == NULL ? (vc_str){0} : inner->name,
                                    .of = relation == NULL ? outer->dimension : inner->dimension,
                                    .relation = relation,
                                    .visible = relation == NULL ? NULL : inner->visible,
                                    .bucket_slot = find_bucket(outer, source->nested_alias)},
                      error);
    }
    return status;
}

static vc_status reach(struct reaching *in, size_t place, size_t dimension, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t s = 0; s < in->cube->nsources && status == VC_OK; s++) {
        if (in->cube->sources[s].bindings[dimension].kind == VC_BIND_NONE ||
            in->cube->sources[s].is_unseen)
            continue;
        status = reach_nested(in, place, dimension, s, error);
        if (status == VC_OK) status = reach_source(in, place, dimension, s, error);
    }
    return status;
}

/* What stands behind "prefix."; absent when the name does not begin so. */
static vc_str behind(vc_str name, vc_str prefix)
{
    if (prefix.size == 0 || name.size < prefix.size + 2 || !vc_str_starts_with(name, prefix) ||
        name.data[prefix.size] != '.')
        return (vc_str){0};
    return (vc_str){.data = name.data + prefix.size + 1, .size = name.size - prefix.size - 1};
}

/* "mayor" or "city.mayor" of what is reached. */
static const vc_attribute *attribute_of(const vc_property *item, vc_str name)
{
    if (name.size == 0) return NULL;
    const vc_attribute *attribute = vc_dimension_find_attribute(item->of, name);
    vc_str rest = behind(name, item->joined_name);
    if (attribute == NULL && rest.size > 0) attribute = vc_dimension_find_attribute(item->of, rest);
    return attribute;
}

/* Attributes of the dimensions themselves. */
static vc_status find_own(const vc_cube *cube, const size_t *dimensions, size_t ndimensions,
                          vc_str name, struct reaching *found, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < ndimensions && status == VC_OK; i++) {
        const vc_cube_dimension *outer = &cube->dimensions[dimensions[i]];
        vc_str rest = behind(name, outer->name);
        vc_property item = {.place = i,
                            .cube_dimension = dimensions[i],
                            .of = outer->dimension,
                            .bucket_slot = VC_NONE};
        item.attribute = vc_dimension_find_attribute(item.of, rest.size > 0 ? rest : name);
        if (item.attribute != NULL) status = add_reach(found, item, error);
    }
    return status;
}

static vc_status fail_unknown(const struct reaching *all, const size_t *dimensions,
                              size_t ndimensions, vc_str name, vc_error *error)
{
    vc_nearest nearest;
    vc_str plain = name, full = {0};
    for (size_t i = 0; i < ndimensions; i++) {
        vc_str rest = behind(name, all->cube->dimensions[dimensions[i]].name);
        if (rest.size > 0) plain = rest;
    }
    vc_nearest_init(&nearest, plain);
    for (size_t i = 0; i < ndimensions; i++) {
        const vc_dimension *dimension = all->cube->dimensions[dimensions[i]].dimension;
        for (size_t a = 0; a < dimension->nattributes; a++)
            vc_nearest_offer(&nearest, dimension->attributes[a].name);
    }
    for (size_t i = 0; i < all->count; i++)
        for (size_t a = 0; a < all->items[i].of->nattributes && all->items[i].relation; a++) {
            full = vc_arena_printf(all->arena, "%.*s.%.*s", VC_FMT(all->items[i].alias),
                                   VC_FMT(all->items[i].of->attributes[a].name));
            if (full.data != NULL) vc_nearest_offer(&nearest, full);
        }
    vc_str one = ndimensions == 1 ? vc_arena_printf(all->arena, "'%.*s'",
                                                    VC_FMT(all->cube->dimensions[*dimensions].name))
                                  : VC_STR("what is drilled");
    vc_fail(error, VC_NOT_FOUND, "unknown_attribute",
            full.data == NULL ? "%.*s has no attribute '%.*s'"
                              : "neither %.*s nor what is joined along it has an attribute '%.*s'",
            VC_FMT(one), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

static vc_status fail_ambiguous(const struct reaching *found, vc_str name, vc_error *error)
{
    vc_fail(error, VC_IMPOSSIBLE, "ambiguous_attribute",
            "'%.*s' is an attribute of several joined dimensions; say ALIAS.DIMENSION.ATTRIBUTE",
            VC_FMT(name));
    for (size_t i = 0; i < found->count; i++) {
        const vc_property *item = &found->items[i];
        vc_str full = vc_arena_printf(found->arena, "%.*s.%.*s.%.*s", VC_FMT(item->alias),
                                      VC_FMT(item->joined_name), VC_FMT(item->attribute->name));
        if (full.data != NULL) vc_error_add_candidate(error, full.data, full.size);
    }
    return VC_IMPOSSIBLE;
}

/* Keep what fits a name, by the alias of the source or by the joined dimension's own name. */
static vc_status keep_named(const struct reaching *all, vc_str name, bool by_alias,
                            struct reaching *found, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < all->count && status == VC_OK; i++) {
        vc_property item = all->items[i];
        item.attribute =
            attribute_of(&item, behind(name, by_alias ? item.alias : item.joined_name));
        if (item.attribute != NULL) status = add_reach(found, item, error);
    }
    return status;
}

vc_status vc_property_find(const vc_cube *cube, const size_t *dimensions, size_t ndimensions,
                           vc_str name, vc_arena *arena, const vc_property **properties_out,
                           size_t *nproperties_out, vc_error *error)
{
    struct reaching all = {.cube = cube, .arena = arena}, found = all;
    vc_status status = find_own(cube, dimensions, ndimensions, name, &found, error);
    bool is_own = found.count > 0;
    for (size_t i = 0; i < ndimensions && status == VC_OK && !is_own; i++)
        status = reach(&all, i, dimensions[i], error);
    if (status == VC_OK && !is_own) status = keep_named(&all, name, true, &found, error);
    if (status == VC_OK && found.count == 0) status = keep_named(&all, name, false, &found, error);
    if (status != VC_OK) return status;
    if (found.count == 0) return fail_unknown(&all, dimensions, ndimensions, name, error);
    if (found.count > 1 && !is_own) return fail_ambiguous(&found, name, error);
    for (size_t i = 0; i < found.count; i++)
        found.items[i].asked = name;
    *properties_out = found.items;
    *nproperties_out = found.count;
    return VC_OK;
}

vc_status vc_property_list(const vc_cube *cube, size_t dimension, vc_arena *arena,
                           const vc_property **properties_out, size_t *nproperties_out,
                           vc_error *error)
{
    struct reaching all = {.cube = cube, .arena = arena}, listed = all;
    vc_status status = reach(&all, 0, dimension, error);
    *nproperties_out = 0;
    for (size_t i = 0; i < all.count && status == VC_OK; i++)
        for (size_t a = 0; a < all.items[i].of->nattributes && status == VC_OK; a++) {
            vc_property item = all.items[i];
            if (item.relation == NULL) break; /* the dimension's own */
            item.attribute = &item.of->attributes[a];
            item.asked = vc_arena_printf(arena, "%.*s.%.*s", VC_FMT(item.alias),
                                         VC_FMT(item.attribute->name));
            if (item.asked.data == NULL) return vc_no_memory(error);
            status = add_reach(&listed, item, error);
        }
    *properties_out = listed.items;
    *nproperties_out = listed.count;
    return status;
}
