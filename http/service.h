/* What handlers see: the service, and the call that they answer.
 *
 * A handler reads the request and writes the reply, or fails. It runs on a light worker (on the
 * polling thread only when its route says that it is quick). When what remains is dear it does
 * not do it: it sets `next` and `is_dear`, returns, and is continued on a heavy worker. So dear
 * queries never stand before cheap answers, errors and 304s.
 */
#ifndef HTTP_SERVICE_H
#define HTTP_SERVICE_H

#include "base/arena.h"
#include "base/pool.h"
#include "cube/model.h"
#include "http/answers.h"
#include "http/lines.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/roles.h"
#include "http/server.h"
#include "http/upload.h"

#include <stdatomic.h>

typedef struct vc_service {
    vc_server_options options; /* with defaults filled in */
    vc_model_cache *models;
    vc_pool *pool; /* for scans */
    vc_answers *answers;
    vc_metrics *metrics;
    vc_engine_usage usage;      /* of all queries */
    atomic_ullong nimpatient;   /* requests that waited too long for their turn */
    atomic_ullong nloads_held;  /* uploads that were refused for those that arrive already */
    atomic_llong held_since_ms; /* since when pages of an old snapshot are kept; 0: they are not */
    int64_t started_s;          /* of the epoch of Unix */
    struct vc_server *server;
    vc_log log;
    atomic_bool is_draining;
    atomic_bool is_cancelling; /* the grace is over: running queries give up */
} vc_service;

enum { VC_MAX_ARGUMENTS = 5, VC_MAX_MEMBERS = 10000 };

typedef struct vc_call vc_call;
typedef vc_status vc_handler(vc_call *call, vc_error *error);

/* What the log tells of a call that took long; of the call's arena. */
typedef struct vc_told {
    vc_str cube, query; /* absent: not one of queries. The text is canonical */
    uint64_t nrows;     /* of the answer */
} vc_told;

struct vc_call {
    vc_service *service;
    const vc_request *request;
    vc_str arguments[VC_MAX_ARGUMENTS]; /* what stood for the {...} of the route */
    vc_arena *arena;                    /* of the request */
    vc_reply *reply;
    const vc_role *role;  /* who asks, always somebody: what they may see is role->rights */
    const char *token_id; /* of whom, as far as it may be told; "" when there is none */
    vc_model *model;      /* once vc_call_open_model was called: what the role sees of `whole` */
    vc_model *whole;
    bool owns_model; /* of an older snapshot: not from the cache */
    vc_handler *next;
    bool is_dear;
    void *state; /* between a handler and its `next` */
    vc_str key;  /* set with `next`: what the answer is made of (http/answers.h), but for who asks,
                    which is added to it. It is looked for before `next` runs, and kept
                    afterwards. Absent: not */
    bool is_of_today; /* the answer depends on the day, too: a request in the same words may be
                         another one tomorrow */
    bool (*is_cancelled)(void *context);
    void *context;
    vc_upload *upload; /* the body, of a route that takes it so */
    vc_told told;
};

/* Get the model of the newest snapshot, or of the snapshot `at` unless that is absent. It is the
 * call's until the call ends. Sets the reply's snapshot. */
vc_status vc_call_open_model(vc_call *call, vc_str at, vc_error *error);

/* Done with it before the call ends, to open another. */
void vc_call_close_model(vc_call *call);

/* The cube that the first argument names. */
vc_status vc_call_cube(vc_call *call, const vc_cube **cube_out, vc_error *error);

/* Tag the reply by the snapshot, the address (path and query string) and what it is made of
 * (`salt`), and by what who asks may see. True when the client has it already: the reply is
 * complete then. */
bool vc_call_is_known(vc_call *call, vc_str salt);

/* The reply is the JSON that stands in its body: 200. Returns VC_OK. */
vc_status vc_call_done_json(vc_call *call);

/* Leave the rest of the work on a cube to `next`: on a heavy worker if its sources have many facts
 * or the answer may have many rows. */
void vc_call_continue(vc_call *call, const vc_cube *cube, uint64_t nrows_max, vc_handler *next,
                      void *state);

vc_engine_options vc_call_engine_options(vc_call *call);

/* ---- handlers ---- */

vc_handler vc_handle_health, vc_handle_ready, vc_handle_info, vc_handle_metrics, vc_handle_openapi;
vc_handler vc_handle_index, vc_handle_styles;
vc_handler vc_handle_cubes, vc_handle_cube;
vc_handler vc_handle_dimension, vc_handle_members, vc_handle_dimension_index;
vc_handler vc_handle_aggregate, vc_handle_query, vc_handle_batch, vc_handle_explain;
vc_handler vc_handle_load, vc_handle_define, vc_handle_drop, vc_handle_definition, vc_handle_backup;
vc_handler vc_handle_facts, vc_handle_cell;
vc_handler vc_handle_cubejs_meta, vc_handle_cubejs_load, vc_handle_cubejs_dry_run,
    vc_handle_cubejs_sql;
vc_handler vc_handle_coverage, vc_handle_unmatched, vc_handle_suggest, vc_handle_snapshots;
vc_handler vc_handle_mondrian_cubes, vc_handle_mondrian_cube, vc_handle_mondrian_dimension;
vc_handler vc_handle_mondrian_members, vc_handle_mondrian_full_name, vc_handle_mondrian_aggregate;

#endif
