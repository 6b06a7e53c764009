// The C half of the bridge to libfuse 3.
//
// libfuse's low-level API (fuse_lowlevel.h) is a table of callbacks, with macros, bit fields, variadic functions and
// differences between its versions. All of that ends here: this target owns `struct fuse_lowlevel_ops` and the
// session, and forwards every callback with plain arguments to one table of function pointers, `struct cfuse_operations`,
// which the Swift half fills in. No type of libfuse appears in this header.
//
// A callback that gets a `cfuse_request` owes it exactly one `cfuse_reply_…`, now or later, from any thread; the reply
// consumes the request. Callbacks without one are answered here when they return.
//
// What is not in the table, libfuse answers with ENOSYS, which makes the kernel never ask again: ioctl, poll, fallocate,
// copy_file_range, lseek, bmap, tmpfile, and of the extended attributes all but reading one. That one is answered likewise
// unless it is wanted (cfuse_xattr.c says what it costs). Programs see EOPNOTSUPP or the kernel's own substitute. Locks (flock, fcntl) stay in the
// kernel: they hold between the programs of this machine.
#ifndef FTPFS_CFUSE_BRIDGE_H
#define FTPFS_CFUSE_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#pragma clang assume_nonnull begin

/// A request of the kernel that waits for its one reply.
typedef struct cfuse_request cfuse_request;

/// A mount: libfuse's session, its loop and the table that it serves.
typedef struct cfuse_session cfuse_session;

/// Who asks. The process number is a thread's, as in /proc; 0 when it is not visible from here.
struct cfuse_caller {
    uint32_t user;
    uint32_t group;
    int32_t process;
};

/// What stat(2) shows. `mode` holds the file type too. The three times are one.
struct cfuse_attributes {
    uint64_t inode;
    uint32_t mode;
    uint32_t links;
    uint32_t user;
    uint32_t group;
    int64_t size;
    int64_t modified_seconds;
    uint32_t modified_nanoseconds;
};

/// A name and its inode; the times are seconds for which the kernel may rely on them.
struct cfuse_entry {
    struct cfuse_attributes attributes;
    double attributes_timeout;
    double entry_timeout;
};

/// An open file or directory.
struct cfuse_opened {
    uint64_t handle;
    bool keep_cache;
    bool direct_io;
    /// Closing a descriptor calls no flush: one request less for each file that is only read (Linux 5.16, libfuse 3.11).
    bool no_flush;
};

/// What statvfs(3) shows; counts are in blocks.
struct cfuse_space {
    uint64_t blocks;
    uint64_t free_blocks;
    uint32_t block_size;
};

/// Which members of `struct cfuse_change` count.
enum {
    CFUSE_SET_MODE = 1 << 0,
    CFUSE_SET_USER = 1 << 1,
    CFUSE_SET_GROUP = 1 << 2,
    CFUSE_SET_SIZE = 1 << 3,
    CFUSE_SET_MODIFIED = 1 << 4,
    CFUSE_SET_MODIFIED_NOW = 1 << 5,
};

/// What chmod, chown, truncate and utimensat change. The access time is not among it.
struct cfuse_change {
    uint32_t set;
    uint32_t mode;
    uint32_t user;
    uint32_t group;
    int64_t size;
    int64_t modified_seconds;
    uint32_t modified_nanoseconds;
};

/// The callbacks. Any worker thread calls any of them at any time. `context` is what `cfuse_session_new` was given.
/// Names end with NUL. Flags of open and create are open(2)'s. All members must be set.
struct cfuse_operations {
    /// The kernel and this side have agreed; the mount answers from now on.
    void (*ready)(void *context);
    /// The loop has been told to end, or the kernel has ended it: called once, on the thread that runs the loop, before
    /// it waits for its workers.
    void (*ending)(void *context);
    /// A signal has reached the process that waits for the request registered under this number. May come at any time
    /// until, and a little after, the reply; with a lock of libfuse held, so it must neither block nor register.
    void (*interrupted)(void *context, uint64_t number);
    /// One line of libfuse's; `level` is syslog's (0 emergency … 7 debug).
    void (*log)(void *context, int level, const char *message);

