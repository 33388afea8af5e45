#include "mapping/pairing.h"

#include "base/buffer.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

/* ---- an index from a list ---- */

enum { MOST = 512 };

struct list { /* each key belongs to one member, in the order given */
    vc_index index;
    char bytes[16384];
    uint32_t offsets[MOST + 1], members[MOST];
};

static void add_key(struct list *list, vc_str key)
{
    uint32_t n = list->index.values.count++, end = list->offsets[n];
    cr_assert(n < MOST && end + key.size < sizeof list->bytes);
    memcpy(list->bytes + end, key.data, key.size);
    list->offsets[n + 1] = end + (uint32_t)key.size;
    list->members[n] = n;
    list->index.values.nstored = n + 1;
    list->index.values.offset_bytes = sizeof(uint32_t);
    list->index.values.offsets = list->offsets;
    list->index.values.bytes = list->bytes;
    list->index.members = list->members;
}

/* keys  "FR|DE " */
static void open_list(struct list *list, const char *keys)
{
    vc_str rest = vc_str_of(keys);
    memset(list, 0, sizeof *list);
    while (!vc_str_is_null(rest))
        add_key(list, vc_str_split(&rest, '|'));
}

/* ---- cases ---- */

struct form_case {
    char from[96], to[96], normalize[160];
    unsigned from_matched, to_matched, excluded;
    bool is_surprising;
    char why[96];
};

ParameterizedTestParameters(pairing, forms)
{
    static struct form_case cases[] = {
        {"apple|pear|plum", "pear|plum|quince", "", 2, 2, 0, true, "keys as they are"},
        {"apple|pear|plum", "apple |pear|plum", "{\"both\":[\"trim\"]}", 3, 3, 0, true, "blanks"},
        {"apple|pear|plum", "Apple|pear|PLUM", "{\"both\":[\"casefold\"]}", 3, 3, 0, true, "case"},
        {"apple|pear|plum", "Apple|pear| PLUM", "{\"both\":[\"trim\",\"casefold\"]}", 3, 3, 0, true,
         "blanks and case"},
        {"red wine|rose|white wine", "red  wine|Rose|white wine",
         "{\"both\":[\"collapse_space\",\"nfc\",\"casefold\"]}", 3, 3, 0, true,
         "blanks inside, too"},
        {"01067|04109|10115", "1067|4109|10115",
         "{\"both\":[{\"pad_left\":{\"width\":5,\"fill\":\"0\"}}]}", 3, 3, 0, true, "lost zeros"},
        {"FR|DE|US|JP", "FRA|DEU|USA",
         "{\"both\":[{\"codelist\":{\"list\":\"iso3166-1\","
         "\"to\":\"alpha3\"}}]}",
         3, 3, 0, true, "codes of one list"},
        {"GR|DE|FR|GB", "EL|DE|FR|UK",
         "{\"both\":[{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\",\"aliases\":["
         "\"eurostat\"]}}]}",
         4, 4, 0, true, "aliases of a statistics office"},
        {"France|Germany|Japan", "FR|DE|US",
         "{\"from\":[{\"codelist\":{\"list\":\"iso3166-1\",\"from\":\"name\",\"to\":\"alpha3\"}}],"
         "\"to\":[{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\"}}]}",
         2, 2, 0, true, "names and codes"},
        {"FRA|DEU|USA|WLD", "FRA|DEU|JPN|WLD",
         "{\"both\":[{\"codelist\":{\"list\":\"iso3166-1\",\"to\":\"alpha3\"}}]}", 2, 2, 2, true,
         "the world would meet the world, and count twice"},
        {"1|2|3|4|5|6", "1|2|3|4|5", "", 5, 5, 0, false, "whole numbers close together"},
        {"2019|2020|2021", "2015|2016|2017|2018|2019|2020|2021|2022", "", 3, 3, 0, false,
         "years among other numbers"},
        {"1005|2917|40112|77001|91234", "2917|40112|77001", "", 3, 3, 0, true,
         "whole numbers far apart"},
        {"F|M", "F|M|X", "", 2, 2, 0, false, "single letters"},
        {"a|b|c|d|e|f|g|h|i|j|k|l", "m|n|o|p|q", "", 0, 0, 0, false, "nothing meets"},
    };
    return cr_make_param_array(struct form_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct form_case *c, pairing, forms)
{
    struct list from, to;
    vc_pairing_side a, b;
    vc_pairing found;
    vc_buffer steps = {0};
    open_list(&from, c->from);
    open_list(&to, c->to);
    vc_pairing_side_init(&a, &from.index);
    vc_pairing_side_init(&b, &to.index);
    cr_assert_eq(vc_pairing_try(&a, &b, &found, NULL), VC_OK);
    vc_pairing_put_steps(&a, &b, &found, &steps);
    cr_assert_str_eq(vc_buffer_text(&steps), c->normalize, "%s", c->why);
    cr_assert_eq(found.from_matched, c->from_matched, "%s: %u", c->why, found.from_matched);
    cr_assert_eq(found.to_matched, c->to_matched, "%s: %u", c->why, found.to_matched);
    cr_assert_eq(found.from_excluded + found.to_excluded, c->excluded, "%s", c->why);
    cr_assert_eq(found.bits >= 20, c->is_surprising, "%s: %g bits", c->why, found.bits);
    vc_buffer_release(&steps);
    vc_pairing_side_release(&a);
    vc_pairing_side_release(&b);
}

/* ---- beside the plain way ---- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The form of a key by the steps that the pairing proposes; absent when it has none. */
static vc_str normal(const vc_normalizer *normalizer, vc_str key, vc_arena *arena)
{
    vc_key_list list = {0};
    if (normalizer == NULL) return vc_arena_str(arena, key);
    cr_assert_eq(vc_normalizer_apply(normalizer, key, arena, &list, NULL), VC_OK);
    return list.keys[0].state == VC_KEY_OK ? vc_arena_str(arena, list.keys[0].text) : (vc_str){0};
}

/* How many keys of a list have a partner in the other one, every key beside every key. */
static uint32_t count_plainly(const struct list *list, const vc_normalizer *mine,
                              const struct list *other, const vc_normalizer *theirs)
{
    vc_arena arena = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->index.values.count; i++) {
        vc_str key = normal(mine, vc_texts_get(&list->index.values, i), &arena);
        for (uint32_t j = 0; j < other->index.values.count && !vc_str_is_null(key); j++)
            if (vc_str_equal(key, normal(theirs, vc_texts_get(&other->index.values, j), &arena))) {
                count++;
                break;
            }
    }
    vc_arena_release(&arena);
    return count;
}

