#include "base/json.h"
#include "base/nearest.h"
#include "mapping/keytext.h"
#include "mapping/normalize_steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 1024, YEAR_MAX = 9999 };

/* Reading one argument fills the step. Pointers in errors are relative to the argument. */
typedef vc_status argument_reader(vc_normalizer *normalizer, const json_t *argument, vc_step *step,
                                  vc_error *error);

typedef struct step_type {
    const char *name;
    vc_step_kind kind;
    argument_reader *read; /* NULL: the step takes no argument */
    bool has_short;        /* "map:NAME" is short for {"map": "NAME"} */
} step_type;

static argument_reader read_prefix, read_pad_left, read_split, read_map, read_codelist;

static const step_type step_types[] = {
    {"trim", VC_STEP_TRIM, NULL, false},
    {"collapse_space", VC_STEP_COLLAPSE_SPACE, NULL, false},
    {"nfc", VC_STEP_NFC, NULL, false},
    {"casefold", VC_STEP_CASEFOLD, NULL, false},
    {"strip_prefix", VC_STEP_STRIP_PREFIX, read_prefix, false},
    {"pad_left", VC_STEP_PAD_LEFT, read_pad_left, false},
    {"split", VC_STEP_SPLIT, read_split, false},
    {"map", VC_STEP_MAP, read_map, true},
    {"codelist", VC_STEP_CODELIST, read_codelist, true},
};

enum { NSTEP_TYPES = sizeof step_types / sizeof step_types[0] };

static vc_status fail_type(vc_error *error, const char *what, const char *expected,
                           const json_t *found)
{
    return vc_fail(error, VC_BAD_INPUT, "bad_type", "%s must be %s, found %s", what, expected,
                   vc_json_type_name(found));
}

/* An unknown word where one of `names` (ended with NULL) was expected. */
static vc_status fail_word(vc_error *error, const char *code, const char *what, vc_str word,
                           const char *const *names)
{
    vc_fail(error, VC_BAD_INPUT, code, "%s '%.*s' is unknown", what, VC_FMT(word));
    vc_nearest nearest;
    vc_nearest_init(&nearest, word);
    for (; *names != NULL; names++)
        vc_nearest_offer(&nearest, vc_str_of(*names));
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

/* A text of at least one byte, copied into the normalizer. */
static vc_status read_text(vc_normalizer *normalizer, const json_t *json, const char *what,
                           vc_str *text_out, vc_error *error)
{
    vc_str text = vc_json_str(json);
    if (vc_str_is_null(text)) return fail_type(error, what, "a string", json);
    if (text.size == 0)
        return vc_fail(error, VC_BAD_INPUT, "bad_value", "%s must not be empty", what);
    *text_out = vc_arena_str(&normalizer->arena, text);
    return text_out->data == NULL ? vc_no_memory(error) : VC_OK;
}

static vc_status read_prefix(vc_normalizer *normalizer, const json_t *argument, vc_step *step,
                             vc_error *error)
{
    return read_text(normalizer, argument, "the prefix", &step->text, error);
}

static vc_status read_split(vc_normalizer *normalizer, const json_t *argument, vc_step *step,
                            vc_error *error)
{
    return read_text(normalizer, argument, "the separator", &step->text, error);
}

static vc_status read_whole(const json_t *json, const char *what, json_int_t max, size_t *out,
                            vc_error *error)
{
    if (!json_is_integer(json)) return fail_type(error, what, "a whole number", json);
    json_int_t value = json_integer_value(json);
    if (value < 1 || value > max)
        return vc_fail(error, VC_BAD_INPUT, "bad_value",
                       "%s must be from 1 to %" JSON_INTEGER_FORMAT ", found %" JSON_INTEGER_FORMAT,
                       what, max, value);
    *out = (size_t)value;
    return VC_OK;
}

static vc_status read_pad_left(vc_normalizer *normalizer, const json_t *argument, vc_step *step,
                               vc_error *error)
{
    static const char *const known[] = {"width", "fill", NULL};
    if (!json_is_object(argument))
        return fail_type(error, "the argument of pad_left",
                         "an object {\"width\": ..., \"fill\": ...}", argument);
    vc_status status = vc_json_check_keys(argument, known, error);
    if (status != VC_OK) return status;
    const json_t *width = json_object_get(argument, "width");
    if (width == NULL)
        return vc_fail(error, VC_BAD_INPUT, "missing_field", "pad_left needs a 'width'");
    status = read_whole(width, "the width", WIDTH_MAX, &step->width, error);
    if (status != VC_OK) {
        vc_error_prefix_pointer(error, "/width");
        return status;
    }
    const json_t *fill = json_object_get(argument, "fill");
    step->text = VC_STR("0");
    if (fill != NULL) status = read_text(normalizer, fill, "the fill", &step->text, error);
    if (status == VC_OK && vc_key_ncharacters(step->text) != 1)
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "the fill must be one character, found '%.*s'", VC_FMT(step->text));
    if (status != VC_OK) vc_error_prefix_pointer(error, "/fill");
    return status;
}

