#include "http/roles.h"

#include "base/nearest.h"
#include "http/files.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vc_roles {
    atomic_uint nusers;
    vc_arena arena;
    vc_role *items;
    size_t count;
    const vc_role *anonymous;
};

static const vc_rights no_rights = {.text = {.data = "{}", .size = 2}};

const vc_role vc_role_everyone = {.may = VC_MAY_ALL};
const vc_role vc_role_nobody = {.rights = &no_rights, .fingerprint = "nobody"};

static const struct {
    const char *name;
    unsigned right;
} rights[] = {{"read", VC_MAY_READ},
              {"load", VC_MAY_LOAD},
              {"define", VC_MAY_DEFINE},
              {"backup", VC_MAY_BACKUP},
              {"metrics", VC_MAY_METRICS}};

enum { NRIGHTS = sizeof rights / sizeof rights[0] };

const char *vc_may_name(unsigned right)
{
    for (size_t i = 0; i < NRIGHTS; i++)
        if (rights[i].right == right) return rights[i].name;
    return "";
}

static bool is_letter_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

bool vc_role_is_name(vc_str name)
{
    enum { LONGEST = 64 };
    if (name.size == 0 || name.size > LONGEST || !is_letter_or_digit(name.data[0])) return false;
    for (size_t i = 0; i < name.size; i++)
        if (!is_letter_or_digit(name.data[i]) && memchr("_-.", name.data[i], 3) == NULL)
            return false;
    return true;
}

/* ---- reading ---- */

static vc_status fail_type(const json_t *found, const char *expected, const char *pointer,
                           vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, found == NULL ? "missing_field" : "bad_type",
            "found %s, expected %s", vc_json_type_name(found), expected);
    vc_error_at_pointer(error, "%s", pointer);
    return VC_BAD_INPUT;
}

static vc_status read_right(const json_t *word, size_t number, unsigned *may, vc_error *error)
{
    vc_str text = vc_json_str(word);
    vc_nearest nearest;
    for (size_t i = 0; i < NRIGHTS; i++)
        if (vc_str_is(text, rights[i].name)) {
            *may |= rights[i].right;
            return VC_OK;
        }
    vc_nearest_init(&nearest, text);
    for (size_t i = 0; i < NRIGHTS; i++)
        vc_nearest_offer(&nearest, vc_str_of(rights[i].name));
    vc_fail(error, VC_BAD_INPUT, json_is_string(word) ? "bad_value" : "bad_type",
            "found %s%.*s%s, expected read, load, define, backup or metrics",
            json_is_string(word) ? "'" : vc_json_type_name(word), VC_FMT(text),
            json_is_string(word) ? "'" : "");
    vc_error_at_pointer(error, "/may/%zu", number);
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

static vc_status read_may(const json_t *may, vc_role *role, vc_error *error)
{
    static const char expected[] = "a list of what it may: read, load, define, backup, metrics";
    if (!json_is_array(may)) return fail_type(may, expected, may == NULL ? "" : "/may", error);
    vc_status status = VC_OK;
    for (size_t i = 0; i < json_array_size(may) && status == VC_OK; i++)
        status = read_right(json_array_get(may, i), i, &role->may, error);
    return status;
}

static vc_status read_positive(const json_t *object, const char *key, double fallback,
                               double *number_out, vc_error *error)
{
    enum { LARGEST = 1000000 };
    static const double smallest = 0.001;
    const json_t *value = json_object_get(object, key);
    *number_out = fallback;
    if (value == NULL && fallback > 0) return VC_OK;
    char pointer[32] = "/rate";
    if (value != NULL) snprintf(pointer, sizeof pointer, "/rate/%s", key);
    if (!json_is_number(value)) return fail_type(value, "a number above 0", pointer, error);
    *number_out = json_number_value(value);
    if (*number_out >= smallest && *number_out <= LARGEST) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value", "found %g, expected a number from %g to %d",
            *number_out, smallest, LARGEST);
    vc_error_at_pointer(error, "%s", pointer);
    return VC_BAD_INPUT;
}

