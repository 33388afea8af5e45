#include "storage/filesystem.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static const uint64_t MIB = UINT64_C(1) << 20, GIB = UINT64_C(1) << 30;

const char *vc_fs_network_name(uint64_t statfs_type)
{
    static const struct {
        uint64_t type;
        const char *name;
    } known[] = {
        {0x6969, "NFS"},       {0xFF534D42, "CIFS"}, {0x517B, "SMB"},        {0xFE534D42, "SMB"},
        {0x65735546, "FUSE"},  {0x01021997, "9P"},   {0x00C36400, "Ceph"},   {0x5346414F, "AFS"},
        {0x6B414653, "AFS"},   {0x73757245, "Coda"}, {0x0BD00BD0, "Lustre"}, {0x01161970, "GFS2"},
        {0x7461636F, "OCFS2"}, {0x47504653, "GPFS"}, {0x19830326, "BeeGFS"}, {0x013111A8, "PanFS"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].type == (statfs_type & UINT32_MAX)) return known[i].name;
    return NULL;
}

vc_status vc_fs_check_local(const char *directory, vc_error *error)
{
    struct statfs info;
    if (statfs(directory, &info) != 0)
        return vc_fail(error, VC_STORAGE, "storage", "%s: %s", directory, strerror(errno));
    const char *name = vc_fs_network_name((uint64_t)info.f_type);
    if (name == NULL) return VC_OK;
    return vc_fail(error, VC_STORAGE, "network_file_system",
                   "%s is on %s; a store needs a local file system, because its locks and its map "
                   "are not shared over a network",
                   directory, name);
}

bool vc_fs_room_of(const char *directory, vc_fs_room *room_out)
{
    struct statvfs info;
    if (statvfs(directory, &info) != 0 || info.f_blocks == 0) return false;
    room_out->free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    room_out->total_bytes = (uint64_t)info.f_blocks * info.f_frsize;
    return true;
}

vc_status vc_fs_check_room(const char *directory, uint64_t batch_bytes, vc_error *error)
{
    vc_fs_room room;
    if (!vc_fs_room_of(directory, &room)) return VC_OK;
    uint64_t share = room.total_bytes / 20 < GIB ? room.total_bytes / 20 : GIB;
    uint64_t need = 2 * batch_bytes + 64 * MIB;
    need = share > need ? share : need;
    int64_t given;
    const char *override = getenv("VCUBE_MIN_FREE_BYTES");
    if (override != NULL && vc_parse_int(vc_str_of(override), &given) == VC_PARSE_OK && given >= 0)
        need = (uint64_t)given;
    if (room.free_bytes >= need) return VC_OK;
    return vc_fail(error, VC_DISK_FULL, "disk_full",
                   "%s has %llu MiB free, and a load needs %llu MiB (VCUBE_MIN_FREE_BYTES sets "
                   "another limit)",
                   directory, (unsigned long long)(room.free_bytes / MIB),
                   (unsigned long long)(need / MIB));
}

vc_status vc_fs_make_directory(const char *directory, vc_error *error)
{
    struct stat info;
    if (mkdir(directory, 0700) == 0) return VC_OK;
    int problem = errno;
    if (problem == EEXIST && stat(directory, &info) == 0 && S_ISDIR(info.st_mode)) return VC_OK;
    return vc_fail(error, problem == ENOSPC ? VC_DISK_FULL : VC_STORAGE,
                   problem == ENOSPC ? "disk_full" : "storage",
                   "the directory %s cannot be made: %s", directory, strerror(problem));
}

vc_status vc_fs_lock(const char *directory, unsigned wait_ms, int *fd_out, vc_error *error)
{
    enum { STEP_MS = 5 };
    char path[4096];
    if (snprintf(path, sizeof path, "%s/vcube.lock", directory) >= (int)sizeof path)
        return vc_fail(error, VC_BAD_INPUT, "storage", "the path %.100s... is too long", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return vc_fail(error, errno == ENOSPC ? VC_DISK_FULL : VC_STORAGE,
                       errno == ENOSPC ? "disk_full" : "storage", "%s: %s", path, strerror(errno));
    /* flock belongs to the open file, so it also keeps apart two threads that each opened it. */
    for (unsigned waited_ms = 0;; waited_ms += STEP_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            *fd_out = fd;
            return VC_OK;
        }
        int problem = errno;
        if (problem == EINTR) continue;
        if (problem != EWOULDBLOCK || waited_ms >= wait_ms) {
            close(fd);
            return problem == EWOULDBLOCK
                       ? vc_fail(error, VC_BUSY, "load_in_progress",
                                 "another load into %s is in progress", directory)
                       : vc_fail(error, VC_STORAGE, "storage", "%s cannot be locked: %s", path,
                                 strerror(problem));
        }
        nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000}, NULL);
    }
}

void vc_fs_unlock(int fd)
{
    close(fd); /* the only descriptor of this open file, so the lock goes with it */
}

vc_status vc_fs_sync_directory(const char *directory, vc_error *error)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    int problem = errno;
    if (fd >= 0) close(fd);
    if (rc != 0)
        return vc_fail(error, VC_STORAGE, "storage", "%s cannot be synced: %s", directory,
                       strerror(problem));
    return VC_OK;
}

/* LMDB does not say where its map is, but the system does: proc(5), /proc/PID/maps. */
void vc_fs_forget_pages(dev_t device, ino_t inode)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t size = 0;
    while (maps != NULL && getline(&line, &size, maps) > 0) {
        unsigned long first, end, number;
        unsigned major_number, minor_number;
        char shared;
        /* A private mapping would lose what was written to it; a shared one loses nothing. */
        if (sscanf(line, "%lx-%lx %*3c%c %*s %x:%x %lu", &first, &end, &shared, &major_number,
                   &minor_number, &number) == 6 &&
            shared == 's' && number == inode && makedev(major_number, minor_number) == device)
            (void)madvise((void *)first, end - first, MADV_DONTNEED);
    }
    free(line);
    if (maps != NULL) fclose(maps);
}
