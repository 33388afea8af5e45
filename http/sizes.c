#include "http/sizes.h"

#include "http/reply.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NPLACES = 4096 }; /* a power of two */

struct vc_sizes {
    pthread_mutex_t lock;
    struct place {
        char etag[VC_ETAG_TEXT];
        uint64_t bytes;
    } places[NPLACES];
};

vc_sizes *vc_sizes_new(void)
{
    vc_sizes *sizes = calloc(1, sizeof *sizes);
    if (sizes == NULL) return NULL;
    if (pthread_mutex_init(&sizes->lock, NULL) == 0) return sizes;
    free(sizes);
    return NULL;
}

void vc_sizes_free(vc_sizes *sizes)
{
    if (sizes == NULL) return;
    pthread_mutex_destroy(&sizes->lock);
    free(sizes);
}

static struct place *place_of(vc_sizes *sizes, const char *etag)
{
    return &sizes->places[XXH3_64bits(etag, strlen(etag)) & (NPLACES - 1)];
}

void vc_sizes_put(vc_sizes *sizes, const char *etag, uint64_t bytes)
{
    if (etag[0] == '\0') return;
    struct place *place = place_of(sizes, etag);
    pthread_mutex_lock(&sizes->lock);
    snprintf(place->etag, sizeof place->etag, "%s", etag);
    place->bytes = bytes;
    pthread_mutex_unlock(&sizes->lock);
}

bool vc_sizes_find(vc_sizes *sizes, const char *etag, uint64_t *bytes_out)
{
    const struct place *place = place_of(sizes, etag);
    pthread_mutex_lock(&sizes->lock);
    bool is_known = etag[0] != '\0' && strcmp(place->etag, etag) == 0;
    if (is_known) *bytes_out = place->bytes;
    pthread_mutex_unlock(&sizes->lock);
    return is_known;
}
