/* Three stages, each pulling from the one before it:
 *
 *     source (file, memory, function) -> unpacker (none, gzip, zstd) -> decoder (none, to UTF-8)
 *
 * A stage without work is skipped: a plain UTF-8 file is read straight into the caller's memory.
 */
#include "cube/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { STAGE_BYTES = 64 * 1024, FORMAT_MAGIC_BYTES = 10 };

enum format { FORMAT_PLAIN, FORMAT_GZIP, FORMAT_ZSTD };

/* A stretch of bytes on its way from one stage to the next; data[first..end) is not used yet. */
struct stage {
    char data[STAGE_BYTES];
    size_t first;
    size_t end;
};

struct memory_source {
    vc_str bytes;
    size_t used;
};

struct vc_input {
    char *name;
    int fd; /* -1 when not reading from a file */
    struct memory_source memory;
    vc_input_source source;
    void *source_context;
    bool source_at_end;
    vc_input_progress progress;

    bool has_started; /* the format and the encoding are known */
    enum format format;
    z_stream gzip;
    bool is_in_member; /* gzip: between the header and the trailer of a member */
    ZSTD_DStream *zstd;
    bool is_in_frame;

    vc_charset encoding;
    bool unpacked_at_end;
    struct stage packed;   /* from the source, for the unpacker */
    struct stage unpacked; /* the head of the text, and what the decoder works on */
    struct stage decoded;

    vc_error failure; /* status VC_OK until something failed */
};

/* ---- the source ---- */

static vc_status read_fd(void *context, char *data, size_t capacity, size_t *size_out,
                         vc_error *error)
{
    const vc_input *input = context;
    ssize_t n;
    do
        n = read(input->fd, data, capacity);
    while (n < 0 && errno == EINTR);
    if (n < 0) return vc_fail(error, VC_STORAGE, "file_read", "cannot read: %s", strerror(errno));
    *size_out = (size_t)n;
    return VC_OK;
}

static vc_status read_memory(void *context, char *data, size_t capacity, size_t *size_out,
                             vc_error *error)
{
    (void)error;
    struct memory_source *memory = context;
    size_t left = memory->bytes.size - memory->used;
    size_t size = left < capacity ? left : capacity;
    if (size > 0) memcpy(data, memory->bytes.data + memory->used, size);
    memory->used += size;
    *size_out = size;
    return VC_OK;
}

static vc_status read_source(vc_input *input, char *data, size_t capacity, size_t *size_out,
                             vc_error *error)
{
    *size_out = 0;
    if (input->source_at_end) return VC_OK;
    vc_status status = input->source(input->source_context, data, capacity, size_out, error);
    if (status != VC_OK) return status;
    assert(*size_out <= capacity);
    input->source_at_end = *size_out == 0;
    input->progress.bytes_done += *size_out;
    return VC_OK;
}

/* Have at least `want` packed bytes waiting, fewer only at the end. */
static vc_status fill_packed(vc_input *input, size_t want, vc_error *error)
{
    struct stage *packed = &input->packed;
    if (packed->end - packed->first >= want) return VC_OK;
    memmove(packed->data, packed->data + packed->first, packed->end - packed->first);
    packed->end -= packed->first;
    packed->first = 0;
    while (packed->end < want && !input->source_at_end) {
        size_t size;
        vc_status status = read_source(input, packed->data + packed->end,
                                       sizeof packed->data - packed->end, &size, error);
        if (status != VC_OK) return status;
        packed->end += size;
    }
    return VC_OK;
}

/* ---- the unpacker ---- */

static vc_status fail_archive(const char *kind, const char *what, vc_error *error)
{
    return vc_fail(error, VC_BAD_INPUT, "archive_corrupt", "the %s archive is corrupt: %s", kind,
                   what);
}

static vc_status fail_truncated(const vc_input *input, const char *kind, vc_error *error)
{
    return vc_fail(error, VC_BAD_INPUT, "archive_truncated",
                   "the %s archive is cut short: it ends after %llu bytes, before its own end mark",
                   kind, (unsigned long long)input->progress.bytes_done);
}

