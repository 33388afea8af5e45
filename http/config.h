/* The configuration of a server: a file of JSON, docs/config.md.
 *
 *     {"store": "/var/lib/vcube", "listen": "127.0.0.1:8080",
 *      "roles": "roles.json", "tokens": "tokens.json",
 *      "log": {"requests": true, "slow_ms": 500}}
 *
 * Paths are meant from the folder of the file. What is not given is zero here, and the server's
 * default holds. The fields stand in one table (config.c), which says how each is read and whether
 * it can change while the server runs.
 * Threads: one at a time.
 */
#ifndef HTTP_CONFIG_H
#define HTTP_CONFIG_H

#include "base/buffer.h"
#include "http/files.h"
#include "http/roles.h"

typedef struct vc_config_list {
    const char *const *items;
    size_t count;
} vc_config_list;

typedef struct vc_config {
    vc_arena arena;
    vc_json_file file; /* path NULL: there is none */
    /* Texts and paths: NULL when not given. */
    const char *store, *listen, *data, *tokens, *roles_file, *tls_cert, *tls_key, *log_file;
    vc_config_list hosts, cors;
    const json_t *roles, *anonymous; /* in the file itself, in place of roles_file */
    bool creates, is_read_only, may_listen_openly, refuses_root, logs_requests;
    uint64_t nworkers, max_cells, max_time_ms, max_memory, cache, max_load, max_connections;
    uint64_t slow_ms; /* queries that take as long are logged; 0: none */
} vc_config;

/* Read a file, which others than its owner and group may not write. VC_BAD_INPUT as definitions
 * are: "unknown_field", "bad_type", "bad_value", with file, line, column, pointer and the nearest
 * names; and the errors of http/files.h. */
vc_status vc_config_read(const char *path, vc_config *config_out, vc_error *error);

/* The same from a text; paths are meant from where `path` is. */
vc_status vc_config_parse(vc_str text, const char *path, vc_config *config_out, vc_error *error);

void vc_config_release(vc_config *config); /* all zero is fine */

/* The roles: of roles_file, or those that stand in the file; NULL when there are none. */
vc_status vc_config_roles(const vc_config *config, vc_roles **roles_out, vc_error *error);

/* Name the fields that differ but take a restart to change: "listen, limits.workers". */
void vc_config_put_pending(vc_buffer *out, const vc_config *now, const vc_config *wanted);

#endif
