/* L1, L2, L3: what a virtual cube says, and what its sources say by themselves. */
#include "query/laws_parts.h"

#include <string.h>

/* ---- what both sides are asked ---- */

enum { MAX_PICKS = 2, MAX_ROWS = 4000, MAX_NAMED = 300, MAX_BUCKETS = 2 };

struct asked { /* of measures of one part */
    size_t part;
    size_t nmeasures;
    const vc_law_measure *measures[4];
    size_t ndrills, ncuts;
    vc_law_pick drills[MAX_PICKS], cuts[MAX_PICKS];
};

static bool same_cuts(const vc_law_measure *a, const vc_law_measure *b)
{
    const vc_str *x = a->cuts.items, *y = b->cuts.items;
    if (a->cuts.count != b->cuts.count) return false;
    for (size_t i = 0; i < a->cuts.count; i++)
        if (!vc_str_equal(x[i], y[i])) return false;
    return true;
}

/* A few measures of a part that are restricted alike, so that one query of the part's cube has them
 * all. */
static bool pick_measures(vc_laws *laws, struct asked *asked,
                          bool (*fits)(const vc_laws *laws, const vc_law_measure *measure))
{
    size_t first = vc_law_below(laws, laws->nmeasures + 1), wanted = 1 + vc_law_below(laws, 4);
    for (size_t i = 0; i < laws->nmeasures && asked->nmeasures < wanted; i++) {
        const vc_law_measure *measure = &laws->measures[(first + i) % laws->nmeasures];
        if (measure->part != asked->part || measure->inner.data == NULL || !fits(laws, measure))
            continue;
        bool is_new = asked->nmeasures == 0 || same_cuts(asked->measures[0], measure);
        for (size_t m = 0; m < asked->nmeasures; m++)
            is_new &= !vc_str_equal(asked->measures[m]->inner, measure->inner);
        if (is_new) asked->measures[asked->nmeasures++] = measure;
    }
    return asked->nmeasures > 0;
}

static bool is_picked(const vc_law_pick *picks, size_t npicks, size_t dimension)
{
    for (size_t i = 0; i < npicks; i++)
        if (picks[i].dimension == dimension) return true;
    return false;
}

/* Has the dimension a bucket that a nested primary does not have? Measures in it that have nothing
 * to do with the dimension, and are repeated along it, stand in that bucket, too. */
static bool has_new_bucket(const vc_laws *laws, size_t part, size_t d)
{
    const vc_cube *inner = laws->parts[part].cube;
    size_t number;
    return laws->parts[part].is_nested &&
           vc_cube_find_dimension(inner, vc_law_inner_name(laws, part, d), &number, NULL) ==
               VC_OK &&
           laws->cube->dimensions[d].nbuckets > inner->dimensions[number].nbuckets;
}

/* Drill and cut some dimensions that the part has as they are. */
static void pick_dimensions(vc_laws *laws, struct asked *asked, size_t max)
{
    uint32_t room = MAX_ROWS, nmembers;
    for (size_t tries = 0; tries < max * 2; tries++) {
        size_t d = vc_law_below(laws, laws->cube->ndimensions);
        vc_law_pick pick;
        if (vc_law_inner_name(laws, asked->part, d).data == NULL) continue;
        if (vc_law_chance(laws, 50) && asked->ndrills < max &&
            !is_picked(asked->drills, asked->ndrills, d) && !has_new_bucket(laws, asked->part, d) &&
            vc_law_pick_level(laws, d, room, &pick, &nmembers)) {
            asked->drills[asked->ndrills++] = pick;
            room /= nmembers > 0 ? nmembers : 1;
        }
        if (vc_law_chance(laws, 50) && asked->ncuts < max &&
            !is_picked(asked->cuts, asked->ncuts, d) && vc_law_pick_members(laws, d, &pick))
            asked->cuts[asked->ncuts++] = pick;
    }
}

