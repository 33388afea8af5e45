/* Several hierarchies as one: levels in one order, members as nodes (model_unite.h).
 *
 * The order of the levels is the one that the dimensions have, and where none of them has two of
 * the levels, that of the calendar, if their keys are years, quarters, months or days. Otherwise
 * nobody knows which of them is above the other.
 *
 * Nodes are made level by level. A dimension that has the level right above says where its members
 * belong; one that has not is asked afterwards, and its members are found by what is above both. */
#include "cube/model_unite.h"

#include "mapping/period.h"

#include <stdio.h>
#include <string.h>

/* ---- what a dimension has ---- */

const vc_level *vc_unite_level_of(const vc_uniting *in, unsigned hierarchy, unsigned level,
                                  size_t dimension)
{
    const vc_unite_hierarchy *of = &in->hierarchies[hierarchy];
    int at = of->levels[level].at[dimension];
    return at < 0 ? NULL : &in->dimensions[dimension]->hierarchies[of->of[dimension]].levels[at];
}

unsigned vc_unite_lowest(const vc_uniting *in, unsigned hierarchy, size_t dimension)
{
    unsigned level = in->hierarchies[hierarchy].nlevels - 1;
    while (level > 0 && in->hierarchies[hierarchy].levels[level].at[dimension] < 0)
        level--;
    return level;
}

uint32_t vc_unite_node_of(const vc_uniting *in, unsigned hierarchy, unsigned level,
                          size_t dimension, uint32_t leaf)
{
    const vc_unite_hierarchy *of = &in->hierarchies[hierarchy];
    unsigned below = level;
    while (below < of->nlevels && of->levels[below].at[dimension] < 0)
        below++;
    if (below == of->nlevels) return VC_NONE;
    const vc_level *known = vc_unite_level_of(in, hierarchy, below, dimension);
    uint32_t node = of->levels[below].nodes[dimension][vc_numbers_get(known->leaf_members, leaf)];
    for (; below > level; below--)
        node = in->nodes[node].parent;
    return node;
}

size_t vc_unite_first(const vc_uniting *in, uint32_t node)
{
    for (size_t d = 0; d < in->ndimensions; d++)
        if (in->nodes[node].members[d] != VC_NONE) return d;
    return SIZE_MAX;
}

/* ---- the order of levels ---- */

struct ordering {
    struct {
        vc_str name;
        int rank; /* of the calendar: a lower one contains a higher one; 0: it is no such level */
    } levels[VC_MAX_LEVELS];
    unsigned nlevels;
    bool is_above[VC_MAX_LEVELS][VC_MAX_LEVELS];
};

static vc_status fail_levels(const vc_uniting *in, const char *why, vc_str a, vc_str b,
                             vc_error *error)
{
    char list[160];
    size_t used = 0;
    for (size_t d = 0; d < in->ndimensions && used < sizeof list; d++) {
        const vc_hierarchy *main = &in->dimensions[d]->hierarchies[0];
        for (unsigned l = 0; l < main->nlevels && used < sizeof list; l++) {
            int n = snprintf(list + used, sizeof list - used, "%s%.*s",
                             l > 0    ? ", "
                             : d == 0 ? ""
                                      : " | ",
                             VC_FMT(main->levels[l].name));
            used += n < 0 ? sizeof list : (size_t)n;
        }
    }
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported", "levels '%.*s' and '%.*s' %s (%s)",
                   VC_FMT(a), VC_FMT(b), why, list);
}

/* 1 year, 2 quarter, 3 month, 4 day: by what all keys are; 0 otherwise. */
static int find_rank(const vc_level *level)
{
    int rank = 0;
    for (uint32_t m = 0; m < level->nmembers; m++) {
        vc_str key = vc_texts_get(&level->keys, m);
        vc_period period;
        if (vc_str_is_null(key)) continue;
        if (!vc_period_parse_key(key, &period)) return 0;
        int mine = key.size == 4        ? 1
                   : key.size == 10     ? 4
                   : key.data[5] == 'Q' ? 2
                   : key.data[5] != 'W' ? 3
                                        : 0;
        if (mine == 0 || (rank != 0 && rank != mine)) return 0;
        rank = mine;
    }
    return rank;
}

