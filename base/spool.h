/* A spool: a text of any size on its way to a reader, in memory while it is small, else in a file
 * that has no name.
 *
 *     vc_spool_open(&spool, directory, 1 << 20);
 *     vc_spool_put(&spool, data, size, &error);      any number of times
 *     vc_spool_set_before(&spool, &buffer);          what is known last and stands first
 *     vc_spool_seal(&spool, &error);
 *     vc_spool_read(&spool, offset, data, capacity)  from then on
 *     vc_spool_close(&spool);
 *
 * The file is removed when it is made (O_TMPFILE, or unlinked at once), so that nothing is left of
 * it whatever ends the process. It takes room on the disk, of which it leaves 5 % and at
 * most 1 GiB to others, and no memory of the process. All zeroes is an empty spool, too.
 * Threads: one thread at a time; once it is sealed, any number may read.
 */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include "base/buffer.h"
#include "base/status.h"

#include <sys/types.h>

typedef struct vc_spool {
    vc_buffer before;      /* stands before all the rest */
    vc_buffer memory;      /* what is not in the file yet; all of it while there is none */
    uint64_t nwritten;     /* to the file */
    uint64_t checked;      /* bytes up to which there is known to be room on the disk */
    int file;              /* its descriptor + 1; 0: none */
    const char *directory; /* borrowed */
    size_t memory_bytes;
} vc_spool;

/* A file for reading and writing that has no name, in a folder; where the file system has no such
 * files, one that loses its name at once. Its descriptor, or -1 and errno. */
int vc_open_unnamed(const char *directory);

/* An empty spool.
 *
 * directory     for the file, which must be on a disk that has room; NULL or not to be written:
 *               TMPDIR, or /tmp
 * memory_bytes  up to that there is no file */
void vc_spool_open(vc_spool *spool, const char *directory, size_t memory_bytes);
void vc_spool_close(vc_spool *spool); /* it is empty then */

/* Append. VC_NO_MEMORY; VC_DISK_FULL "disk_full"; VC_STORAGE "spool". */
vc_status vc_spool_put(vc_spool *spool, const void *data, size_t size, vc_error *error);

/* Takes the bytes of `before`, which is empty then, to stand before all that was put and will be.
 */
void vc_spool_set_before(vc_spool *spool, vc_buffer *before);

/* Nothing more will be put. The errors of vc_spool_put. */
vc_status vc_spool_seal(vc_spool *spool, vc_error *error);

uint64_t vc_spool_size(const vc_spool *spool);

/* Up to `capacity` bytes from an offset on; 0 at the end, -1 when the file cannot be read. */
ssize_t vc_spool_read(const vc_spool *spool, uint64_t offset, void *data, size_t capacity);

#endif
