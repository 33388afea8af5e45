/* Counts of what the server did, in Prometheus' text format (version 0.0.4).
 * Threads: counting from any thread, by atomics; reading is not one moment of all of them.
 */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdint.h>

typedef struct vc_metrics vc_metrics;

/* nroutes  kinds of requests, by number; one more, `nroutes`, is for what has no route */
vc_metrics *vc_metrics_new(unsigned nroutes); /* NULL when out of memory */
void vc_metrics_free(vc_metrics *metrics);    /* NULL is fine */

/* A request is over. status: of HTTP, 0 when there was no answer. bytes: of the body. */
void vc_metrics_count(vc_metrics *metrics, unsigned route, unsigned status, uint64_t bytes,
                      int64_t elapsed_ns);

/* The families of requests. put_labels: those of a route, which no other has: method="GET",... */
void vc_metrics_put(vc_buffer *out, const vc_metrics *metrics,
                    void (*put_labels)(vc_buffer *out, unsigned route));

/* "# HELP" and "# TYPE" of a family; its samples follow. kind: "counter" or "gauge". */
void vc_metrics_put_family(vc_buffer *out, const char *name, const char *kind, const char *help);

/* A sample of a family; labels as they are written: cube="world",source="fx". */
void vc_metrics_put_sample(vc_buffer *out, const char *name, const char *labels, double value);

/* The value of a label, with what must not stand in it as it is escaped. */
void vc_metrics_put_label(vc_buffer *out, const char *name, vc_str value);

/* A family of one number: "# HELP", "# TYPE" and its line. kind: "counter" or "gauge". */
void vc_metrics_put_number(vc_buffer *out, const char *name, const char *kind, const char *help,
                           double value);

#endif
