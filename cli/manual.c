#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

/* As it stands: nothing is taken for an escape, and quotes, hyphens and carets stay those of ASCII,
 * which can be copied into a shell. */
static void put_char(FILE *out, char c)
{
    switch (c) {
    case '\\': fputs("\\e", out); break;
    case '-': fputs("\\-", out); break;
    case '\'': fputs("\\(aq", out); break;
    case '`': fputs("\\(ga", out); break;
    case '^': fputs("\\(ha", out); break;
    case '~': fputs("\\(ti", out); break;
    default: putc(c, out);
    }
}

/* \& keeps what begins a line from being a request. */
static void put_literal(FILE *out, const char *text, size_t size)
{
    if (size > 0 && text[0] == '.') fputs("\\&", out);
    for (size_t i = 0; i < size; i++)
        put_char(out, text[i]);
}

/* An argument of a macro: \& keeps it from being one, quotes hold it together. */
static void put_argument(FILE *out, const char *text)
{
    fputs(" \"\\&", out);
    put_literal(out, text, strlen(text));
    putc('"', out);
}

/* Prose: a sentence ends its line, as roff wants it, and lines are short; a hyphen inside a word is
 * one, one before a word is that of an option. */
static void put_prose(FILE *out, const char *text, size_t size)
{
    enum { WIDTH = 70 };
    size_t first = 0;
    for (size_t i = 0; i < size; i++) {
        bool is_inside = i > 0 && isalnum((unsigned char)text[i - 1]);
        bool is_end = i > first && text[i] == ' ' &&
                      (strchr(".?!", text[i - 1]) != NULL || i - first > WIDTH);
        if (i == first && text[i] == '.') fputs("\\&", out);
        if (is_end) {
            putc('\n', out);
            first = i + 1;
        } else if (is_inside && (text[i] == '-' || text[i] == '\'')) {
            putc(text[i], out);
        } else {
            put_char(out, text[i]);
        }
    }
    putc('\n', out);
}

/* Paragraphs; what is indented by two blanks stays as it is. */
static void put_text(FILE *out, const char *text)
{
    bool is_literal = false;
    fputs(".Pp\n", out);
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        bool is_example = strncmp(line, "  ", 2) == 0;
        if (is_example != is_literal)
            fputs(is_example ? ".Bd -literal -offset indent\n" : ".Ed\n.Pp\n", out);
        is_literal = is_example;
        if (is_literal) {
            put_literal(out, line + 2, size - 2);
            putc('\n', out);
        } else if (size > 0) {
            put_prose(out, line, size);
        } else if (strncmp(line + 1, "  ", 2) != 0) {
            fputs(".Pp\n", out);
        }
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    if (is_literal) fputs(".Ed\n", out);
}

static void put_option(FILE *out, const vc_option *option)
{
    fputs(".It", out);
    if (option->letter != 0) {
        fprintf(out, " Fl %c", option->letter);
        if (option->value != NULL) {
            fputs(" Ar", out);
            put_argument(out, option->value);
        }
        fputs(" ,", out);
    }
    fputs(" Fl", out);
    fprintf(out, " \\-%s", option->name);
    if (option->value != NULL) {
        fputs(" Ar", out);
        put_argument(out, option->value);
    }
    putc('\n', out);
    put_prose(out, option->help, strlen(option->help));
}

void vc_manual_put(FILE *out, const vc_command *command, bool has_heading)
{
    if (has_heading) {
        fprintf(out, ".Ss vcube %s : ", command->name);
        put_prose(out, command->summary, strlen(command->summary));
        fprintf(out, ".Nm vcube\n.Cm %s\n.Op Ar OPTIONS\n", command->name);
        if (*command->operands != '\0') {
            fputs(".Ar", out);
            put_argument(out, command->operands);
            putc('\n', out);
        }
    }
    put_text(out, command->help);
    fputs(".Pp\nOptions:\n.Bl -tag -width Ds -compact\n", out);
    for (const vc_option *o = command->shared; o != NULL && o->name != NULL; o++)
        put_option(out, o);
    for (const vc_option *o = command->options; o->name != NULL; o++)
        put_option(out, o);
    for (const vc_option *o = vc_common_options; o->name != NULL; o++)
        put_option(out, o);
    fputs(".El\n", out);
}

static void put_option_words(FILE *out, const vc_option *option)
{
    const char *value = option->value != NULL ? option->value : "";
    if (option->letter != 0) fprintf(out, "-%c\t%s\t%s\n", option->letter, value, option->help);
    fprintf(out, "--%s\t%s\t%s\n", option->name, value, option->help);
}

void vc_manual_put_words(FILE *out, const vc_command *command)
{
    fprintf(out, "- %s\n", command->operands);
    for (const vc_option *o = command->shared; o != NULL && o->name != NULL; o++)
        put_option_words(out, o);
    for (const vc_option *o = command->options; o->name != NULL; o++)
        put_option_words(out, o);
    for (const vc_option *o = vc_common_options; o->name != NULL; o++)
        put_option_words(out, o);
}
