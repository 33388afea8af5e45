/* Workbooks: what is in their parts. (What an office makes of them: tests/reports/xlsx.py.) */
#include "fixtures.h"
#include "making.h"

#include "report/xlsx_parts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/vcube-xlsx-XXXXXX";

static void make_folder(void)
{
    cr_assert(mkdtemp(folder) != NULL);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *files = opendir(folder);
    for (struct dirent *file; (file = readdir(files)) != NULL;)
        count += file->d_name[0] != '.';
    closedir(files);
    return count;
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert(zero(int, system(command)));
}

TestSuite(xlsx, .init = make_folder, .fini = remove_folder, .timeout = 120);

static const char *path_of(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_book(const vc_document *document, const char *name)
{
    vc_error error = {0};
    vc_status status = vc_xlsx_write(document, path_of(name), &error);
    cr_assert(zero(status), "%s", error.message);
}

static void read_stream(FILE *stream, vc_buffer *out)
{
    char block[4096];
    size_t size;
    while ((size = fread(block, 1, sizeof block, stream)) > 0)
        vc_buffer_put(out, block, size);
    vc_buffer_text(out);
}

static void read_book(const char *name, vc_buffer *out)
{
    FILE *file = fopen(path_of(name), "rb");
    cr_assert(file != NULL, "%s", path_of(name));
    read_stream(file, out);
    fclose(file);
}

/* The parts whose names begin so, one behind the other; each must be XML. */
static void read_parts(const char *name, const char *prefix, vc_buffer *out)
{
    static const char *const script =
        "import sys, zipfile, xml.dom.minidom as x\n"
        "z = zipfile.ZipFile(sys.argv[1])\n"
        "assert z.testzip() is None\n"
        "for n in sorted(z.namelist(), key=lambda n: (len(n), n)):\n"
        "    b = z.read(n)\n"
        "    x.parseString(b)\n"
        "    if n.startswith(sys.argv[2]): sys.stdout.buffer.write(b)\n";
    char command[1024];
    snprintf(command, sizeof command, "python3 -c '%s' %s '%s'", script, path_of(name), prefix);
    FILE *tool = popen(command, "r");
    cr_assert(tool != NULL);
    read_stream(tool, out);
    cr_assert(zero(int, pclose(tool)), "%s: a part is no XML", name);
}

static bool has(const vc_buffer *text, const char *what)
{
    return text->size > 0 && memmem(text->data, text->size, what, strlen(what)) != NULL;
}

/* ---- cells ---- */

Test(xlsx, numbers_are_numbers_and_texts_are_no_formulas)
{
    vc_arena arena = {0};
    vc_buffer sheets = {0}, strings = {0};
    write_book(fixture_document("plain", &arena), "plain.xlsx");
    read_parts("plain.xlsx", "xl/worksheets/sheet", &sheets);
    cr_assert(has(&sheets, "<v>65027505</v>"));
    cr_assert(has(&sheets, "<v>2642.6</v>"));
    vc_buffer_clear(&sheets);
    write_book(fixture_document("hard", &arena), "hard.xlsx");
    read_parts("hard.xlsx", "xl/worksheets/sheet", &sheets);
    read_parts("hard.xlsx", "xl/sharedStrings", &strings);
    cr_assert(not(has(&sheets, "<f>")));
    cr_assert(has(&strings, "<t>=1+1</t>"));
    cr_assert(has(&strings, "<t>@cmd|' /C calc'!A0</t>"));
    cr_assert(has(&strings, "&lt;script&gt;"));
    cr_assert(has(&strings, "<t>bell, escape [31m, delete , nothing .</t>"));
    /* More digits than a double has. */
    cr_assert(has(&strings, "<t>-9223372036854775808</t>"));
    cr_assert(has(&strings, "<t>999999999999999.99</t>"));
    cr_assert(has(&sheets, "<v>-0.01</v>"));
    vc_buffer_release(&sheets);
    vc_buffer_release(&strings);
    vc_arena_release(&arena);
}

/* A spreadsheet shows fifteen digits, and zeros for all others. */
Test(xlsx, numbers_that_a_spreadsheet_would_round_are_texts)
{
    vc_arena arena = {0};
    vc_buffer sheets = {0}, strings = {0};
    making made =
        make_grid(&arena, "Digits", (making_size){.nrows = 3, .ncolumns = 3, .nhead_rows = 1});
    make_measure_column(&made, 0, 0, make_measure(&made, "a", NULL, VC_VALUE_INT, 0, "#,##0"));
    make_measure_column(&made, 0, 1,
                        make_measure(&made, "b", NULL, VC_VALUE_DECIMAL, 2, "#,##0.00"));
    make_measure_column(&made, 0, 2, make_measure(&made, "c", NULL, VC_VALUE_DECIMAL, 2, "#,##0"));
    static const int64_t numbers[] = {-999999999999999, 1234567890123456, 1234567890123450};
    for (size_t row = 0; row < 3; row++)
        for (size_t column = 0; column < 3; column++)
            make_integer(&made, row, column, numbers[row]);
    vc_document *document = make_document(&arena, "Digits", NULL);
    make_pivot(&arena, document, "digits", "Digits", make_done(&made));
    write_book(document, "digits.xlsx");
    read_parts("digits.xlsx", "xl/worksheets/sheet", &sheets);
    read_parts("digits.xlsx", "xl/sharedStrings", &strings);
    cr_assert(has(&sheets, "<v>-999999999999999</v>"));
    cr_assert(has(&strings, "<t>1234567890123456</t>"));
    cr_assert(has(&sheets, "<v>1234567890123450</v>"));
    cr_assert(has(&sheets, "<v>-9999999999999.99"));
    cr_assert(has(&strings, "<t>12345678901234.56</t>"));
    cr_assert(has(&sheets, "<v>12345678901234.56</v>"), "whose cents are not to be seen");
    cr_assert(has(&sheets, "<v>12345678901234.5</v>"));
    cr_assert(has(&strings, "2 numbers have more digits than a spreadsheet shows."));
    vc_buffer_release(&sheets);
    vc_buffer_release(&strings);
    vc_arena_release(&arena);
}

Test(xlsx, empty_cells_say_why_and_letters_are_of_the_format)
{
    vc_arena arena = {0};
    vc_buffer comments = {0}, strings = {0}, styles = {0};
    write_book(fixture_document("hard", &arena), "hard.xlsx");
    read_parts("hard.xlsx", "xl/comments", &comments);
    read_parts("hard.xlsx", "xl/sharedStrings", &strings);
    read_parts("hard.xlsx", "xl/styles", &styles);
    for (const char *reason = "euxgdnc"; *reason != '\0'; reason++) {
        char note[128];
        snprintf(note, sizeof note, "Empty, %c: ", *reason);
        cr_assert(has(&comments, vc_document_reason(*reason)), "%c", *reason);
        cr_assert(has(&strings, note), "%c", *reason);
    }
    cr_assert(has(&strings, "Number with r: repeated value: do not add up (1 cell)"));
    cr_assert(has(&styles, "#,##0&quot; r&quot;"), "%s", styles.data);
    vc_buffer_release(&comments);
    vc_buffer_release(&strings);
    vc_buffer_release(&styles);
    vc_arena_release(&arena);
}

/* "_x0041_" is how a workbook writes a character: the text must not become an "A". */
Test(xlsx, what_looks_escaped_is_escaped)
{
    vc_arena arena = {0};
    vc_buffer strings = {0};
    vc_document *document = make_document(&arena, "_x0041_ and _x00zz_ \xEF\xBF\xBF", NULL);
    write_book(document, "a.xlsx");
    read_parts("a.xlsx", "xl/sharedStrings", &strings);
    cr_assert(has(&strings, "<t xml:space=\"preserve\">_x005F_x0041_ and _x00zz_ </t>"), "%s",
              strings.data);
    vc_buffer_release(&strings);
    vc_arena_release(&arena);
}

Test(xlsx, patterns_are_translated)
{
    static const struct {
        const char *pattern, *expected;
        char letter;
    } cases[] = {
        {"#,##0", "#,##0", 0},
        {"#,##0.00 EUR", "#,##0.00\" EUR\"", 0},
        {"€ #,##0.00", "\"€ \"#,##0.00", 0},
        {"0.0%", "0.0%", 0},
        {"0.0 %", "0.0\" \"%", 0},
        {"0%%", "0%\"%\"", 0},
        {"0.0##", "0.0##", 0},
        {"#", "0", 0},
        {"000", "000", 0},
        {"0000,000", "0,000,000", 0},
        {"0 \"x\" [Red];@", NULL, 0},
        {"0 [Red]@\\", "0\" [Red]@\\\"", 0},
        {"\"a\" 0", "\\\"\"a\"\\\"\" \"0", 0},
        {"0.0%", "0.0%\" r\"", 'r'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_result_measure what = {.type = VC_VALUE_FLOAT};
        vc_grid_measure measure = {.measure = &what};
        vc_buffer out = {0};
        measure.has_format = vc_number_format_parse(vc_str_of(cases[i].pattern), &measure.format);
        cr_assert(eq(int, measure.has_format, cases[i].expected != NULL), "%s", cases[i].pattern);
        vc_xlsx_put_pattern(&measure, false, cases[i].letter, &out);
        const char *expected = cases[i].expected != NULL ? cases[i].expected : "General";
        cr_expect(eq(str, (char *)vc_buffer_text(&out), (char *)expected), "%s", cases[i].pattern);
        vc_buffer_release(&out);
    }
}

/* ---- sheets and charts ---- */

Test(xlsx, sheets_have_names_that_every_program_takes)
{
    static const char *const titles[] = {"Report",
                                         "a/b\\c:d*e?f[g]",
                                         "'quoted'",
                                         "History",
                                         "Twin",
                                         "TWIN",
                                         "twin",
                                         "\n\t",
                                         "A title that is much longer than thirty-one characters",
                                         "A title that is much longer than forty characters",
                                         "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"};
    static const char *const names[] = {"\"Report\"",
                                        "\"Report 2\"",
                                        "\"a b c d e f g\"",
                                        "\"’quoted’\"",
                                        "\"History 2\"",
                                        "\"Twin\"",
                                        "\"TWIN 2\"",
                                        "\"twin 3\"",
                                        "\"Section 8\"",
                                        "\"A title that is much longer tha\"",
                                        "\"A title that is much longer t 2\"",
                                        "\"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀\""};
    vc_arena arena = {0};
    vc_buffer book = {0};
    vc_document *document = make_document(&arena, "Names", NULL);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        making made = make_grid(
            &arena, titles[i],
            (making_size){.nrows = 1, .ncolumns = 1, .nhead_columns = 1, .nhead_rows = 1});
        make_measure_column(&made, 0, 0, make_measure(&made, "x", NULL, VC_VALUE_INT, 0, NULL));
        make_row(&made, 0, 0, NULL, "y");
        make_pivot(&arena, document, vc_arena_printf(&arena, "s%zu", i).data, titles[i],
                   make_done(&made));
    }
    write_book(document, "names.xlsx");
    read_parts("names.xlsx", "xl/workbook.xml", &book);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_expect(has(&book, names[i]), "%s: %s", names[i], book.data);
    vc_buffer_release(&book);
    vc_arena_release(&arena);
}

Test(xlsx, charts_refer_to_cells)
{
    static const struct {
        const char *fixture, *element;
    } cases[] = {{"chart-line", "<c:lineChart>"},
                 {"chart-bar", "<c:barDir val=\"col\"/>"},
                 {"chart-ranking", "<c:barDir val=\"bar\"/>"},
                 {"chart-stacked", "<c:grouping val=\"stacked\"/>"},
                 {"chart-scatter", "<c:scatterChart>"},
                 {"chart-log", "<c:logBase val=\"10\"/>"}};
    vc_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_buffer charts = {0};
        write_book(fixture_document(cases[i].fixture, &arena), "chart.xlsx");
        read_parts("chart.xlsx", "xl/charts/chart1", &charts);
        cr_expect(has(&charts, cases[i].element), "%s", cases[i].fixture);
        cr_expect(has(&charts, "'!$B$5"), "%s: %s", cases[i].fixture, charts.data);
        vc_buffer_release(&charts);
    }
    vc_buffer charts = {0};
    write_book(fixture_document("chart-panels", &arena), "chart.xlsx");
    read_parts("chart.xlsx", "xl/charts/chart6", &charts);
    cr_expect(has(&charts, "<c:lineChart>"));
    cr_expect(has(&charts, "<c:max val=\"150\"/>"), "%s", charts.data); /* as in all panels */
    vc_buffer_release(&charts);
    vc_arena_release(&arena);
}

