/* How many bytes answers had, by their entity tags: what the Content-Length of a 304 must say, if
 * it says anything (RFC 9110, 8.6), although the answer is neither made nor kept any more.
 *
 * A fixed number of the latest, each in the one place that its tag has; so one may push out
 * another. Threads: any.
 */
#ifndef HTTP_SIZES_H
#define HTTP_SIZES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct vc_sizes vc_sizes;

vc_sizes *vc_sizes_new(void); /* NULL when out of memory */
void vc_sizes_free(vc_sizes *sizes);

/* etag  with its quotes, shorter than VC_ETAG_TEXT; nothing is done for "" */
void vc_sizes_put(vc_sizes *sizes, const char *etag, uint64_t bytes);

/* False when it is not known. */
bool vc_sizes_find(vc_sizes *sizes, const char *etag, uint64_t *bytes_out);

#endif
