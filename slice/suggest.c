#include "slice/suggest.h"

#include "slice/plan.h"
#include "slice/suggest_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_BITS = 20,        /* chance would do it once in a million times */
    LEAST_KEYS = 3,         /* fewer say nothing, however long they are */
    MOST_OF_DIMENSIONS = 3, /* pairs of the same two dimensions that are shown */
};

static const double least_share = 0.2, chosen_score = 0.5;

enum passed {
    PASSED_FEW,
    PASSED_SHARE,
    PASSED_CHANCE,
    PASSED_TIME,
    PASSED_SHARED,
    PASSED_SAME,
    PASSED_BETTER,
    PASSED_LARGE,
    NPASSED
};

static const char *const passed_why[NPASSED] = {
    [PASSED_FEW] = "fewer than three keys meet, and the names do not speak for it",
    [PASSED_SHARE] = "less than a fifth of the keys meets on either side",
    [PASSED_CHANCE] = "as many would meet by chance, and the names do not speak for it",
    [PASSED_TIME] = "a level of time beside keys that are not called so",
    [PASSED_SHARED] = "the dimension is shared: it is common without a join",
    [PASSED_SAME] = "another key of the same members does as well",
    [PASSED_BETTER] = "three better pairs join the same dimensions",
    [PASSED_LARGE] = "more than 4,194,304 distinct keys",
};

struct suggesting {
    vc_model *model;
    const vc_cube *primary, *joined;
    vc_arena *arena; /* of the answer */
    vc_arena work;
    vc_suggest_index *from, *to;
    size_t nfrom, nto;
    bool *is_shared_from, *is_shared_to; /* [ndimensions] common by name */
    vc_suggest_candidate *candidates;
    size_t ncandidates;
    uint64_t ntried;
    vc_suggest_passed passed[NPASSED];
};

/* ---- the indexes of a cube ---- */

static vc_index_kind kind_of(const vc_dimension *dimension, const vc_index *index)
{
    if (index->is_implicit &&
        (vc_str_is(index->name, "key") || vc_str_equal(index->name, dimension->key_name)))
        return VC_INDEX_KEY;
    if (index->hierarchy < 0) return VC_INDEX_ATTRIBUTE;
    const vc_hierarchy *hierarchy = &dimension->hierarchies[index->hierarchy];
    vc_str level = hierarchy->levels[index->level].name;
    return vc_str_equal(index->name, level) ? VC_INDEX_LEVEL : VC_INDEX_ATTRIBUTE;
}

/* Do two indexes of a dimension give the same keys to the same leaves, as `key` and the lowest
 * level often do? *same_out. */
static vc_status compare_indexes(const vc_dimension *dimension, const vc_index *a,
                                 const vc_index *b, bool *same_out, vc_error *error)
{
    vc_arena work = {0};
    uint32_t *x, *y, n = a->values.count;
    *same_out = false;
    if (n != b->values.count) return VC_OK;
    for (uint32_t value = 0; value < n; value++)
        if (!vc_str_equal(vc_texts_get(&a->values, value), vc_texts_get(&b->values, value)))
            return VC_OK;
    vc_status status = vc_index_leaf_values(dimension, a, &work, &x, error);
    if (status == VC_OK) status = vc_index_leaf_values(dimension, b, &work, &y, error);
    if (status == VC_OK) *same_out = memcmp(x, y, (size_t)dimension->nleaves * sizeof *x) == 0;
    vc_arena_release(&work);
    return status;
}

static vc_status is_repeated(const vc_suggest_index *list, size_t count,
                             const vc_cube_dimension *outer, const vc_index *index, bool *is_out,
                             vc_error *error)
{
    vc_status status = VC_OK;
    *is_out = false;
    for (size_t i = 0; i < count && status == VC_OK && !*is_out; i++)
        if (list[i].outer == outer)
            status = compare_indexes(outer->dimension, list[i].side.index, index, is_out, error);
    return status;
}

/* Is it `key` of a dimension whose leaves have no key? Then it is its lowest level, which has a
 * better name. */
