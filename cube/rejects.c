#include "cube/rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct vc_rejects {
    char *path;
    char *temporary; /* path with a suffix; exists while file is open */
    FILE *file;      /* NULL before the first reject */
    uint64_t count;
    int failure; /* errno of the first write that failed, 0 when none did */
};

static vc_status fail_write(const vc_rejects *rejects, vc_error *error)
{
    vc_status status = rejects->failure == ENOSPC ? VC_DISK_FULL : VC_STORAGE;
    vc_fail(error, status, "rejects_write", "cannot write the file of rejected rows: %s",
            strerror(rejects->failure));
    vc_error_at_file(error, rejects->path, 0, 0);
    return status;
}

vc_status vc_rejects_new(const char *path, vc_rejects **rejects_out, vc_error *error)
{
    static const char suffix[] = ".XXXXXX";
    vc_rejects *rejects = calloc(1, sizeof *rejects);
    if (rejects == NULL) return vc_no_memory(error);
    size_t size = strlen(path);
    rejects->path = vc_str_dup(vc_str_of(path));
    rejects->temporary = malloc(size + sizeof suffix);
    if (rejects->path == NULL || rejects->temporary == NULL) {
        vc_rejects_abandon(rejects);
        return vc_no_memory(error);
    }
    memcpy(rejects->temporary, path, size);
    memcpy(rejects->temporary + size, suffix, sizeof suffix);
    *rejects_out = rejects;
    return VC_OK;
}

/* Sets failure, when it fails. */
static void create_file(vc_rejects *rejects)
{
    int fd = mkostemp(rejects->temporary, O_CLOEXEC);
    if (fd < 0) {
        rejects->failure = errno;
        return;
    }
    rejects->file = fdopen(fd, "w");
    if (rejects->file == NULL) {
        rejects->failure = errno;
        close(fd);
        unlink(rejects->temporary);
        return;
    }
    fputs("file,line,column,reason,record\r\n", rejects->file);
}

static void put_quoted(FILE *file, vc_str text)
{
    fputc('"', file);
    while (text.size > 0) {
        const char *quote = memchr(text.data, '"', text.size);
        size_t size = quote != NULL ? (size_t)(quote - text.data) + 1 : text.size;
        fwrite(text.data, 1, size, file);
        if (quote != NULL) fputc('"', file);
        text.data += size;
        text.size -= size;
    }
    fputc('"', file);
}

static void put_number(FILE *file, unsigned number)
{
    if (number > 0) fprintf(file, "%u", number);
    fputc(',', file);
}

vc_status vc_rejects_put(vc_rejects *rejects, const vc_error *reason, vc_str record,
                         vc_error *error)
{
    rejects->count++;
    if (rejects->file == NULL && rejects->failure == 0) create_file(rejects);
    if (rejects->failure != 0) return fail_write(rejects, error);
    FILE *file = rejects->file;
    errno = 0;
    put_quoted(file, vc_str_of(reason->file));
    fputc(',', file);
    put_number(file, reason->line);
    put_number(file, reason->column);
    put_quoted(file, vc_str_of(reason->message));
    fputc(',', file);
    put_quoted(file, record);
    fputs("\r\n", file);
    if (!ferror(file)) return VC_OK;
    rejects->failure = errno != 0 ? errno : EIO;
    return fail_write(rejects, error);
}

uint64_t vc_rejects_count(const vc_rejects *rejects)
{
    return rejects->count;
}

const char *vc_rejects_path(const vc_rejects *rejects)
{
    return rejects->path;
}

/* So that the new name is on the disk as well. Some file systems cannot sync a folder, which says
 * nothing about the file: no error. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    char *folder = vc_str_dup(slash != NULL ? (vc_str){path, size} : VC_STR("."));
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

/* Sets failure, when it fails. */
static void finish_file(vc_rejects *rejects)
{
    errno = 0;
    bool is_written = fflush(rejects->file) == 0 && fsync(fileno(rejects->file)) == 0;
    if (!is_written) rejects->failure = errno != 0 ? errno : EIO;
    if (fclose(rejects->file) != 0 && rejects->failure == 0) rejects->failure = errno;
    rejects->file = NULL;
    if (rejects->failure == 0 && rename(rejects->temporary, rejects->path) != 0)
        rejects->failure = errno;
    if (rejects->failure != 0)
        unlink(rejects->temporary);
    else
        sync_folder(rejects->path);
}

vc_status vc_rejects_close(vc_rejects *rejects, vc_error *error)
{
    if (rejects == NULL) return VC_OK;
    if (rejects->file != NULL && rejects->failure == 0) finish_file(rejects);
    vc_status status = rejects->failure == 0 ? VC_OK : fail_write(rejects, error);
    vc_rejects_abandon(rejects);
    return status;
}

void vc_rejects_abandon(vc_rejects *rejects)
{
    if (rejects == NULL) return;
    if (rejects->file != NULL) {
        fclose(rejects->file);
        unlink(rejects->temporary);
    }
    free(rejects->temporary);
    free(rejects->path);
    free(rejects);
}
