/* How well two indexes would pair: the least normalisation under which most keys meet, how many do,
 * and whether that says anything.
 *
 *     vc_pairing_side a, b;          one for each index, used for many pairs
 *     vc_pairing_side_init(&a, index_a); ...
 *     vc_pairing_try(&a, &b, &found, &error);
 *     vc_pairing_side_release(&a); ...
 *
 * Work is bounded. The keys of an index are hashed once for each form of writing that can matter
 * for it (at most VC_FORM_COUNT, most often one to three), 8 bytes a key, and kept sorted. Of a
 * pair VC_PAIRING_SAMPLE keys of the smaller side are looked up first; only where a tenth of them
 * is found the two lists are gone through. An index of more than VC_PAIRING_VALUES distinct keys
 * is not paired.
 * Threads: one at a time for a side.
 */
#ifndef MAPPING_PAIRING_H
#define MAPPING_PAIRING_H

#include "base/buffer.h"
#include "mapping/normalize.h"
#include "mapping/profile.h"

enum { VC_PAIRING_SAMPLE = 512, VC_PAIRING_VALUES = 1 << 22 };

typedef enum vc_key_form { /* of the keys of one side */
                           VC_FORM_AS_FOUND = 0,
                           VC_FORM_TRIMMED,
                           VC_FORM_FOLDED,  /* case */
                           VC_FORM_SPELLED, /* spaces, composition of characters, case */
                           VC_FORM_PADDED,  /* zeros in front */
                           VC_FORM_CODE,    /* of ISO 3166-1 */
                           VC_FORM_CODE_EUROSTAT,
                           VC_FORM_CODE_KOSOVO,
                           VC_FORM_CODE_WORLDBANK,
                           VC_FORM_CODE_NAME,
                           VC_FORM_COUNT
} vc_key_form;

typedef struct vc_key_hashes {
    uint64_t *hashes; /* [count] ascending, of the keys that are OK; equal ones stay */
    uint32_t count;
    uint32_t nexcluded; /* keys that are aggregates */
    bool is_made;
} vc_key_hashes;

typedef struct vc_pairing_side {
    const vc_index *index;
    vc_profile profile;
    vc_key_hashes forms[VC_FORM_COUNT];
} vc_pairing_side;

typedef struct vc_pairing {
    vc_key_form from_form, to_form;
    uint32_t from_matched, to_matched;   /* distinct keys as found */
    uint32_t from_excluded, to_excluded; /* that are aggregates, by the forms */
    uint32_t plain_matched;              /* of the joined index's, when compared as found */
    double bits; /* how surprising that so many meet would be by chance; 0: not at all */
} vc_pairing;

/* index  borrowed. O(values). */
void vc_pairing_side_init(vc_pairing_side *side, const vc_index *index);
void vc_pairing_side_release(vc_pairing_side *side);

/* Try the forms that can matter, from the plainest on; later ones must match more to be taken.
 * from_matched 0: nothing to speak of meets. VC_NO_MEMORY only. */
vc_status vc_pairing_try(vc_pairing_side *from, vc_pairing_side *to, vc_pairing *pairing_out,
                         vc_error *error);

/* The value of "normalize" for a pair of indexes, as JSON; nothing when keys stay as found. */
void vc_pairing_put_steps(const vc_pairing_side *from, const vc_pairing_side *to,
                          const vc_pairing *pairing, vc_buffer *out);

/* The same, ready for a relation; NULL where keys stay as found. For vc_normalizer_free. */
vc_status vc_pairing_normalizers(const vc_pairing_side *from, const vc_pairing_side *to,
                                 const vc_pairing *pairing, vc_normalizer **from_out,
                                 vc_normalizer **to_out, vc_error *error);

/* How the keys are compared, for people: "as they are", "without regard to case", ... A literal. */
const char *vc_pairing_manner(const vc_pairing *pairing);

/* The same in a word or two: "as found", "case", "zeros", "codes". */
const char *vc_pairing_word(const vc_pairing *pairing);

/* Bytes that a side has allocated. */
size_t vc_pairing_side_bytes(const vc_pairing_side *side);

#endif
