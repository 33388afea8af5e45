/* Counts of what the server did, in Prometheus' text format (version 0.0.4).
 * Threads: counting from any thread, by atomics; reading is not one moment of all of them.
 */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "base/buffer.h"

#include <stdint.h>

typedef struct vc_metrics vc_metrics;

/* nroutes  kinds of requests, by number; one more, `nroutes`, is for what has no route */
vc_metrics *vc_metrics_new(unsigned nroutes); /* NULL when out of memory */
void vc_metrics_free(vc_metrics *metrics);    /* NULL is fine */

/* A request is over. status: of HTTP, 0 when there was no answer. bytes: of the body. */
void vc_metrics_count(vc_metrics *metrics, unsigned route, unsigned status, uint64_t bytes,
                      int64_t elapsed_ns);

/* The families of requests. name_of: the label of a route. */
void vc_metrics_put(vc_buffer *out, const vc_metrics *metrics,
                    const char *(*name_of)(unsigned route));

/* A family of one number: "# HELP", "# TYPE" and its line. kind: "counter" or "gauge". */
void vc_metrics_put_number(vc_buffer *out, const char *name, const char *kind, const char *help,
                           double value);

#endif