static vc_status collect_levels(const vc_uniting *in, struct ordering *order, vc_error *error)
{
    for (size_t d = 0; d < in->ndimensions; d++) {
        const vc_hierarchy *main = &in->dimensions[d]->hierarchies[0];
        unsigned previous = 0;
        for (unsigned l = 0; l < main->nlevels; l++) {
            unsigned number = 0;
            while (number < order->nlevels &&
                   !vc_str_equal(order->levels[number].name, main->levels[l].name))
                number++;
            if (number == VC_MAX_NAMED_LEVELS)
                return vc_fail(error, VC_LIMIT, "limit_levels",
                               "they have more than %d levels together", VC_MAX_NAMED_LEVELS);
            int rank = find_rank(&main->levels[l]);
            if (number == order->nlevels) {
                order->levels[order->nlevels].name = main->levels[l].name;
                order->levels[order->nlevels++].rank = rank;
            } else if (order->levels[number].rank != rank) {
                order->levels[number].rank = 0;
            }
            if (l > 0) order->is_above[previous][number] = true;
            previous = number;
        }
    }
    return VC_OK;
}

static vc_status order_levels(const vc_uniting *in, struct ordering *order, vc_error *error)
{
    unsigned n = order->nlevels;
    for (unsigned a = 0; a < n; a++)
        for (unsigned b = 0; b < n; b++)
            order->is_above[a][b] |=
                order->levels[a].rank > 0 && order->levels[a].rank < order->levels[b].rank;
    for (unsigned via = 0; via < n; via++)
        for (unsigned a = 0; a < n; a++)
            for (unsigned b = 0; b < n; b++)
                order->is_above[a][b] |= order->is_above[a][via] && order->is_above[via][b];
    for (unsigned a = 0; a < n; a++)
        for (unsigned b = a + 1; b < n; b++) {
            bool down = order->is_above[a][b], up = order->is_above[b][a];
            if (down != up) continue;
            return fail_levels(in,
                               down
                                   ? "stand in different orders in the dimensions that are one"
                                   : "are of different dimensions, and nothing says which is above "
                                     "the other: give one of them the other's level, too",
                               order->levels[a].name, order->levels[b].name, error);
        }
    return VC_OK;
}

static int level_named(const vc_hierarchy *hierarchy, vc_str name)
{
    for (unsigned l = 0; l < hierarchy->nlevels; l++)
        if (vc_str_equal(hierarchy->levels[l].name, name)) return (int)l;
    return -1;
}

static vc_status add_level(vc_uniting *in, vc_unite_hierarchy *to, vc_str name, vc_error *error)
{
    vc_unite_level *level = &to->levels[to->nlevels++];
    *level = (vc_unite_level){.name = name,
                              .first = SIZE_MAX,
                              .at = VC_ARENA_NEW(&in->work, int, in->ndimensions),
                              .nodes = VC_ARENA_NEW(&in->work, uint32_t *, in->ndimensions)};
    if (level->at == NULL || level->nodes == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < in->ndimensions; d++) {
        level->at[d] = level_named(&in->dimensions[d]->hierarchies[to->of[d]], name);
        if (level->at[d] >= 0 && level->first == SIZE_MAX) level->first = d;
    }
    return VC_OK;
}

/* All levels of the main hierarchies, from the top down. */
static vc_status make_main(vc_uniting *in, vc_error *error)
{
    struct ordering *order = VC_ARENA_NEW(&in->work, struct ordering, 1);
    vc_unite_hierarchy *main = &in->hierarchies[in->nhierarchies++];
    main->of = VC_ARENA_NEW(&in->work, unsigned, in->ndimensions);
    if (order == NULL || main->of == NULL) return vc_no_memory(error);
    vc_status status = collect_levels(in, order, error);
    if (status == VC_OK) status = order_levels(in, order, error);
    for (unsigned place = 0; place < order->nlevels && status == VC_OK; place++)
        for (unsigned l = 0; l < order->nlevels; l++) {
            unsigned nabove = 0;
            for (unsigned a = 0; a < order->nlevels; a++)
                nabove += order->is_above[a][l];
            if (nabove == place && status == VC_OK)
                status = add_level(in, main, order->levels[l].name, error);
        }
    if (status != VC_OK) return status;
    in->has_same_levels = true;
    for (size_t d = 0; d < in->ndimensions; d++) {
        const vc_hierarchy *own = &in->dimensions[d]->hierarchies[0];
        unsigned lowest = vc_unite_lowest(in, 0, d);
        in->has_same_levels &= own->nlevels == main->nlevels;
        for (unsigned l = lowest + 1; l < main->nlevels; l++)
            main->levels[l].is_below = true;
    }
    for (size_t d = 0; d < in->ndimensions && !in->has_same_levels; d++)
        if (in->dimensions[d]->hierarchies[0].is_parent_child)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "'%.*s' has a parent-child hierarchy: it is one with dimensions of the "
                           "same levels only",
                           VC_FMT(in->names[d]));
    return VC_OK;
}

