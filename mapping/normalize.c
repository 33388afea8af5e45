#include "mapping/normalize.h"
#include "mapping/keytext.h"
#include "mapping/normalize_steps.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const vc_key_state_names[] = {"ok",        "empty",     "unknown",
                                          "withdrawn", "ambiguous", "aggregate"};

/* More keys than this are merged by sorting, so that a hostile "a,a,a,..." costs no square. */
enum { MERGE_BY_PAIRS = 16, FIRST_CAPACITY = 4 };

static bool push_key(vc_key_list *list, vc_key key, vc_arena *arena)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? FIRST_CAPACITY : list->capacity * 2;
        vc_key *keys = VC_ARENA_NEW(arena, vc_key, capacity);
        if (keys == NULL) return false;
        if (list->count > 0) memcpy(keys, list->keys, list->count * sizeof *keys);
        list->keys = keys;
        list->capacity = capacity;
    }
    list->keys[list->count++] = key;
    return true;
}

/* Give the key a new text; an empty one ends its way. */
static void set_text(vc_key *key, vc_str text)
{
    key->text = text;
    if (text.size == 0) key->state = VC_KEY_EMPTY;
}

/* What a code means in the years of a period; in a week of two years that differ, nothing. */
static vc_code_kind find_code(const vc_step *step, vc_str text, const vc_period *when,
                              vc_code_match *match)
{
    vc_code_options options = step->options;
    vc_code_match other;
    if (step->has_as_of || when == NULL) return vc_codelist_find(step->list, text, &options, match);
    options.as_of_year = (uint16_t)(when->first / 10000);
    vc_code_kind kind = vc_codelist_find(step->list, text, &options, match);
    if (when->last / 10000 == when->first / 10000) return kind;
    options.as_of_year = (uint16_t)(when->last / 10000);
    if (vc_codelist_find(step->list, text, &options, &other) == kind && other.code == match->code)
        return kind;
    return VC_CODE_AMBIGUOUS;
}

static void apply_codelist(const vc_step *step, const vc_period *when, vc_key *key,
                           bool *depends_on_time)
{
    vc_code_match match;
    vc_str text = {NULL, 0};
    vc_code_kind kind = find_code(step, key->text, when, &match);
    *depends_on_time |= match.depends_on_year && !step->has_as_of;
    switch (kind) {
    case VC_CODE_ASSIGNED:
    case VC_CODE_USER:
        text = vc_code_text(match.code, step->to);
        if (vc_str_is_null(text)) /* Kosovo has no numeric code */
            key->state = VC_KEY_UNKNOWN;
        else
            key->text = text;
        break;
    case VC_CODE_WITHDRAWN:
        if (step->keeps_withdrawn)
            key->text = vc_str_of(match.code->alpha4);
        else
            key->state = VC_KEY_WITHDRAWN;
        break;
    case VC_CODE_AMBIGUOUS: key->state = VC_KEY_AMBIGUOUS; break;
    case VC_CODE_AGGREGATE:
        key->state = VC_KEY_AGGREGATE;
        key->is_excluded = !step->buckets_aggregates;
        break;
    case VC_CODE_NONE: key->state = VC_KEY_UNKNOWN; break;
    }
}

/* The steps that make one text of one. False when out of memory. */
static bool apply_text_step(const vc_step *step, vc_key *key, vc_arena *arena)
{
    vc_str text = key->text;
    switch (step->kind) {
    case VC_STEP_TRIM: text = vc_key_trim(text); break;
    case VC_STEP_COLLAPSE_SPACE: text = vc_key_collapse_space(text, arena); break;
    case VC_STEP_NFC: text = vc_key_nfc(text, arena); break;
    case VC_STEP_CASEFOLD: text = vc_key_casefold(text, arena); break;
    case VC_STEP_PAD_LEFT: text = vc_key_pad_left(text, step->width, step->text, arena); break;
    case VC_STEP_STRIP_PREFIX:
        if (vc_str_starts_with(text, step->text)) {
            text.data += step->text.size;
            text.size -= step->text.size;
        }
        break;
    default: assert(false);
    }
    if (text.data == NULL) return false;
    set_text(key, text);
    return true;
}