    void (*lookup)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t parent,
                   const char *name);
    void (*forget)(void *context, uint64_t inode, uint64_t count);
    void (*getattr)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t inode,
                    const uint64_t *_Nullable handle);
    void (*setattr)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t inode,
                    const struct cfuse_change *change, const uint64_t *_Nullable handle);
    void (*readlink)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t inode);
    /// A regular file that is not opened; other kinds are refused here.
    void (*mknod)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t parent,
                  const char *name, uint32_t mode);
    void (*mkdir)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t parent,
                  const char *name, uint32_t mode);
    void (*unlink)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t parent,
                   const char *name);
    void (*rmdir)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t parent,
                  const char *name);
    void (*symlink)(void *context, cfuse_request *request, const struct cfuse_caller *caller, const char *target,
                    uint64_t parent, const char *name);
    /// `flags` are renameat2(2)'s.
    void (*rename)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t parent,
                   const char *name, uint64_t new_parent, const char *new_name, uint32_t flags);
    void (*open)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t inode, int32_t flags);
    void (*create)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t parent,
                   const char *name, uint32_t mode, int32_t flags);
    void (*read)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t handle,
                 int64_t offset, size_t length);
    // `is_page`: the kernel writes back a page of a mapping, by whichever handle it finds: the offset counts, also where
    // that handle appends.
    void (*write)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t handle,
                  int64_t offset, const void *bytes, size_t length, bool is_page);
    void (*flush)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t handle);
    void (*fsync)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t handle);
    void (*release)(void *context, uint64_t handle);
    void (*opendir)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t inode);
    /// Both readdir and readdirplus: `plus` says which.
    void (*readdir)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t handle,
                    uint64_t offset, size_t capacity, bool plus);
    void (*releasedir)(void *context, uint64_t handle);
    void (*statfs)(void *context, struct cfuse_space *space);
    void (*access)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t inode,
                   uint32_t mask);
    /// Only with `extended_attributes`, and only for names that begin with CFUSE_ATTRIBUTE_PREFIX. `capacity` 0 asks for the
    /// size.
    void (*getxattr)(void *context, cfuse_request *request, const struct cfuse_caller *caller, uint64_t inode,
                     const char *name, size_t capacity);
};

/// How the names of all extended attributes begin that there are.
#define CFUSE_ATTRIBUTE_PREFIX "user.ftpfs."

// Replies. Each consumes the request and returns 0, or a negative error number when the kernel did not take the
// reply: what the reply handed over (a lookup counted, a handle opened) has then not arrived.

/// A failure; 0 for success without data.
int cfuse_reply_error(cfuse_request *request, int error_number);
int cfuse_reply_entry(cfuse_request *request, const struct cfuse_entry *entry);
/// There is no such name, and the kernel may remember that for so many seconds.
int cfuse_reply_absent(cfuse_request *request, double timeout);
int cfuse_reply_attributes(cfuse_request *request, const struct cfuse_attributes *attributes, double timeout);
int cfuse_reply_opened(cfuse_request *request, const struct cfuse_opened *opened);
/// Like `cfuse_reply_opened`, for opendir: the kernel may cache what readdir returns.
int cfuse_reply_opened_directory(cfuse_request *request, const struct cfuse_opened *opened);
int cfuse_reply_created(cfuse_request *request, const struct cfuse_entry *entry, const struct cfuse_opened *opened);
int cfuse_reply_written(cfuse_request *request, size_t count);
/// How long the value of an extended attribute is.
int cfuse_reply_attribute_size(cfuse_request *request, size_t size);
/// Bytes in one piece: of a link, of a directory, or of an extended attribute.
int cfuse_reply_bytes(cfuse_request *request, const void *_Nullable bytes, size_t count);
/// Bytes in pieces, at most IOV_MAX - 1 (1023).
int cfuse_reply_pieces(cfuse_request *request, const struct iovec *_Nullable pieces, int count);

