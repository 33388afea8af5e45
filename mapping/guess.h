/* Guesses: which key of an index another one was perhaps meant to be.
 *
 * Tried in this order: spaces, case, both, zeros in front; the other codes of a built-in code list
 * (withdrawn ones, too, and the spellings of statistics offices), where most keys of the index are
 * such codes; near spelling. Threads: one at a time.
 */
#ifndef MAPPING_GUESS_H
#define MAPPING_GUESS_H

#include "base/arena.h"
#include "base/status.h"
#include "dimensions/dimension.h"

typedef struct vc_guess {
    vc_str key;       /* of the index */
    const char *why;  /* a literal */
    const char *step; /* of a normalisation that makes them equal; NULL: none does */
} vc_guess;

typedef struct vc_guesser vc_guesser;

/* index  borrowed. O(values). */
vc_status vc_guesser_new(const vc_index *index, vc_guesser **guesser_out, vc_error *error);
void vc_guesser_free(vc_guesser *guesser);

/* guesses_out [max]; how many there are. The texts are the index's. */
size_t vc_guesser_ask(const vc_guesser *guesser, vc_str key, vc_guess *guesses_out, size_t max);

#endif
