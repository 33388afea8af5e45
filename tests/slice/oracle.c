#include "tests/slice/oracle_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the dimensions of the cube ---- */

static void add_dimension(struct oracle *oracle, unsigned s, unsigned of)
{
    unsigned d = oracle->ndimensions++;
    struct dimension *dimension = &oracle->dimensions[d];
    dimension->stored = oracle->sources[s].cube->dimensions[of];
    dimension->name = dimension->stored->name;
    dimension->owner = s;
    dimension->owned = of;
    dimension->nleaves = dimension->nslots = (uint32_t)dimension->stored->nleaves;
    oracle_number_members(oracle, dimension);
    oracle_take_place(oracle, s, d, of);
}

/* A key over several dimensions of the joined cube, one of them by a level of leaves that have
 * several parents. */
static bool is_refused(const struct source *source, unsigned number)
{
    const struct world_pair *pairs = source->definition->pairs, *pair = &pairs[number];
    const struct world_dimension *joined = source->cube->dimensions[pair->to_dimension];
    bool is_over_several = false;
    for (unsigned i = 0; i < source->definition->npairs; i++)
        is_over_several |=
            pairs[i].dimension == pair->dimension && pairs[i].to_dimension != pair->to_dimension;
    return is_over_several && joined->nleaves > joined->nfirsts && pair->to_index >= INDEX_LEVEL;
}

/* Relate a joined source to the primary's dimensions. */
static bool relate_source(struct oracle *oracle, unsigned s, const char **error_out)
{
    struct source *source = &oracle->sources[s];
    for (unsigned i = 0; source->definition != NULL && i < source->definition->npairs; i++) {
        unsigned d = source->definition->pairs[i].dimension;
        if (is_refused(source, i)) {
            *error_out = "unsupported";
            return false;
        }
        if (!source->places[d].is_there) oracle_relate(oracle, s, d);
    }
    return true;
}

/* Its other dimensions: the same as others', or its own. */
static bool place_source(struct oracle *oracle, unsigned s, const char **error_out)
{
    struct source *source = &oracle->sources[s];
    bool is_placed[WORLD_DIMENSIONS] = {false};
    for (unsigned i = 0; source->definition != NULL && i < source->definition->npairs; i++)
        is_placed[source->definition->pairs[i].to_dimension] = true;
    for (unsigned of = 0; of < source->cube->ndimensions; of++) {
        if (is_placed[of]) continue;
        unsigned d = 0;
        while (d < oracle->ndimensions &&
               oracle->dimensions[d].stored != source->cube->dimensions[of])
            d++;
        if (d == oracle->ndimensions) {
            add_dimension(oracle, s, of);
            continue;
        }
        if (source->places[d].is_there) {
            *error_out = "dimension_conflict";
            return false;
        }
        oracle_take_place(oracle, s, d, of);
    }
    return true;
}

static bool check_common(const struct oracle *oracle, const char **error_out)
{
    for (unsigned s = 1; s < oracle->nsources; s++) {
        bool has_common = false;
        for (unsigned d = 0; d < oracle->ndimensions; d++) {
            unsigned nbound = 0;
            for (unsigned t = 0; t < oracle->nsources; t++)
                nbound += oracle->sources[t].places[d].is_there;
            has_common |= nbound > 1 && oracle->sources[s].places[d].is_there;
        }
        *error_out = has_common ? NULL : "no_common_dimension";
        if (!has_common) return false;
    }
    return true;
}

/* ---- buckets, and the members that joins leave ---- */

static bool is_unmatched(const struct oracle *oracle, unsigned d, const struct place *place,
                         uint32_t q)
{
    for (uint32_t p = 0; p < oracle->dimensions[d].nleaves; p++)
        if (place->related[p * place->nq + q]) return false;
    return true;
}

/* By the first component, then the next. */
static void order_qs(struct oracle *oracle, const struct world_cube *cube,
                     const struct place *place, uint32_t *qs, uint32_t count)
{
    uint32_t *ranks[WORLD_DIMENSIONS];
    for (unsigned c = 0; c < place->ncomponents; c++)
        ranks[c] = oracle_rank_leaves(oracle, cube, place->components[c]);
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = i; j > 0; j--) {
            const uint32_t *a = place->tuples[qs[j]], *b = place->tuples[qs[j - 1]];
            unsigned c = 0;
            while (c + 1 < place->ncomponents && a[c] == b[c])
                c++;
            if (ranks[c][a[c]] >= ranks[c][b[c]]) break;
            uint32_t swap = qs[j];
            qs[j] = qs[j - 1];
            qs[j - 1] = swap;
        }
}

/* The names of its leaves. */
static const char *name_q(struct oracle *oracle, const struct world_cube *cube,
                          const struct place *place, uint32_t q)
{
    const char *all = "";
    for (unsigned c = 0; c < place->ncomponents; c++) {
        const struct world_dimension *joined = cube->dimensions[place->components[c]];
        const struct world_leaf *leaf = &joined->leaves[place->tuples[q][c]];
        const char *path[WORLD_LEVELS] = {NULL};
        unsigned depth = world_path(joined, leaf, joined->nlevels, path);
        const char *own = joined->has_table ? leaf->key : path[depth > 0 ? depth - 1 : 0];
        all = vc_arena_printf(&oracle->arena, "%s%s%s", all, c > 0 ? ", " : "",
                              own == NULL ? "" : own)
                  .data;
    }
    return all;
}

