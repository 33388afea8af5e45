#include "storage/backup.h"

#include "storage/filesystem.h"
#include "storage/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".vcube-backup-"

typedef struct copy { /* while it has a temporary name */
    char folder[PATH_MAX], path[PATH_MAX + 16];
    int lock; /* on the folder: it is in use */
} copy;

static vc_status fail_file(const char *what, const char *path, int number, vc_error *error)
{
    if (number == ENOSPC || number == EDQUOT)
        return vc_fail(error, VC_DISK_FULL, "disk_full",
                       "%s: no room is left on the file system of %s", what, path);
    return vc_fail(error, VC_STORAGE, "backup_write", "%s: %s: %s", what, path, strerror(number));
}

/* ---- temporary folders ---- */

static void remove_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        unlinkat(dirfd(entries), entry->d_name, 0); /* fails for . and .., as it should */
    if (entries != NULL) closedir(entries);
    rmdir(folder);
}

/* What killed copies left: their folders are not locked any more. */
static void remove_stale(const char *directory)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        char folder[PATH_MAX];
        int size = snprintf(folder, sizeof folder, "%s/%s", directory, entry->d_name);
        if (strncmp(entry->d_name, TEMPORARY, strlen(TEMPORARY)) != 0 || size < 0 ||
            (size_t)size >= sizeof folder)
            continue;
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) remove_folder(folder);
        close(fd);
    }
    if (entries != NULL) closedir(entries);
}

