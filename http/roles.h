/* Roles: what who has a token may do, and what of the cubes it may see.
 *
 *     {"roles": {"admin":  {"may": ["read", "load", "define", "backup", "metrics"],
 *                           "cubes": {"*": {}}},
 *                "france": {"may": ["read"], "cubes": {"world": {"cut": "geo:FR"}},
 *                           "rate": {"per_second": 20, "burst": 40}}},
 *      "anonymous": "france"}
 *
 * Nothing is allowed that is not named. What stands in `cubes` is read by cube/rights.h.
 * Threads: immutable once read, shared by count.
 */
#ifndef HTTP_ROLES_H
#define HTTP_ROLES_H

#include "base/json.h"
#include "base/status.h"
#include "base/text.h"
#include "cube/rights.h"

#include <stdbool.h>

enum {
    VC_MAY_READ = 1,
    VC_MAY_LOAD = 2,
    VC_MAY_DEFINE = 4,
    VC_MAY_BACKUP = 8,
    VC_MAY_METRICS = 16,
    VC_MAY_ALL = 31,
};

typedef struct vc_role {
    vc_str name;
    unsigned may;            /* of VC_MAY_... */
    const vc_rights *rights; /* what it may see; NULL: everything */
    char fingerprint[33];    /* of what it may see; "" when that is everything: answers for two
                                roles of one fingerprint are the same */
    double per_second;       /* requests of each token on average; 0: any number */
    double burst;            /* of them at once */
} vc_role;

/* Who asks a server without roles: may do all and sees all. */
extern const vc_role vc_role_everyone;

/* Who asks without a token what needs none: may do nothing and sees nothing. */
extern const vc_role vc_role_nobody;

typedef struct vc_roles vc_roles;

/* Read the values of "roles" and "anonymous".
 *
 * anonymous  NULL: nobody without a token
 *
 * VC_BAD_INPUT: codes of definitions ("unknown_field", "bad_type", "bad_value", "missing_field")
 * and "unknown_role", with the pointer, from "/roles" or "/anonymous" on, and the nearest names. */
vc_status vc_roles_read(const json_t *roles, const json_t *anonymous, vc_roles **roles_out,
                        vc_error *error);

/* The same from a file, which others than its owner and its group may not write. Errors have file,
 * line and column; those of http/files.h. */
vc_status vc_roles_open(const char *path, vc_roles **roles_out, vc_error *error);

vc_roles *vc_roles_share(vc_roles *roles);
void vc_roles_release(vc_roles *roles); /* NULL is fine */

size_t vc_roles_count(const vc_roles *roles);
const vc_role *vc_roles_at(const vc_roles *roles, size_t number);

/* May it load into the cube? Only into one that it sees whole, or it could find out by what the
 * load says what it may not see. */
bool vc_role_may_load(const vc_role *role, vc_str cube);

/* NULL when there is none of the name. */
const vc_role *vc_roles_find(const vc_roles *roles, vc_str name);

/* The same; VC_NOT_FOUND, code "unknown_role", with the nearest names. */
vc_status vc_roles_get(const vc_roles *roles, vc_str name, const vc_role **role_out,
                       vc_error *error);

/* Whose is a request without a token; NULL: it is refused. */
const vc_role *vc_roles_anonymous(const vc_roles *roles);

/* Is it a name for roles and tokens: up to 64 letters, digits, "_", "-", "." of ASCII, a letter or
 * digit first? So it stands in logs, lists and commands as itself. */
bool vc_role_is_name(vc_str name);

/* "read"; of one right. */
const char *vc_may_name(unsigned right);

#endif