/* The first part stays in its place, the others go to the end of the list. */
static bool apply_split(const vc_step *step, size_t number, vc_key_list *list, vc_arena *arena)
{
    vc_key whole = list->keys[number];
    vc_str rest = whole.text;
    bool is_first = true;
    while (true) {
        const char *found =
            rest.size == 0 ? NULL : memmem(rest.data, rest.size, step->text.data, step->text.size);
        vc_key part = whole;
        size_t part_bytes = found == NULL ? rest.size : (size_t)(found - rest.data);
        set_text(&part, (vc_str){rest.data, part_bytes});
        if (is_first)
            list->keys[number] = part;
        else if (part.state == VC_KEY_OK && !push_key(list, part, arena))
            return false;
        if (found == NULL) return true;
        is_first = false;
        size_t used = part_bytes + step->text.size;
        rest = (vc_str){rest.data + used, rest.size - used};
    }
}

/* The time that a step asks about. */
static vc_period time_of(const vc_step *step, const vc_period *when)
{
    if (!step->has_as_of && when != NULL) return *when;
    return (vc_period){.first = step->as_of_first, .last = step->as_of_last};
}

/* Does a row hold at some of that time? */
static bool holds(vc_period time, const vc_crosswalk_target *target)
{
    return target->first_day <= time.last && target->last_day >= time.first;
}

/* Where does a key lead? Rows that hold at different times only, and lead elsewhere, cannot be told
 * apart by the key: it is ambiguous. When they all say the same, one of them is enough. */
static vc_key_state weigh_rows(vc_period time, const vc_crosswalk_target *targets, size_t ntargets,
                               bool *is_one_out)
{
    int32_t first = VC_DAY_FIRST, last = VC_DAY_LAST;
    const vc_crosswalk_target *one = NULL;
    *is_one_out = true;
    for (size_t i = 0; i < ntargets; i++) {
        const vc_crosswalk_target *target = &targets[i];
        if (!holds(time, target)) continue;
        first = target->first_day > first ? target->first_day : first;
        last = target->last_day < last ? target->last_day : last;
        if (one == NULL) one = target;
        *is_one_out &= vc_str_equal(target->to, one->to) && target->weight == one->weight;
    }
    if (one == NULL) return VC_KEY_UNKNOWN;
    if (first <= last) *is_one_out = false;
    return first <= last || *is_one_out ? VC_KEY_OK : VC_KEY_AMBIGUOUS;
}

static bool apply_map(const vc_normalizer *normalizer, const vc_step *step, const vc_period *when,
                      size_t number, vc_key_list *list, vc_arena *arena)
{
    vc_key from = list->keys[number];
    vc_period time = time_of(step, when);
    const vc_crosswalk_target *targets = NULL;
    size_t ntargets = normalizer->crosswalks.find(step->crosswalk, from.text, &targets), nfound = 0;
    bool is_one;
    for (size_t i = 0; i < ntargets && !step->has_as_of; i++)
        list->depends_on_time |=
            targets[i].first_day != VC_DAY_FIRST || targets[i].last_day != VC_DAY_LAST;
    list->keys[number].state = weigh_rows(time, targets, ntargets, &is_one);
    if (list->keys[number].state != VC_KEY_OK) return true;
    for (size_t i = 0; i < ntargets && !(is_one && nfound > 0); i++) {
        vc_key to = from;
        if (!holds(time, &targets[i])) continue;
        to.weight *= targets[i].weight;
        set_text(&to, targets[i].to);
        if (nfound++ == 0)
            list->keys[number] = to;
        else if (!push_key(list, to, arena))
            return false;
    }
    return true;
}

static bool is_same_key(const vc_key *a, const vc_key *b)
{
    return a->state == b->state && vc_str_equal(a->text, b->text);
}

