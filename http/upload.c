#include "http/upload.h"

#include "base/spool.h"
#include "storage/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECK_ROOM_BYTES = 16 << 20 };

struct vc_upload {
    int fd;
    const char *directory;
    uint64_t max_bytes, nbytes, nread;
    uint64_t checked; /* bytes up to which there was room on the disk */
    char first[4];
    vc_error failure; /* VC_OK until something failed */
};

static vc_status fail_file(const vc_upload *upload, const char *what, int number, vc_error *error)
{
    if (number == ENOSPC || number == EDQUOT)
        return vc_fail(error, VC_DISK_FULL, "disk_full",
                       "no room for the body is left on the file system of %s", upload->directory);
    return vc_fail(error, VC_STORAGE, "spool", "cannot %s the file of a body in %s: %s", what,
                   upload->directory, strerror(number));
}

vc_status vc_upload_new(const char *directory, uint64_t max_bytes, vc_upload **upload_out,
                        vc_error *error)
{
    vc_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) return vc_no_memory(error);
    upload->directory = directory;
    upload->max_bytes = max_bytes;
    upload->fd = vc_open_unnamed(directory);
    vc_status status = upload->fd >= 0 ? VC_OK : fail_file(upload, "make", errno, error);
    if (status != VC_OK) {
        free(upload);
        return status;
    }
    *upload_out = upload;
    return VC_OK;
}

void vc_upload_free(vc_upload *upload)
{
    if (upload == NULL) return;
    close(upload->fd);
    free(upload);
}

static vc_status check_room(vc_upload *upload, vc_error *error)
{
    if (upload->nbytes < upload->checked) return VC_OK;
    upload->checked = upload->nbytes + CHECK_ROOM_BYTES;
    return vc_fs_check_room(upload->directory, CHECK_ROOM_BYTES, error);
}

static vc_status write_all(vc_upload *upload, const char *data, size_t size, vc_error *error)
{
    while (size > 0) {
        ssize_t written = write(upload->fd, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return fail_file(upload, "write", written < 0 ? errno : EIO, error);
        data += written;
        size -= (size_t)written;
    }
    return VC_OK;
}

bool vc_upload_put(vc_upload *upload, const char *data, size_t size)
{
    vc_error *failure = &upload->failure;
    if (failure->status != VC_OK) return false;
    for (size_t i = 0; i < size && upload->nbytes + i < sizeof upload->first; i++)
        upload->first[upload->nbytes + i] = data[i];
    if (size > upload->max_bytes - upload->nbytes)
        vc_fail(failure, VC_LIMIT, "body_too_large", "the body has more than %llu bytes",
                (unsigned long long)upload->max_bytes);
    else if (check_room(upload, failure) == VC_OK)
        (void)write_all(upload, data, size, failure);
    if (failure->status == VC_OK) {
        upload->nbytes += size;
        return true;
    }
    int rc = ftruncate(upload->fd, 0); /* the disk may be full because of it */
    (void)rc;
    return false;
}

vc_status vc_upload_finish(vc_upload *upload, vc_error *error)
{
    if (upload->failure.status != VC_OK && error != NULL) *error = upload->failure;
    return upload->failure.status;
}

uint64_t vc_upload_nbytes(const vc_upload *upload)
{
    return upload->nbytes;
}

vc_str vc_upload_first(const vc_upload *upload)
{
    size_t size = sizeof upload->first;
    return (vc_str){upload->first, upload->nbytes < size ? (size_t)upload->nbytes : size};
}

vc_status vc_upload_read(vc_upload *upload, char *data, size_t capacity, size_t *size_out,
                         vc_error *error)
{
    ssize_t size;
    do
        size = pread(upload->fd, data, capacity, (off_t)upload->nread);
    while (size < 0 && errno == EINTR);
    if (size < 0) return fail_file(upload, "read", errno, error);
    upload->nread += (uint64_t)size;
    *size_out = (size_t)size;
    return VC_OK;
}