/* A year as a number, or a date. */
static vc_status read_period(const json_t *json, vc_step *step, vc_error *error)
{
    char year[24];
    vc_str text = vc_json_str(json);
    if (json_is_integer(json)) {
        snprintf(year, sizeof year, "%04" JSON_INTEGER_FORMAT, json_integer_value(json));
        text = vc_str_of(year);
    }
    if (text.data == NULL) return fail_type(error, "as_of", "a year or a date", json);
    if (vc_period_parse(text, &step->as_of_first, &step->as_of_last)) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_value",
                   "as_of must be a year, a month or a day (1990, \"1990-10-03\"), found '%.*s'",
                   VC_FMT(text));
}

/* "time": the dimension of the joined cube that says when; or false: at no time in particular. */
static vc_status read_time(vc_normalizer *normalizer, const json_t *json, bool has_as_of,
                           vc_step *step, vc_error *error)
{
    vc_status status = VC_OK;
    vc_str name = vc_json_str(json);
    if (json == NULL) return VC_OK;
    if (has_as_of)
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "'as_of' is one time for all; it does not go with 'time'");
    else if (json_is_false(json))
        step->has_as_of = true;
    else if (vc_str_is_null(name))
        status = fail_type(error, "time", "the name of a dimension, or false", json);
    else if (normalizer->time.data != NULL && !vc_str_equal(normalizer->time, name))
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "a key has one time: another step names '%.*s'", VC_FMT(normalizer->time));
    else
        status = read_text(normalizer, json, "time", &normalizer->time, error);
    if (status != VC_OK) vc_error_prefix_pointer(error, "/time");
    return status;
}

/* The name of a crosswalk, or {"crosswalk": NAME, "as_of": DATE}. */
static vc_status read_map_object(vc_normalizer *normalizer, const json_t *argument, vc_str *name,
                                 vc_step *step, vc_error *error)
{
    static const char *const known[] = {"crosswalk", "as_of", "time", NULL};
    vc_status status = vc_json_check_keys(argument, known, error);
    if (status != VC_OK) return status;
    const json_t *crosswalk = json_object_get(argument, "crosswalk");
    const json_t *as_of = json_object_get(argument, "as_of");
    if (crosswalk == NULL)
        return vc_fail(error, VC_BAD_INPUT, "missing_field", "map needs a 'crosswalk'");
    status = read_text(normalizer, crosswalk, "the name of a crosswalk", name, error);
    if (status != VC_OK) {
        vc_error_prefix_pointer(error, "/crosswalk");
        return status;
    }
    if (as_of != NULL) status = read_period(as_of, step, error);
    if (status != VC_OK) {
        vc_error_prefix_pointer(error, "/as_of");
        return status;
    }
    step->has_as_of = as_of != NULL;
    return read_time(normalizer, json_object_get(argument, "time"), as_of != NULL, step, error);
}

static vc_status read_map(vc_normalizer *normalizer, const json_t *argument, vc_step *step,
                          vc_error *error)
{
    vc_str name;
    step->as_of_first = VC_DAY_FIRST;
    step->as_of_last = VC_DAY_LAST;
    vc_status status =
        json_is_object(argument)
            ? read_map_object(normalizer, argument, &name, step, error)
            : read_text(normalizer, argument, "the name of a crosswalk", &name, error);
    if (status != VC_OK) return status;
    if (normalizer->crosswalks.open == NULL)
        return vc_fail(error, VC_BAD_INPUT, "unknown_crosswalk", "no crosswalk named '%.*s'",
                       VC_FMT(name));
    status =
        normalizer->crosswalks.open(normalizer->crosswalks.context, name, &step->crosswalk, error);
    /* To whoever wrote the definition a missing crosswalk is a mistake in it. */
    if (status == VC_NOT_FOUND) {
        status = VC_BAD_INPUT;
        if (error != NULL) error->status = status;
    }
    return status;
}

/* ---- The code list step ---- */

/* Set *number_out to the place of a word in `names` (ended with NULL); an absent field keeps it. */
static vc_status read_choice(const json_t *object, const char *field, const char *const *names,
                             unsigned *number_out, vc_error *error)
{
    const json_t *json = json_object_get(object, field);
    if (json == NULL) return VC_OK;
    vc_status status = VC_OK;
    vc_str word = vc_json_str(json);
    if (vc_str_is_null(word)) {
        status = fail_type(error, field, "a string", json);
    } else {
        unsigned number = 0;
        while (names[number] != NULL && !vc_str_is(word, names[number]))
            number++;
        if (names[number] != NULL)
            *number_out = number;
        else
            status = fail_word(error, "bad_value", field, word, names);
    }
    if (status != VC_OK) vc_error_prefix_pointer(error, "/%s", field);
    return status;
}

