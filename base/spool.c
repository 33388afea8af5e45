#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 1 << 20, /* of a write: less is put together first */
    CHECK_BYTES = 64 << 20,
    MOST_SPARE_BYTES = 1 << 30,
};

void vc_spool_open(vc_spool *spool, const char *directory, size_t memory_bytes)
{
    *spool = (vc_spool){.directory = directory, .memory_bytes = memory_bytes};
}

void vc_spool_close(vc_spool *spool)
{
    if (spool->file > 0) (void)close(spool->file - 1);
    vc_buffer_release(&spool->before);
    vc_buffer_release(&spool->memory);
    *spool = (vc_spool){0};
}

int vc_open_unnamed(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    char path[4096]; /* file systems that know no O_TMPFILE */
    int size = snprintf(path, sizeof path, "%s/.vcube-XXXXXX", directory);
    if (size < 0 || (size_t)size >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) (void)unlink(path);
    return fd;
}

static vc_status fail(const char *what, int problem, vc_error *error)
{
    if (problem == ENOSPC || problem == EDQUOT)
        return vc_fail(error, VC_DISK_FULL, "disk_full",
                       "no room on the disk for an answer that is too large for memory");
    return vc_fail(error, VC_STORAGE, "spool", "%s: %s", what, strerror(problem));
}

static vc_status open_file(vc_spool *spool, vc_error *error)
{
    const char *other = getenv("TMPDIR");
    if (other == NULL || other[0] == '\0') other = "/tmp";
    if (spool->directory != NULL) spool->file = vc_open_unnamed(spool->directory) + 1;
    if (spool->file == 0) spool->file = vc_open_unnamed(other) + 1;
    return spool->file == 0 ? fail(other, errno, error) : VC_OK;
}

/* Loads and others need some of the disk, too. */
static vc_status check_room(vc_spool *spool, size_t size, vc_error *error)
{
    struct statvfs info;
    if (spool->nwritten + size <= spool->checked) return VC_OK;
    if (fstatvfs(spool->file - 1, &info) != 0) return VC_OK;
    uint64_t whole = (uint64_t)info.f_blocks * info.f_frsize, spare = whole / 20;
    uint64_t room = (uint64_t)info.f_bavail * info.f_frsize;
    if (spare > MOST_SPARE_BYTES) spare = MOST_SPARE_BYTES;
    if (whole > 0 && room < spare + size + CHECK_BYTES) return fail("", ENOSPC, error);
    spool->checked = spool->nwritten + size + CHECK_BYTES;
    return VC_OK;
}

static vc_status write_out(vc_spool *spool, const char *data, size_t size, vc_error *error)
{
    vc_status status = spool->file == 0 ? open_file(spool, error) : VC_OK;
    if (status == VC_OK) status = check_room(spool, size, error);
    if (status != VC_OK) return status;
    while (size > 0) {
        ssize_t n = write(spool->file - 1, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail("the file of a large answer", n < 0 ? errno : ENOSPC, error);
        data += n;
        size -= (size_t)n;
        spool->nwritten += (uint64_t)n;
    }
    return VC_OK;
}

static vc_status flush(vc_spool *spool, vc_error *error)
{
    vc_status status = write_out(spool, spool->memory.data, spool->memory.size, error);
    vc_buffer_clear(&spool->memory);
    return status;
}

vc_status vc_spool_put(vc_spool *spool, const void *data, size_t size, vc_error *error)
{
    size_t most = spool->file == 0 ? spool->memory_bytes : BLOCK_BYTES;
    if (spool->memory.size + size <= most) {
        vc_buffer_put(&spool->memory, data, size);
        return spool->memory.failed ? vc_no_memory(error) : VC_OK;
    }
    vc_status status = flush(spool, error);
    if (status == VC_OK) status = write_out(spool, data, size, error);
    return status;
}

void vc_spool_set_before(vc_spool *spool, vc_buffer *before)
{
    vc_buffer_release(&spool->before);
    spool->before = *before;
    *before = (vc_buffer){0};
}

vc_status vc_spool_seal(vc_spool *spool, vc_error *error)
{
    if (spool->file == 0) return spool->memory.failed ? vc_no_memory(error) : VC_OK;
    vc_status status = flush(spool, error);
    vc_buffer_release(&spool->memory);
    return status;
}

uint64_t vc_spool_size(const vc_spool *spool)
{
    return spool->before.size + spool->nwritten + spool->memory.size;
}

ssize_t vc_spool_read(const vc_spool *spool, uint64_t offset, void *data, size_t capacity)
{
    const vc_buffer *from = &spool->before;
    if (offset >= from->size) {
        offset -= from->size;
        if (spool->file > 0) {
            ssize_t n;
            do
                n = pread(spool->file - 1, data, capacity, (off_t)offset);
            while (n < 0 && errno == EINTR);
            return n;
        }
        from = &spool->memory;
    }
    if (offset >= from->size) return 0;
    size_t left = from->size - (size_t)offset, size = left < capacity ? left : capacity;
    memcpy(data, from->data + offset, size);
    return (ssize_t)size;
}
