/* L5, L6, L7, L8: laws about asking the same cube in several ways. */
#include "query/laws_parts.h"

#include <string.h>

/* ---- any query ---- */

enum { MAX_AXES = 3, MAX_CUTS = 3, MAX_MEASURES = 6, MAX_ROWS = 4000 };

struct any {
    size_t ndrills, ncuts, nmeasures;
    vc_law_pick drills[MAX_AXES], cuts[MAX_CUTS];
    const vc_law_measure *measures[MAX_MEASURES];
};

static bool is_drilled(const struct any *any, size_t dimension)
{
    for (size_t i = 0; i < any->ndrills; i++)
        if (any->drills[i].dimension == dimension) return true;
    return false;
}

static void pick_any(vc_laws *laws, struct any *any, size_t min_drills, size_t min_measures)
{
    const vc_cube *cube = laws->cube;
    size_t ndrills = min_drills + vc_law_below(laws, MAX_AXES),
           ncuts = vc_law_below(laws, MAX_CUTS);
    uint32_t room = MAX_ROWS, nmembers;
    *any = (struct any){0};
    for (size_t tries = 0; tries < 12 && any->ndrills < ndrills && any->ndrills < MAX_AXES;
         tries++) {
        size_t d = vc_law_below(laws, cube->ndimensions);
        if (is_drilled(any, d) ||
            !vc_law_pick_level(laws, d, room, &any->drills[any->ndrills], &nmembers))
            continue;
        any->ndrills++;
        room /= nmembers > 0 ? nmembers : 1;
    }
    for (size_t i = 0; i < ncuts; i++)
        any->ncuts += vc_law_pick_members(laws, vc_law_below(laws, cube->ndimensions),
                                          &any->cuts[any->ncuts]);
    size_t wanted = min_measures + vc_law_below(laws, MAX_MEASURES - min_measures + 1);
    for (size_t tries = 0; tries < wanted * 4 && any->nmeasures < wanted; tries++) {
        const vc_law_measure *measure = &laws->measures[vc_law_below(laws, laws->nmeasures)];
        bool is_new = true;
        for (size_t m = 0; m < any->nmeasures; m++)
            is_new &= any->measures[m] != measure;
        if (is_new) any->measures[any->nmeasures++] = measure;
    }
}

/* axes, measures: the order to ask in; NULL: as picked. */
static vc_law_query ask_any(vc_laws *laws, const struct any *any, const char *what,
                            const vc_law_variant *variant, const size_t *axes,
                            const size_t *measures)
{
    const vc_cube *cube = laws->cube;
    vc_law_query query = vc_law_begin(what, cube, variant);
    for (size_t i = 0; i < any->ncuts; i++)
        vc_law_cut(laws, &query, cube->dimensions[any->cuts[i].dimension].name, &any->cuts[i]);
    for (size_t i = 0; i < any->ndrills; i++) {
        const vc_law_pick *drill = &any->drills[axes == NULL ? i : axes[i]];
        vc_law_drill(&query, cube->dimensions[drill->dimension].name, drill);
    }
    for (size_t i = 0; i < any->nmeasures; i++)
        vc_law_measure_add(&query, any->measures[measures == NULL ? i : measures[i]]->name);
    return query;
}

static vc_status ask_all(vc_laws *laws, vc_law_query *sides, size_t nsides, bool *is_answered)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < nsides && status == VC_OK; i++)
        status = vc_law_ask(laws, &sides[i]);
    *is_answered = status == VC_OK && vc_law_all_answered(laws, sides, nsides);
    return status;
}

/* ---- L5 ----
 *
 * Asked of any query without limit, order and the like: with drilldowns and measures in another
 * order, and, of a virtual cube with two joins or more, with its sources in another order. Sources
 * that `common` names keep theirs among themselves; where buckets of several sources stand in one
 * dimension, functions over members are not asked so. */

static void shuffle(vc_laws *laws, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t other = vc_law_below(laws, i), swap = order[i - 1];
        order[i - 1] = order[other];
        order[other] = swap;
    }
}

static void invert(const size_t *order, size_t n, size_t *inverse)
{
    for (size_t i = 0; i < n; i++)
        inverse[order[i]] = i;
}

/* May the sources stand in another order? Not where a function over members goes along several
 * buckets: which one is before which is the order of the sources. */
static bool may_vary(const vc_laws *laws, const struct any *any)
{
    bool has_calls = false, has_buckets = false;
    for (size_t m = 0; m < any->nmeasures; m++)
        has_calls |= any->measures[m]->has_calls;
    for (size_t d = 0; d < laws->cube->ndimensions; d++)
        has_buckets |= laws->cube->dimensions[d].nbuckets > 1;
    return laws->norders > 0 && !(has_calls && has_buckets);
}

