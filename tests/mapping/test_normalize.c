#include "base/json.h"
#include "mapping/codelist.h"
#include "mapping/normalize.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- A crosswalk source of two small crosswalks ---- */

struct row {
    const char *crosswalk, *from;
    size_t ntargets;
    vc_crosswalk_target targets[3];
};

static const struct row rows[] = {
    {"states",
     "USSR",
     2,
     {{{"RU", 2}, 0.75, VC_DAY_FIRST, VC_DAY_LAST, {0}},
      {{"UA", 2}, 0.25, VC_DAY_FIRST, VC_DAY_LAST, {0}}}},
    {"states",
     "Union",
     2,
     {{{"ru", 2}, 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}},
      {{"RUS", 3}, 0.25, VC_DAY_FIRST, VC_DAY_LAST, {0}}}},
    {"states", "Nowhere", 1, {{{"", 0}, 1, VC_DAY_FIRST, VC_DAY_LAST, {0}}}},
    /* CS was one state until the end of 1992, and another one from 2003 to 2006 */
    {"states",
     "CS",
     3,
     {{{"CZ", 2}, 0.5, VC_DAY_FIRST, 19921231, {0}},
      {{"SK", 2}, 0.5, VC_DAY_FIRST, 19921231, {0}},
      {{"RS", 2}, 1, 20030204, 20060605, {0}}}},
    {"states",
     "Same",
     2,
     {{{"SA", 2}, 0.5, VC_DAY_FIRST, 19921231, {0}}, {{"SA", 2}, 0.5, 19930101, VC_DAY_LAST, {0}}}},
    {"states",
     "Split",
     2,
     {{{"SA", 2}, 1, VC_DAY_FIRST, 19920630, {0}}, {{"SB", 2}, 1, 19920701, VC_DAY_LAST, {0}}}},
    {"blocs",
     "RU",
     2,
     {{{"CIS", 3}, 1, VC_DAY_FIRST, VC_DAY_LAST, {0}},
      {{"BRICS", 5}, 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}}}},
    {"blocs", "UA", 1, {{{"CIS", 3}, 1, VC_DAY_FIRST, VC_DAY_LAST, {0}}}},
};

static vc_status open_crosswalk(void *context, vc_str name, const void **crosswalk_out,
                                vc_error *error)
{
    (void)context;
    if (!vc_str_is(name, "states") && !vc_str_is(name, "blocs")) {
        vc_fail(error, VC_NOT_FOUND, "unknown_crosswalk", "no crosswalk named '%.*s'",
                VC_FMT(name));
        vc_error_add_candidate(error, "states", 6);
        return VC_NOT_FOUND;
    }
    *crosswalk_out = vc_str_is(name, "states") ? "states" : "blocs";
    return VC_OK;
}

static size_t find_targets(const void *crosswalk, vc_str key,
                           const vc_crosswalk_target **targets_out)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].crosswalk, crosswalk) != 0 || !vc_str_is(key, rows[i].from)) continue;
        *targets_out = rows[i].targets;
        return rows[i].ntargets;
    }
    return 0;
}

static const vc_crosswalk_source source = {NULL, open_crosswalk, find_targets};

/* ---- Pipelines and what they make of a key ---- */

static json_t *parse_json(const char *text)
{
    vc_error error = {0};
    json_t *json = NULL;
    cr_assert_eq(vc_json_parse(vc_str_of(text), NULL, 0, &json, &error), VC_OK, "%s: %s", text,
                 error.message);
    return json;
}

static vc_normalizer *parse_steps(const char *text)
{
    vc_error error = {0};
    vc_normalizer *normalizer = NULL;
    json_t *steps = parse_json(text);
    cr_assert_eq(vc_normalizer_parse(steps, &source, &normalizer, &error), VC_OK, "%s: %s", text,
                 error.message);
    json_decref(steps); /* the normalizer keeps nothing of it */
    return normalizer;
}

