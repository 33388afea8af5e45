/* L4: the value at a member is at most the sum over its children, equal iff they share nothing. */
#include "query/laws_parts.h"

enum { MAX_CHILDREN_SHOWN = 5000, MAX_NAMED = 300 };

/* ---- L4 ----
 *
 * Asked of sums and counts along any dimension that their source has, in any hierarchy and on any
 * level where the children make up the parent (a ragged hierarchy has others). What must hold:
 *
 *     children share nothing, or have
 *     parts (weighted, allocated)        member = sum of children
 *     they share some leaves, and no
 *     value of the measure is negative   member <= sum of children
 *     ... and nothing else restricts     sum - member = what the source has at leaves that n
 *     the source: by its own facts                      children share, n - 1 times
 *     always                             member = the total beside the children
 *
 * Not asked: lookups; measures that are `over` the dimension; below the grain of a source that is
 * not allocated. */

struct question {
    const vc_law_measure *measure;
    const vc_cube_source *source;
    vc_law_family family;
    vc_law_pick path, level, context; /* the parent, the level of the children, another cut */
    bool is_alone;                    /* nothing but this join restricts the source */
    vc_law_sharing sharing;
    uint32_t times[VC_LAW_TIMES]; /* of each side about what is shared */
};

static bool is_alone(const vc_laws *laws, const struct question *question)
{
    size_t part = question->measure->part;
    if (part == SIZE_MAX || laws->parts[part].is_nested) return false;
    for (size_t d = 0; d < laws->cube->ndimensions; d++) {
        const vc_binding *binding = &question->source->bindings[d];
        bool is_here = d == question->family.dimension;
        if (binding->kind == VC_BIND_RELATION && (!is_here || binding->tuples != NULL))
            return false;
        if (binding->kind != VC_BIND_NONE && laws->cube->dimensions[d].visible != NULL)
            return false;
    }
    return true;
}

/* A measure and a dimension that the law speaks of, at random. */
static bool find_question(vc_laws *laws, struct question *question, bool is_joined)
{
    const vc_cube *cube = laws->cube;
    size_t first = vc_law_below(laws, laws->nmeasures),
           along = vc_law_below(laws, cube->ndimensions);
    for (size_t i = 0; i < laws->nmeasures; i++) {
        const vc_law_measure *measure = &laws->measures[(first + i) % laws->nmeasures];
        if (!measure->is_additive) continue;
        question->measure = measure;
        question->source = &cube->sources[cube->measures[measure->number].source];
        for (size_t j = 0; j < cube->ndimensions; j++) {
            size_t d = (along + j) % cube->ndimensions;
            vc_binding_kind kind = question->source->bindings[d].kind;
            question->family.dimension = d;
            if (kind != VC_BIND_NONE && (!is_joined || kind == VC_BIND_RELATION) &&
                !vc_law_is_over(laws, measure, d))
                return true;
        }
    }
    return false;
}

/* A parent, and its children's level. */
static const char *pick_family(vc_laws *laws, struct question *question)
{
    vc_law_family *family = &question->family;
    const vc_cube_dimension *of = &laws->cube->dimensions[family->dimension];
    vc_law_members some;
    if (!vc_law_pick_some(laws, family->dimension, 1, &some)) return "no members";
    const vc_hierarchy *hierarchy = &of->dimension->hierarchies[some.hierarchy];
    family->hierarchy = some.hierarchy;
    family->level = some.level + 1;
    family->parent = some.members[0];
    if (family->level == hierarchy->nlevels || vc_law_chance(laws, 30)) {
        family->level = 0; /* of All */
        family->parent = VC_NONE;
        question->path = (vc_law_pick){.dimension = family->dimension, .text = VC_STR(":()")};
    } else {
        question->path =
            (vc_law_pick){.dimension = family->dimension,
                          .text = vc_law_members_text(laws, family->dimension, &some, 0, 1)};
        if (question->path.text.data == NULL) return "a member that has no path of its own";
    }
    const vc_level *level = &hierarchy->levels[family->level];
    vc_buffer text = {0};
    if (some.hierarchy > 0) {
        vc_buffer_put_char(&text, '@');
        vc_law_put_name(&text, hierarchy->name);
    }
    vc_buffer_put_char(&text, ':');
    vc_law_put_name(&text, level->name);
    question->level =
        (vc_law_pick){.dimension = family->dimension,
                      .text = vc_arena_str(&laws->work, vc_str_of(vc_buffer_text(&text)))};
    vc_buffer_release(&text);
    return NULL;
}

/* Another dimension of the source, cut. */
static void pick_context(vc_laws *laws, struct question *question)
{
    size_t d = vc_law_below(laws, laws->cube->ndimensions);
    const vc_binding *binding = &question->source->bindings[d];
    question->context.dimension = SIZE_MAX;
    if (d == question->family.dimension || binding->kind == VC_BIND_NONE ||
        vc_law_chance(laws, 50) || !vc_law_pick_members(laws, d, &question->context))
        question->context.dimension = SIZE_MAX;
}

