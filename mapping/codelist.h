/* Built-in code lists: what a country code means, whichever form it is written in.
 *
 * One list so far, "iso3166-1": the 249 assigned codes (alpha-2, alpha-3, numeric, English names),
 * Kosovo's user-assigned XK/XKX, the 31 withdrawn codes of ISO 3166-3, and the codes that
 * statistics offices put into a country column for groups of countries ("aggregates").
 *
 * Invariants: every key means one thing or is VC_CODE_AMBIGUOUS, nothing is guessed. Aggregates
 * and unknown keys never match. Alias sets (EL for GR, ...) count only where they are switched on.
 * Threads: constant data; share it freely. Nothing here allocates.
 */
#ifndef MAPPING_CODELIST_H
#define MAPPING_CODELIST_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vc_code_kind {
    VC_CODE_NONE = 0,  /* not in the list */
    VC_CODE_ASSIGNED,  /* an official code of today */
    VC_CODE_USER,      /* user-assigned, accepted as first class: Kosovo, which has no numeric */
    VC_CODE_WITHDRAWN, /* in ISO 3166-3, and not mapped to a successor */
    VC_CODE_AMBIGUOUS, /* has meant several states, none of them today's: CS */
    VC_CODE_AGGREGATE, /* a group of countries: WLD, OWID_WRL, EU27_2020, 001 */
} vc_code_kind;

typedef enum vc_code_form {
    VC_FORM_AUTO = 0, /* for finding only: each key by its own form */
    VC_FORM_ALPHA2,
    VC_FORM_ALPHA3,
    VC_FORM_NUMERIC, /* three digits, with leading zeros */
    VC_FORM_NAME,    /* English name */
} vc_code_form;

/* One row of a list. Texts are "" where the code has no such form. */
typedef struct vc_code {
    vc_code_kind kind; /* ASSIGNED, USER, WITHDRAWN or AGGREGATE */
    char alpha2[3];
    char alpha3[4];
    char numeric[4];
    char alpha4[5]; /* of ISO 3166-3: "BUMM" */
    const char *name;
    uint16_t first_year, last_year; /* of a withdrawn code: valid in both; otherwise 0 */
    const uint16_t *successors;     /* [nsuccessors] numbers for vc_codelist_at */
    uint16_t nsuccessors;
} vc_code;

typedef struct vc_codelist vc_codelist;

enum { VC_CODE_CANDIDATES = 4 };

typedef struct vc_code_match {
    vc_code_kind kind;
    const vc_code *code;      /* what the key means; NULL for NONE and AMBIGUOUS */
    const vc_code *withdrawn; /* the withdrawn code whose only successor `code` is, or NULL */
    const char *alias_set;    /* the set that resolved the key; for NONE the set that would, if it
                                 were switched on; or NULL */
    bool depends_on_year;     /* the key has meant several things */
    unsigned ncandidates;     /* AMBIGUOUS: what the key has meant */
    const vc_code *candidates[VC_CODE_CANDIDATES];
} vc_code_match;

typedef struct vc_code_options {
    vc_code_form form;
    unsigned alias_sets;   /* bits: 1u << number of vc_codelist_find_alias_set */
    bool follow_successor; /* a withdrawn code with exactly one successor today means that one */
    uint16_t as_of_year;   /* codes as they were valid in this year; 0: today */
} vc_code_options;

/* The list of that name; NULL when there is none. */
const vc_codelist *vc_codelist_get(vc_str name);

/* Names of all lists, ended with NULL: for "did you mean". */
const char *const *vc_codelist_names(void);

/* Names of the alias sets of a list, ended with NULL; their places are their numbers. */
const char *const *vc_codelist_alias_sets(const vc_codelist *list);

/* The number of an alias set; -1 when there is none of that name. */
int vc_codelist_find_alias_set(const vc_codelist *list, vc_str name);

size_t vc_codelist_count(const vc_codelist *list);
const vc_code *vc_codelist_at(const vc_codelist *list, size_t number); /* number < count */

/* What a key means.
 *
 * key      not trimmed here; ASCII case is ignored, 1 to 3 digits are padded to 3
 * options  NULL: form AUTO, no aliases, withdrawn codes not followed, today
 *
 * AUTO takes two letters as alpha-2, three as alpha-3, four as alpha-4 of ISO 3166-3, one to three
 * digits as numeric; never a name. A fixed form takes only keys of that form. Aggregates are
 * recognised in every form, so that they can be told from mistakes.
 * A key that a withdrawn and an assigned code share (AI, BQ, GE, SK) means the assigned one,
 * unless as_of_year lies in the time of the withdrawn one.
 * NAME ignores case, accents, punctuation, "the" and "and", and reads "St" as "Saint".
 *
 * match_out is always filled; its kind is returned. O(log count).
 */
vc_code_kind vc_codelist_find(const vc_codelist *list, vc_str key, const vc_code_options *options,
                              vc_code_match *match_out);

/* The code in a form other than AUTO; absent where it has none (XK has no numeric). */
vc_str vc_code_text(const vc_code *code, vc_code_form form);

/* "auto", "alpha2", "alpha3", "numeric", "name", NULL: indexed by vc_code_form. */
extern const char *const vc_code_form_names[];

#endif
