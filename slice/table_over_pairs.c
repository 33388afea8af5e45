/* `last` and `first` along a dimension of which several steps speak: two dimensions that are mapped
 * onto it, or a composite key in which it is one of several.
 *
 * The leaf that counts is the last one of the selection in each cell of those steps. The selection
 * along the dimension is what all of them leave of it; a key of several dimensions leaves those
 * leaves of which it has a tuple. One step, the *carrier*, leads on only from leaves (tuples) that
 * count: it must know the leaf and, with it, the groups of all other steps. */
#include "slice/table.h"

#include <stdlib.h>

size_t vc_key_component(const vc_cube *cube, size_t source_number, size_t dimension, size_t column)
{
    const vc_cube_source *source = &cube->sources[source_number];
    const vc_binding *binding = &source->bindings[dimension];
    size_t component = 0;
    if (binding->tuples == NULL) return SIZE_MAX;
    while (component < binding->tuples->ncomponents && binding->components[component] != column)
        component++;
    if (component == binding->tuples->ncomponents) return SIZE_MAX;
    vc_str name = source->cube->dimension_names[column];
    if (vc_str_is_null(binding->time_name) || !vc_str_equal(binding->time_name, name))
        return component;
    for (size_t i = 0; source->definition != NULL && i < source->definition->join.non; i++) {
        const vc_on_def *on = &source->definition->join.on[i];
        if (vc_str_equal(on->dim, cube->dimensions[dimension].name) &&
            vc_str_equal(on->to_dim, name))
            return component;
    }
    return SIZE_MAX;
}

size_t vc_over_component(const vc_making *in, const vc_step *step, size_t column)
{
    return step->tuples == NULL
               ? SIZE_MAX
               : vc_key_component(in->plan->cube, in->pass->source, step->dimension, column);
}

struct entry { /* a leaf in a cell */
    uint64_t cell;
    uint32_t place;
};

struct pairing {
    vc_making *in;
    vc_numbers places; /* of the leaves of the column, in their order */
    uint16_t column;
    uint32_t nleaves;
    vc_step *carrier;       /* NULL: nothing is grouped */
    size_t component;       /* of its tuples, or SIZE_MAX: its leaves are the column's */
    const vc_step **others; /* [nothers] grouped, of the column alone */
    uint64_t *spans;        /* [nothers] groups of each */
    size_t nothers;
    uint64_t *passing;     /* [nleaves] bits: leaves of the selection */
    struct entry *entries; /* of leaves that pass, by cell; then the one that counts in each */
    size_t nentries;
};

static vc_status refuse(const struct pairing *at, const char *why, vc_error *error)
{
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "a measure that is semi-additive along '%.*s' %s",
                   VC_FMT(at->in->source->cube->dimension_names[at->column]), why);
}

/* ---- steps ---- */

static vc_status take_tuples(struct pairing *at, vc_step *step, vc_error *error)
{
    if (vc_binding_has_shares(at->in->pass, &at->in->source->bindings[step->dimension]))
        return refuse(at,
                      "cannot be counted in parts by a composite key in which that is one of "
                      "several dimensions",
                      error);
    if (step->stride == 0) return VC_OK;
    if (at->component != SIZE_MAX)
        return refuse(at,
                      "cannot be asked by two dimensions at once that are mapped by composite keys "
                      "in which that is one of several dimensions",
                      error);
    at->carrier = step;
    at->component = vc_over_component(at->in, step, at->column);
    return VC_OK;
}

/* The carrier is the step of tuples, else one in which leaves have several groups. */
static vc_status choose_carrier(struct pairing *at, vc_error *error)
{
    vc_table *table = at->in->table;
    vc_status status = VC_OK;
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++)
        if (vc_over_component(at->in, &table->steps[i], at->column) != SIZE_MAX)
            status = take_tuples(at, &table->steps[i], error);
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++) {
        vc_step *step = &table->steps[i];
        if (step->column != at->column || step->stride == 0) continue;
        if (at->carrier == NULL) {
            at->carrier = step;
        } else if (step->offsets == NULL) {
            at->others[at->nothers++] = step;
        } else if (at->component == SIZE_MAX && at->carrier->offsets == NULL) {
            at->others[at->nothers++] = at->carrier;
            at->carrier = step;
        } else {
            status = refuse(at,
                            "cannot be asked by two dimensions at once that are mapped onto it, if "
                            "one of its members belongs to several of both",
                            error);
        }
    }
    return status;
}

/* ---- the selection ---- */

/* Of the leaves those of which a composite key that is rolled up has a tuple. */
static vc_status project(struct pairing *at, const vc_step *step, size_t component, vc_error *error)
{
    uint64_t *has = VC_ARENA_NEW(at->in->plan->arena, uint64_t, vc_bits_words(at->nleaves) + 1);
    if (has == NULL) return vc_no_memory(error);
    for (uint32_t tuple = 0; tuple < step->tuples->count; tuple++)
        if (vc_step_passes(step, tuple))
            vc_bit_set(has, vc_tuples_leaf(step->tuples, component, tuple));
    for (size_t w = 0; w < vc_bits_words(at->nleaves); w++)
        at->passing[w] &= has[w];
    return VC_OK;
}

static vc_status select_leaves(struct pairing *at, vc_error *error)
{
    const vc_table *table = at->in->table;
    vc_status status = VC_OK;
    for (uint32_t leaf = 0; leaf < at->nleaves; leaf++)
        if (vc_over_passes(at->in, at->column, leaf)) vc_bit_set(at->passing, leaf);
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++) {
        const vc_step *step = &table->steps[i];
        size_t component = vc_over_component(at->in, step, at->column);
        if (component != SIZE_MAX && step != at->carrier)
            status = project(at, step, component, error);
    }
    return status;
}