/* A name of a series that begins with "=" is a text. */
Test(xlsx, names_in_charts_are_no_formulas)
{
    vc_arena arena = {0};
    vc_buffer charts = {0};
    vc_document *document = make_document(&arena, "=1+1", "=2");
    making made =
        make_grid(&arena, "=3",
                  (making_size){.nrows = 1, .ncolumns = 2, .nhead_columns = 1, .nhead_rows = 2});
    make_measure(&made, "=4", NULL, VC_VALUE_INT, 0, NULL);
    make_column(&made, 0, 0, NULL, "=5");
    make_column(&made, 1, 0, NULL, "=6");
    make_column(&made, 1, 1, NULL, "=7");
    make_row(&made, 0, 0, NULL, "=8");
    made.corners[0] = VC_STR("=9");
    vc_chart *chart =
        make_chart(&arena, document, "c", "=10", VC_CHART_LINE, make_done(&made), "=11");
    chart->y_title = VC_STR("=12");
    write_book(document, "c.xlsx");
    read_parts("c.xlsx", "xl/charts/chart1", &charts);
    for (const char *at = charts.data; (at = strstr(at, "<c:f>")) != NULL; at += 5)
        cr_assert(zero(int, strncmp(at, "<c:f>'=10'!$", 12)), "%.40s", at);
    cr_assert(has(&charts, "<a:t> =12</a:t>"), "%s", charts.data);
    vc_buffer_release(&charts);
    vc_arena_release(&arena);
}