/* The same of the virtual cube (is_inside false) or of the part's own cube. */
static void put_asked(vc_laws *laws, vc_law_query *query, const struct asked *asked, bool is_inside)
{
    const vc_cube *cube = laws->cube;
    for (size_t i = 0; i < asked->ncuts; i++)
        vc_law_cut(laws, query,
                   is_inside ? vc_law_inner_name(laws, asked->part, asked->cuts[i].dimension)
                             : cube->dimensions[asked->cuts[i].dimension].name,
                   &asked->cuts[i]);
    for (size_t i = 0; i < asked->ndrills; i++)
        vc_law_drill(query,
                     is_inside ? vc_law_inner_name(laws, asked->part, asked->drills[i].dimension)
                               : cube->dimensions[asked->drills[i].dimension].name,
                     &asked->drills[i]);
    for (size_t m = 0; m < asked->nmeasures; m++)
        vc_law_measure_add(query, is_inside ? asked->measures[m]->inner : asked->measures[m]->name);
    const vc_list *cuts = &asked->measures[0]->cuts;
    for (size_t i = 0; is_inside && i < cuts->count; i++)
        vc_law_cut_text(laws, query, ((const vc_str *)cuts->items)[i]);
}

/* ---- L1 ----
 *
 * Asked of measures of the primary, alone or with its own restriction (`fix`, `where`), along its
 * dimensions. With inner and right joins the primary is asked for the members that all of them
 * match, which are found in the relations. Not asked: functions over members when joins hide some,
 * because they look past a cut; members that cannot be named; a virtual cube as the primary or as
 * an inner or right join of it, when members are hidden; drilldowns of a nested primary by a
 * dimension that has a bucket of this cube. */

static bool hides(const vc_law_part *part)
{
    const vc_join_def *join = &part->definition->join;
    return part->definition->has_join &&
           (join->kind == VC_JOIN_INNER || join->kind == VC_JOIN_RIGHT);
}

/* Clear the leaves of the dimension that a relation gives no partner. */
static vc_status keep_matched(vc_laws *laws, const vc_dimension *dimension,
                              const vc_relation *relation, uint64_t *leaves)
{
    uint64_t *matched = VC_ARENA_NEW(&laws->work, uint64_t, vc_bits_words(relation->nunits) + 1);
    if (matched == NULL) return vc_no_memory(laws->error);
    for (uint32_t q = 0; q < relation->nleaves; q++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, q, &units);
        for (size_t i = 0; i < nunits; i++)
            vc_bit_set(matched, units[i]);
    }
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t unit = relation->level < 0
                            ? leaf
                            : vc_numbers_get(dimension->hierarchies[relation->hierarchy]
                                                 .levels[relation->level]
                                                 .leaf_members,
                                             leaf);
        if (!vc_bit_get(matched, unit)) vc_bit_clear(leaves, leaf);
    }
    return VC_OK;
}

/* The leaves of a dimension with a partner in every inner and right join; NULL when none of these
 * is along it. */
static vc_status find_matched(vc_laws *laws, size_t d, uint64_t **leaves_out)
{
    const vc_dimension *dimension = laws->cube->dimensions[d].dimension;
    uint64_t *leaves = NULL;
    for (size_t i = 1; i < laws->nparts; i++) {
        const vc_binding *binding = &laws->cube->sources[laws->parts[i].first].bindings[d];
        if (!hides(&laws->parts[i]) || !vc_binding_is_joined(binding)) continue;
        if (leaves == NULL) {
            leaves = VC_ARENA_NEW(&laws->work, uint64_t, vc_bits_words(dimension->nleaves) + 1);
            if (leaves == NULL) return vc_no_memory(laws->error);
            vc_bits_set_range(leaves, 0, dimension->nleaves);
        }
        vc_status status = keep_matched(laws, dimension, binding->relation, leaves);
        if (status != VC_OK) return status;
    }
    *leaves_out = leaves;
    return VC_OK;
}

/* Restrict the primary to matched members: all of them, or where these are too many both sides to
 * some, of which the primary has the matched ones. */
static vc_status put_matched(vc_laws *laws, vc_law_query sides[2], bool *can_be)
{
    for (size_t d = 0; d < laws->cube->ndimensions && *can_be; d++) {
        uint64_t *leaves = NULL;
        const vc_dimension *dimension = laws->cube->dimensions[d].dimension;
        vc_status status = find_matched(laws, d, &leaves);
        if (status != VC_OK) return status;
        if (leaves == NULL || vc_bits_all(leaves, 0, dimension->nleaves)) continue;
        vc_law_pick both = {.dimension = d}, matched = both;
        if (vc_bits_count(leaves, dimension->nleaves) > MAX_NAMED) {
            uint64_t *some =
                VC_ARENA_NEW(&laws->work, uint64_t, vc_bits_words(dimension->nleaves) + 1);
            if (some == NULL) return vc_no_memory(laws->error);
            for (unsigned i = 0; i < 40; i++)
                vc_bit_set(some, vc_law_below(laws, dimension->nleaves));
            for (size_t w = 0; w < vc_bits_words(dimension->nleaves); w++)
                leaves[w] &= some[w];
            both.text = vc_law_leaves_text(laws, dimension, some, MAX_NAMED);
            *can_be = both.text.data != NULL;
            if (*can_be) vc_law_cut(laws, &sides[0], laws->cube->dimensions[d].name, &both);
        }
        matched.text = vc_law_leaves_text(laws, dimension, leaves, MAX_NAMED);
        *can_be &= matched.text.data != NULL;
        if (*can_be) vc_law_cut(laws, &sides[1], vc_law_inner_name(laws, 0, d), &matched);
    }
    return VC_OK;
}