static vc_status read_rate(const json_t *rate, vc_role *role, vc_error *error)
{
    static const char *const known[] = {"per_second", "burst", NULL};
    if (rate == NULL) return VC_OK;
    if (!json_is_object(rate)) return fail_type(rate, "an object", "/rate", error);
    vc_status status = vc_json_check_keys(rate, known, error);
    if (status != VC_OK) {
        vc_error_prefix_pointer(error, "/rate");
        return status;
    }
    status = read_positive(rate, "per_second", 0, &role->per_second, error);
    double fallback = role->per_second > 1 ? role->per_second : 1;
    if (status == VC_OK) status = read_positive(rate, "burst", fallback, &role->burst, error);
    if (status == VC_OK && role->burst < 1) role->burst = 1;
    return status;
}

static vc_status read_cubes(const json_t *cubes, vc_role *role, vc_arena *arena, vc_error *error)
{
    role->rights = &no_rights;
    vc_status status = VC_OK;
    if (cubes != NULL) status = vc_rights_read(cubes, arena, &role->rights, error);
    if (status == VC_BAD_INPUT) vc_error_prefix_pointer(error, "/cubes");
    if (status != VC_OK || role->rights == NULL) return status;
    unsigned char hash[(sizeof role->fingerprint - 1) / 2];
    vc_str text = role->rights->text; /* one for all that is written in other order */
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text.data, text.size, NULL, 0);
    sodium_bin2hex(role->fingerprint, sizeof role->fingerprint, hash, sizeof hash);
    return VC_OK;
}

/* A definition may name any cube, and a copy has all of them. */
static vc_status check_whole(const vc_role *role, vc_error *error)
{
    unsigned needing = role->may & (VC_MAY_DEFINE | VC_MAY_BACKUP);
    if (role->rights == NULL || needing == 0) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value",
            "a role that may '%s' must see everything: \"cubes\": {\"*\": {}}",
            vc_may_name((needing & VC_MAY_DEFINE) != 0 ? VC_MAY_DEFINE : VC_MAY_BACKUP));
    vc_error_at_pointer(error, "/cubes");
    return VC_BAD_INPUT;
}

static vc_status read_role(const json_t *object, vc_role *role, vc_arena *arena, vc_error *error)
{
    static const char *const known[] = {"may", "cubes", "rate", "description", NULL};
    if (!json_is_object(object)) return fail_type(object, "an object", "", error);
    vc_status status = vc_json_check_keys(object, known, error);
    const json_t *description = json_object_get(object, "description");
    if (status == VC_OK && description != NULL && !json_is_string(description))
        status = fail_type(description, "a text", "/description", error);
    if (status == VC_OK) status = read_may(json_object_get(object, "may"), role, error);
    if (status == VC_OK) status = read_rate(json_object_get(object, "rate"), role, error);
    if (status == VC_OK) status = read_cubes(json_object_get(object, "cubes"), role, arena, error);
    return status == VC_OK ? check_whole(role, error) : status;
}

static vc_status read_roles(const json_t *object, vc_roles *roles, vc_error *error)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return fail_type(object, "an object of roles", object == NULL ? "" : "/roles", error);
    roles->items = VC_ARENA_NEW(&roles->arena, vc_role, json_object_size(object) + 1);
    if (roles->items == NULL) return vc_no_memory(error);
    json_object_foreach((json_t *)object, name, value)
    {
        vc_role *role = &roles->items[roles->count];
        role->name = vc_arena_str(&roles->arena, vc_str_of(name));
        if (role->name.data == NULL) return vc_no_memory(error);
        vc_status status = VC_OK;
        if (!vc_role_is_name(role->name))
            status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                             "found the role '%.*s', expected a name of up to 64 letters, digits, "
                             "'_', '-' and '.'",
                             (int)(role->name.size > 100 ? 100 : role->name.size), role->name.data);
        if (status == VC_OK) status = read_role(value, role, &roles->arena, error);
        if (status != VC_OK) {
            vc_error_prefix_pointer(error, "/roles/%s", name);
            return status;
        }
        roles->count++;
    }
    return VC_OK;
}