static void add_bucket(struct oracle *oracle, unsigned d, unsigned s)
{
    struct dimension *dimension = &oracle->dimensions[d];
    struct place *place = &oracle->sources[s].places[d];
    const struct world_source *definition = oracle->sources[s].definition;
    if (!place->is_relation || definition->unmatched == VC_UNMATCHED_DROP) return;
    const struct world_cube *joined = oracle->sources[s].cube;
    uint32_t *qs = VC_ARENA_NEW(&oracle->arena, uint32_t, place->nq + 1), count = 0;
    place->unmatched = vc_arena_alloc(&oracle->arena, (place->nq + 1) * sizeof(uint32_t));
    memset(place->unmatched, 0xFF, place->nq * sizeof(uint32_t));
    for (uint32_t q = 0; q < place->nq; q++)
        if (is_unmatched(oracle, d, place, q)) qs[count++] = q;
    if (count == 0) return;
    order_qs(oracle, joined, place, qs, count);
    unsigned b = dimension->nbuckets++;
    dimension->bucket_sources[b] = s;
    dimension->bucket_keys[b] =
        vc_arena_printf(&oracle->arena, "(unmatched:%s)", definition->alias).data;
    dimension->bucket_has_members[b] = definition->unmatched == VC_UNMATCHED_MEMBERS;
    for (uint32_t i = 0; i < count; i++) {
        bool is_new = dimension->bucket_has_members[b] || i == 0;
        if (is_new)
            dimension->synthetics[dimension->nslots++ - dimension->nleaves] = (struct synthetic){
                .source = s,
                .leaf = qs[i],
                .key = dimension->bucket_has_members[b]
                           ? vc_arena_printf(&oracle->arena, "%s:%s", definition->alias,
                                             name_q(oracle, joined, place, qs[i]))
                                 .data
                           : dimension->bucket_keys[b]};
        place->unmatched[qs[i]] = dimension->nslots - 1;
    }
}

static void finish_dimension(struct oracle *oracle, unsigned d)
{
    struct dimension *dimension = &oracle->dimensions[d];
    size_t room = dimension->nleaves + 1;
    for (unsigned s = 0; s < oracle->nsources; s++)
        if (oracle->sources[s].places[d].is_relation) room += oracle->sources[s].places[d].nq;
    dimension->synthetics = VC_ARENA_NEW(&oracle->arena, struct synthetic, room);
    dimension->visible = VC_ARENA_NEW(&oracle->arena, bool, room);
    for (unsigned s = 0; s < oracle->nsources; s++)
        add_bucket(oracle, d, s);
    for (uint32_t slot = 0; slot < dimension->nslots; slot++)
        dimension->visible[slot] = true;
    for (unsigned s = 0; s < oracle->nsources; s++) {
        const struct place *place = &oracle->sources[s].places[d];
        if (!place->is_relation) continue;
        vc_join_kind kind = oracle->sources[s].definition->kind;
        size_t n = place->nq;
        for (uint32_t p = 0; p < dimension->nleaves; p++) {
            bool has_partner = false;
            for (uint32_t q = 0; q < n; q++)
                has_partner |= place->related[p * n + q];
            if (!has_partner && (kind == VC_JOIN_INNER || kind == VC_JOIN_RIGHT))
                dimension->visible[p] = false;
        }
    }
}

/* ---- measures ---- */

/* A measure of a source, with the operands it needs behind all named ones. */
static void add_measure(struct oracle *oracle, unsigned at, unsigned s, unsigned number,
                        const struct world_taken *taken)
{
    const struct world_measure *stored = &oracle->sources[s].cube->measures[number];
    struct measure *measure = &oracle->measures[at];
    snprintf(measure->name, sizeof measure->name, "%s",
             at >= oracle->nnamed ? ""
             : taken == NULL      ? stored->name
                                  : taken->name);
    measure->source = s;
    measure->stored = stored;
    if (taken != NULL) {
        measure->fix = taken->fix;
        measure->unrelated = taken->unrelated;
    }
    if (stored->formula == FORMULA_NONE) return;
    measure->formula = stored->formula;
    measure->stored = NULL;
    measure->a = oracle->nmeasures++;
    measure->b = oracle->nmeasures++;
    if (oracle->nmeasures > MEASURES - 2) abort();
    add_measure(oracle, measure->a, s, stored->a, taken);
    add_measure(oracle, measure->b, s, stored->b, taken);
}

static void add_virtual_measures(struct oracle *oracle)
{
    const struct world *world = oracle->world;
    oracle->nmeasures = oracle->nnamed = world->ntaken;
    for (unsigned i = 0; i < world->ntaken; i++) {
        const struct world_taken *taken = &world->taken[i];
        if (taken->formula == FORMULA_NONE) {
            add_measure(oracle, i, taken->source, taken->measure, taken);
            continue;
        }
        struct measure *measure = &oracle->measures[i];
        strcpy(measure->name, taken->name);
        measure->formula = taken->formula;
        measure->a = taken->a;
        measure->b = taken->b;
    }
}