static vc_status read_list_name(const json_t *json, vc_step *step, vc_error *error)
{
    vc_str name = vc_json_str(json);
    if (vc_str_is_null(name)) return fail_type(error, "the name of a code list", "a string", json);
    step->list = vc_codelist_get(name);
    if (step->list != NULL) return VC_OK;
    return fail_word(error, "unknown_codelist", "code list", name, vc_codelist_names());
}

static vc_status read_aliases(const json_t *aliases, vc_step *step, vc_error *error)
{
    if (aliases == NULL) return VC_OK;
    if (!json_is_array(aliases)) {
        fail_type(error, "aliases", "an array of names of alias sets", aliases);
        vc_error_prefix_pointer(error, "/aliases");
        return VC_BAD_INPUT;
    }
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const json_t *json = json_array_get(aliases, i);
        vc_str name = vc_json_str(json);
        int number = vc_codelist_find_alias_set(step->list, name);
        if (number >= 0) {
            step->options.alias_sets |= 1u << number;
            continue;
        }
        if (vc_str_is_null(name))
            fail_type(error, "the name of an alias set", "a string", json);
        else
            fail_word(error, "unknown_alias_set", "alias set", name,
                      vc_codelist_alias_sets(step->list));
        vc_error_prefix_pointer(error, "/aliases/%zu", i);
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

static vc_status read_as_of(const json_t *json, vc_step *step, vc_error *error)
{
    if (json == NULL) return VC_OK;
    size_t year = 0;
    vc_status status = read_whole(json, "as_of", YEAR_MAX, &year, error);
    if (status != VC_OK) {
        vc_error_prefix_pointer(error, "/as_of");
        return status;
    }
    step->options.as_of_year = (uint16_t)year;
    step->has_as_of = true;
    return VC_OK;
}

static vc_status read_codelist_object(vc_normalizer *normalizer, const json_t *object,
                                      vc_step *step, vc_error *error)
{
    static const char *const known[] = {"list",       "from",  "to",   "aliases", "withdrawn",
                                        "aggregates", "as_of", "time", NULL};
    static const char *const withdrawn_words[] = {"none", "successor", "keep", NULL};
    static const char *const aggregate_words[] = {"exclude", "bucket", NULL};
    vc_status status = vc_json_check_keys(object, known, error);
    if (status != VC_OK) return status;
    const json_t *list = json_object_get(object, "list");
    if (list == NULL)
        return vc_fail(error, VC_BAD_INPUT, "missing_field", "codelist needs a 'list'");
    status = read_list_name(list, step, error);
    if (status != VC_OK) {
        vc_error_prefix_pointer(error, "/list");
        return status;
    }
    unsigned from = VC_FORM_AUTO, to = VC_FORM_ALPHA3 - 1, withdrawn = 0, aggregates = 0;
    if ((status = read_choice(object, "from", vc_code_form_names, &from, error)) != VC_OK ||
        /* "auto" is a form to read, not to write: the words to write begin behind it */
        (status = read_choice(object, "to", vc_code_form_names + 1, &to, error)) != VC_OK ||
        (status = read_choice(object, "withdrawn", withdrawn_words, &withdrawn, error)) != VC_OK ||
        (status = read_choice(object, "aggregates", aggregate_words, &aggregates, error)) !=
            VC_OK ||
        (status = read_aliases(json_object_get(object, "aliases"), step, error)) != VC_OK ||
        (status = read_as_of(json_object_get(object, "as_of"), step, error)) != VC_OK ||
        (status = read_time(normalizer, json_object_get(object, "time"), step->has_as_of, step,
                            error)) != VC_OK)
        return status;
    step->options.form = (vc_code_form)from;
    step->options.follow_successor = withdrawn == 1;
    step->keeps_withdrawn = withdrawn == 2;
    step->to = (vc_code_form)(to + 1);
    step->buckets_aggregates = aggregates == 1;
    return VC_OK;
}

static vc_status read_codelist(vc_normalizer *normalizer, const json_t *argument, vc_step *step,
                               vc_error *error)
{
    step->to = VC_FORM_ALPHA3;
    if (json_is_object(argument)) return read_codelist_object(normalizer, argument, step, error);
    if (json_is_string(argument)) return read_list_name(argument, step, error);
    return fail_type(error, "the argument of codelist", "an object or the name of a list",
                     argument);
}

/* ---- Steps and pipelines ---- */

static const step_type *find_step_type(vc_str name)
{
    for (size_t i = 0; i < NSTEP_TYPES; i++)
        if (vc_str_is(name, step_types[i].name)) return &step_types[i];
    return NULL;
}

static vc_status fail_step(vc_str name, vc_error *error)
{
    const char *names[NSTEP_TYPES + 1] = {NULL};
    for (size_t i = 0; i < NSTEP_TYPES; i++)
        names[i] = step_types[i].name;
    return fail_word(error, "unknown_step", "normalisation step", name, names);
}

/* "trim", or the short form "map:NAME". */
static vc_status read_string_step(vc_normalizer *normalizer, vc_str text, vc_step *step,
                                  vc_error *error)
{
    vc_str rest = text;
    vc_str name = vc_str_split(&rest, ':');
    const step_type *type = find_step_type(name);
    if (type == NULL) return fail_step(text, error);
    step->kind = type->kind;
    bool has_argument = !vc_str_is_null(rest);
    if (type->read == NULL && !has_argument) return VC_OK;
    if (type->has_short && has_argument) {
        json_t *argument = json_stringn(rest.data, rest.size);
        if (argument == NULL) return vc_no_memory(error);
        vc_status status = type->read(normalizer, argument, step, error);
        json_decref(argument);
        return status;
    }
    if (type->read == NULL)
        return vc_fail(error, VC_BAD_INPUT, "bad_step", "the step '%s' takes no argument",
                       type->name);
    return vc_fail(error, VC_BAD_INPUT, "bad_step",
                   "the step '%s' needs its argument: {\"%s\": ...}", type->name, type->name);
}

static vc_status read_object_step(vc_normalizer *normalizer, const json_t *object, vc_step *step,
                                  vc_error *error)
{
    if (json_object_size(object) != 1)
        return vc_fail(error, VC_BAD_INPUT, "bad_step",
                       "a normalisation step is an object with one key, found %zu keys",
                       json_object_size(object));
    void *iterator = json_object_iter((json_t *)object);
    vc_str name = vc_str_of(json_object_iter_key(iterator));
    const step_type *type = find_step_type(name);
    if (type == NULL) return fail_step(name, error);
    if (type->read == NULL)
        return vc_fail(error, VC_BAD_INPUT, "bad_step",
                       "the step '%s' takes no argument: write it as a string", type->name);
    step->kind = type->kind;
    vc_status status = type->read(normalizer, json_object_iter_value(iterator), step, error);
    if (status != VC_OK) vc_error_prefix_pointer(error, "/%s", type->name);
    return status;
}

static vc_status read_step(vc_normalizer *normalizer, const json_t *json, vc_step *step,
                           vc_error *error)
{
    if (json_is_string(json)) return read_string_step(normalizer, vc_json_str(json), step, error);
    if (json_is_object(json)) return read_object_step(normalizer, json, step, error);
    return fail_type(error, "a normalisation step", "a string or an object", json);
}

/* There is room for the steps. */
static vc_status read_steps(vc_normalizer *normalizer, const json_t *steps, vc_error *error)
{
    if (steps == NULL) return VC_OK;
    if (!json_is_array(steps)) return fail_type(error, "normalisation steps", "an array", steps);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        vc_step *step = &normalizer->steps[normalizer->nsteps];
        vc_status status = read_step(normalizer, json_array_get(steps, i), step, error);
        if (status != VC_OK) {
            vc_error_prefix_pointer(error, "/%zu", i);
            return status;
        }
        normalizer->nsteps++;
    }
    return VC_OK;
}