/* ---- the file ---- */

typedef struct book_task {
    const char *fixture;
    char name[64];
    vc_status status;
} book_task;

static void *run_task(void *context)
{
    book_task *task = context;
    char path[256];
    vc_arena arena = {0};
    snprintf(path, sizeof path, "%s/%s", folder, task->name);
    task->status = vc_xlsx_write(fixture_document(task->fixture, &arena), path, NULL);
    vc_arena_release(&arena);
    return NULL;
}

/* Twice, and in two threads at once; and every part is XML. */
Test(xlsx, same_bytes)
{
    for (size_t i = 0; fixture_names[i] != NULL; i++) {
        vc_arena arena = {0};
        vc_buffer book = {0}, core = {0};
        pthread_t threads[2];
        book_task tasks[2] = {{.fixture = fixture_names[i], .name = "0.xlsx"},
                              {.fixture = fixture_names[i], .name = "1.xlsx"}};
        for (size_t k = 0; k < 2; k++)
            cr_assert(zero(int, pthread_create(&threads[k], NULL, run_task, &tasks[k])));
        write_book(fixture_document(fixture_names[i], &arena), "2.xlsx");
        read_book("2.xlsx", &book);
        for (size_t k = 0; k < 2; k++) {
            vc_buffer other = {0};
            cr_assert(zero(int, pthread_join(threads[k], NULL)));
            cr_assert(zero(tasks[k].status));
            read_book(tasks[k].name, &other);
            cr_assert(eq(sz, other.size, book.size));
            cr_assert(zero(int, memcmp(other.data, book.data, book.size)), "%s", fixture_names[i]);
            vc_buffer_release(&other);
        }
        read_parts("2.xlsx", "docProps/core", &core);
        cr_assert(has(&core, "1980-01-01T00:00:00Z"));
        cr_assert(eq(sz, count_files(), 3));
        vc_buffer_release(&book);
        vc_buffer_release(&core);
        vc_arena_release(&arena);
    }
}

