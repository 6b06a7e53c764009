// The life of a session: new, mount, (loop: cfuse_loop.c), unmount, destroy; each step undone in reverse order.
#define _GNU_SOURCE
#include "cfuse_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

// Adds `-o name=value` or `-o name`; libfuse splits at commas, so these and the backslash are escaped.
static int add_option(struct fuse_args *arguments, const char *name, const char *value) {
    size_t length = strlen(name) + (value ? strlen(value) + 1 : 0);
    char *option = malloc(2 * length + 1);
    if (!option) return -1;
    char *end = option;
    for (const char *part = name; part; part = part == name ? value : NULL) {
        if (part == value) *end++ = '=';
        for (const char *byte = part; *byte; byte++) {
            if (*byte == ',' || *byte == '\\') *end++ = '\\';
            *end++ = *byte;
        }
    }
    *end = 0;
    int failed = fuse_opt_add_arg(arguments, "-o") | fuse_opt_add_arg(arguments, option);
    free(option);
    return failed;
}

static int add_options(struct fuse_args *arguments, const struct cfuse_config *config) {
    const struct {
        bool wanted;
        const char *name;
    } flags[] = {
        {config->read_only, "ro"},
        {config->allow_other, "allow_other"},
        {config->allow_root, "allow_root"},
        {config->default_permissions, "default_permissions"},
        {config->debug, "debug"},
    };
    int failed = fuse_opt_add_arg(arguments, "ftpfs");
    failed |= add_option(arguments, "fsname", config->source);
    failed |= add_option(arguments, "subtype", config->subtype);
    for (size_t index = 0; index < sizeof flags / sizeof *flags; index++)
        if (flags[index].wanted) failed |= add_option(arguments, flags[index].name, NULL);
    for (size_t index = 0; index < config->option_count; index++)
        failed |= add_option(arguments, config->options[index], NULL);
    return failed;
}

cfuse_session *cfuse_session_new(const struct cfuse_config *config, const struct cfuse_operations *operations,
                                 void *context, char *complaint, size_t capacity) {
    struct cfuse_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    session->operations = *operations;
    session->context = context;
    session->maximum_threads = config->maximum_threads > 0 ? config->maximum_threads : 1;
    session->extended_attributes = config->extended_attributes;
    sem_init(&session->wake, 0, 0);

    struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
    struct cfuse_capture capture;
    cfuse_capture_begin(&capture);
    if (add_options(&arguments, config) == 0)
        session->fuse = fuse_session_new(&arguments, &cfuse_callbacks, sizeof cfuse_callbacks, session);
    cfuse_capture_end(&capture, complaint, capacity);
    fuse_opt_free_args(&arguments);
    if (!session->fuse) {
        sem_destroy(&session->wake);
        free(session);
        return NULL;
    }
    cfuse_log_route(session);
    return session;
}

int cfuse_session_mount(cfuse_session *session, const char *mount_point, char *complaint, size_t capacity) {
    struct cfuse_capture capture;
    cfuse_capture_begin(&capture);
    int result = fuse_session_mount(session->fuse, mount_point);
    cfuse_capture_end(&capture, complaint, capacity);
    if (result == 0) cfuse_widen_readahead(mount_point);
    return result;
}

void cfuse_session_exit(cfuse_session *session) {
    atomic_store(&session->exiting, true);
    fuse_session_exit(session->fuse);
    sem_post(&session->wake);
}

void cfuse_session_unmount(cfuse_session *session) { fuse_session_unmount(session->fuse); }

void cfuse_session_destroy(cfuse_session *session) {
    fuse_session_destroy(session->fuse);
    cfuse_log_unroute(session);
    sem_destroy(&session->wake);
    free(session);
}

// A name as the calls below read it: they send the byte behind its end too, and take for granted that it is a zero.
struct ended_name {
    char bytes[NAME_MAX + 1];
};

static bool end_name(struct ended_name *ended, const uint8_t *name, size_t length) {
    if (length > NAME_MAX) return false;
    memcpy(ended->bytes, name, length);
    ended->bytes[length] = 0;
    return true;
}

int cfuse_notify_entry(cfuse_session *session, uint64_t parent, const uint8_t *name, size_t name_length) {
    struct ended_name ended;
    if (!end_name(&ended, name, name_length)) return -ENAMETOOLONG;
    return fuse_lowlevel_notify_inval_entry(session->fuse, parent, ended.bytes, name_length);
}

int cfuse_notify_expire(cfuse_session *session, uint64_t parent, const uint8_t *name, size_t name_length) {
#ifdef FUSE_CAP_EXPIRE_ONLY
    struct ended_name ended;
    if (!end_name(&ended, name, name_length)) return -ENAMETOOLONG;
    // Some versions of libfuse want a flag (expire, and do not invalidate), others do not: the type says which. Both
    // answer -ENOSYS where the kernel has not said that it can do it.
    typedef int (*without_flag)(struct fuse_session *, fuse_ino_t, const char *, size_t);
    typedef int (*with_flag)(struct fuse_session *, fuse_ino_t, const char *, size_t, enum fuse_expire_flags);
    return _Generic(&fuse_lowlevel_notify_expire_entry,
                    without_flag: ((without_flag)(void *)fuse_lowlevel_notify_expire_entry)(
                        session->fuse, parent, ended.bytes, name_length),
                    default: ((with_flag)(void *)fuse_lowlevel_notify_expire_entry)(
                        session->fuse, parent, ended.bytes, name_length, 1));
#else
    (void)session, (void)parent, (void)name, (void)name_length;
    return -ENOSYS;
#endif
}

int cfuse_notify_inode(cfuse_session *session, uint64_t inode) {
    // From offset 0, length 0: all pages.
    return fuse_lowlevel_notify_inval_inode(session->fuse, inode, 0, 0);
}
