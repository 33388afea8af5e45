#include "http/mondrian.h"

static bool is_plain(const vc_mdx_name *name, size_t number)
{
    return number < name->nparts && !name->parts[number].is_key;
}

static bool find_level(const vc_dimension *dimension, unsigned hierarchy, vc_str name,
                       vc_mondrian_ref *ref)
{
    if (vc_str_is(name, VC_MONDRIAN_ALL)) {
        ref->hierarchy = hierarchy;
        ref->is_all = true;
        return true;
    }
    const vc_hierarchy *of = &dimension->hierarchies[hierarchy];
    for (unsigned l = 0; l < of->nlevels; l++)
        if (vc_str_equal(of->levels[l].name, name)) {
            ref->hierarchy = hierarchy;
            ref->level = l;
            ref->has_level = true;
            return true;
        }
    return false;
}

static bool find_hierarchy(const vc_dimension *dimension, vc_str name, unsigned *hierarchy_out)
{
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        if (vc_str_equal(dimension->hierarchies[h].name, name)) {
            *hierarchy_out = h;
            return true;
        }
    return false;
}

/* "[geo]" or "[geo.income]": names may have dots of their own. */
static vc_status find_dimension(const vc_cube *cube, vc_str name, vc_mondrian_ref *ref,
                                bool *has_hierarchy_out, vc_error *error)
{
    vc_status status = vc_cube_find_dimension(cube, name, &ref->dimension, error);
    *has_hierarchy_out = false;
    for (size_t at = 0; at < name.size && status == VC_NOT_FOUND; at++) {
        vc_error ignored = {0};
        vc_str before = {name.data, at}, behind = {name.data + at + 1, name.size - at - 1};
        if (name.data[at] != '.' ||
            vc_cube_find_dimension(cube, before, &ref->dimension, &ignored) != VC_OK ||
            !find_hierarchy(cube->dimensions[ref->dimension].dimension, behind, &ref->hierarchy))
            continue;
        *has_hierarchy_out = true;
        status = VC_OK;
    }
    return status;
}

/* A level that stands in one of the other hierarchies only. */
static bool find_level_elsewhere(const vc_dimension *dimension, vc_str name, vc_mondrian_ref *ref)
{
    unsigned nfound = 0;
    vc_mondrian_ref found = *ref;
    for (unsigned h = 1; h < dimension->nhierarchies; h++)
        nfound += find_level(dimension, h, name, &found);
    if (nfound == 1) *ref = found;
    return nfound == 1;
}

vc_status vc_mondrian_resolve(const vc_cube *cube, const vc_mdx_name *name,
                              vc_mondrian_ref *ref_out, vc_error *error)
{
    vc_mondrian_ref ref = {.place = name->place, .nread = 1};
    bool has_hierarchy;
    vc_status status = find_dimension(cube, name->parts[0].text, &ref, &has_hierarchy, error);
    if (status != VC_OK) return vc_error_at_place(error, status, name->place);
    const vc_dimension *dimension = cube->dimensions[ref.dimension].dimension;
    *ref_out = ref;
    if (!is_plain(name, 1)) return VC_OK;
    vc_str second = name->parts[1].text;
    bool is_hierarchy = !has_hierarchy && find_hierarchy(dimension, second, &ref.hierarchy);
    if (is_hierarchy && is_plain(name, 2) &&
        find_level(dimension, ref.hierarchy, name->parts[2].text, &ref))
        ref.nread = 3;
    else if (find_level(dimension, ref_out->hierarchy, second, &ref))
        ref.nread = 2;
    else if (is_hierarchy)
        ref.nread = 2;
    else if (!has_hierarchy && find_level_elsewhere(dimension, second, &ref))
        ref.nread = 2;
    *ref_out = ref;
    return VC_OK;
}

vc_status vc_mondrian_resolve_level(const vc_cube *cube, const vc_mdx_name *name,
                                    vc_mondrian_ref *ref_out, vc_error *error)
{
    vc_status status = vc_mondrian_resolve(cube, name, ref_out, error);
    if (status != VC_OK) return status;
    vc_mondrian_ref *ref = ref_out;
    vc_place place = name->place;
    if (ref->nread < name->nparts) {
        const vc_mdx_part *part = &name->parts[ref->nread];
        place.offset += part->offset - name->parts[0].offset;
        if (part->is_key || ref->has_level || ref->is_all)
            status = vc_fail(error, VC_BAD_INPUT, "syntax", "found '%.*s' behind a level",
                             VC_FMT(part->text));
        else /* which fails, with candidates */
            status = vc_hierarchy_find_level(cube->dimensions[ref->dimension].dimension,
                                             ref->hierarchy, part->text, &ref->level, error);
        return vc_error_at_place(error, status, place);
    }
    if (ref->is_all)
        return vc_error_at_place(error,
                                 vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                                         "'" VC_MONDRIAN_ALL "' is no level to drill down to; "
                                         "leave the drilldown out"),
                                 place);
    ref->has_level = true; /* the first one is 0 */
    return VC_OK;
}