static bool may_be_primary(const vc_laws *laws, const vc_law_measure *measure)
{
    bool is_hidden = false, is_nested = laws->parts[0].is_nested;
    for (size_t i = 1; i < laws->nparts; i++) {
        is_hidden |= hides(&laws->parts[i]);
        is_nested |= hides(&laws->parts[i]) && laws->parts[i].is_nested;
    }
    for (size_t d = 0; d < laws->cube->ndimensions && measure->has_calls; d++)
        if (has_new_bucket(laws, 0, d)) return false; /* a member more on the function's way */
    return !is_hidden || (!measure->has_calls && !is_nested);
}

vc_status vc_law_primary(vc_laws *laws, bool *asked_out)
{
    struct asked asked = {.part = 0};
    bool can_be = true;
    if (laws->nparts == 0) return vc_law_note_put(laws, "a source cube");
    if (!pick_measures(laws, &asked, may_be_primary))
        return vc_law_note_put(laws, "no measure of the primary that both can be asked for");
    pick_dimensions(laws, &asked, MAX_PICKS);
    vc_law_query sides[2] = {vc_law_begin("the virtual cube", laws->cube, NULL),
                             vc_law_begin("its primary", laws->parts[0].cube, NULL)};
    put_asked(laws, &sides[0], &asked, false);
    put_asked(laws, &sides[1], &asked, true);
    vc_status status = put_matched(laws, sides, &can_be);
    if (status == VC_OK && !can_be)
        return vc_law_note_put(laws, "the matched members cannot be named in a cut");
    for (size_t i = 0; i < 2 && status == VC_OK; i++)
        status = vc_law_ask(laws, &sides[i]);
    if (status != VC_OK || !vc_law_all_answered(laws, sides, 2)) return status;
    *asked_out = true;
    const vc_law_matching how = {.is_reason_free = laws->parts[0].is_nested,
                                 .claim = "the virtual cube and its primary differ"};
    return vc_law_match(laws, sides, &how);
}

/* ---- L2 and L3: what both need ---- */

/* Which part next, among those with a variant; SIZE_MAX: none has. */
static size_t pick_part(vc_laws *laws)
{
    size_t first = vc_law_below(laws, laws->nparts);
    for (size_t i = 0; i < laws->nparts; i++) {
        size_t part = (first + i) % laws->nparts;
        if (part > 0 && laws->full[part].cube != NULL) return part;
    }
    return SIZE_MAX;
}

/* Do the weights of every leaf that has any add up to 1? */
static bool weights_add_up(const vc_relation *relation)
{
    for (uint32_t q = 0; relation->weights != NULL && q < relation->nleaves; q++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, q, &units);
        size_t at = relation->offsets != NULL ? relation->offsets[q] : q;
        double sum = 0;
        for (size_t i = 0; i < nunits; i++)
            sum += relation->weights[at + i];
        if (nunits > 0 && (sum < 1 - 1e-9 || sum > 1 + 1e-9)) return false;
    }
    return true;
}

/* A cut that leaves the excluded aggregates ("World") out of the source; absent text: none are.
 * False: they cannot be named. */