/* "A|B" for several keys, "unknown:ZZ" for a state, "RU*0.75" for a weight, a "!" for excluded. */
static void print_keys(const vc_key_list *list, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        const vc_key *key = &list->keys[i];
        used += snprintf(text + used, room - used, "%s%s%s", i > 0 ? "|" : "",
                         key->is_excluded ? "!" : "",
                         key->state == VC_KEY_OK ? "" : vc_key_state_names[key->state]);
        if (key->state != VC_KEY_OK && key->state != VC_KEY_EMPTY)
            used += snprintf(text + used, room - used, ":");
        used += snprintf(text + used, room - used, "%.*s", VC_FMT(key->text));
        if (key->weight != 1) used += snprintf(text + used, room - used, "*%g", key->weight);
    }
}

struct apply_case {
    char steps[128];
    char key[48];
    char expected[64];
};

#define AUTO       "[{\"codelist\": \"iso3166-1\"}]"
#define TRIM_AUTO  "[\"trim\", \"codelist:iso3166-1\"]"
#define LIST(rest) "[\"trim\", {\"codelist\": {\"list\": \"iso3166-1\", " rest "}}]"

ParameterizedTestParameters(normalize, apply)
{
    static struct apply_case cases[] = {
        /* text steps */
        {"[]", " x ", " x "},
        {"[]", "", "empty"},
        {"[\"trim\"]", " \t\xc2\xa0x\xe3\x80\x80y\xc2\xa0\n", "x\xe3\x80\x80y"},
        {"[\"trim\"]", "\xc2\xa0 \xe2\x80\xaf", "empty"},
        {"[\"trim\"]", "\xe2\x80\x8b", "\xe2\x80\x8b"}, /* zero width space is no blank */
        {"[\"trim\"]", "\xc3\xa0", "\xc3\xa0"},         /* ends in A0 but is a letter */
        {"[\"trim\"]", "x \x80", "x \x80"},             /* a stray byte is no blank either */
        {"[\"collapse_space\"]", "a \xc2\xa0 b  ", "a b "},
        {"[\"collapse_space\"]",
         "a\xc2\xa0"
         "b",
         "a b"},
        {"[\"collapse_space\"]", "a b c", "a b c"},
        {"[\"nfc\"]", "Co\xcc\x82te", "C\xc3\xb4te"},
        {"[\"nfc\"]", "C\xc3\xb4te", "C\xc3\xb4te"},
        {"[\"nfc\"]", "plain", "plain"},
        {"[\"casefold\"]", "STRASSE", "strasse"},
        {"[\"casefold\"]",
         "Stra\xc3\x9f"
         "e",
         "strasse"},
        {"[\"casefold\"]", "\xc3\x84\xce\xa3", "\xc3\xa4\xcf\x83"},
        {"[\"casefold\"]", "lower 1", "lower 1"},
        {"[{\"strip_prefix\": \"ISO-\"}]", "ISO-FR", "FR"},
        {"[{\"strip_prefix\": \"ISO-\"}]", "ISO-ISO-FR", "ISO-FR"},
        {"[{\"strip_prefix\": \"ISO-\"}]", "iso-FR", "iso-FR"},
        {"[{\"strip_prefix\": \"ISO-\"}]", "ISO-", "empty"},
        {"[{\"pad_left\": {\"width\": 3, \"fill\": \"0\"}}]", "4", "004"},
        {"[{\"pad_left\": {\"width\": 3}}]", "0045", "0045"},
        {"[{\"pad_left\": {\"width\": 3}}]", "\xc3\xa9", "00\xc3\xa9"}, /* characters */
        {"[{\"pad_left\": {\"width\": 3, \"fill\": \"\xc3\xa9\"}}]", "x", "\xc3\xa9\xc3\xa9x"},
        {"[{\"pad_left\": {\"width\": 3}}]", "", "empty"}, /* no code 000 out of nothing */
        {"[\"trim\", {\"pad_left\": {\"width\": 3}}]", " ", "empty"},
        /* order matters */
        {"[\"trim\", {\"strip_prefix\": \"x\"}, \"casefold\"]", " xA", "a"},
        {"[{\"strip_prefix\": \"x\"}, \"trim\", \"casefold\"]", " xA", "xa"},
        {"[\"casefold\", {\"strip_prefix\": \"a\"}, \"trim\"]", "A  B", "b"},
        /* split */
        {"[{\"split\": \",\"}]", "INR,BTN", "INR|BTN"},
        {"[{\"split\": \",\"}, \"trim\"]", "INR, BTN", "INR|BTN"},
        {"[{\"split\": \",\"}]", "INR", "INR"},
        {"[{\"split\": \",\"}]", ",INR,,BTN,", "INR|BTN"},
        {"[{\"split\": \",\"}]", ",,", "empty"},
        {"[{\"split\": \",\"}]", "INR,INR", "INR"}, /* a set */
        {"[{\"split\": \", \"}]", "a, b,c", "a|b,c"},
        {"[{\"split\": \",\"}, \"trim\"]", "a, ,b", "a|b"},
        {"[{\"split\": \",\"}, {\"split\": \"/\"}]", "a/b,c/a", "a|c|b"},
        {"[{\"split\": \"/\"}, \"codelist:iso3166-1\"]", "FR/DE/ZZ", "FRA|DEU|unknown:ZZ"},
        {"[{\"split\": \"/\"}, \"codelist:iso3166-1\"]", "FR/FRA/250", "FRA"},
        /* crosswalks */
        {"[\"map:states\"]", "USSR", "RU*0.75|UA*0.25"},
        {"[{\"map\": \"states\"}]", "USSR", "RU*0.75|UA*0.25"},
        {"[\"map:states\"]", "CS", "ambiguous:CS"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": 1990}}]", "CS", "CZ*0.5|SK*0.5"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": \"1992-12-31\"}}]", "CS",
         "CZ*0.5|SK*0.5"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": \"1993-01-01\"}}]", "CS", "unknown:CS"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": \"2003-02\"}}]", "CS", "RS"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": \"2003-02-03\"}}]", "CS", "unknown:CS"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": \"2006-06-05\"}}]", "CS", "RS"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": 2006}}]", "CS", "RS"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": 1992}}]", "Split", "ambiguous:Split"},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": \"1992-07\"}}]", "Split", "SB"},
        {"[\"map:states\"]", "Same", "SA*0.5"},
        {"[\"map:states\"]", "ussr", "unknown:ussr"},
        {"[\"map:states\"]", "Nowhere", "empty"},
        {"[\"map:states\", \"codelist:iso3166-1\"]", "Union", "RUS*0.75"}, /* both ways */
        {"[\"map:states\", \"map:blocs\"]", "USSR", "CIS|BRICS*0.375"},    /* .75 + .25 */
        {"[{\"split\": \",\"}, \"map:blocs\"]", "RU,UA", "CIS*2|BRICS*0.5"},
        {"[{\"split\": \",\"}, \"map:blocs\"]", "RU,RU", "CIS|BRICS*0.5"},
        /* code lists */
        {AUTO, "fr", "FRA"},
        {AUTO, "DEU", "DEU"},
        {AUTO, "DE ", "unknown:DE "},
        {TRIM_AUTO, "DE ", "DEU"},
        {TRIM_AUTO,
         "\xc2\xa0"
         "DE\xc2\xa0",
         "DEU"},
        {TRIM_AUTO, "\xc2\xa0", "empty"},
        {TRIM_AUTO, "", "empty"},
        {TRIM_AUTO, "4", "AFG"},
        {TRIM_AUTO, "NA", "NAM"},
        {TRIM_AUTO, "ZZ", "unknown:ZZ"},
        {TRIM_AUTO, "-99", "unknown:-99"},
        {TRIM_AUTO, "XK", "XKX"},
        {TRIM_AUTO, "CS", "ambiguous:CS"},
        {TRIM_AUTO, "DDR", "withdrawn:DDR"},
        {TRIM_AUTO, "WLD", "!aggregate:WLD"},
        {TRIM_AUTO, "EU27_2020", "!aggregate:EU27_2020"},
        {TRIM_AUTO, "EL", "unknown:EL"},
        {LIST("\"aggregates\": \"bucket\""), "OWID_WRL", "aggregate:OWID_WRL"},
        {LIST("\"aggregates\": \"exclude\""), "OWID_WRL", "!aggregate:OWID_WRL"},
        {LIST("\"aliases\": [\"kosovo\", \"eurostat\"]"), "EL", "GRC"},
        {LIST("\"aliases\": [\"kosovo\", \"eurostat\"]"), "KSV", "XKX"},
        {LIST("\"aliases\": [\"kosovo\"]"), "-99", "unknown:-99"},
        {LIST("\"withdrawn\": \"successor\""), "DDR", "DEU"},
        {LIST("\"withdrawn\": \"successor\""), "SUN", "withdrawn:SUN"},
        {LIST("\"withdrawn\": \"none\""), "BUMM", "withdrawn:BUMM"},
        {LIST("\"withdrawn\": \"successor\", \"as_of\": 1975"), "AI", "DJI"},
        {LIST("\"withdrawn\": \"keep\""), "DDR", "DDDE"},
        {LIST("\"withdrawn\": \"keep\""), "CSK", "CSHH"},
        {LIST("\"withdrawn\": \"keep\""), "CS", "ambiguous:CS"},
        {LIST("\"withdrawn\": \"keep\", \"as_of\": 2004"), "CS", "CSXX"},
        {LIST("\"from\": \"name\""), "Cote d'Ivoire", "CIV"},
        {LIST("\"from\": \"alpha2\""), "FRA", "unknown:FRA"},
        {LIST("\"from\": \"numeric\", \"to\": \"alpha2\""), "4", "AF"},
        {LIST("\"to\": \"numeric\""), "AF", "004"},
        {LIST("\"to\": \"numeric\""), "XK", "unknown:XK"}, /* Kosovo has none */
        {LIST("\"to\": \"name\""), "276", "Germany"},
    };
    return cr_make_param_array(struct apply_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct apply_case *c, normalize, apply)
{
    vc_normalizer *normalizer = parse_steps(c->steps);
    vc_arena arena = {0};
    vc_key_list list = {0};
    char text[256];
    for (int round = 0; round < 2; round++) { /* the second uses the room of the first */
        cr_assert_eq(vc_normalizer_apply(normalizer, vc_str_of(c->key), &arena, &list, NULL),
                     VC_OK);
        print_keys(&list, text, sizeof text);
        cr_assert_str_eq(text, c->expected, "%s of '%s': %s, not %s", c->steps, c->key, text,
                         c->expected);
    }
    vc_arena_release(&arena);
    vc_normalizer_free(normalizer);
}