/* A frame, or a skippable frame, with which some parallel packers begin. */
static bool is_zstd(vc_str head)
{
    if (vc_str_starts_with(head, VC_STR("\x28\xB5\x2F\xFD"))) return true;
    return head.size >= 4 && (head.data[0] & 0xF0) == 0x50 &&
           memcmp(head.data + 1, "\x2A\x4D\x18", 3) == 0;
}

static vc_status detect_format(vc_input *input, vc_error *error)
{
    static const struct {
        vc_str magic;
        const char *name;
    } unknown[] = {
        {{"PK\003\004", 4}, "ZIP (or .xlsx)"},
        {{"\xFD"
          "7zXZ\0",
          6},
         "xz"},
        {{"BZh91AY&SY", 10}, "bzip2"},
    };
    vc_status status = fill_packed(input, FORMAT_MAGIC_BYTES, error);
    if (status != VC_OK) return status;
    const struct stage *packed = &input->packed;
    vc_str head = {packed->data + packed->first, packed->end - packed->first};
    if (vc_str_starts_with(head, VC_STR("\x1F\x8B"))) {
        input->format = FORMAT_GZIP;
        if (inflateInit2(&input->gzip, 15 + 16) != Z_OK) return vc_no_memory(error);
    } else if (is_zstd(head)) {
        input->format = FORMAT_ZSTD;
        input->zstd = ZSTD_createDStream();
        if (input->zstd == NULL) return vc_no_memory(error);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (vc_str_starts_with(head, unknown[i].magic))
            return vc_fail(error, VC_BAD_INPUT, "archive_unknown",
                           "this is %s data; plain text, gzip (.gz) and Zstandard (.zst) are read",
                           unknown[i].name);
    }
    return VC_OK;
}

/* Between members: another one may follow, or zeros (tapes and some tools pad with them). */
static vc_status begin_member(vc_input *input, bool *is_end, vc_error *error)
{
    struct stage *packed = &input->packed;
    for (;;) {
        vc_status status = fill_packed(input, 2, error);
        if (status != VC_OK) return status;
        *is_end = packed->first == packed->end;
        if (*is_end) return VC_OK;
        if (packed->data[packed->first] != 0) break;
        packed->first++;
    }
    vc_str head = {packed->data + packed->first, packed->end - packed->first};
    if (!vc_str_starts_with(head, VC_STR("\x1F\x8B")))
        return fail_archive("gzip", "something else follows the end of the archive", error);
    inflateReset(&input->gzip);
    input->is_in_member = true;
    return VC_OK;
}

static vc_status read_gzip(vc_input *input, char *data, size_t capacity, size_t *size_out,
                           vc_error *error)
{
    struct stage *packed = &input->packed;
    *size_out = 0;
    if (capacity > UINT32_MAX) capacity = UINT32_MAX;
    while (*size_out == 0) {
        if (!input->is_in_member) {
            bool is_end;
            vc_status status = begin_member(input, &is_end, error);
            if (status != VC_OK || is_end) return status;
        }
        vc_status status = fill_packed(input, 1, error);
        if (status != VC_OK) return status;
        z_stream *gzip = &input->gzip;
        gzip->next_in = (Bytef *)packed->data + packed->first;
        gzip->avail_in = (uInt)(packed->end - packed->first);
        gzip->next_out = (Bytef *)data;
        gzip->avail_out = (uInt)capacity;
        int rc = inflate(gzip, Z_NO_FLUSH);
        packed->first = packed->end - gzip->avail_in;
        *size_out = capacity - gzip->avail_out;
        if (rc == Z_STREAM_END)
            input->is_in_member = false;
        else if (rc == Z_MEM_ERROR)
            return vc_no_memory(error);
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            return fail_archive("gzip", gzip->msg != NULL ? gzip->msg : "bad data", error);
        else if (*size_out == 0 && input->source_at_end && packed->first == packed->end)
            return fail_truncated(input, "gzip", error);
    }
    return VC_OK;
}

