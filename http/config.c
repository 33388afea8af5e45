#include "http/config.h"

#include <stddef.h>
#include <string.h>

/* ---- the fields ---- */

typedef enum config_kind { TEXT, PATH, SWITCH, COUNT, BYTES, LIST, ROLES, SECTION } config_kind;

typedef struct config_field {
    const char *name;
    config_kind kind;
    bool is_live;  /* can change while the server runs */
    size_t offset; /* in vc_config */
    uint64_t min, max;
    const struct config_field *fields; /* of a section; end with a NULL name */
} config_field;

#define AT(member) offsetof(vc_config, member)

static const config_field tls_fields[] = {
    {.name = "cert", .kind = PATH, .is_live = true, .offset = AT(tls_cert)},
    {.name = "key", .kind = PATH, .is_live = true, .offset = AT(tls_key)},
    {.name = NULL}};

static const config_field limit_fields[] = {
    {.name = "workers", .kind = COUNT, .offset = AT(nworkers), .min = 1, .max = 256},
    {.name = "max_cells", .kind = COUNT, .offset = AT(max_cells), .min = 1, .max = INT64_MAX},
    {.name = "max_time_ms", .kind = COUNT, .offset = AT(max_time_ms), .min = 1, .max = 86400000},
    {.name = "max_memory", .kind = BYTES, .offset = AT(max_memory)},
    {.name = "max_load", .kind = BYTES, .offset = AT(max_load)},
    {.name = "max_connections",
     .kind = COUNT,
     .offset = AT(max_connections),
     .min = 8,
     .max = 1000000},
    {.name = "cache", .kind = BYTES, .offset = AT(cache)},
    {.name = NULL}};

static const config_field log_fields[] = {
    {.name = "requests", .kind = SWITCH, .is_live = true, .offset = AT(logs_requests)},
    {.name = "slow_ms",
     .kind = COUNT,
     .is_live = true,
     .offset = AT(slow_ms),
     .min = 1,
     .max = 86400000},
    {.name = "file", .kind = PATH, .is_live = true, .offset = AT(log_file)},
    {.name = NULL}};

static const config_field fields[] = {
    {.name = "store", .kind = PATH, .offset = AT(store)},
    {.name = "create", .kind = SWITCH, .offset = AT(creates)},
    {.name = "listen", .kind = TEXT, .offset = AT(listen)},
    {.name = "insecure_listen", .kind = SWITCH, .offset = AT(may_listen_openly)},
    {.name = "hosts", .kind = LIST, .is_live = true, .offset = AT(hosts)},
    {.name = "cors", .kind = LIST, .is_live = true, .offset = AT(cors)},
    {.name = "tls", .kind = SECTION, .fields = tls_fields},
    {.name = "roles", .kind = ROLES, .is_live = true},
    {.name = "anonymous", .kind = ROLES, .is_live = true},
    {.name = "tokens", .kind = PATH, .is_live = true, .offset = AT(tokens)},
    {.name = "read_only", .kind = SWITCH, .offset = AT(is_read_only)},
    {.name = "data", .kind = PATH, .offset = AT(data)},
    {.name = "limits", .kind = SECTION, .fields = limit_fields},
    {.name = "log", .kind = SECTION, .fields = log_fields},
    {.name = "refuse_root", .kind = SWITCH, .offset = AT(refuses_root)},
    {.name = NULL}};

static void *field_of(vc_config *config, const config_field *field)
{
    return (char *)config + field->offset;
}

/* ---- reading ---- */

static vc_status fail(const char *code, const json_t *found, const char *expected, vc_error *error)
{
    vc_str text = vc_json_str(found);
    if (vc_str_is_null(text))
        return vc_fail(error, VC_BAD_INPUT, code, "found %s, expected %s", vc_json_type_name(found),
                       expected);
    return vc_fail(error, VC_BAD_INPUT, code, "found '%.*s', expected %s",
                   (int)(text.size > 100 ? 100 : text.size), text.data, expected);
}

static vc_status read_text(const json_t *value, vc_config *config, const config_field *field,
                           vc_error *error)
{
    vc_str text = vc_json_str(value);
    if (vc_str_is_null(text)) return fail("bad_type", value, "a text", error);
    if (text.size == 0) return fail("bad_value", value, "a text that is not empty", error);
    const char *kept = field->kind == PATH ? vc_file_beside(config->file.path, text, &config->arena)
                                           : vc_arena_str(&config->arena, text).data;
    *(const char **)field_of(config, field) = kept;
    return kept != NULL ? VC_OK : vc_no_memory(error);
}