/* Keys of few letters, with case, blanks and zeros, no two of them equal. */
static void fill_randomly(struct list *list, uint64_t *state)
{
    uint32_t n = 1 + (uint32_t)(next_random(state) % 60);
    unsigned style = (unsigned)(next_random(state) % 3);
    memset(list, 0, sizeof *list);
    for (uint32_t i = 0; i < n; i++) {
        char key[16];
        unsigned r = (unsigned)(next_random(state) % 400);
        if (style == 0)
            snprintf(key, sizeof key, next_random(state) % 3 == 0 ? "%03u" : "%u", r);
        else if (style == 1)
            snprintf(key, sizeof key, "%s%c%c", r % 7 == 0 ? " " : "", 'a' + (int)(r % 9),
                     (r % 2 == 0 ? 'A' : 'a') + (int)(r % 5));
        else
            snprintf(key, sizeof key, "%c%c", 'A' + (int)(r % 26), 'A' + (int)(r / 26 % 26));
        bool is_new = true;
        for (uint32_t j = 0; j < list->index.values.count && is_new; j++)
            is_new = !vc_str_is(vc_texts_get(&list->index.values, j), key);
        if (is_new) add_key(list, vc_str_of(key));
    }
}

/* What is counted by hashes is what the proposed steps, applied key by key, give. */
Test(pairing, counts_like_every_key_beside_every_key)
{
    uint64_t state = 0x9E3779B97F4A7C15u;
    unsigned nmet = 0, nforms[VC_FORM_COUNT] = {0};
    for (int round = 0; round < 400; round++) {
        struct list from, to;
        vc_pairing_side a, b;
        vc_pairing found;
        vc_normalizer *mine, *theirs;
        fill_randomly(&from, &state);
        fill_randomly(&to, &state);
        vc_pairing_side_init(&a, &from.index);
        vc_pairing_side_init(&b, &to.index);
        cr_assert_eq(vc_pairing_try(&a, &b, &found, NULL), VC_OK);
        if (found.from_matched > 0) {
            cr_assert_eq(vc_pairing_normalizers(&a, &b, &found, &mine, &theirs, NULL), VC_OK);
            cr_assert_eq(found.from_matched, count_plainly(&from, mine, &to, theirs), "round %d",
                         round);
            cr_assert_eq(found.to_matched, count_plainly(&to, theirs, &from, mine), "round %d",
                         round);
            vc_normalizer_free(mine);
            vc_normalizer_free(theirs);
            nmet++;
            nforms[found.from_form]++;
        }
        vc_pairing_side_release(&a);
        vc_pairing_side_release(&b);
    }
    cr_assert_gt(nmet, 100);
    cr_assert_gt(nforms[VC_FORM_AS_FOUND], 0);
    cr_assert_gt(nforms[VC_FORM_FOLDED], 0);
    cr_assert_gt(nforms[VC_FORM_PADDED], 0);
    cr_assert_gt(nforms[VC_FORM_CODE], 0);
}