vc_status vc_normalizer_parse(const json_t *steps, const vc_crosswalk_source *crosswalks,
                              vc_normalizer **normalizer_out, vc_error *error)
{
    vc_normalizer *normalizer = calloc(1, sizeof *normalizer);
    if (normalizer == NULL) return vc_no_memory(error);
    if (crosswalks != NULL) normalizer->crosswalks = *crosswalks;
    normalizer->steps = VC_ARENA_NEW(&normalizer->arena, vc_step, json_array_size(steps));
    vc_status status = normalizer->steps == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK) status = read_steps(normalizer, steps, error);
    if (status != VC_OK) {
        vc_normalizer_free(normalizer);
        return status;
    }
    *normalizer_out = normalizer;
    return VC_OK;
}

vc_status vc_normalizer_check_sides(const vc_normalizer *from, const vc_normalizer *to,
                                    vc_error *error)
{
    if (from->nsteps == 0 || to->nsteps == 0) return VC_OK;
    const vc_step *last_from = &from->steps[from->nsteps - 1];
    const vc_step *last_to = &to->steps[to->nsteps - 1];
    bool both_codelists = last_from->kind == VC_STEP_CODELIST && last_to->kind == VC_STEP_CODELIST;
    if (!both_codelists || last_from->list != last_to->list || last_from->to == last_to->to)
        return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "form_mismatch",
                   "the keys of the primary become %s codes, those of the joined cube %s codes: "
                   "they never match",
                   vc_code_form_names[last_from->to], vc_code_form_names[last_to->to]);
}
