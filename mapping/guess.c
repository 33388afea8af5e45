#include "mapping/guess.h"

#include "base/strmap.h"
#include "mapping/codelist.h"
#include "mapping/normalize.h"

#include <stdlib.h>
#include <string.h>

/* How a key is changed before it is looked up: keys that become equal were perhaps meant equal. */
static const struct form {
    const char *steps; /* JSON; NULL: zeros in front are taken off */
    const char *why, *step;
} forms[] = {
    {"[\"trim\",\"collapse_space\"]", "differs by spaces", "trim, collapse_space"},
    {"[\"casefold\"]", "differs by case", "casefold"},
    {"[\"trim\",\"collapse_space\",\"nfc\",\"casefold\"]", "differs by case and spaces",
     "trim, collapse_space, nfc, casefold"},
    {NULL, "differs by zeros in front", "pad_left"},
};

enum { NFORMS = sizeof forms / sizeof forms[0], MOST_SPELLED = 65536 };

struct vc_guesser {
    const vc_index *index;
    vc_arena arena;
    vc_normalizer *normalizers[NFORMS];
    vc_strmap maps[NFORMS];   /* form of a key -> number */
    uint32_t *firsts[NFORMS]; /* [numbers] the first value of that form */
    const vc_codelist *list;  /* NULL: its keys are no codes */
    uint32_t *of_code;        /* [codes] a value that is the code, or VC_NONE */
};

static vc_str strip_zeros(vc_str key)
{
    if (!vc_str_is_number(key)) return key;
    while (key.size > 1 && key.data[0] == '0') {
        key.data++;
        key.size--;
    }
    return key;
}

/* The form of a key; absent when it has none. */
static vc_str form_of(const vc_guesser *guesser, size_t form, vc_str key, vc_arena *arena,
                      vc_key_list *list)
{
    if (guesser->normalizers[form] == NULL) return strip_zeros(key);
    if (vc_normalizer_apply(guesser->normalizers[form], key, arena, list, NULL) != VC_OK ||
        list->count != 1 || list->keys[0].state != VC_KEY_OK)
        return (vc_str){0};
    return list->keys[0].text;
}

static vc_status fill_form(vc_guesser *guesser, size_t form, vc_error *error)
{
    uint32_t nvalues = guesser->index->values.count;
    vc_arena work = {0};
    vc_key_list list = {0};
    vc_status status = VC_OK;
    guesser->firsts[form] = VC_ARENA_NEW(&guesser->arena, uint32_t, (size_t)nvalues + 1);
    if (guesser->firsts[form] == NULL) return vc_no_memory(error);
    for (uint32_t value = 0; value < nvalues && status == VC_OK; value++) {
        bool is_new;
        vc_str text =
            form_of(guesser, form, vc_texts_get(&guesser->index->values, value), &work, &list);
        if (vc_str_is_null(text)) continue;
        uint32_t number = vc_strmap_put(&guesser->maps[form], text, &is_new);
        if (number == VC_STRMAP_NONE)
            status = vc_no_memory(error);
        else if (is_new)
            guesser->firsts[form][number] = value;
    }
    vc_arena_release(&work);
    return status;
}

/* By code or by name, whatever alias set it takes. */
static const vc_code *find_code(const vc_codelist *list, vc_str key, vc_code_match *match)
{
    vc_code_options options = {.alias_sets = UINT32_MAX};
    if (vc_codelist_find(list, key, &options, match) == VC_CODE_NONE) {
        options.form = VC_FORM_NAME;
        vc_codelist_find(list, key, &options, match);
    }
    return match->code;
}

static size_t number_of_code(const vc_codelist *list, const vc_code *code)
{
    return (size_t)(code - vc_codelist_at(list, 0));
}

/* Only where at least half of the keys are codes: else "AL" may be Alabama. */
static vc_status fill_codes(vc_guesser *guesser, vc_error *error)
{
    const vc_codelist *list = vc_codelist_get(VC_STR("iso3166-1"));
    uint32_t nvalues = guesser->index->values.count, nfound = 0;
    size_t ncodes = vc_codelist_count(list);
    guesser->of_code = vc_arena_alloc(&guesser->arena, (ncodes + 1) * sizeof *guesser->of_code);
    if (guesser->of_code == NULL) return vc_no_memory(error);
    memset(guesser->of_code, 0xFF, (ncodes + 1) * sizeof *guesser->of_code);
    for (uint32_t value = 0; value < nvalues; value++) {
        vc_code_match match;
        const vc_code *code = find_code(list, vc_texts_get(&guesser->index->values, value), &match);
        if (code == NULL) continue;
        nfound++;
        size_t number = number_of_code(list, code);
        if (number < ncodes && guesser->of_code[number] == VC_NONE)
            guesser->of_code[number] = value;
    }
    if (nfound * 2 >= nvalues && nfound > 0) guesser->list = list;
    return VC_OK;
}

static vc_status parse_form(vc_guesser *guesser, size_t form, vc_error *error)
{
    if (forms[form].steps == NULL) return VC_OK;
    json_t *steps = json_loads(forms[form].steps, 0, NULL);
    if (steps == NULL) return vc_no_memory(error);
    vc_status status = vc_normalizer_parse(steps, NULL, &guesser->normalizers[form], error);
    json_decref(steps);
    return status;
}

