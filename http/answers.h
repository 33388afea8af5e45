/* Answers that are kept, so that an equal question is computed once.
 *
 * An answer is found by its key, which says everything it is made of: snapshot, definition, the
 * query in canonical text, format, encoding. Keys are compared as texts, not by their hashes, so an
 * answer that is found is the one that would be computed: nothing expires, there is nothing to
 * invalidate. A *request* in the very words of an earlier one is an alias of that one's key, and
 * needs no parsing to be answered.
 *
 *     claim(key) -> it is there            FOUND   a reference to the answer
 *                   nobody computes it     MINE    keep(key, answer) or abandon(key) must follow
 *                   somebody does          WAITING the waiter is woken by either
 *
 * Bounded by bytes; the least recently used go first.
 * Threads: any number; a waiter is woken on the thread of keep or abandon, without a lock held.
 */
#ifndef HTTP_ANSWERS_H
#define HTTP_ANSWERS_H

#include "base/buffer.h"
#include "base/spool.h"
#include "base/status.h"
#include "base/text.h"
#include "http/encoding.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef struct vc_answers vc_answers;

typedef struct vc_answer { /* shared, and never changed but for the count */
    atomic_uint nusers;
    vc_buffer body;
    vc_spool *spool;          /* in place of a body too large for memory: not kept, only shared with
                                 those who wait. Of the heap, the answer's own; NULL: none */
    const char *content_type; /* static */
    char *etag, *snapshot, *notices;
    vc_encoding encoding;
} vc_answer;

/* Take the memory of the body, which is empty then; the texts are copied. One user: the caller.
 * NULL when out of memory. */
vc_answer *vc_answer_new(vc_buffer *body, const char *content_type, const char *etag,
                         const char *snapshot, const char *notices, vc_encoding encoding);

/* Give a reference back. Its parameter is that of a callback of libmicrohttpd. NULL is fine. */
void vc_answer_release(void *answer);

typedef struct vc_answer_waiter {
    /* answer  a reference of the waiter's own; NULL: abandoned, claim again */
    void (*wake)(struct vc_answer_waiter *waiter, vc_answer *answer);
    struct vc_answer_waiter *next;
} vc_answer_waiter;

typedef enum vc_claim { VC_CLAIM_FOUND, VC_CLAIM_MINE, VC_CLAIM_WAITING } vc_claim;

/* max_bytes  0: nothing is kept, but equal questions at the same time still wait for one another
 *
 * NULL when out of memory. */
vc_answers *vc_answers_new(size_t max_bytes);
void vc_answers_free(vc_answers *answers); /* nobody waits. NULL is fine */

/* waiter  must stay until it was woken, which may be before this returns
 *
 * Out of memory, the caller computes by itself: MINE, and keep and abandon do nothing for it. */
vc_claim vc_answers_claim(vc_answers *answers, vc_str key, vc_answer_waiter *waiter,
                          vc_answer **answer_out);

/* The answer of a key that was claimed. The reference stays the caller's. */
void vc_answers_keep(vc_answers *answers, vc_str key, vc_answer *answer);
void vc_answers_abandon(vc_answers *answers, vc_str key);

/* From now on find(alias) finds what is kept under the key, as long as it is. */
void vc_answers_put_alias(vc_answers *answers, vc_str key, vc_str alias);

/* A reference to the answer; NULL when there is none. */
vc_answer *vc_answers_find(vc_answers *answers, vc_str alias);

typedef struct vc_answers_stats {
    size_t nanswers, bytes;
    uint64_t nfound, naliased, ncomputed, nwaited, nevicted;
} vc_answers_stats;

vc_answers_stats vc_answers_stat(vc_answers *answers);

#endif