static bool find_excluded(vc_laws *laws, size_t part, vc_list *cuts)
{
    const vc_cube_source *source = &laws->cube->sources[laws->parts[part].first];
    for (size_t d = 0; d < laws->cube->ndimensions; d++) {
        const vc_binding *binding = &source->bindings[d];
        if (!vc_binding_is_joined(binding) || binding->relation->coverage.excluded == 0) continue;
        if (binding->tuples != NULL || laws->parts[part].is_nested) return false;
        const vc_dimension *dimension = source->cube->dimensions[binding->source_dimension];
        uint64_t *leaves =
            VC_ARENA_NEW(&laws->work, uint64_t, vc_bits_words(dimension->nleaves) + 1);
        if (leaves == NULL) return false;
        for (uint32_t q = 0; q < dimension->nleaves; q++)
            if (binding->relation->fates[q] == VC_FATE_EXCLUDED) vc_bit_set(leaves, q);
        vc_str text = vc_law_leaves_text(laws, dimension, leaves, MAX_NAMED);
        vc_str *cut = VC_LIST_NEW(cuts, &laws->work, vc_str);
        vc_buffer buffer = {0};
        if (text.data == NULL || cut == NULL) return false;
        vc_buffer_put_char(&buffer, '!');
        vc_law_put_name(&buffer, source->cube->dimension_names[binding->source_dimension]);
        vc_buffer_put_str(&buffer, text);
        *cut = vc_arena_str(&laws->work, vc_str_of(vc_buffer_text(&buffer)));
        vc_buffer_release(&buffer);
        if (cut->data == NULL) return false;
    }
    return true;
}

/* Why the part's total is not that of its source; NULL: it is. */
static const char *why_not(const vc_laws *laws, size_t part)
{
    const vc_law_part *of = &laws->parts[part];
    if (laws->cube->sources[of->first].mode == VC_MODE_LOOKUP) return "a lookup";
    for (size_t s = of->first; s < of->first + of->count; s++)
        for (size_t d = 0; d < laws->cube->ndimensions; d++) {
            const vc_binding *binding = &laws->cube->sources[s].bindings[d];
            if (binding->kind == VC_BIND_RELATION && binding->mode == VC_MODE_WEIGHTED &&
                !weights_add_up(binding->relation))
                return "weights that do not add up to 1";
        }
    return NULL;
}

/* The source by itself, less its excluded aggregates. */
static void put_source(vc_laws *laws, vc_law_query *query, const struct asked *asked,
                       const vc_list *excluded)
{
    put_asked(laws, query, asked, true);
    for (size_t i = 0; i < excluded->count; i++)
        vc_law_cut_text(laws, query, ((const vc_str *)excluded->items)[i]);
    vc_law_undefault(laws, query, laws->parts[asked->part].cube);
}

/* The virtual cube, all of every dimension but those that are asked about. */
static void put_virtual(vc_laws *laws, vc_law_query *query, const struct asked *asked)
{
    put_asked(laws, query, asked, false);
    vc_law_undefault(laws, query, laws->cube);
}

/* ---- L2 ----
 *
 * Asked of the cube with one join full and the others left, at All of the joined dimensions, under
 * any cut and drilldown of the source's own ones. Not asked: lookups, weights that do not add up,
 * sources without `on`. */

/* What a weighted join cannot count in parts is refused. */
static bool is_weightable(const vc_cube_measure *measure)
{
    return measure->expr == NULL && measure->over == VC_OVER_NONE &&
           (measure->aggregator == VC_AGG_SUM || measure->aggregator == VC_AGG_COUNT ||
            measure->aggregator == VC_AGG_AVG || measure->aggregator == VC_AGG_WEIGHTED_AVG);
}

static bool is_any(const vc_laws *laws, const vc_law_measure *measure)
{
    const vc_cube_measure *of = &laws->cube->measures[measure->number];
    bool is_weighted =
        laws->cube->sources[laws->parts[measure->part].first].mode == VC_MODE_WEIGHTED;
    return !measure->has_calls && (of->expr != NULL || of->mode != VC_MODE_LOOKUP) &&
           (!is_weighted || is_weightable(of));
}

static vc_status begin_joined(vc_laws *laws, struct asked *asked, vc_list *excluded,
                              bool (*fits)(const vc_laws *, const vc_law_measure *),
                              const char *fitting, bool *can_be)
{
    *can_be = false;
    if (laws->nparts == 0) return vc_law_note_put(laws, "a source cube");
    asked->part = pick_part(laws);
    if (asked->part == SIZE_MAX) return vc_law_note_put(laws, "no join by keys that could be full");
    vc_str alias = laws->parts[asked->part].definition->alias;
    const char *why = why_not(laws, asked->part);
    if (why != NULL) return vc_law_note_put(laws, "source '%.*s': %s", VC_FMT(alias), why);
    if (!pick_measures(laws, asked, fits))
        return vc_law_note_put(laws, "source '%.*s': no %s", VC_FMT(alias), fitting);
    if (!find_excluded(laws, asked->part, excluded))
        return vc_law_note_put(laws, "source '%.*s': excluded aggregates cannot be named",
                               VC_FMT(alias));
    if (!laws->parts[asked->part].is_nested) pick_dimensions(laws, asked, 1);
    *can_be = true;
    return VC_OK;
}

