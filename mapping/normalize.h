/* Key normalisation: the pipeline that brings the keys of two cubes to one form.
 *
 * A pipeline is an array of steps in a join's definition, applied in order to a copy of each key:
 *
 *     "trim"            blanks off both ends          "nfc"        Unicode normal form C
 *     "collapse_space"  runs of blanks to one space   "casefold"   full case folding
 *     {"strip_prefix": "ISO-"}                        once, where it is there
 *     {"pad_left": {"width": 3, "fill": "0"}}         to so many characters
 *     {"split": ","}                                  one key becomes several
 *     "map:NAME"  or  {"map": "NAME"}  or
 *     {"map": {"crosswalk": "NAME", "as_of": 1990}}   through a crosswalk, with weights;
 *                                                     "time": DIMENSION or false
 *     "codelist:NAME"  or  {"codelist": "NAME"}  or
 *     {"codelist": {"list": "iso3166-1", "from": "auto", "to": "alpha3", "aliases": ["eurostat"],
 *                   "withdrawn": "successor", "aggregates": "bucket", "as_of": 1990}}
 *
 * What a key means to a crosswalk or a code list may depend on the time. A step reads it as of its
 * own `as_of`; otherwise at the time that is given with the key, and where none is, at no time in
 * particular: then a key that means different things at different times is ambiguous.
 *
 * Invariants: only keys of state VC_KEY_OK may match. A key that a code list or a crosswalk does
 * not know never matches, also not the same raw text on the other side. A key that is empty, from
 * the start or after any step, stays empty and never matches (padding does not revive it).
 * Threads: a normalizer is immutable; apply it from many threads, each with its own arena.
 */
#ifndef MAPPING_NORMALIZE_H
#define MAPPING_NORMALIZE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"
#include "mapping/period.h"

#include <jansson.h>

typedef struct vc_normalizer vc_normalizer;

typedef enum vc_key_state {
    VC_KEY_OK = 0,
    VC_KEY_EMPTY,     /* absent or empty, at the start or after a step */
    VC_KEY_UNKNOWN,   /* not in the code list or crosswalk, or without a code in the form asked */
    VC_KEY_WITHDRAWN, /* a withdrawn code without one successor, or not told to follow it */
    VC_KEY_AMBIGUOUS, /* a code that has meant several things, or leads elsewhere at other times */
    VC_KEY_AGGREGATE, /* a group of countries */
} vc_key_state;

/* "ok", "empty", "unknown", ...: indexed by vc_key_state. */
extern const char *const vc_key_state_names[];

typedef struct vc_key {
    vc_str text; /* OK: the key. Otherwise what the failing step was given, for reports */
    vc_key_state state;
    bool is_excluded; /* an aggregate whose facts belong in no bucket and no total: always, but
                         with "aggregates": "bucket" */
    double weight;    /* product of the crosswalk weights on the way; 1 without any */
} vc_key;

/* The keys that one key became. Start with {0}; the room is used again by the next call with the
 * same arena. */
typedef struct vc_key_list {
    vc_key *keys;
    size_t count;
    size_t capacity;
    bool depends_on_time; /* at another time, these might be other keys */
} vc_key_list;

typedef struct vc_crosswalk_target {
    vc_str to;
    double weight;
    int32_t first_day, last_day; /* in which it holds (mapping/period.h) */
    vc_str note;                 /* absent: none */
} vc_crosswalk_target;

/* How a normalizer reaches crosswalks, without knowing where they are kept. */
typedef struct vc_crosswalk_source {
    void *context;
    /* Find a crosswalk by name, while parsing. It must live as long as the normalizer.
     * VC_NOT_FOUND with candidates when there is none. */
    vc_status (*open)(void *context, vc_str name, const void **crosswalk_out, vc_error *error);
    /* What a key leads to: the count, and the targets, borrowed from the crosswalk. Called from
     * many threads. */
    size_t (*find)(const void *crosswalk, vc_str key, const vc_crosswalk_target **targets_out);
} vc_crosswalk_source;

/* Compile a pipeline.
 *
 * steps       the JSON array; NULL stands for an empty one. Not kept
 * crosswalks  NULL: every "map" is an error. Copied; its context is kept
 *
 * Errors are VC_BAD_INPUT with a pointer relative to the array ("/1/codelist/to"), and candidates
 * for an unknown word. *normalizer_out is set on VC_OK only.
 */
vc_status vc_normalizer_parse(const json_t *steps, const vc_crosswalk_source *crosswalks,
                              vc_normalizer **normalizer_out, vc_error *error);

/* Refuse two pipelines that end in different forms of one code list (alpha-2 here, alpha-3 there):
 * they could never match. VC_BAD_INPUT, code "form_mismatch", without a pointer. */
vc_status vc_normalizer_check_sides(const vc_normalizer *from, const vc_normalizer *to,
                                    vc_error *error);

void vc_normalizer_free(vc_normalizer *normalizer); /* NULL is fine */

/* Does it have no steps, so that every key but the empty ones stays as it is? */
bool vc_normalizer_is_identity(const vc_normalizer *normalizer);

/* Normalise one key.
 *
 * key   valid UTF-8, or absent. Results may be views of it
 * list  in/out; afterwards it holds at least one key, no two of them OK with the same text. Where
 *       steps made one key of several, it counts once; behind a "map" their weights are added
 *
 * Cost for the usual trim + codelist: no allocation once the list has room.
 * Returns VC_NO_MEMORY only.
 */
vc_status vc_normalizer_apply(const vc_normalizer *normalizer, vc_str key, vc_arena *arena,
                              vc_key_list *list, vc_error *error);

/* The same, of a key at a time; when NULL: at none in particular. */
vc_status vc_normalizer_apply_at(const vc_normalizer *normalizer, vc_str key, const vc_period *when,
                                 vc_arena *arena, vc_key_list *list, vc_error *error);

/* Has it a step whose result may depend on the time that is given with a key? */
bool vc_normalizer_reads_time(const vc_normalizer *normalizer);

/* The dimension whose time the steps name by "time"; absent: none does. */
vc_str vc_normalizer_time(const vc_normalizer *normalizer);

#endif