vc_status vc_guesser_new(const vc_index *index, vc_guesser **guesser_out, vc_error *error)
{
    vc_guesser *guesser = calloc(1, sizeof *guesser);
    vc_status status = VC_OK;
    if (guesser == NULL) return vc_no_memory(error);
    guesser->index = index;
    for (size_t form = 0; form < NFORMS && status == VC_OK; form++) {
        status = parse_form(guesser, form, error);
        if (status == VC_OK) status = fill_form(guesser, form, error);
    }
    if (status == VC_OK) status = fill_codes(guesser, error);
    if (status != VC_OK) {
        vc_guesser_free(guesser);
        return status;
    }
    *guesser_out = guesser;
    return VC_OK;
}

void vc_guesser_free(vc_guesser *guesser)
{
    if (guesser == NULL) return;
    for (size_t form = 0; form < NFORMS; form++) {
        vc_normalizer_free(guesser->normalizers[form]);
        vc_strmap_release(&guesser->maps[form]);
    }
    vc_arena_release(&guesser->arena);
    free(guesser);
}

/* ---- ask ---- */

struct answers {
    vc_guess *items;
    size_t count, max;
};

static void offer(struct answers *answers, vc_str key, const char *why, const char *step)
{
    for (size_t i = 0; i < answers->count; i++)
        if (vc_str_equal(answers->items[i].key, key)) return;
    if (answers->count < answers->max)
        answers->items[answers->count++] = (vc_guess){.key = key, .why = why, .step = step};
}

static void ask_forms(const vc_guesser *guesser, vc_str key, struct answers *answers)
{
    vc_arena work = {0};
    vc_key_list list = {0};
    for (size_t form = 0; form < NFORMS; form++) {
        vc_str text = form_of(guesser, form, key, &work, &list);
        if (vc_str_is_null(text)) continue;
        uint32_t number = vc_strmap_find(&guesser->maps[form], text);
        if (number == VC_STRMAP_NONE) continue;
        vc_str found = vc_texts_get(&guesser->index->values, guesser->firsts[form][number]);
        if (!vc_str_equal(found, key)) offer(answers, found, forms[form].why, forms[form].step);
    }
    vc_arena_release(&work);
}

static void offer_code(const vc_guesser *guesser, const vc_code *code, const char *why,
                       const char *step, struct answers *answers)
{
    size_t number = number_of_code(guesser->list, code);
    if (number >= vc_codelist_count(guesser->list) || guesser->of_code[number] == VC_NONE) return;
    offer(answers, vc_texts_get(&guesser->index->values, guesser->of_code[number]), why, step);
}

static vc_str trim(vc_str key)
{
    while (key.size > 0 && key.data[0] == ' ') {
        key.data++;
        key.size--;
    }
    while (key.size > 0 && key.data[key.size - 1] == ' ')
        key.size--;
    return key;
}

static void ask_codes(const vc_guesser *guesser, vc_str key, struct answers *answers)
{
    vc_code_match match;
    if (guesser->list == NULL) return;
    const vc_code *code = find_code(guesser->list, trim(key), &match);
    for (unsigned i = 0; i < match.ncandidates; i++)
        offer_code(guesser, match.candidates[i], "a code that has meant several", NULL, answers);
    if (code == NULL || match.kind == VC_CODE_AGGREGATE) return;
    if (match.kind != VC_CODE_WITHDRAWN) {
        offer_code(guesser, code,
                   match.alias_set != NULL ? "another spelling of an alias set"
                                           : "another code of iso3166-1",
                   "codelist", answers);
        return;
    }
    for (uint16_t i = 0; i < code->nsuccessors; i++)
        offer_code(guesser, vc_codelist_at(guesser->list, code->successors[i]),
                   code->nsuccessors == 1 ? "withdrawn code, its successor"
                                          : "withdrawn code, one of its successors",
                   code->nsuccessors == 1 ? "codelist with withdrawn: successor" : NULL, answers);
}

/* Numbers and short keys are near to everything. */
static void ask_spelling(const vc_guesser *guesser, vc_str key, struct answers *answers)
{
    enum { SHORTEST = 4 };
    uint32_t n = guesser->index->values.count, best = VC_NONE;
    unsigned least = key.size < 8 ? 2 : 3; /* farther ones are no help */
    if (answers->count > 0 || key.size < SHORTEST || vc_str_is_number(key)) return;
    for (uint32_t value = 0; value < n && value < MOST_SPELLED && least > 1; value++) {
        vc_str other = vc_texts_get(&guesser->index->values, value);
        if (other.size >= key.size + least || key.size >= other.size + least) continue;
        unsigned distance = vc_str_distance(key, other, least - 1);
        if (distance >= least) continue;
        least = distance;
        best = value;
    }
    if (best != VC_NONE)
        offer(answers, vc_texts_get(&guesser->index->values, best), "near spelling", NULL);
}

size_t vc_guesser_ask(const vc_guesser *guesser, vc_str key, vc_guess *guesses_out, size_t max)
{
    struct answers answers = {.items = guesses_out, .max = max};
    if (key.size == 0) return 0;
    ask_forms(guesser, key, &answers);
    ask_codes(guesser, key, &answers);
    ask_spelling(guesser, key, &answers);
    return answers.count;
}