vc_status vc_law_joined(vc_laws *laws, bool *asked_out)
{
    struct asked asked = {0};
    vc_list excluded = {0};
    bool can_be;
    vc_status status = begin_joined(laws, &asked, &excluded, is_any,
                                    "measure without functions over members", &can_be);
    if (status != VC_OK || !can_be) return status;
    vc_law_query sides[2] = {
        vc_law_begin("the cube with this join full", laws->cube, &laws->full[asked.part]),
        vc_law_begin("the source", laws->parts[asked.part].cube, NULL)};
    put_virtual(laws, &sides[0], &asked);
    put_source(laws, &sides[1], &asked, &excluded);
    for (size_t i = 0; i < 2 && status == VC_OK; i++)
        status = vc_law_ask(laws, &sides[i]);
    if (status != VC_OK || !vc_law_all_answered(laws, sides, 2)) return status;
    *asked_out = true;
    const vc_law_matching how = {.is_reason_free = true,
                                 .claim = "All of a full join is not All of the source"};
    return vc_law_match(laws, sides, &how);
}

/* ---- L3 ----
 *
 * Asked of sums and counts that are `over` no joined dimension: what a join of kind left has, and
 * what is in the bucket of the same join of kind full, make the source. A source that is joined
 * along two dimensions has two buckets, and what is in both counts once; along more it is not
 * asked. Nor are measures of a virtual cube that is joined along a dimension that their own source
 * does not have. */

static bool is_conserved(const vc_laws *laws, const vc_law_measure *measure)
{
    if (!measure->is_additive) return false;
    const vc_cube_source *source =
        &laws->cube->sources[laws->cube->measures[measure->number].source];
    for (size_t d = 0; d < laws->cube->ndimensions; d++)
        if (vc_law_is_joined(laws, measure->part, d) &&
            (vc_law_is_over(laws, measure, d) || source->bindings[d].kind != VC_BIND_RELATION))
            return false;
    return true;
}

/* The buckets of a part in a variant. Returns how many; more than MAX_BUCKETS are not all listed.
 */
static size_t find_buckets(vc_laws *laws, const struct asked *asked, vc_law_pick *picks)
{
    const vc_cube *cube = laws->full[asked->part].cube;
    const vc_law_part *part = &laws->parts[asked->part];
    size_t count = 0;
    for (size_t d = 0; d < cube->ndimensions; d++)
        for (size_t b = 0; b < cube->dimensions[d].nbuckets; b++) {
            const vc_bucket *bucket = &cube->dimensions[d].buckets[b];
            vc_buffer text = {0};
            if (bucket->source < part->first || bucket->source >= part->first + part->count)
                continue;
            /* One that a nested cube has by itself is in its total, whatever the join. */
            if (part->is_nested &&
                !vc_str_equal(cube->sources[bucket->source].bindings[d].join_alias,
                              part->definition->alias))
                continue;
            if (count < MAX_BUCKETS) {
                vc_buffer_put_char(&text, ':');
                vc_law_put_name(&text, bucket->key);
                picks[count] = (vc_law_pick){
                    .dimension = d,
                    .text = vc_arena_str(&laws->work, vc_str_of(vc_buffer_text(&text)))};
                vc_buffer_release(&text);
            }
            count++;
        }
    return count;
}

static vc_law_query ask_bucket(vc_laws *laws, const struct asked *asked, const char *what,
                               const vc_law_pick *buckets, size_t nbuckets)
{
    vc_law_query query = vc_law_begin(what, laws->cube, &laws->full[asked->part]);
    put_virtual(laws, &query, asked);
    for (size_t i = 0; i < nbuckets; i++)
        vc_law_cut(laws, &query, laws->cube->dimensions[buckets[i].dimension].name, &buckets[i]);
    return query;
}

