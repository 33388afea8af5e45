#include "tests/house/house.h"

#include <math.h>
#include <string.h>

enum { PATH_TEXT = 256 };

struct fitting {
    bool is_open;
    char path[PATH_TEXT];
    vc_buffer *why;
};

static bool fail(struct fitting *in, const json_t *expected, const json_t *actual)
{
    char *wanted = json_dumps(expected, JSON_COMPACT | JSON_ENCODE_ANY);
    char *found = actual == NULL ? NULL : json_dumps(actual, JSON_COMPACT | JSON_ENCODE_ANY);
    vc_buffer_printf(in->why, "%s: expected %s, found %s", in->path,
                     wanted == NULL ? "nothing" : wanted, found == NULL ? "nothing" : found);
    free(wanted);
    free(found);
    return false;
}

static bool fits(struct fitting *in, const json_t *expected, const json_t *actual);

static bool fits_at(struct fitting *in, const char *step, const json_t *expected,
                    const json_t *actual)
{
    size_t size = strlen(in->path);
    snprintf(in->path + size, PATH_TEXT - size, "/%s", step);
    bool result = fits(in, expected, actual);
    in->path[size] = '\0';
    return result;
}

static bool is_label(const char *name)
{
    size_t size = strlen(name);
    return size > 6 && strcmp(name + size - 6, "_label") == 0;
}

static bool objects_fit(struct fitting *in, const json_t *expected, const json_t *actual)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)expected, name, value)
    {
        if (!fits_at(in, name, value, json_object_get(actual, name))) return false;
    }
    json_object_foreach((json_t *)actual, name, value)
    {
        if (!in->is_open && json_object_get(expected, name) == NULL && !is_label(name))
            return fits_at(in, name, NULL, value);
    }
    return true;
}

static bool arrays_fit(struct fitting *in, const json_t *expected, const json_t *actual)
{
    char step[32];
    if (json_array_size(expected) != json_array_size(actual)) return fail(in, expected, actual);
    for (size_t i = 0; i < json_array_size(expected); i++) {
        snprintf(step, sizeof step, "%zu", i);
        if (!fits_at(in, step, json_array_get(expected, i), json_array_get(actual, i)))
            return false;
    }
    return true;
}

static bool numbers_fit(const json_t *expected, const json_t *actual)
{
    if (json_is_integer(expected) && json_is_integer(actual))
        return json_integer_value(expected) == json_integer_value(actual);
    double a = json_number_value(expected), b = json_number_value(actual);
    return a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static bool fits(struct fitting *in, const json_t *expected, const json_t *actual)
{
    if (expected == NULL || actual == NULL) return fail(in, expected, actual);
    if (json_is_number(expected) && json_is_number(actual))
        return numbers_fit(expected, actual) || fail(in, expected, actual);
    if (json_typeof(expected) != json_typeof(actual)) return fail(in, expected, actual);
    if (json_is_object(expected)) return objects_fit(in, expected, actual);
    if (json_is_array(expected)) return arrays_fit(in, expected, actual);
    return json_equal(expected, actual) || fail(in, expected, actual);
}

bool house_fits(const json_t *expected, const json_t *actual, bool is_open, vc_buffer *why)
{
    struct fitting in = {.is_open = is_open, .why = why};
    return fits(&in, expected, actual);
}
