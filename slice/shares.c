/* Shares: where a fact counts in parts, or for several members.
 *
 * Through a relation with weights a joined leaf q counts for a group m by W(m, q), the sum of the
 * weights over the units of m; below the source's grain by the part of its unit that m has; with a
 * lookup, once for each unit of m that finds it. All of these are one table: leaf -> (group,
 * share).
 *
 * The facts are not scanned into groups but into *classes*, leaves with the same line in that
 * table, so that the sums of the source stay exact; a class is multiplied by its shares once
 * (distribute.c). There are hardly more classes than groups, even when the leaves are many.
 */
#include "slice/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Weights that add up to 1 so nearly are meant to (semantics, section 5). */
#define WHOLE 1e-9

bool vc_binding_has_shares(const vc_pass *pass, const vc_binding *binding)
{
    if (binding->kind != VC_BIND_RELATION) return false;
    /* What a measure takes from the last leaf of a dimension, it does not look up leaf by leaf. */
    if (pass->mode == VC_MODE_LOOKUP && pass->over != VC_OVER_NONE && binding->tuples == NULL &&
        binding->source_dimension == pass->over_dimension)
        return false;
    if (binding->mode != VC_MODE_SET && binding->mode == pass->mode) return true;
    return vc_binding_finer(pass, binding) == VC_FINER_ALLOCATE;
}

vc_finer vc_binding_finer(const vc_pass *pass, const vc_binding *binding)
{
    if (binding->finer != VC_FINER_ALLOCATE) return binding->finer;
    if (pass->mode == VC_MODE_DEFAULT) return VC_FINER_REPEAT; /* facts, which have no parts */
    /* Parts of what is shared by weights are parts by weights, too. */
    bool can = pass->allocates && (binding->mode == VC_MODE_SET || binding->mode == pass->mode);
    return can ? VC_FINER_ALLOCATE : VC_FINER_NULL;
}

/* ---- the line of a leaf ---- */

struct making {
    const vc_mapping *in;
    bool is_lookup;
    /* Whose lines are made: leaves of the source, or points of a nested cube. */
    const vc_relation *relation; /* to units; leaves behind its last one have none */
    const uint32_t *synthetic;   /* [nleaves] slots, NULL: none */
    uint32_t nleaves;
    vc_units units;
    /* [ngroups] */
    double *weights;
    bool *estimated;
    uint32_t *seen; /* leaf + 1 that saw the group last */
    uint64_t *met;  /* number of the point, as they come, that saw the group last */
    uint64_t npoints;
    vc_share *line; /* of the leaf at hand */
};

static int compare_shares(const void *a, const void *b)
{
    uint32_t x = ((const vc_share *)a)->group, y = ((const vc_share *)b)->group;
    return (x > y) - (x < y);
}

static size_t add_share(struct making *at, uint32_t leaf, uint32_t group, double weight,
                        bool is_estimated, size_t count)
{
    if (at->seen[group] != leaf + 1) {
        at->seen[group] = leaf + 1;
        at->weights[group] = 0;
        at->estimated[group] = false;
        at->line[count++].group = group;
    }
    at->weights[group] += weight;
    at->estimated[group] |= is_estimated;
    return count;
}

/* Put the line in order, and say of each share how it is meant. */
static void finish_line(struct making *at, size_t count)
{
    if (count > 1) qsort(at->line, count, sizeof *at->line, compare_shares);
    for (size_t i = 0; i < count; i++) {
        vc_share *share = &at->line[i];
        share->weight = at->weights[share->group];
        if (!at->is_lookup && fabs(share->weight - 1) <= WHOLE) share->weight = 1;
        share->is_estimated = at->estimated[share->group] || (!at->is_lookup && share->weight != 1);
    }
}