static vc_status read_count(const json_t *value, vc_config *config, const config_field *field,
                            vc_error *error)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value)) return fail("bad_type", value, "a whole number", error);
    if (number < 0 || (uint64_t)number < field->min || (uint64_t)number > field->max)
        return vc_fail(error, VC_BAD_INPUT, "bad_value",
                       "found %lld, expected a whole number from %llu to %llu", (long long)number,
                       (unsigned long long)field->min, (unsigned long long)field->max);
    *(uint64_t *)field_of(config, field) = (uint64_t)number;
    return VC_OK;
}

static vc_status read_bytes(const json_t *value, vc_config *config, const config_field *field,
                            vc_error *error)
{
    static const char expected[] = "a number of bytes above 0, or one with its unit: \"512M\"";
    uint64_t *bytes = field_of(config, field);
    if (json_is_integer(value) && json_integer_value(value) > 0) {
        *bytes = (uint64_t)json_integer_value(value);
        return VC_OK;
    }
    if (json_is_string(value) && vc_parse_bytes(vc_json_str(value), bytes) == VC_PARSE_OK)
        return VC_OK;
    bool is_of_type = json_is_integer(value) || json_is_string(value);
    return fail(is_of_type ? "bad_value" : "bad_type", value, expected, error);
}

static vc_status read_list(const json_t *value, vc_config *config, const config_field *field,
                           vc_error *error)
{
    vc_config_list *list = field_of(config, field);
    if (!json_is_array(value)) return fail("bad_type", value, "a list of texts", error);
    size_t count = json_array_size(value);
    const char **items = VC_ARENA_NEW(&config->arena, const char *, count + 1);
    if (items == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < count; i++) {
        vc_str text = vc_json_str(json_array_get(value, i));
        if (vc_str_is_null(text)) {
            fail("bad_type", json_array_get(value, i), "a text", error);
            vc_error_at_pointer(error, "/%zu", i);
            return VC_BAD_INPUT;
        }
        items[i] = vc_arena_str(&config->arena, text).data;
        if (items[i] == NULL) return vc_no_memory(error);
    }
    *list = (vc_config_list){items, count};
    return VC_OK;
}

/* Here by name only; what stands in them is read by http/roles.c. */
static vc_status read_roles(const json_t *value, vc_config *config, const config_field *of,
                            vc_error *error)
{
    static const config_field file = {.name = "roles", .kind = PATH, .offset = AT(roles_file)};
    if (strcmp(of->name, "anonymous") == 0) {
        config->anonymous = value;
        return VC_OK;
    }
    if (json_is_string(value)) return read_text(value, config, &file, error);
    if (!json_is_object(value))
        return fail("bad_type", value, "roles, or the path of a file of them", error);
    config->roles = value;
    return VC_OK;
}

static vc_status read_section(const json_t *object, vc_config *config, const config_field *known,
                              vc_error *error);

static vc_status read_field(const json_t *value, vc_config *config, const config_field *field,
                            vc_error *error)
{
    switch (field->kind) {
    case TEXT:
    case PATH: return read_text(value, config, field, error);
    case COUNT: return read_count(value, config, field, error);
    case BYTES: return read_bytes(value, config, field, error);
    case LIST: return read_list(value, config, field, error);
    case ROLES: return read_roles(value, config, field, error);
    case SECTION: return read_section(value, config, field->fields, error);
    case SWITCH: break;
    }
    if (!json_is_boolean(value)) return fail("bad_type", value, "true or false", error);
    *(bool *)field_of(config, field) = json_is_true(value);
    return VC_OK;
}

static vc_status read_section(const json_t *object, vc_config *config, const config_field *known,
                              vc_error *error)
{
    const char *names[sizeof fields / sizeof fields[0] + 2];
    size_t count = 0;
    if (!json_is_object(object)) return fail("bad_type", object, "an object", error);
    for (; known[count].name != NULL; count++)
        names[count] = known[count].name;
    names[count] = known == fields ? "$schema" : NULL;
    names[count + 1] = NULL;
    vc_status status = vc_json_check_keys(object, names, error);
    for (size_t i = 0; i < count && status == VC_OK; i++) {
        const json_t *value = json_object_get(object, known[i].name);
        if (value == NULL) continue;
        status = read_field(value, config, &known[i], error);
        if (status != VC_OK) vc_error_prefix_pointer(error, "/%s", known[i].name);
    }
    return status;
}

