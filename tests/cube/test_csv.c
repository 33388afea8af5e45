#include "cube/csv.h"

#include "base/buffer.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading a text and writing down what came out ---- */

/* A source that hands out small pieces of random size, and fails after `bytes_until_failure`. */
struct feed {
    vc_str text;
    size_t used;
    size_t bytes_until_failure;
    size_t piece_max;
    uint64_t random;
};

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static vc_status read_feed(void *context, char *data, size_t capacity, size_t *size_out,
                           vc_error *error)
{
    struct feed *feed = context;
    if (feed->used >= feed->bytes_until_failure)
        return vc_fail(error, VC_STORAGE, "file_read", "the disk is on fire");
    size_t size = 1 + next_random(&feed->random) % feed->piece_max;
    size = min_size(min_size(size, capacity), feed->text.size - feed->used);
    memcpy(data, feed->text.data + feed->used, size);
    feed->used += size;
    *size_out = size;
    return VC_OK;
}

/* The record with its line ends and other odd bytes readable. */
static void put_visible(vc_buffer *log, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '\n')
            vc_buffer_put_text(log, "\\n");
        else if (byte == '\r')
            vc_buffer_put_text(log, "\\r");
        else if (byte < 0x20 || byte > 0x7E)
            vc_buffer_printf(log, "\\x%02X", byte);
        else
            vc_buffer_put_char(log, (char)byte);
    }
}

static void put_reject(vc_buffer *log, uint64_t line, const char *code, unsigned error_line,
                       unsigned error_column, vc_str record)
{
    vc_buffer_printf(log, "%u !%s %u:%u ", (unsigned)line, code, error_line, error_column);
    put_visible(log, record);
    vc_buffer_put_char(log, '\n');
}

static void put_field(vc_buffer *log, unsigned line, unsigned column, vc_str text)
{
    vc_buffer_printf(log, " %u:%u=", line, column);
    if (vc_str_is_null(text))
        vc_buffer_put_text(log, "null");
    else
        put_visible(log, text);
}

static void read_rows(vc_csv *csv, vc_buffer *log)
{
    for (;;) {
        vc_csv_row row;
        vc_error error = {0};
        vc_csv_event event = vc_csv_next(csv, &row, &error);
        if (event == VC_CSV_ROW) {
            vc_buffer_printf(log, "%u", (unsigned)row.line);
            for (size_t i = 0; i < row.nfields; i++) {
                vc_csv_error_at(csv, &row, i, &error);
                put_field(log, error.line, error.column, row.fields[i]);
            }
            vc_buffer_put_char(log, '\n');
        } else if (event == VC_CSV_REJECT) {
            cr_assert_eq(error.status, VC_BAD_INPUT);
            cr_assert_str_eq(error.file, "test.csv");
            put_reject(log, row.line, error.code, error.line, error.column, row.record);
        } else {
            vc_buffer_put_text(log, event == VC_CSV_END ? "end\n" : "failed\n");
            cr_assert_eq(vc_csv_next(csv, &row, &error), event); /* and it stays so */
            return;
        }
    }
}

/* The same through blocks; now and then a row is read a second time. */
static void read_blocks(vc_csv *csv, size_t block_bytes, vc_buffer *log)
{
    vc_csv *fork, *again;
    vc_csv_block block = {0};
    vc_csv_row row;
    vc_error error = {0};
    uint64_t line = vc_csv_line(csv);
    vc_buffer twice = {0};
    cr_assert_eq(vc_csv_fork(csv, &fork, &error), VC_OK);
    cr_assert_eq(vc_csv_fork(csv, &again, &error), VC_OK);
    for (;;) {
        bool was_last = block.is_last;
        if (vc_csv_next_block(csv, block_bytes, &block, &error) != VC_OK) {
            vc_buffer_put_text(log, "failed\n");
            cr_assert_neq(vc_csv_next_block(csv, block_bytes, &block, &error), VC_OK);
            break;
        }
        if (block.first == block.end) {
            vc_buffer_put_text(log, "end\n");
            break;
        }
        cr_assert_not(was_last);
        line += block.nlines_before;
        vc_csv_read_block(fork, &block, line);
        size_t size = log->size;
        read_rows(fork, log);
        log->size -= 4; /* "end\n" */
        /* Going to each of its records gives the same. */
        vc_buffer_clear(&twice);
        vc_csv_read_block(fork, &block, 0);
        while (vc_csv_next(fork, &row, &error) <= VC_CSV_REJECT) {
            vc_csv_read_at(again, &block, vc_csv_row_offset(fork), line + row.line);
            vc_csv_event event = vc_csv_next(again, &row, &error);
            cr_assert(event <= VC_CSV_REJECT);
            if (event == VC_CSV_REJECT) {
                put_reject(&twice, row.line, error.code, error.line, error.column, row.record);
                continue;
            }
            vc_buffer_printf(&twice, "%u", (unsigned)row.line);
            for (size_t i = 0; i < row.nfields; i++) {
                vc_csv_error_at(again, &row, i, &error);
                put_field(&twice, error.line, error.column, row.fields[i]);
            }
            vc_buffer_put_char(&twice, '\n');
        }
        cr_assert_eq(twice.size, log->size - size);
        cr_assert(twice.size == 0 || memcmp(twice.data, log->data + size, twice.size) == 0);
        line += vc_csv_line(fork);
    }
    vc_buffer_release(&twice);
    vc_csv_block_release(&block);
    vc_csv_close(fork);
    vc_csv_close(again);
}