/* The groups of a leaf with its share of each, ascending, in at->line. Returns how many. */
static size_t share_leaf(struct making *at, uint32_t leaf)
{
    const vc_relation *relation = at->relation;
    bool is_weighted = !at->is_lookup && at->in->binding->mode == VC_MODE_WEIGHTED;
    const uint32_t *units = NULL;
    size_t nunits = leaf < relation->nleaves ? vc_relation_units(relation, leaf, &units) : 0;
    size_t first = relation->units != NULL || nunits == 0 ? leaf : relation->offsets[leaf];
    size_t count = 0;
    for (size_t i = 0; i < nunits; i++) {
        double weight = is_weighted ? relation->weights[first + i] : 1;
        for (uint32_t j = at->units.offsets[units[i]]; j < at->units.offsets[units[i] + 1]; j++) {
            const vc_share *unit = &at->units.items[j];
            count =
                add_share(at, leaf, unit->group, weight * unit->weight, unit->is_estimated, count);
        }
    }
    if (at->synthetic != NULL && at->synthetic[leaf] != VC_NONE) {
        uint32_t group = vc_grouping_of(&at->in->grouping, at->synthetic[leaf]);
        if (group != VC_NONE) count = add_share(at, leaf, group, 1, false, count);
    }
    finish_line(at, count);
    return count;
}

/* The shares that the groups of a point have of it: by the weights of the join, or else all of it
 * once, however many units of a group it has. */
static size_t share_point(struct making *at, uint32_t leaf, uint32_t point, double part,
                          size_t count)
{
    const vc_relation *join = at->in->binding->through->join;
    const uint32_t *units, *slots = at->in->binding->through->slots;
    size_t nunits = point < join->nleaves ? vc_relation_units(join, point, &units) : 0;
    at->npoints++;
    for (size_t i = 0; i < nunits; i++) {
        double weight = part;
        if (join->weights != NULL)
            weight *= join->weights[(join->units != NULL ? point : join->offsets[point]) + i];
        for (uint32_t j = at->units.offsets[units[i]]; j < at->units.offsets[units[i] + 1]; j++) {
            const vc_share *unit = &at->units.items[j];
            bool is_met = at->met[unit->group] == at->npoints;
            at->met[unit->group] = at->npoints;
            if (is_met && join->weights == NULL && !unit->is_estimated) continue;
            count =
                add_share(at, leaf, unit->group, weight * unit->weight, unit->is_estimated, count);
        }
    }
    if (nunits > 0 || slots == NULL || slots[point] == VC_NONE) return count;
    uint32_t group = vc_grouping_of(&at->in->grouping, slots[point]);
    return group == VC_NONE ? count : add_share(at, leaf, group, part, false, count);
}

/* The same of a leaf that counts by the points of a nested cube. */
static size_t share_through(struct making *at, uint32_t leaf)
{
    const vc_relation *points = at->in->binding->through->points;
    const uint32_t *items;
    size_t count = 0, npoints = vc_relation_units(points, leaf, &items);
    for (size_t i = 0; i < npoints; i++)
        count = share_point(
            at, leaf, items[i],
            points->weights == NULL ? 1 : points->weights[points->offsets[leaf] + i], count);
    finish_line(at, count);
    return count;
}

/* ---- classes ---- */

/* Classes, numbered as they come, found by a table of numbers + 1. */
struct classes {
    uint32_t *table;
    uint32_t mask, count;
    uint32_t *offsets;
    vc_share *items;
    size_t capacity; /* of items */
};

static uint32_t hash_line(const vc_share *line, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &line[i].weight, sizeof bits);
        hash = (hash ^ line[i].group ^ bits) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static bool is_same_line(const vc_share *a, const vc_share *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i].group != b[i].group || a[i].weight != b[i].weight ||
            a[i].is_estimated != b[i].is_estimated)
            return false;
    return true;
}

static bool add_class(vc_arena *arena, struct classes *classes, const vc_share *line, size_t count)
{
    uint32_t first = classes->offsets[classes->count];
    if (first + count > classes->capacity) {
        size_t capacity = 2 * classes->capacity + count + 64;
        vc_share *items = vc_arena_alloc(arena, capacity * sizeof *items);
        if (items == NULL || capacity > UINT32_MAX) return false;
        if (first > 0) memcpy(items, classes->items, first * sizeof *items);
        classes->items = items;
        classes->capacity = capacity;
    }
    memcpy(classes->items + first, line, count * sizeof *line);
    classes->offsets[++classes->count] = first + (uint32_t)count;
    return true;
}