static vc_status read_anonymous(const json_t *name, vc_roles *roles, vc_error *error)
{
    if (name == NULL || json_is_null(name)) return VC_OK;
    if (!json_is_string(name)) return fail_type(name, "the name of a role", "/anonymous", error);
    vc_status status = vc_roles_get(roles, vc_json_str(name), &roles->anonymous, error);
    if (status == VC_OK) return VC_OK;
    if (error != NULL) error->status = VC_BAD_INPUT;
    vc_error_at_pointer(error, "/anonymous");
    return VC_BAD_INPUT;
}

vc_status vc_roles_read(const json_t *object, const json_t *anonymous, vc_roles **roles_out,
                        vc_error *error)
{
    *roles_out = NULL;
    vc_roles *roles = calloc(1, sizeof *roles);
    if (roles == NULL) return vc_no_memory(error);
    atomic_init(&roles->nusers, 1);
    vc_status status = read_roles(object, roles, error);
    if (status == VC_OK) status = read_anonymous(anonymous, roles, error);
    if (status == VC_OK)
        *roles_out = roles;
    else
        vc_roles_release(roles);
    return status;
}

vc_status vc_roles_open(const char *path, vc_roles **roles_out, vc_error *error)
{
    static const char *const known[] = {"$schema", "roles", "anonymous", NULL};
    vc_arena arena = {0};
    vc_json_file file;
    *roles_out = NULL;
    vc_status status =
        vc_json_file_read(path, "roles", VC_FILE_NOT_WRITTEN_BY_OTHERS, &arena, &file, error);
    if (status == VC_OK) {
        status = vc_json_check_keys(file.json, known, error);
        if (status == VC_OK)
            status = vc_roles_read(json_object_get(file.json, "roles"),
                                   json_object_get(file.json, "anonymous"), roles_out, error);
        if (status == VC_BAD_INPUT) vc_json_file_locate(&file, error);
    }
    json_decref(file.json);
    vc_arena_release(&arena);
    return status;
}

/* ---- afterwards ---- */

vc_roles *vc_roles_share(vc_roles *roles)
{
    if (roles != NULL) atomic_fetch_add(&roles->nusers, 1);
    return roles;
}

void vc_roles_release(vc_roles *roles)
{
    if (roles == NULL || atomic_fetch_sub(&roles->nusers, 1) > 1) return;
    vc_arena_release(&roles->arena);
    free(roles);
}

size_t vc_roles_count(const vc_roles *roles)
{
    return roles->count;
}

const vc_role *vc_roles_at(const vc_roles *roles, size_t number)
{
    return &roles->items[number];
}

const vc_role *vc_roles_find(const vc_roles *roles, vc_str name)
{
    for (size_t i = 0; i < roles->count; i++)
        if (vc_str_equal(roles->items[i].name, name)) return &roles->items[i];
    return NULL;
}

vc_status vc_roles_get(const vc_roles *roles, vc_str name, const vc_role **role_out,
                       vc_error *error)
{
    vc_nearest nearest;
    *role_out = vc_roles_find(roles, name);
    if (*role_out != NULL) return VC_OK;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < roles->count; i++)
        vc_nearest_offer(&nearest, roles->items[i].name);
    vc_fail(error, VC_NOT_FOUND, "unknown_role", "there is no role '%.*s'",
            (int)(name.size > 100 ? 100 : name.size), name.size > 0 ? name.data : "");
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

bool vc_role_may_load(const vc_role *role, vc_str cube)
{
    if ((role->may & VC_MAY_LOAD) == 0) return false;
    if (role->rights == NULL) return true;
    const vc_right *right = vc_rights_find(role->rights, cube);
    return right != NULL && vc_right_is_whole(right);
}

const vc_role *vc_roles_anonymous(const vc_roles *roles)
{
    return roles->anonymous;
}