/// Asks for `interrupted` with this number when a signal reaches the waiting process. It may come before this returns,
/// on this thread, when that has happened already. Takes two uncontended locks of libfuse.
void cfuse_request_watch(cfuse_request *request, uint64_t number);

/// Puts one name into the buffer of a readdir reply; the name has at most 255 bytes.
/// - Returns: the bytes used; 0 when there is no room.
size_t cfuse_directory_add(cfuse_request *request, void *buffer, size_t capacity, const uint8_t *name,
                           size_t name_length, uint64_t inode, uint32_t mode, uint64_t next_offset);
/// The same for readdirplus; without an entry (`.` and `..`) the kernel learns only the inode and the type.
size_t cfuse_directory_add_plus(cfuse_request *request, void *buffer, size_t capacity, const uint8_t *name,
                                size_t name_length, uint64_t inode, uint32_t mode,
                                const struct cfuse_entry *_Nullable entry, uint64_t next_offset);

/// How to mount, and how to serve.
struct cfuse_config {
    /// What /proc/mounts shows as the source.
    const char *source;
    /// The type there is `fuse.` and this.
    const char *subtype;
    bool read_only;
    bool allow_other;
    bool allow_root;
    bool default_permissions;
    /// libfuse logs every request.
    bool debug;
    /// `getxattr` is called; without it the kernel hears once that there is no such thing.
    bool extended_attributes;
    /// Further options of mount(8) that libfuse or fusermount3 know, one each, unescaped.
    const char *_Nonnull const *_Nullable options;
    size_t option_count;
    /// How many requests are worked on at a time.
    uint32_t maximum_threads;
};

/// Makes a session. `complaint` receives what libfuse had to say when the result is NULL.
cfuse_session *_Nullable cfuse_session_new(const struct cfuse_config *config, const struct cfuse_operations *operations,
                                           void *context, char *complaint, size_t capacity);

/// Mounts on an absolute path: by mount(2), or by fusermount3 where that is not permitted.
///
/// fusermount3 complains on standard error, which is therefore redirected while this runs; lines of others come out
/// behind it. - Returns: 0, or -1 with what libfuse and fusermount3 had to say.
int cfuse_session_mount(cfuse_session *session, const char *mount_point, char *complaint, size_t capacity);

/// Serves until the file system is unmounted or `cfuse_session_exit` is called, and every worker is done. Call it once.
/// - Returns: 0, or the error number because of which it could not go on.
int cfuse_session_loop(cfuse_session *session);

/// Makes the loop end, also one that has not begun. From any thread and from signal handlers.
void cfuse_session_exit(cfuse_session *session);

/// Detaches the mount and closes the device, if that has not happened from outside. Nothing may reply meanwhile or
/// later. What still waits in the kernel gets ECONNABORTED.
void cfuse_session_unmount(cfuse_session *session);

/// Frees everything. Neither the loop nor a reply may be under way.
void cfuse_session_destroy(cfuse_session *session);

/// Makes the kernel forget what it knows of a name. - Returns: 0 or a negative error number (-ENOENT: knew nothing).
int cfuse_notify_entry(cfuse_session *session, uint64_t parent, const uint8_t *name, size_t name_length);

/// Makes the kernel ask anew for a name before it uses what it knows of it. - Returns: 0 or a negative error number
/// (-ENOSYS: libfuse before 3.13 or Linux before 6.2).
int cfuse_notify_expire(cfuse_session *session, uint64_t parent, const uint8_t *name, size_t name_length);

/// Makes the kernel forget the attributes and the pages of an inode. - Returns: 0 or a negative error number.
int cfuse_notify_inode(cfuse_session *session, uint64_t inode);

#pragma clang assume_nonnull end

#endif