/* ---- at a time ---- */

struct time_case {
    char steps[128];
    char key[16];
    char when[16]; /* "": at none in particular */
    char expected[48];
    bool depends;
};

ParameterizedTestParameters(normalize, at_a_time)
{
    static struct time_case cases[] = {
        {AUTO, "SK", "", "SVK", true},
        {AUTO, "SK", "2000", "SVK", true},
        {AUTO, "SK", "1975", "withdrawn:SK", true},
        {LIST("\"withdrawn\": \"successor\""), "SK", "1975-12", "IND", true},
        {LIST("\"withdrawn\": \"successor\""), "SK", "1976-01-01", "SVK", true},
        {LIST("\"withdrawn\": \"keep\""), "CS", "1990", "CSHH", true},
        {LIST("\"withdrawn\": \"keep\""), "CS", "1998", "ambiguous:CS", true},
        {LIST("\"withdrawn\": \"keep\""), "CS", "2004", "CSXX", true},
        /* a week of two years, in one of which Sikkim was a country */
        {LIST("\"withdrawn\": \"successor\""), "SK", "1976-W01", "ambiguous:SK", true},
        {AUTO, "891", "2003", "ambiguous:891", true},
        {AUTO, "FR", "1975", "FRA", false},
        {AUTO, "DDR", "1975", "withdrawn:DDR", false}, /* whenever that is */
        {LIST("\"as_of\": 1975, \"withdrawn\": \"successor\""), "SK", "2000", "IND", false},
        {LIST("\"time\": false"), "SK", "1975", "SVK", false},
        {"[\"map:states\"]", "CS", "", "ambiguous:CS", true},
        {"[\"map:states\"]", "CS", "1990", "CZ*0.5|SK*0.5", true},
        {"[\"map:states\"]", "CS", "1992-Q4", "CZ*0.5|SK*0.5", true},
        {"[\"map:states\"]", "CS", "1993-Q1", "unknown:CS", true},
        {"[\"map:states\"]", "CS", "2003-02", "RS", true},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": 1990}}]", "CS", "2003-02",
         "CZ*0.5|SK*0.5", false},
        {"[{\"map\": {\"crosswalk\": \"states\", \"time\": false}}]", "CS", "1990", "ambiguous:CS",
         false},
    };
    return cr_make_param_array(struct time_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct time_case *c, normalize, at_a_time)
{
    vc_normalizer *normalizer = parse_steps(c->steps);
    vc_arena arena = {0};
    vc_key_list list = {0};
    vc_period when;
    bool has_time = c->when[0] != '\0';
    char text[256];
    if (has_time) cr_assert(vc_period_parse_key(vc_str_of(c->when), &when), "%s", c->when);
    cr_assert_eq(vc_normalizer_apply_at(normalizer, vc_str_of(c->key), has_time ? &when : NULL,
                                        &arena, &list, NULL),
                 VC_OK);
    print_keys(&list, text, sizeof text);
    cr_assert_str_eq(text, c->expected, "%s of '%s' in '%s': %s, not %s", c->steps, c->key, c->when,
                     text, c->expected);
    cr_assert_eq(list.depends_on_time, c->depends, "%s of '%s'", c->steps, c->key);
    cr_assert(vc_normalizer_reads_time(normalizer) || !c->depends);
    vc_arena_release(&arena);
    vc_normalizer_free(normalizer);
}