/* Everything that reading the feed gives, as text.
 * block_bytes  0: row by row */
static void read_feed_in(struct feed *feed, const vc_csv_options *options, size_t block_bytes,
                         vc_buffer *log)
{
    vc_error error = {0};
    vc_input *input;
    vc_csv *csv;
    cr_assert_eq(vc_input_open_source(read_feed, feed, feed->text.size, "test.csv", &input, &error),
                 VC_OK);
    vc_status status = vc_csv_open(input, options, &csv, &error);
    if (status == VC_OK) {
        if (block_bytes == 0)
            read_rows(csv, log);
        else
            read_blocks(csv, block_bytes, log);
        vc_csv_close(csv);
    } else {
        vc_buffer_printf(log, "open: %s %u:%u\n", error.code, error.line, error.column);
    }
    vc_input_close(input);
}

static void read_feed_csv(struct feed *feed, const vc_csv_options *options, vc_buffer *log)
{
    read_feed_in(feed, options, 0, log);
}

static void read_text_csv(vc_str text, const vc_csv_options *options, vc_buffer *log)
{
    struct feed feed = {.text = text, .bytes_until_failure = SIZE_MAX, .piece_max = 1 << 16};
    read_feed_csv(&feed, options, log);
}

/* ---- the rules, one by one ---- */

struct rule_case {
    char text[96];
    char expected[256];
};

ParameterizedTestParameters(csv, rules)
{
    static struct rule_case cases[] = {
        {"a,b\n1,2\n3,4\n", "2 2:1=1 2:3=2\n3 3:1=3 3:3=4\nend\n"},
        {"a,b\r\n1,2\r\n3,4", "2 2:1=1 2:3=2\n3 3:1=3 3:3=4\nend\n"}, /* CRLF; no last line end */
        {"a,b\n1,2\r", "2 2:1=1 2:3=2\nend\n"},                       /* half of the last one */
        {"a,b\n\"1\",\"2\"\r", "2 2:1=1 2:5=2\nend\n"},
        {"a,b\n", "end\n"},
        {"a,b", "end\n"},
        {"\xEF\xBB\xBF"
         "a,b\n1,2\n",
         "2 2:1=1 2:3=2\nend\n"},                       /* byte order mark */
        {"a,b\n\n1,2\n\r\n\n", "3 3:1=1 3:3=2\nend\n"}, /* empty lines */
        {"\n\r\na,b\n1,2\n", "4 4:1=1 4:3=2\nend\n"},   /* before the header */
        {"a\n1\n\n\r\n2\n", "2 2:1=1\n3 3:1=null\n4 4:1=null\n5 5:1=2\nend\n"}, /* one column */
        {"a,b\n,\n \"\",\"\"\n\"\",\n", /* both empty texts are null; a space before a quote */
         "2 2:1=null 2:2=null\n3 3:1= \"\" 3:5=null\n4 4:1=null 4:4=null\nend\n"},
        {"a,b\n\"x,y\",\"p\nq\"\nz,\n", "2 2:1=x,y 2:7=p\\nq\n4 4:1=z 4:3=null\nend\n"},
        {"a,b\n\"\n\",1\n", "2 2:1=\\n 3:3=1\nend\n"}, /* the second field is on the next line */
        {"a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n", "2 2:1=say \"hi\" 2:14=\"\nend\n"},
        {"a,b\n5\" pipe,6\"\n", "2 2:1=5\" pipe 2:9=6\"\nend\n"}, /* a quote inside is text */
        {"a,b\n1\r2,3\n", "2 2:1=1\\r2 2:5=3\nend\n"},            /* a lone CR is text */
        {"a,b\nNA,NULL\n", "2 2:1=NA 2:4=NULL\nend\n"},           /* Namibia stays */
        {"a,b\n1\n2,3\n", "2 !csv_fields 2:2 1\n3 3:1=2 3:3=3\nend\n"},
        {"a,b\n1,2,3,4\n5,6\n", "2 !csv_fields 2:5 1,2,3,4\n3 3:1=5 3:3=6\nend\n"},
        {"a,b\n1,2,\"3\"\n", "2 !csv_fields 2:5 1,2,\"3\"\nend\n"},
        {"a,b\n\"\"\n1,2\n", "2 !csv_fields 2:3 \"\"\n3 3:1=1 3:3=2\nend\n"}, /* no empty line */
        {"a,b\n \n1,2\n", "2 !csv_fields 2:2  \n3 3:1=1 3:3=2\nend\n"},
        {"a,b\n\"x\"y,1\n2,3\n", "2 !csv_quote 2:4 \"x\"y,1\n3 3:1=2 3:3=3\nend\n"},
        {"a,b\n\"x\"\ry,1\n2,3\n", "2 !csv_quote 2:4 \"x\"\\ry,1\n3 3:1=2 3:3=3\nend\n"},
        {"a,b\n1,\"p\nq\"r\"\n2,3\r\n", /* the faulty row ends with its line, quotes or not */
         "2 !csv_quote 3:3 1,\"p\\nq\"r\"\n4 4:1=2 4:3=3\nend\n"},
        {"a,b\n1,\"x\r\n2,3\n", /* the rows behind are not lost */
         "2 !csv_unclosed_quote 2:3 1,\"x\n3 3:1=2 3:3=3\nend\n"},
        {"a,b\n\"1\n\",\"x\n2,3\n", "2 !csv_unclosed_quote 3:3 \"1\\n\",\"x\n4 4:1=2 4:3=3\nend\n"},
        {"a,b\n1,\"x", "2 !csv_unclosed_quote 2:3 1,\"x\nend\n"},
        {"a,b\n1,caf\xE9\n2,caf\xC3\xA9\n",
         "2 !csv_encoding 2:6 1,caf\\xE9\n3 3:1=2 3:3=caf\\xC3\\xA9\nend\n"},
        {"a,b\n1,\"\n\xC0\x80\"\n2,3\n",
         "2 !csv_encoding 3:1 1,\"\\n\\xC0\\x80\"\n4 4:1=2 4:3=3\nend\n"},
        {"", "open: csv_empty 0:0\n"},
        {"\xEF\xBB\xBF\r\n\n", "open: csv_empty 0:0\n"},
        {"a,b,a\n", "open: csv_header 1:5\n"},
        {"a,\n1,2\n", "2 2:1=1 2:3=2\nend\n"}, /* a column without a name */
        {",\"\"\n1,2\n", "open: csv_header 1:0\n"},
        {"a,b\r1,2\r3,4\r", "open: csv_header 1:3\n"}, /* line ends of another age */
        {"a,\"b\n1,2\n", "open: csv_unclosed_quote 1:3\n"},
        {"a,\"b\"c\n1,2\n", "open: csv_quote 1:6\n"},
        {"a,b\xFF\n1,2\n", "open: csv_encoding 1:4\n"},
    };
    return cr_make_param_array(struct rule_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct rule_case *c, csv, rules)
{
    vc_csv_options options;
    vc_buffer log = {0};
    vc_csv_options_init(&options);
    read_text_csv(vc_str_of(c->text), &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), c->expected, "of '%s':\n%s", c->text,
                     vc_buffer_text(&log));
    vc_buffer_release(&log);
}

