#include "report/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEMPORARY_PREFIX ".vcube-report-"
#define TEMPORARY_SUFFIX ".tmp"

struct vc_folder {
    char *path;
    int root;
    bool has_openat2;
    atomic_uint next; /* number of the next temporary */
    pthread_mutex_t lock;
    vc_arena arena;  /* under the lock, as what follows */
    vc_list changed; /* of vc_str: folders in which a name changed */
};

/* ---- errors ---- */

static vc_status fail(const vc_folder *folder, vc_str name, const char *what, vc_error *error)
{
    int problem = errno;
    bool is_full = problem == ENOSPC || problem == EDQUOT;
    return vc_fail(error, is_full ? VC_DISK_FULL : VC_STORAGE, is_full ? "disk_full" : "output",
                   "%s%s%.*s %s: %s", folder->path, name.size > 0 ? "/" : "", VC_FMT(name), what,
                   strerror(problem));
}

/* ---- ways below the folder ---- */

bool vc_folder_is_name(vc_str name)
{
    if (name.size == 0 || !vc_utf8_check(name, NULL)) return false;
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] < ' ' || name.data[i] == 127 || name.data[i] == '\\')
            return false;
    while (name.data != NULL) {
        vc_str part = vc_str_split(&name, '/');
        if (part.size == 0 || part.size > 255 || part.data[0] == '.') return false;
    }
    return true;
}

static vc_str parent_of(vc_str name, vc_str *base_out)
{
    size_t size = name.size;
    while (size > 0 && name.data[size - 1] != '/')
        size--;
    *base_out = (vc_str){name.data + size, name.size - size};
    return (vc_str){name.data, size > 0 ? size - 1 : 0};
}

/* A part of a way, ended with NUL. */
static bool copy_part(vc_str part, char text[256])
{
    if (part.size > 255) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(text, part.data, part.size);
    text[part.size] = '\0';
    return true;
}