struct period_case {
    char text[16];
    int32_t first, last; /* 0: no period */
    char again[32];
};

ParameterizedTestParameters(normalize, period)
{
    static struct period_case cases[] = {
        {"1990", 19900101, 19901231, "1990"},
        {"1990-02", 19900201, 19900228, "1990-02"},
        {"1992-02-29", 19920229, 19920229, "1992-02-29"},
        {"1990-Q1", 19900101, 19900331, "1990-01-01..1990-03-31"},
        {"1990-Q4", 19901001, 19901231, "1990-10-01..1990-12-31"},
        /* ISO weeks, as `date +%G-W%V` has them */
        {"2020-W01", 20191230, 20200105, "2019-12-30..2020-01-05"},
        {"2020-W53", 20201228, 20210103, "2020-12-28..2021-01-03"},
        {"2021-W01", 20210104, 20210110, "2021-01-04..2021-01-10"},
        {"2016-W09", 20160229, 20160306, "2016-02-29..2016-03-06"},
        {"1990-Q5", 0, 0, ""},
        {"1990-W54", 0, 0, ""},
        {"1990-13", 0, 0, ""},
        {"12", 0, 0, ""},
        {"", 0, 0, ""},
    };
    return cr_make_param_array(struct period_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct period_case *c, normalize, period)
{
    vc_period period = {0};
    vc_arena arena = {0};
    bool is_one = vc_period_parse_key(vc_str_of(c->text), &period);
    cr_assert_eq(is_one, c->first != 0, "%s", c->text);
    if (!is_one) return;
    cr_assert_eq(period.first, c->first, "%s: %d", c->text, period.first);
    cr_assert_eq(period.last, c->last, "%s: %d", c->text, period.last);
    vc_str again = vc_period_text(period, &arena);
    cr_assert(vc_str_is(again, c->again), "%s: %.*s", c->text, VC_FMT(again));
    vc_arena_release(&arena);
}

Test(normalize, absent_key)
{
    vc_normalizer *normalizer = parse_steps("[\"trim\", {\"pad_left\": {\"width\": 3}}]");
    vc_arena arena = {0};
    vc_key_list list = {0};
    vc_normalizer_apply(normalizer, (vc_str){NULL, 0}, &arena, &list, NULL);
    cr_assert_eq(list.count, 1u);
    cr_assert_eq(list.keys[0].state, VC_KEY_EMPTY);
    vc_arena_release(&arena);
    vc_normalizer_free(normalizer);
}

Test(normalize, identity)
{
    vc_normalizer *normalizer = NULL;
    cr_assert_eq(vc_normalizer_parse(NULL, NULL, &normalizer, NULL), VC_OK);
    cr_assert(vc_normalizer_is_identity(normalizer));
    vc_normalizer_free(normalizer);
    normalizer = parse_steps("[\"nfc\"]");
    cr_assert_not(vc_normalizer_is_identity(normalizer));
    vc_normalizer_free(normalizer);
    vc_normalizer_free(NULL);
}

/* Every code of the list, from every form to every form. */
Test(normalize, all_codes_in_all_forms)
{
    const vc_codelist *codes = vc_codelist_get(VC_STR("iso3166-1"));
    vc_arena arena = {0};
    vc_key_list list = {0};
    for (vc_code_form from = VC_FORM_ALPHA2; from <= VC_FORM_NAME; from++) {
        for (vc_code_form to = VC_FORM_ALPHA2; to <= VC_FORM_NAME; to++) {
            char steps[160];
            snprintf(steps, sizeof steps, LIST("\"from\": \"%s\", \"to\": \"%s\""),
                     vc_code_form_names[from], vc_code_form_names[to]);
            vc_normalizer *normalizer = parse_steps(steps);
            for (size_t i = 0; i < vc_codelist_count(codes); i++) {
                const vc_code *code = vc_codelist_at(codes, i);
                if (code->kind != VC_CODE_ASSIGNED) continue;
                vc_normalizer_apply(normalizer, vc_code_text(code, from), &arena, &list, NULL);
                cr_assert_eq(list.count, 1u);
                cr_assert(vc_str_equal(list.keys[0].text, vc_code_text(code, to)));
                cr_assert_eq(list.keys[0].state, VC_KEY_OK);
            }
            vc_normalizer_free(normalizer);
        }
    }
    vc_arena_release(&arena);
}

/* The joined side of the golden example of the semantics. */
Test(normalize, golden_cities)
{
    static const char *const keys[] = {"fr", "FR", "DEU", "DE ", "US", "XK", "ZZ"};
    static const char *const expected[] = {"FRA", "FRA", "DEU", "DEU", "USA", "XKX", NULL};
    vc_normalizer *normalizer = parse_steps(TRIM_AUTO);
    vc_arena arena = {0};
    vc_key_list list = {0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        vc_normalizer_apply(normalizer, vc_str_of(keys[i]), &arena, &list, NULL);
        if (expected[i] == NULL)
            cr_assert_eq(list.keys[0].state, VC_KEY_UNKNOWN);
        else
            cr_assert(vc_str_is(list.keys[0].text, expected[i]));
    }
    vc_arena_release(&arena);
    vc_normalizer_free(normalizer);
}

/* A hostile key of many parts costs no square, and is merged like a short one. */
Test(normalize, many_parts, .timeout = 20)
{
    enum { NPARTS = 200000 };
    char *key = malloc(NPARTS * 8);
    size_t used = 0;
    for (int i = 0; i < NPARTS; i++)
        used += sprintf(key + used, "%d,", i % 50000);
    vc_normalizer *normalizer = parse_steps("[{\"split\": \",\"}, \"trim\"]");
    vc_arena arena = {0};
    vc_key_list list = {0};
    vc_normalizer_apply(normalizer, (vc_str){key, used}, &arena, &list, NULL);
    cr_assert_eq(list.count, 50000u);
    for (size_t i = 1; i < list.count; i++)
        cr_assert_not(vc_str_equal(list.keys[i - 1].text, list.keys[i].text));
    vc_arena_release(&arena);
    vc_normalizer_free(normalizer);
    free(key);
}

/* The usual pipeline allocates nothing per key, so 135,000 cities cost milliseconds. */
Test(normalize, no_allocation_per_key)
{
    vc_normalizer *normalizer = parse_steps(TRIM_AUTO);
    vc_arena arena = {0};
    vc_key_list list = {0};
    static const char *const keys[] = {"FR", "DE ", "usa", "4", "ZZ", "XK", "WLD", "EL"};
    vc_normalizer_apply(normalizer, VC_STR("FR"), &arena, &list, NULL);
    size_t before_bytes = arena.total_bytes, before_used = arena.used_bytes;
    clock_t start = clock();
    for (int i = 0; i < 135000; i++)
        vc_normalizer_apply(normalizer, vc_str_of(keys[i % 8]), &arena, &list, NULL);
    double elapsed_ms = 1e3 * (double)(clock() - start) / CLOCKS_PER_SEC;
    cr_assert_eq(arena.total_bytes, before_bytes);
    cr_assert_eq(arena.used_bytes, before_used);
    cr_log_info("135000 keys: %.1f ms of processor time", elapsed_ms);
    vc_arena_release(&arena);
    vc_normalizer_free(normalizer);
}

/* ---- Mistakes in definitions ---- */

struct error_case {
    char steps[160];
    char code[24];
    char pointer[40];
    char candidate[16]; /* the first one; "" for none */
};

ParameterizedTestParameters(normalize, errors)
{
    static struct error_case cases[] = {
        {"{}", "bad_type", "", ""},
        {"[\"trimm\"]", "unknown_step", "/0", "trim"},
        {"[\"trim\", \"nfd\"]", "unknown_step", "/1", "nfc"},
        {"[\"trim\", 3]", "bad_type", "/1", ""},
        {"[null]", "bad_type", "/0", ""},
        {"[{}]", "bad_step", "/0", ""},
        {"[{\"split\": \",\", \"map\": \"states\"}]", "bad_step", "/0", ""},
        {"[{\"spilt\": \",\"}]", "unknown_step", "/0", "split"},
        {"[{\"trim\": true}]", "bad_step", "/0", ""},
        {"[\"trim:x\"]", "bad_step", "/0", ""},
        {"[\"split\"]", "bad_step", "/0", ""},
        {"[\"split:,\"]", "bad_step", "/0", ""},
        {"[\"codelist\"]", "bad_step", "/0", ""},
        {"[{\"split\": \"\"}]", "bad_value", "/0/split", ""},
        {"[{\"split\": 1}]", "bad_type", "/0/split", ""},
        {"[{\"strip_prefix\": null}]", "bad_type", "/0/strip_prefix", ""},
        {"[{\"pad_left\": 3}]", "bad_type", "/0/pad_left", ""},
        {"[{\"pad_left\": {}}]", "missing_field", "/0/pad_left", ""},
        {"[{\"pad_left\": {\"width\": 0}}]", "bad_value", "/0/pad_left/width", ""},
        {"[{\"pad_left\": {\"width\": 1025}}]", "bad_value", "/0/pad_left/width", ""},
        {"[{\"pad_left\": {\"width\": \"3\"}}]", "bad_type", "/0/pad_left/width", ""},
        {"[{\"pad_left\": {\"width\": 3, \"fill\": \"00\"}}]", "bad_value", "/0/pad_left/fill", ""},
        {"[{\"pad_left\": {\"width\": 3, \"fill\": 0}}]", "bad_type", "/0/pad_left/fill", ""},
        {"[{\"pad_left\": {\"widht\": 3}}]", "unknown_field", "/0/pad_left/widht", "width"},
        {"[\"map:state\"]", "unknown_crosswalk", "/0", "states"},
        {"[{\"map\": \"state\"}]", "unknown_crosswalk", "/0/map", "states"},
        {"[\"map:\"]", "bad_value", "/0", ""},
        {"[{\"map\": []}]", "bad_type", "/0/map", ""},
        {"[{\"map\": {}}]", "missing_field", "/0/map", ""},
        {"[{\"map\": {\"crosswalk\": 1}}]", "bad_type", "/0/map/crosswalk", ""},
        {"[{\"map\": {\"crosswalk\": \"states\", \"at\": 1}}]", "unknown_field", "/0/map/at", ""},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": true}}]", "bad_type", "/0/map/as_of",
         ""},
        {"[{\"map\": {\"crosswalk\": \"states\", \"as_of\": \"1990-13\"}}]", "bad_value",
         "/0/map/as_of", ""},
        {"[{\"codelist\": 3166}]", "bad_type", "/0/codelist", ""},
        {"[{\"codelist\": \"iso3166\"}]", "unknown_codelist", "/0/codelist", "iso3166-1"},
        {"[\"codelist:iso3166\"]", "unknown_codelist", "/0", "iso3166-1"},
        {"[{\"codelist\": {}}]", "missing_field", "/0/codelist", ""},
        {"[{\"codelist\": {\"list\": \"iso3166\"}}]", "unknown_codelist", "/0/codelist/list",
         "iso3166-1"},
        {LIST("\"form\": \"alpha2\""), "unknown_field", "/1/codelist/form", "from"},
        {LIST("\"from\": \"alpha-2\""), "bad_value", "/1/codelist/from", "alpha2"},
        {LIST("\"from\": 2"), "bad_type", "/1/codelist/from", ""},
        {LIST("\"to\": \"auto\""), "bad_value", "/1/codelist/to", ""},
        {LIST("\"to\": \"alpha4\""), "bad_value", "/1/codelist/to", "alpha2"},
        {LIST("\"withdrawn\": \"succesor\""), "bad_value", "/1/codelist/withdrawn", "successor"},
        {LIST("\"aggregates\": true"), "bad_type", "/1/codelist/aggregates", ""},
        {LIST("\"aliases\": \"eurostat\""), "bad_type", "/1/codelist/aliases", ""},
        {LIST("\"aliases\": [\"eurostat\", \"kosova\"]"), "unknown_alias_set",
         "/1/codelist/aliases/1", "kosovo"},
        {LIST("\"aliases\": [1]"), "bad_type", "/1/codelist/aliases/0", ""},
        {LIST("\"as_of\": \"1990\""), "bad_type", "/1/codelist/as_of", ""},
        {LIST("\"as_of\": 10000"), "bad_value", "/1/codelist/as_of", ""},
        {LIST("\"time\": 1990"), "bad_type", "/1/codelist/time", ""},
        {LIST("\"time\": \"\""), "bad_value", "/1/codelist/time", ""},
        {LIST("\"time\": \"date\", \"as_of\": 1990"), "bad_value", "/1/codelist/time", ""},
        {"[{\"map\": {\"crosswalk\": \"states\", \"time\": \"date\", \"as_of\": 1990}}]",
         "bad_value", "/0/map/time", ""},
        {"[{\"map\": {\"crosswalk\": \"states\", \"time\": \"date\"}}, {\"map\": {"
         "\"crosswalk\": \"blocs\", \"time\": \"day\"}}]",
         "bad_value", "/1/map/time", ""},
    };
    return cr_make_param_array(struct error_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct error_case *c, normalize, errors)
{
    vc_error error = {0};
    vc_normalizer *normalizer = NULL;
    json_t *steps = parse_json(c->steps);
    cr_assert_eq(vc_normalizer_parse(steps, &source, &normalizer, &error), VC_BAD_INPUT, "%s",
                 c->steps);
    cr_assert_null(normalizer);
    cr_assert_eq(error.status, VC_BAD_INPUT);
    cr_assert_str_eq(error.code, c->code, "%s: %s (%s)", c->steps, error.code, error.message);
    cr_assert_str_eq(error.pointer, c->pointer, "%s: %s", c->steps, error.pointer);
    if (c->candidate[0] != '\0')
        cr_assert_str_eq(error.candidates[0], c->candidate, "%s", c->steps);
    /* without room for an error it fails all the same */
    cr_assert_eq(vc_normalizer_parse(steps, &source, &normalizer, NULL), VC_BAD_INPUT);
    json_decref(steps);
}

Test(normalize, no_crosswalks_at_all)
{
    json_t *steps = parse_json("[\"map:states\"]");
    vc_normalizer *normalizer = NULL;
    vc_error error = {0};
    cr_assert_eq(vc_normalizer_parse(steps, NULL, &normalizer, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "unknown_crosswalk");
    json_decref(steps);
}

/* ---- Two sides ---- */

#define ISO(rest) "{\"codelist\": {\"list\": \"iso3166-1\"" rest "}}"

struct sides_case {
    char from[96], to[96];
    vc_status expected;
};

ParameterizedTestParameters(normalize, sides)
{
    static struct sides_case cases[] = {
        {"[]", "[]", VC_OK},
        {"[" ISO("") "]", "[]", VC_OK}, /* the other column may hold alpha-3 already */
        {"[" ISO("") "]", "[\"trim\", " ISO(", \"from\": \"name\"") "]", VC_OK},
        {"[" ISO("") "]", "[" ISO(", \"to\": \"alpha2\"") "]", VC_BAD_INPUT},
        {"[" ISO("") "]", "[" ISO(", \"to\": \"alpha2\"") ", \"map:states\"]", VC_OK},
    };
    return cr_make_param_array(struct sides_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct sides_case *c, normalize, sides)
{
    vc_normalizer *from = parse_steps(c->from), *to = parse_steps(c->to);
    vc_error error = {0};
    cr_assert_eq(vc_normalizer_check_sides(from, to, &error), c->expected);
    if (c->expected != VC_OK) cr_assert_str_eq(error.code, "form_mismatch");
    vc_normalizer_free(from);
    vc_normalizer_free(to);
}