/* The class of a line, made when it is new; VC_NONE when out of memory. */
static uint32_t find_class(vc_arena *arena, struct classes *classes, const vc_share *line,
                           size_t count)
{
    uint32_t at = hash_line(line, count) & classes->mask;
    for (; classes->table[at] != 0; at = (at + 1) & classes->mask) {
        uint32_t number = classes->table[at] - 1, first = classes->offsets[number];
        if (classes->offsets[number + 1] - first == count &&
            is_same_line(classes->items + first, line, count))
            return number;
    }
    if (!add_class(arena, classes, line, count)) return VC_NONE;
    return (classes->table[at] = classes->count) - 1;
}

/* With a lookup each leaf is a class by itself, but for those that lie in one bucket. */
static uint32_t number_leaf(vc_arena *arena, struct classes *classes, uint32_t *of_bucket,
                            const vc_share *line, size_t count)
{
    if (of_bucket != NULL && *of_bucket != VC_NONE) return *of_bucket;
    if (!add_class(arena, classes, line, count)) return VC_NONE;
    if (of_bucket != NULL) *of_bucket = classes->count - 1;
    return classes->count - 1;
}

static vc_status new_classes(vc_arena *arena, uint32_t nleaves, struct classes *classes,
                             vc_error *error)
{
    uint32_t size = 64;
    while (size < 2 * (uint64_t)nleaves && size < UINT32_C(1) << 31)
        size *= 2;
    *classes = (struct classes){.table = VC_ARENA_NEW(arena, uint32_t, size),
                                .mask = size - 1,
                                .offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nleaves + 1)};
    return classes->table == NULL || classes->offsets == NULL ? vc_no_memory(error) : VC_OK;
}

/* The classes of the nested cube's own buckets, VC_NONE so far. */
static uint32_t *inner_buckets(const vc_through *through, vc_arena *arena)
{
    uint32_t nbuckets = through->points->nunits - through->join->nleaves;
    uint32_t *of_point = vc_arena_alloc(arena, ((size_t)nbuckets + 1) * sizeof *of_point);
    if (of_point != NULL) memset(of_point, 0xFF, ((size_t)nbuckets + 1) * sizeof *of_point);
    return of_point;
}

/* The class of the nested cube's bucket that a leaf is in; NULL: in none. */
static uint32_t *bucket_of(const vc_through *through, uint32_t leaf, uint32_t *of_point)
{
    const uint32_t *points;
    size_t n = vc_relation_units(through->points, leaf, &points);
    return n == 1 && points[0] >= through->join->nleaves
               ? &of_point[points[0] - through->join->nleaves]
               : NULL;
}

static vc_status classify(struct making *at, vc_arena *arena, struct classes *classes,
                          uint32_t *class_of, vc_error *error)
{
    const vc_mapping *in = at->in;
    const vc_through *through = in->binding->through;
    bool is_through = through != NULL && !through->is_by_point;
    uint32_t nreal = in->outer->dimension->nleaves;
    uint32_t *of_slot =
        vc_arena_alloc(arena, ((size_t)in->outer->nsynthetic + 1) * sizeof *of_slot);
    uint32_t *of_point = is_through ? inner_buckets(through, arena) : of_slot;
    if (of_slot == NULL || of_point == NULL) return vc_no_memory(error);
    memset(of_slot, 0xFF, ((size_t)in->outer->nsynthetic + 1) * sizeof *of_slot);
    for (uint32_t leaf = 0; leaf < at->nleaves; leaf++) {
        size_t count = is_through ? share_through(at, leaf) : share_leaf(at, leaf);
        class_of[leaf] = VC_NONE;
        if (count == 0) continue;
        uint32_t *of_bucket = NULL;
        if (is_through) /* the nested cube's members have values, in a bucket, too */
            of_bucket = bucket_of(through, leaf, of_point);
        else if (at->synthetic != NULL && at->synthetic[leaf] != VC_NONE)
            of_bucket = &of_slot[at->synthetic[leaf] - nreal];
        class_of[leaf] = at->is_lookup ? number_leaf(arena, classes, of_bucket, at->line, count)
                                       : find_class(arena, classes, at->line, count);
        if (class_of[leaf] == VC_NONE) return vc_no_memory(error);
    }
    return VC_OK;
}