static bool is_level_in_disguise(const vc_index *index)
{
    return index->is_implicit && index->hierarchy >= 0 && vc_str_is(index->name, "key");
}

/* Members of the index that are further places of a leaf. */
static uint32_t count_doubles(const vc_dimension *dimension, const vc_index *index)
{
    uint32_t count = 0, nleaves = vc_dimension_count_leaves(dimension);
    if (dimension->ndoubles == 0 || index->hierarchy >= 0) return 0;
    for (uint32_t i = 0; i < vc_numbers_get(index->offsets, index->values.count); i++)
        count += index->members[i] >= nleaves;
    return count;
}

/* Each index whose keys could join something; of several that say the same the first. */
static vc_status list_indexes(struct suggesting *in, const vc_cube *cube, vc_suggest_index **out,
                              size_t *count_out, vc_error *error)
{
    size_t most = 0;
    for (size_t d = 0; d < cube->ndimensions; d++)
        most += cube->dimensions[d].dimension->nindexes;
    vc_suggest_index *list = VC_ARENA_NEW(&in->work, vc_suggest_index, most + 1);
    if (list == NULL) return vc_no_memory(error);
    *out = list;
    for (size_t d = 0; d < cube->ndimensions; d++) {
        const vc_cube_dimension *outer = &cube->dimensions[d];
        for (unsigned i = 0; i < outer->dimension->nindexes; i++) {
            const vc_index *index = &outer->dimension->indexes[i];
            vc_suggest_index *at = &list[*count_out];
            bool is_known;
            vc_status status = is_repeated(list, *count_out, outer, index, &is_known, error);
            if (status != VC_OK) return status;
            if (is_known || is_level_in_disguise(index)) continue;
            *at = (vc_suggest_index){
                .dimension = d, .outer = outer, .kind = kind_of(outer->dimension, index)};
            at->is_time = outer->dimension->is_time && at->kind != VC_INDEX_ATTRIBUTE;
            vc_pairing_side_init(&at->side, index);
            at->side.profile.nmembers -= count_doubles(outer->dimension, index);
            /* One key joins nothing; numbers with fractions are measured. */
            if (at->side.profile.nvalues > 1 && at->side.profile.look != VC_LOOK_NUMBER)
                ++*count_out;
        }
    }
    return VC_OK;
}

static void release_indexes(struct suggesting *in)
{
    for (size_t i = 0; i < in->nfrom; i++)
        vc_pairing_side_release(&in->from[i].side);
    for (size_t i = 0; i < in->nto; i++)
        vc_pairing_side_release(&in->to[i].side);
    vc_arena_release(&in->work);
}

/* ---- a pair ---- */

static vc_str shared_name(const vc_cube *cube, size_t dimension)
{
    const vc_cube_source *owner = &cube->sources[cube->dimensions[dimension].owner];
    if (!vc_cube_source_is_own(cube, owner, dimension)) return (vc_str){0};
    size_t number = owner->bindings[dimension].source_dimension;
    return owner->cube->definition->as.cube.dimensions[number].shared;
}

/* Would a virtual cube of both have the dimension in common by its name? */
static bool is_shared(const struct suggesting *in, size_t from, size_t to)
{
    vc_str a = shared_name(in->primary, from), b = shared_name(in->joined, to);
    return !in->joined->is_virtual && !vc_str_is_null(a) && vc_str_equal(a, b) &&
           vc_str_equal(in->primary->dimensions[from].name, in->joined->dimensions[to].name);
}

static vc_status find_shared(struct suggesting *in, vc_error *error)
{
    in->is_shared_from = VC_ARENA_NEW(&in->work, bool, in->primary->ndimensions + 1);
    in->is_shared_to = VC_ARENA_NEW(&in->work, bool, in->joined->ndimensions + 1);
    if (in->is_shared_from == NULL || in->is_shared_to == NULL) return vc_no_memory(error);
    for (size_t f = 0; f < in->primary->ndimensions; f++)
        for (size_t t = 0; t < in->joined->ndimensions; t++)
            if (is_shared(in, f, t)) in->is_shared_from[f] = in->is_shared_to[t] = true;
    return VC_OK;
}

