#include "http/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 16 * 1024 * 1024 };

/* ---- reading ---- */

static vc_status check_file(const char *path, const char *what, mode_t forbidden,
                            const struct stat *about, vc_error *error)
{
    if (!S_ISREG(about->st_mode))
        return vc_fail(error, VC_BAD_INPUT, "file_read", "%s '%s' is no file", what, path);
    if ((about->st_mode & forbidden) != 0)
        return vc_fail(error, VC_BAD_INPUT, "file_mode",
                       "%s '%s' has the mode %04o: others than its owner may %s it; "
                       "chmod %s it",
                       what, path, (unsigned)(about->st_mode & 07777),
                       (about->st_mode & forbidden & (S_IRGRP | S_IROTH)) != 0 ? "read" : "write",
                       forbidden == VC_FILE_OWNERS_ALONE ? "600" : "o-w");
    if (about->st_size > MAX_FILE_BYTES)
        return vc_fail(error, VC_BAD_INPUT, "file_too_large", "%s '%s' has more than %d bytes",
                       what, path, MAX_FILE_BYTES);
    return VC_OK;
}

vc_status vc_file_read(const char *path, const char *what, mode_t forbidden, vc_arena *arena,
                       vc_str *text_out, struct stat *about_out, vc_error *error)
{
    struct stat about;
    /* Not to wait for the other end of a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? vc_fail(error, VC_NOT_FOUND, "missing_file",
                                         "there is no file '%s' (%s)", path, what)
                               : vc_fail(error, VC_STORAGE, "file_read", "%s '%s': %s", what, path,
                                         strerror(errno));
    vc_status status = VC_OK;
    if (fstat(fd, &about) != 0)
        status = vc_fail(error, VC_STORAGE, "file_read", "'%s': %s", path, strerror(errno));
    if (status == VC_OK) status = check_file(path, what, forbidden, &about, error);
    size_t size = 0, capacity = status == VC_OK ? (size_t)about.st_size + 1 : 0;
    char *text = status == VC_OK ? vc_arena_alloc(arena, capacity + 1) : NULL;
    if (status == VC_OK && text == NULL) status = vc_no_memory(error);
    while (status == VC_OK && size < capacity) {
        ssize_t got = read(fd, text + size, capacity - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            status = vc_fail(error, VC_STORAGE, "file_read", "'%s': %s", path, strerror(errno));
        if (got <= 0) break;
        size += (size_t)got;
    }
    close(fd);
    if (status == VC_OK && size == capacity)
        status = vc_fail(error, VC_STORAGE, "file_read", "'%s' grew while it was read", path);
    if (status != VC_OK) return status;
    text[size] = '\0';
    *text_out = (vc_str){text, size};
    if (about_out != NULL) *about_out = about;
    return VC_OK;
}

vc_status vc_json_file_read(const char *path, const char *what, mode_t forbidden, vc_arena *arena,
                            vc_json_file *file_out, vc_error *error)
{
    *file_out = (vc_json_file){0};
    vc_str kept = vc_arena_str(arena, vc_str_of(path));
    if (kept.data == NULL) return vc_no_memory(error);
    file_out->path = kept.data;
    vc_status status = vc_file_read(path, what, forbidden, arena, &file_out->text, NULL, error);
    if (status == VC_OK)
        status = vc_json_parse(file_out->text, file_out->path, 0, &file_out->json, error);
    if (status == VC_OK && !json_is_object(file_out->json)) {
        status = vc_fail(error, VC_BAD_INPUT, "bad_type", "found %s, expected an object",
                         vc_json_type_name(file_out->json));
        vc_error_at_file(error, file_out->path, 1, 1);
        json_decref(file_out->json);
        file_out->json = NULL;
    }
    return status;
}

vc_status vc_json_file_locate(const vc_json_file *file, vc_error *error)
{
    unsigned line, column;
    if (error == NULL) return VC_BAD_INPUT;
    vc_json_locate(file->text, error->pointer, &line, &column);
    vc_error_at_file(error, file->path, line, column);
    return error->status;
}

/* ---- writing ---- */

static vc_status fail_write(const char *path, vc_error *error)
{
    return vc_fail(error, VC_STORAGE, "file_write", "cannot write '%s': %s", path, strerror(errno));
}

static bool write_all(int fd, vc_str text)
{
    while (text.size > 0) {
        ssize_t put = write(fd, text.data, text.size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        text.data += put;
        text.size -= (size_t)put;
    }
    return true;
}

static int open_folder(const char *path, vc_arena *arena)
{
    const char *folder = vc_file_beside(path, VC_STR("."), arena);
    return folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

/* Who ran the command may be another than who serves: a file keeps its owner, and one that root
 * makes is of who has the folder. */
static bool keep_owner(const char *path, int fd, vc_arena *arena)
{
    struct stat before, now;
    bool is_new = stat(path, &before) != 0;
    const char *folder = is_new ? vc_file_beside(path, VC_STR("."), arena) : NULL;
    if (is_new && (geteuid() != 0 || folder == NULL || stat(folder, &before) != 0)) return true;
    if (fstat(fd, &now) != 0) return true;
    if (before.st_uid == now.st_uid && before.st_gid == now.st_gid) return true;
    return fchown(fd, before.st_uid, before.st_gid) == 0 || before.st_uid == now.st_uid;
}

vc_status vc_file_replace(const char *path, vc_str text, vc_error *error)
{
    vc_arena arena = {0};
    vc_str name = vc_arena_printf(&arena, "%s.XXXXXX", path);
    vc_status status = VC_OK;
    char *temporary = (char *)name.data;
    int fd = temporary != NULL ? mkostemp(temporary, O_CLOEXEC) : -1; /* 0600 from the first */
    if (temporary == NULL) {
        status = vc_no_memory(error);
    } else if (fd < 0) {
        status = fail_write(path, error);
    } else {
        if (!keep_owner(path, fd, &arena) || !write_all(fd, text) || fsync(fd) != 0)
            status = fail_write(path, error);
        if (close(fd) != 0 && status == VC_OK) status = fail_write(path, error);
        if (status == VC_OK && rename(temporary, path) != 0) status = fail_write(path, error);
        if (status != VC_OK) unlink(temporary);
    }
    int folder = status == VC_OK ? open_folder(path, &arena) : -1;
    if (folder >= 0) {
        (void)fsync(folder); /* not all file systems have it for folders */
        close(folder);
    }
    vc_arena_release(&arena);
    return status;
}

vc_status vc_file_lock(const char *path, int *lock_out, vc_error *error)
{
    vc_arena arena = {0};
    *lock_out = open_folder(path, &arena);
    vc_status status = VC_OK;
    int rc = -1;
    while (*lock_out >= 0 && (rc = flock(*lock_out, LOCK_EX)) != 0 && errno == EINTR) {}
    if (*lock_out < 0 || rc != 0) {
        status = fail_write(path, error);
        if (*lock_out >= 0) close(*lock_out);
        *lock_out = -1;
    }
    vc_arena_release(&arena);
    return status;
}

void vc_file_unlock(int lock)
{
    if (lock >= 0) close(lock);
}

const char *vc_file_beside(const char *from, vc_str path, vc_arena *arena)
{
    const char *slash = strrchr(from, '/');
    if (slash == NULL || (path.size > 0 && path.data[0] == '/'))
        return vc_arena_str(arena, path).data;
    return vc_arena_printf(arena, "%.*s%.*s", (int)(slash - from) + 1, from, VC_FMT(path)).data;
}