Test(csv, nul_byte_rejects_its_row_only)
{
    vc_csv_options options;
    vc_buffer log = {0};
    vc_csv_options_init(&options);
    read_text_csv(VC_STR("a,b\n1,\0\n3,4\n"), &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), "2 !csv_nul 2:3 1,\\x00\n3 3:1=3 3:3=4\nend\n");
    vc_buffer_release(&log);
}

Test(csv, options_change_the_marks_and_the_nulls)
{
    static const vc_str nulls[] = {{"NA", 2}, {"-", 1}};
    vc_csv_options options;
    vc_buffer log = {0};
    vc_csv_options_init(&options);
    options.delimiter = '\t';
    options.quote = '\'';
    options.nulls = nulls;
    options.nnulls = 2;
    read_text_csv(VC_STR("a\tb\nNA\t\n'-'\t'it''s, \"so\"'\n"), &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), "2 2:1=null 2:4=\n3 3:1=null 3:5=it's, \"so\"\nend\n");
    vc_buffer_release(&log);
}

Test(csv, nulls_may_be_long_or_none)
{
    static char long_text[80];
    memset(long_text, 'x', sizeof long_text);
    vc_str nulls[] = {{long_text, 70}};
    vc_csv_options options;
    vc_buffer text = {0}, log = {0};
    vc_csv_options_init(&options);
    options.nulls = nulls;
    options.nnulls = 1;
    vc_buffer_printf(&text, "a,b\n%.70s,%.3s\n", long_text, long_text);
    read_text_csv((vc_str){text.data, text.size}, &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), "2 2:1=null 2:72=xxx\nend\n");
    vc_buffer_clear(&log);
    options.nnulls = 0;
    read_text_csv(VC_STR("a,b\n,1\n"), &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), "2 2:1= 2:2=1\nend\n");
    vc_buffer_release(&text);
    vc_buffer_release(&log);
}