static void pass_over(struct suggesting *in, enum passed why, const vc_suggest_index *from,
                      const vc_suggest_index *to)
{
    vc_suggest_passed *passed = &in->passed[why];
    passed->count++;
    if (passed->nexamples == VC_SUGGEST_PASSED) return;
    vc_str a = from->side.index->name, b = to->side.index->name;
    passed->examples[passed->nexamples++] =
        vc_arena_printf(in->arena, "%.*s.%.*s = %.*s.%.*s", VC_FMT(from->outer->name), VC_FMT(a),
                        VC_FMT(to->outer->name), VC_FMT(b));
}

static double share_of(uint32_t matched, uint32_t nkeys, uint32_t nexcluded)
{
    return nkeys > nexcluded ? (double)matched / (nkeys - nexcluded) : 0;
}

/* The share of members that have a key at all: of a partial index few do. */
static double keyed_share(const vc_suggest_index *at)
{
    const vc_index *index = at->side.index;
    const vc_dimension *dimension = at->outer->dimension;
    uint32_t nmembers =
        index->hierarchy < 0
            ? vc_dimension_count_leaves(dimension)
            : dimension->hierarchies[index->hierarchy].levels[index->level].nmembers;
    return share_of(at->side.profile.nmembers, nmembers, 0);
}

static bool stands_on_leaves(const vc_suggest_index *at)
{
    const vc_index *index = at->side.index;
    const vc_dimension *dimension = at->outer->dimension;
    return index->hierarchy < 0 ||
           dimension->hierarchies[index->hierarchy].levels[index->level].nmembers ==
               vc_dimension_count_leaves(dimension);
}

/* Does each key stand for one leaf? Keys of a level above may be unique, and say less. */
static bool tells_leaves(const vc_suggest_index *at)
{
    return vc_profile_is_unique(&at->side.profile) && stands_on_leaves(at);
}

static double score_of(const vc_suggest_candidate *candidate)
{
    const vc_profile *from = &candidate->from->side.profile, *to = &candidate->to->side.profile;
    const vc_pairing *pairing = &candidate->pairing;
    double a = share_of(pairing->from_matched, from->nvalues, pairing->from_excluded);
    double b = share_of(pairing->to_matched, to->nvalues, pairing->to_excluded);
    int nunique = tells_leaves(candidate->from) + tells_leaves(candidate->to);
    double score = fmin(0.75 * fmax(a, b) + 0.25 * fmin(a, b), 1);
    score *= nunique == 2 ? 1 : nunique == 1 ? 0.97 : 0.75;
    score *= 0.8 + 0.2 * fmin(keyed_share(candidate->from), keyed_share(candidate->to));
    if (pairing->from_form == VC_FORM_CODE_NAME || pairing->to_form == VC_FORM_CODE_NAME)
        score *= 0.98; /* names change more often than codes */
    return candidate->is_by_name ? 0.9 * score : score;
}

/* Years of two dimensions of time meet because they are years. */
static bool are_years(const vc_suggest_candidate *candidate)
{
    const vc_profile *a = &candidate->from->side.profile, *b = &candidate->to->side.profile;
    return candidate->is_time && a->look == VC_LOOK_WHOLE && b->look == VC_LOOK_WHOLE &&
           a->least >= 1000 && b->least >= 1000 && a->greatest < 3000 && b->greatest < 3000;
}