/* The step of the leaves: to their classes, or to those of their points, which may be several. */
static vc_status step_to_classes(const struct making *at, vc_arena *arena, const uint32_t *class_of,
                                 vc_step *step, vc_error *error)
{
    const vc_through *through = at->in->binding->through;
    uint32_t ntargets = 0;
    step->groups = class_of;
    if (through == NULL || !through->is_by_point)
        return vc_step_pass_grouped(arena, step, class_of, error);
    const vc_relation *points = through->points;
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)points->nleaves + 1);
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, (size_t)points->offsets[points->nleaves] + 1);
    if (offsets == NULL || targets == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < points->nleaves; leaf++) {
        for (uint32_t i = points->offsets[leaf]; i < points->offsets[leaf + 1]; i++) {
            uint32_t class = class_of[points->targets[i]], same = offsets[leaf];
            while (same < ntargets && targets[same] != class)
                same++;
            if (class != VC_NONE && same == ntargets) targets[ntargets++] = class;
        }
        offsets[leaf + 1] = ntargets;
    }
    step->offsets = offsets;
    step->targets = targets;
    vc_status status = vc_step_straighten(step, arena, error);
    return status == VC_OK && step->offsets != NULL ? vc_step_number_sets(step, arena, error)
                                                    : status;
}

/* ---- what is reached ---- */

/* What has values of its own, and may have none: units, or points of a nested cube that were looked
 * up inside it. */
static void count_points(const struct making *at, uint32_t *nunits)
{
    const vc_through *through = at->in->binding->through;
    struct making counting = *at;
    memset(at->seen, 0, (size_t)at->in->grouping.ngroups * sizeof *at->seen);
    for (uint32_t point = 0; point < through->points->nunits; point++) {
        size_t count = share_point(&counting, point, point, 1, 0);
        for (size_t i = 0; i < count; i++)
            nunits[at->line[i].group]++;
    }
}

/* The buckets of the binding itself: what another join does not match is no leaf of this one. */
static vc_status count_buckets(const struct making *at, vc_arena *arena, uint32_t *nunits,
                               vc_error *error)
{
    const vc_mapping *in = at->in;
    const uint32_t *slots = in->binding->synthetic_slots;
    uint32_t first = in->outer->dimension->nleaves, nslots = in->outer->nslots;
    uint64_t *own = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(nslots) + 1);
    if (own == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; slots != NULL && leaf < in->binding->relation->nleaves; leaf++)
        if (slots[leaf] != VC_NONE) vc_bit_set(own, slots[leaf]);
    for (uint32_t slot = first; slot < nslots; slot++) {
        uint32_t group = vc_bit_get(own, slot) ? vc_grouping_of(&in->grouping, slot) : VC_NONE;
        if (group != VC_NONE) nunits[group]++;
    }
    return VC_OK;
}

/* Lookup: how many units (and own buckets) of the selection lie in each group, and how many of them
 * find a leaf. */
static vc_status count_units(const struct making *at, vc_arena *arena, vc_shares *shares,
                             vc_error *error)
{
    const vc_mapping *in = at->in;
    const vc_relation *relation = in->binding->relation;
    uint32_t *nunits = VC_ARENA_NEW(arena, uint32_t, (size_t)in->grouping.ngroups + 1);
    uint32_t *nmatched = VC_ARENA_NEW(arena, uint32_t, (size_t)in->grouping.ngroups + 1);
    if (nunits == NULL || nmatched == NULL) return vc_no_memory(error);
    bool is_through = in->binding->through != NULL && !in->binding->through->is_by_point;
    if (is_through) count_points(at, nunits);
    for (uint32_t unit = 0; unit < relation->nunits && !is_through; unit++)
        for (uint32_t i = at->units.offsets[unit]; i < at->units.offsets[unit + 1]; i++)
            nunits[at->units.items[i].group]++;
    vc_status status = is_through ? VC_OK : count_buckets(at, arena, nunits, error);
    if (status != VC_OK) return status;
    for (uint32_t i = 0; i < shares->offsets[shares->nclasses]; i++)
        nmatched[shares->items[i].group] += (uint32_t)shares->items[i].weight;
    shares->nunits = nunits;
    shares->nmatched = nmatched;
    return VC_OK;
}