static vc_law_query ask_family(vc_laws *laws, const struct question *question, const char *what)
{
    const vc_cube *cube = laws->cube;
    vc_law_query query = vc_law_begin(what, cube, NULL);
    vc_law_cut(laws, &query, cube->dimensions[question->family.dimension].name, &question->path);
    if (question->context.dimension != SIZE_MAX)
        vc_law_cut(laws, &query, cube->dimensions[question->context.dimension].name,
                   &question->context);
    vc_law_undefault(laws, &query, cube);
    vc_law_measure_add(&query, question->measure->name);
    return query;
}

/* What the source has at leaves that so many children share. False: they cannot be named. */
static bool ask_shared(vc_laws *laws, const struct question *question, uint32_t times,
                       vc_law_query *query)
{
    static const char *const what[VC_LAW_TIMES + 1] = {
        [2] = "the source at what two children share",
        [3] = "the source at what three children share",
        [4] = "the source at what four children share"};
    const vc_law_measure *measure = question->measure;
    const vc_binding *binding = &question->source->bindings[question->family.dimension];
    const vc_dimension *dimension = question->source->cube->dimensions[binding->source_dimension];
    vc_law_pick shared = {
        .text = vc_law_leaves_text(laws, dimension, question->sharing.leaves[times], MAX_NAMED)};
    if (shared.text.data == NULL) return false;
    *query = vc_law_begin(what[times], laws->parts[measure->part].cube, NULL);
    vc_law_cut(laws, query, question->source->cube->dimension_names[binding->source_dimension],
               &shared);
    if (question->context.dimension != SIZE_MAX)
        vc_law_cut(laws, query, vc_law_inner_name(laws, measure->part, question->context.dimension),
                   &question->context);
    for (size_t i = 0; i < measure->cuts.count; i++)
        vc_law_cut_text(laws, query, ((const vc_str *)measure->cuts.items)[i]);
    vc_law_undefault(laws, query, laws->parts[measure->part].cube);
    vc_law_measure_add(query, measure->inner);
    return true;
}

/* A side for all that is shared. Returns how many; 0: nothing is, or it cannot be asked. */
static size_t ask_all_shared(vc_laws *laws, struct question *question, vc_law_query *queries)
{
    size_t nqueries = 0;
    if (!question->is_alone || question->sharing.is_beyond || question->measure->inner.data == NULL)
        return 0;
    for (uint32_t times = 2; times <= VC_LAW_TIMES; times++) {
        if (question->sharing.leaves[times] == NULL) continue;
        if (!ask_shared(laws, question, times, &queries[nqueries])) return 0;
        question->times[nqueries++] = times;
    }
    return nqueries;
}

/* The children's sum, beside the member's value. False: there is nothing to compare, because a cell
 * has no number to show. Children below the grain of which none has a number are such cells, which
 * a sparse answer leaves out: a measure that counts each fact whole is not allocated. */
static bool add_up(const struct question *question, vc_law_query sides[2], vc_law_sum *above,
                   vc_law_sum *children)
{
    const vc_result *member = sides[0].result, *below = sides[1].result;
    vc_law_sum_add(above, &member->measures[0], &member->summary[0], 1);
    if (!vc_law_cell_counts(&member->summary[0])) return false;
    for (size_t row = 0; row < below->ndetail_rows; row++) {
        if (vc_law_row_is_calculated(below, row)) continue;
        if (!vc_law_cell_counts(&below->cells[row])) return false;
        vc_law_sum_add(children, &below->measures[0], &below->cells[row], 1);
    }
    return children->has_scale || !question->sharing.is_allocated;
}

static vc_law_sum combine(const vc_law_sum *a, const vc_law_sum *b, int factor)
{
    vc_law_sum sum = *a;
    sum.is_rough |= b->is_rough || (a->has_scale && b->has_scale && a->scale != b->scale);
    sum.exact += factor * b->exact;
    sum.rough += factor * b->rough;
    sum.size += (factor < 0 ? -factor : factor) * b->size;
    if (!sum.has_scale) sum.scale = b->scale;
    sum.has_scale |= b->has_scale;
    return sum;
}

static vc_str sum_text(vc_laws *laws, const vc_law_sum *sum)
{
    char text[VC_NUMBER_TEXT];
    vc_format_double(text, sum->rough);
    return vc_arena_printf(&laws->work, "%s", text);
}

/* "geo:Europe". */
static vc_str family_text(vc_laws *laws, const struct question *question)
{
    vc_str name = laws->cube->dimensions[question->family.dimension].name;
    return vc_arena_printf(&laws->work, "%.*s%.*s", VC_FMT(name), VC_FMT(question->path.text));
}

