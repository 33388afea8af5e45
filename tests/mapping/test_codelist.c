#include "mapping/codelist.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static const vc_codelist *iso3166(void)
{
    const vc_codelist *list = vc_codelist_get(VC_STR("iso3166-1"));
    cr_assert_not_null(list);
    return list;
}

static unsigned alias_bit(const char *set)
{
    int number = vc_codelist_find_alias_set(iso3166(), vc_str_of(set));
    cr_assert_geq(number, 0, "no alias set %s", set);
    return 1u << number;
}

/* What a key means, as text: "DEU", "withdrawn SUHH", "ambiguous", "aggregate", "-". */
static const char *meaning(const char *key, const vc_code_options *options)
{
    static char text[64];
    vc_code_match match;
    switch (vc_codelist_find(iso3166(), vc_str_of(key), options, &match)) {
    case VC_CODE_ASSIGNED:
    case VC_CODE_USER: return match.code->alpha3;
    case VC_CODE_WITHDRAWN:
        snprintf(text, sizeof text, "withdrawn %s", match.code->alpha4);
        return text;
    case VC_CODE_AMBIGUOUS: return "ambiguous";
    case VC_CODE_AGGREGATE: return "aggregate";
    case VC_CODE_NONE: break;
    }
    return "-";
}

struct find_case {
    char key[40];
    vc_code_form form;
    char expected[24];
};

