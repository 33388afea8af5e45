#include "slice/unmatched_guess.h"

#include "base/strmap.h"
#include "mapping/guess.h"

#include <string.h>

enum { MOST_PAIRS = 16, OPTIONS = VC_MAX_SUGGESTIONS + 1 };

struct option { /* a value that a component may have been meant to be */
    uint32_t value;
    const char *why; /* NULL: it is as it is */
    const char *step;
};

struct guessing {
    const vc_join_keys *join;
    vc_arena *arena;
    size_t nkeys;
    vc_guesser *guessers[MOST_PAIRS]; /* NULL: a constant of the primary */
    vc_strmap units;                  /* keys of the primary, as numbers of values */
    struct option options[MOST_PAIRS][OPTIONS];
    size_t noptions[MOST_PAIRS];
    size_t chosen[MOST_PAIRS]; /* the combination at hand */
    unsigned ntried;
    vc_missed_key *key; /* at hand */
    unsigned nguesses[VC_MAX_SUGGESTIONS];
};

/* ---- one index ---- */

static vc_status guess_single(const vc_join_key *pair, vc_missed_key *keys, size_t nkeys,
                              vc_error *error)
{
    vc_guesser *guesser;
    vc_status status = vc_guesser_new(pair->from, &guesser, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < nkeys; i++) {
        vc_guess guesses[VC_MAX_SUGGESTIONS];
        if (keys[i].key->is_excluded) continue;
        keys[i].nsuggestions =
            vc_guesser_ask(guesser, keys[i].key->key, guesses, VC_MAX_SUGGESTIONS);
        for (size_t g = 0; g < keys[i].nsuggestions; g++)
            keys[i].suggestions[g] = (vc_suggestion){
                .key = guesses[g].key, .why = guesses[g].why, .step = guesses[g].step};
    }
    vc_guesser_free(guesser);
    return VC_OK;
}

/* ---- several ---- */

