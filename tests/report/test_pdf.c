/* What people and programs get out of our PDFs, by Poppler's tools. */
#include "fixtures.h"
#include "making.h"
#include "writing.h"

#include "report/writers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_pdf(const vc_document *document, vc_buffer *out)
{
    vc_error error = {0};
    vc_status status = vc_pdf_write(document, vc_render_to_buffer(out), &error);
    cr_assert(zero(status), "%s", error.message);
}

/* The output of a tool on the file. */
static void ask(const char *command, const vc_buffer *pdf, vc_buffer *answer)
{
    char path[] = "/tmp/vcube-pdf-XXXXXX", line[256], block[4096];
    int file = mkstemp(path);
    cr_assert(ge(int, file, 0));
    cr_assert(eq(i64, write(file, pdf->data, pdf->size), (int64_t)pdf->size));
    close(file);
    snprintf(line, sizeof line, command, path);
    FILE *tool = popen(line, "r");
    cr_assert(tool != NULL, "%s", line);
    size_t size;
    while ((size = fread(block, 1, sizeof block, tool)) > 0)
        vc_buffer_put(answer, block, size);
    cr_assert(zero(int, pclose(tool)), "%s (poppler-utils is in tools/packages.txt)", line);
    unlink(path);
    vc_buffer_text(answer);
}

