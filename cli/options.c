/* The command line: --name VALUE, --name=VALUE, -d VALUE, -dVALUE, switches, operands, and "--". */
#include "base/nearest.h"
#include "cli/cli.h"

#include <string.h>

const vc_option vc_common_options[] = {{"help", 'h', NULL, "show this help"},
                                       {"quiet", 'q', NULL, "say nothing but errors"},
                                       VC_OPTION_END};

static const vc_option *find_in(const vc_option *options, const char *name, size_t size,
                                char letter)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (letter != 0 ? options->letter == letter
                        : strlen(options->name) == size && memcmp(options->name, name, size) == 0)
            return options;
    }
    return NULL;
}

static const vc_option *find_option(const vc_command *command, const char *name, size_t size,
                                    char letter)
{
    const vc_option *option = find_in(command->options, name, size, letter);
    if (option == NULL) option = find_in(command->shared, name, size, letter);
    return option != NULL ? option : find_in(vc_common_options, name, size, letter);
}

static vc_status fail_unknown(const vc_command *command, const char *text, size_t size,
                              vc_error *error)
{
    vc_nearest nearest;
    vc_fail(error, VC_BAD_INPUT, "usage", "%s has no option '%s'", command->name, text);
    while (size > 0 && *text == '-') {
        text++;
        size--;
    }
    vc_nearest_init(&nearest, (vc_str){.data = text, .size = size});
    for (const vc_option *o = command->options; o != NULL && o->name != NULL; o++)
        vc_nearest_offer(&nearest, vc_str_of(o->name));
    for (const vc_option *o = command->shared; o != NULL && o->name != NULL; o++)
        vc_nearest_offer(&nearest, vc_str_of(o->name));
    for (const vc_option *o = vc_common_options; o->name != NULL; o++)
        vc_nearest_offer(&nearest, vc_str_of(o->name));
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

/* One option at argv[*at]; moves *at over a value that stands apart. */
static vc_status parse_option(const vc_command *command, int argc, char **argv, int *at,
                              vc_given *given, vc_error *error)
{
    const char *text = argv[*at], *value = NULL;
    size_t size;
    if (text[1] == '-') {
        const char *equals = strchr(text, '=');
        size = equals != NULL ? (size_t)(equals - text) : strlen(text);
        given->option = find_option(command, text + 2, size - 2, 0);
        value = equals != NULL ? equals + 1 : NULL;
    } else {
        size = 2;
        given->option = find_option(command, NULL, 0, text[1]);
        if (given->option != NULL && given->option->value == NULL && text[2] != '\0')
            return vc_fail(error, VC_BAD_INPUT, "usage", "give switches one by one, not as '%s'",
                           text);
        value = text[2] != '\0' ? text + 2 : NULL;
    }
    if (given->option == NULL) return fail_unknown(command, text, size, error);
    if (given->option->value == NULL && value != NULL)
        return vc_fail(error, VC_BAD_INPUT, "usage", "--%s takes no value", given->option->name);
    if (given->option->value != NULL && value == NULL) {
        if (*at + 1 >= argc)
            return vc_fail(error, VC_BAD_INPUT, "usage", "--%s needs a value: --%s %s",
                           given->option->name, given->option->name, given->option->value);
        value = argv[++*at];
    }
    given->value = value;
    return VC_OK;
}

vc_status vc_arguments_parse(const vc_command *command, int argc, char **argv, vc_arena *arena,
                             vc_arguments *arguments_out, vc_error *error)
{
    vc_given *given = VC_ARENA_NEW(arena, vc_given, (size_t)argc + 1);
    const char **operands = VC_ARENA_NEW(arena, const char *, (size_t)argc + 1);
    size_t ngiven = 0, noperands = 0;
    bool is_over = false;
    if (given == NULL || operands == NULL) return vc_no_memory(error);
    for (int i = 0; i < argc; i++) {
        if (!is_over && strcmp(argv[i], "--") == 0) {
            is_over = true;
        } else if (!is_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            vc_status status = parse_option(command, argc, argv, &i, &given[ngiven], error);
            if (status != VC_OK) return status;
            ngiven++;
        } else {
            operands[noperands++] = argv[i];
        }
    }
    *arguments_out = (vc_arguments){
        .given = given, .ngiven = ngiven, .operands = operands, .noperands = noperands};
    if (vc_arguments_get(arguments_out, "help") != NULL) return VC_OK;
    if (noperands < command->min_operands)
        return vc_fail(error, VC_BAD_INPUT, "usage", "%s needs %s", command->name,
                       command->operands);
    if (noperands > command->max_operands)
        return vc_fail(error, VC_BAD_INPUT, "usage", "%s does not know what to do with '%s'",
                       command->name, operands[command->max_operands]);
    return VC_OK;
}

const char *vc_arguments_get(const vc_arguments *arguments, const char *name)
{
    for (size_t i = arguments->ngiven; i-- > 0;)
        if (strcmp(arguments->given[i].option->name, name) == 0)
            return arguments->given[i].value != NULL ? arguments->given[i].value : "";
    return NULL;
}

vc_status vc_arguments_number(const vc_arguments *arguments, const char *name, uint64_t min,
                              uint64_t max, uint64_t fallback, uint64_t *out, vc_error *error)
{
    const char *text = vc_arguments_get(arguments, name);
    int64_t number;
    *out = fallback;
    if (text == NULL) return VC_OK;
    if (vc_parse_int(vc_str_of(text), &number) != VC_PARSE_OK || number < 0 ||
        (uint64_t)number < min || (uint64_t)number > max)
        return vc_fail(error, VC_BAD_INPUT, "usage",
                       "--%s takes a whole number from %llu to %llu, not '%s'", name,
                       (unsigned long long)min, (unsigned long long)max, text);
    *out = (uint64_t)number;
    return VC_OK;
}

vc_status vc_arguments_threads(const vc_arguments *arguments, unsigned *nthreads_out,
                               vc_error *error)
{
    uint64_t nthreads;
    vc_status status = vc_arguments_number(arguments, "threads", 1, 256, 0, &nthreads, error);
    *nthreads_out = (unsigned)nthreads;
    return status;
}

vc_status vc_arguments_bytes(const vc_arguments *arguments, const char *name, uint64_t fallback,
                             uint64_t *out, vc_error *error)
{
    const char *text = vc_arguments_get(arguments, name);
    *out = fallback;
    if (text == NULL || vc_parse_bytes(vc_str_of(text), out) == VC_PARSE_OK) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "usage",
                   "--%s takes a whole number of bytes above 0 with k, M, G, T or Ki, Mi, Gi, Ti "
                   "behind it, such as 512M, not '%s'",
                   name, text);
}