/* A folder that is not locked yet may be taken for a stale one: then another is made. */
static vc_status make_folder(const char *directory, copy *to, vc_error *error)
{
    struct stat info;
    for (int attempt = 0; attempt < 10; attempt++) {
        int size = snprintf(to->folder, sizeof to->folder, "%s/" TEMPORARY "XXXXXX", directory);
        if (size < 0 || (size_t)size >= sizeof to->folder)
            return fail_file("back up", directory, ENAMETOOLONG, error);
        if (mkdtemp(to->folder) == NULL) return fail_file("back up", directory, errno, error);
        snprintf(to->path, sizeof to->path, "%s/vcube.mdb", to->folder);
        to->lock = open(to->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (to->lock >= 0 && flock(to->lock, LOCK_EX | LOCK_NB) == 0 &&
            stat(to->folder, &info) == 0)
            return VC_OK;
        if (to->lock >= 0) close(to->lock);
        to->lock = -1;
    }
    return fail_file("back up", to->folder, EBUSY, error);
}

static void end_copy(copy *from)
{
    if (from->lock < 0) return;
    remove_folder(from->folder);
    close(from->lock);
    from->lock = -1;
}

/* ---- copying ---- */

/* Rather than fill a disk to its last byte, which others may need. */
static vc_status check_room(vc_store *store, const char *directory, vc_error *error)
{
    vc_store_stats stats;
    vc_fs_room room;
    vc_status status = vc_store_stat(store, &stats, error);
    if (status != VC_OK || !vc_fs_room_of(directory, &room)) return status;
    if (room.free_bytes > stats.used_bytes) return vc_fs_check_room(directory, 0, error);
    return vc_fail(error, VC_DISK_FULL, "disk_full",
                   "%s has %llu MiB free, and the copy needs %llu MiB", directory,
                   (unsigned long long)(room.free_bytes >> 20),
                   (unsigned long long)(stats.used_bytes >> 20) + 1);
}

static vc_status write_copy(vc_store *store, const char *path, vc_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return fail_file("back up", path, errno, error);
    vc_status status = VC_OK;
    int rc = vc_env_copy(store->env, fd);
    if (rc == ENOSPC || rc == EDQUOT)
        status = fail_file("back up", path, rc, error);
    else if (rc != 0)
        status = vc_env_fail(store->env, rc, "back up", error);
    if (status == VC_OK && fsync(fd) != 0) status = fail_file("back up", path, errno, error);
    if (close(fd) != 0 && status == VC_OK) status = fail_file("back up", path, errno, error);
    return status;
}

/* Is it a store? */
static vc_status check_copy(vc_store *store, const copy *made, const vc_backup_options *options,
                            vc_backup_report *report, vc_error *error)
{
    vc_store *opened;
    vc_snapshot *snapshot;
    MDB_envinfo info;
    struct stat file;
    mdb_env_info(vc_env_mdb(store->env), &info);
    vc_store_options how = {
        .is_read_only = true, .allow_network_files = true, .map_bytes = info.me_mapsize};
    vc_status status = vc_store_open(made->folder, &how, &opened, error);
    if (status != VC_OK) return status;
    status = vc_snapshot_open(opened, &snapshot, error);
    if (status == VC_OK) {
        report->epoch = vc_snapshot_epoch(snapshot);
        snprintf(report->snapshot, sizeof report->snapshot, "%s", vc_snapshot_id(snapshot));
        vc_snapshot_close(snapshot);
        report->nbytes = stat(made->path, &file) == 0 ? (uint64_t)file.st_size : 0;
    }
    if (status == VC_OK && options != NULL && options->check != NULL)
        status = options->check(options->context, opened, error);
    vc_store_close(opened);
    return status;
}

static vc_status make_copy(vc_store *store, const char *directory, const vc_backup_options *options,
                           copy *made, vc_backup_report *report, vc_error *error)
{
    *report = (vc_backup_report){0};
    made->lock = -1;
    remove_stale(directory);
    vc_status status = check_room(store, directory, error);
    if (status == VC_OK) status = make_folder(directory, made, error);
    if (status == VC_OK) status = write_copy(store, made->path, error);
    return status == VC_OK ? check_copy(store, made, options, report, error) : status;
}

/* ---- with a name ---- */

static vc_status fail_exists(const char *path, vc_error *error)
{
    return vc_fail(error, VC_CONFLICT, "backup_exists",
                   "%s is there already; choose another folder, or force it", path);
}

static vc_status check_target(const vc_store *store, const char *path, bool force, vc_error *error)
{
    struct stat info;
    if (stat(path, &info) != 0) return VC_OK;
    if (info.st_dev == store->device && info.st_ino == store->inode)
        return vc_fail(error, VC_CONFLICT, "backup_is_store",
                       "%s is the store itself, which is no place for its copy", path);
    return force ? VC_OK : fail_exists(path, error);
}

static vc_status give_name(const copy *made, const char *path, bool force, vc_error *error)
{
    int rc = force ? rename(made->path, path) : link(made->path, path);
    if (rc == 0) return VC_OK;
    return errno == EEXIST ? fail_exists(path, error) : fail_file("back up", path, errno, error);
}

vc_status vc_store_backup(vc_store *store, const char *directory, const vc_backup_options *options,
                          vc_backup_report *report_out, vc_error *error)
{
    char path[PATH_MAX];
    copy made = {.lock = -1};
    bool force = options != NULL && options->force;
    int size = snprintf(path, sizeof path, "%s/vcube.mdb", directory);
    if (size < 0 || (size_t)size >= sizeof path)
        return fail_file("back up", directory, ENAMETOOLONG, error);
    vc_status status = vc_fs_make_directory(directory, error);
    if (status == VC_OK) status = check_target(store, path, force, error);
    if (status != VC_OK) return status;
    status = make_copy(store, directory, options, &made, report_out, error);
    if (status == VC_OK) status = give_name(&made, path, force, error);
    end_copy(&made);
    return status == VC_OK ? vc_fs_sync_directory(directory, error) : status;
}

vc_status vc_store_backup_unnamed(vc_store *store, const vc_backup_options *options, int *fd_out,
                                  vc_backup_report *report_out, vc_error *error)
{
    copy made = {.lock = -1};
    *fd_out = -1;
    vc_status status = make_copy(store, store->directory, options, &made, report_out, error);
    if (status == VC_OK) {
        *fd_out = open(made.path, O_RDONLY | O_CLOEXEC);
        if (*fd_out < 0) status = fail_file("back up", made.path, errno, error);
    }
    end_copy(&made);
    return status;
}