static vc_status read_zstd(vc_input *input, char *data, size_t capacity, size_t *size_out,
                           vc_error *error)
{
    struct stage *packed = &input->packed;
    ZSTD_outBuffer out = {data, capacity, 0};
    while (out.pos == 0) {
        vc_status status = fill_packed(input, 1, error);
        if (status != VC_OK) return status;
        bool is_dry = packed->first == packed->end;
        if (is_dry && !input->is_in_frame) break;
        ZSTD_inBuffer in = {packed->data, packed->end, packed->first};
        size_t rc = ZSTD_decompressStream(input->zstd, &out, &in);
        if (ZSTD_isError(rc)) return fail_archive("Zstandard", ZSTD_getErrorName(rc), error);
        packed->first = in.pos;
        input->is_in_frame = rc != 0;
        if (is_dry && out.pos == 0 && input->is_in_frame)
            return fail_truncated(input, "Zstandard", error);
    }
    *size_out = out.pos;
    return VC_OK;
}

static vc_status read_plain(vc_input *input, char *data, size_t capacity, size_t *size_out,
                            vc_error *error)
{
    struct stage *packed = &input->packed;
    size_t left = packed->end - packed->first;
    if (left == 0) return read_source(input, data, capacity, size_out, error);
    size_t size = left < capacity ? left : capacity;
    memcpy(data, packed->data + packed->first, size);
    packed->first += size;
    *size_out = size;
    return VC_OK;
}

static vc_status read_unpacked(vc_input *input, char *data, size_t capacity, size_t *size_out,
                               vc_error *error)
{
    vc_status status = VC_OK;
    *size_out = 0;
    if (input->unpacked_at_end) return VC_OK;
    switch (input->format) {
    case FORMAT_PLAIN: status = read_plain(input, data, capacity, size_out, error); break;
    case FORMAT_GZIP: status = read_gzip(input, data, capacity, size_out, error); break;
    case FORMAT_ZSTD: status = read_zstd(input, data, capacity, size_out, error); break;
    }
    if (status == VC_OK) input->unpacked_at_end = *size_out == 0;
    return status;
}

/* ---- the decoder ---- */

/* Append to the unpacked text; says by unpacked_at_end when there is no more. */
static vc_status fill_unpacked(vc_input *input, vc_error *error)
{
    struct stage *unpacked = &input->unpacked;
    memmove(unpacked->data, unpacked->data + unpacked->first, unpacked->end - unpacked->first);
    unpacked->end -= unpacked->first;
    unpacked->first = 0;
    size_t size;
    vc_status status = read_unpacked(input, unpacked->data + unpacked->end,
                                     sizeof unpacked->data - unpacked->end, &size, error);
    if (status == VC_OK) unpacked->end += size;
    return status;
}

static vc_status start(vc_input *input, vc_error *error)
{
    struct stage *unpacked = &input->unpacked;
    vc_status status = detect_format(input, error);
    while (status == VC_OK && unpacked->end < VC_ENCODING_MARK_BYTES && !input->unpacked_at_end)
        status = fill_unpacked(input, error);
    if (status != VC_OK) return status;
    vc_str head = {unpacked->data, unpacked->end};
    size_t mark_bytes;
    input->encoding = vc_encoding_detect(head, input->encoding, &mark_bytes);
    unpacked->first = mark_bytes;
    input->has_started = true;
    return VC_OK;
}

/* Refill the empty decoded stage; it stays empty at the end. */
static vc_status decode(vc_input *input, vc_error *error)
{
    struct stage *unpacked = &input->unpacked, *decoded = &input->decoded;
    decoded->first = decoded->end = 0;
    for (;;) {
        vc_str text = {unpacked->data + unpacked->first, unpacked->end - unpacked->first};
        size_t used;
        decoded->end = vc_encoding_convert(input->encoding, text, input->unpacked_at_end, &used,
                                           decoded->data, sizeof decoded->data);
        unpacked->first += used;
        if (decoded->end > 0 || input->unpacked_at_end) return VC_OK;
        vc_status status = fill_unpacked(input, error);
        if (status != VC_OK) return status;
    }
}

static vc_status read_text(vc_input *input, char *data, size_t capacity, size_t *size_out,
                           vc_error *error)
{
    vc_status status = input->has_started ? VC_OK : start(input, error);
    if (status != VC_OK) return status;
    struct stage *stage = &input->unpacked;
    if (input->encoding != VC_ENCODING_UTF8) {
        stage = &input->decoded;
        if (stage->first == stage->end) status = decode(input, error);
        if (status != VC_OK) return status;
    } else if (stage->first == stage->end) {
        return read_unpacked(input, data, capacity, size_out, error);
    }
    size_t left = stage->end - stage->first;
    *size_out = left < capacity ? left : capacity;
    memcpy(data, stage->data + stage->first, *size_out);
    stage->first += *size_out;
    return VC_OK;
}