/* What speaks against a pair of which something meets; NPASSED: nothing. */
static enum passed judge(const struct suggesting *in, vc_suggest_candidate *candidate)
{
    const vc_suggest_index *from = candidate->from, *to = candidate->to;
    const vc_pairing *pairing = &candidate->pairing;
    uint32_t fewest =
        pairing->from_matched < pairing->to_matched ? pairing->from_matched : pairing->to_matched;
    bool is_alike = vc_suggest_names_alike(from, to);
    double a = share_of(pairing->from_matched, from->side.profile.nvalues, pairing->from_excluded);
    double b = share_of(pairing->to_matched, to->side.profile.nvalues, pairing->to_excluded);
    candidate->is_shared = is_shared(in, from->dimension, to->dimension);
    candidate->is_time = from->is_time && to->is_time;
    if (in->is_shared_from[from->dimension] || in->is_shared_to[to->dimension])
        return candidate->is_shared && vc_str_equal(from->side.index->name, to->side.index->name)
                   ? NPASSED
                   : PASSED_SHARED;
    if (a < least_share && b < least_share) return PASSED_SHARE;
    if (from->is_time != to->is_time && !is_alike) return PASSED_TIME;
    if (fewest < LEAST_KEYS && !is_alike) return PASSED_FEW;
    bool is_surprising = pairing->bits >= LEAST_BITS && fewest >= LEAST_KEYS;
    candidate->is_by_name = !is_surprising && !are_years(candidate);
    return candidate->is_by_name && !is_alike ? PASSED_CHANCE : NPASSED;
}

static vc_status try_pair(struct suggesting *in, vc_suggest_index *from, vc_suggest_index *to,
                          vc_error *error)
{
    vc_suggest_candidate candidate = {.from = from, .to = to};
    if (from->side.profile.nvalues > VC_PAIRING_VALUES ||
        to->side.profile.nvalues > VC_PAIRING_VALUES) {
        pass_over(in, PASSED_LARGE, from, to);
        return VC_OK;
    }
    in->ntried++;
    vc_status status = vc_pairing_try(&from->side, &to->side, &candidate.pairing, error);
    if (status != VC_OK || candidate.pairing.from_matched == 0) return status;
    enum passed why = judge(in, &candidate);
    if (why != NPASSED) {
        pass_over(in, why, from, to);
        return VC_OK;
    }
    candidate.score = score_of(&candidate);
    in->candidates[in->ncandidates++] = candidate;
    return VC_OK;
}

static vc_status try_all(struct suggesting *in, const vc_engine_options *options, vc_error *error)
{
    in->candidates = VC_ARENA_NEW(&in->work, vc_suggest_candidate, in->nfrom * in->nto + 1);
    if (in->candidates == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->nfrom; i++) {
        if (options->is_cancelled != NULL && options->is_cancelled(options->context))
            return vc_fail(error, VC_CANCELLED, "cancelled", "the client went away");
        for (size_t j = 0; j < in->nto; j++) {
            vc_status status = try_pair(in, &in->from[i], &in->to[j], error);
            if (status != VC_OK) return status;
        }
    }
    return VC_OK;
}

/* ---- ranks ---- */

/* Scores that are nearly equal: keys that meet as they are first, then the plainer form, then in
 * the order of the cubes. */
