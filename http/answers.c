#include "http/answers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    FIRST_SLOTS = 64,
    OVERHEAD = 256,   /* of an answer beside its texts: allocations, the reply's headers */
    LARGEST_PART = 4, /* an answer of more than this part of all is not kept */
};

typedef struct entry entry;

typedef struct key {           /* of an answer or an alias of it, in the hash table */
    struct key *next;          /* of the slot */
    struct key *next_of_entry; /* of the aliases */
    entry *of;
    uint64_t hash;
    size_t size;
    bool is_alias;
    char text[];
} key;

struct entry {
    vc_answer *answer;         /* NULL while it is computed */
    vc_answer_waiter *waiters; /* while it is computed */
    key *name, *aliases;
    entry *newer, *older; /* of those that are kept */
    size_t bytes;
};

struct vc_answers {
    pthread_mutex_t lock;
    size_t max_bytes;
    key **slots; /* [nslots], a power of two */
    size_t nslots, nkeys;
    entry *newest, *oldest;
    vc_answers_stats stats;
};

/* ---- answers ---- */

vc_answer *vc_answer_new(vc_buffer *body, const char *content_type, const char *etag,
                         const char *snapshot, const char *notices, vc_encoding encoding)
{
    vc_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL) return NULL;
    answer->nusers = 1;
    answer->content_type = content_type;
    answer->encoding = encoding;
    answer->etag = strdup(etag);
    answer->snapshot = strdup(snapshot);
    answer->notices = strdup(notices);
    if (answer->etag == NULL || answer->snapshot == NULL || answer->notices == NULL) {
        vc_answer_release(answer);
        return NULL;
    }
    char *fitting = realloc(body->data, body->size + 1); /* a buffer grows by more than it needs */
    if (fitting != NULL) {
        body->data = fitting;
        body->capacity = body->size + 1;
    }
    answer->body = *body;
    *body = (vc_buffer){0};
    return answer;
}

void vc_answer_release(void *given)
{
    vc_answer *answer = given;
    if (answer == NULL || atomic_fetch_sub(&answer->nusers, 1) > 1) return;
    vc_buffer_release(&answer->body);
    if (answer->spool != NULL) vc_spool_close(answer->spool);
    free(answer->spool);
    free(answer->etag);
    free(answer->snapshot);
    free(answer->notices);
    free(answer);
}

static vc_answer *share(vc_answer *answer)
{
    atomic_fetch_add(&answer->nusers, 1);
    return answer;
}

/* ---- the table; under the lock ---- */

static key **slot_of(vc_answers *answers, uint64_t hash)
{
    return &answers->slots[hash & (answers->nslots - 1)];
}

static key *find_key(vc_answers *answers, vc_str text, bool is_alias)
{
    uint64_t hash = XXH3_64bits(text.data, text.size);
    for (key *at = *slot_of(answers, hash); at != NULL; at = at->next)
        if (at->hash == hash && at->is_alias == is_alias && at->size == text.size &&
            memcmp(at->text, text.data, text.size) == 0)
            return at;
    return NULL;
}

static void widen(vc_answers *answers)
{
    size_t nslots = 2 * answers->nslots;
    key **slots = calloc(nslots, sizeof *slots);
    if (slots == NULL) return; /* longer chains, then */
    for (size_t i = 0; i < answers->nslots; i++)
        for (key *at = answers->slots[i], *next; at != NULL; at = next) {
            next = at->next;
            at->next = slots[at->hash & (nslots - 1)];
            slots[at->hash & (nslots - 1)] = at;
        }
    free(answers->slots);
    answers->slots = slots;
    answers->nslots = nslots;
}

static key *add_key(vc_answers *answers, vc_str text, bool is_alias, entry *of)
{
    key *made = malloc(sizeof *made + text.size);
    if (made == NULL) return NULL;
    *made = (key){.of = of,
                  .hash = XXH3_64bits(text.data, text.size),
                  .size = text.size,
                  .is_alias = is_alias};
    memcpy(made->text, text.data, text.size);
    if (answers->nkeys++ >= answers->nslots) widen(answers);
    key **slot = slot_of(answers, made->hash);
    made->next = *slot;
    *slot = made;
    return made;
}

static void remove_key(vc_answers *answers, key *gone)
{
    key **at = slot_of(answers, gone->hash);
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    answers->nkeys--;
    free(gone);
}

/* ---- the order of use; under the lock ---- */

static void unlink_entry(vc_answers *answers, entry *of)
{
    *(of->newer != NULL ? &of->newer->older : &answers->newest) = of->older;
    *(of->older != NULL ? &of->older->newer : &answers->oldest) = of->newer;
    of->newer = of->older = NULL;
}

static void link_newest(vc_answers *answers, entry *of)
{
    of->older = answers->newest;
    *(of->older != NULL ? &of->older->newer : &answers->oldest) = of;
    answers->newest = of;
}

static vc_answer *use(vc_answers *answers, entry *of)
{
    if (answers->newest != of) {
        unlink_entry(answers, of);
        link_newest(answers, of);
    }
    return share(of->answer);
}

static void forget(vc_answers *answers, entry *of)
{
    for (key *alias = of->aliases, *next; alias != NULL; alias = next) {
        next = alias->next_of_entry;
        remove_key(answers, alias);
    }
    remove_key(answers, of->name);
    vc_answer_release(of->answer);
    free(of);
}

