/* Keys whose meaning depends on the time, read at the time of each fact.
 *
 * What a crosswalk or a code list makes of a key may hold for a time only. Where the joined cube
 * has a time dimension, its facts say when: the key then is one of pairs of a member and a time
 * (mapping/relation.h). The time dimension itself keeps its own place in the virtual cube.
 */
#include "cube/model_virtual.h"

#include "base/nearest.h"

#include <string.h>

/* ---- which dimension ---- */

static vc_status find_named(const vc_relation_pair *pairs, size_t npairs, vc_str *name_out,
                            bool *reads_time_out, vc_error *error)
{
    *name_out = (vc_str){0};
    *reads_time_out = false;
    for (size_t i = 0; i < npairs; i++) {
        const vc_normalizer *sides[] = {pairs[i].normalize_from, pairs[i].normalize_to};
        for (size_t s = 0; s < 2; s++) {
            if (sides[s] == NULL) continue;
            vc_str name = vc_normalizer_time(sides[s]);
            *reads_time_out |= vc_normalizer_reads_time(sides[s]);
            if (name.data == NULL) continue;
            if (name_out->data != NULL && !vc_str_equal(*name_out, name))
                return vc_fail(error, VC_BAD_INPUT, "bad_value",
                               "a key has one time, but its steps name '%.*s' and '%.*s'",
                               VC_FMT(*name_out), VC_FMT(name));
            *name_out = name;
        }
    }
    return VC_OK;
}

/* The one time dimension of a cube; false when it has none, or several. */
static bool find_only(const vc_source_cube *cube, size_t *dimension_out)
{
    size_t count = 0;
    for (size_t d = 0; d < cube->ndimensions; d++)
        if (cube->dimensions[d]->is_time) {
            *dimension_out = d;
            count++;
        }
    return count == 1;
}

/* ---- its periods ---- */

/* Are all keys of a level times, and is there one? */
static bool are_periods(const vc_texts *keys)
{
    vc_period period;
    bool has_any = false;
    for (uint32_t i = 0; i < keys->count; i++) {
        vc_str key = vc_texts_get(keys, i);
        if (vc_str_is_null(key)) continue;
        if (!vc_period_parse_key(key, &period)) return false;
        has_any = true;
    }
    return has_any;
}

/* The level that says most exactly when: the lowest one of the main hierarchy whose keys are times,
 * else of another one. NULL: there is none. */
static const vc_level *find_level(const vc_dimension *dimension)
{
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = dimension->hierarchies[h].nlevels; l-- > 0;)
            if (are_periods(&dimension->hierarchies[h].levels[l].keys))
                return &dimension->hierarchies[h].levels[l];
    return NULL;
}

static vc_status read_periods(const vc_dimension *dimension, const vc_level *level, vc_arena *arena,
                              vc_relation_times *times, vc_error *error)
{
    vc_period *periods = VC_ARENA_NEW(arena, vc_period, (size_t)level->nmembers + 1);
    uint32_t *number = VC_ARENA_NEW(arena, uint32_t, (size_t)level->nmembers + 1);
    uint32_t *period_of = VC_ARENA_NEW(arena, uint32_t, (size_t)dimension->nleaves + 1);
    if (periods == NULL || number == NULL || period_of == NULL) return vc_no_memory(error);
    for (uint32_t member = 0; member < level->nmembers; member++) {
        vc_str key = vc_texts_get(&level->keys, member);
        bool is_known = !vc_str_is_null(key) && vc_period_parse_key(key, &periods[times->nperiods]);
        number[member] = is_known ? (uint32_t)times->nperiods++ : VC_NONE;
    }
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        period_of[leaf] = number[vc_numbers_get(level->leaf_members, leaf)];
    times->periods = periods;
    times->period_of = period_of;
    return VC_OK;
}

/* ---- the whole ---- */

static vc_status find_component(const vc_source_cube *cube, vc_str name, const vc_level **level_out,
                                size_t *dimension_out, vc_error *error)
{
    vc_status status = vc_source_cube_find_dimension(cube, name, dimension_out, error);
    if (status != VC_OK) return status;
    *level_out = find_level(cube->dimensions[*dimension_out]);
    if (*level_out != NULL) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "no level of '%.*s' has keys that are years, quarters, months, weeks or days "
                   "(1990, 1990-Q4, 1990-10, 1990-W40, 1990-10-03)",
                   VC_FMT(name));
}

vc_status vc_virtual_find_times(vc_virtual_builder *builder, const vc_source_cube *cube,
                                const vc_relation_pair *pairs, size_t npairs, bool by_time,
                                const vc_relation_times **times_out, vc_error *error)
{
    vc_str name;
    bool reads_time, depends;
    size_t dimension = 0;
    const vc_level *level = NULL;
    *times_out = NULL;
    vc_status status = find_named(pairs, npairs, &name, &reads_time, error);
    if (status != VC_OK || !reads_time) return status;
    if (name.data != NULL && !by_time)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "keys at the time of the facts ('%.*s') in a lookup, or in a join whose "
                       "members are a level, are not supported by this version",
                       VC_FMT(name));
    if (name.data != NULL)
        status = find_component(cube, name, &level, &dimension, error);
    else if (by_time && find_only(cube, &dimension))
        level = find_level(cube->dimensions[dimension]);
    if (status != VC_OK || level == NULL) return status;
    vc_relation_times *times = VC_ARENA_NEW(builder->arena, vc_relation_times, 1);
    if (times == NULL) return vc_no_memory(error);
    times->component = dimension;
    status = read_periods(cube->dimensions[dimension], level, builder->arena, times, error);
    if (status == VC_OK)
        status = vc_relation_depends_on_time(pairs, npairs, times->periods, times->nperiods,
                                             &depends, error);
    if (status == VC_OK && depends) *times_out = times;
    return status;
}
