#include "cube/input.h"

#include "base/buffer.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* ---- making archives ---- */

static void put_gzip(vc_buffer *archive, vc_str text)
{
    z_stream gzip = {0};
    cr_assert_eq(deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t capacity = deflateBound(&gzip, text.size);
    cr_assert(vc_buffer_reserve(archive, capacity));
    gzip.next_in = (Bytef *)text.data;
    gzip.avail_in = (uInt)text.size;
    gzip.next_out = (Bytef *)archive->data + archive->size;
    gzip.avail_out = (uInt)capacity;
    cr_assert_eq(deflate(&gzip, Z_FINISH), Z_STREAM_END);
    archive->size += gzip.total_out;
    deflateEnd(&gzip);
}

static void put_zstd(vc_buffer *archive, vc_str text)
{
    size_t capacity = ZSTD_compressBound(text.size);
    cr_assert(vc_buffer_reserve(archive, capacity));
    size_t size = ZSTD_compress(archive->data + archive->size, capacity, text.data, text.size, 3);
    cr_assert(!ZSTD_isError(size));
    archive->size += size;
}

/* Text that packs, but not to nothing. */
static vc_str make_text(vc_buffer *text, size_t nrows)
{
    uint32_t random = 12345;
    for (size_t i = 0; i < nrows; i++) {
        random = random * 1664525 + 1013904223;
        vc_buffer_printf(text, "%zu,%u,caf\xC3\xA9\n", i, random >> 8);
    }
    return (vc_str){text->data, text->size};
}

/* ---- reading ---- */

/* Hands out `piece` bytes at a time. */
struct feed {
    vc_str bytes;
    size_t piece;
    size_t used;
};

static vc_status read_feed(void *context, char *data, size_t capacity, size_t *size_out,
                           vc_error *error)
{
    (void)error;
    struct feed *feed = context;
    size_t size = feed->bytes.size - feed->used;
    if (size > feed->piece) size = feed->piece;
    if (size > capacity) size = capacity;
    if (size > 0) memcpy(data, feed->bytes.data + feed->used, size);
    feed->used += size;
    *size_out = size;
    return VC_OK;
}

/* Read everything with reads of at most `capacity` bytes. */
static vc_status read_all(vc_input *input, size_t capacity, vc_buffer *text, vc_error *error)
{
    char *data = malloc(capacity);
    vc_status status;
    size_t size;
    while ((status = vc_input_read(input, data, capacity, &size, error)) == VC_OK && size > 0)
        vc_buffer_put(text, data, size);
    free(data);
    return status;
}

static vc_status read_fed(vc_str bytes, size_t piece, size_t capacity, vc_charset encoding,
                          vc_buffer *text, vc_error *error)
{
    struct feed feed = {bytes, piece, 0};
    vc_input *input;
    cr_assert_eq(vc_input_open_source(read_feed, &feed, bytes.size, "test.csv", &input, error),
                 VC_OK);
    vc_input_set_encoding(input, encoding);
    vc_status status = read_all(input, capacity, text, error);
    vc_input_close(input);
    return status;
}

static const size_t pieces[] = {1, 2, 3, 7, 4096, 1 << 20};
enum { NPIECES = sizeof pieces / sizeof pieces[0] };

/* Whatever the sizes of the pieces on both sides, `bytes` reads as `expected`. */
static void expect_text(vc_str bytes, vc_charset encoding, vc_str expected)
{
    for (size_t i = 0; i < NPIECES * NPIECES; i++) {
        vc_error error = {0};
        vc_buffer text = {0};
        vc_status status =
            read_fed(bytes, pieces[i % NPIECES], pieces[i / NPIECES], encoding, &text, &error);
        cr_expect_eq(status, VC_OK, "%s", error.message);
        cr_expect(text.size == expected.size &&
                      memcmp(vc_buffer_text(&text), expected.data, expected.size) == 0,
                  "pieces of %zu, reads of %zu: %zu bytes, expected %zu", pieces[i % NPIECES],
                  pieces[i / NPIECES], text.size, expected.size);
        vc_buffer_release(&text);
    }
}

static void expect_failure(vc_str bytes, const char *code, const char *part)
{
    for (size_t i = 0; i < NPIECES; i++) {
        vc_error error = {0};
        vc_buffer text = {0};
        vc_status status = read_fed(bytes, pieces[i], 100, VC_ENCODING_UTF8, &text, &error);
        cr_expect_eq(status, VC_BAD_INPUT, "%s, %zu bytes: read", code, bytes.size);
        cr_expect_str_eq(error.code, code, "%zu bytes: %s", bytes.size, error.code);
        cr_expect_str_eq(error.file, "test.csv");
        cr_expect(strstr(error.message, part) != NULL, "%s", error.message);
        vc_buffer_release(&text);
    }
}

Test(input, plain_text_and_empty_text)
{
    vc_buffer text = {0};
    expect_text(VC_STR(""), VC_ENCODING_UTF8, VC_STR(""));
    expect_text(VC_STR("a"), VC_ENCODING_UTF8, VC_STR("a"));
    vc_str rows = make_text(&text, 1000);
    expect_text(rows, VC_ENCODING_UTF8, rows);
    vc_buffer_release(&text);
}

Test(input, gzip_with_several_members_and_padding)
{
    vc_buffer text = {0}, archive = {0};
    vc_str rows = make_text(&text, 1000);
    put_gzip(&archive, (vc_str){rows.data, 777});
    put_gzip(&archive, VC_STR("")); /* a member without content */
    put_gzip(&archive, (vc_str){rows.data + 777, rows.size - 777});
    expect_text((vc_str){archive.data, archive.size}, VC_ENCODING_UTF8, rows);
    vc_buffer_put(&archive, "\0\0\0\0\0", 5);
    expect_text((vc_str){archive.data, archive.size}, VC_ENCODING_UTF8, rows);
    vc_buffer_put(&archive, "rest", 4);
    expect_failure((vc_str){archive.data, archive.size}, "archive_corrupt", "follows the end");
    vc_buffer_release(&text);
    vc_buffer_release(&archive);
}

Test(input, zstd_with_several_frames)
{
    vc_buffer text = {0}, archive = {0};
    vc_str rows = make_text(&text, 1000);
    vc_buffer_put(&archive, "\x50\x2A\x4D\x18\x02\0\0\0xy", 10); /* a frame to be skipped */
    put_zstd(&archive, (vc_str){rows.data, 777});
    put_zstd(&archive, VC_STR(""));
    put_zstd(&archive, (vc_str){rows.data + 777, rows.size - 777});
    expect_text((vc_str){archive.data, archive.size}, VC_ENCODING_UTF8, rows);
    vc_buffer_put(&archive, "rest", 4);
    expect_failure((vc_str){archive.data, archive.size}, "archive_corrupt", "Zstandard");
    vc_buffer_release(&text);
    vc_buffer_release(&archive);
}

Test(input, an_archive_cut_anywhere_is_an_error)
{
    vc_buffer text = {0}, gzip = {0}, zstd = {0};
    vc_str rows = make_text(&text, 20);
    put_gzip(&gzip, rows);
    put_zstd(&zstd, rows);
    for (size_t size = 2; size < gzip.size; size++)
        expect_failure((vc_str){gzip.data, size}, "archive_truncated", "gzip");
    for (size_t size = 4; size < zstd.size; size++)
        expect_failure((vc_str){zstd.data, size}, "archive_truncated", "Zstandard");
    vc_buffer_release(&text);
    vc_buffer_release(&gzip);
    vc_buffer_release(&zstd);
}

Test(input, a_damaged_archive_is_an_error)
{
    vc_buffer text = {0}, archive = {0};
    vc_str rows = make_text(&text, 200);
    put_gzip(&archive, rows);
    archive.data[archive.size - 8] ^= 1; /* the checksum */
    expect_failure((vc_str){archive.data, archive.size}, "archive_corrupt", "incorrect data check");
    vc_buffer_clear(&archive);
    put_zstd(&archive, rows);
    archive.data[5] ^= 0x55;
    vc_error error = {0};
    vc_buffer read = {0};
    vc_status status =
        read_fed((vc_str){archive.data, archive.size}, 100, 100, VC_ENCODING_UTF8, &read, &error);
    cr_expect_eq(status, VC_BAD_INPUT);
    vc_buffer_release(&read);
    vc_buffer_release(&text);
    vc_buffer_release(&archive);
}

Test(input, archives_that_are_not_read_are_named)
{
    expect_failure(VC_STR("PK\003\004 and so on"), "archive_unknown", "ZIP (or .xlsx)");
    expect_failure(VC_STR("\xFD"
                          "7zXZ\0 and so on"),
                   "archive_unknown", "xz");
    expect_failure(VC_STR("BZh91AY&SY and so on"), "archive_unknown", "bzip2");
    expect_text(VC_STR("BZh9,a column"), VC_ENCODING_UTF8, VC_STR("BZh9,a column"));
}

Test(input, a_failure_stays)
{
    vc_error error = {0};
    vc_input *input;
    char data[16];
    size_t size = 1;
    cr_assert_eq(vc_input_open_memory(VC_STR("\x1F\x8Bxyz"), "x.gz", &input, &error), VC_OK);
    cr_assert_eq(vc_input_read(input, data, sizeof data, &size, &error), VC_BAD_INPUT);
    error = (vc_error){0};
    cr_assert_eq(vc_input_read(input, data, sizeof data, &size, &error), VC_BAD_INPUT);
    cr_assert_eq(size, 0);
    cr_assert_str_eq(error.code, "archive_corrupt");
    cr_assert_str_eq(error.file, "x.gz");
    vc_input_close(input);
}

/* ---- encodings ---- */

struct encoding_case {
    vc_charset declared;
    size_t size;
    char bytes[32];
    char expected[64];
};

ParameterizedTestParameters(input, encodings)
{
    static struct encoding_case cases[] = {
        {VC_ENCODING_UTF8, 8,
         "\xEF\xBB\xBF"
         "caf\xC3\xA9",
         "caf\xC3\xA9"},
        {VC_ENCODING_UTF8, 3, "\xEF\xBB\xBF", ""},
        {VC_ENCODING_UTF8, 2, "\xEF\xBB", "\xEF\xBB"}, /* no mark: for the CSV reader to refuse */
        {VC_ENCODING_LATIN1, 5, "caf\xE9\x80", "caf\xC3\xA9\xC2\x80"},
        {VC_ENCODING_WINDOWS_1252, 6, "\x80 \x9F\x81\xFF", "\xE2\x82\xAC \xC5\xB8\xC2\x81\xC3\xBF"},
        {VC_ENCODING_LATIN1, 8,
         "\xEF\xBB\xBF"
         "caf\xC3\xA9",
         "caf\xC3\xA9"}, /* the mark wins */
        {VC_ENCODING_UTF8, 6,
         "\xFF\xFE"
         "a\0\xE9\0",
         "a\xC3\xA9"},
        {VC_ENCODING_UTF8, 6, "\xFE\xFF\0a\0\xE9", "a\xC3\xA9"},
        {VC_ENCODING_UTF16LE, 4, "a\0\xE9\0", "a\xC3\xA9"},
        {VC_ENCODING_UTF16BE, 8, "\x20\xAC\0,\xD8\x3D\xDE\x00", "\xE2\x82\xAC,\xF0\x9F\x98\x80"},
        /* No text: comes out as bytes that no UTF-8 check accepts. */
        {VC_ENCODING_UTF16LE, 4,
         "\x3D\xD8"
         "a\0",
         "\xED\xA0\xBD"
         "a"},
        {VC_ENCODING_UTF16LE, 2, "\x3D\xD8", "\xED\xA0\xBD"},
        {VC_ENCODING_UTF16LE, 3, "a\0b", "a\xFF"},
    };
    return cr_make_param_array(struct encoding_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct encoding_case *c, input, encodings)
{
    if (c->declared == VC_ENCODING_WINDOWS_1252) c->size = strlen(c->bytes);
    expect_text((vc_str){c->bytes, c->size}, c->declared, vc_str_of(c->expected));
}

Test(input, long_text_in_other_encodings)
{
    vc_buffer utf8 = {0}, utf16 = {0}, latin1 = {0}, archive = {0};
    vc_str rows = make_text(&utf8, 20000);
    vc_buffer_put(&utf16, "\xFE\xFF", 2);
    for (size_t i = 0; i < rows.size; i++) {
        bool is_accent = rows.data[i] == '\xC3';
        vc_buffer_put_char(&latin1, is_accent ? '\xE9' : rows.data[i]);
        vc_buffer_put_char(&utf16, '\0');
        vc_buffer_put_char(&utf16, is_accent ? '\xE9' : rows.data[i]);
        i += is_accent;
    }
    for (size_t i = 3; i < NPIECES; i++) {
        vc_buffer text = {0};
        vc_error error = {0};
        vc_str bytes = {latin1.data, latin1.size};
        cr_expect_eq(read_fed(bytes, pieces[i], 1000, VC_ENCODING_LATIN1, &text, &error), VC_OK);
        cr_expect(vc_str_equal((vc_str){text.data, text.size}, rows));
        vc_buffer_clear(&text);
        bytes = (vc_str){utf16.data, utf16.size};
        cr_expect_eq(read_fed(bytes, pieces[i], 1000, VC_ENCODING_UTF8, &text, &error), VC_OK);
        cr_expect(vc_str_equal((vc_str){text.data, text.size}, rows));
        vc_buffer_release(&text);
    }
    put_zstd(&archive, (vc_str){utf16.data, utf16.size}); /* packed and encoded */
    vc_buffer text = {0};
    vc_error error = {0};
    cr_expect_eq(
        read_fed((vc_str){archive.data, archive.size}, 1000, 1000, VC_ENCODING_UTF8, &text, &error),
        VC_OK);
    cr_expect(vc_str_equal((vc_str){text.data, text.size}, rows));
    vc_buffer_release(&text);
    vc_buffer_release(&utf8);
    vc_buffer_release(&utf16);
    vc_buffer_release(&latin1);
    vc_buffer_release(&archive);
}

Test(input, encodings_have_names)
{
    static const struct {
        const char *name;
        vc_charset encoding;
    } known[] = {{"utf-8", VC_ENCODING_UTF8},          {"UTF8", VC_ENCODING_UTF8},
                 {"Latin1", VC_ENCODING_LATIN1},       {"ISO-8859-1", VC_ENCODING_LATIN1},
                 {"cp1252", VC_ENCODING_WINDOWS_1252}, {"windows-1252", VC_ENCODING_WINDOWS_1252},
                 {"utf-16", VC_ENCODING_UTF16LE},      {"utf-16be", VC_ENCODING_UTF16BE}};
    vc_error error = {0};
    vc_charset encoding;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        cr_assert_eq(vc_encoding_parse(vc_str_of(known[i].name), &encoding, &error), VC_OK);
        cr_assert_eq(encoding, known[i].encoding);
    }
    cr_assert_eq(vc_encoding_parse(VC_STR("windows-1251"), &encoding, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "unknown_encoding");
    cr_assert_str_eq(error.candidates[0], "windows-1252");
    cr_assert_eq(vc_encoding_parse(VC_STR("utf-"), &encoding, &error), VC_BAD_INPUT);
    cr_assert_eq(vc_encoding_parse((vc_str){0}, &encoding, &error), VC_BAD_INPUT);
}

/* ---- files, standard input, progress ---- */

static void write_file(const char *path, vc_str bytes)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    cr_assert_eq(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    cr_assert_eq(fclose(file), 0);
}

Test(input, a_file_is_read_and_its_progress_counts_packed_bytes)
{
    char folder[] = "/tmp/vc-input-XXXXXX", path[64];
    vc_buffer text = {0}, archive = {0}, read = {0};
    vc_error error = {0};
    vc_input *input;
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/facts", folder); /* no suffix: the bytes tell */
    vc_str rows = make_text(&text, 50000);
    put_gzip(&archive, rows);
    write_file(path, (vc_str){archive.data, archive.size});
    cr_assert_eq(vc_input_open_file(path, &input, &error), VC_OK, "%s", error.message);
    cr_expect_str_eq(vc_input_name(input), path);
    cr_expect_eq(vc_input_get_progress(input).bytes_total, archive.size);
    cr_expect_eq(vc_input_get_progress(input).bytes_done, 0);
    char data[100];
    size_t size;
    cr_assert_eq(vc_input_read(input, data, sizeof data, &size, &error), VC_OK);
    vc_buffer_put(&read, data, size);
    uint64_t bytes_done = vc_input_get_progress(input).bytes_done;
    cr_expect(bytes_done > 0 && bytes_done < archive.size);
    cr_expect_eq(read_all(input, 10000, &read, &error), VC_OK);
    cr_expect(vc_str_equal((vc_str){read.data, read.size}, rows));
    cr_expect_eq(vc_input_get_progress(input).bytes_done, archive.size);
    vc_input_close(input);
    vc_buffer_release(&text);
    vc_buffer_release(&archive);
    vc_buffer_release(&read);
    unlink(path);
    rmdir(folder);
}

Test(input, a_file_that_cannot_be_read_is_named)
{
    char folder[] = "/tmp/vc-input-XXXXXX", path[64];
    vc_error error = {0};
    vc_input *input = NULL;
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/facts.csv", folder);
    cr_expect_eq(vc_input_open_file(path, &input, &error), VC_NOT_FOUND);
    cr_expect_str_eq(error.code, "file_not_found");
    cr_expect_str_eq(error.file, path);
    cr_expect_eq(vc_input_open_file(folder, &input, &error), VC_STORAGE);
    cr_expect_str_eq(error.code, "file_open");
    cr_expect(strstr(error.message, "folder") != NULL);
    cr_expect_null(input);
    rmdir(folder);
}

Test(input, a_dash_is_standard_input)
{
    int ends[2];
    vc_error error = {0};
    vc_buffer text = {0};
    vc_input *input;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    cr_assert_eq(write(ends[1], "a,b\n", 4), 4);
    close(ends[1]);
    cr_assert_eq(vc_input_open_file("-", &input, &error), VC_OK);
    cr_expect_str_eq(vc_input_name(input), "standard input");
    cr_expect_eq(vc_input_get_progress(input).bytes_total, 0); /* a pipe does not say */
    cr_expect_eq(read_all(input, 10, &text, &error), VC_OK);
    cr_expect_str_eq(vc_buffer_text(&text), "a,b\n");
    cr_expect_eq(vc_input_get_progress(input).bytes_done, 4);
    vc_input_close(input);
    cr_expect_eq(fcntl(STDIN_FILENO, F_GETFD), 0); /* still open */
    vc_buffer_release(&text);
}