static void evict(vc_answers *answers)
{
    while (answers->stats.bytes > answers->max_bytes) {
        entry *oldest = answers->oldest;
        unlink_entry(answers, oldest);
        answers->stats.bytes -= oldest->bytes;
        answers->stats.nanswers--;
        answers->stats.nevicted++;
        forget(answers, oldest);
    }
}

/* ---- what is called ---- */

vc_answers *vc_answers_new(size_t max_bytes)
{
    vc_answers *answers = calloc(1, sizeof *answers);
    if (answers == NULL) return NULL;
    answers->max_bytes = max_bytes;
    answers->nslots = FIRST_SLOTS;
    answers->slots = calloc(FIRST_SLOTS, sizeof *answers->slots);
    if (answers->slots == NULL || pthread_mutex_init(&answers->lock, NULL) != 0) {
        free(answers->slots);
        free(answers);
        return NULL;
    }
    return answers;
}

void vc_answers_free(vc_answers *answers)
{
    if (answers == NULL) return;
    answers->max_bytes = 0;
    evict(answers);
    pthread_mutex_destroy(&answers->lock);
    free(answers->slots);
    free(answers);
}

vc_claim vc_answers_claim(vc_answers *answers, vc_str text, vc_answer_waiter *waiter,
                          vc_answer **answer_out)
{
    vc_claim claim = VC_CLAIM_MINE;
    *answer_out = NULL;
    pthread_mutex_lock(&answers->lock);
    key *name = find_key(answers, text, false);
    if (name != NULL && name->of->answer != NULL) {
        *answer_out = use(answers, name->of);
        claim = VC_CLAIM_FOUND;
        answers->stats.nfound++;
    } else if (name != NULL) {
        waiter->next = name->of->waiters;
        name->of->waiters = waiter;
        claim = VC_CLAIM_WAITING;
        answers->stats.nwaited++;
    } else {
        entry *made = calloc(1, sizeof *made);
        if (made != NULL && (made->name = add_key(answers, text, false, made)) == NULL) free(made);
        answers->stats.ncomputed++;
    }
    pthread_mutex_unlock(&answers->lock);
    return claim;
}

/* Each has a reference when it is woken; the list is nobody else's by now. */
static void wake(vc_answer_waiter *waiters, vc_answer *answer)
{
    for (vc_answer_waiter *waiter = waiters, *next; waiter != NULL; waiter = next) {
        next = waiter->next;
        waiter->wake(waiter, answer != NULL ? share(answer) : NULL);
    }
}

void vc_answers_keep(vc_answers *answers, vc_str text, vc_answer *answer)
{
    vc_answer_waiter *waiters = NULL;
    size_t bytes = OVERHEAD + text.size + answer->body.capacity + strlen(answer->notices);
    pthread_mutex_lock(&answers->lock);
    key *name = find_key(answers, text, false);
    entry *of = name != NULL ? name->of : NULL;
    if (of != NULL && of->answer == NULL) {
        waiters = of->waiters;
        of->waiters = NULL;
        if (bytes > answers->max_bytes / LARGEST_PART || answer->spool != NULL) {
            forget(answers, of);
        } else {
            of->answer = share(answer);
            of->bytes = bytes;
            answers->stats.bytes += bytes;
            answers->stats.nanswers++;
            link_newest(answers, of);
            evict(answers);
        }
    }
    pthread_mutex_unlock(&answers->lock);
    wake(waiters, answer);
}

void vc_answers_abandon(vc_answers *answers, vc_str text)
{
    vc_answer_waiter *waiters = NULL;
    pthread_mutex_lock(&answers->lock);
    key *name = find_key(answers, text, false);
    if (name != NULL && name->of->answer == NULL) {
        waiters = name->of->waiters;
        forget(answers, name->of);
    }
    pthread_mutex_unlock(&answers->lock);
    wake(waiters, NULL);
}

void vc_answers_put_alias(vc_answers *answers, vc_str text, vc_str alias)
{
    pthread_mutex_lock(&answers->lock);
    key *name = find_key(answers, text, false);
    if (name != NULL && name->of->answer != NULL && find_key(answers, alias, true) == NULL) {
        entry *of = name->of;
        key *made = add_key(answers, alias, true, of);
        if (made != NULL) {
            made->next_of_entry = of->aliases;
            of->aliases = made;
            of->bytes += sizeof *made + alias.size;
            answers->stats.bytes += sizeof *made + alias.size;
            evict(answers);
        }
    }
    pthread_mutex_unlock(&answers->lock);
}

vc_answer *vc_answers_find(vc_answers *answers, vc_str alias)
{
    vc_answer *answer = NULL;
    pthread_mutex_lock(&answers->lock);
    key *found = find_key(answers, alias, true);
    if (found != NULL) {
        answer = use(answers, found->of);
        answers->stats.naliased++;
    }
    pthread_mutex_unlock(&answers->lock);
    return answer;
}

vc_answers_stats vc_answers_stat(vc_answers *answers)
{
    pthread_mutex_lock(&answers->lock);
    vc_answers_stats stats = answers->stats;
    pthread_mutex_unlock(&answers->lock);
    return stats;
}