static int compare_candidates(const void *a, const void *b)
{
    const vc_suggest_candidate *x = a, *y = b;
    double a_score = round(x->score * 100), b_score = round(y->score * 100);
    if (a_score != b_score) return a_score > b_score ? -1 : 1;
    if (x->from->kind != y->from->kind && x->is_shared && y->is_shared)
        return x->from->kind < y->from->kind ? -1 : 1;
    if (x->pairing.plain_matched != y->pairing.plain_matched)
        return x->pairing.plain_matched > y->pairing.plain_matched ? -1 : 1;
    if (x->pairing.from_form != y->pairing.from_form)
        return x->pairing.from_form < y->pairing.from_form ? -1 : 1;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static bool is_of_same(const vc_suggest_candidate *a, const vc_suggest_candidate *b)
{
    return a->from->dimension == b->from->dimension && a->to->dimension == b->to->dimension;
}

/* Would they find the same members? Each of a dimension's unique keys (two letters, three letters,
 * the name) stands for a leaf; other indexes only for themselves. */
static bool is_alike(const vc_suggest_index *a, const vc_suggest_index *b)
{
    if (a == b) return true;
    return tells_leaves(a) && tells_leaves(b) && !a->side.index->is_partial &&
           !b->side.index->is_partial;
}

/* Of the same two dimensions a few; of pairs that come to the same, or of a shared dimension, the
 * best. */
static void thin_out(struct suggesting *in)
{
    size_t kept = 0;
    for (size_t i = 0; i < in->ncandidates; i++) {
        const vc_suggest_candidate candidate = in->candidates[i];
        size_t nsame = 0;
        bool is_same_join = false;
        for (size_t k = 0; k < kept; k++) {
            const vc_suggest_candidate *better = &in->candidates[k];
            nsame += is_of_same(better, &candidate);
            is_same_join |= is_of_same(better, &candidate) &&
                            is_alike(better->from, candidate.from) &&
                            is_alike(better->to, candidate.to);
        }
        if (nsame > 0 && candidate.is_shared)
            pass_over(in, PASSED_SHARED, candidate.from, candidate.to);
        else if (is_same_join)
            pass_over(in, PASSED_SAME, candidate.from, candidate.to);
        else if (nsame >= MOST_OF_DIMENSIONS)
            pass_over(in, PASSED_BETTER, candidate.from, candidate.to);
        else
            in->candidates[kept++] = candidate;
    }
    in->ncandidates = kept;
}

/* ---- the definition ---- */

/* The best pair for each dimension of either side. Where dimensions are shared they are common
 * anyhow, and what else meets is left to people: each further pair narrows what is joined. */
static vc_status choose(struct suggesting *in, vc_suggest *suggest, vc_error *error)
{
    bool *is_from = in->is_shared_from, *is_to = in->is_shared_to;
    bool is_shared = false;
    vc_suggest_on *on = VC_ARENA_NEW(in->arena, vc_suggest_on, in->joined->ndimensions + 1);
    if (on == NULL) return vc_no_memory(error);
    suggest->on = on;
    for (size_t t = 0; t < in->joined->ndimensions; t++)
        is_shared |= is_to[t];
    for (size_t i = 0; i < in->ncandidates && !is_shared; i++) {
        vc_suggest_candidate *candidate = &in->candidates[i];
        size_t f = candidate->from->dimension, t = candidate->to->dimension;
        if (is_from[f] || is_to[t] || candidate->score < chosen_score) continue;
        is_from[f] = is_to[t] = candidate->is_chosen = true;
        vc_status status = vc_suggest_write_on(candidate, in->arena, &on[suggest->non++], error);
        if (status != VC_OK) return status;
    }
    suggest->has_definition = is_shared || suggest->non > 0;
    return VC_OK;
}

static bool has_dimension(const vc_cube *cube, vc_str name)
{
    for (size_t d = 0; d < cube->ndimensions; d++)
        if (vc_str_equal(cube->dimensions[d].name, name)) return true;
    return false;
}

/* Dimensions of the joined cube that neither are joined nor may keep their names. */
static vc_status rename_rest(struct suggesting *in, const bool *is_used, vc_suggest *suggest,
                             vc_error *error)
{
    vc_suggest_rename *renames =
        VC_ARENA_NEW(in->arena, vc_suggest_rename, in->joined->ndimensions + 1);
    vc_str *no_alls = VC_ARENA_NEW(in->arena, vc_str, in->joined->ndimensions + 1);
    if (renames == NULL || no_alls == NULL) return vc_no_memory(error);
    suggest->renames = renames;
    suggest->no_alls = no_alls;
    for (size_t d = 0; d < in->joined->ndimensions; d++) {
        const vc_cube_dimension *outer = &in->joined->dimensions[d];
        if (is_used[d]) continue;
        if (!outer->is_aggregatable && vc_str_is_null(outer->default_member))
            no_alls[suggest->nno_alls++] = outer->name;
        if (!has_dimension(in->primary, outer->name)) continue;
        vc_str name =
            vc_arena_printf(in->arena, "%.*s_%.*s", VC_FMT(suggest->alias), VC_FMT(outer->name));
        if (name.data == NULL) return vc_no_memory(error);
        renames[suggest->nrenames++] = (vc_suggest_rename){.from = outer->name, .to = name};
    }
    return VC_OK;
}

/* ---- all of it ---- */

static vc_status describe(struct suggesting *in, const vc_suggest_query *query,
                          const vc_engine_options *options, vc_suggest *suggest, vc_error *error)
{
    size_t n = in->ncandidates < query->limit ? in->ncandidates : query->limit;
    vc_suggest_pair *pairs = VC_ARENA_NEW(in->arena, vc_suggest_pair, n + 1);
    vc_suggest_passed *passed = VC_ARENA_NEW(in->arena, vc_suggest_passed, NPASSED);
    vc_status status = pairs == NULL || passed == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK) status = choose(in, suggest, error);
    if (status == VC_OK) status = rename_rest(in, in->is_shared_to, suggest, error);
    for (size_t i = 0; i < n && status == VC_OK; i++)
        status = vc_suggest_detail(in->model, suggest, &in->candidates[i], query, options,
                                   in->arena, &pairs[i], error);
    if (status != VC_OK) return status;
    suggest->pairs = pairs;
    suggest->npairs = n;
    suggest->nall = in->ncandidates;
    suggest->passed = passed;
    for (int why = 0; why < NPASSED; why++) {
        if (in->passed[why].count == 0) continue;
        passed[suggest->npassed] = in->passed[why];
        passed[suggest->npassed++].why = passed_why[why];
    }
    for (size_t i = 0; i < in->nfrom; i++)
        suggest->nbytes += vc_pairing_side_bytes(&in->from[i].side);
    for (size_t i = 0; i < in->nto; i++)
        suggest->nbytes += vc_pairing_side_bytes(&in->to[i].side);
    suggest->nindexes = in->nfrom + in->nto;
    suggest->ntried = in->ntried;
    return VC_OK;
}

