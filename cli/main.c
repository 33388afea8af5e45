/* vcube: commands and help. */
#include "base/cpu.h"
#include "base/json.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "cli/manual.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#ifndef VCUBE_VERSION
#define VCUBE_VERSION "0.1.0"
#endif

static const vc_command *const commands[] = {
    &vc_command_load,    &vc_command_check,    &vc_command_ls,        &vc_command_describe,
    &vc_command_members, &vc_command_query,    &vc_command_explain,   &vc_command_facts,
    &vc_command_cell,    &vc_command_coverage, &vc_command_unmatched, &vc_command_suggest,
    &vc_command_report,  &vc_command_serve,    &vc_command_stats,     &vc_command_verify,
    &vc_command_backup,  &vc_command_compact,  &vc_command_drop,      &vc_command_token};

enum { NCOMMANDS = sizeof commands / sizeof commands[0] };

static void print_overview(FILE *stream)
{
    fputs("vcube: virtual cubes with index-mapped joins\n\n"
          "Usage: vcube COMMAND [OPTIONS] ...\n\n",
          stream);
    for (size_t i = 0; i < NCOMMANDS; i++)
        fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n"
          "vcube COMMAND --help tells more, with examples. A first session:\n\n"
          "  vcube load -d data samples/world\n"
          "  vcube ls -d data\n"
          "  vcube query -d data world --drilldown geo:region --cut date:2020 --measures pop,cpop\n"
          "  vcube serve -d data\n",
          stream);
}

static void print_option(const vc_option *option)
{
    enum { COLUMN = 30 };
    char text[96];
    int size = snprintf(text, sizeof text, "  %c%c%c --%s%s%s", option->letter != 0 ? '-' : ' ',
                        option->letter != 0 ? option->letter : ' ', option->letter != 0 ? ',' : ' ',
                        option->name, option->value != NULL ? " " : "",
                        option->value != NULL ? option->value : "");
    if (size >= COLUMN)
        printf("%s\n%*s%s\n", text, COLUMN, "", option->help);
    else
        printf("%-*s%s\n", COLUMN, text, option->help);
}

static void print_help(const vc_command *command)
{
    printf("vcube %s: %s\n\nUsage: vcube %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", command->name,
           command->summary, command->name, *command->operands != '\0' ? " " : "",
           command->operands, command->help);
    for (const vc_option *o = command->shared; o != NULL && o->name != NULL; o++)
        print_option(o);
    for (const vc_option *o = command->options; o->name != NULL; o++)
        print_option(o);
    for (const vc_option *o = vc_common_options; o->name != NULL; o++)
        print_option(o);
}

static const vc_command *find_command(const char *name)
{
    for (size_t i = 0; i < NCOMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static int fail_command(const char *name)
{
    vc_error error = {0};
    vc_nearest nearest;
    if (name[0] == '-') {
        vc_fail(&error, VC_BAD_INPUT, "usage",
                "options stand behind the command: vcube COMMAND %s ...; see vcube --help", name);
        return vc_cli_fail(&error);
    }
    vc_fail(&error, VC_BAD_INPUT, "usage", "there is no command '%s'; see vcube --help", name);
    vc_nearest_init(&nearest, vc_str_of(name));
    for (size_t i = 0; i < NCOMMANDS; i++)
        vc_nearest_offer(&nearest, vc_str_of(commands[i]->name));
    vc_nearest_report(&nearest, &error);
    return vc_cli_fail(&error);
}

/* A slip in a variable must not go unnoticed, or two runs that should differ are the same. */
static vc_status check_environment(vc_error *error)
{
    const char *kernels = getenv("VCUBE_KERNELS");
    vc_cpu_level level;
    if (kernels == NULL || *kernels == '\0' || vc_cpu_find_level(kernels, &level)) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "usage",
                   "the variable VCUBE_KERNELS is '%s'; expected portable, avx2 or avx512",
                   kernels);
}

static int run_command(const vc_command *command, int argc, char **argv)
{
    vc_arena arena = {0};
    vc_arguments arguments;
    vc_error error = {0};
    int code = VC_EXIT_OK;
    if (vc_arguments_parse(command, argc, argv, &arena, &arguments, &error) != VC_OK) {
        code = vc_cli_fail(&error);
        fprintf(stderr, "Usage: vcube %s [OPTIONS]%s%s   (vcube %s --help tells more)\n",
                command->name, *command->operands != '\0' ? " " : "", command->operands,
                command->name);
    } else if (vc_arguments_get(&arguments, "help") != NULL) {
        print_help(command);
    } else if (check_environment(&error) != VC_OK) {
        code = vc_cli_fail(&error);
    } else {
        vc_cli_setup(vc_arguments_get(&arguments, "quiet") != NULL);
        code = command->run(&arguments);
    }
    vc_arena_release(&arena);
    return code;
}

/* For programs, so in no help: help --man [COMMAND] is the manual in mdoc, help --words [COMMAND]
 * what a shell completes. */
static bool help_programs(int argc, char **argv)
{
    bool is_manual = strcmp(argv[2], "--man") == 0;
    const vc_command *command = argc > 3 ? find_command(argv[3]) : NULL;
    if ((!is_manual && strcmp(argv[2], "--words") != 0) || argc > 4 || (argc == 4 && !command))
        return false;
    if (command != NULL) {
        if (is_manual)
            vc_manual_put(stdout, command, false);
        else
            vc_manual_put_words(stdout, command);
        return true;
    }
    for (size_t i = 0; i < NCOMMANDS; i++)
        if (is_manual)
            vc_manual_put(stdout, commands[i], true);
        else
            puts(commands[i]->name);
    return true;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_DFL);
    vc_json_setup();
    if (argc < 2) {
        print_overview(stderr);
        return VC_EXIT_USAGE;
    }
    const char *name = argv[1];
    bool is_help = strcmp(name, "help") == 0;
    if (strcmp(name, "--version") == 0) {
        puts("vcube " VCUBE_VERSION);
        return VC_EXIT_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (is_help && argc == 2)) {
        print_overview(stdout);
        return VC_EXIT_OK;
    }
    if (is_help && help_programs(argc, argv)) return VC_EXIT_OK;
    const vc_command *command = find_command(is_help ? argv[2] : name);
    if (command == NULL) return fail_command(is_help ? argv[2] : name);
    if (is_help) {
        print_help(command);
        return VC_EXIT_OK;
    }
    int code = run_command(command, argc - 2, argv + 2);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("vcube: standard output");
        return VC_EXIT_FAILED;
    }
    return code;
}
