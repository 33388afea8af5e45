/* The sources of a cube by their names: the alias, or the way to it through nested cubes. */
#include "base/nearest.h"
#include "cube/model.h"

/* Does the name mean the source, or a nested cube that it is part of? "cities", "n.world.cities",
 * "n.world", "n". */
static bool is_meant(const vc_cube *cube, size_t number, vc_str name)
{
    const vc_cube_source *source = &cube->sources[number];
    if (source->is_unseen) return false;
    if (vc_str_equal(name, cube->is_virtual ? source->alias : cube->name)) return true;
    if (source->nested == NULL) return false;
    if (vc_str_equal(name, source->nested_alias)) return true;
    size_t size = source->nested_alias.size;
    if (!vc_str_starts_with(name, source->nested_alias) || name.size < size + 2 ||
        name.data[size] != '.')
        return false;
    return is_meant(source->nested, source->nested_source,
                    (vc_str){.data = name.data + size + 1, .size = name.size - size - 1});
}

static void offer(const vc_cube *cube, vc_nearest *nearest)
{
    for (size_t s = 0; s < cube->nsources; s++) {
        const vc_cube_source *source = &cube->sources[s];
        if (source->is_unseen) continue;
        vc_nearest_offer(nearest, cube->is_virtual ? source->alias : cube->name);
        if (source->nested != NULL && source->nested_source == 0)
            vc_nearest_offer(nearest, source->nested_alias);
    }
}

/* When none is near enough all are: there are few. */
static void report(const vc_cube *cube, const vc_nearest *nearest, vc_error *error)
{
    vc_nearest_report(nearest, error);
    for (size_t s = 0; nearest->count == 0 && s < cube->nsources; s++) {
        const vc_cube_source *source = &cube->sources[s];
        if (source->is_unseen) continue;
        vc_str alias = cube->is_virtual ? source->alias : cube->name;
        if (source->nested != NULL && source->nested_source == 0)
            vc_error_add_candidate(error, source->nested_alias.data, source->nested_alias.size);
        vc_error_add_candidate(error, alias.data, alias.size);
    }
}

vc_status vc_cube_find_sources(const vc_cube *cube, vc_str name, uint64_t *sources_out,
                               vc_error *error)
{
    vc_nearest nearest;
    *sources_out = 0;
    for (size_t s = 0; s < cube->nsources;
         s++) /* an alias is its own source's, whatever is nested */
        if (!cube->sources[s].is_unseen && vc_str_equal(cube->sources[s].alias, name))
            *sources_out = UINT64_C(1) << s;
    if (*sources_out != 0) return VC_OK;
    for (size_t s = 0; s < cube->nsources; s++)
        if (is_meant(cube, s, name)) *sources_out |= UINT64_C(1) << s;
    if (*sources_out != 0) return VC_OK;
    vc_nearest_init(&nearest, name);
    offer(cube, &nearest);
    vc_fail(error, VC_NOT_FOUND, "unknown_source", "cube '%.*s' has no source '%.*s'",
            VC_FMT(cube->name), VC_FMT(name));
    report(cube, &nearest, error);
    return VC_NOT_FOUND;
}