static vc_status run(struct suggesting *in, const vc_suggest_query *query,
                     const vc_engine_options *options, vc_suggest *suggest, vc_error *error)
{
    vc_status status = list_indexes(in, in->primary, &in->from, &in->nfrom, error);
    if (status == VC_OK) status = list_indexes(in, in->joined, &in->to, &in->nto, error);
    if (status == VC_OK) status = find_shared(in, error);
    if (status == VC_OK) status = try_all(in, options, error);
    if (status != VC_OK) return status;
    if (in->ncandidates > 1)
        qsort(in->candidates, in->ncandidates, sizeof *in->candidates, compare_candidates);
    thin_out(in);
    return describe(in, query, options, suggest, error);
}

vc_status vc_suggest_run(vc_model *model, const vc_cube *primary, const vc_suggest_query *query,
                         const vc_engine_options *options, vc_arena *arena,
                         const vc_suggest **suggest_out, vc_error *error)
{
    vc_engine_options filled = vc_engine_defaults(options);
    struct suggesting in = {.model = model, .primary = primary, .arena = arena};
    vc_suggest *suggest = VC_ARENA_NEW(arena, vc_suggest, 1);
    if (suggest == NULL) return vc_no_memory(error);
    vc_status status = vc_model_cube(model, query->with, &in.joined, error);
    if (status != VC_OK) return status;
    suggest->primary = primary;
    suggest->joined = in.joined;
    suggest->alias = in.joined->name;
    if (vc_str_equal(primary->name, in.joined->name))
        suggest->alias = vc_arena_printf(arena, "%.*s_2", VC_FMT(primary->name));
    status = suggest->alias.data == NULL ? vc_no_memory(error)
                                         : run(&in, query, &filled, suggest, error);
    release_indexes(&in);
    *suggest_out = suggest;
    return status;
}

const char *vc_suggest_cardinality(const vc_suggest_pair *pair)
{
    if (pair->has_many_from) return pair->has_many_to ? "many-many" : "many-one";
    return pair->has_many_to ? "one-many" : "one-one";
}
