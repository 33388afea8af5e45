#include "mapping/pairing.h"

#include "mapping/codelist.h"
#include "mapping/keytext.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* The steps of each form, with "trim" before them where some key has blanks at an end. */
static const char *const steps[VC_FORM_COUNT] = {
    [VC_FORM_TRIMMED] = "\"trim\"",
    [VC_FORM_FOLDED] = "\"trim\",\"casefold\"",
    [VC_FORM_SPELLED] = "\"trim\",\"collapse_space\",\"nfc\",\"casefold\"",
    [VC_FORM_CODE] = "\"trim\",{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\"}}",
    [VC_FORM_CODE_EUROSTAT] = "\"trim\",{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\","
                              "\"aliases\":[\"eurostat\"]}}",
    [VC_FORM_CODE_KOSOVO] = "\"trim\",{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\","
                            "\"aliases\":[\"kosovo\"]}}",
    [VC_FORM_CODE_WORLDBANK] = "\"trim\",{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\","
                               "\"aliases\":[\"worldbank\"]}}",
    [VC_FORM_CODE_NAME] = "\"trim\",{\"codelist\":{\"list\":\"iso3166-1\",\"from\":\"name\","
                          "\"to\":\"alpha3\"}}",
};

/* What is tried, the plainest first. */
static const struct way {
    vc_key_form from, to;
} ways[] = {
    {VC_FORM_AS_FOUND, VC_FORM_AS_FOUND},
    {VC_FORM_TRIMMED, VC_FORM_TRIMMED},
    {VC_FORM_FOLDED, VC_FORM_FOLDED},
    {VC_FORM_SPELLED, VC_FORM_SPELLED},
    {VC_FORM_PADDED, VC_FORM_PADDED},
    {VC_FORM_CODE, VC_FORM_CODE},
    {VC_FORM_CODE_EUROSTAT, VC_FORM_CODE_EUROSTAT},
    {VC_FORM_CODE_KOSOVO, VC_FORM_CODE_KOSOVO},
    {VC_FORM_CODE_WORLDBANK, VC_FORM_CODE_WORLDBANK},
    {VC_FORM_CODE_NAME, VC_FORM_CODE},
    {VC_FORM_CODE, VC_FORM_CODE_NAME},
    {VC_FORM_CODE_NAME, VC_FORM_CODE_NAME},
};

enum { NWAYS = sizeof ways / sizeof ways[0] };

static bool is_code(vc_key_form form)
{
    return form >= VC_FORM_CODE;
}

void vc_pairing_side_init(vc_pairing_side *side, const vc_index *index)
{
    *side = (vc_pairing_side){.index = index};
    vc_profile_of(index, &side->profile);
}

void vc_pairing_side_release(vc_pairing_side *side)
{
    for (int form = 0; form < VC_FORM_COUNT; form++)
        free(side->forms[form].hashes);
}

size_t vc_pairing_side_bytes(const vc_pairing_side *side)
{
    size_t bytes = 0;
    for (int form = 0; form < VC_FORM_COUNT; form++)
        if (side->forms[form].hashes != NULL)
            bytes += (size_t)side->profile.nvalues * sizeof(uint64_t);
    return bytes;
}

/* ---- the keys of a side in a form ---- */

static bool has_case(const vc_profile *profile)
{
    return profile->has_upper || profile->has_lower || profile->has_odd_space;
}

/* The plainest form in which all keys of the side are as in the given one. */
static vc_key_form plainest(const vc_profile *profile, vc_key_form form)
{
    if (form == VC_FORM_SPELLED && !profile->has_odd_space) form = VC_FORM_FOLDED;
    if (form == VC_FORM_FOLDED && !has_case(profile)) form = VC_FORM_TRIMMED;
    if (form == VC_FORM_PADDED && !profile->has_zeros) form = VC_FORM_TRIMMED;
    if (form == VC_FORM_TRIMMED && !profile->has_blanks) form = VC_FORM_AS_FOUND;
    return form;
}