/* ---- make ---- */

struct oracle *oracle_new(const struct world *world, const char *cube, const char **error_out)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    bool is_virtual = strcmp(cube, "v") == 0, is_good = true;
    *error_out = NULL;
    oracle->world = world;
    oracle->nsources = is_virtual ? world->nsources : 1;
    for (unsigned s = 0; s < oracle->nsources; s++) {
        unsigned number = 0;
        while (!is_virtual && strcmp(world->cubes[number].name, cube) != 0)
            number++;
        oracle->sources[s].definition = is_virtual ? &world->sources[s] : NULL;
        oracle->sources[s].cube = &world->cubes[is_virtual ? world->sources[s].cube : number];
    }
    /* Of two faults the loader tells that of a key before that of a dimension. */
    is_good = place_source(oracle, 0, error_out);
    for (unsigned s = 1; s < oracle->nsources && is_good; s++)
        is_good = relate_source(oracle, s, error_out);
    for (unsigned s = 1; s < oracle->nsources && is_good; s++)
        is_good = place_source(oracle, s, error_out);
    if (is_good && is_virtual) is_good = check_common(oracle, error_out);
    if (!is_good) {
        oracle_free(oracle);
        return NULL;
    }
    for (unsigned d = 0; d < oracle->ndimensions; d++)
        finish_dimension(oracle, d);
    if (is_virtual) {
        add_virtual_measures(oracle);
        return oracle;
    }
    oracle->nmeasures = oracle->nnamed = oracle->sources[0].cube->nmeasures;
    for (unsigned i = 0; i < oracle->nnamed; i++)
        add_measure(oracle, i, 0, i, NULL);
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    if (oracle == NULL) return;
    vc_arena_release(&oracle->arena);
    free(oracle);
}

unsigned oracle_ndimensions(const struct oracle *oracle)
{
    return oracle->ndimensions;
}

const struct world_dimension *oracle_dimension(const struct oracle *oracle, unsigned dimension)
{
    return oracle->dimensions[dimension].stored;
}

const char *oracle_dimension_name(const struct oracle *oracle, unsigned dimension)
{
    return oracle->dimensions[dimension].name;
}

unsigned oracle_nmeasures(const struct oracle *oracle)
{
    return oracle->nnamed;
}

const char *oracle_measure_name(const struct oracle *oracle, unsigned measure)
{
    return oracle->measures[measure].name;
}

static bool keeps_type(const struct measure *measure)
{
    return measure->formula == FORMULA_NONE && measure->stored->over != VC_OVER_AVG &&
           (measure->stored->aggregator == VC_AGG_SUM ||
            measure->stored->aggregator == VC_AGG_MIN || measure->stored->aggregator == VC_AGG_MAX);
}

bool oracle_measure_is_decimal(const struct oracle *oracle, unsigned measure)
{
    const struct measure *of = &oracle->measures[measure];
    return keeps_type(of) && of->stored->column == COLUMN_DECIMAL;
}

bool oracle_measure_is_float(const struct oracle *oracle, unsigned measure)
{
    const struct measure *of = &oracle->measures[measure];
    return of->formula != FORMULA_NONE || of->stored->aggregator == VC_AGG_AVG ||
           of->stored->aggregator > VC_AGG_COUNT_DISTINCT || of->stored->over == VC_OVER_AVG ||
           (keeps_type(of) && of->stored->column == COLUMN_FLOAT);
}

const char *oracle_synthetic_key(const struct oracle *oracle, unsigned dimension, unsigned number)
{
    const struct dimension *of = &oracle->dimensions[dimension];
    unsigned nsynthetic = of->nslots - of->nleaves;
    if (number < nsynthetic) return of->synthetics[number].key;
    return number - nsynthetic < of->nbuckets ? of->bucket_keys[number - nsynthetic] : NULL;
}

/* They are in the definition of the primary's cube, and hold in the virtual one. */
unsigned oracle_list_sets(const struct oracle *oracle, unsigned dimension,
                          const char *names_out[WORLD_SETS])
{
    const struct world *world = oracle->world;
    bool is_there = oracle->sources[0].cube == &world->cubes[world->sources[0].cube] &&
                    oracle->dimensions[dimension].owner == 0;
    unsigned count = 0;
    for (unsigned i = 0; i < world->nsets && is_there; i++)
        if (world->sets[i].dimension == oracle->dimensions[dimension].stored)
            names_out[count++] = world->sets[i].name;
    return count;
}

bool oracle_coverage(const struct oracle *oracle, const char *alias, unsigned dimension,
                     vc_coverage *coverage_out)
{
    for (unsigned s = 0; s < oracle->nsources; s++) {
        const struct place *place = &oracle->sources[s].places[dimension];
        if (oracle->sources[s].definition == NULL || !place->is_relation ||
            strcmp(oracle->sources[s].definition->alias, alias) != 0)
            continue;
        *coverage_out = place->coverage;
        return true;
    }
    return false;
}