static const vc_document *many_cells(vc_arena *arena, size_t nrows)
{
    enum { COLUMNS = 10 };
    vc_document *document = make_document(arena, "Many", NULL);
    making made = make_grid(
        arena, "Cells",
        (making_size){.nrows = nrows, .ncolumns = COLUMNS, .nhead_columns = 2, .nhead_rows = 1});
    uint32_t measure = make_measure(&made, "Value", NULL, VC_VALUE_INT, 0, "#,##0");
    for (size_t column = 0; column < COLUMNS; column++)
        make_measure_column(&made, 0, column, measure);
    for (size_t row = 0; row < nrows; row++) {
        if (row % 10 == 0) make_row(&made, row, 0, NULL, "Ten rows");
        make_row(&made, row, 1, NULL, vc_arena_printf(arena, "=Row %zu", row).data);
        for (size_t column = 0; column < COLUMNS; column++)
            make_integer(&made, row, column, (int64_t)(row * COLUMNS + column));
    }
    make_pivot(arena, document, "cells", "Cells", make_done(&made));
    return document;
}

Test(xlsx, large_grids_are_written_row_by_row)
{
    enum { ROWS = 6000 };
    vc_arena arena = {0};
    vc_buffer sheet = {0};
    char last[64];
    write_book(many_cells(&arena, ROWS), "many.xlsx");
    read_parts("many.xlsx", "xl/worksheets/sheet2", &sheet);
    snprintf(last, sizeof last, "<v>%d</v>", ROWS * 10 - 1);
    cr_assert(has(&sheet, "<v>10</v>"));
    cr_assert(has(&sheet, last));
    cr_assert(has(&sheet, "<t>=Row 5999</t>"));
    cr_assert(not(has(&sheet, "<f>")));
    cr_assert(eq(sz, count_files(), 1)); /* nothing of what was written on the way */
    vc_buffer_release(&sheet);
    vc_arena_release(&arena);
}