vc_status vc_law_order(vc_laws *laws, bool *asked_out)
{
    struct any any;
    size_t axes[MAX_AXES], measures[MAX_MEASURES], axes_of[MAX_AXES], measures_of[MAX_MEASURES];
    const vc_law_variant *variant = NULL;
    pick_any(laws, &any, 1, 2);
    shuffle(laws, axes, any.ndrills);
    shuffle(laws, measures, any.nmeasures);
    invert(axes, any.ndrills, axes_of);
    invert(measures, any.nmeasures, measures_of);
    if (may_vary(laws, &any) && vc_law_chance(laws, 70))
        variant = &laws->orders[vc_law_below(laws, laws->norders)];
    vc_law_query sides[2] = {
        ask_any(laws, &any, "as it is", NULL, NULL, NULL),
        ask_any(laws, &any,
                variant == NULL ? "in another order" : "with the joins in another order", variant,
                axes, measures)};
    vc_status status = ask_all(laws, sides, 2, asked_out);
    if (!*asked_out) return status;
    const vc_law_matching how = {
        .axes = axes_of,
        .measures = measures_of,
        .has_calculated = variant == NULL, /* the order of sources is that of what they define */
        .claim = "the order changes a number"};
    return vc_law_match(laws, sides, &how);
}

/* ---- L6 ----
 *
 * Asked of any query with two measures or more: the one with a measure less, whichever it is, has
 * no row that the other lacks, and the same numbers, reasons too, where both have one. */

vc_status vc_law_adding(vc_laws *laws, bool *asked_out)
{
    struct any any;
    size_t measures[MAX_MEASURES];
    pick_any(laws, &any, 0, 2);
    if (laws->nmeasures < 2) return vc_law_note_put(laws, "a cube with one measure");
    if (any.nmeasures < 2) return VC_OK; /* the same one again and again */
    struct any fewer = any;
    size_t more = vc_law_below(laws, any.nmeasures);
    fewer.nmeasures--;
    for (size_t i = 0; i < fewer.nmeasures; i++) {
        measures[i] = i < more ? i : i + 1;
        fewer.measures[i] = any.measures[measures[i]];
    }
    vc_law_query sides[2] = {ask_any(laws, &fewer, "without one measure", NULL, NULL, NULL),
                             ask_any(laws, &any, "with it", NULL, NULL, NULL)};
    vc_status status = ask_all(laws, sides, 2, asked_out);
    if (!*asked_out) return status;
    const vc_law_matching how = {.measures = measures,
                                 .may_have_more = true,
                                 .has_calculated = true,
                                 .claim = "another measure changes it, or drops its row"};
    return vc_law_match(laws, sides, &how);
}

/* ---- L7 ----
 *
 * Asked of sums and counts, cut along a dimension that their source has as it is: not through a
 * join, and not the one that the measure is `over`. A and B are members without a leaf in common.
 * Any number of further cuts and drilldowns. Not asked: lookups; numbers of which one is null
 * because the cell has none to show (a total of a dimension without All, below the grain,
 * unrelated). */

static bool is_splittable(const vc_laws *laws, const vc_law_measure *measure, size_t dimension)
{
    const vc_cube_measure *of = &laws->cube->measures[measure->number];
    return measure->is_additive &&
           laws->cube->sources[of->source].bindings[dimension].kind == VC_BIND_IDENTITY &&
           !vc_law_is_over(laws, measure, dimension);
}

/* Members of a dimension in two halves that share no leaf: [0, *middle) and [*middle, count). */
static const char *pick_halves(vc_laws *laws, size_t d, vc_law_members *members, size_t *middle)
{
    const vc_dimension *dimension = laws->cube->dimensions[d].dimension;
    size_t nwords = vc_bits_words(dimension->nleaves);
    if (!vc_law_pick_some(laws, d, 2 + vc_law_below(laws, 5), members) || members->count < 2)
        return "a level with one member";
    *middle = 1 + vc_law_below(laws, members->count - 1);
    const vc_level *level = &dimension->hierarchies[members->hierarchy].levels[members->level];
    uint64_t *halves[2] = {VC_ARENA_NEW(&laws->work, uint64_t, nwords + 1),
                           VC_ARENA_NEW(&laws->work, uint64_t, nwords + 1)};
    if (halves[0] == NULL || halves[1] == NULL) return "no memory";
    for (size_t i = 0; i < members->count; i++)
        vc_level_mark_leaves(dimension, level, members->members[i], halves[i >= *middle]);
    for (size_t w = 0; w < nwords; w++)
        if ((halves[0][w] & halves[1][w]) != 0) return "members that share leaves";
    return NULL;
}