vc_status vc_input_read(vc_input *input, char *data, size_t capacity, size_t *size_out,
                        vc_error *error)
{
    assert(capacity > 0);
    *size_out = 0;
    if (input->failure.status == VC_OK) {
        vc_status status = read_text(input, data, capacity, size_out, &input->failure);
        if (status == VC_OK) return VC_OK;
        input->failure.status = status; /* a source of the caller's may leave its error empty */
        vc_error_at_file(&input->failure, input->name, 0, 0);
    }
    *size_out = 0;
    if (error != NULL) *error = input->failure;
    return input->failure.status;
}

/* ---- opening and closing ---- */

static vc_input *input_new(const char *name)
{
    vc_input *input = calloc(1, sizeof *input);
    if (input == NULL) return NULL;
    input->fd = -1;
    input->name = vc_str_dup(vc_str_of(name));
    if (input->name != NULL) return input;
    free(input);
    return NULL;
}

/* Open the descriptor and learn what it is; closes nothing on failure: vc_input_close does. */
static vc_status open_fd(vc_input *input, const char *path, vc_error *error)
{
    struct stat about;
    input->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0) {
        vc_status status = errno == ENOENT || errno == ENOTDIR ? VC_NOT_FOUND : VC_STORAGE;
        const char *code = status == VC_NOT_FOUND ? "file_not_found" : "file_open";
        return vc_fail(error, status, code, "cannot open: %s", strerror(errno));
    }
    if (fstat(input->fd, &about) != 0)
        return vc_fail(error, VC_STORAGE, "file_open", "cannot open: %s", strerror(errno));
    if (S_ISDIR(about.st_mode))
        return vc_fail(error, VC_STORAGE, "file_open", "this is a folder, expected a file");
    if (S_ISREG(about.st_mode)) {
        input->progress.bytes_total = (uint64_t)about.st_size;
        /* Advice only; a failure changes nothing but the speed. */
        (void)posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return VC_OK;
}

vc_status vc_input_open_file(const char *path, vc_input **input_out, vc_error *error)
{
    vc_input *input = input_new(strcmp(path, "-") == 0 ? "standard input" : path);
    if (input == NULL) return vc_no_memory(error);
    vc_status status = open_fd(input, path, error);
    if (status != VC_OK) {
        vc_error_at_file(error, input->name, 0, 0);
        vc_input_close(input);
        return status;
    }
    input->source = read_fd;
    input->source_context = input;
    *input_out = input;
    return VC_OK;
}

vc_status vc_input_open_memory(vc_str bytes, const char *name, vc_input **input_out,
                               vc_error *error)
{
    vc_status status = vc_input_open_source(read_memory, NULL, bytes.size, name, input_out, error);
    if (status != VC_OK) return status;
    (*input_out)->memory.bytes = bytes;
    (*input_out)->source_context = &(*input_out)->memory;
    return VC_OK;
}

vc_status vc_input_open_source(vc_input_source source, void *context, uint64_t bytes_total,
                               const char *name, vc_input **input_out, vc_error *error)
{
    vc_input *input = input_new(name);
    if (input == NULL) return vc_no_memory(error);
    input->source = source;
    input->source_context = context;
    input->progress.bytes_total = bytes_total;
    *input_out = input;
    return VC_OK;
}

void vc_input_close(vc_input *input)
{
    if (input == NULL) return;
    if (input->format == FORMAT_GZIP) inflateEnd(&input->gzip);
    ZSTD_freeDStream(input->zstd);
    if (input->fd >= 0 && input->fd != STDIN_FILENO) close(input->fd);
    free(input->name);
    free(input);
}

void vc_input_set_encoding(vc_input *input, vc_charset encoding)
{
    assert(!input->has_started);
    input->encoding = encoding;
}

const char *vc_input_name(const vc_input *input)
{
    return input->name;
}

vc_input_progress vc_input_get_progress(const vc_input *input)
{
    return input->progress;
}