Test(xlsx, says_what_it_cannot_write)
{
    vc_arena arena = {0};
    vc_error error = {0};
    const vc_document *document = fixture_document("one", &arena);
    cr_assert(eq(int, vc_xlsx_write(document, path_of("no/such.xlsx"), &error), VC_STORAGE));
    cr_assert(eq(str, error.file, (char *)path_of("no/such.xlsx")));
    cr_assert(strstr(error.message, "No such file") != NULL, "%s", error.message);
    cr_assert(eq(int, vc_xlsx_write(document, folder, &error), VC_STORAGE));
    vc_arena_release(&arena);
}

/* Files that may not grow, as on a full disk: at whatever size, there is an error and no file. */
Test(xlsx, leaves_nothing_when_the_disk_is_full)
{
    vc_arena arena = {0};
    /* The second is kept in memory: its sheet, when it is written, is larger than the workbook. */
    const vc_document *documents[] = {fixture_document("plain", &arena), many_cells(&arena, 4000),
                                      many_cells(&arena, 6000)};
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < 3; i++) {
        for (size_t size = 1000; size < 2000000; size *= 2) {
            struct rlimit limit = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};
            vc_error error = {0};
            cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
            vc_status status = vc_xlsx_write(documents[i], path_of("full.xlsx"), &error);
            limit.rlim_cur = RLIM_INFINITY;
            cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
            if (status != VC_OK) {
                cr_assert(status == VC_STORAGE || status == VC_DISK_FULL, "%zu", size);
                cr_assert(eq(str, error.file, (char *)path_of("full.xlsx")), "%s", error.message);
                cr_assert(eq(sz, count_files(), 0), "%zu", size);
                continue;
            }
            vc_buffer parts = {0};
            read_parts("full.xlsx", "xl/", &parts);
            vc_buffer_release(&parts);
            unlink(path_of("full.xlsx"));
        }
    }
    vc_arena_release(&arena);
}

/* Parts that lack their ends: a.xlsx.0 has the first one so, and so on. */
Test(xlsx, checks_that_every_part_is_whole)
{
    static const char *const script =
        "import sys, zipfile\n"
        "a = zipfile.ZipFile(sys.argv[1])\n"
        "for i, n in enumerate(a.namelist()):\n"
        "    with zipfile.ZipFile(sys.argv[1] + str(i), \"w\", zipfile.ZIP_DEFLATED) as b:\n"
        "        for m in a.namelist(): b.writestr(m, a.read(m)[:-9 if m == n else None])\n"
        "print(len(a.namelist()))\n";
    vc_arena arena = {0};
    vc_buffer count = {0};
    char command[1024], name[64];
    write_book(fixture_document("plain", &arena), "a.xlsx");
    cr_assert(zero(vc_xlsx_check(path_of("a.xlsx"), NULL)));
    snprintf(command, sizeof command, "python3 -c '%s' %s", script, path_of("a.xlsx"));
    FILE *tool = popen(command, "r");
    read_stream(tool, &count);
    cr_assert(zero(int, pclose(tool)), "%s", command);
    size_t nparts = strtoul(count.data, NULL, 10);
    cr_assert(gt(sz, nparts, 8));
    for (size_t i = 0; i < nparts; i++) {
        vc_error error = {0};
        snprintf(name, sizeof name, "a.xlsx%zu", i);
        cr_assert(eq(int, vc_xlsx_check(path_of(name), &error), VC_DISK_FULL), "%zu", i);
    }
    vc_buffer_release(&count);
    vc_arena_release(&arena);
}