static vc_str strip_zeros(vc_str key)
{
    int64_t number;
    key = vc_key_trim(key);
    if (vc_parse_int(key, &number) != VC_PARSE_OK) return key;
    while (key.size > 1 && key.data[0] == '0') {
        key.data++;
        key.size--;
    }
    return key;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static vc_status parse_steps(vc_key_form form, vc_normalizer **normalizer_out, vc_error *error)
{
    char text[256];
    *normalizer_out = NULL;
    if (steps[form] == NULL) return VC_OK;
    snprintf(text, sizeof text, "[%s]", steps[form]);
    json_t *json = json_loads(text, 0, NULL);
    if (json == NULL) return vc_no_memory(error);
    vc_status status = vc_normalizer_parse(json, NULL, normalizer_out, error);
    json_decref(json);
    return status;
}

static vc_status fill_hashes(const vc_index *index, vc_key_form form,
                             const vc_normalizer *normalizer, vc_key_hashes *out, vc_error *error)
{
    enum { CLEARED = 4096 };
    vc_arena work = {0};
    vc_key_list list = {0};
    vc_status status = VC_OK;
    for (uint32_t value = 0; value < index->values.count && status == VC_OK; value++) {
        vc_str key = vc_texts_get(&index->values, value);
        if (form == VC_FORM_PADDED) key = strip_zeros(key);
        if (normalizer != NULL) {
            if (value % CLEARED == 0) {
                vc_arena_clear(&work);
                list = (vc_key_list){0};
            }
            status = vc_normalizer_apply(normalizer, key, &work, &list, error);
            if (status != VC_OK) break;
            out->nexcluded += list.keys[0].is_excluded;
            if (list.keys[0].state != VC_KEY_OK) continue;
            key = list.keys[0].text;
        }
        if (key.size > 0) out->hashes[out->count++] = XXH3_64bits(key.data, key.size);
    }
    vc_arena_release(&work);
    qsort(out->hashes, out->count, sizeof *out->hashes, compare_hashes);
    return status;
}

static vc_status hashes_of(vc_pairing_side *side, vc_key_form form, const vc_key_hashes **out,
                           vc_error *error)
{
    vc_normalizer *normalizer;
    form = plainest(&side->profile, form);
    vc_key_hashes *hashes = &side->forms[form];
    *out = hashes;
    if (hashes->is_made) return VC_OK;
    hashes->hashes = malloc(((size_t)side->profile.nvalues + 1) * sizeof *hashes->hashes);
    if (hashes->hashes == NULL) return vc_no_memory(error);
    vc_status status = parse_steps(form, &normalizer, error);
    if (status == VC_OK) status = fill_hashes(side->index, form, normalizer, hashes, error);
    vc_normalizer_free(normalizer);
    hashes->is_made = status == VC_OK;
    return status;
}

/* ---- how many meet ---- */

static bool contains(const vc_key_hashes *keys, uint64_t hash)
{
    uint32_t first = 0, end = keys->count;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (keys->hashes[middle] < hash)
            first = middle + 1;
        else
            end = middle;
    }
    return first < keys->count && keys->hashes[first] == hash;
}

/* Is at least a tenth of a sample of the fewer keys among the others? Hashes are in no order that
 * keys have, so every n-th is a fair sample. */
static bool is_worth_more(const vc_key_hashes *few, const vc_key_hashes *many)
{
    uint32_t n = few->count < VC_PAIRING_SAMPLE ? few->count : VC_PAIRING_SAMPLE, nfound = 0;
    for (uint32_t i = 0; i < n; i++)
        nfound += contains(many, few->hashes[(uint64_t)i * few->count / n]);
    return n > 0 && (uint64_t)nfound * 10 >= n;
}

/* Both ascend: one pass. Each of equal keys counts. */
static void count_meetings(const vc_key_hashes *from, const vc_key_hashes *to, vc_pairing *out)
{
    uint32_t i = 0, j = 0;
    while (i < from->count && j < to->count) {
        uint64_t a = from->hashes[i], b = to->hashes[j];
        if (a < b) {
            i++;
        } else if (a > b) {
            j++;
        } else {
            for (; i < from->count && from->hashes[i] == a; i++)
                out->from_matched++;
            for (; j < to->count && to->hashes[j] == a; j++)
                out->to_matched++;
        }
    }
}

/* ---- which ways can matter ---- */

static bool can_be_code(const vc_profile *profile, vc_key_form form)
{
    return form == VC_FORM_CODE_NAME ? vc_profile_has_names(profile)
                                     : vc_profile_has_codes(profile);
}

/* Some may be written otherwise, "GTIN 0294": others lose their zeros all the same. */
static bool is_mostly_whole(const vc_profile *profile)
{
    return profile->nwhole * UINT64_C(2) >= profile->nvalues && profile->least >= 0;
}