static vc_status break_family(vc_laws *laws, const struct question *question, vc_law_query *sides,
                              size_t nsides, const vc_law_sum *sums, const char *claim)
{
    vc_str found[VC_LAW_SIDES];
    for (size_t i = 0; i < nsides; i++)
        found[i] = sum_text(laws, &sums[i]);
    vc_str text = vc_arena_printf(&laws->work, "the member has %.*s, its children %.*s: %s",
                                  VC_FMT(found[0]), VC_FMT(found[1]), claim);
    return vc_law_break(laws, sides, nsides, found, question->measure->name,
                        family_text(laws, question), text);
}

/* Is the total beside the children what the member has alone? */
static vc_status judge_total(vc_laws *laws, const struct question *question, vc_law_query *sides,
                             const vc_law_sum *above)
{
    const vc_result *member = sides[0].result, *children = sides[1].result;
    vc_law_sum total = {0};
    vc_law_sum_add(&total, &children->measures[0], &children->summary[0], 1);
    total = combine(&total, above, -1);
    if (vc_law_sum_sign(&total) == 0) return VC_OK;
    vc_str found[2] = {vc_law_cell_text(laws, &member->measures[0], &member->summary[0]),
                       vc_law_cell_text(laws, &children->measures[0], &children->summary[0])};
    vc_str claim =
        vc_arena_printf(&laws->work, "the member has %.*s, the total beside its children is %.*s",
                        VC_FMT(found[0]), VC_FMT(found[1]));
    return vc_law_break(laws, sides, 2, found, question->measure->name, family_text(laws, question),
                        claim);
}

/* The member, the sum of its children and, where it is known apart, what they share. */
static vc_status judge(vc_laws *laws, const struct question *question, vc_law_query *sides,
                       size_t nsides, vc_law_sum *sums)
{
    vc_law_sum excess = combine(&sums[1], &sums[0], -1);
    int sign = vc_law_sum_sign(&excess);
    if (!question->sharing.is_shared)
        return sign == 0 ? VC_OK
                         : break_family(laws, question, sides, 2, sums,
                                        "they share nothing, so these must be equal");
    vc_law_sum rest = excess;
    for (size_t i = 2; i < nsides; i++) {
        const vc_result *shared = sides[i].result;
        vc_law_sum_add(&sums[i], &shared->measures[0], &shared->summary[0], 1);
        rest = combine(&rest, &sums[i], -(int)(question->times[i - 2] - 1));
    }
    laws->report->nshared += nsides > 2 && sign != 0;
    if (nsides > 2 && vc_law_sum_sign(&rest) != 0)
        return break_family(laws, question, sides, nsides, sums,
                            "they differ by something else than what the children share");
    if (sign < 0 && !question->measure->has_negative)
        return break_family(laws, question, sides, nsides, sums,
                            "the children together have less than the member");
    return VC_OK;
}

vc_status vc_law_children(vc_laws *laws, bool *asked_out)
{
    struct question question = {0};
    vc_law_sum sums[VC_LAW_SIDES] = {{0}};
    /* Joined dimensions more often: there something can be shared. */
    if (!find_question(laws, &question, vc_law_chance(laws, 80)) &&
        !find_question(laws, &question, false))
        return vc_law_note_put(laws, "no sum or count that is not over all its dimensions");
    const char *why = pick_family(laws, &question);
    if (why != NULL) return vc_law_note_put(laws, "%s", why);
    question.is_alone = is_alone(laws, &question);
    pick_context(laws, &question);
    const vc_cube_measure *of = &laws->cube->measures[question.measure->number];
    const vc_binding *binding = &question.source->bindings[question.family.dimension];
    bool is_weighted = of->mode == VC_MODE_WEIGHTED && binding->mode == VC_MODE_WEIGHTED;
    vc_status status =
        vc_law_share(laws, &question.family, binding, is_weighted, &question.sharing);
    if (status != VC_OK) return status;
    if (question.sharing.reason != NULL)
        return vc_law_note_put(laws, "%s", question.sharing.reason);
    vc_law_query sides[VC_LAW_SIDES] = {ask_family(laws, &question, "the member"),
                                        ask_family(laws, &question, "its children")};
    vc_law_drill(&sides[1], laws->cube->dimensions[question.family.dimension].name,
                 &question.level);
    size_t nsides = 2 + ask_all_shared(laws, &question, &sides[2]);
    for (size_t i = 0; i < nsides && status == VC_OK; i++)
        status = vc_law_ask(laws, &sides[i]);
    if (status != VC_OK || !vc_law_all_answered(laws, sides, nsides)) return status;
    if (!add_up(&question, sides, &sums[0], &sums[1]))
        return vc_law_note_put(laws, "no value to compare");
    if (nsides < 3 && question.sharing.is_shared && question.measure->has_negative)
        return vc_law_note_put(laws, "negative values where children share facts");
    *asked_out = true;
    status = judge_total(laws, &question, sides, &sums[0]);
    if (status != VC_OK || laws->report->breach != NULL) return status;
    return judge(laws, &question, sides, nsides, sums);
}
