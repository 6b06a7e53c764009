// The replies, the directory buffers, and the registration for interrupts.
#include "cfuse_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

// What programs take as the best size of a read or write (st_blksize). cp and cat use 128 KiB at least, whatever it
// says, and the kernel reads ahead that much; more would only make programs that size their buffer by it (Python's
// `open`) fetch more for every seek than they use.
enum { BLOCK_SIZE = 128 << 10 };

// The same for an empty file, of which nobody reads: cp(1) asks for it once, behind open(2), and then writes in pieces of
// this size. Each is a request, for which threads take turns: writing 512 MiB in pieces of 128 KiB made the daemon wait
// 4,700 times, and so 1,500 times. Larger pieces take more time again, since they do not stay in a processor's second
// cache (1 MiB) on their way.
enum { EMPTY_BLOCK_SIZE = 512 << 10 };

// stat(2) counts in blocks of 512 bytes, whatever st_blksize says.
enum { COUNTED_BLOCK = 512 };

// The longest name of a directory entry on Linux (NAME_MAX).
enum { NAME_BYTES = 255 };

static struct stat stat_of(const struct cfuse_attributes *attributes) {
    struct timespec modified = {
        .tv_sec = attributes->modified_seconds,
        .tv_nsec = attributes->modified_nanoseconds,
    };
    struct stat result = {
        .st_ino = attributes->inode,
        .st_mode = attributes->mode,
        .st_nlink = attributes->links,
        .st_uid = attributes->user,
        .st_gid = attributes->group,
        .st_size = attributes->size,
        .st_blksize = attributes->size == 0 && S_ISREG(attributes->mode) ? EMPTY_BLOCK_SIZE : BLOCK_SIZE,
        .st_blocks = attributes->size / COUNTED_BLOCK + (attributes->size % COUNTED_BLOCK != 0),
        .st_atim = modified,
        .st_mtim = modified,
        .st_ctim = modified,
    };
    return result;
}

static struct fuse_entry_param entry_of(const struct cfuse_entry *entry) {
    struct fuse_entry_param result = {
        .ino = entry->attributes.inode,
        .attr = stat_of(&entry->attributes),
        .attr_timeout = entry->attributes_timeout,
        .entry_timeout = entry->entry_timeout,
    };
    return result;
}

static struct fuse_file_info info_of(const struct cfuse_opened *opened) {
    struct fuse_file_info result = {0};
    result.fh = opened->handle;
    result.keep_cache = opened->keep_cache;
    result.direct_io = opened->direct_io;
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 11)
    result.noflush = opened->no_flush;
#endif
    return result;
}

int cfuse_reply_error(cfuse_request *request, int error_number) {
    return fuse_reply_err(cfuse_unwrap(request), error_number);
}

int cfuse_reply_entry(cfuse_request *request, const struct cfuse_entry *entry) {
    struct fuse_entry_param answer = entry_of(entry);
    return fuse_reply_entry(cfuse_unwrap(request), &answer);
}

int cfuse_reply_absent(cfuse_request *request, double timeout) {
    if (timeout <= 0) return fuse_reply_err(cfuse_unwrap(request), ENOENT);
    // Inode 0 stands for "no such name" (struct fuse_entry_param).
    struct fuse_entry_param answer = {.ino = 0, .entry_timeout = timeout};
    return fuse_reply_entry(cfuse_unwrap(request), &answer);
}

int cfuse_reply_attributes(cfuse_request *request, const struct cfuse_attributes *attributes, double timeout) {
    struct stat answer = stat_of(attributes);
    return fuse_reply_attr(cfuse_unwrap(request), &answer, timeout);
}

int cfuse_reply_opened(cfuse_request *request, const struct cfuse_opened *opened) {
    struct fuse_file_info answer = info_of(opened);
    return fuse_reply_open(cfuse_unwrap(request), &answer);
}

int cfuse_reply_opened_directory(cfuse_request *request, const struct cfuse_opened *opened) {
    struct fuse_file_info answer = info_of(opened);
    answer.cache_readdir = 1;
    return fuse_reply_open(cfuse_unwrap(request), &answer);
}

int cfuse_reply_created(cfuse_request *request, const struct cfuse_entry *entry, const struct cfuse_opened *opened) {
    struct fuse_entry_param name = entry_of(entry);
    struct fuse_file_info file = info_of(opened);
    return fuse_reply_create(cfuse_unwrap(request), &name, &file);
}

int cfuse_reply_written(cfuse_request *request, size_t count) { return fuse_reply_write(cfuse_unwrap(request), count); }

int cfuse_reply_attribute_size(cfuse_request *request, size_t size) {
    return fuse_reply_xattr(cfuse_unwrap(request), size);
}

int cfuse_reply_bytes(cfuse_request *request, const void *bytes, size_t count) {
    return fuse_reply_buf(cfuse_unwrap(request), bytes, count);
}

int cfuse_reply_pieces(cfuse_request *request, const struct iovec *pieces, int count) {
    return fuse_reply_iov(cfuse_unwrap(request), pieces, count);
}

// The number travels in the place of a pointer: unlike one it can be looked up, and found gone, at any later time.
_Static_assert(sizeof(uintptr_t) >= sizeof(uint64_t), "a request's number must fit into a pointer");

static void on_interrupt(fuse_req_t request, void *number) {
    struct cfuse_session *session = cfuse_session_of(request);
    session->operations.interrupted(session->context, (uintptr_t)number);
}

void cfuse_request_watch(cfuse_request *request, uint64_t number) {
    fuse_req_interrupt_func(cfuse_unwrap(request), on_interrupt, (void *)(uintptr_t)number);
}

// libfuse wants the name with a NUL behind it.
static bool copy_name(char copy[NAME_BYTES + 1], const uint8_t *name, size_t length) {
    if (length > NAME_BYTES) return false;
    memcpy(copy, name, length);
    copy[length] = 0;
    return true;
}

size_t cfuse_directory_add(cfuse_request *request, void *buffer, size_t capacity, const uint8_t *name,
                           size_t name_length, uint64_t inode, uint32_t mode, uint64_t next_offset) {
    char copy[NAME_BYTES + 1];
    if (!copy_name(copy, name, name_length)) return 0;
    struct stat attributes = {.st_ino = inode, .st_mode = mode};
    size_t used =
        fuse_add_direntry(cfuse_unwrap(request), buffer, capacity, copy, &attributes, (off_t)next_offset);
    return used <= capacity ? used : 0;
}

size_t cfuse_directory_add_plus(cfuse_request *request, void *buffer, size_t capacity, const uint8_t *name,
                                size_t name_length, uint64_t inode, uint32_t mode, const struct cfuse_entry *entry,
                                uint64_t next_offset) {
    char copy[NAME_BYTES + 1];
    if (!copy_name(copy, name, name_length)) return 0;
    // Without an entry the node number is 0, by which the kernel knows that no lookup was counted.
    struct fuse_entry_param answer = {.attr = {.st_ino = inode, .st_mode = mode}};
    if (entry) answer = entry_of(entry);
    size_t used =
        fuse_add_direntry_plus(cfuse_unwrap(request), buffer, capacity, copy, &answer, (off_t)next_offset);
    return used <= capacity ? used : 0;
}
