/* Helpers to read JSON with the places of its parts.
 * Threads: pure.
 */
#ifndef QUERY_NODE_H
#define QUERY_NODE_H

#include "base/json.h"
#include "slice/query.h"

/* A JSON value and its pointer, which lives in the arena of the query. */
typedef struct vc_body_node {
    const json_t *json;
    const char *pointer;
} vc_body_node;

/* The value of a key of an object; json NULL when it is not there or null. The key is one of ours:
 * nothing in it needs escaping. VC_NO_MEMORY only. */
vc_status vc_body_node_field(vc_body_node object, const char *key, vc_arena *arena,
                             vc_body_node *field_out, vc_error *error);
vc_status vc_body_node_element(vc_body_node array, size_t number, vc_arena *arena,
                               vc_body_node *element_out, vc_error *error);

vc_place vc_body_node_place(vc_body_node node);

/* VC_BAD_INPUT, code "bad_type": "found an integer, expected a string". */
vc_status vc_body_node_fail_type(vc_body_node node, const char *expected, vc_error *error);

/* VC_BAD_INPUT, code "missing_field": the object lacks a key. */
vc_status vc_body_node_fail_missing(vc_body_node object, const char *key, vc_error *error);

/* The text of a string that is not empty, copied to the arena. */
vc_status vc_body_node_name(vc_body_node node, const char *what, vc_arena *arena, vc_str *name_out,
                            vc_error *error);

/* vc_json_check_keys with the object's pointer in front. */
vc_status vc_body_node_check_keys(vc_body_node object, const char *const *known, vc_error *error);

#endif