Test(csv, without_a_header_the_columns_are_numbered_or_named)
{
    static const vc_str names[] = {{"x", 1}, {"y", 1}, {"z", 1}};
    vc_csv_options options;
    vc_buffer log = {0};
    vc_csv_options_init(&options);
    options.has_header = false;
    read_text_csv(VC_STR("1,2\n3,4\n"), &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), "1 1:1=1 1:3=2\n2 2:1=3 2:3=4\nend\n");
    vc_buffer_clear(&log);
    read_text_csv(VC_STR("\n"), &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), "open: csv_empty 0:0\n");
    vc_buffer_clear(&log);
    options.columns = names;
    options.ncolumns = 3;
    read_text_csv(VC_STR("1,2\n3,4,5\n"), &options, &log);
    cr_expect_str_eq(vc_buffer_text(&log), "1 !csv_fields 1:4 1,2\n2 2:1=3 2:3=4 2:5=5\nend\n");
    vc_buffer_clear(&log);
    read_text_csv(VC_STR(""), &options, &log); /* an empty file is no rows */
    cr_expect_str_eq(vc_buffer_text(&log), "end\n");
    vc_buffer_release(&log);
}

Test(csv, contradictory_options_are_refused)
{
    static const struct {
        char delimiter, quote, decimal;
    } bad[] = {{'"', '"', '.'}, {'\n', '"', '.'}, {0, '"', '.'},          {',', '\r', '.'},
               {',', 0, '.'},   {',', '"', ';'},  {(char)0xA7, '"', '.'}, {',', (char)0xAB, '.'}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        vc_csv_options options;
        vc_buffer log = {0};
        vc_csv_options_init(&options);
        options.delimiter = bad[i].delimiter;
        options.quote = bad[i].quote;
        options.decimal = bad[i].decimal;
        read_text_csv(VC_STR("a,b\n"), &options, &log);
        cr_expect_str_eq(vc_buffer_text(&log), "open: csv_option 0:0\n", "case %zu", i);
        vc_buffer_release(&log);
    }
}

/* ---- columns ---- */

static vc_csv *open_text(vc_str text, vc_input **input_out)
{
    vc_error error = {0};
    vc_csv_options options;
    vc_csv *csv = NULL;
    vc_csv_options_init(&options);
    cr_assert_eq(vc_input_open_memory(text, "test.csv", input_out, &error), VC_OK);
    cr_assert_eq(vc_csv_open(*input_out, &options, &csv, &error), VC_OK, "%s", error.message);
    return csv;
}

Test(csv, columns_are_found_by_name)
{
    vc_error error = {0};
    vc_input *input;
    size_t column = 99;
    vc_csv *csv = open_text(VC_STR("country,\"the \"\"pop\"\"\",,\n"), &input);
    cr_assert_eq(vc_csv_ncolumns(csv), 4);
    cr_assert(vc_str_is(vc_csv_column_name(csv, 1), "the \"pop\""));
    cr_assert(vc_str_is(vc_csv_column_name(csv, 3), ""));
    cr_assert_eq(vc_csv_find_column(csv, VC_STR("the \"pop\""), &column, &error), VC_OK);
    cr_assert_eq(column, 1);
    cr_assert_eq(vc_csv_find_column(csv, VC_STR("contry"), &column, &error), VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_column");
    cr_assert_str_eq(error.file, "test.csv");
    cr_assert_eq(error.ncandidates, 1);
    cr_assert_str_eq(error.candidates[0], "country");
    cr_assert_eq(vc_csv_find_column(csv, VC_STR(""), &column, &error), VC_NOT_FOUND);
    vc_csv_close(csv);
    vc_input_close(input);
}

Test(csv, a_missing_column_hints_at_the_delimiter)
{
    vc_error error = {0};
    vc_input *input;
    size_t column;
    vc_csv *csv = open_text(VC_STR("country;population\nFR;68\n"), &input);
    cr_assert_eq(vc_csv_find_column(csv, VC_STR("country"), &column, &error), VC_NOT_FOUND);
    cr_assert(strstr(error.message, "is the delimiter ';'?") != NULL, "%s", error.message);
    vc_csv_close(csv);
    vc_input_close(input);
}

Test(csv, messages_say_what_was_found_and_expected)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a,b\n1\n", "the row has 1 field, expected 2"},
        {"a,b\n1,2,3\n", "the row has 3 fields, expected 2"},
        {"a,b\n\"x\"y,1\n", "'y' behind a closing quote, expected ',' or the end of the line; a "
                            "quote inside a quoted field is written twice"},
        {"a,b\n\"x\" ,1\n", "0x20 behind a closing quote, expected ',' or the end of the line; a "
                            "quote inside a quoted field is written twice"},
        {"a,b\n1,\xE9\n", "byte 0xE9 is not valid UTF-8; is the \"encoding\" of the file "
                          "windows-1252 or latin1?"},
        {"a,b\n1,\"\n", "a quoted field begins here and is not closed before the end of the file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_error error = {0};
        vc_input *input;
        vc_csv_row row;
        vc_csv *csv = open_text(vc_str_of(cases[i].text), &input);
        cr_expect_eq(vc_csv_next(csv, &row, &error), VC_CSV_REJECT);
        cr_expect_str_eq(error.message, cases[i].message);
        vc_csv_close(csv);
        vc_input_close(input);
    }
}

/* ---- limits ---- */

static void put_many(vc_buffer *text, char byte, size_t count)
{
    vc_buffer_reserve(text, count);
    for (size_t i = 0; i < count; i++)
        vc_buffer_put_char(text, byte);
}