static int open_part_by_part(const vc_folder *folder, vc_str name, int flags)
{
    char part[256];
    int at = folder->root;
    for (;;) {
        vc_str next = vc_str_split(&name, '/');
        bool is_last = name.data == NULL;
        int fd = -1;
        if (copy_part(next, part))
            fd = openat(at, part,
                        (is_last ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC, 0666);
        int problem = errno;
        if (at != folder->root) close(at);
        errno = problem;
        if (fd < 0 || is_last) return fd;
        at = fd;
    }
}

int vc_folder_open_file(vc_folder *folder, vc_str name, int flags)
{
    char *path = vc_str_dup(name);
    struct open_how how = {.mode = (flags & O_CREAT) != 0 ? 0666 : 0,
                           .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int fd = -1;
    if (path == NULL) {
        errno = ENOMEM;
        return -1;
    }
    if (folder->has_openat2) fd = (int)syscall(SYS_openat2, folder->root, path, &how, sizeof how);
    /* An old kernel, or a sandbox that does not know the call. */
    if (!folder->has_openat2 || (fd < 0 && (errno == ENOSYS || errno == EPERM)))
        fd = open_part_by_part(folder, name, flags);
    free(path);
    return fd;
}

/* The folder of a name, which may be "": this one. */
static int open_parent(vc_folder *folder, vc_str parent)
{
    if (parent.size == 0) return fcntl(folder->root, F_DUPFD_CLOEXEC, 0);
    return vc_folder_open_file(folder, parent, O_RDONLY | O_DIRECTORY);
}

/* Make the folder of a name and those above it. */
static int make_parent(vc_folder *folder, vc_str parent)
{
    vc_str base, above;
    int fd = open_parent(folder, parent);
    if (fd >= 0 || errno != ENOENT) return fd;
    above = parent_of(parent, &base);
    char name[256];
    int at = make_parent(folder, above);
    if (at < 0) return -1;
    bool is_made = copy_part(base, name) && (mkdirat(at, name, 0777) == 0 || errno == EEXIST);
    int problem = errno;
    close(at);
    errno = problem;
    return is_made ? open_parent(folder, parent) : -1;
}

/* ---- opening ---- */

static vc_status lock_folder(const vc_folder *folder, vc_error *error)
{
    while (flock(folder->root, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return vc_fail(error, VC_BUSY, "output", "another run writes into %s", folder->path);
        if (errno == EINTR) continue;
        if (errno == ENOLCK || errno == ENOTSUP || errno == EBADF || errno == EINVAL) break;
        return fail(folder, VC_STR(""), "cannot be locked", error);
    }
    return VC_OK; /* a file system that knows no locks has to do without */
}

/* The folder, and those above it: reports go into folders by day, which are not there yet. */
static bool make_folders(const char *path)
{
    char *above = strdup(path);
    bool is_made = above != NULL;
    for (char *slash = above; is_made && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) *slash = '\0';
        is_made = mkdir(above, 0777) == 0 || errno == EEXIST;
        if (slash != NULL) *slash = '/';
    }
    int number = errno;
    free(above);
    errno = number;
    return is_made;
}

vc_status vc_folder_open(const char *path, bool to_write, vc_folder **folder_out, vc_error *error)
{
    vc_folder *folder = calloc(1, sizeof *folder);
    if (folder == NULL || (folder->path = strdup(path)) == NULL || sodium_init() < 0) {
        free(folder);
        return vc_no_memory(error);
    }
    folder->has_openat2 = true;
    pthread_mutex_init(&folder->lock, NULL);
    vc_status status = VC_OK;
    folder->root = -1;
    if (to_write && !make_folders(path)) status = fail(folder, VC_STR(""), "cannot be made", error);
    if (status == VC_OK) {
        folder->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder->root < 0 && errno == ENOENT)
            status =
                vc_fail(error, VC_NOT_FOUND, "missing_file", "%s: there is no such folder", path);
        else if (folder->root < 0)
            status = fail(folder, VC_STR(""), "cannot be opened", error);
    }
    if (status == VC_OK && to_write && faccessat(folder->root, ".", W_OK | X_OK, AT_EACCESS) != 0)
        status = fail(folder, VC_STR(""), "cannot be written to", error);
    if (status == VC_OK && to_write) status = lock_folder(folder, error);
    if (status == VC_OK)
        *folder_out = folder;
    else
        vc_folder_close(folder);
    return status;
}

void vc_folder_close(vc_folder *folder)
{
    if (folder == NULL) return;
    if (folder->root >= 0) close(folder->root);
    pthread_mutex_destroy(&folder->lock);
    vc_arena_release(&folder->arena);
    free(folder->path);
    free(folder);
}

const char *vc_folder_path(const vc_folder *folder)
{
    return folder->path;
}

void vc_folder_go_part_by_part(vc_folder *folder)
{
    folder->has_openat2 = false;
}

/* ---- a file that is written ---- */

/* Nothing but a plain file is replaced. */
static vc_status check_place(const vc_folder_file *file, const char *base, vc_error *error)
{
    struct stat info;
    if (fstatat(file->directory, base, &info, AT_SYMLINK_NOFOLLOW) != 0) return VC_OK;
    if (S_ISREG(info.st_mode)) return VC_OK;
    return vc_fail(error, VC_STORAGE, "output", "%s/%.*s is %s; a report replaces plain files only",
                   file->folder->path, VC_FMT(file->name),
                   S_ISLNK(info.st_mode)   ? "a symbolic link"
                   : S_ISDIR(info.st_mode) ? "a folder"
                                           : "no plain file");
}

static vc_status create_temporary(vc_folder_file *file, vc_error *error)
{
    vc_folder *folder = file->folder;
    for (;;) { /* numbers of a run that was killed may be there still */
        snprintf(file->temporary, sizeof file->temporary, TEMPORARY_PREFIX "%u" TEMPORARY_SUFFIX,
                 atomic_fetch_add(&folder->next, 1));
        file->fd = openat(file->directory, file->temporary,
                          O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file->fd >= 0) return VC_OK;
        if (errno == EEXIST) continue;
        file->temporary[0] = '\0';
        return fail(folder, file->name, "cannot be made", error);
    }
}

vc_status vc_folder_create(vc_folder *folder, vc_str name, vc_folder_file *file_out,
                           vc_error *error)
{
    vc_folder_file *file = file_out;
    vc_str base;
    char text[256];
    *file = (vc_folder_file){.folder = folder, .name = name, .directory = -1, .fd = -1};
    crypto_hash_sha256_init(&file->sum);
    if (folder == NULL) return VC_OK;
    if (!vc_folder_is_name(name))
        return vc_fail(error, VC_STORAGE, "output", "'%.*s' is no name for a file below %s",
                       VC_FMT(name), folder->path);
    vc_str parent = parent_of(name, &base);
    file->directory = make_parent(folder, parent);
    if (file->directory < 0) {
        if (errno == ELOOP || errno == ENOTDIR || errno == EXDEV)
            return vc_fail(error, VC_STORAGE, "output",
                           "%s/%.*s: a symbolic link or a file is in the way", folder->path,
                           VC_FMT(parent));
        return fail(folder, parent, "cannot be opened", error);
    }
    vc_status status = copy_part(base, text) ? check_place(file, text, error)
                                             : fail(folder, name, "cannot be made", error);
    if (status == VC_OK) status = create_temporary(file, error);
    if (status != VC_OK) vc_folder_drop(file);
    return status;
}

static vc_status write_block(void *context, const char *data, size_t size, vc_error *error)
{
    vc_folder_file *file = context;
    crypto_hash_sha256_update(&file->sum, (const unsigned char *)data, size);
    file->nbytes += size;
    while (size > 0 && file->fd >= 0 && file->folder != NULL) {
        ssize_t n = write(file->fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(file->folder, file->name, "cannot be written", error);
        data += n;
        size -= (size_t)n;
    }
    return VC_OK;
}

vc_render_sink vc_folder_sink(vc_folder_file *file)
{
    return (vc_render_sink){.write = write_block, .context = file};
}

/* By the descriptor: the way to it is not gone again. Nowhere is a file in memory. */
void vc_folder_file_path(vc_folder_file *file, char path[VC_FOLDER_PATH])
{
    if (file->folder == NULL && file->fd < 0) file->fd = memfd_create("vcube-report", MFD_CLOEXEC);
    if (file->folder == NULL)
        snprintf(path, VC_FOLDER_PATH, "/proc/self/fd/%d", file->fd);
    else
        snprintf(path, VC_FOLDER_PATH, "/proc/self/fd/%d/%s", file->directory, file->temporary);
}

static bool add_to_sum(int fd, crypto_hash_sha256_state *sum, uint64_t *nbytes)
{
    unsigned char block[65536];
    for (*nbytes = 0;;) {
        ssize_t n = pread(fd, block, sizeof block, (off_t)*nbytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0;
        crypto_hash_sha256_update(sum, block, (size_t)n);
        *nbytes += (uint64_t)n;
    }
}

vc_status vc_folder_reread(vc_folder_file *file, vc_error *error)
{
    crypto_hash_sha256_init(&file->sum);
    /* Whoever wrote it may have replaced it. */
    if (file->folder != NULL) {
        int fd = openat(file->directory, file->temporary, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return fail(file->folder, file->name, "cannot be read", error);
        close(file->fd);
        file->fd = fd;
    }
    if (add_to_sum(file->fd, &file->sum, &file->nbytes)) return VC_OK;
    return vc_fail(error, VC_STORAGE, "output", "%.*s cannot be read: %s", VC_FMT(file->name),
                   strerror(errno));
}

static void put_sum(crypto_hash_sha256_state *sum, char text[VC_FOLDER_SUM + 1])
{
    unsigned char bytes[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(sum, bytes);
    sodium_bin2hex(text, VC_FOLDER_SUM + 1, bytes, sizeof bytes);
}

void vc_folder_file_sum(vc_folder_file *file, char sum_out[VC_FOLDER_SUM + 1])
{
    put_sum(&file->sum, sum_out);
}

vc_status vc_folder_sync_file(vc_folder_file *file, vc_error *error)
{
    if (file->folder == NULL || fsync(file->fd) == 0) return VC_OK;
    return fail(file->folder, file->name, "cannot be written", error);
}

static bool note_change(vc_folder *folder, vc_str parent)
{
    bool is_noted = true;
    pthread_mutex_lock(&folder->lock);
    const vc_str *changed = folder->changed.items;
    size_t i = folder->changed.count; /* the last ones first: sweeps go folder by folder */
    while (i > 0 && !vc_str_equal(changed[i - 1], parent))
        i--;
    if (i == 0) {
        vc_str *item = VC_LIST_NEW(&folder->changed, &folder->arena, vc_str);
        if (item != NULL) *item = vc_arena_str(&folder->arena, parent);
        is_noted = item != NULL && item->data != NULL;
    }
    pthread_mutex_unlock(&folder->lock);
    return is_noted;
}

vc_status vc_folder_rename(vc_folder_file *file, vc_error *error)
{
    vc_str base, parent;
    char text[256];
    if (file->folder == NULL) return VC_OK;
    parent = parent_of(file->name, &base);
    if (!note_change(file->folder, parent)) return vc_no_memory(error);
    vc_status status = copy_part(base, text) ? check_place(file, text, error) : VC_STORAGE;
    if (status != VC_OK) return status;
    if (renameat(file->directory, file->temporary, file->directory, text) != 0)
        return fail(file->folder, file->name, "cannot be made", error);
    file->temporary[0] = '\0';
    return VC_OK;
}

void vc_folder_drop(vc_folder_file *file)
{
    if (file->name.data == NULL) return;
    if (file->temporary[0] != '\0') unlinkat(file->directory, file->temporary, 0);
    if (file->fd >= 0) close(file->fd);
    if (file->directory >= 0) close(file->directory);
    *file = (vc_folder_file){.directory = -1, .fd = -1};
}

/* ---- the folder as a whole ---- */

vc_status vc_folder_sync(vc_folder *folder, vc_error *error)
{
    const vc_str *changed = folder->changed.items;
    for (size_t i = 0; i < folder->changed.count; i++) {
        vc_str parent = changed[i], base;
        for (bool is_root = false; !is_root; parent = parent_of(parent, &base)) {
            is_root = parent.size == 0;
            int fd = open_parent(folder, parent);
            bool is_synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
            vc_status status = is_synced ? VC_OK : fail(folder, parent, "cannot be synced", error);
            if (fd >= 0) close(fd);
            if (status != VC_OK) return status;
        }
    }
    return VC_OK;
}

static bool is_temporary(const char *name)
{
    return vc_str_starts_with(vc_str_of(name), VC_STR(TEMPORARY_PREFIX)) &&
           vc_str_ends_with(vc_str_of(name), VC_STR(TEMPORARY_SUFFIX));
}

vc_status vc_folder_clean(vc_folder *folder, vc_str name, vc_error *error)
{
    vc_str base, parent = parent_of(name, &base);
    struct dirent *entry;
    int fd = open_parent(folder, parent);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        int problem = errno;
        if (fd >= 0) close(fd);
        errno = problem;
        /* What is in the way is told when a file is made. */
        if (problem == ENOENT || problem == ELOOP || problem == ENOTDIR || problem == EXDEV)
            return VC_OK;
        return fail(folder, parent, "cannot be read", error);
    }
    lseek(fd, 0, SEEK_SET);
    while ((entry = readdir(entries)) != NULL)
        if (is_temporary(entry->d_name)) unlinkat(fd, entry->d_name, 0);
    closedir(entries);
    return VC_OK;
}

/* ---- files that are there ---- */

static vc_status open_plain(vc_folder *folder, vc_str name, int *fd_out, vc_error *error)
{
    struct stat info;
    int fd = vc_folder_open_file(folder, name, O_RDONLY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return vc_fail(error, VC_NOT_FOUND, "missing_file", "%s/%.*s is not there", folder->path,
                       VC_FMT(name));
    if (fd < 0) return fail(folder, name, "cannot be opened", error);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return vc_fail(error, VC_STORAGE, "output", "%s/%.*s is no plain file", folder->path,
                       VC_FMT(name));
    }
    *fd_out = fd;
    return VC_OK;
}

vc_status vc_folder_sum(vc_folder *folder, vc_str name, uint64_t *nbytes_out,
                        char sum_out[VC_FOLDER_SUM + 1], vc_error *error)
{
    int fd;
    crypto_hash_sha256_state sum;
    crypto_hash_sha256_init(&sum);
    vc_status status = open_plain(folder, name, &fd, error);
    if (status != VC_OK) return status;
    if (!add_to_sum(fd, &sum, nbytes_out)) status = fail(folder, name, "cannot be read", error);
    put_sum(&sum, sum_out);
    close(fd);
    return status;
}

vc_status vc_folder_read(vc_folder *folder, vc_str name, size_t max_bytes, vc_buffer *text,
                         vc_error *error)
{
    int fd;
    vc_status status = open_plain(folder, name, &fd, error);
    if (status != VC_OK) return status;
    for (;;) {
        if (!vc_buffer_reserve(text, 65536)) {
            status = vc_no_memory(error);
            break;
        }
        ssize_t n = read(fd, text->data + text->size, 65536);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = fail(folder, name, "cannot be read", error);
        if (n <= 0) break;
        text->size += (size_t)n;
        if (text->size > max_bytes) {
            status = vc_fail(error, VC_LIMIT, "file_too_large", "%s/%.*s has more than %zu bytes",
                             folder->path, VC_FMT(name), max_bytes);
            break;
        }
    }
    close(fd);
    return status;
}