static vc_status measure_spans(struct pairing *at, vc_error *error)
{
    uint64_t product = UINT32_MAX;
    for (size_t i = 0; i < at->nothers; i++) {
        for (uint32_t leaf = 0; leaf < at->nleaves; leaf++) {
            const uint32_t *groups;
            if (vc_over_groups(at->others[i], leaf, &groups) > 0 && *groups >= at->spans[i])
                at->spans[i] = (uint64_t)*groups + 1;
        }
        if (at->spans[i] == 0) at->spans[i] = 1;
        if (product > UINT64_MAX / at->spans[i])
            return vc_fail(error, VC_LIMIT, "limit_cells",
                           "the answer would have too many cells along '%.*s'",
                           VC_FMT(at->in->source->cube->dimension_names[at->column]));
        product *= at->spans[i];
    }
    return VC_OK;
}

/* ---- cells ---- */

static uint32_t leaf_of(const struct pairing *at, uint32_t element)
{
    return at->component == SIZE_MAX ? element
                                     : vc_tuples_leaf(at->carrier->tuples, at->component, element);
}

/* The cell of a leaf in a group of the carrier; false: another step does not let it through. */
static bool find_cell(const struct pairing *at, uint32_t leaf, uint32_t group, uint64_t *cell_out)
{
    *cell_out = group;
    for (size_t i = 0; i < at->nothers; i++) {
        const uint32_t *groups;
        if (vc_over_groups(at->others[i], leaf, &groups) == 0) return false;
        *cell_out = *cell_out * at->spans[i] + *groups;
    }
    return true;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->cell != y->cell) return x->cell < y->cell ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* The entry of a cell; NULL: it has none. */
static const struct entry *find_best(const struct pairing *at, uint64_t cell)
{
    size_t first = 0, end = at->nentries;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (at->entries[middle].cell < cell)
            first = middle + 1;
        else
            end = middle;
    }
    return first < at->nentries && at->entries[first].cell == cell ? &at->entries[first] : NULL;
}

/* Keep the last (first) one of each cell. */
static void keep_best(struct pairing *at)
{
    bool is_last = at->in->pass->over == VC_OVER_LAST;
    size_t kept = 0;
    if (at->nentries > 1) qsort(at->entries, at->nentries, sizeof *at->entries, compare_entries);
    for (size_t i = 0; i < at->nentries; i++) {
        if (kept == 0 || at->entries[kept - 1].cell != at->entries[i].cell)
            at->entries[kept++] = at->entries[i];
        else if (is_last)
            at->entries[kept - 1] = at->entries[i];
    }
    at->nentries = kept;
}

static size_t count_pairs(const struct pairing *at, uint32_t nelements)
{
    size_t count = 0;
    for (uint32_t element = 0; element < nelements; element++) {
        const uint32_t *groups;
        count += vc_over_groups(at->carrier, element, &groups);
    }
    return count;
}

static vc_status restrict_carrier(struct pairing *at, vc_error *error)
{
    vc_arena *arena = at->in->plan->arena;
    uint32_t nelements = at->component == SIZE_MAX ? at->nleaves : at->carrier->tuples->count;
    uint32_t noffsets = 0;
    size_t npairs = count_pairs(at, nelements);
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)nelements + 1);
    uint32_t *targets = VC_ARENA_NEW(arena, uint32_t, npairs + 1);
    at->entries = vc_arena_alloc(arena, (npairs + 1) * sizeof *at->entries);
    if (offsets == NULL || targets == NULL || at->entries == NULL) return vc_no_memory(error);
    for (int round = 0; round < 2; round++) {
        for (uint32_t element = 0; element < nelements; element++) {
            const uint32_t *groups;
            uint32_t leaf = leaf_of(at, element);
            size_t n =
                vc_bit_get(at->passing, leaf) ? vc_over_groups(at->carrier, element, &groups) : 0;
            for (size_t i = 0; i < n; i++) {
                uint32_t place = vc_numbers_get(at->places, leaf);
                uint64_t cell;
                if (!find_cell(at, leaf, groups[i], &cell)) continue;
                if (round == 0)
                    at->entries[at->nentries++] = (struct entry){.cell = cell, .place = place};
                else if (find_best(at, cell)->place == place)
                    targets[noffsets++] = groups[i];
            }
            offsets[element + 1] = noffsets;
        }
        if (round == 0) keep_best(at);
    }
    return vc_over_replace(at->in, at->carrier, offsets, targets, error);
}

vc_status vc_table_restrict_pairs(vc_making *in, vc_numbers places, vc_error *error)
{
    vc_arena *arena = in->plan->arena;
    size_t room = in->table->nsteps + 1;
    struct pairing at = {.in = in,
                         .places = places,
                         .column = (uint16_t)in->pass->over_dimension,
                         .component = SIZE_MAX,
                         .others = VC_ARENA_NEW(arena, const vc_step *, room),
                         .spans = VC_ARENA_NEW(arena, uint64_t, room)};
    at.nleaves = in->source->cube->dimensions[at.column]->nleaves;
    at.passing = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(at.nleaves) + 1);
    if (at.others == NULL || at.spans == NULL || at.passing == NULL) return vc_no_memory(error);
    vc_status status = choose_carrier(&at, error);
    if (status == VC_OK) status = select_leaves(&at, error);
    if (status == VC_OK) status = measure_spans(&at, error);
    return status == VC_OK ? restrict_carrier(&at, error) : status;
}