static bool can_matter(const struct way *way, const vc_profile *from, const vc_profile *to)
{
    switch (way->from) {
    case VC_FORM_AS_FOUND: return true;
    case VC_FORM_TRIMMED: return from->has_blanks || to->has_blanks;
    case VC_FORM_FOLDED: return has_case(from) && has_case(to);
    case VC_FORM_SPELLED:
        return has_case(from) && has_case(to) && (from->has_odd_space || to->has_odd_space);
    case VC_FORM_PADDED:
        return is_mostly_whole(from) && is_mostly_whole(to) && (from->has_zeros || to->has_zeros);
    default: return can_be_code(from, way->from) && can_be_code(to, way->to);
    }
}

/* ---- what it says ---- */

/* Keys of the index that are whole numbers between two. */
static uint32_t count_between(const vc_index *index, int64_t least, int64_t greatest)
{
    uint32_t count = 0;
    for (uint32_t value = 0; value < index->values.count; value++) {
        int64_t number;
        if (vc_parse_int(vc_key_trim(vc_texts_get(&index->values, value)), &number) != VC_PARSE_OK)
            continue;
        count += number >= least && number <= greatest;
    }
    return count;
}

/* The share of a side's keys that would be found among the other's by chance: whole numbers that
 * lie close together are found whatever they mean, and so are letters where many are taken. */
static double expect(const vc_pairing_side *side, const vc_pairing_side *other,
                     const vc_pairing *pairing)
{
    const vc_profile *profile = &side->profile;
    double n = other->profile.nvalues;
    if (!is_code(pairing->from_form) && profile->look == VC_LOOK_WHOLE &&
        other->profile.look == VC_LOOK_WHOLE)
        n = count_between(other->index, profile->least, profile->greatest);
    return fmin(fmax(n / vc_profile_universe(profile), 1e-9), 1);
}

/* Bits of the divergence between what was found and what chance would find, over n keys. */
static double surprise(double share, double expected, double n)
{
    if (share <= expected) return 0;
    double bits = share * log2(share / expected);
    if (share < 1) bits += (1 - share) * log2((1 - share) / (1 - expected));
    return n * bits;
}

static double share_of(uint32_t part, uint32_t whole, uint32_t excluded)
{
    return whole > excluded ? (double)part / (whole - excluded) : 0;
}

static double find_bits(const vc_pairing_side *from, const vc_pairing_side *to,
                        const vc_pairing *pairing)
{
    double from_share =
        share_of(pairing->from_matched, from->profile.nvalues, pairing->from_excluded);
    double to_share = share_of(pairing->to_matched, to->profile.nvalues, pairing->to_excluded);
    bool is_from = from_share >= to_share;
    double expected = is_from ? expect(from, to, pairing) : expect(to, from, pairing);
    return surprise(fmin(is_from ? from_share : to_share, 1), expected,
                    is_from ? from->profile.nvalues - pairing->from_excluded
                            : to->profile.nvalues - pairing->to_excluded);
}

/* ---- the best way ---- */

/* More keys meet; or nearly as many, and aggregates are known for what they are, which as plain
 * keys would meet each other and count twice. */
static bool is_better(const vc_pairing *found, const vc_pairing *best)
{
    uint32_t nfound = found->from_matched + found->to_matched;
    uint32_t nbest = best->from_matched + best->to_matched;
    uint32_t nexcluded = found->from_excluded + found->to_excluded;
    if (nexcluded > 0 && !is_code(best->from_form) && nbest > 0 && nfound >= nbest / 2)
        return (uint64_t)(nfound + nexcluded) * 10 >= (uint64_t)nbest * 9;
    return nfound > nbest;
}

vc_status vc_pairing_try(vc_pairing_side *from, vc_pairing_side *to, vc_pairing *pairing_out,
                         vc_error *error)
{
    vc_pairing best = {0};
    uint32_t nplain = 0;
    *pairing_out = best;
    if (from->profile.nvalues > VC_PAIRING_VALUES || to->profile.nvalues > VC_PAIRING_VALUES)
        return VC_OK;
    for (size_t i = 0; i < NWAYS; i++) {
        const vc_key_hashes *a, *b;
        if (!can_matter(&ways[i], &from->profile, &to->profile)) continue;
        vc_status status = hashes_of(from, ways[i].from, &a, error);
        if (status == VC_OK) status = hashes_of(to, ways[i].to, &b, error);
        if (status != VC_OK) return status;
        if (!is_worth_more(a->count <= b->count ? a : b, a->count <= b->count ? b : a)) continue;
        vc_pairing found = {.from_form = ways[i].from,
                            .to_form = ways[i].to,
                            .from_excluded = a->nexcluded,
                            .to_excluded = b->nexcluded};
        count_meetings(a, b, &found);
        if (ways[i].from == VC_FORM_AS_FOUND) nplain = found.to_matched;
        if (is_better(&found, &best)) best = found;
    }
    if (best.from_matched > 0) best.bits = find_bits(from, to, &best);
    best.plain_matched = nplain;
    *pairing_out = best;
    return VC_OK;
}