/* a + b = both, for a row of any of them; rows [3] by key. */
static vc_status compare_halves(vc_laws *laws, vc_law_query sides[3], const vc_law_rows *rows,
                                vc_str key, vc_str place)
{
    static const int factors[3] = {1, 1, -1};
    for (size_t m = 0; m < sides[0].result->nmeasures; m++) {
        vc_law_sum sum = {0};
        vc_str found[3];
        bool is_said = true;
        for (size_t i = 0; i < 3; i++) {
            const vc_cell *cells =
                rows == NULL ? sides[i].result->summary : vc_law_rows_find(&rows[i], key);
            const vc_result_measure *measure = &sides[i].result->measures[m];
            vc_law_sum_add(&sum, measure, cells == NULL ? NULL : &cells[m], factors[i]);
            found[i] = vc_law_cell_text(laws, measure, cells == NULL ? NULL : &cells[m]);
            is_said &= cells == NULL || vc_law_cell_counts(&cells[m]);
        }
        if (!is_said || vc_law_sum_sign(&sum) == 0) continue;
        vc_str claim = vc_arena_printf(&laws->work, "%.*s and %.*s do not make %.*s",
                                       VC_FMT(found[0]), VC_FMT(found[1]), VC_FMT(found[2]));
        return vc_law_break(laws, sides, 3, found, sides[0].result->measures[m].name, place, claim);
    }
    return VC_OK;
}

static vc_status compare_split(vc_laws *laws, vc_law_query sides[3])
{
    vc_law_rows rows[3];
    vc_status status = VC_OK;
    for (size_t i = 0; i < 3 && status == VC_OK; i++)
        status = vc_law_rows_make(laws, sides[i].result, NULL, &rows[i]);
    if (laws->is_ambiguous) return status;
    for (size_t i = 0; i < 3; i++)
        for (size_t r = 0; status == VC_OK && r < rows[i].nrows && laws->report->breach == NULL;
             r++)
            status = compare_halves(laws, sides, rows, rows[i].rows[r].key,
                                    vc_law_place_text(laws, sides[i].result, rows[i].rows[r].row));
    if (status != VC_OK || laws->report->breach != NULL) return status;
    return compare_halves(laws, sides, NULL, (vc_str){0}, VC_STR("the total of the selection"));
}

/* The measures that can be split along the dimension, instead of those that were picked. */
static void keep_splittable(vc_laws *laws, struct any *any, size_t dimension)
{
    size_t first = vc_law_below(laws, laws->nmeasures);
    any->nmeasures = 0;
    for (size_t i = 0; i < laws->nmeasures && any->nmeasures < 3; i++) {
        const vc_law_measure *measure = &laws->measures[(first + i) % laws->nmeasures];
        if (is_splittable(laws, measure, dimension)) any->measures[any->nmeasures++] = measure;
    }
}

vc_status vc_law_split(vc_laws *laws, bool *asked_out)
{
    struct any any;
    size_t d = vc_law_below(laws, laws->cube->ndimensions), middle;
    vc_law_members members;
    pick_any(laws, &any, 0, 1);
    keep_splittable(laws, &any, d);
    if (any.nmeasures == 0)
        return vc_law_note_put(laws,
                               "no sum or count has dimension '%.*s' as it is, and is not over it",
                               VC_FMT(laws->cube->dimensions[d].name));
    const char *why = pick_halves(laws, d, &members, &middle);
    if (why != NULL) return vc_law_note_put(laws, "%s", why);
    static const char *const what[3] = {"A", "B", "A or B"};
    const size_t first[3] = {0, middle, 0}, end[3] = {middle, members.count, members.count};
    vc_law_query sides[3];
    for (size_t i = 0; i < 3; i++) {
        vc_law_pick half = {.dimension = d,
                            .text = vc_law_members_text(laws, d, &members, first[i], end[i])};
        sides[i] = ask_any(laws, &any, what[i], NULL, NULL, NULL);
        if (half.text.data == NULL)
            return vc_law_note_put(laws, "a member that has no path of its own");
        vc_law_cut(laws, &sides[i], laws->cube->dimensions[d].name, &half);
    }
    vc_status status = ask_all(laws, sides, 3, asked_out);
    return *asked_out ? compare_split(laws, sides) : status;
}

/* ---- L8 ----
 *
 * Asked of any query, with order, limits and totals too: by all threads, by one, and of a model of
 * the same snapshot that has nothing kept. */

static void put_extras(vc_laws *laws, vc_law_query *query, const struct any *any)
{
    vc_buffer text = {0};
    if (any->ndrills > 0 && vc_law_chance(laws, 40)) vc_law_put(laws, query, "totals", "()");
    if (vc_law_chance(laws, 40)) {
        vc_law_put_name(&text, any->measures[0]->name);
        vc_buffer_put_text(&text, vc_law_chance(laws, 50) ? ":desc" : ":asc");
        vc_law_put(laws, query, "order", vc_buffer_text(&text));
    }
    if (vc_law_chance(laws, 30)) vc_law_put(laws, query, "limit", "7");
    vc_buffer_release(&text);
}

