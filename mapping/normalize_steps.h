/* What a normalizer is made of; only normalize.c and normalize_parse.c include it. */
#ifndef MAPPING_NORMALIZE_STEPS_H
#define MAPPING_NORMALIZE_STEPS_H

#include "mapping/codelist.h"
#include "mapping/normalize.h"

typedef enum vc_step_kind {
    VC_STEP_TRIM,
    VC_STEP_COLLAPSE_SPACE,
    VC_STEP_NFC,
    VC_STEP_CASEFOLD,
    VC_STEP_STRIP_PREFIX,
    VC_STEP_PAD_LEFT,
    VC_STEP_SPLIT,
    VC_STEP_MAP,
    VC_STEP_CODELIST,
} vc_step_kind;

typedef struct vc_step {
    vc_step_kind kind;
    vc_str text;  /* STRIP_PREFIX: the prefix; PAD_LEFT: the fill; SPLIT: the separator */
    size_t width; /* PAD_LEFT */
    const void *crosswalk;
    bool has_as_of; /* MAP and CODELIST: is read at one time, or by "time": false, at none */
    int32_t as_of_first, as_of_last; /* MAP: the time at which its rows are read */
    const vc_codelist *list;
    vc_code_options options;
    vc_code_form to;
    bool buckets_aggregates;
    bool keeps_withdrawn; /* a withdrawn code is one of its own, by its alpha-4 code */
} vc_step;

struct vc_normalizer {
    vc_arena arena; /* the texts of the steps and the steps */
    vc_crosswalk_source crosswalks;
    vc_step *steps;
    size_t nsteps;
    vc_str time; /* the dimension that steps name; absent: none */
};

#endif