/* ---- its steps ---- */

static void put_side(const vc_pairing_side *from, const vc_pairing_side *to, vc_key_form form,
                     vc_buffer *out)
{
    static const char trim[] = "\"trim\",";
    bool has_blanks = from->profile.has_blanks || to->profile.has_blanks;
    uint32_t a = from->profile.max_width, b = to->profile.max_width;
    vc_buffer_put_char(out, '[');
    if (form == VC_FORM_PADDED) {
        if (has_blanks) vc_buffer_put_text(out, trim);
        vc_buffer_printf(out, "{\"pad_left\":{\"width\":%u,\"fill\":\"0\"}}", a > b ? a : b);
    } else {
        size_t skipped = has_blanks ? 0 : sizeof trim - 1;
        vc_buffer_put_text(out, steps[form] + skipped);
    }
    vc_buffer_put_char(out, ']');
}

void vc_pairing_put_steps(const vc_pairing_side *from, const vc_pairing_side *to,
                          const vc_pairing *pairing, vc_buffer *out)
{
    if (pairing->from_form == VC_FORM_AS_FOUND && pairing->to_form == VC_FORM_AS_FOUND) return;
    if (pairing->from_form == pairing->to_form) {
        vc_buffer_put_text(out, "{\"both\":");
        put_side(from, to, pairing->from_form, out);
    } else {
        vc_buffer_put_text(out, "{\"from\":");
        put_side(from, to, pairing->from_form, out);
        vc_buffer_put_text(out, ",\"to\":");
        put_side(from, to, pairing->to_form, out);
    }
    vc_buffer_put_char(out, '}');
}

static vc_status parse_side(const json_t *normalize, const char *side, vc_normalizer **out,
                            vc_error *error)
{
    const json_t *found = json_object_get(normalize, side);
    if (found == NULL) found = json_object_get(normalize, "both");
    *out = NULL;
    return found == NULL ? VC_OK : vc_normalizer_parse(found, NULL, out, error);
}

vc_status vc_pairing_normalizers(const vc_pairing_side *from, const vc_pairing_side *to,
                                 const vc_pairing *pairing, vc_normalizer **from_out,
                                 vc_normalizer **to_out, vc_error *error)
{
    vc_buffer text = {0};
    *from_out = *to_out = NULL;
    vc_pairing_put_steps(from, to, pairing, &text);
    if (text.size == 0 && !text.failed) return VC_OK;
    json_t *normalize = json_loads(vc_buffer_text(&text), 0, NULL);
    vc_buffer_release(&text);
    if (normalize == NULL) return vc_no_memory(error);
    vc_status status = parse_side(normalize, "from", from_out, error);
    if (status == VC_OK) status = parse_side(normalize, "to", to_out, error);
    if (status != VC_OK) {
        vc_normalizer_free(*from_out);
        *from_out = NULL;
    }
    json_decref(normalize);
    return status;
}

const char *vc_pairing_manner(const vc_pairing *pairing)
{
    if (pairing->from_form == VC_FORM_CODE_NAME || pairing->to_form == VC_FORM_CODE_NAME)
        return "as names of countries";
    switch (pairing->from_form) {
    case VC_FORM_AS_FOUND: return "as they are";
    case VC_FORM_TRIMMED: return "without blanks at the ends";
    case VC_FORM_FOLDED: return "without regard to case";
    case VC_FORM_SPELLED: return "without regard to case and spaces";
    case VC_FORM_PADDED: return "without regard to zeros in front";
    default: return "as codes of countries";
    }
}

const char *vc_pairing_word(const vc_pairing *pairing)
{
    if (pairing->from_form == VC_FORM_CODE_NAME || pairing->to_form == VC_FORM_CODE_NAME)
        return "names";
    switch (pairing->from_form) {
    case VC_FORM_AS_FOUND: return "as found";
    case VC_FORM_TRIMMED: return "blanks";
    case VC_FORM_FOLDED: return "case";
    case VC_FORM_SPELLED: return "case, spaces";
    case VC_FORM_PADDED: return "zeros";
    default: return "codes";
    }
}
