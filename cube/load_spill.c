#include "cube/load_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = VC_SEGMENT_ROWS * sizeof(uint32_t) };

/* 256 KiB each: up to 16 MiB stay in memory, which is all there is of most loads. */
enum { PIECES_IN_MEMORY = 64 };

struct vc_spill {
    char *directory;
    uint32_t *pieces[PIECES_IN_MEMORY];
    uint64_t npieces;
    int fd; /* -1 until there are more */
};

vc_status vc_spill_new(const char *directory, vc_spill **spill_out, vc_error *error)
{
    vc_spill *spill = calloc(1, sizeof *spill);
    if (spill == NULL) return vc_no_memory(error);
    spill->fd = -1;
    spill->directory = vc_str_dup(vc_str_of(directory));
    if (spill->directory == NULL) {
        free(spill);
        return vc_no_memory(error);
    }
    *spill_out = spill;
    return VC_OK;
}

void vc_spill_free(vc_spill *spill)
{
    if (spill == NULL) return;
    for (size_t i = 0; i < PIECES_IN_MEMORY; i++)
        free(spill->pieces[i]);
    if (spill->fd >= 0) close(spill->fd);
    free(spill->directory);
    free(spill);
}

static vc_status fail_file(const vc_spill *spill, const char *what, vc_error *error)
{
    int number = errno;
    vc_status status = number == ENOSPC || number == EDQUOT ? VC_DISK_FULL : VC_STORAGE;
    return vc_fail(error, status, status == VC_DISK_FULL ? "disk_full" : "spill",
                   "cannot %s a temporary file in %s: %s", what, spill->directory,
                   strerror(number));
}

/* A file without a name goes away with the process, however it ends. Not every file system can make
 * one: then it is made with a name, which is taken away at once. */
static vc_status open_file(vc_spill *spill, vc_error *error)
{
    spill->fd = open(spill->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (spill->fd >= 0) return VC_OK;
    size_t size = strlen(spill->directory);
    char *path = malloc(size + sizeof "/spill.XXXXXX");
    if (path == NULL) return vc_no_memory(error);
    memcpy(path, spill->directory, size);
    memcpy(path + size, "/spill.XXXXXX", sizeof "/spill.XXXXXX");
    spill->fd = mkostemp(path, O_CLOEXEC);
    vc_status status = spill->fd >= 0 ? VC_OK : fail_file(spill, "make", error);
    if (spill->fd >= 0) unlink(path);
    free(path);
    return status;
}

static off_t find_piece(uint64_t piece)
{
    return (off_t)((piece - PIECES_IN_MEMORY) * PIECE_BYTES);
}

vc_status vc_spill_put(vc_spill *spill, const uint32_t *rows, uint32_t nrows, vc_error *error)
{
    assert(nrows <= VC_SEGMENT_ROWS);
    uint64_t piece = spill->npieces;
    size_t size = nrows * sizeof *rows;
    if (piece < PIECES_IN_MEMORY) {
        spill->pieces[piece] = malloc(size + 1);
        if (spill->pieces[piece] == NULL) return vc_no_memory(error);
        memcpy(spill->pieces[piece], rows, size);
        spill->npieces++;
        return VC_OK;
    }
    if (spill->fd < 0) {
        vc_status status = open_file(spill, error);
        if (status != VC_OK) return status;
    }
    const char *data = (const char *)rows;
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(spill->fd, data + done, size - done, find_piece(piece) + (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_file(spill, "write", error);
        done += (size_t)n;
    }
    spill->npieces++;
    return VC_OK;
}

vc_status vc_spill_get(const vc_spill *spill, uint64_t piece, uint32_t *rows, uint32_t nrows,
                       vc_error *error)
{
    assert(piece < spill->npieces && nrows <= VC_SEGMENT_ROWS);
    size_t size = nrows * sizeof *rows;
    if (piece < PIECES_IN_MEMORY) {
        memcpy(rows, spill->pieces[piece], size);
        return VC_OK;
    }
    char *data = (char *)rows;
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(spill->fd, data + done, size - done, find_piece(piece) + (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_file(spill, "read", error);
        if (n == 0)
            return vc_fail(error, VC_STORAGE, "spill", "a temporary file in %s has been cut",
                           spill->directory);
        done += (size_t)n;
    }
    return VC_OK;
}
