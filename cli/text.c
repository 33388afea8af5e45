/* Talking to people: errors, tables, numbers, colour. */
#include "cli/cli.h"
#include "render/people.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_quiet_now;

void vc_cli_setup(bool is_quiet)
{
    is_quiet_now = is_quiet;
}

bool vc_cli_is_quiet(void)
{
    return is_quiet_now;
}

bool vc_cli_has_colour(FILE *stream)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(fileno(stream)) && (no_colour == NULL || *no_colour == '\0') &&
           (term == NULL || !vc_str_is(vc_str_of(term), "dumb"));
}

unsigned vc_cli_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO)) return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int vc_cli_fail(const vc_error *error)
{
    char text[2048];
    vc_buffer safe = {0};
    bool has_colour = vc_cli_has_colour(stderr);
    fflush(stdout);
    vc_put_safe(&safe, vc_str_of(vc_error_format(error, text, sizeof text)));
    fprintf(stderr, "%svcube:%s %s\n", has_colour ? "\033[1;31m" : "", has_colour ? "\033[0m" : "",
            vc_buffer_text(&safe));
    vc_buffer_release(&safe);
    bool is_usage = error->code != NULL && vc_str_is(vc_str_of(error->code), "usage");
    return is_usage ? VC_EXIT_USAGE : VC_EXIT_FAILED;
}

void vc_cli_say(const char *format, ...)
{
    va_list arguments;
    char text[4096];
    vc_buffer safe = {0};
    if (is_quiet_now) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    vc_put_safe(&safe, vc_str_of(text));
    fprintf(stderr, "%s\n", vc_buffer_text(&safe));
    vc_buffer_release(&safe);
}

vc_str vc_cli_count(vc_arena *arena, uint64_t count)
{
    char text[VC_NUMBER_TEXT];
    size_t size = vc_format_count(text, count);
    return vc_arena_str(arena, (vc_str){.data = text, .size = size});
}

vc_str vc_cli_bytes(vc_arena *arena, uint64_t bytes)
{
    char text[VC_NUMBER_TEXT];
    size_t size = vc_format_bytes(text, bytes);
    return vc_arena_str(arena, (vc_str){.data = text, .size = size});
}

vc_str vc_cli_percent(vc_arena *arena, uint64_t part, uint64_t whole)
{
    if (whole == 0) return VC_STR("-");
    return vc_arena_printf(arena, "%.1f%%", 100 * vc_share_shown((double)part / (double)whole));
}

vc_str vc_cli_safe(vc_arena *arena, vc_str text)
{
    bool is_plain = true;
    for (size_t i = 0; i < text.size; i++)
        is_plain &= text.data[i] >= 0x20 && text.data[i] < 0x7F;
    if (is_plain) return text;
    vc_buffer safe = {0};
    vc_put_safe(&safe, text);
    vc_str copy = vc_arena_str(arena, (vc_str){.data = vc_buffer_text(&safe), .size = safe.size});
    vc_buffer_release(&safe);
    return copy;
}

void vc_cli_put(const char *before, vc_str text)
{
    vc_buffer safe = {0};
    vc_put_safe(&safe, text);
    printf("%s%s", before, vc_buffer_text(&safe));
    vc_buffer_release(&safe);
}

/* Blanks are owed, and paid before the next text: no line ends in blanks. */
static void put_padded(vc_str text, size_t width, bool is_right, size_t *blanks)
{
    bool is_cut = vc_utf8_columns(text) > width;
    if (is_cut) text = vc_utf8_cut(text, width - 1);
    size_t columns = vc_utf8_columns(text) + is_cut;
    size_t padding = columns < width ? width - columns : 0;
    if (is_right) *blanks += padding;
    if (text.size > 0 || is_cut) {
        printf("%*s%.*s%s", (int)*blanks, "", (int)text.size, text.data,
               is_cut ? "\xE2\x80\xA6" : "");
        *blanks = 0;
    }
    *blanks += is_right ? 2 : padding + 2;
}

/* Take from the widest columns of texts until all fit on the terminal; numbers are never cut. */
static void fit_widths(size_t *widths, size_t ncolumns, const bool *is_right)
{
    enum { LEAST = 8, GAP = 2 };
    size_t limit = vc_cli_width(), total = ncolumns == 0 ? 0 : GAP * (ncolumns - 1);
    for (size_t c = 0; c < ncolumns; c++)
        total += widths[c];
    for (; limit > 0 && total > limit; total--) {
        size_t widest = SIZE_MAX;
        for (size_t c = 0; c < ncolumns; c++)
            if (!is_right[c] && widths[c] > LEAST &&
                (widest == SIZE_MAX || widths[c] > widths[widest]))
                widest = c;
        if (widest == SIZE_MAX) return;
        widths[widest]--;
    }
}

void vc_cli_table(const vc_str *texts, size_t nrows, size_t ncolumns, const bool *is_right)
{
    vc_arena arena = {0};
    vc_str *safe = VC_ARENA_NEW(&arena, vc_str, nrows * ncolumns + 1);
    size_t *widths = VC_ARENA_NEW(&arena, size_t, ncolumns + 1);
    bool has_colour = vc_cli_has_colour(stdout);
    for (size_t i = 0; safe != NULL && i < nrows * ncolumns; i++)
        safe[i] = vc_cli_safe(&arena, texts[i]);
    texts = safe;
    if (safe == NULL || widths == NULL) nrows = 0;
    for (size_t row = 0; row < nrows; row++)
        for (size_t column = 0; column < ncolumns; column++) {
            size_t columns = vc_utf8_columns(texts[row * ncolumns + column]);
            if (columns > widths[column]) widths[column] = columns;
        }
    if (nrows > 0) fit_widths(widths, ncolumns, is_right);
    for (size_t row = 0; row < nrows; row++) {
        fputs(row == 0 && has_colour ? "\033[1m" : "", stdout);
        size_t blanks = 0;
        for (size_t column = 0; column < ncolumns; column++)
            put_padded(texts[row * ncolumns + column], widths[column], is_right[column], &blanks);
        fputs(row == 0 && has_colour ? "\033[0m\n" : "\n", stdout);
    }
    vc_arena_release(&arena);
}