/* What belongs together. */
static vc_status check(const vc_config *config, vc_error *error)
{
    vc_status status = VC_OK;
    if ((config->tls_cert == NULL) != (config->tls_key == NULL)) {
        status = vc_fail(error, VC_BAD_INPUT, "missing_field",
                         "a certificate needs its key, and a key its certificate: \"cert\" and "
                         "\"key\"");
        vc_error_at_pointer(error, "/tls");
    } else if (config->anonymous != NULL && config->roles == NULL) {
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "\"anonymous\" stands where the roles stand%s",
                         config->roles_file != NULL ? ": in their file" : ", and there are none");
        vc_error_at_pointer(error, "/anonymous");
    }
    return status;
}

static vc_status read_json(vc_config *config, vc_error *error)
{
    vc_status status = read_section(config->file.json, config, fields, error);
    if (status == VC_OK) status = check(config, error);
    if (status == VC_BAD_INPUT) vc_json_file_locate(&config->file, error);
    return status;
}

vc_status vc_config_read(const char *path, vc_config *config_out, vc_error *error)
{
    *config_out = (vc_config){0};
    vc_status status = vc_json_file_read(path, "configuration", VC_FILE_NOT_WRITTEN_BY_OTHERS,
                                         &config_out->arena, &config_out->file, error);
    if (status == VC_OK) status = read_json(config_out, error);
    if (status != VC_OK) vc_config_release(config_out);
    return status;
}

vc_status vc_config_parse(vc_str text, const char *path, vc_config *config_out, vc_error *error)
{
    *config_out = (vc_config){.file = {.path = path, .text = text}};
    vc_status status = vc_json_parse(text, path, 0, &config_out->file.json, error);
    if (status == VC_OK) status = read_json(config_out, error);
    if (status != VC_OK) vc_config_release(config_out);
    return status;
}

void vc_config_release(vc_config *config)
{
    json_decref(config->file.json);
    vc_arena_release(&config->arena);
    *config = (vc_config){0};
}

vc_status vc_config_roles(const vc_config *config, vc_roles **roles_out, vc_error *error)
{
    *roles_out = NULL;
    if (config->roles_file != NULL) return vc_roles_open(config->roles_file, roles_out, error);
    if (config->roles == NULL) return VC_OK;
    vc_status status = vc_roles_read(config->roles, config->anonymous, roles_out, error);
    if (status == VC_BAD_INPUT) vc_json_file_locate(&config->file, error);
    return status;
}

/* ---- what changed ---- */

static bool is_same_text(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static bool is_same(vc_config *one, vc_config *other, const config_field *field)
{
    const void *left = field_of(one, field), *right = field_of(other, field);
    switch (field->kind) {
    case TEXT:
    case PATH: return is_same_text(*(const char *const *)left, *(const char *const *)right);
    case SWITCH: return *(const bool *)left == *(const bool *)right;
    case COUNT:
    case BYTES: return *(const uint64_t *)left == *(const uint64_t *)right;
    case LIST:
    case ROLES:
    case SECTION: break;
    }
    return true; /* they are live, or looked at part by part */
}

static void put_pending(vc_buffer *out, vc_config *now, vc_config *wanted,
                        const config_field *known, const char *section)
{
    for (const config_field *field = known; field->name != NULL; field++) {
        if (field->kind == SECTION) put_pending(out, now, wanted, field->fields, field->name);
        if (field->is_live || is_same(now, wanted, field)) continue;
        vc_buffer_printf(out, "%s%s%s%s", out->size > 0 ? ", " : "", section,
                         *section != '\0' ? "." : "", field->name);
    }
    /* A server does not begin or end to speak TLS. */
    if (known == tls_fields && (now->tls_cert == NULL) != (wanted->tls_cert == NULL))
        vc_buffer_printf(out, "%stls", out->size > 0 ? ", " : "");
}

void vc_config_put_pending(vc_buffer *out, const vc_config *now, const vc_config *wanted)
{
    vc_config one = *now, other = *wanted; /* only looked at */
    put_pending(out, &one, &other, fields, "");
}
