#include "cube/rights.h"

#include "cube/cut.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MEASURES = 768 };

static vc_status fail_type(const char *key, const char *expected, const json_t *found,
                           vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "bad_type", "expected %s, found %s", expected,
            vc_json_type_name(found));
    vc_error_at_pointer(error, "%s%s", *key == '\0' ? "" : "/", key);
    return VC_BAD_INPUT;
}

static vc_status read_access(const json_t *json, vc_right *right, vc_error *error)
{
    vc_str text = vc_json_str(json);
    if (json == NULL || vc_str_is(text, "read")) return VC_OK;
    if (vc_str_is_null(text)) return fail_type("access", "a string", json, error);
    right->access = VC_ACCESS_JOIN;
    if (vc_str_is(text, "join")) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value", "found \"%.*s\", expected \"read\" or \"join\"",
            VC_FMT(text));
    vc_error_at_pointer(error, "/access");
    return VC_BAD_INPUT;
}

static vc_status read_measures(const json_t *json, vc_arena *arena, vc_right *right,
                               vc_error *error)
{
    if (json == NULL) return VC_OK;
    if (!json_is_array(json)) return fail_type("measures", "an array", json, error);
    size_t count = json_array_size(json);
    vc_str *measures = VC_ARENA_NEW(arena, vc_str, count + 1);
    if (measures == NULL) return vc_no_memory(error);
    if (count > MAX_MEASURES) {
        vc_fail(error, VC_BAD_INPUT, "bad_value", "at most %d measures, found %zu", MAX_MEASURES,
                count);
        vc_error_at_pointer(error, "/measures");
        return VC_BAD_INPUT;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json, i);
        vc_str name = vc_json_str(item);
        if (vc_str_is_null(name)) {
            fail_type("", "the name of a measure", item, error);
            vc_error_at_pointer(error, "/measures/%zu", i);
            return VC_BAD_INPUT;
        }
        measures[i] = vc_arena_str(arena, name);
        if (measures[i].data == NULL) return vc_no_memory(error);
    }
    right->has_measures = true;
    right->measures = measures;
    right->nmeasures = count;
    return VC_OK;
}

/* The grammar is looked at now; what the names mean depends on the cube. */
static vc_status read_cut(const json_t *json, vc_arena *arena, vc_right *right, vc_error *error)
{
    vc_arena work = {0};
    vc_list conditions = {0};
    vc_str text = vc_json_str(json);
    if (json == NULL) return VC_OK;
    if (vc_str_is_null(text)) return fail_type("cut", "a string", json, error);
    const vc_source_text source = {.text = text, .where = "/cut"};
    vc_status status = vc_cut_parse(source, &work, &conditions, error);
    vc_arena_release(&work);
    if (status != VC_OK) {
        vc_error_at_pointer(error, "/cut");
        return status;
    }
    right->cut = vc_arena_str(arena, text);
    return right->cut.data == NULL ? vc_no_memory(error) : VC_OK;
}

static vc_status read_right(vc_str cube, const json_t *json, vc_arena *arena, vc_right *right,
                            vc_error *error)
{
    static const char *const known[] = {"access", "measures", "cut", NULL};
    vc_status status;
    right->cube = vc_arena_str(arena, cube);
    if (right->cube.data == NULL) return vc_no_memory(error);
    if (!json_is_object(json))
        status = fail_type("", "an object", json, error);
    else
        status = vc_json_check_keys(json, known, error);
    if (status == VC_OK) status = read_access(json_object_get(json, "access"), right, error);
    if (status == VC_OK)
        status = read_measures(json_object_get(json, "measures"), arena, right, error);
    if (status == VC_OK) status = read_cut(json_object_get(json, "cut"), arena, right, error);
    if (status == VC_OK && vc_str_is(cube, "*") && right->cut.size > 0) {
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "a cut names dimensions, which not all cubes have: give it for each cube");
        vc_error_at_pointer(error, "/cut");
    }
    if (status == VC_BAD_INPUT) vc_error_prefix_pointer(error, "/%.*s", VC_FMT(cube));
    return status;
}

static int compare_rights(const void *a, const void *b)
{
    return vc_str_compare(((const vc_right *)a)->cube, ((const vc_right *)b)->cube);
}

static bool is_everything(const vc_rights *rights)
{
    bool is_whole = vc_rights_find(rights, VC_STR("*")) != NULL;
    for (size_t i = 0; i < rights->nrights; i++)
        is_whole &= vc_right_is_whole(&rights->rights[i]);
    return is_whole;
}

vc_status vc_rights_read(const json_t *cubes, vc_arena *arena, const vc_rights **rights_out,
                         vc_error *error)
{
    if (!json_is_object(cubes)) return fail_type("", "an object", cubes, error);
    size_t count = json_object_size(cubes), i = 0;
    vc_rights *rights = VC_ARENA_NEW(arena, vc_rights, 1);
    vc_right *list = VC_ARENA_NEW(arena, vc_right, count + 1);
    if (rights == NULL || list == NULL) return vc_no_memory(error);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)cubes, key, value)
    {
        vc_status status = read_right(vc_str_of(key), value, arena, &list[i++], error);
        if (status != VC_OK) return status;
    }
    qsort(list, count, sizeof *list, compare_rights);
    char *text = json_dumps(cubes, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL) return vc_no_memory(error);
    *rights =
        (vc_rights){.text = vc_arena_str(arena, vc_str_of(text)), .rights = list, .nrights = count};
    free(text);
    if (rights->text.data == NULL) return vc_no_memory(error);
    *rights_out = is_everything(rights) ? NULL : rights;
    return VC_OK;
}

vc_status vc_rights_parse(vc_str text, vc_arena *arena, const vc_rights **rights_out,
                          vc_error *error)
{
    json_t *json;
    vc_status status = vc_json_parse(text, NULL, 0, &json, error);
    if (status != VC_OK) return status;
    status = vc_rights_read(json, arena, rights_out, error);
    json_decref(json);
    return status;
}

const vc_right *vc_rights_find(const vc_rights *rights, vc_str cube)
{
    const vc_right *others = NULL;
    for (size_t i = 0; i < rights->nrights; i++) {
        if (vc_str_equal(rights->rights[i].cube, cube)) return &rights->rights[i];
        if (vc_str_is(rights->rights[i].cube, "*")) others = &rights->rights[i];
    }
    return others;
}

bool vc_rights_may_read(const vc_rights *rights, vc_str cube)
{
    if (rights == NULL) return true;
    const vc_right *right = vc_rights_find(rights, cube);
    return right != NULL && right->access == VC_ACCESS_READ;
}

bool vc_right_is_whole(const vc_right *right)
{
    return right->access == VC_ACCESS_READ && !right->has_measures && right->cut.size == 0;
}