static size_t count_in(const vc_buffer *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text->data; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

static unsigned pages_of(const vc_buffer *pdf)
{
    vc_buffer about = {0};
    ask("pdfinfo %s 2>&1", pdf, &about);
    const char *pages = strstr(about.data, "Pages:");
    cr_assert(pages != NULL, "%s", about.data);
    unsigned count = (unsigned)strtoul(pages + 6, NULL, 10);
    vc_buffer_release(&about);
    return count;
}

/* ---- all words and numbers are in it ---- */

typedef struct word_list {
    const char **items; /* NUL-terminated */
    size_t count;
} word_list;

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Cuts the text at its white space, which is changed. */
static word_list sorted_words(vc_buffer *text)
{
    word_list words = {.items = malloc((text->size + 1) * sizeof *words.items)};
    char *rest = NULL, *white = " \n\r\f\t";
    for (char *word = strtok_r((char *)vc_buffer_text(text), white, &rest); word != NULL;
         word = strtok_r(NULL, white, &rest))
        words.items[words.count++] = word;
    qsort(words.items, words.count, sizeof *words.items, compare_words);
    return words;
}

static void put_word(vc_buffer *out, vc_str text)
{
    vc_buffer_put_str(out, text);
    vc_buffer_put_char(out, ' ');
}

/* Every head, once at least; every number, as often as it is in the grid, with its letter. */
static void put_expected(const vc_grid *grid, vc_buffer *out)
{
    for (size_t i = 0; i < grid->nhead_rows * grid->ncolumns; i++)
        put_word(out, grid->column_heads[i].text);
    for (size_t row = 0; row < grid->nrows; row++) {
        for (size_t i = 0; i < grid->nhead_columns; i++) {
            const vc_grid_head *heads = grid->row_heads + row * grid->nhead_columns;
            bool is_said_before = i > 0 && heads[i].is_total && heads[i - 1].is_total;
            if (!is_said_before) put_word(out, heads[i].text);
        }
        for (size_t column = 0; column < grid->ncolumns; column++) {
            const vc_cell *cell = vc_grid_cell(grid, row, column);
            vc_grid_put_text(grid, row, column, out);
            vc_buffer_put_char(out, ' ');
            if (cell->reason != VC_REASON_NONE) vc_buffer_printf(out, "%c ", cell->reason);
        }
    }
}

static void put_words_of(const vc_document *document, vc_buffer *out)
{
    put_word(out, document->title);
    for (size_t i = 0; i < document->nsections; i++) {
        const vc_section *section = &document->sections[i];
        put_word(out, section->title);
        put_word(out, section->failure);
        for (size_t k = 0; k < section->nparagraphs; k++)
            put_word(out, section->paragraphs[k]);
        if (section->kind == VC_SECTION_PIVOT) put_expected(section->grid, out);
    }
}

static void assert_has_all(const char *name, vc_buffer *expected, vc_buffer *text)
{
    word_list needed = sorted_words(expected), there = sorted_words(text);
    size_t at = 0;
    for (size_t i = 0; i < needed.count; i++) {
        while (at < there.count && strcmp(there.items[at], needed.items[i]) < 0)
            at++;
        cr_assert(at < there.count && strcmp(there.items[at], needed.items[i]) == 0,
                  "%s: '%s' is not in it, or not as often as in the document", name,
                  needed.items[i]);
        at++;
    }
    free(needed.items);
    free(there.items);
}

TestSuite(pdf, .timeout = 120);

Test(pdf, has_every_word_and_number)
{
    static const char *const names[] = {"plain", "one", "none", "long", "wide", "failed"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        vc_arena arena = {0};
        vc_buffer pdf = {0}, text = {0}, expected = {0};
        const vc_document *document = fixture_document(names[i], &arena);
        write_pdf(document, &pdf);
        ask("pdftotext -raw %s -", &pdf, &text);
        put_words_of(document, &expected);
        assert_has_all(names[i], &expected, &text);
        vc_buffer_release(&pdf);
        vc_buffer_release(&text);
        vc_buffer_release(&expected);
        vc_arena_release(&arena);
    }
}

Test(pdf, has_texts_of_strangers)
{
    static const char *const texts[] = {"الإمارات",
                                        "ישראל",
                                        "Российская Федерация",
                                        "日本国",
                                        "대한민국",
                                        "भारत",
                                        "t Nam",
                                        "<script>alert(1)</script>",
                                        "=1+1",
                                        "two lines and three",
                                        "left right isolate",
                                        "bell, escape [31m, delete , nothing .",
                                        "(300 characters)",
                                        "-9,223,372,036,854,775,808",
                                        "9,223,372,036,854,775,807",
                                        "2.2250738585072014e-308",
                                        "5e-324",
                                        "1e+300"};
    vc_arena arena = {0};
    vc_buffer pdf = {0}, text = {0};
    write_pdf(fixture_document("hard", &arena), &pdf);
    ask("pdftotext -layout %s -", &pdf, &text);
    /* Poppler writes the two characters of the ligature lam-alef in their visual order. */
    for (size_t i = 1; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert(strstr(text.data, texts[i]) != NULL, "'%s' is not in %s", texts[i], text.data);
    cr_assert(strstr(text.data, "العربية المتحدة") != NULL, "%s", text.data);
    vc_buffer_release(&pdf);
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

/* ---- pages ---- */

Test(pdf, repeats_heads_and_numbers_pages)
{
    vc_arena arena = {0};
    vc_buffer pdf = {0}, text = {0};
    char last[32];
    write_pdf(fixture_document("long", &arena), &pdf);
    unsigned npages = pages_of(&pdf);
    cr_assert(gt(uint, npages, 100));
    ask("pdftotext -layout %s -", &pdf, &text);
    /* The last page has the second table, too, whose head it is as well. */
    cr_assert(ge(sz, count_in(&text, "Area (km²)"), npages - 1));
    cr_assert(ge(sz, count_in(&text, "All cities (continued)"), npages - 2));
    snprintf(last, sizeof last, "%u / %u", npages, npages);
    cr_assert(eq(sz, count_in(&text, last), 1));
    cr_assert(strstr(text.data, "The first 3 of 10,000 rows.") != NULL);
    vc_buffer_release(&pdf);
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

Test(pdf, says_heads_again_that_go_on_from_the_page_before)
{
    enum { ROWS = 150 };
    vc_arena arena = {0};
    vc_buffer pdf = {0}, text = {0};
    vc_document *document = make_document(&arena, "Spans", NULL);
    making made =
        make_grid(&arena, "One region",
                  (making_size){.nrows = ROWS, .ncolumns = 1, .nhead_columns = 2, .nhead_rows = 1});
    made.corners[0] = VC_STR("Region");
    made.corners[1] = VC_STR("Town");
    make_measure_column(&made, 0, 0, make_measure(&made, "People", NULL, VC_VALUE_INT, 0, NULL));
    for (size_t row = 0; row < ROWS; row++) {
        if (row == 0) make_row(&made, row, 0, "n", "Northland");
        make_row(&made, row, 1, NULL, vc_arena_printf(&arena, "Town %zu", row).data);
        make_integer(&made, row, 0, (int64_t)row);
    }
    make_pivot(&arena, document, "towns", "Towns", make_done(&made));
    write_pdf(document, &pdf);
    ask("pdftotext -raw %s -", &pdf, &text);
    unsigned npages = pages_of(&pdf);
    cr_assert(ge(uint, npages, 3));
    cr_assert(eq(sz, count_in(&text, "Northland"), npages));
    cr_assert(eq(sz, count_in(&text, "(continued)"), 2 * (npages - 1))); /* title and head */
    vc_buffer_release(&pdf);
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

Test(pdf, turns_pages_for_wide_grids_and_splits_them)
{
    vc_arena arena = {0};
    vc_buffer pdf = {0}, about = {0}, text = {0};
    write_pdf(fixture_document("wide", &arena), &pdf);
    ask("pdfinfo -l -1 %s", &pdf, &about);
    cr_assert(eq(sz, count_in(&about, "841.89 x 595.28"), pages_of(&pdf)), "%s", about.data);
    ask("pdftotext -raw %s -", &pdf, &text);
    size_t npanels = count_in(&text, " of 300");
    cr_assert(gt(sz, npanels, 10));
    cr_assert(eq(sz, count_in(&text, "Brazil"), npanels)); /* row heads in each */
    cr_assert(eq(sz, count_in(&text, "Country"), npanels));
    vc_buffer_release(&pdf);
    vc_buffer_release(&about);
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

/* Simple letters and others are set in two ways. */
Test(pdf, long_paragraphs_go_on_without_a_loss)
{
    enum { WORDS = 3000 };
    static const char *const forms[] = {"word%d ", "слово%d ", "كلمة%d "};
    vc_arena arena = {0};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        vc_buffer pdf = {0}, text = {0}, all = {0};
        for (int k = 0; k < WORDS; k++) {
            char word[64];
            snprintf(word, sizeof word, forms[i], 10000 + k);
            vc_buffer_put_text(&all, word);
        }
        const char *paragraph = vc_buffer_text(&all);
        vc_document *document = make_document(&arena, "Long", NULL);
        vc_section *section = make_section(&arena, document, VC_SECTION_TEXT, "a", "A");
        section->paragraphs = make_texts(&arena, &paragraph, 1);
        section->nparagraphs = 1;
        write_pdf(document, &pdf);
        cr_assert(ge(uint, pages_of(&pdf), 3));
        ask("pdftotext -raw %s -", &pdf, &text);
        for (int k = 0; k < WORDS; k++) {
            char number[16];
            snprintf(number, sizeof number, "%d", 10000 + k);
            cr_assert(strstr(text.data, number) != NULL, "%s%s is lost", forms[i], number);
        }
        cr_assert(strstr(text.data, "…") == NULL);
        vc_buffer_release(&pdf);
        vc_buffer_release(&text);
        vc_buffer_release(&all);
    }
    vc_arena_release(&arena);
}

/* ---- the file ---- */

Test(pdf, says_what_it_is)
{
    static const char *const facts[] = {"Four countries",
                                        "2010 and 2020",
                                        "Tagged:          yes",
                                        "CreationDate:    Tue Jan  1 00:00:00 1980",
                                        "ModDate:         Tue Jan  1 00:00:00 1980",
                                        "595.28 x 841.89 pts (A4)"};
    static const char *const tags[] = {"H1", "H2", "Table", "TR", "TH", "TD", "Figure", "Caption"};
    vc_arena arena = {0};
    vc_buffer pdf = {0}, about = {0}, structure = {0};
    write_pdf(fixture_document("plain", &arena), &pdf);
    ask("TZ=UTC pdfinfo %s 2>&1", &pdf, &about);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        cr_assert(strstr(about.data, facts[i]) != NULL, "%s: %s", facts[i], about.data);
    ask("pdfinfo -struct-text %s 2>/dev/null", &pdf, &structure);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        cr_assert(strstr(structure.data, tags[i]) != NULL, "%s: %s", tags[i], structure.data);
    cr_assert(memmem(pdf.data, pdf.size, "/Lang (en)", 10) != NULL);
    cr_assert(memmem(pdf.data, pdf.size, "/Outlines", 9) != NULL);
    vc_buffer_release(&pdf);
    vc_buffer_release(&about);
    vc_buffer_release(&structure);
    vc_arena_release(&arena);
}

/* What we put into the catalogue moves the table behind it. */
Test(pdf, points_to_its_table)
{
    for (size_t i = 0; fixture_names[i] != NULL; i++) {
        vc_arena arena = {0};
        vc_buffer pdf = {0};
        write_pdf(fixture_document(fixture_names[i], &arena), &pdf);
        const char *text = vc_buffer_text(&pdf);
        const char *place = memmem(text + pdf.size - 64, 64, "startxref\n", 10);
        cr_assert(place != NULL, "%s", fixture_names[i]);
        size_t at = strtoul(place + 10, NULL, 10);
        cr_assert(at + 5 < pdf.size && memcmp(text + at, "xref\n", 5) == 0, "%s: %zu",
                  fixture_names[i], at);
        cr_assert(eq(str, (char *)text + pdf.size - 6, "%%EOF\n"));
        vc_buffer_release(&pdf);
        vc_arena_release(&arena);
    }
}

/* A title that looks like the catalogue, one that has the end of a text in it; and a language that
 * is none. */
Test(pdf, is_not_broken_by_its_title)
{
    static const char *const titles[] = {"9 0 obj\n<< /Type /Catalog\n/X", ")) >> endobj (\\",
                                         "\x01\n\r\t", ""};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        vc_arena arena = {0};
        vc_buffer pdf = {0}, about = {0};
        vc_document *document = make_document(&arena, titles[i], titles[i]);
        document->language = VC_STR(") /X (");
        make_section(&arena, document, VC_SECTION_TEXT, "a", titles[i]);
        write_pdf(document, &pdf);
        ask("pdfinfo %s 2>&1", &pdf, &about);
        cr_assert(strstr(about.data, "Pages:           1") != NULL, "%s", about.data);
        cr_assert(strstr(about.data, "rror") == NULL, "%s", about.data);
        cr_assert(memmem(pdf.data, pdf.size, "/Lang", 5) == NULL);
        cr_assert(memmem(pdf.data, pdf.size, "/Marked true", 12) != NULL);
        vc_buffer_release(&pdf);
        vc_buffer_release(&about);
        vc_arena_release(&arena);
    }
}

ParameterizedTestParameters(pdf, same_bytes)
{
    static char names[64][24];
    size_t count = 0;
    for (; fixture_names[count] != NULL; count++)
        snprintf(names[count], sizeof names[count], "%s", fixture_names[count]);
    return cr_make_param_array(char[24], names, count);
}

typedef struct writing_task {
    const char *name;
    vc_buffer pdf;
    vc_status status;
} writing_task;

static void *run_task(void *context)
{
    writing_task *task = context;
    vc_arena arena = {0};
    const vc_document *document = fixture_document(task->name, &arena);
    /* Another document before it: what a thread keeps must not show. */
    vc_buffer other = {0};
    task->status =
        vc_pdf_write(fixture_document("plain", &arena), vc_render_to_buffer(&other), NULL);
    if (task->status == VC_OK)
        task->status = vc_pdf_write(document, vc_render_to_buffer(&task->pdf), NULL);
    vc_buffer_release(&other);
    vc_arena_release(&arena);
    return NULL;
}

/* Twice, and in two threads at once. */
ParameterizedTest(char (*name)[24], pdf, same_bytes)
{
    vc_arena arena = {0};
    vc_buffer pdf = {0};
    pthread_t threads[2];
    writing_task tasks[2] = {{.name = *name}, {.name = *name}};
    for (size_t i = 0; i < 2; i++)
        cr_assert(zero(int, pthread_create(&threads[i], NULL, run_task, &tasks[i])));
    write_pdf(fixture_document(*name, &arena), &pdf);
    for (size_t i = 0; i < 2; i++) {
        cr_assert(zero(int, pthread_join(threads[i], NULL)));
        cr_assert(zero(tasks[i].status));
        cr_assert(eq(sz, tasks[i].pdf.size, pdf.size));
        cr_assert(zero(int, memcmp(tasks[i].pdf.data, pdf.data, pdf.size)), "%s", *name);
        vc_buffer_release(&tasks[i].pdf);
    }
    vc_buffer_release(&pdf);
    vc_arena_release(&arena);
}

Test(pdf, ends_where_its_sink_fails)
{
    vc_arena arena = {0};
    const vc_document *document = fixture_document("long", &arena);
    counting all = {0};
    cr_assert(zero(vc_pdf_write(document, count_blocks(&all), NULL)));
    cr_assert(gt(sz, all.nblocks, 5));
    for (size_t at = 1; at <= all.nblocks; at++) {
        vc_error error = {0};
        counting counts = {.fails_at = at};
        cr_assert(eq(int, vc_pdf_write(document, count_blocks(&counts), &error), VC_STORAGE));
        cr_assert(eq(sz, counts.nblocks, at));
        cr_assert(strstr(error.message, "block") != NULL, "%s", error.message);
    }
    vc_arena_release(&arena);
}
