/* `where` of a measure: the facts that it is restricted to, as sets of its source's leaves. */
#include "base/bits.h"
#include "cube/cut.h"
#include "cube/model_parts.h"
#include "cube/restrict.h"

/* The leaves that a condition on a dimension of the source leaves. Where a role sees a part of it,
 * what the condition names may be hidden: it is looked up in the whole. */
static vc_status find_leaves(const vc_source_cube *source, size_t number,
                             const vc_condition *condition, vc_arena *arena, uint64_t **bits_out,
                             vc_error *error)
{
    const vc_source_cube *whole = source->whole != NULL ? source->whole : source;
    const vc_dimension *dimension = whole->dimensions[number];
    /* The source by itself, with this one dimension: its member sets are those of the cube. */
    vc_binding binding = {.kind = VC_BIND_IDENTITY, .source_dimension = number};
    vc_cube_source only = {.alias = source->name, .cube = whole, .bindings = &binding};
    vc_cube_dimension outer = {.name = source->dimension_names[number],
                               .label = dimension->label,
                               .dimension = dimension,
                               .nslots = dimension->nleaves};
    vc_cube cube = {.name = source->name,
                    .definition = source->definition,
                    .ndimensions = 1,
                    .dimensions = &outer,
                    .nsources = 1,
                    .sources = &only};
    vc_status status = vc_condition_evaluate(&cube, &outer, condition, arena, bits_out, error);
    if (status != VC_OK) return status;
    vc_dimension_mark_places(dimension, *bits_out); /* facts know a leaf, wherever it stands */
    return source->whole == NULL
               ? VC_OK
               : vc_source_cube_show_leaves(source, number, *bits_out, arena, bits_out, error);
}

/* Intersect the set of a dimension with what a condition leaves of it. */
static vc_status restrict_to(const vc_source_cube *source, const vc_condition *condition,
                             vc_arena *arena, vc_cube_fix *wheres, size_t *nwheres, vc_error *error)
{
    size_t number, at = 0;
    uint64_t *bits;
    vc_status status =
        vc_source_cube_find_dimension(source, condition->dimref.dimension, &number, error);
    if (status != VC_OK) return status;
    const vc_dimension *dimension = source->dimensions[number];
    status = find_leaves(source, number, condition, arena, &bits, error);
    if (status != VC_OK || !vc_condition_restricts(condition)) return status;
    while (at < *nwheres && wheres[at].source_dimension != number)
        at++;
    if (at < *nwheres)
        for (size_t w = 0; w < vc_bits_words(dimension->nleaves); w++)
            bits[w] &= wheres[at].leaves[w];
    else
        (*nwheres)++;
    wheres[at] = (vc_cube_fix){.source_dimension = number, .leaves = bits};
    return VC_OK;
}

vc_status vc_model_where(vc_model *model, const vc_source_cube *source, vc_str where,
                         const vc_cube_fix **wheres_out, size_t *nwheres_out, vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    vc_list list = {0};
    vc_source_text text = {.text = where}; /* the place is the measure of whoever asks */
    vc_status status = vc_cut_parse(text, arena, &list, error);
    if (status != VC_OK) return status;
    vc_cube_fix *wheres = VC_ARENA_NEW(arena, vc_cube_fix, list.count + 1);
    if (wheres == NULL) return vc_no_memory(error);
    *nwheres_out = 0;
    for (size_t i = 0; i < list.count && status == VC_OK; i++)
        status = restrict_to(source, ((vc_condition *const *)list.items)[i], arena, wheres,
                             nwheres_out, error);
    *wheres_out = wheres;
    return status;
}