static vc_csv_event next_event(vc_csv *csv, vc_csv_row *row, vc_error *error)
{
    *error = (vc_error){0};
    return vc_csv_next(csv, row, error);
}

Test(csv, a_field_of_one_mebibyte_is_the_longest)
{
    vc_buffer text = {0};
    vc_buffer_put_text(&text, "a,b\n");
    put_many(&text, 'x', VC_CSV_FIELD_BYTES_MAX);
    vc_buffer_put_text(&text, ",1\n2,\"");
    for (size_t i = 0; i <= VC_CSV_FIELD_BYTES_MAX / 2; i++)
        vc_buffer_put_text(&text, "\xC3\xA9");
    vc_buffer_put_text(&text, "\"\n3,4\n");
    vc_input *input;
    vc_csv *csv = open_text((vc_str){text.data, text.size}, &input);
    vc_csv_row row;
    vc_error error;
    cr_assert_eq(next_event(csv, &row, &error), VC_CSV_ROW);
    cr_assert_eq(row.fields[0].size, VC_CSV_FIELD_BYTES_MAX);
    cr_assert_eq(next_event(csv, &row, &error), VC_CSV_REJECT);
    cr_assert_str_eq(error.code, "csv_field_too_long");
    cr_assert_eq(error.line, 3);
    cr_assert_eq(error.column, 3);
    /* Only its beginning is kept for the rejects: 1000 bytes, less half a character. */
    cr_assert_eq(row.record.size, 999);
    cr_assert_eq(next_event(csv, &row, &error), VC_CSV_ROW);
    cr_assert(vc_str_is(row.fields[1], "4"));
    vc_csv_close(csv);
    vc_input_close(input);
    vc_buffer_release(&text);
}

/* nbytes of record in fields of 1 MiB - 1 */
static void put_wide_row(vc_buffer *text, size_t nbytes, const char *line_end)
{
    for (size_t at = 0; at < nbytes; at++)
        vc_buffer_put_char(text,
                           at % VC_CSV_FIELD_BYTES_MAX == VC_CSV_FIELD_BYTES_MAX - 1 ? ',' : 'x');
    vc_buffer_put_text(text, line_end);
}