/* All that a result says of rows and notices, numbers to the last bit. */
static vc_status write_plain(void *context, const vc_result *result, vc_buffer *out,
                             vc_error *error)
{
    (void)context;
    for (size_t row = 0; row <= result->nrows; row++) {
        bool is_summary = row == result->nrows;
        const vc_cell *cells =
            is_summary ? result->summary : result->cells + row * result->nmeasures;
        for (size_t a = 0; a < result->naxes && !is_summary; a++) {
            uint32_t at = result->coords[row * result->naxes + a];
            const vc_result_axis *axis = &result->axes[a];
            for (size_t l = 0; l < axis->nlevels && at != VC_NONE; l++) {
                vc_buffer_put_json(out, axis->members[at].keys[l]);
                vc_buffer_put_json(out, axis->members[at].labels[l]);
            }
            vc_buffer_put_char(out, ';');
        }
        for (size_t m = 0; m < result->nmeasures; m++)
            vc_buffer_printf(out, "%lld%c ", cells[m].is_null ? 0LL : (long long)cells[m].as.i,
                             cells[m].reason != 0 ? cells[m].reason : '.');
        vc_buffer_put_char(out, '\n');
    }
    for (size_t i = 0; i < result->nnotices; i++)
        vc_buffer_printf(out, "%s %.*s %llu\n", result->notices[i].code,
                         VC_FMT(result->notices[i].message),
                         (unsigned long long)result->notices[i].count);
    return out->failed ? vc_no_memory(error) : VC_OK;
}

static vc_status write_body(vc_laws *laws, const vc_law_query *query, vc_buffer *out)
{
    if (laws->options->write_body == NULL)
        return write_plain(NULL, query->result, out, laws->error);
    return laws->options->write_body(laws->options->context, query->result, out, laws->error);
}

static vc_status compare_bodies(vc_laws *laws, vc_law_query sides[2])
{
    vc_buffer bodies[2] = {{0}};
    vc_status status = write_body(laws, &sides[0], &bodies[0]);
    if (status == VC_OK) status = write_body(laws, &sides[1], &bodies[1]);
    size_t at = 0;
    while (at < bodies[0].size && at < bodies[1].size && bodies[0].data[at] == bodies[1].data[at])
        at++;
    if (status == VC_OK && (at < bodies[0].size || at < bodies[1].size)) {
        vc_str found[2];
        size_t first = at < 20 ? 0 : at - 20;
        for (size_t i = 0; i < 2; i++) {
            size_t left = bodies[i].size - (first < bodies[i].size ? first : bodies[i].size);
            found[i] = vc_arena_printf(&laws->work, "%.*s", (int)(left < 60 ? left : 60),
                                       vc_buffer_text(&bodies[i]) + bodies[i].size - left);
        }
        vc_str place = vc_arena_printf(&laws->work, "byte %zu of the body", at);
        status = vc_law_break(laws, sides, 2, found, (vc_str){0}, place,
                              VC_STR("the same query on the same snapshot has two bodies"));
    }
    vc_buffer_release(&bodies[0]);
    vc_buffer_release(&bodies[1]);
    return status;
}

vc_status vc_law_snapshot(vc_laws *laws, bool *asked_out)
{
    struct any any;
    pick_any(laws, &any, 0, 1);
    vc_law_query sides[3];
    uint64_t chance = laws->random;
    for (size_t i = 0; i < 3; i++) {
        laws->random = chance; /* the same extras */
        sides[i] = ask_any(laws, &any,
                           i == 0   ? "once"
                           : i == 1 ? "again, by one thread"
                                    : "anew",
                           NULL, NULL, NULL);
        put_extras(laws, &sides[i], &any);
    }
    vc_engine_options alone = laws->options->engine;
    alone.pool = NULL;
    sides[1].side.is_single_threaded = true;
    vc_status status = vc_law_ask(laws, &sides[0]);
    if (status == VC_OK) status = vc_law_ask_of(laws, laws->model, &alone, &sides[1]);
    if (status == VC_OK)
        status = vc_law_ask_of(laws, laws->again, &laws->options->engine, &sides[2]);
    if (status != VC_OK || !vc_law_all_answered(laws, sides, 3)) return status;
    *asked_out = true;
    for (size_t i = 1; i < 3 && status == VC_OK && laws->report->breach == NULL; i++) {
        vc_law_query both[2] = {sides[0], sides[i]};
        status = compare_bodies(laws, both);
    }
    return status;
}