/* Another hierarchy of the first dimension, if all have one of that name with the same levels. */
static vc_status make_other(vc_uniting *in, unsigned number, vc_error *error)
{
    const vc_hierarchy *wanted = &in->dimensions[0]->hierarchies[number];
    vc_unite_hierarchy *to = &in->hierarchies[in->nhierarchies];
    vc_status status = VC_OK;
    to->of = VC_ARENA_NEW(&in->work, unsigned, in->ndimensions);
    if (to->of == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < in->ndimensions; d++) {
        const vc_dimension *dimension = in->dimensions[d];
        bool is_alike = false;
        for (unsigned h = 0; h < dimension->nhierarchies && !is_alike; h++) {
            const vc_hierarchy *hierarchy = &dimension->hierarchies[h];
            is_alike = vc_str_equal(hierarchy->name, wanted->name) &&
                       hierarchy->nlevels == wanted->nlevels;
            for (unsigned l = 0; is_alike && l < wanted->nlevels; l++)
                is_alike = vc_str_equal(hierarchy->levels[l].name, wanted->levels[l].name);
            to->of[d] = h;
        }
        if (!is_alike) return VC_OK;
    }
    in->nhierarchies++;
    for (unsigned l = 0; l < wanted->nlevels && status == VC_OK; l++)
        status = add_level(in, to, wanted->levels[l].name, error);
    return status;
}

/* ---- nodes ---- */

static vc_status fail_member(const vc_uniting *in, const vc_unite_hierarchy *of, unsigned level,
                             size_t dimension, uint32_t member, const char *code, const char *why,
                             vc_error *error)
{
    const vc_hierarchy *own = &in->dimensions[dimension]->hierarchies[of->of[dimension]];
    vc_arena work = {0};
    vc_str path = vc_member_path(own, (unsigned)of->levels[level].at[dimension], member, &work);
    vc_status status = vc_fail(error, VC_IMPOSSIBLE, code, "member '%.*s' of '%.*s' %s",
                               VC_FMT(path), VC_FMT(in->names[dimension]), why);
    vc_arena_release(&work);
    return status;
}

/* A node by its parent and its key, made when it is not there. */
static vc_status put_node(vc_uniting *in, unsigned hierarchy, unsigned level, uint32_t parent,
                          vc_str key, uint32_t *node_out, vc_error *error)
{
    bool is_new;
    vc_str text = vc_arena_printf(&in->work, "%u/%u/%u/%d%.*s", hierarchy, level, parent,
                                  key.data != NULL, VC_FMT(key));
    uint32_t node = text.data == NULL ? VC_STRMAP_NONE : vc_strmap_put(&in->known, text, &is_new);
    if (node == VC_STRMAP_NONE) return vc_no_memory(error);
    *node_out = node;
    if (!is_new) return VC_OK;
    if (node == in->max_nodes) {
        size_t room = in->max_nodes * 2 + 256;
        vc_unite_node *nodes = VC_ARENA_NEW(&in->work, vc_unite_node, room);
        if (nodes == NULL) return vc_no_memory(error);
        if (node > 0) memcpy(nodes, in->nodes, node * sizeof *nodes);
        in->nodes = nodes;
        in->max_nodes = room;
    }
    uint32_t *members = vc_arena_alloc(&in->work, in->ndimensions * sizeof *members);
    if (members == NULL) return vc_no_memory(error);
    memset(members, 0xff, in->ndimensions * sizeof *members);
    in->nodes[in->nnodes++] = (vc_unite_node){.key = key, .parent = parent, .members = members};
    return VC_OK;
}

