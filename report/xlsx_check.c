/* Is a workbook whole? libxlsxwriter writes its parts to temporary files and does not look whether
 * that went well; a full disk would give a workbook that no program opens. Each part is XML, so one
 * that lacks its end lacks the end of its outermost element.
 *
 * Only what libxlsxwriter writes is understood: deflated parts, sizes in the central directory.
 */
#include "report/xlsx_parts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

typedef struct xlsx_file {
    const unsigned char *bytes;
    size_t size;
} xlsx_file;

static uint32_t number_at(const unsigned char *bytes, unsigned size)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number |= (uint32_t)bytes[i] << 8 * i;
    return number;
}

enum { KEPT = 64 };

typedef struct xlsx_tail { /* the last bytes of a part */
    char bytes[KEPT];
    size_t size;
    char root[32]; /* of its outermost element: "worksheet" */
} xlsx_tail;

/* The name of the first element that is no "<?xml". */
static void find_root(xlsx_tail *tail, const char *text, size_t size)
{
    size_t at = 0;
    while (at + 1 < size && (text[at] != '<' || text[at + 1] == '?'))
        at++;
    size_t first = ++at;
    while (at < size && strchr(" >/\r\n", text[at]) == NULL && at - first < sizeof tail->root - 1)
        at++;
    if (at <= size) memcpy(tail->root, text + first, at - first);
    tail->root[at - first] = '\0';
}

static void keep_tail(xlsx_tail *tail, const char *text, size_t size)
{
    if (tail->root[0] == '\0') find_root(tail, text, size);
    if (size >= KEPT) {
        memcpy(tail->bytes, text + size - KEPT, KEPT);
        tail->size = KEPT;
        return;
    }
    size_t kept = tail->size + size > KEPT ? KEPT - size : tail->size;
    memmove(tail->bytes, tail->bytes + tail->size - kept, kept);
    memcpy(tail->bytes + kept, text, size);
    tail->size = kept + size;
}

static bool is_ended(const xlsx_tail *tail)
{
    char end[48];
    int size = snprintf(end, sizeof end, "</%s>", tail->root);
    size_t left = tail->size;
    while (left > 0 && strchr("\r\n ", tail->bytes[left - 1]) != NULL)
        left--;
    if (left >= (size_t)size && memcmp(tail->bytes + left - size, end, (size_t)size) == 0)
        return true;
    /* An outermost element without any other. */
    return left >= 2 && memcmp(tail->bytes + left - 2, "/>", 2) == 0 &&
           memchr(tail->bytes, '<', left) != NULL &&
           memmem(tail->bytes, left, tail->root, strlen(tail->root)) != NULL;
}

static bool inflate_part(z_stream *stream, const unsigned char *data, size_t size, char *room,
                         size_t room_bytes, bool *is_whole_out)
{
    xlsx_tail tail = {.size = 0};
    int result = Z_OK;
    if (inflateReset(stream) != Z_OK) return false;
    stream->next_in = (unsigned char *)data;
    stream->avail_in = (unsigned)size;
    while (result == Z_OK) {
        stream->next_out = (unsigned char *)room;
        stream->avail_out = (unsigned)room_bytes;
        result = inflate(stream, Z_NO_FLUSH);
        if (room_bytes > stream->avail_out)
            keep_tail(&tail, room, room_bytes - stream->avail_out);
        else if (result == Z_OK)
            result = Z_DATA_ERROR;
    }
    *is_whole_out = result == Z_STREAM_END && is_ended(&tail);
    return true;
}

/* One entry of the central directory. False: the file is not what libxlsxwriter makes. */
static bool check_entry(const xlsx_file *file, size_t at, z_stream *stream, char *room,
                        size_t room_bytes, size_t *next_out)
{
    enum { ENTRY = 46, LOCAL = 30 };
    if (at + ENTRY > file->size || memcmp(file->bytes + at, "PK\1\2", 4) != 0) return false;
    const unsigned char *entry = file->bytes + at;
    uint32_t packed = number_at(entry + 20, 4), place = number_at(entry + 42, 4);
    *next_out =
        at + ENTRY + number_at(entry + 28, 2) + number_at(entry + 30, 2) + number_at(entry + 32, 2);
    if ((size_t)place + LOCAL > file->size) return false;
    const unsigned char *local = file->bytes + place;
    size_t data = (size_t)place + LOCAL + number_at(local + 26, 2) + number_at(local + 28, 2);
    bool is_whole = false;
    if (number_at(entry + 10, 2) != Z_DEFLATED || data + packed > file->size) return false;
    return inflate_part(stream, file->bytes + data, packed, room, room_bytes, &is_whole) &&
           is_whole;
}

static bool check_parts(const xlsx_file *file, z_stream *stream, char *room, size_t room_bytes)
{
    enum { END = 22 };
    if (file->size < END) return false;
    size_t end = file->size - END; /* without a comment, as libxlsxwriter writes it */
    if (memcmp(file->bytes + end, "PK\5\6", 4) != 0) return false;
    size_t nentries = number_at(file->bytes + end + 10, 2);
    size_t at = number_at(file->bytes + end + 16, 4);
    for (size_t i = 0; i < nentries; i++)
        if (!check_entry(file, at, stream, room, room_bytes, &at)) return false;
    return nentries > 0;
}

static vc_status check_bytes(const xlsx_file *file, const char *path, vc_error *error)
{
    enum { ROOM_BYTES = 64 << 10 };
    z_stream stream = {0};
    char *room = malloc(ROOM_BYTES);
    if (room == NULL || inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        free(room);
        return vc_no_memory(error);
    }
    bool is_whole = check_parts(file, &stream, room, ROOM_BYTES);
    inflateEnd(&stream);
    free(room);
    if (is_whole) return VC_OK;
    vc_fail(error, VC_DISK_FULL, "disk_full",
            "a part of the workbook is not whole: the disk was full, or a file may not be so long");
    vc_error_at_file(error, path, 0, 0);
    return VC_DISK_FULL;
}

vc_status vc_xlsx_check(const char *path, vc_error *error)
{
    struct stat about;
    vc_status status = VC_STORAGE;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes = MAP_FAILED;
    if (file >= 0 && fstat(file, &about) == 0 && about.st_size > 0)
        bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
        vc_fail(error, VC_STORAGE, "storage", "cannot read the workbook that was written");
        vc_error_at_file(error, path, 0, 0);
    } else {
        xlsx_file whole = {.bytes = bytes, .size = (size_t)about.st_size};
        status = check_bytes(&whole, path, error);
        munmap(bytes, (size_t)about.st_size);
    }
    if (file >= 0) close(file);
    return status;
}