/* The number of a value of an index; VC_NONE when it has none of that text. */
static uint32_t find_value(const vc_index *index, vc_str text)
{
    uint32_t first = 0, end = index->values.count;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (vc_str_compare(vc_texts_get(&index->values, middle), text) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    bool is_there =
        first < index->values.count && vc_str_equal(vc_texts_get(&index->values, first), text);
    return is_there ? first : VC_NONE;
}

/* The keys that members of the primary have. */
static vc_status list_units(struct guessing *in, const vc_relation *relation, vc_error *error)
{
    uint32_t tuple[MOST_PAIRS];
    for (uint32_t unit = 0; unit < relation->nunits; unit++) {
        bool is_whole = true;
        for (size_t i = 0; i < in->nkeys && is_whole; i++) {
            tuple[i] = vc_join_keys_unit_value(in->join, i, unit);
            is_whole = tuple[i] != VC_NONE;
        }
        vc_str bytes = {.data = (const char *)tuple, .size = in->nkeys * sizeof *tuple};
        if (is_whole && vc_strmap_put(&in->units, bytes, NULL) == VC_STRMAP_NONE)
            return vc_no_memory(error);
    }
    return VC_OK;
}

static vc_str found_text(const struct guessing *in, size_t pair, uint32_t leaf)
{
    const vc_join_key *key = &in->join->keys[pair];
    if (key->to == NULL) return key->on->to_constant;
    uint32_t value = vc_join_keys_value(in->join, pair, leaf);
    return value == VC_NONE ? (vc_str){0} : vc_texts_get(&key->to->values, value);
}

/* What a component may have been meant to be; none: nothing comes of the whole key. */
static void find_options(struct guessing *in, size_t pair, vc_str text)
{
    const vc_join_key *key = &in->join->keys[pair];
    size_t n = 0;
    if (key->from == NULL) { /* a constant: it is that or it is not */
        if (vc_str_equal(text, key->on->constant)) in->options[pair][n++] = (struct option){0};
    } else if (!vc_str_is_null(text)) {
        vc_guess guesses[VC_MAX_SUGGESTIONS];
        size_t nguesses = vc_guesser_ask(in->guessers[pair], text, guesses, VC_MAX_SUGGESTIONS);
        uint32_t value = find_value(key->from, text);
        if (value != VC_NONE) in->options[pair][n++] = (struct option){.value = value};
        for (size_t g = 0; g < nguesses; g++) {
            uint32_t meant = find_value(key->from, guesses[g].key);
            if (meant == value) continue; /* of a key that is there it is the first guess */
            in->options[pair][n++] =
                (struct option){.value = meant, .why = guesses[g].why, .step = guesses[g].step};
        }
    }
    in->noptions[pair] = n;
}

static vc_str add_text(const struct guessing *in, vc_str text, const char *between, vc_str more)
{
    if (vc_str_is_null(text)) return more;
    return vc_arena_printf(in->arena, "%.*s%s%.*s", VC_FMT(text), between, VC_FMT(more));
}

/* The combination at hand, put together: "FRA, 2020", "iso3: differs by case". */
static vc_suggestion describe(const struct guessing *in)
{
    vc_str key = {0}, why = {0}, step = {0};
    bool has_steps = true;
    for (size_t i = 0; i < in->nkeys; i++) {
        const vc_join_key *pair = &in->join->keys[i];
        const struct option *option = &in->options[i][in->chosen[i]];
        if (pair->from == NULL) continue;
        key = add_text(in, key, ", ", vc_texts_get(&pair->from->values, option->value));
        if (option->why == NULL) continue;
        vc_str name = pair->from->name;
        why = add_text(in, why, "; ",
                       vc_arena_printf(in->arena, "%.*s: %s", VC_FMT(name), option->why));
        has_steps &= option->step != NULL;
        if (has_steps)
            step = add_text(in, step, "; ",
                            vc_arena_printf(in->arena, "%.*s: %s", VC_FMT(name), option->step));
    }
    return (vc_suggestion){.key = key, .why = why.data, .step = has_steps ? step.data : NULL};
}

/* Keep the combination at hand, if it is a key of the primary: those with fewest guesses first. */
static void offer(struct guessing *in, unsigned nguesses)
{
    uint32_t tuple[MOST_PAIRS];
    vc_missed_key *key = in->key;
    for (size_t i = 0; i < in->nkeys; i++)
        tuple[i] = in->options[i][in->chosen[i]].value;
    vc_str bytes = {.data = (const char *)tuple, .size = in->nkeys * sizeof *tuple};
    if (nguesses == 0 || vc_strmap_find(&in->units, bytes) == VC_STRMAP_NONE) return;
    size_t at = key->nsuggestions;
    while (at > 0 && in->nguesses[at - 1] > nguesses)
        at--;
    if (at == VC_MAX_SUGGESTIONS) return;
    if (key->nsuggestions < VC_MAX_SUGGESTIONS) key->nsuggestions++;
    for (size_t i = key->nsuggestions - 1; i > at; i--) {
        key->suggestions[i] = key->suggestions[i - 1];
        in->nguesses[i] = in->nguesses[i - 1];
    }
    key->suggestions[at] = describe(in);
    in->nguesses[at] = nguesses;
}

static void combine(struct guessing *in, size_t pair, unsigned nguesses)
{
    if (pair == in->nkeys) {
        offer(in, nguesses);
        in->ntried++;
        return;
    }
    for (size_t i = 0; i < in->noptions[pair] && in->ntried < VC_MAX_COMBINATIONS; i++) {
        in->chosen[pair] = i;
        combine(in, pair + 1, nguesses + (in->options[pair][i].why != NULL));
    }
}

static vc_status guess_composite(struct guessing *in, const vc_relation *relation,
                                 vc_missed_key *keys, size_t nkeys, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < in->nkeys && status == VC_OK; i++)
        if (in->join->keys[i].from != NULL)
            status = vc_guesser_new(in->join->keys[i].from, &in->guessers[i], error);
    if (status == VC_OK) status = list_units(in, relation, error);
    for (size_t k = 0; k < nkeys && status == VC_OK; k++) {
        if (keys[k].key->is_excluded) continue;
        in->key = &keys[k];
        in->ntried = 0;
        for (size_t i = 0; i < in->nkeys; i++)
            find_options(in, i, found_text(in, i, keys[k].key->leaf));
        combine(in, 0, 0);
    }
    for (size_t i = 0; i < in->nkeys; i++)
        vc_guesser_free(in->guessers[i]);
    vc_strmap_release(&in->units);
    return status;
}

/* Do the indexes of the primary stand where each unit's value is found without a search? */
static bool is_direct(const vc_join_keys *join, const vc_relation *relation)
{
    for (size_t i = 0; i < join->nkeys; i++) {
        const vc_index *from = join->keys[i].from;
        if (from != NULL && relation->level >= 0 && from->hierarchy != relation->hierarchy)
            return false;
    }
    return true;
}

vc_status vc_missed_guess(const vc_join_keys *join, const vc_relation *relation,
                          vc_missed_key *keys, size_t nkeys, vc_arena *arena, vc_error *error)
{
    if (nkeys == 0 || join->nkeys == 0 || join->nkeys > MOST_PAIRS) return VC_OK;
    if (join->nkeys == 1) return guess_single(&join->keys[0], keys, nkeys, error);
    struct guessing *in = VC_ARENA_NEW(arena, struct guessing, 1);
    if (in == NULL) return vc_no_memory(error);
    if (!is_direct(join, relation)) return VC_OK;
    *in = (struct guessing){.join = join, .arena = arena, .nkeys = join->nkeys};
    return guess_composite(in, relation, keys, nkeys, error);
}