static vc_status mark_reach(const struct making *at, vc_arena *arena, vc_shares *shares,
                            vc_error *error)
{
    size_t nwords = vc_bits_words(at->in->grouping.ngroups) + 1;
    uint64_t *mapped = VC_ARENA_NEW(arena, uint64_t, nwords);
    uint64_t *coarse = VC_ARENA_NEW(arena, uint64_t, nwords);
    uint64_t *repeated = VC_ARENA_NEW(arena, uint64_t, nwords);
    vc_finer finer = at->in->finer;
    vc_status status = VC_OK;
    if (mapped == NULL || coarse == NULL || repeated == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < shares->offsets[shares->nclasses]; i++)
        vc_bit_set(mapped, shares->items[i].group);
    if (at->in->binding->relation->level >= 0 && finer == VC_FINER_REPEAT)
        status = vc_units_mark_split(at->in, &at->units, repeated, error);
    if (at->in->binding->relation->level >= 0 && finer == VC_FINER_NULL)
        status = vc_units_mark_split(at->in, &at->units, coarse, error);
    for (size_t i = 0; i < nwords; i++)
        mapped[i] |= coarse[i];
    shares->reach = (vc_reach){.is_bound = true,
                               .is_relation = !at->in->binding->is_united,
                               .mapped = mapped,
                               .coarse = coarse,
                               .repeated = finer == VC_FINER_REPEAT ? repeated : NULL};
    return status;
}

vc_status vc_shares_make(const vc_mapping *in, const vc_pass *pass, vc_arena *arena,
                         vc_shares *shares_out, vc_error *error)
{
    const vc_binding *binding = in->binding;
    bool is_by_point = binding->through != NULL && binding->through->is_by_point;
    size_t room = (size_t)in->grouping.ngroups + 1;
    struct classes classes;
    struct making at = {
        .in = in,
        .is_lookup = binding->mode == VC_MODE_LOOKUP && pass->mode == VC_MODE_LOOKUP,
        .relation = is_by_point ? binding->through->join : binding->relation,
        .synthetic = is_by_point ? binding->through->slots : binding->synthetic_slots,
        .nleaves = is_by_point ? binding->through->points->nunits : in->nleaves,
        .weights = VC_ARENA_NEW(arena, double, room),
        .estimated = VC_ARENA_NEW(arena, bool, room),
        .seen = VC_ARENA_NEW(arena, uint32_t, room),
        .met = VC_ARENA_NEW(arena, uint64_t, room),
        .line = VC_ARENA_NEW(arena, vc_share, room)};
    uint32_t *class_of = vc_arena_alloc(arena, ((size_t)at.nleaves + 1) * sizeof *class_of);
    if (at.weights == NULL || at.estimated == NULL || at.seen == NULL || at.met == NULL ||
        at.line == NULL || class_of == NULL)
        return vc_no_memory(error);
    vc_status status = vc_units_make(in, arena, &at.units, error);
    if (status == VC_OK) status = new_classes(arena, at.nleaves, &classes, error);
    if (status == VC_OK) status = classify(&at, arena, &classes, class_of, error);
    if (status != VC_OK) return status;
    *shares_out = (vc_shares){.is_lookup = at.is_lookup,
                              .step = in->step,
                              .nclasses = classes.count,
                              .offsets = classes.offsets,
                              .items = classes.items};
    status = step_to_classes(&at, arena, class_of, &shares_out->step, error);
    if (status == VC_OK) status = mark_reach(&at, arena, shares_out, error);
    if (status == VC_OK && at.is_lookup) status = count_units(&at, arena, shares_out, error);
    return status;
}