/* What the calendar says of a key at a level above it; absent where that is no level of time. */
static vc_str key_above(vc_uniting *in, const vc_unite_hierarchy *of, unsigned level, vc_str key)
{
    size_t first = of->levels[level].first;
    vc_period period, above;
    int rank = 0;
    for (size_t d = first; d < in->ndimensions; d++) {
        const vc_level *known = vc_unite_level_of(in, 0, level, d);
        int mine = known == NULL ? rank : find_rank(known);
        if (d > first && mine != rank) return (vc_str){0};
        rank = mine;
    }
    if (rank == 0 || key.data == NULL || !vc_period_parse_key(key, &period)) return (vc_str){0};
    int32_t year = period.first / 10000, month = period.first / 100 % 100;
    vc_str made = rank == 1   ? vc_arena_printf(&in->work, "%04d", year)
                  : rank == 2 ? vc_arena_printf(&in->work, "%04d-Q%d", year, (month + 2) / 3)
                              : vc_arena_printf(&in->work, "%04d-%02d", year, month);
    bool is_inside = rank < 4 && made.data != NULL && vc_period_parse_key(made, &above) &&
                     above.first <= period.first && period.last <= above.last;
    return is_inside ? made : (vc_str){0};
}

/* The parent of a member that no dimension has below the level right above: nodes between what is
 * known above it and the member. */
static vc_status make_between(vc_uniting *in, unsigned level, int upper, uint32_t above,
                              size_t dimension, uint32_t member, uint32_t *parent_out,
                              vc_error *error)
{
    const vc_unite_hierarchy *main = &in->hierarchies[0];
    const vc_level *own = vc_unite_level_of(in, 0, level, dimension);
    vc_str key = vc_texts_get(&own->keys, member);
    vc_status status = VC_OK;
    *parent_out = above;
    for (unsigned l = (unsigned)(upper + 1); l < level && status == VC_OK; l++) {
        vc_str between = key_above(in, main, l, key);
        if (between.data == NULL && key.data != NULL && main->levels[l].is_below) {
            char why[200];
            snprintf(why, sizeof why,
                     "has no '%.*s', which others have between its levels, and nobody else has the "
                     "member",
                     VC_FMT(main->levels[l].name));
            return fail_member(in, main, level, dimension, member, "unsupported", why, error);
        }
        status = put_node(in, 0, l, *parent_out, between, parent_out, error);
    }
    return status;
}

/* The level that a dimension has next above one of its own; -1: none. */
static int upper_of(const vc_unite_hierarchy *of, unsigned level, size_t dimension)
{
    int upper = (int)level - 1;
    while (upper >= 0 && of->levels[upper].at[dimension] < 0)
        upper--;
    return upper;
}

static uint32_t node_above(const vc_uniting *in, unsigned hierarchy, unsigned level, int upper,
                           size_t dimension, uint32_t member)
{
    const vc_unite_hierarchy *of = &in->hierarchies[hierarchy];
    if (upper < 0) return VC_NONE;
    const vc_level *own = vc_unite_level_of(in, hierarchy, level, dimension);
    return of->levels[upper].nodes[dimension][vc_numbers_get(own->parents, member)];
}

/* Nodes of a level that are known, by what is above them on another one: [number in `by_upper`] the
 * node, and whether there are several. */
struct finding {
    vc_strmap by_upper;
    uint32_t *nodes;
    bool *has_several;
};

static vc_str name_below(vc_arena *arena, uint32_t above, vc_str key)
{
    return vc_arena_printf(arena, "%u/%d%.*s", above, key.data != NULL, VC_FMT(key));
}

static vc_status find_known(vc_uniting *in, unsigned level, int upper, struct finding *finding,
                            vc_arena *work, vc_error *error)
{
    const vc_unite_hierarchy *main = &in->hierarchies[0];
    finding->nodes = VC_ARENA_NEW(work, uint32_t, in->nnodes + 1);
    finding->has_several = VC_ARENA_NEW(work, bool, in->nnodes + 1);
    uint64_t *seen = VC_ARENA_NEW(work, uint64_t, in->nnodes / 64 + 1);
    if (finding->nodes == NULL || finding->has_several == NULL || seen == NULL)
        return vc_no_memory(error);
    for (size_t d = 0; d < in->ndimensions; d++) {
        const vc_level *own = vc_unite_level_of(in, 0, level, d);
        for (uint32_t m = 0;
             own != NULL && main->levels[level].nodes[d] != NULL && m < own->nmembers; m++) {
            uint32_t node = main->levels[level].nodes[d][m], above = node;
            bool is_new;
            if (vc_bit_get(seen, node)) continue;
            vc_bit_set(seen, node);
            for (int l = (int)level; l > upper; l--)
                above = in->nodes[above].parent;
            vc_str text = name_below(work, above, in->nodes[node].key);
            uint32_t number = text.data == NULL ? VC_STRMAP_NONE
                                                : vc_strmap_put(&finding->by_upper, text, &is_new);
            if (number == VC_STRMAP_NONE) return vc_no_memory(error);
            finding->has_several[number] = !is_new;
            finding->nodes[number] = node;
        }
    }
    return VC_OK;
}