/* left + buckets - both = source, for one row. */
static vc_status compare_parts(vc_laws *laws, vc_law_query *sides, size_t nsides,
                               const vc_law_rows *rows, vc_str key, size_t row)
{
    static const int factors[VC_LAW_SIDES] = {1, -1, 1, 1, -1}; /* left, source, buckets, both */
    size_t nmeasures = sides[0].result->nmeasures;
    for (size_t m = 0; m < nmeasures; m++) {
        vc_law_sum sum = {0};
        vc_str found[VC_LAW_SIDES];
        for (size_t i = 0; i < nsides; i++) {
            const vc_cell *cells =
                row == SIZE_MAX ? sides[i].result->summary : vc_law_rows_find(&rows[i], key);
            const vc_result_measure *measure = &sides[i].result->measures[m];
            vc_law_sum_add(&sum, measure, cells == NULL ? NULL : &cells[m], factors[i]);
            found[i] = vc_law_cell_text(laws, measure, cells == NULL ? NULL : &cells[m]);
        }
        if (vc_law_sum_sign(&sum) == 0) continue;
        vc_str rest = nsides == 2 ? VC_STR("nothing unmatched") : found[2];
        for (size_t i = 3; i < nsides; i++)
            rest = vc_arena_printf(&laws->work, "%.*s %c %.*s", VC_FMT(rest), i == 3 ? '+' : '-',
                                   VC_FMT(found[i]));
        vc_str claim = vc_arena_printf(
            &laws->work, "%.*s of the left join and %.*s unmatched do not make the source's %.*s",
            VC_FMT(found[0]), VC_FMT(rest), VC_FMT(found[1]));
        vc_str place = row == SIZE_MAX ? VC_STR("the total of the selection")
                                       : vc_law_place_text(laws, sides[1].result, row);
        return vc_law_break(laws, sides, nsides, found, sides[0].result->measures[m].name, place,
                            claim);
    }
    return VC_OK;
}

static vc_status compare_conserved(vc_laws *laws, vc_law_query *sides, size_t nsides)
{
    vc_law_rows rows[VC_LAW_SIDES];
    vc_status status = VC_OK;
    for (size_t i = 0; i < nsides && status == VC_OK; i++)
        status = vc_law_rows_make(laws, sides[i].result, NULL, &rows[i]);
    if (status != VC_OK || laws->is_ambiguous) return status;
    status = compare_parts(laws, sides, nsides, rows, (vc_str){0}, SIZE_MAX);
    for (size_t r = 0; status == VC_OK && r < rows[1].nrows && laws->report->breach == NULL; r++)
        status = compare_parts(laws, sides, nsides, rows, rows[1].rows[r].key, rows[1].rows[r].row);
    return status;
}

vc_status vc_law_conservation(vc_laws *laws, bool *asked_out)
{
    struct asked asked = {0};
    vc_list excluded = {0};
    bool can_be;
    vc_status status = begin_joined(laws, &asked, &excluded, is_conserved,
                                    "sum or count that is over no joined dimension", &can_be);
    if (status != VC_OK || !can_be) return status;
    vc_law_pick buckets[MAX_BUCKETS];
    size_t nbuckets = find_buckets(laws, &asked, buckets);
    vc_str alias = laws->parts[asked.part].definition->alias;
    if (nbuckets > MAX_BUCKETS)
        return vc_law_note_put(laws, "source '%.*s': joined along more than two dimensions",
                               VC_FMT(alias));
    if (laws->left.cube == NULL) return vc_law_note_put(laws, "the joins cannot all be left");
    const char *first = nbuckets == 1 ? "what is unmatched" : "what is unmatched by the first key";
    vc_law_query sides[VC_LAW_SIDES] = {
        vc_law_begin("the left join", laws->cube, &laws->left),
        vc_law_begin("the source", laws->parts[asked.part].cube, NULL)};
    size_t nsides = 2 + nbuckets + (nbuckets == 2);
    put_virtual(laws, &sides[0], &asked);
    put_source(laws, &sides[1], &asked, &excluded);
    if (nbuckets > 0) sides[2] = ask_bucket(laws, &asked, first, buckets, 1);
    if (nbuckets == 2) {
        sides[3] = ask_bucket(laws, &asked, "by the second key", buckets + 1, 1);
        sides[4] = ask_bucket(laws, &asked, "by both", buckets, 2);
    }
    for (size_t i = 0; i < nsides && status == VC_OK; i++)
        status = vc_law_ask(laws, &sides[i]);
    if (status != VC_OK || !vc_law_all_answered(laws, sides, nsides)) return status;
    *asked_out = true;
    return compare_conserved(laws, sides, nsides);
}