static int compare_keys(const void *left, const void *right)
{
    const vc_key *a = left, *b = right;
    if (a->state != b->state) return a->state < b->state ? -1 : 1;
    int order = vc_str_compare(a->text, b->text);
    if (order != 0) return order;
    /* The order of equal texts decides the rounding of their sum. */
    return (a->weight > b->weight) - (a->weight < b->weight);
}

/* Leave each key once, and no empty one beside others. */
static void merge_keys(vc_key_list *list, bool adds_weights)
{
    bool is_sorted = list->count > MERGE_BY_PAIRS;
    if (is_sorted) qsort(list->keys, list->count, sizeof *list->keys, compare_keys);
    size_t count = 0;
    vc_key empty = {.state = VC_KEY_OK};
    for (size_t i = 0; i < list->count; i++) {
        vc_key key = list->keys[i];
        if (key.state == VC_KEY_EMPTY) {
            empty = key;
            continue;
        }
        size_t same = is_sorted && count > 0 ? count - 1 : 0;
        while (same < count && !is_same_key(&list->keys[same], &key))
            same++;
        if (same == count)
            list->keys[count++] = key;
        else if (adds_weights)
            list->keys[same].weight += key.weight;
    }
    if (count == 0) list->keys[count++] = empty;
    list->count = count;
}

static bool apply_step(const vc_normalizer *normalizer, const vc_step *step, const vc_period *when,
                       vc_key_list *list, vc_arena *arena)
{
    size_t count = list->count; /* keys that the step adds are not its input */
    for (size_t i = 0; i < count; i++) {
        if (list->keys[i].state != VC_KEY_OK) continue;
        bool is_done = true;
        if (step->kind == VC_STEP_CODELIST)
            apply_codelist(step, when, &list->keys[i], &list->depends_on_time);
        else if (step->kind == VC_STEP_SPLIT)
            is_done = apply_split(step, i, list, arena);
        else if (step->kind == VC_STEP_MAP)
            is_done = apply_map(normalizer, step, when, i, list, arena);
        else
            is_done = apply_text_step(step, &list->keys[i], arena);
        if (!is_done) return false;
    }
    return true;
}

vc_status vc_normalizer_apply_at(const vc_normalizer *normalizer, vc_str key, const vc_period *when,
                                 vc_arena *arena, vc_key_list *list, vc_error *error)
{
    list->count = 0;
    list->depends_on_time = false;
    vc_key first = {.state = VC_KEY_OK, .weight = 1};
    set_text(&first, key);
    if (!push_key(list, first, arena)) return vc_no_memory(error);
    /* Two ways to one key are one key (INR,INR), but crosswalk weights along both add up. */
    bool adds_weights = false;
    for (size_t i = 0; i < normalizer->nsteps; i++) {
        const vc_step *step = &normalizer->steps[i];
        adds_weights |= step->kind == VC_STEP_MAP;
        if (!apply_step(normalizer, step, when, list, arena)) return vc_no_memory(error);
        if (list->count > 1) merge_keys(list, adds_weights);
    }
    return VC_OK;
}

vc_status vc_normalizer_apply(const vc_normalizer *normalizer, vc_str key, vc_arena *arena,
                              vc_key_list *list, vc_error *error)
{
    return vc_normalizer_apply_at(normalizer, key, NULL, arena, list, error);
}

bool vc_normalizer_reads_time(const vc_normalizer *normalizer)
{
    for (size_t i = 0; i < normalizer->nsteps; i++) {
        vc_step_kind kind = normalizer->steps[i].kind;
        if ((kind == VC_STEP_MAP || kind == VC_STEP_CODELIST) && !normalizer->steps[i].has_as_of)
            return true;
    }
    return false;
}

vc_str vc_normalizer_time(const vc_normalizer *normalizer)
{
    return normalizer->time;
}

bool vc_normalizer_is_identity(const vc_normalizer *normalizer)
{
    return normalizer->nsteps == 0;
}

void vc_normalizer_free(vc_normalizer *normalizer)
{
    if (normalizer == NULL) return;
    vc_arena_release(&normalizer->arena);
    free(normalizer);
}