/* The members of a dimension that has not the level right above. */
static vc_status place_across(vc_uniting *in, unsigned level, int upper, size_t dimension,
                              uint32_t *nodes, vc_error *error)
{
    const vc_level *own = vc_unite_level_of(in, 0, level, dimension);
    struct finding finding = {0};
    vc_arena work = {0};
    vc_status status = find_known(in, level, upper, &finding, &work, error);
    for (uint32_t m = 0; m < own->nmembers && status == VC_OK; m++) {
        uint32_t above = node_above(in, 0, level, upper, dimension, m), parent;
        vc_str key = vc_texts_get(&own->keys, m);
        vc_str text = name_below(&work, above, key);
        uint32_t number =
            text.data == NULL ? VC_STRMAP_NONE : vc_strmap_find(&finding.by_upper, text);
        if (text.data == NULL) {
            status = vc_no_memory(error);
        } else if (number == VC_STRMAP_NONE || key.data == NULL) {
            status = make_between(in, level, upper, above, dimension, m, &parent, error);
            if (status == VC_OK) status = put_node(in, 0, level, parent, key, &nodes[m], error);
        } else if (finding.has_several[number]) {
            status = fail_member(in, &in->hierarchies[0], level, dimension, m, "ambiguous_key",
                                 "could be several members of the others, which have levels above "
                                 "it that tell them apart",
                                 error);
        } else {
            nodes[m] = finding.nodes[number];
        }
    }
    vc_strmap_release(&finding.by_upper);
    vc_arena_release(&work);
    return status;
}

static vc_status place_members(vc_uniting *in, unsigned hierarchy, unsigned level, size_t dimension,
                               vc_error *error)
{
    vc_unite_level *to = &in->hierarchies[hierarchy].levels[level];
    const vc_level *own = vc_unite_level_of(in, hierarchy, level, dimension);
    int upper = upper_of(&in->hierarchies[hierarchy], level, dimension);
    uint32_t *nodes = VC_ARENA_NEW(&in->work, uint32_t, (size_t)own->nmembers + 1);
    vc_status status = VC_OK;
    if (nodes == NULL) return vc_no_memory(error);
    if (upper != (int)level - 1) {
        status = place_across(in, level, upper, dimension, nodes, error);
    } else {
        for (uint32_t m = 0; m < own->nmembers && status == VC_OK; m++)
            status = put_node(in, hierarchy, level,
                              node_above(in, hierarchy, level, upper, dimension, m),
                              vc_texts_get(&own->keys, m), &nodes[m], error);
    }
    to->nodes[dimension] = nodes;
    for (uint32_t m = 0; m < own->nmembers && status == VC_OK; m++) {
        uint32_t *first = &in->nodes[nodes[m]].members[dimension];
        if (*first == VC_NONE) *first = m;
    }
    return status;
}

/* Those that know most of what is above go first. */
static vc_status place_level(vc_uniting *in, unsigned hierarchy, unsigned level, vc_error *error)
{
    const vc_unite_hierarchy *of = &in->hierarchies[hierarchy];
    vc_status status = VC_OK;
    for (int upper = (int)level - 1; upper >= -1 && status == VC_OK; upper--)
        for (size_t d = 0; d < in->ndimensions && status == VC_OK; d++)
            if (of->levels[level].at[d] >= 0 && upper_of(of, level, d) == upper)
                status = place_members(in, hierarchy, level, d, error);
    return status;
}

vc_status vc_unite_hierarchies(vc_uniting *in, vc_error *error)
{
    vc_status status = make_main(in, error);
    for (unsigned h = 1; h < in->dimensions[0]->nhierarchies && status == VC_OK; h++)
        status = make_other(in, h, error);
    for (unsigned h = 0; h < in->nhierarchies; h++)
        for (unsigned l = 0; l < in->hierarchies[h].nlevels && status == VC_OK; l++)
            status = place_level(in, h, l, error);
    return status;
}