Test(csv, a_row_of_sixteen_mebibytes_is_the_longest)
{
    vc_buffer text = {0};
    vc_buffer_reserve(&text, 4 * (size_t)VC_CSV_ROW_BYTES_MAX + 4096);
    vc_buffer_put_text(&text, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n");
    put_wide_row(&text, VC_CSV_ROW_BYTES_MAX, "\r\n");
    put_wide_row(&text, VC_CSV_ROW_BYTES_MAX + 1, "\n");
    put_wide_row(&text, VC_CSV_ROW_BYTES_MAX + 100000, "\r\n");
    vc_buffer_put_text(&text, ",,,,,,,,,,,,,,,,last\n");
    vc_input *input;
    vc_csv *csv = open_text((vc_str){text.data, text.size}, &input);
    vc_csv_row row;
    vc_error error;
    cr_assert_eq(next_event(csv, &row, &error), VC_CSV_ROW);
    cr_assert_eq(row.record.size, VC_CSV_ROW_BYTES_MAX);
    for (unsigned line = 3; line <= 4; line++) {
        cr_assert_eq(next_event(csv, &row, &error), VC_CSV_REJECT);
        cr_assert_str_eq(error.code, "csv_row_too_long");
        cr_assert_eq(error.line, line);
        cr_assert_eq(row.record.size, 1000);
    }
    cr_assert_eq(next_event(csv, &row, &error), VC_CSV_ROW);
    cr_assert_eq(row.line, 5);
    cr_assert(vc_str_is(row.fields[16], "last"));
    cr_assert_eq(next_event(csv, &row, &error), VC_CSV_END);
    vc_csv_close(csv);
    vc_input_close(input);
    vc_buffer_release(&text);
}

Test(csv, a_quote_open_for_sixteen_mebibytes_costs_one_row)
{
    vc_buffer text = {0};
    size_t nrows = 0;
    vc_buffer_put_text(&text, "a,b\n1,\"oops\n");
    for (; text.size < (size_t)VC_CSV_ROW_BYTES_MAX + 100000; nrows++)
        vc_buffer_put_text(&text, "a row of some length,2\n");
    vc_input *input;
    vc_csv *csv = open_text((vc_str){text.data, text.size}, &input);
    vc_csv_row row;
    vc_error error;
    cr_assert_eq(next_event(csv, &row, &error), VC_CSV_REJECT);
    cr_assert_str_eq(error.code, "csv_unclosed_quote");
    cr_assert_eq(error.line, 2);
    cr_assert_eq(error.column, 3);
    size_t found = 0;
    while (next_event(csv, &row, &error) == VC_CSV_ROW)
        found++;
    cr_assert_eq(found, nrows);
    cr_assert_eq(row.line, nrows + 2);
    vc_csv_close(csv);
    vc_input_close(input);
    vc_buffer_release(&text);
}

Test(csv, a_block_grows_for_a_long_row)
{
    vc_buffer text = {0};
    vc_csv_block block = {0};
    vc_error error;
    vc_buffer_put_text(&text, "a,b\n1,2\n1,\"");
    while (text.size < 5000000)
        vc_buffer_put_text(&text, "x\n,");
    vc_buffer_put_text(&text, "\"\n3,4\n");
    vc_input *input;
    vc_csv *csv = open_text((vc_str){text.data, text.size}, &input);
    size_t nblocks = 0, nbytes = 0;
    for (; !block.is_last; nblocks++) {
        cr_assert_eq(vc_csv_next_block(csv, 1000, &block, &error), VC_OK);
        nbytes += block.end - block.first;
    }
    cr_assert_eq(nbytes, text.size - 4);
    cr_assert_leq(nblocks, 3);
    vc_csv_block_release(&block);
    vc_csv_close(csv);
    vc_input_close(input);
    vc_buffer_release(&text);
}

/* Lines that look different from inside a quoted field and from outside: a reader that goes back to
 * the next line after each of them must not scan to the limit again each time. */
Test(csv, hostile_quotes_cost_no_more_than_others, .timeout = 20)
{
    static const char *const lines[] = {
        "q\",z,\"zzzzzzzzzzzzzz\n", "\"zzzzzzzzzzzz\n", "\"\"\"\"z,\"\"\"\n",
        "x\"y,\"\"\"\"\n",          "\"\"\"\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        vc_buffer text = {0};
        vc_buffer_put_text(&text, "a,b\n\"\n");
        while (text.size < (size_t)VC_CSV_ROW_BYTES_MAX + (1 << 20))
            vc_buffer_put_text(&text, lines[i]);
        vc_input *input;
        vc_csv *csv = open_text((vc_str){text.data, text.size}, &input);
        vc_csv_row row;
        vc_error error;
        vc_csv_event event = VC_CSV_ROW;
        while (event == VC_CSV_ROW || event == VC_CSV_REJECT)
            event = next_event(csv, &row, &error);
        cr_expect_eq(event, VC_CSV_END);
        vc_csv_close(csv);
        vc_input_close(input);
        vc_buffer_release(&text);
    }
}

Test(csv, four_thousand_and_ninety_six_columns_are_the_most)
{
    for (size_t ncolumns = VC_CSV_COLUMNS_MAX; ncolumns <= VC_CSV_COLUMNS_MAX + 1; ncolumns++) {
        vc_csv_options options;
        vc_buffer text = {0}, log = {0};
        for (size_t i = 0; i < ncolumns; i++)
            vc_buffer_printf(&text, "%sc%zu", i == 0 ? "" : ",", i);
        vc_csv_options_init(&options);
        read_text_csv((vc_str){text.data, text.size}, &options, &log);
        cr_expect_str_eq(vc_buffer_text(&log),
                         ncolumns <= VC_CSV_COLUMNS_MAX ? "end\n" : "open: csv_header 1:0\n");
        vc_buffer_release(&text);
        vc_buffer_release(&log);
    }
}

Test(csv, a_failing_input_fails_the_reading_for_good)
{
    vc_csv_options options;
    vc_buffer log = {0};
    vc_csv_options_init(&options);
    for (size_t bytes = 0; bytes < 21; bytes++) {
        struct feed feed = {VC_STR("country,name\n1,2\n3,4\n"), 0, bytes, 1, 7};
        vc_buffer_clear(&log);
        read_feed_csv(&feed, &options, &log);
        const char *expected = bytes < 13   ? "open: file_read 0:0\n"
                               : bytes < 17 ? "failed\n"
                                            : "2 2:1=1 2:3=2\nfailed\n";
        cr_expect_str_eq(vc_buffer_text(&log), expected, "after %zu bytes", bytes);
        vc_buffer_clear(&log);
        feed.used = 0;
        read_feed_in(&feed, &options, 1000, &log);
        cr_expect_str_eq(vc_buffer_text(&log), expected, "in blocks, after %zu bytes", bytes);
    }
    vc_buffer_release(&log);
}

/* ---- against a slow reader ---- */

/* One record, byte by byte, written into the log as put_field does. */
struct slow_record {
    enum { SLOW_WHOLE, SLOW_ENDLESS, SLOW_BEHIND, SLOW_UNCLOSED } outcome;
    bool is_in_quotes;
    size_t bytes, text_bytes, fault, nfields, longest_field, first_extra;
};

struct slow {
    vc_str text;
    const vc_csv_options *options;
    size_t at;
    unsigned line;
    size_t ncolumns;
    vc_buffer *log;
};

static void slow_place(const struct slow *slow, size_t byte, unsigned *line, unsigned *column)
{
    *line = slow->line;
    *column = 1;
    for (size_t i = slow->at; i < slow->at + byte; i++) {
        bool is_end = slow->text.data[i] == '\n';
        *line += is_end;
        *column = is_end ? 1 : *column + 1;
    }
}

static void slow_end_field(struct slow *slow, struct slow_record *record, vc_buffer *fields,
                           vc_buffer *field, size_t first, size_t raw_bytes)
{
    unsigned line, column;
    if (record->nfields == slow->ncolumns) record->first_extra = first;
    vc_str text = {field->data, field->size};
    for (size_t i = 0; i < slow->options->nnulls; i++)
        if (text.size == slow->options->nulls[i].size &&
            memcmp(text.size > 0 ? text.data : "", slow->options->nulls[i].data, text.size) == 0)
            text = (vc_str){0};
    if (raw_bytes > record->longest_field) record->longest_field = raw_bytes;
    if (text.data == NULL && field->size == 0 && slow->options->nnulls == 0) text = VC_STR("");
    slow_place(slow, first, &line, &column);
    put_field(fields, line, column, text);
    vc_buffer_clear(field);
    record->nfields++;
}

static void slow_end_at_line(const struct slow *slow, size_t from, struct slow_record *record)
{
    const char *data = slow->text.data + slow->at;
    size_t left = slow->text.size - slow->at, window = slow->options->row_bytes_max + 3;
    size_t end = from;
    while (end < min_size(left, window) && data[end] != '\n')
        end++;
    if (end == window) record->outcome = SLOW_ENDLESS;
    record->bytes = end < left ? end + 1 : left;
    record->text_bytes = end > 0 && data[end - 1] == '\r' ? end - 1 : end;
}

static void slow_split(struct slow *slow, struct slow_record *record, vc_buffer *fields)
{
    enum { START, PLAIN, QUOTED, CLOSED, CLOSED_CR } state = START;
    const char *data = slow->text.data + slow->at;
    size_t left = slow->text.size - slow->at, window = slow->options->row_bytes_max + 3, first = 0;
    vc_buffer field = {0};
    *record = (struct slow_record){.outcome = SLOW_WHOLE};
    for (size_t i = 0;; i++) {
        int byte = i < left ? (unsigned char)data[i] : '\n';
        if (i == window) {
            record->outcome = SLOW_ENDLESS;
            record->is_in_quotes = state == QUOTED;
            record->fault = first;
            break;
        }
        if (i == left && state == QUOTED) {
            record->outcome = SLOW_UNCLOSED;
            record->fault = first;
            slow_end_at_line(slow, first, record);
            break;
        }
        if (state == QUOTED) {
            if (byte == slow->options->quote)
                state = CLOSED;
            else
                vc_buffer_put_char(&field, (char)byte);
        } else if (state == CLOSED && byte == slow->options->quote && i < left) {
            vc_buffer_put_char(&field, (char)byte);
            state = QUOTED;
        } else if (state == START && byte == slow->options->quote) {
            state = QUOTED;
        } else if (byte == '\n' || (byte == slow->options->delimiter && state != CLOSED_CR)) {
            size_t raw = state == CLOSED      ? i - first - 2
                         : state == CLOSED_CR ? i - first - 3
                                              : i - first;
            bool has_cr = byte == '\n' && i > 0 && data[i - 1] == '\r';
            if (state == PLAIN && has_cr) field.size--, raw--;
            slow_end_field(slow, record, fields, &field, first, raw);
            first = i + 1;
            state = START;
            if (byte != '\n') continue;
            record->bytes = min_size(i + 1, left);
            record->text_bytes = has_cr ? i - 1 : i;
            break;
        } else if (state == CLOSED && byte == '\r') {
            state = CLOSED_CR;
        } else if (state == CLOSED || state == CLOSED_CR) {
            record->outcome = SLOW_BEHIND;
            record->fault = state == CLOSED ? i : i - 1;
            slow_end_at_line(slow, i, record);
            break;
        } else {
            vc_buffer_put_char(&field, (char)byte);
            state = PLAIN;
        }
    }
    vc_buffer_release(&field);
}

/* Why the record is no row; NULL when it is one. */
static const char *slow_judge(const struct slow *slow, const struct slow_record *record,
                              size_t *fault)
{
    vc_str text = {slow->text.data + slow->at, record->text_bytes};
    *fault = 0;
    if (record->text_bytes > slow->options->row_bytes_max) return "csv_row_too_long";
    *fault = record->fault;
    if (record->outcome == SLOW_UNCLOSED) return "csv_unclosed_quote";
    if (record->outcome == SLOW_BEHIND) return "csv_quote";
    for (*fault = 0; *fault < text.size; ++*fault)
        if (text.data[*fault] == '\0') return "csv_nul";
    if (!vc_utf8_check(text, fault)) return "csv_encoding";
    *fault = record->nfields < slow->ncolumns ? record->text_bytes : record->first_extra;
    if (record->nfields != slow->ncolumns) return "csv_fields";
    return NULL;
}

static void slow_pass(struct slow *slow, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        slow->line += slow->text.data[slow->at++] == '\n';
}

static void slow_endless(struct slow *slow, const struct slow_record *record)
{
    size_t window = slow->options->row_bytes_max + 3,
           end = record->is_in_quotes ? record->fault : 0;
    const char *data = slow->text.data + slow->at;
    unsigned line, column;
    while (end < window && !(record->is_in_quotes && data[end] == '\n'))
        end++;
    slow_place(slow, record->is_in_quotes ? record->fault : 0, &line, &column);
    put_reject(slow->log, slow->line,
               record->is_in_quotes ? "csv_unclosed_quote" : "csv_row_too_long", line, column,
               (vc_str){data, end});
    if (end == window)
        while (slow->at + end < slow->text.size && data[end] != '\n')
            end++;
    slow_pass(slow, min_size(end + 1, slow->text.size - slow->at));
}

/* All rows; has_header is false and the number of columns known. field_bytes_max is not its matter.
 */
static void slow_read(struct slow *slow)
{
    while (slow->at < slow->text.size) {
        struct slow_record record;
        vc_buffer fields = {0};
        slow_split(slow, &record, &fields);
        if (record.outcome == SLOW_ENDLESS) {
            slow_endless(slow, &record);
        } else if (record.outcome != SLOW_WHOLE || record.text_bytes > 0 || slow->ncolumns == 1) {
            size_t fault;
            unsigned line, column;
            const char *reason = slow_judge(slow, &record, &fault);
            slow_place(slow, fault, &line, &column);
            if (reason == NULL)
                vc_buffer_printf(slow->log, "%u%s\n", slow->line, vc_buffer_text(&fields));
            else
                put_reject(slow->log, slow->line, reason, line, column,
                           (vc_str){slow->text.data + slow->at, record.text_bytes});
            slow_pass(slow, record.bytes);
        } else {
            slow_pass(slow, record.bytes);
        }
        vc_buffer_release(&fields);
    }
    vc_buffer_put_text(slow->log, "end\n");
}

/* Text of pieces that make trouble, now and then of a long run that crosses blocks of 64 bytes. */
static void put_random_text(vc_buffer *text, uint64_t *random)
{
    static const char *const pieces[] = {
        "a",  "b",    ",",        ",",      "\n",     "\r\n",
        "\"", "\"\"", "\",\"",    "\"\n\"", "x,y\n",  "1,2\n",
        "\r", "\n\n", "\xC3\xA9", "\xE9",   "\"\r\n", "long text without a stop"};
    size_t npieces = next_random(random) % 60;
    size_t nkinds = sizeof pieces / sizeof pieces[0];
    if (next_random(random) % 4 == 0) nkinds = 8; /* denser in marks */
    for (size_t i = 0; i < npieces; i++) {
        if (next_random(random) % 64 == 0)
            vc_buffer_put_char(text, '\0');
        else
            vc_buffer_put_text(text, pieces[next_random(random) % nkinds]);
    }
}

Test(csv, agrees_with_a_slow_reader_however_the_bytes_arrive)
{
    static const vc_str nulls[] = {{"", 0}, {"a", 1}};
    static const vc_str names[] = {{"x", 1}, {"y", 1}, {"z", 1}};
    uint64_t random = 20240611;
    vc_buffer text = {0}, fast_log = {0}, slow_log = {0};
    for (unsigned round = 0; round < 20000; round++) {
        vc_csv_options options;
        vc_csv_options_init(&options);
        options.has_header = false;
        options.columns = names;
        options.ncolumns = 1 + next_random(&random) % 3;
        options.nulls = nulls;
        options.nnulls = next_random(&random) % 3;
        options.row_bytes_max = next_random(&random) % 2 ? 16 + next_random(&random) % 100 : 1000;
        options.buffer_bytes = 1 + next_random(&random) % 64;
        vc_buffer_clear(&text);
        vc_buffer_clear(&fast_log);
        vc_buffer_clear(&slow_log);
        put_random_text(&text, &random);
        vc_str bytes = {text.data, text.size};
        if (vc_str_starts_with(bytes, VC_STR("\xEF\xBB\xBF"))) continue;
        struct feed feed = {bytes, 0, SIZE_MAX, 1 + next_random(&random) % 17, round};
        read_feed_csv(&feed, &options, &fast_log);
        struct slow slow = {bytes, &options, 0, 1, options.ncolumns, &slow_log};
        slow_read(&slow);
        cr_assert_str_eq(vc_buffer_text(&fast_log), vc_buffer_text(&slow_log),
                         "round %u\nfast:\n%s\nslow:\n%s", round, vc_buffer_text(&fast_log),
                         vc_buffer_text(&slow_log));
        vc_buffer_clear(&slow_log);
        feed.used = 0;
        size_t block_bytes = 1 + next_random(&random) % 200;
        read_feed_in(&feed, &options, block_bytes, &slow_log);
        cr_assert_str_eq(vc_buffer_text(&slow_log), vc_buffer_text(&fast_log),
                         "round %u, blocks of %zu bytes\n%s\nrow by row:\n%s", round, block_bytes,
                         vc_buffer_text(&slow_log), vc_buffer_text(&fast_log));
    }
    vc_buffer_release(&text);
    vc_buffer_release(&fast_log);
    vc_buffer_release(&slow_log);
}