ParameterizedTestParameters(codelist, find)
{
    static struct find_case cases[] = {
        /* each form, any case */
        {"FR", VC_FORM_AUTO, "FRA"},
        {"fr", VC_FORM_AUTO, "FRA"},
        {"DEU", VC_FORM_AUTO, "DEU"},
        {"deu", VC_FORM_AUTO, "DEU"},
        {"276", VC_FORM_AUTO, "DEU"},
        {"4", VC_FORM_AUTO, "AFG"},
        {"04", VC_FORM_AUTO, "AFG"},
        {"004", VC_FORM_AUTO, "AFG"},
        {"0004", VC_FORM_AUTO, "-"},
        {"NA", VC_FORM_AUTO, "NAM"}, /* Namibia, never null */
        /* trimming is a step of its own */
        {"DE ", VC_FORM_AUTO, "-"},
        {"", VC_FORM_AUTO, "-"},
        {"DE\xc2\xa0", VC_FORM_AUTO, "-"},
        /* user-assigned, unassigned, no code at all */
        {"XK", VC_FORM_AUTO, "XKX"},
        {"XKX", VC_FORM_AUTO, "XKX"},
        {"ZZ", VC_FORM_AUTO, "-"},
        {"ZZZ", VC_FORM_AUTO, "-"},
        {"999", VC_FORM_AUTO, "-"},
        {"-99", VC_FORM_AUTO, "-"},
        {"CHI", VC_FORM_AUTO, "-"}, /* Channel Islands: no group, no ISO code */
        {"France", VC_FORM_AUTO, "-"},
        {"A1", VC_FORM_AUTO, "-"},
        {"a very long key that is in no list", VC_FORM_AUTO, "-"},
        /* withdrawn */
        {"BU", VC_FORM_AUTO, "withdrawn BUMM"},
        {"BUR", VC_FORM_AUTO, "withdrawn BUMM"},
        {"BUMM", VC_FORM_AUTO, "withdrawn BUMM"},
        {"DD", VC_FORM_AUTO, "withdrawn DDDE"},
        {"DDR", VC_FORM_AUTO, "withdrawn DDDE"},
        {"ZAR", VC_FORM_AUTO, "withdrawn ZRCD"},
        {"TMP", VC_FORM_AUTO, "withdrawn TPTL"},
        {"SUN", VC_FORM_AUTO, "withdrawn SUHH"},
        {"YUG", VC_FORM_AUTO, "withdrawn YUCS"},
        {"CSK", VC_FORM_AUTO, "withdrawn CSHH"},
        {"SCG", VC_FORM_AUTO, "withdrawn CSXX"},
        {"ANT", VC_FORM_AUTO, "withdrawn ANHH"},
        {"278", VC_FORM_AUTO, "withdrawn DDDE"},
        /* a numeric that the country kept under its new name is today's */
        {"104", VC_FORM_AUTO, "MMR"},
        {"180", VC_FORM_AUTO, "COD"},
        /* re-used: today's meaning, where there is one */
        {"AI", VC_FORM_AUTO, "AIA"},
        {"GE", VC_FORM_AUTO, "GEO"},
        {"SK", VC_FORM_AUTO, "SVK"},
        {"BQ", VC_FORM_AUTO, "BES"},
        {"ATF", VC_FORM_AUTO, "ATF"},
        {"CS", VC_FORM_AUTO, "ambiguous"},
        {"891", VC_FORM_AUTO, "ambiguous"},
        {"CSHH", VC_FORM_AUTO, "withdrawn CSHH"},
        {"GEL", VC_FORM_AUTO, "withdrawn GEHH"},
        /* groups */
        {"WLD", VC_FORM_AUTO, "aggregate"},
        {"wld", VC_FORM_AUTO, "aggregate"},
        {"1W", VC_FORM_AUTO, "aggregate"},
        {"OWID_WRL", VC_FORM_AUTO, "aggregate"},
        {"OWID_USS", VC_FORM_AUTO, "-"}, /* one state that is no more, not a group */
        {"EU27_2020", VC_FORM_AUTO, "aggregate"},
        {"EA19", VC_FORM_AUTO, "aggregate"},
        {"EU", VC_FORM_AUTO, "aggregate"},
        {"001", VC_FORM_AUTO, "aggregate"},
        {"1", VC_FORM_AUTO, "aggregate"},
        {"900", VC_FORM_AUTO, "aggregate"},
        {"WLD", VC_FORM_ALPHA2, "aggregate"}, /* whatever form was asked */
        {"WLD", VC_FORM_NUMERIC, "aggregate"},
        /* alias sets that are not switched on */
        {"EL", VC_FORM_AUTO, "-"},
        {"UK", VC_FORM_AUTO, "-"},
        {"KOS", VC_FORM_AUTO, "-"},
        {"XD", VC_FORM_AUTO, "-"},
        /* a fixed form takes nothing else */
        {"DE", VC_FORM_ALPHA2, "DEU"},
        {"DEU", VC_FORM_ALPHA2, "-"},
        {"276", VC_FORM_ALPHA2, "-"},
        {"DE", VC_FORM_ALPHA3, "-"},
        {"DEU", VC_FORM_ALPHA3, "DEU"},
        {"DEU", VC_FORM_NUMERIC, "-"},
        {"8", VC_FORM_NUMERIC, "ALB"},
        {"BUMM", VC_FORM_ALPHA3, "-"},
        {"DE", VC_FORM_NAME, "-"},
        /* names */
        {"Germany", VC_FORM_NAME, "DEU"},
        {"GERMANY", VC_FORM_NAME, "DEU"},
        {"C\xc3\xb4te d\xe2\x80\x99Ivoire", VC_FORM_NAME, "CIV"},
        {"COTE D IVOIRE", VC_FORM_NAME, "CIV"},
        {"Cote d'Ivoire", VC_FORM_NAME, "CIV"},
        {"Co\xcc\x82te d'Ivoire", VC_FORM_NAME, "CIV"}, /* combining accent */
        {"ivory coast", VC_FORM_NAME, "CIV"},
        {"\xc3\x85land Islands", VC_FORM_NAME, "ALA"},
        {"Aland Islands", VC_FORM_NAME, "ALA"},
        {"T\xc3\xbcrkiye", VC_FORM_NAME, "TUR"},
        {"Turkey", VC_FORM_NAME, "TUR"},
        {"Trinidad & Tobago", VC_FORM_NAME, "TTO"},
        {"Trinidad and Tobago", VC_FORM_NAME, "TTO"},
        {"The Gambia", VC_FORM_NAME, "GMB"},
        {"Gambia, The", VC_FORM_NAME, "GMB"},
        {"St. Lucia", VC_FORM_NAME, "LCA"},
        {"Saint Lucia", VC_FORM_NAME, "LCA"},
        {"Korea, Rep.", VC_FORM_NAME, "KOR"},
        {"Congo, Dem. Rep.", VC_FORM_NAME, "COD"},
        {"Moldova, Republic of", VC_FORM_NAME, "MDA"},
        {"United Kingdom", VC_FORM_NAME, "GBR"},
        {"  United\xc2\xa0States ", VC_FORM_NAME, "USA"},
        {"Niger", VC_FORM_NAME, "NER"},
        {"Nigeria", VC_FORM_NAME, "NGA"},
        {"Kosovo", VC_FORM_NAME, "XKX"},
        {"USSR", VC_FORM_NAME, "withdrawn SUHH"},
        {"Burma", VC_FORM_NAME, "withdrawn BUMM"},
        {"Zaire", VC_FORM_NAME, "withdrawn ZRCD"},
        {"World", VC_FORM_NAME, "aggregate"},
        {"Euro area", VC_FORM_NAME, "aggregate"},
        {"High income", VC_FORM_NAME, "aggregate"},
        {"Atlantis", VC_FORM_NAME, "-"},
        {"the and", VC_FORM_NAME, "-"},
        {"...", VC_FORM_NAME, "-"},
    };
    return cr_make_param_array(struct find_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct find_case *c, codelist, find)
{
    vc_code_options options = {.form = c->form};
    cr_assert_str_eq(meaning(c->key, &options), c->expected, "'%s': %s, not %s", c->key,
                     meaning(c->key, &options), c->expected);
}

struct option_case {
    char key[24];
    char aliases[16]; /* "" for none */
    bool follow_successor;
    uint16_t as_of_year;
    char expected[24];
};

ParameterizedTestParameters(codelist, options)
{
    static struct option_case cases[] = {
        {"EL", "eurostat", false, 0, "GRC"},
        {"uk", "eurostat", false, 0, "GBR"},
        {"GR", "eurostat", false, 0, "GRC"},
        {"GB", "eurostat", false, 0, "GBR"},
        {"EL", "kosovo", false, 0, "-"},
        {"KSV", "kosovo", false, 0, "XKX"},
        {"KOS", "kosovo", false, 0, "XKX"},
        {"kos", "kosovo", false, 0, "XKX"},
        {"KV", "kosovo", false, 0, "XKX"},
        {"UNK", "kosovo", false, 0, "XKX"},
        {"OWID_KOS", "kosovo", false, 0, "XKX"},
        {"-99", "kosovo", false, 0, "-"},
        {"XD", "worldbank", false, 0, "aggregate"},
        {"XK", "worldbank", false, 0, "XKX"},
        /* one successor, also through several changes */
        {"BU", "", true, 0, "MMR"},
        {"BUR", "", true, 0, "MMR"},
        {"BUMM", "", true, 0, "MMR"},
        {"DDR", "", true, 0, "DEU"},
        {"ZAR", "", true, 0, "COD"},
        {"TPTL", "", true, 0, "TLS"},
        {"SKIN", "", true, 0, "IND"},
        /* split states have none */
        {"SUN", "", true, 0, "withdrawn SUHH"},
        {"ANT", "", true, 0, "withdrawn ANHH"},
        {"CSK", "", true, 0, "withdrawn CSHH"},
        {"SCG", "", true, 0, "withdrawn CSXX"},
        {"YUG", "", true, 0, "withdrawn YUCS"},  /* its one successor was split */
        {"GEL", "", true, 0, "withdrawn GEHH"},  /* Kiribati and Tuvalu */
        {"FQHH", "", true, 0, "withdrawn FQHH"}, /* Antarctica and TF */
        {"CS", "", true, 0, "ambiguous"},
        /* as they were valid in a year */
        {"CS", "", false, 1980, "withdrawn CSHH"},
        {"CS", "", false, 2004, "withdrawn CSXX"},
        {"CS", "", false, 1999, "ambiguous"},
        {"AI", "", false, 1975, "withdrawn AIDJ"},
        {"AI", "", true, 1975, "DJI"},
        {"AI", "", true, 1990, "AIA"},
        {"SK", "", true, 1974, "IND"},
        {"SK", "", true, 2000, "SVK"},
        {"BY", "", false, 1980, "BLR"}, /* the same country under its former name */
        {"104", "", false, 1980, "MMR"},
        {"891", "", false, 1999, "withdrawn YUCS"},
        {"891", "", false, 2005, "withdrawn CSXX"},
        {"891", "", false, 2003, "ambiguous"}, /* the year of the change */
    };
    return cr_make_param_array(struct option_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct option_case *c, codelist, options)
{
    vc_code_options options = {
        .follow_successor = c->follow_successor,
        .as_of_year = c->as_of_year,
        .alias_sets = c->aliases[0] == '\0' ? 0 : alias_bit(c->aliases),
    };
    cr_assert_str_eq(meaning(c->key, &options), c->expected, "'%s': %s, not %s", c->key,
                     meaning(c->key, &options), c->expected);
}

/* Every assigned code leads back to itself from each of its forms, in either case. */
Test(codelist, round_trip)
{
    const vc_codelist *list = iso3166();
    unsigned nassigned = 0, nuser = 0, nwithdrawn = 0;
    for (size_t i = 0; i < vc_codelist_count(list); i++) {
        const vc_code *code = vc_codelist_at(list, i);
        nwithdrawn += code->kind == VC_CODE_WITHDRAWN;
        if (code->kind != VC_CODE_ASSIGNED && code->kind != VC_CODE_USER) continue;
        nassigned += code->kind == VC_CODE_ASSIGNED;
        nuser += code->kind == VC_CODE_USER;
        for (vc_code_form form = VC_FORM_ALPHA2; form <= VC_FORM_NAME; form++) {
            vc_str text = vc_code_text(code, form);
            if (vc_str_is_null(text)) {
                cr_assert(code->kind == VC_CODE_USER && form == VC_FORM_NUMERIC);
                continue;
            }
            vc_code_match match;
            vc_code_options fixed = {.form = form};
            vc_codelist_find(list, text, &fixed, &match);
            cr_assert_eq(match.code, code, "%.*s", VC_FMT(text));
            if (form == VC_FORM_NAME) continue;
            char lower[4] = {0};
            for (size_t at = 0; at < text.size; at++)
                lower[at] = text.data[at] | 0x20; /* digits have that bit already */
            vc_codelist_find(list, vc_str_of(lower), NULL, &match);
            cr_assert_eq(match.code, code, "%s", lower);
        }
        cr_assert_eq(vc_code_text(code, VC_FORM_ALPHA3).size, 3u);
        cr_assert_eq(vc_code_text(code, VC_FORM_ALPHA2).size, 2u);
    }
    cr_assert_eq(nassigned, 249u);
    cr_assert_eq(nuser, 1u);
    cr_assert_eq(nwithdrawn, 31u);
}

/* Withdrawn codes are found by alpha-4, have years and successors, and lead nowhere in circles. */
Test(codelist, withdrawn_rows)
{
    const vc_codelist *list = iso3166();
    for (size_t i = 0; i < vc_codelist_count(list); i++) {
        const vc_code *code = vc_codelist_at(list, i);
        if (code->kind != VC_CODE_WITHDRAWN) continue;
        vc_code_match match;
        vc_codelist_find(list, vc_str_of(code->alpha4), NULL, &match);
        cr_assert_eq(match.code, code, "%s", code->alpha4);
        cr_assert(code->first_year >= 1974 && code->first_year <= code->last_year);
        cr_assert(code->last_year <= 2010 && code->nsuccessors > 0);
        const vc_code *next = code;
        unsigned nchanges = 0;
        for (; next->kind == VC_CODE_WITHDRAWN; nchanges++) {
            cr_assert_lt(nchanges, 31u, "%s leads in a circle", code->alpha4);
            cr_assert_lt(next->successors[0], vc_codelist_count(list));
            next = vc_codelist_at(list, next->successors[0]);
        }
        /* ISO writes HH for "no single successor" */
        if (strcmp(code->alpha4 + 2, "HH") == 0) cr_assert_gt(code->nsuccessors, 1);
    }
}

/* All aggregates of the World Bank's files: they would double every total. */
Test(codelist, world_bank_aggregates)
{
    static const char codes[][4] = {
        "AFE", "AFW", "ARB", "CEB", "CSS", "EAP", "EAR", "EAS", "ECA", "ECS", "EMU", "EUU",
        "FCS", "HIC", "HPC", "IBD", "IBT", "IDA", "IDB", "IDX", "LAC", "LCN", "LDC", "LIC",
        "LMC", "LMY", "LTE", "MEA", "MIC", "MNA", "NAC", "OED", "OSS", "PRE", "PSS", "PST",
        "SAS", "SSA", "SSF", "SST", "TEA", "TEC", "TLA", "TMN", "TSA", "TSS", "UMC", "WLD"};
    cr_assert_eq(sizeof codes / sizeof codes[0], 48u);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        cr_assert_str_eq(meaning(codes[i], NULL), "aggregate", "%s", codes[i]);
}

/* What a report needs to help: the set to switch on, what an ambiguous key has meant, and the
 * withdrawn code behind a match. */
Test(codelist, explains_itself)
{
    vc_code_match match;
    vc_codelist_find(iso3166(), VC_STR("UK"), NULL, &match);
    cr_assert_eq(match.kind, VC_CODE_NONE);
    cr_assert_str_eq(match.alias_set, "eurostat");

    vc_codelist_find(iso3166(), VC_STR("cs"), NULL, &match);
    cr_assert_eq(match.ncandidates, 2u);
    cr_assert_str_eq(match.candidates[0]->alpha3, "CSK");
    cr_assert_str_eq(match.candidates[1]->alpha3, "SCG");

    vc_code_options follow = {.follow_successor = true};
    vc_codelist_find(iso3166(), VC_STR("DDR"), &follow, &match);
    cr_assert_str_eq(match.code->alpha2, "DE");
    cr_assert_str_eq(match.withdrawn->alpha4, "DDDE");
}

Test(codelist, lists_and_sets)
{
    cr_assert_null(vc_codelist_get(VC_STR("iso3166")));
    cr_assert_str_eq(vc_codelist_names()[0], "iso3166-1");
    cr_assert_eq(vc_codelist_find_alias_set(iso3166(), VC_STR("eurostats")), -1);
    cr_assert_eq(vc_codelist_find_alias_set(iso3166(), VC_STR("eurostat")), 0);
    cr_assert_eq(vc_codelist_find_alias_set(iso3166(), VC_STR("kosovo")), 1);
}

/* Longer than any name of the list, ASCII and not, and bytes that are no UTF-8. */
Test(codelist, odd_names)
{
    static char text[8000];
    vc_code_options names = {.form = VC_FORM_NAME};
    vc_code_match match;
    for (size_t size = 0; size <= sizeof text; size += 97) {
        memset(text, 'a', sizeof text);
        cr_assert_eq(vc_codelist_find(iso3166(), (vc_str){text, size}, &names, &match),
                     VC_CODE_NONE);
        memset(text, 0xc3, sizeof text);
        cr_assert_eq(vc_codelist_find(iso3166(), (vc_str){text, size}, &names, &match),
                     VC_CODE_NONE);
        for (size_t at = 0; at + 3 <= size; at += 3) /* U+FDFA and its like grow when folded */
            memcpy(text + at, "\xef\xb7\xba", 3);
        cr_assert_eq(vc_codelist_find(iso3166(), (vc_str){text, size / 3 * 3}, &names, &match),
                     VC_CODE_NONE);
    }
}
